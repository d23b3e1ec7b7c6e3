/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit - "sardane audit verify" and "sardane audit show": the log of what was done.
 */
#include "store/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/option.h"
#include "cli/text.h"
#include "json/writer.h"

enum { OPT_STATE = 1, OPT_HEAD, OPT_ACT, OPT_JSON };

const char audit_verify_help[] =
	"usage: sardane audit verify --state DIR [OPTIONS]\n\n"
	"Proves that DIR/audit.log is whole: no line changed, removed, inserted, moved or cut\n"
	"off. Prints the head; note it elsewhere and give it back later. Exit 0: whole; 1: not;\n"
	"2: bad input.\n\n"
	"  --state DIR        the folder (needed)\n"
	"  --head \"SEQ HASH\"  a head noted before, which must still be in the log\n"
	"  --json             one JSON object\n"
	"  --help             this text\n";

const char audit_show_help[] =
	"usage: sardane audit show --state DIR [OPTIONS]\n\n"
	"Prints the acts in DIR/audit.log, oldest first.\n\n"
	"  --state DIR        the folder (needed)\n"
	"  --act ACT          only acts of this name, or of this thing: cert.issue, cert\n"
	"  --json             an array of the lines as they stand\n"
	"  --help             this text\n";

static const struct option verify_options[] = {
	{ "state", required_argument, NULL, OPT_STATE },
	{ "head", required_argument, NULL, OPT_HEAD },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

static const struct option show_options[] = {
	{ "state", required_argument, NULL, OPT_STATE },
	{ "act", required_argument, NULL, OPT_ACT },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

struct request {
	const char *dir, *act;
	bool json, has_head;
	struct audit_head head;
};

/* "42 <64 hex>", as verify prints it. */
static int read_head(const struct command *self, struct request *r)
{
	char *end;

	r->head.seq = strtoull(optarg, &end, 10);
	if (optarg[0] < '0' || optarg[0] > '9' || *end != ' ' ||
		strlen(end + 1) != AUDITLINE_HASH - 1 ||
		strspn(end + 1, "0123456789abcdef") != AUDITLINE_HASH - 1)
		return command_fail(self, "--head '%.80s': not a number and 64 hex digits", optarg);
	memcpy(r->head.hash, end + 1, AUDITLINE_HASH);
	r->has_head = true;
	return 0;
}

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;

	switch (c) {
	case OPT_STATE: r->dir = optarg; return 0;
	case OPT_HEAD: return read_head(self, r);
	case OPT_ACT: r->act = optarg; return 0;
	case OPT_JSON: r->json = true; return 0;
	}
	return 2;
}

static int read_request(const struct command *self, int argc, char **argv,
	const struct option *table, struct request *r)
{
	if (option_all(self, argc, argv, table, read_option, r) != 0)
		return 2;
	if (argc != optind)
		return command_fail(self, "'%s': unexpected; see --help", argv[optind]);
	if (!r->dir)
		return command_fail(self, "--state: missing");
	return 0;
}

static int print_verdict(const struct request *r, const struct audit_report *report)
{
	bool whole = report->verdict == AUDIT_WHOLE;
	struct buf t = { 0 };
	struct writer w = writer_into(&t);

	if (r->json) {
		writer_open(&w, NULL, '{');
		writer_bool(&w, "whole", whole);
		writer_u64(&w, "acts", report->head.seq);
		writer_text(&w, "hash", report->head.hash);
		writer_bool(&w, "lagging", report->lagging);
		writer_text(&w, "why", report->why);
		writer_close(&w);
		buf_text(&t, "\n");
	} else if (whole) {
		buf_printf(&t, "whole: %llu acts\nhead %llu %s\n",
			(unsigned long long)report->head.seq, (unsigned long long)report->head.seq,
			report->head.hash);
		if (report->lagging)
			buf_text(&t, "audit.head is one line behind: a writer was interrupted\n");
	} else {
		buf_printf(&t, "not whole: %s\n", report->why);
	}
	if (text_print(&t) != 0)
		return 2;
	return whole ? 0 : 1;
}

int audit_run_verify(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	struct audit_report report;
	struct err err;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, verify_options, &r) != 0)
		return 2;
	if (audit_verify(r.dir, r.has_head ? &r.head : NULL, &report, &err) != 0)
		return command_fail(self, "%s", err.msg);
	return print_verdict(&r, &report);
}

struct showing {
	const struct request *r;
	struct buf *out;
	bool any;
};

/* "cert" wants cert.issue and cert.revoke; "cert.issue" the one. */
static bool wanted(const char *act, const char *filter)
{
	size_t n = filter ? strlen(filter) : 0;

	return !filter || (strncmp(act, filter, n) == 0 && (act[n] == '\0' || act[n] == '.'));
}

static bool show_line(void *arg, const struct auditline *line, struct span text)
{
	struct showing *s = arg;

	if (!wanted(line->act, s->r->act))
		return true;
	if (s->r->json) {
		buf_text(s->out, s->any ? ",\n" : "");
		buf_put(s->out, text);
	} else {
		buf_printf(s->out, "%6llu  %s  %-10s %-14s %s\n", (unsigned long long)line->seq,
			line->at, line->who, line->act, line->thing);
	}
	s->any = true;
	return buf_ok(s->out);
}

int audit_run_show(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	struct buf out = { 0 };
	struct showing s = { .r = &r, .out = &out };
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, show_options, &r) != 0)
		return 2;
	buf_text(&out, r.json ? "[" : "");
	rc = audit_each(r.dir, show_line, &s, &err);
	buf_text(&out, r.json ? "]\n" : "");
	if (rc == 0)
		return text_print(&out);
	buf_done(&out);
	return command_fail(self, "%s", err.msg);
}
