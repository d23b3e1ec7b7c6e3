/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check.h"

#include "json/writer.h"

#include <string.h>
#include <time.h>

static const char *const state_words[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

static const char *words_of(const struct check_item *i)
{
	return i->words ? i->words : "out of memory";
}

static const char *name_of_item(const struct check_item *i, char out[NAME_TEXT_MAX])
{
	if (name_write_text(&i->question.name, out, NAME_TEXT_MAX) != 0)
		out[0] = '\0';
	return out;
}

/* Critical above unknown above warning: what is known to be broken is said first. */
enum check_state check_worst(const struct check *c)
{
	static const unsigned weight[] = { 0, 1, 3, 2 };
	enum check_state worst = CHECK_OK;

	for (size_t i = 0; i < c->count; i++)
		if (weight[c->item[i].state] > weight[worst])
			worst = c->item[i].state;
	return worst;
}

static size_t count_of(const struct check *c, enum check_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		n += c->item[i].state == state;
	return n;
}

/* The seconds until the first of them ends, of those that hold; -1: none does. */
static int64_t first_end(const struct check *c)
{
	int64_t first = INT64_MAX, now;

	for (size_t i = 0; i < c->count; i++)
		if (c->item[i].holds && c->item[i].until < first)
			first = c->item[i].until;
	now = c->count && c->item[0].question.at ? c->item[0].question.at : (int64_t)time(NULL);
	return first == INT64_MAX ? -1 : first - now;
}

/* "|" begins perfdata, so words may not hold it, nor a line's end. */
static void put_words(struct buf *t, const char *words)
{
	for (; *words; words++) {
		char c = *words == '|' ? '/' : (unsigned char)*words < ' ' ? ' ' : *words;

		buf_put(t, (struct span){ (const uint8_t *)&c, 1 });
	}
}

static void put_perfdata(const struct check *c, struct buf *t)
{
	const int64_t left = first_end(c);

	buf_printf(t, " | names=%zu ok=%zu warning=%zu critical=%zu unknown=%zu", c->count,
		count_of(c, CHECK_OK), count_of(c, CHECK_WARNING), count_of(c, CHECK_CRITICAL),
		count_of(c, CHECK_UNKNOWN));
	if (left >= 0)
		buf_printf(t, " left=%llds;%lld:;%lld:", (long long)left, (long long)c->warning_s,
			(long long)c->critical_s);
	buf_printf(t, " time=%.3fs\n", c->took_s);
}

void check_show_nagios(const struct check *c, struct buf *t)
{
	const enum check_state worst = check_worst(c);
	char name[NAME_TEXT_MAX];
	const struct check_item *first = NULL;

	for (size_t i = 0; !first && i < c->count; i++)
		if (c->item[i].state == worst)
			first = &c->item[i];
	buf_printf(t, "SARDANE %s - ", state_words[worst]);
	if (c->count > 1)
		buf_printf(t, "%zu of %zu names %s: ", count_of(c, worst), c->count,
			worst == CHECK_OK ? "are fine" : "are so");
	if (first && (worst != CHECK_OK || c->count == 1)) {
		buf_printf(t, "%s ", name_of_item(first, name));
		put_words(t, words_of(first));
	} else {
		buf_printf(t, "the first end is in %lld s", (long long)first_end(c));
	}
	put_perfdata(c, t);
	for (size_t i = 0; c->count > 1 && i < c->count; i++) {
		if (c->item[i].state == CHECK_OK)
			continue;
		buf_printf(t, "%s %s ", state_words[c->item[i].state],
			name_of_item(&c->item[i], name));
		put_words(t, words_of(&c->item[i]));
		buf_text(t, "\n");
	}
}

void check_show_json(const struct check *c, struct buf *t)
{
	struct writer w = writer_into(t);
	char name[NAME_TEXT_MAX];

	writer_open(&w, NULL, '{');
	writer_text(&w, "state", state_words[check_worst(c)]);
	writer_real(&w, "seconds", c->took_s, 3);
	writer_open(&w, "names", '[');
	for (size_t i = 0; i < c->count; i++) {
		const struct check_item *one = &c->item[i];

		writer_open(&w, NULL, '{');
		writer_text(&w, "name", name_of_item(one, name));
		writer_text(&w, "state", state_words[one->state]);
		writer_bool(&w, "holds", one->holds);
		if (one->until && one->until != INT64_MAX)
			writer_integer(&w, "until", one->until);
		else
			writer_null(&w, "until");
		writer_u64(&w, "notes", one->notes);
		writer_real(&w, "ms", one->ms, 3);
		writer_text(&w, "words", words_of(one));
		writer_close(&w);
	}
	writer_close(&w);
	writer_close(&w);
	buf_text(t, "\n");
}

/* A label value: the backslash, the quote and the line's end are escaped. */
static void put_label(struct buf *t, const char *name)
{
	buf_text(t, "{name=\"");
	for (; *name; name++) {
		if (*name == '\\' || *name == '"')
			buf_text(t, "\\");
		buf_put(t, (struct span){ (const uint8_t *)name, 1 });
	}
	buf_text(t, "\"} ");
}

static void put_family(struct buf *t, const char *name, const char *help)
{
	buf_printf(t, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

void check_show_prometheus(const struct check *c, struct buf *t)
{
	char name[NAME_TEXT_MAX];

	put_family(t, "sardane_check_state", "0 ok, 1 warning, 2 critical, 3 unknown.");
	for (size_t i = 0; i < c->count; i++) {
		buf_text(t, "sardane_check_state");
		put_label(t, name_of_item(&c->item[i], name));
		buf_printf(t, "%d\n", c->item[i].state);
	}
	put_family(t, "sardane_check_holds", "1 when the chain of trust holds.");
	for (size_t i = 0; i < c->count; i++) {
		buf_text(t, "sardane_check_holds");
		put_label(t, name_of_item(&c->item[i], name));
		buf_printf(t, "%d\n", c->item[i].holds);
	}
	put_family(t, "sardane_check_until_timestamp_seconds", "When it stops holding.");
	for (size_t i = 0; i < c->count; i++) {
		if (!c->item[i].holds || c->item[i].until == INT64_MAX)
			continue;
		buf_text(t, "sardane_check_until_timestamp_seconds");
		put_label(t, name_of_item(&c->item[i], name));
		buf_printf(t, "%lld\n", (long long)c->item[i].until);
	}
	put_family(t, "sardane_check_duration_seconds", "How long it took.");
	for (size_t i = 0; i < c->count; i++) {
		buf_text(t, "sardane_check_duration_seconds");
		put_label(t, name_of_item(&c->item[i], name));
		buf_printf(t, "%.6f\n", c->item[i].ms / 1e3);
	}
	put_family(t, "sardane_check_timestamp_seconds", "When it was checked.");
	buf_printf(t, "sardane_check_timestamp_seconds %lld\n", (long long)time(NULL));
}
