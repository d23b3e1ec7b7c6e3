/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zonecheck - "sardane zone check": what in a zone would break us, or soon will.
 */
#include "publish/zonecheck.h"
#include "cli/option.h"
#include "cli/publishing.h"
#include "cli/text.h"
#include "identity/proof.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_S     86400
#define NAMES_MAX 64

enum { OPT_RESOLVER = 1, OPT_STATE, OPT_NAME, OPT_MARGIN, OPT_REVOKE, OPT_JSON };

const char zone_check_help[] =
	"usage: sardane zone check ZONE [OPTIONS]\n\n"
	"Asks every authoritative server of a zone and its parent, and tells what would break us:\n"
	"a DS that is missing or fits no key, signatures missing or about to expire, algorithms\n"
	"not to be used, NSEC3 iterations, servers that are away or disagree, TLSA records that\n"
	"match no key of ours, a TTL too long for a revocation. Exit 0: nothing; 1: something;\n"
	"2: bad input or a failure.\n\n"
	"  --resolver FILE    YAML file with a resolver block: the resolver that must believe the\n"
	"                     zone, and where the servers of a private world are\n"
	"  --state DIR        look at the enrolled names of the zone as well, and at their keys\n"
	"  --name OWNER       look at the TLSA records of this owner too; may be given again\n"
	"  --expires-within N\n"
	"                     days: a signature that ends sooner is told (default 3)\n"
	"  --revoke-within S  seconds: a TLSA with a longer time to live is told\n"
	"  --json             one JSON object\n"
	"  --help             this text\n";

static const struct option options[] = {
	{ "resolver", required_argument, NULL, OPT_RESOLVER },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "expires-within", required_argument, NULL, OPT_MARGIN },
	{ "revoke-within", required_argument, NULL, OPT_REVOKE },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

struct request {
	const char *resolver, *state;
	bool json;
	unsigned days, revoke_s;
	struct name zone, name[NAMES_MAX];
	size_t names;
};

struct work {
	const struct request *request;
	struct delegation_walk *walk;
	struct delegation *zone;
	struct zonecheck_limits limits;
	struct zonecheck_report *report;
	size_t names;
};

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;

	switch (c) {
	case OPT_RESOLVER: r->resolver = optarg; return 0;
	case OPT_STATE: r->state = optarg; return 0;
	case OPT_JSON: r->json = true; return 0;
	case OPT_MARGIN: return option_number(self, "--expires-within", optarg, 0, 3650, &r->days);
	case OPT_REVOKE:
		return option_number(self, "--revoke-within", optarg, 1, 604800, &r->revoke_s);
	case OPT_NAME:
		if (r->names == NAMES_MAX)
			return command_fail(self, "--name: more than %d", NAMES_MAX);
		if (name_of(optarg, &r->name[r->names++]) != 0)
			return command_fail(self, "--name '%s': not a domain name", optarg);
		return 0;
	}
	return 2;
}

/* What DNS says of the zone to one who believes nothing else. */
static int check_chain(const struct work *w, const struct resolver_settings *settings,
	struct err *err)
{
	const struct question question = { .name = w->zone->zone, .type = RR_DNSKEY };
	struct resolver *resolver = NULL;
	struct ask ask = { .answer = NULL };
	int rc = publishing_resolver(settings, &resolver, err);

	if (rc == 0)
		rc = proof_ask(resolver, &question, &ask, err);
	if (rc == 0 && ask.answer->status != ANSWER_SECURE)
		zonecheck_find(w->report, ZONECHECK_CHAIN, false,
			"our resolver does not believe the zone: %s%s%.150s",
			answer_status_word(ask.answer->status), ask.answer->why[0] ? ": " : "",
			ask.answer->why);
	ask_done(&ask);
	resolver_free(resolver);
	return rc;
}

/* The record of the certificate in the state; none when the name is not that far. */
static int known_of(const struct work *w, const struct names_entry *e, const struct name *owner,
	struct rrset *out, struct err *err)
{
	char path[PATH_MAX];

	*out = rrset_of(owner, RR_TLSA, 0);
	if (snprintf(path, sizeof(path), "%s/names/%s/current.pem", w->request->state, e->owner) >=
		(int)sizeof(path))
		return err_set(err, ERR_ARG, "state '%.80s...': the path is too long",
			w->request->state);
	return publishing_add_certificate(out, path, err);
}

static int check_entry(void *arg, const struct names_entry *e, struct err *err)
{
	struct work *w = arg;
	struct rrset known = { 0 };
	struct name owner;
	int rc;

	if (name_of(e->owner, &owner) != 0 || !name_is_within(&owner, &w->zone->zone) ||
		strcmp(e->step, "enrolled") != 0)
		return 0;
	rc = known_of(w, e, &owner, &known, err);
	if (rc == 0)
		rc = zonecheck_name(w->walk, w->zone, &owner, &known, &w->limits, w->report, err);
	rrset_done(&known);
	w->names++;
	return rc;
}

static int check_names(struct work *w, struct err *err)
{
	struct names *names = NULL;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->request->names; i++, w->names++) {
		if (!name_is_within(&w->request->name[i], &w->zone->zone))
			return err_set(err, ERR_ARG, "--name: not in the zone");
		rc = zonecheck_name(w->walk, w->zone, &w->request->name[i], NULL, &w->limits,
			w->report, err);
	}
	if (rc != 0 || !w->request->state)
		return rc;
	rc = names_open(w->request->state, false, &names, err);
	if (rc == 0)
		rc = names_each(names, NULL, check_entry, w, NULL, err);
	names_close(names);
	return rc;
}

static int check_all(const struct request *r, struct work *w,
	const struct resolver_settings *settings, struct err *err)
{
	int rc = publishing_walk(settings, &w->walk, err);

	if (rc == 0)
		rc = delegation_of(w->walk, &r->zone, &w->zone, err);
	if (rc == 0 && !name_equal(&w->zone->zone, &r->zone))
		rc = err_set(err, ERR_PEER,
			"no such zone: its parent delegates nothing of that "
			"name, or no server of the parent answers");
	if (rc == 0)
		rc = zonecheck_zone(w->walk, w->zone, &w->limits, w->report, err);
	if (rc == 0)
		rc = check_chain(w, settings, err);
	return rc == 0 ? check_names(w, err) : rc;
}

static size_t shown(const struct zonecheck_report *r)
{
	return r->count < ZONECHECK_FINDINGS_MAX ? r->count : ZONECHECK_FINDINGS_MAX;
}

static void tell(const char *zone, const struct work *w, struct buf *t)
{
	const struct zonecheck_report *r = w->report;
	char when[TEXT_TIME_MAX] = "";

	if (r->expires_s)
		text_write_time(r->expires_s, when);
	for (size_t i = 0; i < shown(r); i++)
		buf_printf(t, "%-8s %-10s %s\n", r->finding[i].soon ? "soon" : "broken",
			zonecheck_word(r->finding[i].what), r->finding[i].words);
	if (r->count > shown(r))
		buf_printf(t, "... and %zu more\n", r->count - shown(r));
	buf_printf(t, "%s: %zu server%s, %zu name%s, %zu finding%s", zone, r->servers,
		r->servers == 1 ? "" : "s", w->names, w->names == 1 ? "" : "s", r->count,
		r->count == 1 ? "" : "s");
	buf_printf(t, "%s%s\n", when[0] ? "; signatures hold until " : "", when);
}

static void write_json(const char *zone, const struct work *w, struct buf *t)
{
	const struct zonecheck_report *r = w->report;
	struct writer json = writer_into(t);
	char when[TEXT_TIME_MAX] = "";

	if (r->expires_s)
		text_write_time(r->expires_s, when);
	writer_open(&json, NULL, '{');
	writer_text(&json, "zone", zone);
	writer_u64(&json, "servers", r->servers);
	writer_u64(&json, "names", w->names);
	if (when[0])
		writer_text(&json, "signatures_until", when);
	writer_open(&json, "findings", '[');
	for (size_t i = 0; i < shown(r); i++) {
		writer_open(&json, NULL, '{');
		writer_text(&json, "what", zonecheck_word(r->finding[i].what));
		writer_text(&json, "when", r->finding[i].soon ? "soon" : "now");
		writer_text(&json, "words", r->finding[i].words);
		writer_close(&json);
	}
	writer_close(&json);
	writer_u64(&json, "count", r->count);
	writer_close(&json);
	buf_text(t, "\n");
}

static int run(const struct command *self, const struct request *r, const char *zone)
{
	struct resolver_settings settings = { .file = NULL };
	struct zonecheck_report report = { 0 };
	struct work w = { .request = r, .report = &report };
	struct buf t = { 0 };
	struct err err;
	int rc = r->resolver ? resolver_config_load(r->resolver, &settings, &err) : 0;

	w.limits = (struct zonecheck_limits){ .now_s = time(NULL),
		.margin_s = r->days * DAY_S,
		.revoke_within_s = r->revoke_s };
	if (rc == 0)
		rc = check_all(r, &w, &settings, &err);
	delegation_close(w.walk);
	resolver_config_done(&settings);
	if (rc != 0)
		return command_fail(self, "%s", err.msg);
	if (r->json)
		write_json(zone, &w, &t);
	else
		tell(zone, &w, &t);
	if (text_print(&t) != 0)
		return 2;
	return report.count ? 1 : 0;
}

int zone_check(const struct command *self, int argc, char **argv)
{
	struct request r = { .days = 3 };
	char zone[NAME_TEXT_MAX];

	if (command_helped(self, argc, argv))
		return 0;
	if (option_all(self, argc, argv, options, read_option, &r) != 0)
		return 2;
	if (argc - optind != 1)
		return command_fail(self, "ZONE: give one; see --help");
	if (name_of(argv[optind], &r.zone) != 0 ||
		name_write_text(&r.zone, zone, sizeof(zone)) != 0)
		return command_fail(self, "zone '%s': not a domain name", argv[optind]);
	return run(self, &r, zone);
}
