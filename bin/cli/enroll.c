/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enroll - "sardane enroll": a name gets its key, certificate and record, in one transaction.
 */
#include "cli/enroll.h"
#include "cli/option.h"
#include "cli/text.h"
#include "identity/keeper.h"
#include "identity/rollfile.h"
#include "pki/keykind.h"
#include "pki/profile.h"
#include "json/writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_VIA = 1,
	OPT_STATE,
	OPT_SERVICE,
	OPT_CLIENT,
	OPT_CA,
	OPT_KEY,
	OPT_DAYS,
	OPT_WAIT,
	OPT_RELOAD,
	OPT_CONNECT,
	OPT_CSV,
	OPT_FORM,
	OPT_RESULT,
	OPT_DRY_RUN,
	OPT_JSON,
};

const char enroll_help[] =
	"usage: sardane enroll NAME --service P/PROTO|--client --via FILE [OPTIONS]\n"
	"       sardane enroll --csv LIST --via FILE [OPTIONS]\n\n"
	"Makes a key, a certificate and the TLSA record 3 1 1, publishes it, waits until every\n"
	"authoritative server serves it, and verifies it as a peer would. Interrupted\n"
	"anywhere, the same command goes on; sardane names remove undoes it.\n"
	"With a list, for the devices of a fleet all together: see sardane-enroll(1).\n"
	"Exit 0: enrolled; 1: not yet, and why; 2: bad input or a failure.\n\n"
	"  --service P/PROTO  NAME is a host with a server there, as 8003/tcp\n"
	"  --client           NAME is a client's name\n"
	"  --via FILE         YAML file that says how its zone is changed (needed)\n"
	"  --state DIR        folder of keys and memory (default: that of FILE)\n"
	"  --ca               let the authority in DIR sign (default: it signs itself)\n"
	"  --key KIND         p256 (default), ed25519, rsa2048 or rsa3072\n"
	"  --days N           life of the certificate (default 365)\n"
	"  --wait S           for the servers, and again for the proof (default: of FILE, or 60)\n"
	"  --reload COMMAND   once it is enrolled: let the server take its key and certificate\n"
	"  --connect          then connect to it, until it proves itself or the wait is over\n"
	"  --csv LIST         devices, a line each: name, and key, request, tlsa\n"
	"  --form U S M       their TLSA: '3 1 1' (default) or '3 1 0', one each; '2 1 1' or\n"
	"                     '2 0 1', one wildcard of the authority\n"
	"  --result FILE      of a list, what became of each (default devices.csv in DIR)\n"
	"  --dry-run          of a list, what would change\n"
	"  --json             one JSON object\n"
	"  --help             this text\n";

static const struct option options[] = {
	{ "service", required_argument, NULL, OPT_SERVICE },
	{ "client", no_argument, NULL, OPT_CLIENT },
	{ "via", required_argument, NULL, OPT_VIA },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "ca", no_argument, NULL, OPT_CA },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "days", required_argument, NULL, OPT_DAYS },
	{ "wait", required_argument, NULL, OPT_WAIT },
	{ "reload", required_argument, NULL, OPT_RELOAD },
	{ "connect", no_argument, NULL, OPT_CONNECT },
	{ "csv", required_argument, NULL, OPT_CSV },
	{ "form", required_argument, NULL, OPT_FORM },
	{ "result", required_argument, NULL, OPT_RESULT },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

struct request {
	const char *via, *state, *service, *name, *key, *reload, *csv, *form, *result;
	bool client, ca, json, has_wait, connect, dry_run;
	unsigned days, wait_s;
};

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;
	enum keykind kind;
	struct err err;

	switch (c) {
	case OPT_SERVICE: r->service = optarg; return 0;
	case OPT_CLIENT: r->client = true; return 0;
	case OPT_VIA: r->via = optarg; return 0;
	case OPT_STATE: r->state = optarg; return 0;
	case OPT_CA: r->ca = true; return 0;
	case OPT_JSON: r->json = true; return 0;
	case OPT_RELOAD: r->reload = optarg; return 0;
	case OPT_CONNECT: r->connect = true; return 0;
	case OPT_CSV: r->csv = optarg; return 0;
	case OPT_FORM: r->form = optarg; return 0;
	case OPT_RESULT: r->result = optarg; return 0;
	case OPT_DRY_RUN: r->dry_run = true; return 0;
	case OPT_KEY:
		r->key = optarg;
		return keykind_read(optarg, &kind, &err) == 0 ? 0
							      : command_fail(self, "%s", err.msg);
	case OPT_DAYS: return option_number(self, "--days", optarg, 1, PROFILE_DAYS_MAX, &r->days);
	case OPT_WAIT:
		r->has_wait = true;
		return option_number(self, "--wait", optarg, 0, 86400, &r->wait_s);
	}
	return 2;
}

static int read_fleet(const struct command *self, int argc, const struct request *r)
{
	if (argc != optind)
		return command_fail(self, "NAME: names stand in the list of --csv");
	if (r->service || r->client || r->reload || r->connect)
		return command_fail(self,
			"--csv: goes with neither --service, --client, --reload nor --connect");
	return 0;
}

static int read_request(const struct command *self, int argc, char **argv, struct request *r)
{
	if (option_all(self, argc, argv, options, read_option, r) != 0)
		return 2;
	if (!r->via)
		return command_fail(self, "--via: missing");
	if (r->csv)
		return read_fleet(self, argc, r);
	if (argc - optind != 1)
		return command_fail(self, "NAME: give one; see --help");
	if (r->form || r->result || r->dry_run)
		return command_fail(self, "--form, --result and --dry-run: only with --csv");
	if (!r->service == !r->client)
		return command_fail(self, "--service or --client: give one of them");
	if (r->connect && !(r->service && strstr(r->service, "/tcp")))
		return command_fail(self, "--connect: needs --service PORT/tcp");
	r->name = argv[optind];
	return 0;
}

/* The name as it is kept: lower case, without the final dot. */
static int plain_name(const char *text, char out[NAME_TEXT_MAX], struct err *err)
{
	struct name name;

	if (name_of(text, &name) != 0)
		return err_set(err, ERR_FORMAT, "name '%s': not a domain name", text);
	name_lower(&name);
	return name_write_text(&name, out, NAME_TEXT_MAX) == 0
		? 0
		: err_set(err, ERR_FORMAT, "name '%s': cannot be written", text);
}

/* A name that a rollover took over with a key of its own has no place for another. */
static int check_free(const struct enroll_session *s, const struct name *owner, struct err *err)
{
	enum keeper keeper = KEEPER_NONE;
	struct enrolment e;
	bool found = false;
	int rc = enrolment_find(&s->tools, owner, &found, &e, err);

	if (rc == 0 && !found)
		rc = keeper_find(s->tools.state, s->tools.publication.names, owner, &keeper, err);
	if (rc == 0 && keeper == KEEPER_ROLLOVER)
		rc = err_set(err, ERR_ARG,
			"'%s': is kept by sardane rollover already; sardane names remove takes it "
			"out",
			e.owner_text);
	return rc;
}

/* Nobody else is at the name from here on: *lock is to be closed. */
static int begin(const struct request *r, struct enroll_session *s, struct enrolment *e, int *lock,
	struct err *err)
{
	char name[NAME_TEXT_MAX], via[PATH_MAX], issuer[PATH_MAX] = "";
	struct enrolment_order order = { .name = name,
		.service = r->service ? r->service : "",
		.via = via,
		.issuer = issuer,
		.key = r->key,
		.days = r->days };
	struct name owner;
	int rc = publishing_owner(r->name, r->service, &owner, err);

	if (rc == 0)
		rc = plain_name(r->name, name, err);
	if (rc != 0)
		return rc;
	if (!realpath(r->via, via))
		return err_set(err, ERR_SYSTEM, "file '%s': %s", r->via, strerror(errno));
	if (r->ca && !realpath(s->tools.state, issuer))
		return err_set(err, ERR_SYSTEM, "folder '%s': %s", s->tools.state, strerror(errno));
	rc = check_free(s, &owner, err);
	if (rc == 0)
		rc = enrolment_begin(&s->tools, &owner, &order, e, err);
	return rc == 0 ? rollfile_lock(e->folder, lock, err) : rc;
}

static void tell(const struct enrolment *e, bool waits, struct buf *t)
{
	buf_printf(t, "owner   %s\n", e->owner_text);
	buf_printf(t, "step    %s%s\n", enrolment_step_word(e->step),
		waits ? ", not further yet" : "");
	if (e->servers.rounds)
		publishing_tell(&e->servers, t);
	for (unsigned i = 0; i < e->left.foreign; i++)
		buf_printf(t, "left    certificate %s: of another authority, not revoked\n",
			e->left.serial[i]);
	if (e->proof.why[0])
		buf_printf(t, "proof   %s: %s\n", e->proof.holds ? "holds" : "fails", e->proof.why);
	if (e->step > ENROLMENT_BEGUN && e->step < ENROLMENT_LEAVING)
		buf_printf(t, "key     %s-key.pem\n", e->prefix);
	if (e->step > ENROLMENT_KEY && e->step < ENROLMENT_LEAVING)
		buf_printf(t, "cert    %s.pem\n", e->prefix);
}

static void write_members(const struct enrolment *e, struct writer *w)
{
	writer_text(w, "owner", e->owner_text);
	writer_text(w, "name", e->name);
	if (e->service[0])
		writer_text(w, "service", e->service);
	writer_text(w, "step", enrolment_step_word(e->step));
	writer_text(w, "prefix", e->prefix);
	if (e->servers.rounds)
		publishing_write(&e->servers, w);
	if (e->left.foreign)
		writer_open(w, "not_revoked", '[');
	for (unsigned i = 0; i < e->left.foreign; i++)
		writer_text(w, NULL, e->left.serial[i]);
	if (e->left.foreign)
		writer_close(w);
	if (!e->proof.why[0])
		return;
	writer_open(w, "proof", '{');
	writer_bool(w, "holds", e->proof.holds);
	writer_text(w, "dnssec", answer_status_word(e->proof.dnssec));
	writer_text(w, "why", e->proof.why);
	writer_close(w);
}

int enroll_show(const struct enrolment *e, bool waits, const struct enroll_live *live, bool json)
{
	struct buf t = { 0 };

	if (json) {
		struct writer w = writer_into(&t);

		writer_open(&w, NULL, '{');
		write_members(e, &w);
		if (live) {
			writer_open(&w, "live", '{');
			writer_bool(&w, "authenticated", live->authenticated);
			writer_text(&w, "why", live->why);
			writer_close(&w);
		}
		writer_close(&w);
		buf_text(&t, "\n");
	} else {
		tell(e, waits, &t);
		if (live)
			buf_printf(&t, "live    %s: %s\n",
				live->authenticated ? "proves itself" : "does not prove itself",
				live->why);
	}
	return text_print(&t);
}

int enroll_open(const char *via, const char *state, bool proves, struct enroll_session *out,
	struct err *err)
{
	struct enroll_session *s = out;
	int rc;

	*s = (struct enroll_session){ 0 };
	rc = publishing_open(via, &s->publishing, err);
	if (rc != 0)
		return rc;
	rc = publishing_remember(&s->publishing, state, err);
	if (rc == 0 && proves)
		rc = publishing_resolver(&s->publishing.resolver, &s->resolver, err);
	s->tools = (struct enrolment_tools){ .state = state ? state : s->publishing.state,
		.publication = s->publishing.publication,
		.walk = s->publishing.walk,
		.resolver = s->resolver,
		.ttl_s = s->publishing.ttl_s,
		.wait_ms = s->publishing.wait_s * 1000 };
	if (rc != 0)
		enroll_close(s);
	return rc;
}

void enroll_close(struct enroll_session *s)
{
	resolver_free(s->resolver);
	s->resolver = NULL;
	publishing_close(&s->publishing);
}

/* All steps, then what shall happen to the server. */
static int carry_out(const struct request *r, struct enrolment *e, enum enrolment_outcome *outcome,
	struct enroll_live *live, struct err *err)
{
	int rc = 0;

	*outcome = ENROLMENT_GOES_ON;
	while (rc == 0 && *outcome == ENROLMENT_GOES_ON)
		rc = enrolment_go(e, outcome, err);
	if (rc != 0 || *outcome != ENROLMENT_DONE)
		return rc;
	if (r->reload)
		rc = enroll_reload(e, r->reload, err);
	if (rc == 0 && r->connect)
		rc = enroll_connect(e, live, err);
	return rc;
}

int enroll_run(const struct command *self, int argc, char **argv)
{
	struct request r = { .key = "p256", .days = 365 };
	enum enrolment_outcome outcome = ENROLMENT_GOES_ON;
	struct enroll_live live = { .authenticated = false, .why = "not tried yet" };
	struct enroll_session s;
	struct enrolment e;
	struct err err;
	int lock = -1, rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, &r) != 0)
		return 2;
	if (r.csv)
		return enroll_fleet(self,
			&(struct enroll_fleet){ r.csv, r.via, r.state, r.form ? r.form : "3 1 1",
				r.key, r.result, r.ca, r.json, r.dry_run, r.has_wait, false, r.days,
				r.wait_s });
	if (enroll_open(r.via, r.state, true, &s, &err) != 0)
		return command_fail(self, "%s", err.msg);
	if (r.has_wait)
		s.tools.wait_ms = r.wait_s * 1000;
	rc = begin(&r, &s, &e, &lock, &err);
	if (rc == 0)
		rc = carry_out(&r, &e, &outcome, &live, &err);
	if (rc == 0 &&
		enroll_show(&e, outcome == ENROLMENT_WAITS, r.connect ? &live : NULL, r.json) != 0)
		rc = err_set(&err, ERR_SYSTEM, "output: cannot be written");
	if (lock >= 0)
		close(lock);
	enroll_close(&s);
	if (rc != 0)
		return command_fail(self, "%s", err.msg);
	return outcome == ENROLMENT_DONE && (!r.connect || live.authenticated) ? 0 : 1;
}
