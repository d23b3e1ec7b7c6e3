/* SPDX-License-Identifier: Apache-2.0 */
#include "program/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/code.h"

#define LINE_MAX_OCTETS 2048
#define VALUE_MAX       512
#define VALUES          8
#define HELD_OCTETS     16384

static const char *const level_word[] = { "error", "warning", "info", "debug" };

static struct {
	char program[32];
	enum trace_level level;
	bool json;
} settings = { .level = TRACE_INFO };

/* Lines gathered between log_hold and log_release. */
static _Thread_local struct {
	bool holding;
	size_t n;
	char text[HELD_OCTETS];
} held;

/* Text that stops growing at its end, and says so. */
struct line {
	char text[LINE_MAX_OCTETS];
	size_t n;
};

static void line_char(struct line *l, char c)
{
	if (l->n < sizeof(l->text) - 1)
		l->text[l->n++] = c;
}

static void line_put(struct line *l, const char *text, size_t n)
{
	size_t room = sizeof(l->text) - 1 - l->n;

	n = n < room ? n : room;
	memcpy(l->text + l->n, text, n);
	l->n += n;
}

static void line_text(struct line *l, const char *text)
{
	line_put(l, text, strlen(text));
}

/* What JSON cannot hold as it is: RFC 8259 section 7. */
static void line_json(struct line *l, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		char hex[8];

		if (*p == '"' || *p == '\\') {
			line_char(l, '\\');
			line_char(l, (char)*p);
		} else if (*p < 0x20 || *p > 0x7e) {
			snprintf(hex, sizeof(hex), "\\u%04x", *p);
			line_text(l, hex);
		} else {
			line_char(l, (char)*p);
		}
	}
}

/* Nothing but printable ASCII leaves: a stray newline cannot begin a line of its own. */
static void line_plain(struct line *l, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text, *from; *p;) {
		char hex[8];

		for (from = p; *p >= 0x20 && *p <= 0x7e; p++)
			;
		line_put(l, (const char *)from, (size_t)(p - from));
		if (*p) {
			snprintf(hex, sizeof(hex), "\\x%02x", *p++);
			line_text(l, hex);
		}
	}
}

/* Room for a year of more digits than there will be. */
#define STAMP_MAX 40

/* The second is written out once for all of its lines. */
static void stamp(char out[STAMP_MAX])
{
	static _Thread_local char second[STAMP_MAX];
	static _Thread_local time_t second_of = -1;
	struct timespec now;
	struct tm tm;
	size_t n;
	long ms;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != second_of) {
		gmtime_r(&now.tv_sec, &tm);
		strftime(second, STAMP_MAX - sizeof(".999Z"), "%Y-%m-%dT%H:%M:%S", &tm);
		second_of = now.tv_sec;
	}
	n = strlen(second);
	memcpy(out, second, n);
	ms = now.tv_nsec / 1000000;
	memcpy(out + n,
		(char[]){ '.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
			(char)('0' + ms % 10), 'Z', '\0' },
		sizeof(".999Z"));
}

/* key=value or key="value" at *at: copies both out, unquoted; false at the end or on other text. */
static bool pair_next(const char **at, char *key, size_t key_cap, char *value, size_t value_cap)
{
	const char *p = *at + strspn(*at, " ");
	size_t n = strcspn(p, "= \"");
	size_t used = 0;
	bool quoted;

	if (n == 0 || n >= key_cap || p[n] != '=')
		return false;
	memcpy(key, p, n);
	key[n] = '\0';
	p += n + 1;
	quoted = *p == '"';
	for (p += quoted; *p && (quoted ? *p != '"' : *p != ' '); p++) {
		if (quoted && *p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		if (used < value_cap - 1)
			value[used++] = *p;
	}
	value[used] = '\0';
	*at = p + (quoted && *p == '"');
	return true;
}

static void write_json(struct line *l, const char *time, enum trace_level level, const char *event,
	const char *words)
{
	char key[64], value[VALUE_MAX];
	const char *at = words;

	line_text(l, "{\"time\":\"");
	line_text(l, time);
	line_text(l, "\",\"level\":\"");
	line_text(l, level_word[level]);
	line_text(l, "\",\"program\":\"");
	line_json(l, settings.program);
	line_text(l, "\",\"event\":\"");
	line_json(l, event);
	line_char(l, '"');
	while (pair_next(&at, key, sizeof(key), value, sizeof(value))) {
		/* Room for this pair escaped at its worst, and for the end. */
		if (l->n + 6 * (strlen(key) + strlen(value)) + 512 > sizeof(l->text))
			break;
		line_text(l, ",\"");
		line_json(l, key);
		line_text(l, "\":\"");
		line_json(l, value);
		line_char(l, '"');
	}
	at += strspn(at, " ");
	if (*at) {
		line_text(l, ",\"text\":\"");
		while (*at && l->n < sizeof(l->text) - 16)
			line_json(l, (char[]){ *at++, '\0' });
		line_char(l, '"');
	}
	line_char(l, '}');
}

static void write_out(const char *text, size_t n)
{
	ssize_t written = write(STDERR_FILENO, text, n);

	(void)written;
}

static void flush_held(void)
{
	if (held.n)
		write_out(held.text, held.n);
	held.n = 0;
}

/* One write per line or per whole lines: threads and processes that share the descriptor do
 * not mix. */
static void write_whole(enum trace_level level, const struct line *l)
{
	if (!held.holding) {
		write_out(l->text, l->n);
		return;
	}
	if (held.n + l->n > sizeof(held.text))
		flush_held();
	memcpy(held.text + held.n, l->text, l->n);
	held.n += l->n;
	if (level <= TRACE_WARNING)
		flush_held();
}

void log_hold(void)
{
	held.holding = true;
}

void log_release(void)
{
	held.holding = false;
	flush_held();
}

static void write_line(enum trace_level level, const char *event, const char *fmt, va_list ap)
{
	struct line l;
	char words[LINE_MAX_OCTETS / 2], time[STAMP_MAX];

	if (!log_is_on(level))
		return;
	l.n = 0;
	if (vsnprintf(words, sizeof(words), fmt, ap) < 0)
		words[0] = '\0';
	stamp(time);
	if (settings.json) {
		write_json(&l, time, level, event, words);
	} else {
		line_text(&l, time);
		line_char(&l, ' ');
		line_text(&l, level_word[level]);
		line_char(&l, ' ');
		line_plain(&l, event);
		if (words[0])
			line_char(&l, ' ');
		line_plain(&l, words);
	}
	l.text[l.n++] = '\n';
	write_whole(level, &l);
}

void log_open(const char *program, enum trace_level level, int json)
{
	snprintf(settings.program, sizeof(settings.program), "%s", program);
	settings.level = level;
	settings.json = json != 0;
}

bool log_is_on(enum trace_level level)
{
	return level <= settings.level;
}

int log_level_read(const char *word, enum trace_level *out)
{
	for (size_t i = 0; i < sizeof(level_word) / sizeof(level_word[0]); i++) {
		if (strcmp(word, level_word[i]) == 0) {
			*out = (enum trace_level)i;
			return 0;
		}
	}
	return ERR_FORMAT;
}

void log_error(const char *event, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line(TRACE_ERROR, event, fmt, ap);
	va_end(ap);
}

void log_warning(const char *event, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line(TRACE_WARNING, event, fmt, ap);
	va_end(ap);
}

void log_info(const char *event, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line(TRACE_INFO, event, fmt, ap);
	va_end(ap);
}

void log_debug(const char *event, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line(TRACE_DEBUG, event, fmt, ap);
	va_end(ap);
}

static void say(void *arg, enum trace_level level, const char *event, const char *fmt, va_list ap)
{
	(void)arg;
	write_line(level, event, fmt, ap);
}

struct trace log_trace(void)
{
	return (struct trace){ .say = say };
}

const char *log_value(const char *text)
{
	static _Thread_local char value[VALUES][VALUE_MAX];
	static _Thread_local unsigned next;
	char *out = value[next++ % VALUES];
	bool quote = *text == '\0';
	size_t n = 1;

	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		quote |= *p <= ' ' || *p > 0x7e || *p == '"' || *p == '\\' || *p == '=';
	if (!quote && strlen(text) < VALUE_MAX) {
		memcpy(out, text, strlen(text) + 1);
		return out;
	}
	out[0] = '"';
	for (const unsigned char *p = (const unsigned char *)text; *p && n < VALUE_MAX - 8; p++) {
		if (*p == '"' || *p == '\\')
			out[n++] = '\\';
		if (*p >= ' ' && *p <= 0x7e)
			out[n++] = (char)*p;
		else
			n += (size_t)snprintf(out + n, VALUE_MAX - n, "\\\\x%02x", *p);
	}
	out[n++] = '"';
	out[n] = '\0';
	return out;
}
