/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names - "sardane names list", "show" and "remove": the identities of a state directory.
 */
#include "cli/agent.h"
#include "cli/enroll.h"
#include "cli/option.h"
#include "cli/text.h"
#include "identity/rolltake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPT_STATE = 1, OPT_VIA, OPT_SERVICE, OPT_WAIT, OPT_KEEP, OPT_JSON };

const char names_list_help[] = "usage: sardane names list --state DIR [OPTIONS]\n\n"
			       "Lists the enrolled names, those on the way, and those that only\n"
			       "sardane rollover keeps.\n\n"
			       "  --state DIR        the folder that remembers them (needed)\n"
			       "  --json             one JSON array\n"
			       "  --help             this text\n";

const char names_show_help[] =
	"usage: sardane names show NAME --state DIR [OPTIONS]\n\n"
	"Prints all that is remembered of one name and its records. Exit 1: there is none.\n\n"
	"  --state DIR        the folder that remembers it (needed)\n"
	"  --service P/PROTO  NAME is a host with a server there, as 8003/tcp\n"
	"  --json             one JSON object\n"
	"  --help             this text\n";

const char names_remove_help[] =
	"usage: sardane names remove NAME --state DIR [OPTIONS]\n\n"
	"Undoes an enrolment, whole or not, or what sardane rollover took over: withdraws its\n"
	"records, also those of other services rolled with it, waits until no server has\n"
	"them, revokes its certificate in the ledger of the authority that issued it, removes\n"
	"key and certificate, and forgets it. Interrupted anywhere, the same command goes on.\n"
	"Exit 1: there is none, or some server still has the record.\n\n"
	"  --state DIR        the folder that remembers it (needed)\n"
	"  --service P/PROTO  NAME is a host with a server there, as 8003/tcp\n"
	"  --via FILE         how its zone is changed (default: as when it was enrolled)\n"
	"  --wait S           for the servers (default: of FILE, or 60)\n"
	"  --keep-certificate do not revoke it\n"
	"  --json             one JSON object\n"
	"  --help             this text\n";

/* remove takes all of them, show those after the first three, list those after the fourth. */
static const struct option options[] = {
	{ "via", required_argument, NULL, OPT_VIA },
	{ "wait", required_argument, NULL, OPT_WAIT },
	{ "keep-certificate", no_argument, NULL, OPT_KEEP },
	{ "service", required_argument, NULL, OPT_SERVICE },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};
#define SHOW_FROM 3
#define LIST_FROM 4

struct request {
	const char *state, *via, *service;
	bool json, has_wait, keep;
	unsigned wait_s;
	struct name owner;
};

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;

	switch (c) {
	case OPT_STATE: r->state = optarg; return 0;
	case OPT_VIA: r->via = optarg; return 0;
	case OPT_SERVICE: r->service = optarg; return 0;
	case OPT_JSON: r->json = true; return 0;
	case OPT_KEEP: r->keep = true; return 0;
	case OPT_WAIT:
		r->has_wait = true;
		return option_number(self, "--wait", optarg, 0, 86400, &r->wait_s);
	}
	return 2;
}

static int read_request(const struct command *self, int argc, char **argv,
	const struct option *table, int words, struct request *r)
{
	struct err err;

	if (option_all(self, argc, argv, table, read_option, r) != 0)
		return 2;
	if (argc - optind != words)
		return command_fail(self, "%s; see --help",
			words ? "NAME: give one" : "more words than needed");
	if (!r->state)
		return command_fail(self, "--state: missing");
	if (words && publishing_owner(argv[optind], r->service, &r->owner, &err) != 0)
		return command_fail(self, "%s", err.msg);
	return 0;
}

static void write_time(int64_t s, char out[TEXT_TIME_MAX])
{
	if (s)
		text_write_time(s, out);
	else
		snprintf(out, TEXT_TIME_MAX, "-");
}

/* One that a rollover keeps and was never enrolled, as if names.db had it. Nothing is known of
 * when it was taken over, nor of who signed its first certificate. */
static struct names_entry entry_of(const char *owner, const struct rollfile *f)
{
	return (struct names_entry){ .owner = owner,
		.name = f->name,
		.service = f->services ? f->service[0] : "",
		.via = f->via,
		.issuer = "",
		.key = f->key_kind,
		.days = f->days,
		.step = f->under_way ? "rolling" : "rolled",
		.changed_s = (f->under_way ? f->rollover.since_ms : f->ended_ms) / 1000 };
}

static void write_entry(const struct names_entry *e, struct writer *w)
{
	char begun[TEXT_TIME_MAX], changed[TEXT_TIME_MAX];

	write_time(e->begun_s, begun);
	write_time(e->changed_s, changed);
	writer_text(w, "owner", e->owner);
	writer_text(w, "name", e->name);
	if (e->service[0])
		writer_text(w, "service", e->service);
	writer_text(w, "step", e->step);
	if (e->issuer[0])
		writer_text(w, "issuer", e->issuer);
	writer_text(w, "key", e->key);
	writer_u64(w, "days", e->days);
	writer_text(w, "via", e->via);
	if (e->begun_s)
		writer_text(w, "begun", begun);
	writer_text(w, "changed", changed);
}

struct listing {
	struct buf text;
	struct writer json;
	bool as_json;
	struct agent_names rolled; /* in the order of their owners */
	size_t told;               /* of these, or enrolled as well */
};

static void list_entry(struct listing *l, const struct names_entry *e)
{
	char changed[TEXT_TIME_MAX];

	write_time(e->changed_s, changed);
	if (l->as_json) {
		writer_open(&l->json, NULL, '{');
		write_entry(e, &l->json);
		writer_close(&l->json);
	} else {
		buf_printf(&l->text, "%-11s  %-20s  %s\n", e->step, changed, e->owner);
	}
}

/* Those that come before an owner; NULL: all that are left. */
static void list_rolled(struct listing *l, const char *before)
{
	for (; l->told < l->rolled.count; l->told++) {
		const struct agent_name *a = l->rolled.name[l->told];
		const struct names_entry e = entry_of(a->name, &a->file);

		if (before && strcmp(a->name, before) >= 0)
			return;
		if (!a->file.authority)
			list_entry(l, &e);
	}
}

static int list_enrolled(void *arg, const struct names_entry *e, struct err *err)
{
	struct listing *l = arg;

	(void)err;
	list_rolled(l, e->owner);
	if (l->told < l->rolled.count && strcmp(l->rolled.name[l->told]->name, e->owner) == 0)
		l->told++;
	list_entry(l, e);
	return 0;
}

int names_list_run(const struct command *self, int argc, char **argv)
{
	struct request r = { .state = NULL };
	struct listing l = { .as_json = false };
	struct names *names = NULL;
	struct err err, hidden = { .msg = "" };
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, options + LIST_FROM, 0, &r) != 0)
		return 2;
	l.as_json = r.json;
	l.json = writer_into(&l.text);
	rc = names_open(r.state, false, &names, &err);
	/* A file that cannot be read hides what rollovers keep, and not what was enrolled. */
	if (rc == 0 && agent_names_read(r.state, &l.rolled, &hidden) != 0)
		agent_names_free(&l.rolled);
	if (rc == 0 && r.json)
		writer_open(&l.json, NULL, '[');
	if (rc == 0)
		rc = names_each(names, NULL, list_enrolled, &l, NULL, &err);
	if (rc == 0)
		list_rolled(&l, NULL);
	agent_names_free(&l.rolled);
	names_close(names);
	if (rc != 0) {
		buf_done(&l.text);
		return command_fail(self, "%s", err.msg);
	}
	if (r.json) {
		writer_close(&l.json);
		buf_text(&l.text, "\n");
	}
	rc = text_print(&l.text);
	return hidden.msg[0] ? command_fail(self, "%s", hidden.msg) : rc;
}

static const char *const state_words[] = {
	[NAMES_COMING] = "coming",
	[NAMES_THERE] = "published",
	[NAMES_GOING] = "going",
	[NAMES_REVOKED] = "revoked",
};

static int show_record(void *arg, const struct names_record *r, struct err *err)
{
	struct listing *l = arg;
	struct buf data = { 0 };
	char since[TEXT_TIME_MAX];

	(void)err;
	text_write_time(r->since_s, since);
	rrset_write_data(r->type, r->rdata, &data);
	if (l->as_json) {
		writer_open(&l->json, NULL, '{');
		writer_text(&l->json, "data", buf_string(&data));
		writer_u64(&l->json, "ttl", r->ttl_s);
		writer_text(&l->json, "state", state_words[r->state]);
		writer_text(&l->json, "since", since);
		writer_close(&l->json);
	} else {
		buf_printf(&l->text, "record   %s since %s: %s\n", state_words[r->state], since,
			buf_string(&data));
	}
	buf_done(&data);
	return 0;
}

static int show_entry(void *arg, const struct names_entry *e, struct err *err)
{
	struct listing *l = arg;
	char begun[TEXT_TIME_MAX], changed[TEXT_TIME_MAX];

	(void)err;
	if (l->as_json) {
		write_entry(e, &l->json);
		return 0;
	}
	write_time(e->begun_s, begun);
	write_time(e->changed_s, changed);
	buf_printf(&l->text, "owner    %s\nname     %s\n", e->owner, e->name);
	if (e->service[0])
		buf_printf(&l->text, "service  %s\n", e->service);
	buf_printf(&l->text, "step     %s, %s", e->step, changed);
	if (e->begun_s)
		buf_printf(&l->text, "; begun %s", begun);
	buf_printf(&l->text, "\nkey      %s, certificate of %u days", e->key, e->days);
	if (e->begun_s)
		buf_printf(&l->text, ", signed by %s", e->issuer[0] ? e->issuer : "itself");
	buf_text(&l->text, "\n");
	buf_printf(&l->text, "via      %s\n", e->via);
	return 0;
}

static int show_rolled(const char *state, const char *owner, struct listing *l, size_t *n,
	struct err *err)
{
	struct rollfile *f = malloc(sizeof(*f));
	struct names_entry e;
	char dir[PATH_MAX];
	bool there = false;
	int rc = f ? rollfile_folder(state, owner, dir, err)
		   : err_set(err, ERR_NOMEM, "%s: no memory", owner);

	if (rc == 0)
		rc = rollfile_read(dir, f, &there, err);
	if (rc == 0 && there) {
		e = entry_of(owner, f);
		rc = show_entry(l, &e, err);
		*n = 1;
	}
	free(f);
	return rc;
}

/* The members, then the records. */
static int show_name(const char *state, struct names *names, const char *owner, struct listing *l,
	size_t *n, struct err *err)
{
	int rc = names_each(names, owner, show_entry, l, n, err);

	if (rc == 0 && *n == 0)
		rc = show_rolled(state, owner, l, n, err);
	if (rc == 0 && l->as_json)
		writer_open(&l->json, "records", '[');
	return rc == 0 && *n ? names_each_record(names, owner, RR_TLSA, show_record, l, err) : rc;
}

int names_show_run(const struct command *self, int argc, char **argv)
{
	struct request r = { .state = NULL };
	struct listing l = { .as_json = false };
	char owner[NAME_TEXT_MAX] = "";
	struct names *names = NULL;
	size_t n = 0;
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, options + SHOW_FROM, 1, &r) != 0)
		return 2;
	l.as_json = r.json;
	l.json = writer_into(&l.text);
	name_lower(&r.owner);
	name_write_text(&r.owner, owner, sizeof(owner));
	rc = names_open(r.state, false, &names, &err);
	if (rc == 0 && r.json)
		writer_open(&l.json, NULL, '{');
	if (rc == 0)
		rc = show_name(r.state, names, owner, &l, &n, &err);
	names_close(names);
	if (rc != 0 || n == 0) {
		buf_done(&l.text);
		command_fail(self, "%s%s", rc ? err.msg : owner, rc ? "" : ": not enrolled");
		return rc ? 2 : 1;
	}
	if (r.json) {
		writer_close(&l.json);
		writer_close(&l.json);
		buf_text(&l.text, "\n");
	}
	return text_print(&l.text);
}

static int take_via(void *arg, const struct names_entry *e, struct err *err)
{
	snprintf(arg, PATH_MAX, "%s", e->via);
	(void)err;
	return 0;
}

/* The file it was enrolled by, or is rolled by; *found false when there is no such name. */
static int find_via(const struct request *r, char via[PATH_MAX], bool *found, struct err *err)
{
	char owner[NAME_TEXT_MAX] = "";
	struct name lower = r->owner;
	struct names *names = NULL;
	size_t n = 0;
	int rc = names_open(r->state, false, &names, err);

	name_lower(&lower);
	name_write_text(&lower, owner, sizeof(owner));
	if (rc == 0)
		rc = names_each(names, owner, take_via, via, &n, err);
	*found = n > 0;
	if (rc == 0 && n == 0)
		rc = rolltake_find_via(r->state, owner, via, found, err);
	names_close(names);
	return rc;
}

/* Nobody rolls it meanwhile. */
static int lock_folder(const struct enrolment *e, int *lock, struct err *err)
{
	return access(e->folder, F_OK) == 0 ? rollfile_lock(e->folder, lock, err) : 0;
}

/* Of one that a rollover alone keeps an entry is made first. */
static int find(const struct request *r, const struct enrolment_tools *tools, struct enrolment *e,
	int *lock, bool *found, struct err *err)
{
	int rc = enrolment_find(tools, &r->owner, found, e, err);

	if (rc == 0)
		rc = lock_folder(e, lock, err);
	if (rc != 0 || *found)
		return rc;
	rc = rolltake_leave(r->state, e->owner_text, tools->publication.names, found, err);
	return rc == 0 && *found ? enrolment_find(tools, &r->owner, found, e, err) : rc;
}

static int leave(const struct request *r, const char *via, enum enrolment_outcome *outcome,
	struct err *err)
{
	struct enroll_session s;
	struct enrolment e;
	bool found = false;
	int lock = -1;
	int rc = enroll_open(via, r->state, false, &s, err);

	if (rc != 0)
		return rc;
	if (r->has_wait)
		s.tools.wait_ms = r->wait_s * 1000;
	s.tools.keep_valid = r->keep;
	rc = find(r, &s.tools, &e, &lock, &found, err);
	*outcome = found ? ENROLMENT_GOES_ON : ENROLMENT_DONE;
	while (rc == 0 && *outcome == ENROLMENT_GOES_ON)
		rc = enrolment_leave(&e, outcome, err);
	if (rc == 0 && found && enroll_show(&e, *outcome == ENROLMENT_WAITS, NULL, r->json) != 0)
		rc = err_set(err, ERR_SYSTEM, "output: cannot be written");
	if (lock >= 0)
		close(lock);
	enroll_close(&s);
	return rc;
}

int names_remove_run(const struct command *self, int argc, char **argv)
{
	struct request r = { .state = NULL };
	enum enrolment_outcome outcome = ENROLMENT_DONE;
	char via[PATH_MAX] = "";
	bool found = false;
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, options, 1, &r) != 0)
		return 2;
	rc = find_via(&r, via, &found, &err);
	if (rc == 0 && !found) {
		command_fail(self, "not enrolled");
		return 1;
	}
	if (rc == 0)
		rc = leave(&r, r.via ? r.via : via, &outcome, &err);
	if (rc != 0)
		return command_fail(self, "%s", err.msg);
	return outcome == ENROLMENT_DONE ? 0 : 1;
}
