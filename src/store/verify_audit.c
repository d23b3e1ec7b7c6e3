/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reading half of audit.h: is the chain whole, and what does it say.
 */
#include "store/audit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

static int open_to_read(const char *dir, FILE **out, char head[PATH_MAX], struct err *err)
{
	char log[PATH_MAX];
	int rc = audithead_name(dir, log, head, err);

	if (rc != 0)
		return rc;
	*out = fopen(log, "re");
	if (!*out)
		return err_set(err, ERR_SYSTEM, "%s: %s", log, strerror(errno));
	flock(fileno(*out), LOCK_SH);
	return 0;
}

/* One line without its newline: 1, 0 at the end, -1 for one that is cut short or too long. */
static int next_line(FILE *f, char *out, size_t *n)
{
	size_t got = 0;
	int c;

	while ((c = getc_unlocked(f)) != EOF && c != '\n' && got < AUDITLINE_MAX)
		out[got++] = (char)c;
	*n = got;
	if (c == EOF && got == 0)
		return 0;
	return c == '\n' ? 1 : -1;
}

static void broken(struct audit_report *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void broken(struct audit_report *r, const char *fmt, ...)
{
	va_list ap;

	r->verdict = AUDIT_BROKEN;
	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
}

/* What the walk over the lines remembers. */
struct walk {
	struct audit_report *report;
	const struct audit_head *noted, *stored;
	bool saw_noted, saw_stored;
};

static void follow(struct walk *w, const struct auditline *line)
{
	struct audit_report *r = w->report;
	unsigned long long at = (unsigned long long)r->head.seq + 1;

	if (line->seq > at)
		return broken(r, "line %llu: has number %llu: what stood between was removed", at,
			(unsigned long long)line->seq);
	if (line->seq < at)
		return broken(r, "line %llu: has number %llu: inserted, or out of its place", at,
			(unsigned long long)line->seq);
	if (strcmp(line->prev, r->head.hash) != 0)
		return broken(r, "line %llu: does not follow the line before it", at);
	r->head.seq = line->seq;
	memcpy(r->head.hash, line->hash, AUDITLINE_HASH);
	if (w->stored->seq == line->seq)
		w->saw_stored = strcmp(w->stored->hash, line->hash) == 0;
	if (w->noted && w->noted->seq == line->seq)
		w->saw_noted = strcmp(w->noted->hash, line->hash) == 0;
}

static void walk_lines(FILE *f, struct walk *w)
{
	struct auditline line = { 0 };
	char text[AUDITLINE_MAX + 1];
	unsigned long long at;
	struct err why;
	size_t n;
	int got = 0;

	while (w->report->verdict == AUDIT_WHOLE && (got = next_line(f, text, &n)) > 0) {
		at = (unsigned long long)w->report->head.seq + 1;
		if (auditline_read((struct span){ (uint8_t *)text, n }, &line, &why) != 0) {
			broken(w->report, "line %llu: %s", at, why.msg);
			continue;
		}
		follow(w, &line);
		auditline_done(&line);
	}
	if (w->report->verdict == AUDIT_WHOLE && got < 0)
		broken(w->report, "line %llu: %s", (unsigned long long)w->report->head.seq + 1,
			n < AUDITLINE_MAX
				? "cut short: a writer was interrupted, or the log was cut"
				: "too long");
}

static void weigh(struct walk *w)
{
	struct audit_report *r = w->report;

	if (r->head.seq < w->stored->seq)
		broken(r, "cut short: the head says line %llu, the log ends with %llu",
			(unsigned long long)w->stored->seq, (unsigned long long)r->head.seq);
	else if (r->head.seq > w->stored->seq + 1)
		broken(r, "the head says line %llu, the log goes on to %llu",
			(unsigned long long)w->stored->seq, (unsigned long long)r->head.seq);
	else if (w->stored->seq > 0 && !w->saw_stored)
		broken(r, "the head's hash is not that of line %llu",
			(unsigned long long)w->stored->seq);
	else if (w->noted && w->noted->seq > r->head.seq)
		broken(r, "cut short: line %llu was noted, the log ends with %llu",
			(unsigned long long)w->noted->seq, (unsigned long long)r->head.seq);
	else if (w->noted && w->noted->seq > 0 && !w->saw_noted)
		broken(r,
			"line %llu is not the one that was noted: all from there was written anew",
			(unsigned long long)w->noted->seq);
	r->lagging = r->head.seq == w->stored->seq + 1;
}

int audit_verify(const char *dir, const struct audit_head *noted, struct audit_report *out,
	struct err *err)
{
	struct audit_report r = { .head = { .hash = AUDITHEAD_NONE } };
	struct audit_head stored;
	struct walk w = { .report = &r, .noted = noted, .stored = &stored };
	char head[PATH_MAX];
	struct err why;
	FILE *f;
	int rc = open_to_read(dir, &f, head, err);

	if (rc != 0)
		return rc;
	if (audithead_read(head, &stored, &why) != 0)
		broken(&r, "%s", why.msg);
	else
		walk_lines(f, &w);
	if (r.verdict == AUDIT_WHOLE)
		weigh(&w);
	fclose(f);
	*out = r;
	return 0;
}

int audit_each(const char *dir,
	bool (*each)(void *arg, const struct auditline *line, struct span text), void *arg,
	struct err *err)
{
	char head[PATH_MAX], text[AUDITLINE_MAX + 1];
	struct auditline line = { 0 };
	unsigned long long at = 0;
	bool go_on = true;
	size_t n;
	FILE *f;
	int rc = open_to_read(dir, &f, head, err);

	if (rc != 0)
		return rc;
	while (rc == 0 && go_on && next_line(f, text, &n) != 0) {
		struct span s = { (uint8_t *)text, n };

		at++;
		rc = auditline_read(s, &line, err);
		if (rc != 0) {
			err_wrap(err, rc, "%s/audit.log: line %llu", dir, at);
			break;
		}
		go_on = each(arg, &line, s);
		auditline_done(&line);
	}
	fclose(f);
	return rc;
}
