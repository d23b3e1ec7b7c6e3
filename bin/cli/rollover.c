/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollover - "sardane rollover NAME": the next key in place of the current one.
 */
#include "cli/option.h"
#include "cli/roll.h"
#include "cli/rollauthority.h"
#include "cli/text.h"
#include "identity/rollca.h"
#include "identity/rolltake.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARGIN_S   60
#define DRAIN_S    300
#define BROKEN_S   30
#define PATIENCE_S 3600
#define PAUSE_MS   1000
#define DAYS       365

enum {
	OPT_STATE = 1,
	OPT_VIA,
	OPT_SERVICE,
	OPT_CLIENT,
	OPT_CERT,
	OPT_KEY,
	OPT_RELOAD,
	OPT_CONNECT,
	OPT_KIND,
	OPT_DAYS,
	OPT_STANDBY,
	OPT_MARGIN,
	OPT_DRAIN,
	OPT_BROKEN,
	OPT_PATIENCE,
	OPT_PAUSE,
	OPT_STATUS,
	OPT_EMERGENCY,
	OPT_BACK,
	OPT_CONTINUE,
	OPT_ONCE,
	OPT_JSON,
	OPT_CA,
	OPT_OWNER,
	OPT_PARENT,
	OPT_NEXT,
	OPT_PASSWORD,
};

#define OWNERS_MAX 64

const char rollover_help[] =
	"usage: sardane rollover NAME|--ca --state DIR [OPTIONS]\n\n"
	"Puts a new key and certificate in the place of those a name has, and locks nobody\n"
	"out: publishes both, waits until every server serves both and nobody can hold the\n"
	"old set, switches, looks at the service, waits, removes the old. Goes on where it\n"
	"stood when it is killed and run again. Settings are given the first time and kept.\n"
	"With --ca it is the authority of DIR that changes: what rests on its TLSA records of\n"
	"usage 2 gets the next one's beside them, then each certificate is issued again.\n"
	"Exit 0: done; 1: not yet, or the current key stays; 2: failed.\n\n"
	"  --state DIR          folder of the state; keys lie in DIR/names/OWNER (needed)\n"
	"  --via FILE           how it is published: see sardane-publish(1); the first time, for\n"
	"                       a name that is not enrolled\n"
	"  --service P/PROTO    NAME is a host, as 8003/tcp; may be given again\n"
	"  --client             NAME is a client's name (the default)\n"
	"  --cert C             take over this certificate, the first time, likewise\n"
	"  --key K              and its key\n"
	"  --reload COMMAND     tells the service to take DIR/names/OWNER/current\n"
	"  --connect ADDR@PORT  look at the service there; may be given again (default: where\n"
	"                       DNS says)\n"
	"  --ca                 the authority of DIR, in place of NAME\n"
	"  --owner NAME         it has records there that others have published; may be given\n"
	"                       again\n"
	"  --parent DIR         the authority above it, which issues the next one\n"
	"  --next CA            folder or prefix of the next one, made elsewhere\n"
	"  --password-file F    of the authority's key, or PIN of its token\n"
	"  --kind KIND          of new keys: p256 (default), ed25519, rsa2048 or rsa3072\n"
	"  --days N             life of new certificates (default 365)\n"
	"  --standby            have a key in DNS for emergencies, and roll to that\n"
	"  --margin S           added to every wait (default 60)\n"
	"  --drain S            how long what began with the old key may last (default 300)\n"
	"  --broken S           service without a known key this long: go back (default 30)\n"
	"  --patience S         a step longer than this is late (default 3600)\n"
	"  --pause MS           before something is tried again, then doubled (default 1000)\n"
	"  --status             say where it stands; exit 1 when it is late\n"
	"  --emergency          the current key is not to be trusted: to the standby at once\n"
	"  --back               turn round: the current key stays\n"
	"  --continue           begin none: finish the one that is under way\n"
	"  --once               do what is due and end\n"
	"  --json               one JSON object at the end\n"
	"  --help               this text\n";

static const struct option options[] = {
	{ "state", required_argument, NULL, OPT_STATE },
	{ "via", required_argument, NULL, OPT_VIA },
	{ "service", required_argument, NULL, OPT_SERVICE },
	{ "client", no_argument, NULL, OPT_CLIENT },
	{ "cert", required_argument, NULL, OPT_CERT },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "reload", required_argument, NULL, OPT_RELOAD },
	{ "connect", required_argument, NULL, OPT_CONNECT },
	{ "ca", no_argument, NULL, OPT_CA },
	{ "owner", required_argument, NULL, OPT_OWNER },
	{ "parent", required_argument, NULL, OPT_PARENT },
	{ "next", required_argument, NULL, OPT_NEXT },
	{ "password-file", required_argument, NULL, OPT_PASSWORD },
	{ "kind", required_argument, NULL, OPT_KIND },
	{ "days", required_argument, NULL, OPT_DAYS },
	{ "standby", no_argument, NULL, OPT_STANDBY },
	{ "margin", required_argument, NULL, OPT_MARGIN },
	{ "drain", required_argument, NULL, OPT_DRAIN },
	{ "broken", required_argument, NULL, OPT_BROKEN },
	{ "patience", required_argument, NULL, OPT_PATIENCE },
	{ "pause", required_argument, NULL, OPT_PAUSE },
	{ "status", no_argument, NULL, OPT_STATUS },
	{ "emergency", no_argument, NULL, OPT_EMERGENCY },
	{ "back", no_argument, NULL, OPT_BACK },
	{ "continue", no_argument, NULL, OPT_CONTINUE },
	{ "once", no_argument, NULL, OPT_ONCE },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

struct request {
	const char *state, *name, *cert, *key;
	bool status, emergency, back, go_on, once, json, client;
	bool changes; /* a setting was given */
	bool of_name; /* one that an authority has not */
	const char *owner[OWNERS_MAX];
	unsigned owners;
	struct rollfile file;
};

/* A list of the settings: one text more. */
static int add_text(const struct command *self, const char *option, char *list, size_t size,
	unsigned max, unsigned *n)
{
	if (*n == max)
		return command_fail(self, "%s: more than %u", option, max);
	if (snprintf(list + *n * size, size, "%s", optarg) >= (int)size)
		return command_fail(self, "%s '%s': too long", option, optarg);
	(*n)++;
	return 0;
}

static int set_text(const struct command *self, const char *option, char *out, size_t cap)
{
	if (snprintf(out, cap, "%s", optarg) >= (int)cap)
		return command_fail(self, "%s '%.40s...': too long", option, optarg);
	return 0;
}

/* That of an authority may be a prefix: then the file is another. */
static int set_prefix(const struct command *self, const char *option, char out[PATH_MAX])
{
	char folder[PATH_MAX];
	const char *slash = strrchr(optarg, '/');

	if (realpath(optarg, out))
		return 0;
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - optarg) : 1,
		slash ? optarg : ".");
	if (!realpath(folder[0] ? folder : "/", out) ||
		strlen(out) + strlen(slash ? slash : optarg) + 2 > PATH_MAX)
		return command_fail(self, "%s '%s': is not there", option, optarg);
	strcat(out, "/");
	strcat(out, slash ? slash + 1 : optarg);
	return 0;
}

/* The agent reads it from another folder. */
static int set_path(const struct command *self, const char *option, char out[PATH_MAX])
{
	if (!realpath(optarg, out))
		return command_fail(self, "%s '%s': is not there", option, optarg);
	return 0;
}

static int read_authority(const struct command *self, int c, struct request *r)
{
	struct rollfile *f = &r->file;

	switch (c) {
	case OPT_PARENT: return set_path(self, "--parent", f->parent);
	case OPT_NEXT: return set_prefix(self, "--next", f->adopt);
	case OPT_PASSWORD: return set_path(self, "--password-file", f->password_file);
	}
	return 2;
}

static int read_setting(const struct command *self, int c, struct request *r)
{
	struct rollfile *f = &r->file;

	r->changes = true;
	r->of_name |= c == OPT_SERVICE || c == OPT_CONNECT || c == OPT_KIND || c == OPT_DAYS;
	switch (c) {
	case OPT_VIA: return set_path(self, "--via", f->via);
	case OPT_RELOAD: return set_text(self, "--reload", f->reload, sizeof(f->reload));
	case OPT_KIND: return set_text(self, "--kind", f->key_kind, sizeof(f->key_kind));
	case OPT_SERVICE:
		return add_text(self, "--service", f->service[0], sizeof(f->service[0]),
			ROLLFILE_SERVICES_MAX, &f->services);
	case OPT_CONNECT:
		return add_text(self, "--connect", f->address[0], sizeof(f->address[0]),
			ROLLFILE_ADDRESSES_MAX, &f->addresses);
	case OPT_DAYS: return option_number(self, "--days", optarg, 1, PROFILE_DAYS_MAX, &f->days);
	}
	return read_authority(self, c, r);
}

static int read_policy(const struct command *self, int c, struct request *r)
{
	struct rollover_policy *p = &r->file.policy;

	r->changes = true;
	switch (c) {
	case OPT_STANDBY: p->standby = true; return 0;
	case OPT_MARGIN: return option_number(self, "--margin", optarg, 0, 604800, &p->margin_s);
	case OPT_DRAIN: return option_number(self, "--drain", optarg, 0, 604800, &p->drain_s);
	case OPT_BROKEN: return option_number(self, "--broken", optarg, 1, 86400, &p->broken_s);
	case OPT_PATIENCE:
		return option_number(self, "--patience", optarg, 1, 604800, &p->patience_s);
	case OPT_PAUSE: return option_number(self, "--pause", optarg, 1, 60000, &p->pause_ms);
	}
	return read_setting(self, c, r);
}

static int read_option(const struct command *self, int c, void *request)
{
	struct request *r = request;

	switch (c) {
	case OPT_STATE: r->state = optarg; return 0;
	case OPT_CERT: r->cert = optarg; return 0;
	case OPT_KEY: r->key = optarg; return 0;
	case OPT_CLIENT: r->client = true; return 0;
	case OPT_STATUS: r->status = true; return 0;
	case OPT_EMERGENCY: r->emergency = true; return 0;
	case OPT_BACK: r->back = true; return 0;
	case OPT_CONTINUE: r->go_on = true; return 0;
	case OPT_ONCE: r->once = true; return 0;
	case OPT_JSON: r->json = true; return 0;
	case OPT_CA: r->file.authority = true; return 0;
	case OPT_OWNER:
		if (r->owners == OWNERS_MAX)
			return command_fail(self, "--owner: more than %d", OWNERS_MAX);
		r->owner[r->owners++] = optarg;
		return 0;
	}
	return read_policy(self, c, r);
}

static int check_subject(const struct command *self, int argc, char **argv, struct request *r)
{
	const struct rollfile *f = &r->file;

	if (argc - optind != !f->authority)
		return command_fail(self, "give one NAME, or --ca; see --help");
	if (f->authority && (r->of_name || r->client || r->cert || r->key))
		return command_fail(self,
			"--service, --client, --cert, --key, --connect, --kind, --days: not with --ca");
	if (!f->authority && (r->owners || f->parent[0] || f->adopt[0] || f->password_file[0]))
		return command_fail(self,
			"--owner, --parent, --next, --password-file: go with --ca");
	r->name = f->authority ? ROLLFILE_AUTHORITY : argv[optind];
	return 0;
}

static int check_request(const struct command *self, int argc, char **argv, struct request *r)
{
	if (check_subject(self, argc, argv, r) != 0)
		return 2;
	if (!r->state)
		return command_fail(self, "--state: missing");
	if (r->client && r->file.services)
		return command_fail(self, "--service and --client: give one of them");
	if (!r->cert != !r->key)
		return command_fail(self, "--cert and --key: give both");
	if (r->status + r->emergency + r->back + r->go_on > 1)
		return command_fail(self,
			"--status, --emergency, --back, --continue: give one of them");
	if (snprintf(r->file.name, sizeof(r->file.name), "%s", r->name) >=
		(int)sizeof(r->file.name))
		return command_fail(self, "NAME: too long");
	return 0;
}

static int read_request(const struct command *self, int argc, char **argv, struct request *r)
{
	optind = 0; /* it may be the second time */
	if (option_all(self, argc, argv, options, read_option, r) != 0)
		return 2;
	return check_request(self, argc, argv, r);
}

static int show_json(const struct request *r, const struct rollfile *f, struct buf *out,
	struct err *err)
{
	struct writer w = writer_into(out);
	int rc = 0;

	writer_open(&w, NULL, '{');
	roll_tell_json(f, roll_now(), &w);
	if (f->authority)
		rc = rollauthority_write(r->state, f, &w, err);
	writer_close(&w);
	buf_text(out, "\n");
	return rc;
}

static int show(const struct request *r, const struct rollfile *f, bool json, struct err *err)
{
	struct buf out = { 0 };
	int rc = 0;

	if (json) {
		rc = show_json(r, f, &out, err);
	} else {
		roll_tell(f, roll_now(), &out);
		if (f->authority)
			rc = rollauthority_tell(r->state, f, &out, err);
	}
	if (rc == 0)
		return text_print(&out) == 0
			? 0
			: err_set(err, ERR_SYSTEM, "output: cannot be written");
	buf_done(&out);
	return rc;
}

/* The first time: the keys there are, given or of an enrolment, become a generation in use. */
static int take_over(const struct request *r, struct rollfile *f, const char *dir, struct err *err)
{
	struct rolltake enrolled = { .found = false };
	int lock = -1;
	int rc = r->cert ? 0 : rolltake_find(r->state, dir, f, &enrolled, err);

	if (rc != 0)
		return rc;
	if (!r->cert && !enrolled.found)
		return err_set(err, ERR_ARG,
			"--cert and --key: missing, the first time, for what is not enrolled");
	if (!f->via[0])
		return err_set(err, ERR_ARG, "--via: missing, the first time");
	rc = rollfile_lock(dir, &lock, err);
	if (rc != 0)
		return rc;
	keyring_word(++f->last, f->current);
	rc = keyring_adopt(dir, f->current, r->cert ? r->cert : enrolled.cert,
		r->key ? r->key : enrolled.key, err);
	if (rc == 0)
		rc = keyring_point(dir, f->current, err);
	if (rc == 0 && enrolled.found)
		rc = rolltake_link(dir, err);
	if (rc == 0)
		rc = rollfile_write(dir, f, err);
	close(lock);
	return rc;
}

static void say(const struct rollfile *f, int *last)
{
	char moment[ROLL_MOMENT_MAX], now[ROLL_MOMENT_MAX];
	int at = f->under_way ? f->rollover.machine.at : ROLLOVER_DONE;

	if (at == *last)
		return;
	*last = at;
	roll_moment(roll_now(), now);
	if (f->under_way && roll_until(&f->rollover)) {
		roll_moment(roll_until(&f->rollover), moment);
		fprintf(stderr, "%s %s: %s, until %s\n", now, rollover_step_word(at),
			rollover_step_sentence(at), moment);
	} else {
		fprintf(stderr, "%s %s: %s\n", now, rollover_step_word(at),
			f->under_way ? rollover_step_sentence(at) : f->result);
	}
}

/* Until it is done, or with once until something has to be waited for. */
static int drive(struct rolling *r, bool once, struct err *err)
{
	int64_t wait_ms = 0;
	int last = -1, rc = 0;

	say(rolling_file(r), &last);
	while (rc == 0 && wait_ms >= 0) {
		rc = rolling_step(r, &wait_ms, err);
		say(rolling_file(r), &last);
		if (once && wait_ms > 0)
			break;
		if (rc == 0 && wait_ms > 0)
			poll(NULL, 0, wait_ms < 60000 ? (int)wait_ms : 60000);
	}
	return rc;
}

/* What is to begin, or to turn. */
static int command_it(const struct request *r, struct rolling *rolling, struct err *err)
{
	const struct rollfile *f = rolling_file(rolling);
	char moment[ROLL_MOMENT_MAX];
	bool yes = true;
	int rc = 0;

	if (r->emergency) {
		rc = rolling_hurry(rolling, &yes, err);
		roll_moment(f->rollover.known_ms, moment);
		if (rc == 0 && !yes)
			fprintf(stderr,
				"no other key is known to everybody yet%s%s; sardane revoke cuts "
				"the current one off, and the service with it\n",
				f->rollover.known_ms ? ", but will be at " : "",
				f->rollover.known_ms ? moment : "");
	} else if (r->back) {
		rc = rolling_turn(rolling, "an operator turned it round", &yes, err);
		if (rc == 0 && !yes)
			rc = err_set(err, ERR_ARG, "--back: too late, or nothing is under way");
	} else if (!r->go_on) {
		rc = rolling_begin(rolling, err);
	}
	return rc;
}

/* What is kept, and over it what was given now; lists are given as a whole. */
static int change(const struct command *self, int argc, char **argv, struct request *r,
	const char *dir)
{
	unsigned services = r->file.services, addresses = r->file.addresses;
	enum rollfile_hold hold;
	int lock = -1, rc;
	bool there = false;
	struct err err;

	rc = rollfile_lock_kept(dir, &hold, &lock, &err);
	if (rc == 0)
		rc = rollfile_read(dir, &r->file, &there, &err);
	if (rc == 0 && !there)
		rc = err_set(&err, ERR_ARG, "'%s': nothing is kept there any more", dir);
	if (rc == 0 && r->file.under_way)
		rc = err_set(&err, ERR_ARG, "settings change when no rollover is under way");
	if (services)
		r->file.services = 0;
	if (addresses)
		r->file.addresses = 0;
	r->owners = 0;
	if (rc == 0)
		rc = read_request(self, argc, argv, r) == 0 ? 0 : err_set(&err, ERR_ARG, "again");
	if (rc == 0)
		rc = rollfile_write(dir, &r->file, &err);
	if (lock >= 0)
		close(lock);
	return rc == 0 ? 0 : command_fail(self, "%s", err.msg);
}

static int run(const struct request *r, const struct rollfile *f, bool *kept, struct err *err)
{
	struct roll roll;
	uint32_t done;
	int rc = roll_open(r->state, f, false, &roll, err);

	if (rc != 0)
		return rc;
	done = f->done;
	for (unsigned i = 0; rc == 0 && i < r->owners; i++)
		rc = rollca_claim(roll.rolling, r->owner[i], err);
	if (rc == 0)
		rc = command_it(r, roll.rolling, err);
	if (rc == 0)
		rc = drive(roll.rolling, r->once, err);
	f = rolling_file(roll.rolling);
	*kept = f->under_way ||
		(f->done != done && f->rollover.keep == ROLLOVER_CURRENT && !r->back);
	if (rc == 0 && r->json)
		rc = show(r, f, true, err);
	roll_close(&roll);
	return rc;
}

static int status(const struct command *self, const struct request *r, const struct rollfile *f,
	bool there)
{
	struct err err;

	if (!there)
		return command_fail(self, "%s: nothing is kept about it in '%s'", r->name,
			r->state);
	if (show(r, f, r->json, &err) != 0)
		return command_fail(self, "%s", err.msg);
	return f->under_way && rollover_is_late(&f->rollover, roll_now()) ? 1 : 0;
}

int rollover_run(const struct command *self, int argc, char **argv)
{
	static struct request r;
	static struct rollfile on_disk;
	char dir[PATH_MAX];
	bool there = false, kept = false;
	struct err err;
	int rc;

	r = (struct request){
		.file = { .days = DAYS,
			.key_kind = "p256",
			.policy = { MARGIN_S, DRAIN_S, BROKEN_S, PATIENCE_S, PAUSE_MS, false } }
	};
	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, &r) != 0)
		return 2;
	rc = roll_find(r.state, &r.file, r.client, dir, &err);
	if (rc == 0)
		rc = rollfile_read(dir, &on_disk, &there, &err);
	if (rc == 0 && r.status)
		return status(self, &r, &on_disk, there);
	if (rc == 0 && there && r.changes && change(self, argc, argv, &r, dir) != 0)
		return 2;
	if (rc == 0 && there && !r.changes)
		r.file = on_disk;
	if (rc == 0 && !there)
		rc = r.file.authority ? rollauthority_begin(r.state, &r.file, dir, &err)
				      : take_over(&r, &r.file, dir, &err);
	if (rc == 0)
		rc = run(&r, &r.file, &kept, &err);
	if (rc != 0)
		return command_fail(self, "%s", err.msg);
	return kept ? 1 : 0;
}
