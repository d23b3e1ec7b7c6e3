/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check - "sardane check": trace for machines that watch.
 */
#include "cli/check.h"

#include "cli/option.h"
#include "cli/text.h"
#include "cli/tracequestion.h"
#include "pki/pemfile.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char check_help[] =
	"usage: sardane check NAME... [OPTIONS]\n"
	"       sardane check --file LIST [OPTIONS]\n\n"
	"Traces names as sardane trace does, many at a time, and says it as a monitoring plugin:\n"
	"exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN or bad input. A name that does not hold is\n"
	"critical; one that something is to be noted about, as a server that differs, a warning.\n\n"
	"  --file LIST        a line each: NAME, or NAME service=8003/tcp, NAME cert=FILE,\n"
	"                     NAME key=FILE, and client; # begins a comment\n"
	"  --warning TIME     less than this is left: a warning (default 3d)\n"
	"  --critical TIME    less than this is left: critical (default 1d)\n"
	"  --jobs N           at a time (default 16)\n"
	"  --prometheus FILE  a text file for the node exporter, besides\n"
	"  --json             one JSON object\n"
	"  --service PORT/PROTO, --client, --cert FILE, --key FILE, --no-connect, --store FILE,\n"
	"  --at WHEN, --resolver FILE, --timeout MS\n"
	"                     as sardane trace has them, for every name\n"
	"  --help             this text\n";

enum {
	OPT_FILE = TRACEQUESTION_OPTIONS_END,
	OPT_WARNING,
	OPT_CRITICAL,
	OPT_JOBS,
	OPT_PROMETHEUS,
	OPT_JSON,
};

static const struct option options[] = {
	TRACEQUESTION_OPTIONS,
	{ "file", required_argument, NULL, OPT_FILE },
	{ "warning", required_argument, NULL, OPT_WARNING },
	{ "critical", required_argument, NULL, OPT_CRITICAL },
	{ "jobs", required_argument, NULL, OPT_JOBS },
	{ "prometheus", required_argument, NULL, OPT_PROMETHEUS },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

struct request {
	struct tracequestion q;
	struct check check;
	const char *file, *prometheus;
	bool json;
};

static int add_item(const struct command *self, const struct tracequestion *q, const char *text,
	const char *name, struct check *c)
{
	struct check_item *i;

	if (c->count == CHECK_NAMES_MAX)
		return command_fail(self, "more than %d names", CHECK_NAMES_MAX);
	if (c->count == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 64;
		struct check_item *more = realloc(c->item, cap * sizeof(*more));

		if (!more)
			return command_fail(self, "out of memory");
		c->item = more;
		c->cap = cap;
	}
	i = &c->item[c->count];
	*i = (struct check_item){ .text = strdup(text) };
	if (!i->text)
		return command_fail(self, "out of memory");
	c->count++;
	return tracequestion_of(self, q, name, &i->question);
}

/* One word behind the name; texts point into the item's own copy of the line. */
static int read_word(const struct command *self, char *word, struct tracequestion *q)
{
	if (strncmp(word, "cert=", 5) == 0)
		q->cert = word + 5;
	else if (strncmp(word, "key=", 4) == 0)
		q->key = word + 4;
	else if (strcmp(word, "client") == 0)
		q->client = true;
	else if (strncmp(word, "service=", 8) == 0)
		return tracequestion_service(self, word + 8, q);
	else
		return command_fail(self, "'%s': not cert=, key=, service= or client", word);
	return 0;
}

static int read_line(const struct command *self, const struct request *r, char *line,
	struct check *c)
{
	struct tracequestion q = r->q;
	char *rest = line, *name, *word;
	int rc;

	line[strcspn(line, "#\r\n")] = '\0';
	name = strtok_r(rest, " \t", &rest);
	if (!name)
		return 0;
	/* the name goes in first, so that the words live as long as the item */
	rc = add_item(self, &(struct tracequestion){ 0 }, rest ? rest : "", name, c);
	if (rc != 0)
		return rc;
	rest = c->item[c->count - 1].text;
	while (rc == 0 && (word = strtok_r(rest, " \t", &rest)) != NULL)
		rc = read_word(self, word, &q);
	return rc ? rc : tracequestion_of(self, &q, name, &c->item[c->count - 1].question);
}

static int read_list(const struct command *self, struct request *r)
{
	FILE *f = fopen(r->file, "re");
	char line[2 * NAME_TEXT_MAX + 256];
	unsigned number = 0;
	int rc = 0;

	if (!f)
		return command_fail(self, "--file '%s': %s", r->file, strerror(errno));
	while (rc == 0 && fgets(line, sizeof(line), f)) {
		number++;
		if (!strchr(line, '\n') && !feof(f))
			rc = command_fail(self, "the line is too long");
		else
			rc = read_line(self, r, line, &r->check);
	}
	fclose(f);
	if (rc != 0)
		command_fail(self, "--file '%s': line %u", r->file, number);
	return rc;
}

static int read_left(const struct command *self, const char *option, int64_t *out)
{
	if (tracequestion_span(optarg, out) != 0)
		return command_fail(self, "%s '%s': not like 3d, 12h or 90m", option, optarg);
	return 0;
}

static int take_option(const struct command *self, int c, void *request)
{
	struct request *r = request;

	switch (c) {
	case OPT_FILE: r->file = optarg; return 0;
	case OPT_PROMETHEUS: r->prometheus = optarg; return 0;
	case OPT_JSON: r->json = true; return 0;
	case OPT_WARNING: return read_left(self, "--warning", &r->check.warning_s);
	case OPT_CRITICAL: return read_left(self, "--critical", &r->check.critical_s);
	case OPT_JOBS:
		return option_number(self, "--jobs", optarg, 1, CHECK_JOBS_MAX, &r->check.jobs);
	}
	return tracequestion_option(self, c, &r->q);
}

static int read_request(const struct command *self, int argc, char **argv, struct request *r)
{
	int rc = 0;

	if (option_all(self, argc, argv, options, take_option, r) != 0)
		return 2;
	if (!r->file == (argc == optind))
		return command_fail(self, "NAME or --file: give one; see --help");
	for (int i = optind; rc == 0 && i < argc; i++)
		rc = add_item(self, &r->q, argv[i], argv[i], &r->check);
	if (rc == 0 && r->file)
		rc = read_list(self, r);
	if (rc == 0 && r->check.count == 0)
		return command_fail(self, "--file '%s': no name in it", r->file);
	return rc;
}

static int save_metrics(const struct request *r, struct err *err)
{
	struct buf text = { 0 };
	int rc;

	check_show_prometheus(&r->check, &text);
	rc = buf_ok(&text) ? pemfile_write(r->prometheus, 0644, true, buf_span(&text), err)
			   : err_set(err, ERR_NOMEM, "out of memory");
	buf_done(&text);
	return rc;
}

static int run(const struct command *self, struct request *r)
{
	struct buf out = { 0 };
	struct err err;

	r->check.work = r->q.work;
	r->check.work.no_resolver = true;
	if (check_all(&r->check, &err) != 0 || (r->prometheus && save_metrics(r, &err) != 0)) {
		command_fail(self, "%s", err.msg);
		return CHECK_UNKNOWN;
	}
	if (r->json)
		check_show_json(&r->check, &out);
	else
		check_show_nagios(&r->check, &out);
	return text_print(&out) == 0 ? (int)check_worst(&r->check) : CHECK_UNKNOWN;
}

int check_run(const struct command *self, int argc, char **argv)
{
	struct request r = {
		.check = { .jobs = 16, .warning_s = 3 * 86400, .critical_s = 86400 },
	};
	int rc = CHECK_UNKNOWN;

	if (command_helped(self, argc, argv))
		return 0;
	signal(SIGPIPE, SIG_IGN);
	if (read_request(self, argc, argv, &r) == 0)
		rc = run(self, &r);
	for (size_t i = 0; i < r.check.count; i++) {
		free(r.check.item[i].text);
		free(r.check.item[i].words);
	}
	free(r.check.item);
	return rc;
}
