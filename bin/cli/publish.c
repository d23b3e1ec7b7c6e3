/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publish - "sardane publish" and "sardane unpublish": TLSA records of ours in a zone that
 * others may write to as well, and every server asked for them.
 */
#include "cli/option.h"
#include "cli/publishing.h"
#include "cli/text.h"
#include "identity/keeper.h"

#include <stdio.h>
#include <string.h>

enum {
	OPT_VIA = 1,
	OPT_STATE,
	OPT_SERVICE,
	OPT_CLIENT,
	OPT_TLSA,
	OPT_CERT,
	OPT_ADD,
	OPT_TTL,
	OPT_FORCE,
	OPT_DRY_RUN,
	OPT_NO_WAIT,
	OPT_WAIT,
	OPT_JSON,
};

const char publish_help[] =
	"usage: sardane publish NAME --via FILE --cert C|--tlsa RECORD [OPTIONS]\n\n"
	"Publishes TLSA records at a name, keeps what others have there, and asks every\n"
	"authoritative server until all serve them, signed. What we published there before\n"
	"and is not named again goes; of a name that sardane enroll or rollover keeps, only\n"
	"with --force. Exit 0: all servers serve it; 1: some do not (yet); 2: not published.\n\n"
	"  --via FILE         YAML file that says how: see sardane-publish(1) (needed)\n"
	"  --cert C           the record 3 1 1 of this certificate; may be given again\n"
	"  --tlsa RECORD      a record, as \"3 1 1 ab12...\"; may be given again\n"
	"  --service P/PROTO  NAME is a host: the owner is _P._PROTO.NAME, as 8003/tcp\n"
	"  --client           NAME is a client's name, and the owner itself (the default)\n"
	"  --add              keep what we published there before\n"
	"  --force            also of a name that another command keeps\n"
	"  --state DIR        folder that remembers what is ours (default: that of FILE)\n"
	"  --ttl S            time to live (default: ttl_s of FILE, or 3600)\n"
	"  --dry-run          print the difference only\n"
	"  --wait S           how long to ask the servers (default: wait_s of FILE, or 60)\n"
	"  --no-wait          do not ask them\n"
	"  --json             one JSON object\n"
	"  --help             this text\n";

const char unpublish_help[] =
	"usage: sardane unpublish NAME --via FILE [OPTIONS]\n\n"
	"Removes from a name the TLSA records that we published there, all or those given,\n"
	"leaves those of others, and asks every authoritative server until none serves them.\n"
	"Those of a name that sardane enroll or rollover keeps go only with --force.\n"
	"Exit 0: none serves them; 1: some do (still); 2: not removed.\n\n"
	"  --via FILE         YAML file that says how: see sardane-publish(1) (needed)\n"
	"  --cert C           only the record 3 1 1 of this certificate; may be given again\n"
	"  --tlsa RECORD      only this record; may be given again\n"
	"  --service P/PROTO  NAME is a host: the owner is _P._PROTO.NAME, as 8003/tcp\n"
	"  --client           NAME is a client's name, and the owner itself (the default)\n"
	"  --force            also of a name that another command keeps\n"
	"  --state DIR        folder that remembers what is ours (default: that of FILE)\n"
	"  --dry-run          print the difference only\n"
	"  --wait S           how long to ask the servers (default: wait_s of FILE, or 60)\n"
	"  --no-wait          do not ask them\n"
	"  --json             one JSON object\n"
	"  --help             this text\n";

/* The first two are for publish only. */
#define UNPUBLISH_FROM 2

static const struct option options[] = {
	{ "add", no_argument, NULL, OPT_ADD },
	{ "ttl", required_argument, NULL, OPT_TTL },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "via", required_argument, NULL, OPT_VIA },
	{ "cert", required_argument, NULL, OPT_CERT },
	{ "tlsa", required_argument, NULL, OPT_TLSA },
	{ "service", required_argument, NULL, OPT_SERVICE },
	{ "client", no_argument, NULL, OPT_CLIENT },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "wait", required_argument, NULL, OPT_WAIT },
	{ "no-wait", no_argument, NULL, OPT_NO_WAIT },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

struct request {
	const char *via, *state, *service, *name;
	bool client, add, force, dry_run, no_wait, json, has_wait;
	unsigned ttl_s, wait_s;
	struct rrset given; /* its name is set when all options are read */
};

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;

	switch (c) {
	case OPT_VIA: r->via = optarg; return 0;
	case OPT_STATE: r->state = optarg; return 0;
	case OPT_SERVICE: r->service = optarg; return 0;
	case OPT_CLIENT: r->client = true; return 0;
	case OPT_ADD: r->add = true; return 0;
	case OPT_FORCE: r->force = true; return 0;
	case OPT_DRY_RUN: r->dry_run = true; return 0;
	case OPT_NO_WAIT: r->no_wait = true; return 0;
	case OPT_JSON: r->json = true; return 0;
	case OPT_TTL: return option_number(self, "--ttl", optarg, 1, 604800, &r->ttl_s);
	case OPT_WAIT:
		r->has_wait = true;
		return option_number(self, "--wait", optarg, 0, 86400, &r->wait_s);
	}
	return publishing_take(self, c == OPT_CERT, &r->given);
}

static int read_request(const struct command *self, int argc, char **argv,
	const struct option *table, struct request *r)
{
	if (option_all(self, argc, argv, table, read_option, r) != 0)
		return 2;
	r->name = argv[optind];
	return publishing_take_name(self, argc, argv, r->via, r->service, r->client,
		&r->given.owner);
}

static int open_all(const struct request *r, struct publishing *p, struct err *err)
{
	int rc = publishing_open(r->via, p, err);

	if (rc != 0)
		return rc;
	if (r->has_wait)
		p->wait_s = r->wait_s;
	rc = publishing_remember(p, r->state, err);
	if (rc != 0)
		publishing_close(p);
	return rc;
}

/* What of ours there shall be: the records given, or what is left without them. */
static int want(const struct request *r, struct publishing *p, bool withdraw, struct rrset *out,
	struct err *err)
{
	struct rrset owned = { 0 };
	int rc = 0;

	*out = rrset_of(&r->given.owner, RR_TLSA, r->ttl_s ? r->ttl_s : p->ttl_s);
	if (withdraw || r->add)
		rc = publication_owned(p->publication.names, &out->owner, RR_TLSA, &owned, err);
	if (rc == 0 && r->add)
		rc = rrset_add_all(out, &owned, err);
	if (rc == 0 && !withdraw)
		rc = rrset_add_all(out, &r->given, err);
	for (size_t i = 0; rc == 0 && withdraw && r->given.count && i < owned.count; i++)
		if (!rrset_has(&r->given, owned.rdata[i]))
			rc = rrset_add(out, owned.rdata[i], err);
	rrset_done(&owned);
	return rc;
}

static void write_records(struct writer *w, const char *member, const struct rrset *set,
	const struct rrset *without)
{
	writer_open(w, member, '[');
	for (size_t i = 0; i < set->count; i++) {
		struct buf text = { 0 };
		const char *words;

		if (without && rrset_has(without, set->rdata[i]))
			continue;
		rrset_write_data(set->type, set->rdata[i], &text);
		words = buf_string(&text);
		writer_text(w, NULL, words ? words : "");
		buf_done(&text);
	}
	writer_close(w);
}

static int show_json(const struct change *c, bool changed, const struct confirm_report *r)
{
	char owner[NAME_TEXT_MAX];
	struct buf t = { 0 };
	struct writer w = writer_into(&t);

	if (name_write_text(&c->after.owner, owner, sizeof(owner)) != 0)
		owner[0] = '\0';
	writer_open(&w, NULL, '{');
	writer_text(&w, "owner", owner);
	writer_u64(&w, "ttl", c->after.ttl_s);
	writer_bool(&w, "changed", changed);
	write_records(&w, "added", &c->after, &c->before);
	write_records(&w, "removed", &c->before, &c->after);
	write_records(&w, "now", &c->after, NULL);
	if (r)
		publishing_write(r, &w);
	writer_close(&w);
	buf_text(&t, "\n");
	return text_print(&t);
}

static int show(const struct change *c, bool changed, const struct confirm_report *r, bool json)
{
	struct buf t = { 0 };

	if (json)
		return show_json(c, changed, r);
	change_write(c, &t);
	if (!changed)
		buf_text(&t, "no change\n");
	if (r)
		publishing_tell(r, &t);
	return text_print(&t);
}

static int dry_run(const struct request *r, struct publishing *p, const struct rrset *wanted,
	struct err *err)
{
	struct change c = { 0 };
	int rc = publication_plan(&p->publication, wanted, &c, err);

	if (rc == 0 && show(&c, !change_is_empty(&c), NULL, r->json) != 0)
		rc = err_set(err, ERR_SYSTEM, "output: cannot be written");
	change_done(&c);
	return rc;
}

static int carry_out(const struct request *r, struct publishing *p, const struct rrset *wanted,
	bool *served, struct err *err)
{
	struct publication_result done = { 0 };
	struct confirm_report report;
	int rc = publication_set(&p->publication, wanted, &done, err);

	if (rc == 0 && !r->no_wait)
		rc = publishing_confirm(p, wanted, &done.removed, &report, err);
	if (rc == 0) {
		*served = r->no_wait || report.all;
		if (show(&done.change, done.changed, r->no_wait ? NULL : &report, r->json) != 0)
			rc = err_set(err, ERR_SYSTEM, "output: cannot be written");
	}
	publication_done(&done);
	return rc;
}

static int run(const struct command *self, const struct request *r, bool withdraw)
{
	struct publishing p = { .ttl_s = 0 };
	struct rrset wanted = { 0 };
	bool served = true;
	struct err err;
	int rc = open_all(r, &p, &err);

	if (rc == 0)
		rc = want(r, &p, withdraw, &wanted, &err);
	if (rc == 0 && r->dry_run)
		rc = dry_run(r, &p, &wanted, &err);
	else if (rc == 0 && !r->force)
		rc = keeper_permits(r->state ? r->state : p.state, p.publication.names, &wanted,
			&err);
	if (rc == 0 && !r->dry_run)
		rc = carry_out(r, &p, &wanted, &served, &err);
	rrset_done(&wanted);
	publishing_close(&p);
	if (rc != 0)
		return command_fail(self, "%s", err.msg);
	return served ? 0 : 1;
}

int publish_run(const struct command *self, int argc, char **argv)
{
	struct request r = { .given = { .type = RR_TLSA } };
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	rc = read_request(self, argc, argv, options, &r);
	if (rc == 0 && r.given.count == 0)
		rc = command_fail(self, "--cert or --tlsa: missing");
	if (rc == 0)
		rc = run(self, &r, false);
	rrset_done(&r.given);
	return rc;
}

int unpublish_run(const struct command *self, int argc, char **argv)
{
	struct request r = { .given = { .type = RR_TLSA } };
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	rc = read_request(self, argc, argv, options + UNPUBLISH_FROM, &r);
	if (rc == 0)
		rc = run(self, &r, true);
	rrset_done(&r.given);
	return rc;
}
