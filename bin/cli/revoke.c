/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revoke - "sardane revoke NAME": its records out of DNS, and the latest moment at which anyone
 * may still accept what they stood for.
 */
#include "ca/revocation.h"
#include "cli/option.h"
#include "cli/publishing.h"
#include "cli/roll.h"
#include "cli/text.h"
#include "identity/cutoff.h"
#include "identity/effect.h"
#include "pki/crl.h"
#include "pki/der.h"
#include "publish/lifetime.h"
#include "resolve/stale.h"
#include "rollover/horizon.h"
#include "json/writer.h"

#include <stdio.h>

#define MARGIN_S 60

enum {
	OPT_VIA = 1,
	OPT_STATE,
	OPT_SERVICE,
	OPT_CLIENT,
	OPT_CERT,
	OPT_TLSA,
	OPT_CRL,
	OPT_MARGIN,
	OPT_STALE,
	OPT_WAIT,
	OPT_UNDO,
	OPT_REASON,
	OPT_JSON,
};

const char revoke_help[] =
	"usage: sardane revoke NAME --via FILE [OPTIONS]\n\n"
	"Takes TLSA records out of DNS, asks every authoritative server until none serves\n"
	"them, and says from when on nobody accepts what they stood for, with each reason:\n"
	"servers out of reach, caches, signatures that can be replayed, who falls back on PKIX.\n"
	"No command, and no agent, publishes them again.\n"
	"A device of a fleet (sardane enroll --csv) is cut off: where a wildcard's record\n"
	"stands for it, by one of its own that fits no key; its certificate is revoked too.\n"
	"Exit 0: no server serves them; 1: some do, and the moment counts that; 2: failed.\n\n"
	"  --via FILE         how it is published: see sardane-publish(1) (needed)\n"
	"  --state DIR        folder that remembers what is ours (default: that of FILE)\n"
	"  --service P/PROTO  NAME is a host: the owner is _P._PROTO.NAME, as 8003/tcp\n"
	"  --client           NAME is a client's name, and the owner itself (the default)\n"
	"  --cert C           only the record 3 1 1 of this certificate, whoever published it\n"
	"  --tlsa RECORD      only this record, whoever published it; may be given again\n"
	"  --crl FILE         with --cert: its authority's list as it is published; for those who\n"
	"                     fall back on PKIX\n"
	"  --undo             what was revoked may be published again; a device that was cut off\n"
	"                     is let in again\n"
	"  --reason WORD      of a device's certificate, for the CRL (default unspecified)\n"
	"  --margin S         clocks of others, resolvers that stretch a TTL (default 60)\n"
	"  --peers-stale S    serve_stale_s of Sardane's programs elsewhere, for an outage of\n"
	"                     their resolver (default: that of FILE)\n"
	"  --wait S           how long to ask the servers (default: wait_s of FILE, or 60)\n"
	"  --json             one JSON object\n"
	"  --help             this text\n";

static const struct option options[] = {
	{ "via", required_argument, NULL, OPT_VIA },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "service", required_argument, NULL, OPT_SERVICE },
	{ "client", no_argument, NULL, OPT_CLIENT },
	{ "cert", required_argument, NULL, OPT_CERT },
	{ "tlsa", required_argument, NULL, OPT_TLSA },
	{ "crl", required_argument, NULL, OPT_CRL },
	{ "margin", required_argument, NULL, OPT_MARGIN },
	{ "peers-stale", required_argument, NULL, OPT_STALE },
	{ "wait", required_argument, NULL, OPT_WAIT },
	{ "undo", no_argument, NULL, OPT_UNDO },
	{ "reason", required_argument, NULL, OPT_REASON },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

struct request {
	const char *via, *state, *service, *name, *cert, *crl;
	bool client, json, has_wait, has_stale, undo;
	unsigned margin_s, stale_s, wait_s;
	int reason;
	struct rrset given;
};

/* What came of it. */
struct revoked {
	struct cutoff_device device;
	bool certificate; /* revoked, now or before */
	bool all;         /* no server serves it */
	size_t count;
	struct horizon_facts facts;
	struct horizon horizon;
	struct confirm_report servers;
};

static int read_option(const struct command *self, int c, void *request)
{
	struct request *r = request;
	struct err err;

	switch (c) {
	case OPT_VIA: r->via = optarg; return 0;
	case OPT_STATE: r->state = optarg; return 0;
	case OPT_SERVICE: r->service = optarg; return 0;
	case OPT_CRL: r->crl = optarg; return 0;
	case OPT_CLIENT: r->client = true; return 0;
	case OPT_JSON: r->json = true; return 0;
	case OPT_UNDO: r->undo = true; return 0;
	case OPT_REASON:
		return facts_read_reason(optarg, &r->reason, &err) == 0
			? 0
			: command_fail(self, "%s", err.msg);
	case OPT_MARGIN: return option_number(self, "--margin", optarg, 0, 604800, &r->margin_s);
	case OPT_STALE:
		r->has_stale = true;
		return option_number(self, "--peers-stale", optarg, 0, STALE_MAX_S, &r->stale_s);
	case OPT_WAIT:
		r->has_wait = true;
		return option_number(self, "--wait", optarg, 0, 86400, &r->wait_s);
	}
	if (c == OPT_CERT)
		r->cert = optarg;
	return publishing_take(self, c == OPT_CERT, &r->given);
}

static int read_request(const struct command *self, int argc, char **argv, struct request *r)
{
	if (option_all(self, argc, argv, options, read_option, r) != 0)
		return 2;
	if (r->crl && !r->cert)
		return command_fail(self, "--crl: goes with --cert");
	r->name = argv[optind];
	return publishing_take_name(self, argc, argv, r->via, r->service, r->client,
		&r->given.owner);
}

/* What the operator names, whoever put it there, or all of ours. Struck off before a server is
 * told: from then on no command puts it back, nor does the agent. */
static int strike(struct publishing *p, const struct rrset *given, struct err *err)
{
	struct rrset owned = { 0 };
	int rc = given->count
		? 0
		: publication_owned(p->publication.names, &given->owner, RR_TLSA, &owned, err);

	if (rc == 0)
		rc = effect_remember(p->publication.names, given->count ? given : &owned,
			NAMES_REVOKED, false, err);
	rrset_done(&owned);
	return rc;
}

/* What of ours shall stay there; of a device that is cut off nothing. */
static int want(struct publishing *p, const struct request *r, const struct revoked *v,
	struct rrset *out, struct err *err)
{
	struct rrset owned = { 0 };
	int rc = v->device.found
		? 0
		: publication_owned(p->publication.names, &r->given.owner, RR_TLSA, &owned, err);

	*out = rrset_of(&r->given.owner, RR_TLSA, p->ttl_s);
	if (rc == 0)
		rc = rrset_add_all(out, &owned, err);
	rrset_done(&owned);
	return rc;
}

/* What no server may serve any more. */
static int confirm(struct publishing *p, const struct rrset *wanted, const struct rrset *removed,
	struct confirm_report *out, struct err *err)
{
	struct rrset gone = { 0 };
	int rc = publication_revoked(p->publication.names, &wanted->owner, RR_TLSA, &gone, err);

	if (rc == 0)
		rc = rrset_add_all(&gone, removed, err);
	if (rc == 0)
		rc = publishing_confirm(p, wanted, &gone, out, err);
	rrset_done(&gone);
	return rc;
}

/* TTL and signatures are those of the set as it is served before; what the file says when it
 * is gone already. */
static int gather(struct publishing *p, const struct request *r, struct revoked *out,
	struct err *err)
{
	struct lifetime life = { 0 };
	struct der_life cert = { .self_signed = true };
	struct crl_word list = { .lists = false };
	int rc = lifetime_ask(p->walk, &r->given.owner, RR_TLSA, &life, err);

	if (rc == 0 && r->cert)
		rc = der_read_life(r->cert, &cert, err);
	if (rc == 0 && r->crl)
		rc = crl_look_up(r->crl, r->cert, &list, err);
	out->facts = (struct horizon_facts){ .ttl_s = life.ttl_s ? life.ttl_s : p->ttl_s,
		.refresh_s = life.refresh_s,
		.expire_s = life.expire_s,
		.signed_until_ms = life.signed_until_s * 1000,
		.margin_s = r->margin_s,
		.ttl_min_s = p->resolver.config.ttl_min_s,
		.stale_s = r->has_stale ? r->stale_s : p->resolver.config.serve_stale_s,
		.crl_ms = list.lists && list.next_update ? list.this_update * 1000 : 0,
		.crl_next_ms = list.next_update * 1000,
		.certificate_ms = cert.self_signed ? 0 : cert.until_s * 1000 };
	return rc;
}

static const char *state_of(const struct publishing *p, const struct request *r)
{
	return r->state ? r->state : p->state;
}

/* Is it a device of a fleet? What is named by --cert or --tlsa is a record, not the device. */
static int find_device(struct publishing *p, const struct request *r, struct revoked *out,
	struct err *err)
{
	struct name lower = r->given.owner;
	char owner[NAME_TEXT_MAX];

	name_lower(&lower);
	if (r->given.count || name_write_text(&lower, owner, sizeof(owner)) != 0)
		return 0;
	return cutoff_find(p->publication.names, owner, &out->device, err);
}

static int note_cut(struct publishing *p, const struct request *r, bool cut, struct err *err)
{
	struct name lower = r->given.owner;
	char owner[NAME_TEXT_MAX];

	name_lower(&lower);
	return name_write_text(&lower, owner, sizeof(owner)) == 0
		? cutoff_note(p->publication.names, owner, cut, err)
		: err_set(err, ERR_FORMAT, "name: cannot be written");
}

static bool see_end(void *arg, const struct ledger_entry *e)
{
	*(int64_t *)arg = e->not_after;
	return false;
}

/* Its certificate into the next CRL; until its end it is what PKIX would go by. */
static int revoke_certificate(struct publishing *p, const struct request *r, struct revoked *out,
	struct err *err)
{
	const struct ledger_filter filter = { .serial = out->device.serial };
	enum ledger_answer answer = LEDGER_UNKNOWN;
	struct state *state = NULL;
	int64_t end_s = 0;
	int rc;

	if (!out->device.serial[0])
		return 0;
	rc = state_open_keyless(state_of(p, r), &state, err);
	if (rc == 0)
		rc = revocation_add(state, out->device.serial, r->reason, &answer, err);
	if (rc == 0)
		rc = ledger_each(state->ledger, &filter, see_end, &end_s, err);
	state_close(state);
	out->certificate = rc == 0 && answer != LEDGER_UNKNOWN;
	/* where a record that fits nothing stands, nobody falls back */
	if (rc == 0 && !out->device.wildcard)
		out->facts.certificate_ms = end_s * 1000;
	return rc;
}

/* Noted first, so that the list does not bring it back. */
static int cut_off(struct publishing *p, const struct request *r, struct revoked *out,
	struct rrset *wanted, struct err *err)
{
	int rc = note_cut(p, r, true, err);

	if (rc == 0 && out->device.wildcard)
		rc = cutoff_blocker(wanted, err);
	return rc == 0 ? revoke_certificate(p, r, out, err) : rc;
}

/* What was revoked at the name may be published again, by whoever publishes it. */
static int pardon(struct publishing *p, const struct request *r, struct revoked *out,
	struct err *err)
{
	struct rrset struck = { 0 };
	char owner[NAME_TEXT_MAX];
	int rc = effect_owner(&r->given.owner, owner, err);

	if (rc == 0)
		rc = publication_revoked(p->publication.names, &r->given.owner, RR_TLSA, &struck,
			err);
	if (rc == 0 && struck.count == 0)
		rc = err_set(err, ERR_ARG,
			"'%s': nothing of it was revoked, and it is no device of a fleet that is cut off",
			r->name);
	if (rc == 0)
		rc = audit_append(p->publication.audit, "tlsa.pardon", owner, NULL, 0, err);
	if (rc == 0)
		rc = names_pardon(p->publication.names, owner, RR_TLSA, err);
	rrset_done(&struck);
	out->all = rc == 0;
	return rc;
}

/* The record that keeps the wildcard away goes; a record of its own is the list's affair. */
static int let_in(struct publishing *p, const struct request *r, struct revoked *out,
	struct err *err)
{
	struct publication_result done = { 0 };
	struct rrset wanted = rrset_of(&r->given.owner, RR_TLSA, p->ttl_s);
	int rc = find_device(p, r, out, err);

	if (rc == 0 && !out->device.cut)
		return pardon(p, r, out, err);
	if (rc == 0)
		rc = publication_set(&p->publication, &wanted, &done, err);
	if (rc == 0)
		rc = publishing_confirm(p, &wanted, &done.removed, &out->servers, err);
	if (rc == 0)
		rc = note_cut(p, r, false, err);
	out->count = done.removed.count;
	out->all = rc == 0 && out->servers.all;
	publication_done(&done);
	return rc;
}

static int take_out(struct publishing *p, const struct request *r, struct revoked *out,
	struct err *err)
{
	struct publication_result done = { 0 };
	struct rrset wanted = { 0 };
	int rc = find_device(p, r, out, err);

	/* First of all, and also when no server can be asked: nothing of ours brings it back. */
	if (rc == 0 && !out->device.found)
		rc = strike(p, &r->given, err);
	if (rc == 0)
		rc = gather(p, r, out, err);
	if (rc == 0)
		rc = want(p, r, out, &wanted, err);
	if (rc == 0 && out->device.found)
		rc = cut_off(p, r, out, &wanted, err);
	if (rc == 0)
		rc = publication_set(&p->publication, &wanted, &done, err);
	out->facts.removed_ms = roll_now();
	out->count = done.removed.count;
	if (rc == 0)
		rc = confirm(p, &wanted, &done.removed, &out->servers, err);
	publication_done(&done);
	rrset_done(&wanted);
	out->all = rc == 0 && out->servers.all;
	out->facts.now_ms = roll_now();
	out->facts.all_ms = out->all ? out->facts.now_ms : 0;
	horizon_compute(&out->facts, &out->horizon);
	return rc;
}

static void write_moment(struct writer *w, const char *name, int64_t ms)
{
	char moment[ROLL_MOMENT_MAX];

	roll_moment(ms, moment);
	if (ms)
		writer_text(w, name, moment);
	else
		writer_null(w, name);
}

static int show_json(const struct revoked *v)
{
	struct buf t = { 0 };
	struct writer w = writer_into(&t);

	writer_open(&w, NULL, '{');
	writer_u64(&w, "removed", v->count);
	writer_bool(&w, "gone", v->all);
	if (v->device.found) {
		writer_bool(&w, "device", true);
		writer_bool(&w, "certificate_revoked", v->certificate);
	}
	writer_open(&w, "terms", '{');
	for (int i = 0; i < HORIZON_TERMS; i++)
		write_moment(&w, horizon_word((enum horizon_word)i), v->horizon.term_ms[i]);
	writer_close(&w);
	write_moment(&w, "ours", v->horizon.ours_ms);
	write_moment(&w, "follows", v->horizon.follows_ms);
	write_moment(&w, "replayed", v->horizon.bounded ? v->horizon.replayed_ms : 0);
	write_moment(&w, "latest", v->horizon.bounded ? v->horizon.latest_ms : 0);
	writer_close(&w);
	buf_text(&t, "\n");
	return text_print(&t);
}

static void put_servers(const struct revoked *v, struct buf *t)
{
	for (size_t i = 0; i < v->servers.count; i++)
		if (!v->servers.server[i].serves)
			buf_printf(t, "server       %s: %s\n", v->servers.server[i].who,
				v->servers.server[i].why);
}

static int show_let_in(const struct revoked *v, bool json)
{
	struct buf t = { 0 };
	struct writer w = writer_into(&t);

	if (json) {
		writer_open(&w, NULL, '{');
		writer_u64(&w, "removed", v->count);
		writer_bool(&w, "let_in", v->all);
		writer_close(&w);
		buf_text(&t, "\n");
		return text_print(&t);
	}
	if (v->device.found)
		buf_printf(&t, "let in again; sardane enroll --csv makes what it lacks%s\n",
			v->device.serial[0] ? ", a certificate too: the old one stays revoked"
					    : "");
	else
		buf_text(&t, "let in again: its records may be published\n");
	put_servers(v, &t);
	return text_print(&t);
}

static int show(const struct revoked *v, bool json)
{
	struct buf t = { 0 };

	if (json)
		return show_json(v);
	buf_printf(&t, "%zu record%s removed\n", v->count, v->count == 1 ? "" : "s");
	if (v->device.found)
		buf_printf(&t, "device       cut off%s%s\n",
			v->device.wildcard ? ", by a record of its own that fits no key" : "",
			v->certificate ? "; its certificate is revoked: sardane ca crl" : "");
	put_servers(v, &t);
	horizon_write(&v->facts, &v->horizon, &t);
	return text_print(&t);
}

static int run(const struct request *r, struct revoked *out, struct err *err)
{
	struct publishing p = { .ttl_s = 0 };
	int rc = publishing_open(r->via, &p, err);

	if (rc != 0)
		return rc;
	if (r->has_wait)
		p.wait_s = r->wait_s;
	rc = publishing_remember(&p, r->state, err);
	if (rc == 0)
		rc = r->undo ? let_in(&p, r, out, err) : take_out(&p, r, out, err);
	publishing_close(&p);
	return rc;
}

int revoke_run(const struct command *self, int argc, char **argv)
{
	struct request r = { .given = { .type = RR_TLSA }, .margin_s = MARGIN_S };
	struct revoked v = { .all = false };
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	rc = read_request(self, argc, argv, &r);
	if (rc == 0 && run(&r, &v, &err) != 0)
		rc = command_fail(self, "%s", err.msg);
	if (rc == 0)
		rc = r.undo ? show_let_in(&v, r.json) : show(&v, r.json);
	rrset_done(&r.given);
	if (rc != 0)
		return 2;
	return v.all ? 0 : 1;
}
