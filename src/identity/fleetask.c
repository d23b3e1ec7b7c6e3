/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/fleetask.h"

#include "crypto/digest.h"
#include "publish/reading.h"
#include "servers/stream.h"
#include "trace/sealed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of a wildcard every answer has the same signature, or one of few while a zone is signed anew. */
#define SHARED_MAX 4

struct shared {
	uint8_t digest[FLEETBOOK_DIGEST];
	int64_t until_s;
};

struct fleetask {
	struct fleetask_world world;
	struct delegation *zone;
	struct evidence evidence;
	struct trust_world *trust;
	struct trust_report *report;
	const ldns_rr_list *keys; /* of the zone; borrows the report */
	uint8_t keys_digest[32];
	size_t shared_count;
	struct shared shared[SHARED_MAX];
	/* of one run */
	struct fleetmember *const *members;
	size_t done, all;
	struct fleet_report *out;
	struct buf scratch;
	struct reading reading;
};

void fleetask_close(struct fleetask *a)
{
	if (!a)
		return;
	trust_free(a->report);
	evidence_done(&a->evidence);
	trust_close(a->trust);
	buf_done(&a->scratch);
	free(a);
}

/* The zone's keys, by a chain from the anchor. */
static int find_keys(struct fleetask *a, struct err *err)
{
	const struct trust_zone *zone = NULL;
	struct buf octets = { 0 };
	int rc = evidence_collect(a->world.walk, a->world.zone, RR_SOA, &a->evidence, err);

	if (rc == 0)
		rc = trust_open(a->world.anchors, &a->trust, err);
	if (rc == 0)
		rc = trust_judge(a->trust, &a->evidence, (int64_t)time(NULL), &a->report, err);
	if (rc == 0 && a->report->step_count)
		zone = a->report->zone[a->report->step[0]->zone];
	if (rc == 0 &&
		(!zone || zone->trust != TRUST_SECURE || a->report->trust != TRUST_SECURE ||
			!name_equal(&zone->zone, a->world.zone)))
		rc = err_set(err, ERR_PEER, "the zone is not secure: %.200s",
			a->report->why[0] ? a->report->why : "it is no zone of its own");
	if (rc != 0)
		return rc;
	a->keys = zone->keys;
	rc = sealed_put_keys(a->keys, &octets, err);
	if (rc == 0)
		rc = digest_sha256(buf_span(&octets), a->keys_digest, err);
	buf_done(&octets);
	return rc;
}

int fleetask_open(const struct fleetask_world *world, struct fleetask **out, struct err *err)
{
	struct fleetask *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return err_set(err, ERR_NOMEM, "fleet: out of memory");
	a->world = *world;
	rc = delegation_of(world->walk, world->zone, &a->zone, err);
	if (rc == 0)
		rc = find_keys(a, err);
	if (rc != 0)
		fleetask_close(a);
	else
		*out = a;
	return rc;
}

static void put_sized(struct buf *out, struct span octets)
{
	const uint8_t n[2] = { (uint8_t)(octets.n >> 8), (uint8_t)octets.n };

	buf_put(out, (struct span){ n, 2 });
	buf_put(out, octets);
}

/* Of all that a signature speaks of. A wildcard's is of the wildcard, whoever was asked about. */
static int compute_seen(struct fleetask *a, const struct fleetmember *m, const struct reading *r,
	uint8_t out[FLEETBOOK_DIGEST], struct err *err)
{
	const struct name *owner = r->expanded ? &a->world.wildcard->owner : &m->device->name;
	struct buf *b = &a->scratch;

	b->n = 0;
	buf_put(b, (struct span){ a->keys_digest, sizeof(a->keys_digest) });
	put_sized(b, (struct span){ owner->wire, owner->n });
	for (size_t i = 0; i < r->set.count; i++)
		put_sized(b, r->set.rdata[i]);
	for (size_t i = 0; i < r->signatures; i++)
		put_sized(b, r->rrsig[i]);
	return buf_ok(b) ? digest_sha256(buf_span(b), out, err)
			 : err_set(err, ERR_NOMEM, "fleet: out of memory");
}

static bool is_shared(const struct fleetask *a, const uint8_t seen[FLEETBOOK_DIGEST], int64_t now,
	int64_t *until)
{
	for (size_t i = 0; i < a->shared_count && i < SHARED_MAX; i++) {
		*until = a->shared[i].until_s;
		if (memcmp(a->shared[i].digest, seen, FLEETBOOK_DIGEST) == 0 && *until > now)
			return true;
	}
	return false;
}

static void note_seen(struct fleetask *a, struct fleetmember *m, bool expanded,
	const uint8_t seen[FLEETBOOK_DIGEST], int64_t until)
{
	struct shared *s = &a->shared[a->shared_count % SHARED_MAX];

	memcpy(m->seen, seen, FLEETBOOK_DIGEST);
	m->seen_until_s = until;
	m->has_seen = m->dirty = true;
	if (!expanded)
		return;
	memcpy(s->digest, seen, FLEETBOOK_DIGEST);
	s->until_s = until;
	a->shared_count++;
}

/* NULL: signed, or why not. */
static int check_signature(struct fleetask *a, struct fleetmember *m, struct span message,
	const struct reading *r, char why[120], bool *good, struct err *err)
{
	const int64_t now = (int64_t)time(NULL);
	const unsigned labels = name_labels(&m->device->name) - (r->expanded ? 1 : 0);
	struct signature_verdict v;
	uint8_t seen[FLEETBOOK_DIGEST];
	int64_t until;
	int rc = compute_seen(a, m, r, seen, err);

	*good = true;
	if (rc != 0)
		return rc;
	if (m->has_seen && m->seen_until_s > now && memcmp(m->seen, seen, sizeof(seen)) == 0)
		return 0;
	if (r->expanded && is_shared(a, seen, now, &until)) {
		note_seen(a, m, false, seen, until);
		return 0;
	}
	sealed_judge(message, &m->device->name, RR_TLSA, a->keys, a->world.zone, now, &v);
	a->out->judged++;
	*good = v.good && v.labels == labels;
	if (*good)
		note_seen(a, m, r->expanded, seen, v.until);
	else
		snprintf(why, 120, "%s", v.good ? "made from another wildcard" : v.why);
	return 0;
}

/* What of the answer decides, before its signature. */
static bool judge_set(const struct fleetask *a, const struct fleetmember *m,
	const struct reading *r, const char **why)
{
	const struct rrset *wildcard = a->world.wildcard;
	const struct span wanted = m->cut ? a->world.blocker->rdata[0]
		: wildcard                ? wildcard->rdata[0]
					  : m->data;

	if (m->cut && !wildcard) {
		*why = "its record is still there";
		return !rrset_has(&r->set, m->data);
	}
	*why = m->cut          ? "the record that cuts it off is not there"
		: r->set.count ? "its record is not among those there"
			       : "no record";
	if (!rrset_has(&r->set, wanted))
		return false;
	*why = r->expanded ? "a wildcard's record stands for it"
			   : "it has a record of its own, so that the wildcard does not reach it";
	return r->expanded == (wildcard && !m->cut);
}

static int judge(struct fleetask *a, struct fleetmember *m, const struct stream_answer *s,
	char why[120], bool *good, struct err *err)
{
	struct reading *r = &a->reading;
	struct err words = { .code = 0 };
	const char *said = s->why;
	int rc = 0;

	*good = false;
	if (s->outcome != QUERY_ANSWERED) {
		snprintf(why, 120, "%.119s", said);
		return 0;
	}
	rc = reading_take(&s->message, &m->device->name, RR_TLSA, r, &words);
	if (rc != 0) {
		snprintf(why, 120, "%.119s", words.msg);
		return rc == ERR_NOMEM ? err_set(err, rc, "%s", words.msg) : 0;
	}
	*good = judge_set(a, m, r, &said);
	if (!*good)
		snprintf(why, 120, "%s", said);
	else if (r->set.count)
		rc = check_signature(a, m, s->message.octets, r, why, good, err);
	rrset_done(&r->set);
	return rc;
}

static int take(void *arg, size_t server, size_t i, const struct stream_answer *s, struct err *err)
{
	struct fleetask *a = arg;
	struct fleetmember *m = a->members[i];
	struct fleet_server *f = &a->out->server[server];
	char why[120] = "";
	bool good = false;
	int rc = judge(a, m, s, why, &good, err);

	if (rc == 0 && !good && f->lacking++ == 0)
		snprintf(f->why, sizeof(f->why), "'%.70s': %s", m->device->owner, why);
	m->serves = m->serves && good;
	if (++a->done % 1000 == 0 && a->world.progress)
		a->world.progress(a->world.progress_arg, "verified", a->done, a->all);
	return rc;
}

/* A server without an address serves nothing. */
static size_t list_servers(const struct fleetask *a, struct address to[QUERY_SERVERS_MAX],
	struct fleet_report *report)
{
	char who[ASKED_SERVER_TEXT_MAX];

	report->servers = a->zone->count;
	for (size_t i = 0; i < a->zone->count; i++) {
		to[i] = a->zone->server[i].address;
		asked_server_text(&a->zone->server[i].host, &to[i], who);
		report->server[i] = (struct fleet_server){ .lacking = 0 };
		snprintf(report->server[i].who, sizeof(report->server[i].who), "%.95s", who);
	}
	return a->zone->count;
}

static void add_lost(const struct fleetask *a, size_t count, struct fleet_report *report,
	bool *lost)
{
	for (size_t i = 0; i < a->zone->lost && report->servers < FLEET_SERVERS_MAX; i++) {
		struct fleet_server *f = &report->server[report->servers++];

		*f = (struct fleet_server){ .lacking = count,
			.why = "a name server of the zone without an address" };
		if (name_write_text(&a->zone->lost_host[i], f->who, sizeof(f->who)) != 0)
			f->who[0] = '\0';
		*lost = true;
	}
}

int fleetask_run(struct fleetask *a, struct fleetmember *const *members, size_t count,
	struct fleet_report *report, struct err *err)
{
	struct address to[QUERY_SERVERS_MAX];
	struct name *names = calloc(count + 1, sizeof(*names));
	struct stream_order order = { .to = to,
		.names = names,
		.count = count,
		.type = RR_TLSA,
		.take = take,
		.arg = a };
	bool lost = false;
	int rc;

	if (!names)
		return err_set(err, ERR_NOMEM, "fleet: out of memory");
	order.servers = list_servers(a, to, report);
	for (size_t i = 0; i < count; i++) {
		names[i] = members[i]->device->name;
		members[i]->serves = order.servers > 0;
	}
	a->members = members;
	a->out = report;
	a->done = 0;
	a->all = count * order.servers;
	rc = stream_run(&order, err);
	add_lost(a, count, report, &lost);
	for (size_t i = 0; lost && i < count; i++)
		members[i]->serves = false;
	free(names);
	return rc;
}
