/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace - "sardane trace": the chain of trust of one name, and whether it holds.
 */
#include "cli/option.h"
#include "cli/text.h"
#include "cli/tracequestion.h"
#include "cli/tracework.h"
#include "pki/pemfile.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char trace_help[] =
	"usage: sardane trace NAME [OPTIONS]\n\n"
	"Walks the chain of trust from the trust anchor to the TLSA records of a name, asking\n"
	"every authoritative server, and judges it as a validator does. Then connects to every\n"
	"address and holds every record against every key presented. The last line says\n"
	"whether it holds, why, and until when. Exit 0: it holds; 1: not; 2: bad input.\n\n"
	"NAME is the owner of the TLSA records: _8003._tcp.HOST is connected to.\n\n"
	"  --service PORT/PROTO  NAME is a host, and this its service: 8003/tcp\n"
	"  --client           NAME is a client's; hold its records against --cert or --key\n"
	"  --cert FILE        PEM chain to hold the records against, instead of connecting\n"
	"  --key FILE         the same for a key, public or private\n"
	"  --no-connect       only the chain of trust\n"
	"  --store FILE       PEM of trusted authorities, for usages 0 and 1\n"
	"  --at WHEN          will it hold then? +30d, +12h, or a time like 2026-11-22\n"
	"  --resolver FILE    YAML file with a resolver block (default: the Internet)\n"
	"  --timeout MS       for each server and each question (default 2000)\n"
	"  --json             one JSON object\n"
	"  --dot              the chain as a graph for Graphviz\n"
	"  --svg FILE         and as a picture, besides\n"
	"  --help             this text\n";

enum {
	OPT_JSON = TRACEQUESTION_OPTIONS_END,
	OPT_DOT,
	OPT_SVG,
};

static const struct option options[] = {
	TRACEQUESTION_OPTIONS,
	{ "json", no_argument, NULL, OPT_JSON },
	{ "dot", no_argument, NULL, OPT_DOT },
	{ "svg", required_argument, NULL, OPT_SVG },
	{ 0 },
};

struct request {
	struct tracequestion q;
	bool json, dot;
	const char *svg;
};

static int take_option(const struct command *self, int c, void *request)
{
	struct request *r = request;

	switch (c) {
	case OPT_JSON: r->json = true; return 0;
	case OPT_DOT: r->dot = true; return 0;
	case OPT_SVG: r->svg = optarg; return 0;
	}
	return tracequestion_option(self, c, &r->q);
}

static int read_request(const struct command *self, int argc, char **argv, struct request *r)
{
	if (option_all(self, argc, argv, options, take_option, r) != 0)
		return 2;
	if (r->json && r->dot)
		return command_fail(self, "--json and --dot: give one");
	if (argc - optind != 1)
		return command_fail(self, "NAME: give one; see --help");
	return 0;
}

static int save_picture(const struct traced *t, const char *path, struct err *err)
{
	struct buf picture = { 0 };
	int rc;

	tracework_draw_svg(t, &picture);
	rc = buf_ok(&picture) ? pemfile_write(path, 0644, true, buf_span(&picture), err)
			      : err_set(err, ERR_NOMEM, "out of memory");
	buf_done(&picture);
	return rc;
}

static int tell(const struct command *self, const struct request *r, const struct traced *t)
{
	struct buf out = { 0 };
	struct err err;

	if (r->svg && save_picture(t, r->svg, &err) != 0)
		return command_fail(self, "%s", err.msg);
	if (r->json)
		tracework_show_json(t, &out);
	else if (r->dot)
		tracework_draw_dot(t, &out);
	else
		tracework_show_text(t, &out);
	return text_print(&out) == 0 ? t->verdict == TRACE_HOLDS_NOT : 2;
}

int trace_run(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	struct tracework *w = NULL;
	struct trace_question question;
	struct traced *t;
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, &r) != 0 ||
		tracequestion_of(self, &r.q, argv[optind], &question) != 0)
		return 2;
	t = calloc(1, sizeof(*t));
	if (!t)
		return command_fail(self, "out of memory");
	signal(SIGPIPE, SIG_IGN);
	rc = tracework_open(&r.q.work, &w, &err);
	if (rc == 0)
		rc = tracework_run(w, &question, t, &err);
	if (rc != 0)
		rc = command_fail(self, "%s", err.msg);
	else
		rc = tell(self, &r, t);
	tracework_forget(t);
	tracework_close(w);
	free(t);
	return rc;
}
