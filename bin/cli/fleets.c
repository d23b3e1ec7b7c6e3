/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleets - "sardane fleets list" and "forget": the lists of devices that were enrolled from a
 * state, and that "sardane agent" enrolls again.
 */
#include "cli/enroll.h"
#include "cli/option.h"
#include "cli/text.h"
#include "identity/fleetfile.h"

#include <stdio.h>
#include <string.h>

enum { OPT_STATE = 1, OPT_JSON };

const char fleets_list_help[] =
	"usage: sardane fleets list --state DIR [OPTIONS]\n\n"
	"Lists the lists of devices that sardane enroll --csv was given, and how; sardane agent\n"
	"looks after them.\n\n"
	"  --state DIR        the folder that remembers them (needed)\n"
	"  --json             one JSON array\n"
	"  --help             this text\n";

const char fleets_forget_help[] =
	"usage: sardane fleets forget LIST --state DIR\n\n"
	"Lets sardane agent look after a list of devices no more. The devices, their keys and\n"
	"records stay as they are; sardane enroll --csv makes the list known again. Exit 1:\n"
	"there is none.\n\n"
	"  --state DIR        the folder that remembers it (needed)\n"
	"  --help             this text\n";

/* list takes all of them, forget those after the first. */
static const struct option options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "state", required_argument, NULL, OPT_STATE },
	{ 0 },
};
#define FORGET_FROM 1

struct request {
	const char *state;
	bool json;
};

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;

	(void)self;
	switch (c) {
	case OPT_STATE: r->state = optarg; return 0;
	case OPT_JSON: r->json = true; return 0;
	}
	return 2;
}

static int read_request(const struct command *self, int argc, char **argv,
	const struct option *table, int words, struct request *r)
{
	if (option_all(self, argc, argv, table, read_option, r) != 0)
		return 2;
	if (argc - optind != words)
		return command_fail(self, "%s; see --help",
			words ? "LIST: give one" : "more words than needed");
	return r->state ? 0 : command_fail(self, "--state: missing");
}

struct listing {
	const struct command *self;
	struct buf text;
	struct writer json;
	bool as_json, unreadable;
};

static void write_fleet(const struct fleetfile *f, struct writer *w)
{
	writer_open(w, NULL, '{');
	writer_text(w, "list", f->list);
	writer_text(w, "via", f->via);
	if (f->result[0])
		writer_text(w, "result", f->result);
	writer_text(w, "form", f->form);
	writer_text(w, "key", f->key_kind);
	writer_bool(w, "ca", f->ca);
	writer_u64(w, "days", f->days);
	writer_close(w);
}

/* One file that cannot be read hides no other. */
static int list_fleet(void *arg, const struct fleetfile *f, struct err *err)
{
	struct listing *l = arg;

	if (!f) {
		command_fail(l->self, "%s", err->msg);
		l->unreadable = true;
	} else if (l->as_json) {
		write_fleet(f, &l->json);
	} else {
		buf_printf(&l->text, "%s%s  %s  via %s\n", f->form, f->ca ? " ca" : "   ", f->list,
			f->via);
	}
	return 0;
}

int fleets_list_run(const struct command *self, int argc, char **argv)
{
	struct request r = { .state = NULL };
	struct listing l = { .self = self };
	struct err err;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, options, 0, &r) != 0)
		return 2;
	l.as_json = r.json;
	l.json = writer_into(&l.text);
	if (r.json)
		writer_open(&l.json, NULL, '[');
	if (fleetfile_each(r.state, list_fleet, &l, &err) != 0) {
		buf_done(&l.text);
		return command_fail(self, "%s", err.msg);
	}
	if (r.json) {
		writer_close(&l.json);
		buf_text(&l.text, "\n");
	}
	return text_print(&l.text) != 0 || l.unreadable ? 2 : 0;
}

/* The line of the log comes first, as everywhere. */
static int forget(const char *state, const char *list, bool *found, struct err *err)
{
	struct audit *audit = NULL;
	int rc = audit_open(state, &audit, err);

	if (rc == 0)
		rc = audit_append(audit, "fleet.forget", list, NULL, 0, err);
	if (rc == 0)
		rc = fleetfile_forget(state, list, found, err);
	audit_close(audit);
	return rc;
}

struct search {
	const char *list;
	bool found;
};

static int see(void *arg, const struct fleetfile *f, struct err *err)
{
	struct search *s = arg;

	(void)err;
	s->found = s->found || (f && strcmp(f->list, s->list) == 0);
	return 0;
}

int fleets_forget_run(const struct command *self, int argc, char **argv)
{
	struct request r = { .state = NULL };
	struct search search = { .found = false };
	char list[PATH_MAX];
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, options + FORGET_FROM, 1, &r) != 0)
		return 2;
	search.list = list;
	rc = enroll_absolute(argv[optind], list, &err);
	if (rc == 0)
		rc = fleetfile_each(r.state, see, &search, &err);
	if (rc == 0 && search.found)
		rc = forget(r.state, list, &search.found, &err);
	if (rc != 0)
		return command_fail(self, "%s", err.msg);
	if (search.found)
		return 0;
	command_fail(self, "'%s': no such list; sardane fleets list has them", list);
	return 1;
}
