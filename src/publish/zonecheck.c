/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/zonecheck.h"

#include "publish/exchange.h"
#include "publish/signer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RRSIG_COVERED    0
#define RRSIG_EXPIRATION 4
#define SOA_SERIAL       2
#define ITERATIONS       2 /* of NSEC3PARAM */

static const char *const words[] = {
	[ZONECHECK_DS] = "ds",
	[ZONECHECK_SIGNATURE] = "signature",
	[ZONECHECK_ALGORITHM] = "algorithm",
	[ZONECHECK_ITERATIONS] = "iterations",
	[ZONECHECK_SERVER] = "server",
	[ZONECHECK_DISAGREE] = "disagree",
	[ZONECHECK_TTL] = "ttl",
	[ZONECHECK_TLSA] = "tlsa",
	[ZONECHECK_CHAIN] = "chain",
};

const char *zonecheck_word(enum zonecheck_what what)
{
	return words[what];
}

void zonecheck_find(struct zonecheck_report *r, enum zonecheck_what what, bool soon,
	const char *fmt, ...)
{
	struct zonecheck_finding *f;
	va_list ap;

	if (r->count++ >= ZONECHECK_FINDINGS_MAX)
		return;
	f = &r->finding[r->count - 1];
	f->what = what;
	f->soon = soon;
	va_start(ap, fmt);
	vsnprintf(f->words, sizeof(f->words), fmt, ap);
	va_end(ap);
}

struct check {
	struct delegation_walk *walk;
	struct delegation *zone;
	const struct zonecheck_limits *limits;
	struct zonecheck_report *report;
};

static void who_of(const struct asked_said *said, char out[100])
{
	char text[ASKED_SERVER_TEXT_MAX];

	asked_server_text(&said->host, &said->address, text);
	snprintf(out, 100, "%.99s", text);
}

/* An answer to judge: with authority, of a server of the zone. */
static const ldns_pkt *answer_of(const struct asked_said *said)
{
	return query_is_useful(&said->answer) && ldns_pkt_aa(said->answer.packet)
		? said->answer.packet
		: NULL;
}

static void check_server(const struct check *c, const struct asked_said *said)
{
	const struct query_answer *a = &said->answer;
	char who[100];

	who_of(said, who);
	if (a->outcome != QUERY_ANSWERED)
		zonecheck_find(c->report, ZONECHECK_SERVER, false, "%s: %s", who,
			a->why[0] ? a->why : "does not answer");
	else if (!query_is_useful(a))
		zonecheck_find(c->report, ZONECHECK_SERVER, false, "%s: refused with %s", who,
			exchange_rcode_words(ldns_pkt_get_rcode(a->packet)));
	else if (!ldns_pkt_aa(a->packet))
		zonecheck_find(c->report, ZONECHECK_SERVER, false,
			"%s: not authoritative for the zone", who);
}

static int64_t end_of(const struct check *c, const ldns_rr *rrsig)
{
	/* RFC 4034 section 3.1.5: the number nearest to now */
	uint32_t end = ldns_rdf2native_int32(ldns_rr_rdf(rrsig, RRSIG_EXPIRATION));

	return c->limits->now_s + (int32_t)(end - (uint32_t)c->limits->now_s);
}

static void time_text(int64_t s, char out[32])
{
	time_t t = (time_t)s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(out, 32, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		out[0] = '\0';
}

/* The signatures of one server over one type of an answer's section. */
static void check_signatures(const struct check *c, const char *who, const char *type_word,
	const ldns_rr_list *records, uint16_t type)
{
	int64_t latest = 0;
	char when[32];

	for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(records, i);

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_RRSIG ||
			ldns_rr_rd_count(rr) <= RRSIG_EXPIRATION ||
			ldns_rdf2native_int16(ldns_rr_rdf(rr, RRSIG_COVERED)) != type)
			continue;
		if (end_of(c, rr) > latest)
			latest = end_of(c, rr);
	}
	if (latest == 0) {
		zonecheck_find(c->report, ZONECHECK_SIGNATURE, false, "%s: %s is not signed", who,
			type_word);
		return;
	}
	if (c->report->expires_s == 0 || latest < c->report->expires_s)
		c->report->expires_s = latest;
	time_text(latest, when);
	if (latest <= c->limits->now_s)
		zonecheck_find(c->report, ZONECHECK_SIGNATURE, false,
			"%s: the signature of %s expired at %s", who, type_word, when);
	else if (latest <= c->limits->now_s + c->limits->margin_s)
		zonecheck_find(c->report, ZONECHECK_SIGNATURE, true,
			"%s: the signature of %s expires at %s", who, type_word, when);
}

static const ldns_rr *first_of(const ldns_rr_list *records, uint16_t type)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++)
		if (ldns_rr_get_type(ldns_rr_list_rr(records, i)) == type)
			return ldns_rr_list_rr(records, i);
	return NULL;
}

static void check_serials(const struct check *c)
{
	const struct asked *soa = &c->zone->soa;
	char who[100], first_who[100] = "";
	uint32_t first = 0;

	for (size_t i = 0; i < soa->count; i++) {
		const ldns_pkt *answer = answer_of(&soa->said[i]);
		const ldns_rr *rr =
			answer ? first_of(ldns_pkt_answer(answer), LDNS_RR_TYPE_SOA) : NULL;
		uint32_t serial;

		if (!rr)
			continue;
		who_of(&soa->said[i], who);
		serial = ldns_rdf2native_int32(ldns_rr_rdf(rr, SOA_SERIAL));
		if (!first_who[0]) {
			strcpy(first_who, who);
			first = serial;
		} else if (serial != first) {
			zonecheck_find(c->report, ZONECHECK_DISAGREE, false,
				"serial %u at %s, %u at %s", first, first_who, serial, who);
		}
	}
}

/* Every server's answer to one question: is it there, signed, and as that of the others? */
static int check_answers(const struct check *c, const struct asked *asked, const char *type_word,
	struct err *err)
{
	struct rrset first = { 0 };
	char who[100], first_who[100] = "";
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < asked->count; i++) {
		const ldns_pkt *answer = answer_of(&asked->said[i]);
		struct rrset set = rrset_of(&asked->name, asked->type, 0);

		if (!answer)
			continue;
		who_of(&asked->said[i], who);
		rc = exchange_take(ldns_pkt_answer(answer), &set, err);
		if (rc == 0 && set.count)
			check_signatures(c, who, type_word, ldns_pkt_answer(answer), asked->type);
		if (rc == 0 && first_who[0] && asked->type != RR_SOA && !rrset_equal(&set, &first))
			zonecheck_find(c->report, ZONECHECK_DISAGREE, false,
				"%s: %zu records at %s, %zu others at %s", type_word, first.count,
				first_who, set.count, who);
		if (first_who[0]) {
			rrset_done(&set);
			continue;
		}
		strcpy(first_who, who);
		first = set;
	}
	rrset_done(&first);
	return rc;
}

/* RFC 8624 section 3.1: MUST NOT or NOT RECOMMENDED for signing; 0 is no algorithm. */
static const char *algorithm_trouble(uint8_t algorithm)
{
	switch (algorithm) {
	case 8:
	case 13:
	case 14:
	case 15:
	case 16: return NULL;
	case 5:
	case 7: return "is SHA-1, which validators drop";
	case 10: return "is not recommended";
	case 1:
	case 3:
	case 6:
	case 12: return "must not be used";
	}
	return "is unknown to most validators";
}

static bool fits(const ldns_rr *ds, const ldns_rr *dnskey)
{
	return ldns_calc_keytag(dnskey) == ldns_rdf2native_int16(ldns_rr_rdf(ds, 0)) &&
		ldns_rr_compare_ds(ds, dnskey);
}

static bool has_key_for(const ldns_rr *ds, const ldns_rr_list *keys)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(keys); i++) {
		const ldns_rr *key = ldns_rr_list_rr(keys, i);

		if (ldns_rr_get_type(key) == LDNS_RR_TYPE_DNSKEY && fits(ds, key))
			return true;
	}
	return false;
}

static void check_algorithms(const struct check *c, const ldns_rr_list *keys)
{
	bool seen[256] = { false };

	for (size_t i = 0; i < ldns_rr_list_rr_count(keys); i++) {
		const ldns_rr *key = ldns_rr_list_rr(keys, i);
		uint8_t algorithm;

		if (ldns_rr_get_type(key) != LDNS_RR_TYPE_DNSKEY || ldns_rr_rd_count(key) < 4)
			continue;
		algorithm = ldns_rdf2native_int8(ldns_rr_rdf(key, 2));
		if (!seen[algorithm] && algorithm_trouble(algorithm))
			zonecheck_find(c->report, ZONECHECK_ALGORITHM, false,
				"algorithm %u (%s) of key %u %s", algorithm,
				signer_algorithm_word(algorithm), ldns_calc_keytag(key),
				algorithm_trouble(algorithm));
		seen[algorithm] = true;
	}
}

/* RFC 4035 section 5.2: one DS that fits a key is enough; one that fits none is a mistake, or
 * part of a rollover. */
static void check_ds(const struct check *c)
{
	const struct asked_said *above = asked_useful(&c->zone->ds);
	const struct asked_said *below = asked_useful(&c->zone->dnskey);
	const ldns_rr_list *ds = above ? ldns_pkt_answer(above->answer.packet) : NULL;
	const ldns_rr_list *keys = below ? ldns_pkt_answer(below->answer.packet) : NULL;
	size_t fitting = 0, count = 0;

	if (!keys || !first_of(keys, LDNS_RR_TYPE_DNSKEY)) {
		zonecheck_find(c->report, ZONECHECK_SIGNATURE, false,
			"the zone has no DNSKEY: it is "
			"not signed");
		return;
	}
	check_algorithms(c, keys);
	for (size_t i = 0; ds && i < ldns_rr_list_rr_count(ds); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(ds, i);

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_DS || ldns_rr_rd_count(rr) < 4)
			continue;
		count++;
		if (has_key_for(rr, keys)) {
			fitting++;
			continue;
		}
		zonecheck_find(c->report, ZONECHECK_DS, true,
			"DS %u %u %u in the parent fits no key of the zone",
			ldns_rdf2native_int16(ldns_rr_rdf(rr, 0)),
			ldns_rdf2native_int8(ldns_rr_rdf(rr, 1)),
			ldns_rdf2native_int8(ldns_rr_rdf(rr, 2)));
	}
	if (c->zone->parent && count == 0)
		zonecheck_find(c->report, ZONECHECK_DS, false,
			"no DS in the parent: nothing in the zone is believed");
	else if (c->zone->parent && fitting == 0)
		zonecheck_find(c->report, ZONECHECK_DS, false,
			"no DS in the parent fits: the zone is bogus");
}

static int check_iterations(const struct check *c, struct err *err)
{
	struct asked asked = { 0 };
	const struct asked_said *said;
	const ldns_rr *rr;
	int rc = delegation_ask(c->walk, c->zone, &c->zone->zone, LDNS_RR_TYPE_NSEC3PARAM, &asked,
		err);
	unsigned n;

	said = rc == 0 ? asked_useful(&asked) : NULL;
	rr = said ? first_of(ldns_pkt_answer(said->answer.packet), LDNS_RR_TYPE_NSEC3PARAM) : NULL;
	n = rr && ldns_rr_rd_count(rr) > ITERATIONS
		? ldns_rdf2native_int16(ldns_rr_rdf(rr, ITERATIONS))
		: 0;
	/* RFC 9276 section 3.1: zero; section 3.2: who validates may take more as insecure */
	if (n > 0)
		zonecheck_find(c->report, ZONECHECK_ITERATIONS, n <= 50,
			"NSEC3 has %u iterations, not 0: denials may not be believed", n);
	asked_done(&asked);
	return rc;
}

static void check_lost(const struct check *c)
{
	char host[NAME_TEXT_MAX];

	for (size_t i = 0; i < c->zone->lost && i < DELEGATION_LOST_MAX; i++)
		if (name_write_text(&c->zone->lost_host[i], host, sizeof(host)) == 0)
			zonecheck_find(c->report, ZONECHECK_SERVER, false,
				"%.200s: a name server without an address", host);
}

/* Who is named above and not below, or the other way round, is asked by some only. A server
 * that holds parent and zone does not show what the parent says. */
static void check_named(const struct check *c)
{
	bool parent_known = false;
	char host[NAME_TEXT_MAX];

	for (size_t i = 0; i < c->zone->count; i++)
		parent_known = parent_known || c->zone->server[i].by_parent;
	for (size_t i = 0; parent_known && i < c->zone->count; i++) {
		const struct delegation_server *s = &c->zone->server[i];

		if (s->by_parent == s->by_child ||
			name_write_text(&s->host, host, sizeof(host)) != 0)
			continue;
		zonecheck_find(c->report, ZONECHECK_DISAGREE, true, "%.180s: named by the %s only",
			host, s->by_parent ? "parent" : "zone");
	}
}

int zonecheck_zone(struct delegation_walk *w, struct delegation *zone,
	const struct zonecheck_limits *limits, struct zonecheck_report *r, struct err *err)
{
	const struct check c = { w, zone, limits, r };
	int rc = delegation_prove(w, zone, err);

	if (rc != 0)
		return rc;
	r->servers = zone->count;
	for (size_t i = 0; i < zone->soa.count; i++)
		check_server(&c, &zone->soa.said[i]);
	check_lost(&c);
	check_named(&c);
	check_ds(&c);
	check_serials(&c);
	rc = check_answers(&c, &zone->dnskey, "DNSKEY", err);
	if (rc == 0)
		rc = check_answers(&c, &zone->soa, "SOA", err);
	return rc == 0 ? check_iterations(&c, err) : rc;
}

static void check_records(const struct check *c, const char *owner, const struct rrset *set,
	const struct rrset *known)
{
	size_t matched = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct buf data = { 0 };

		if (rrset_has(known, set->rdata[i])) {
			matched++;
			continue;
		}
		rrset_write_data(set->type, set->rdata[i], &data);
		zonecheck_find(c->report, ZONECHECK_TLSA, true,
			"%.80s: %.30s... matches no key that we have", owner, buf_string(&data));
		buf_done(&data);
	}
	if (set->count && matched == 0)
		zonecheck_find(c->report, ZONECHECK_TLSA, false,
			"%.150s: no TLSA record matches a key that we have", owner);
}

static int check_set(const struct check *c, const struct asked *asked, const char *owner,
	const struct rrset *known, struct err *err)
{
	const struct asked_said *said = asked_useful(asked);
	struct rrset set = rrset_of(&asked->name, asked->type, 0);
	int rc = said ? exchange_take(ldns_pkt_answer(said->answer.packet), &set, err) : 0;

	if (rc == 0 && set.count == 0)
		zonecheck_find(c->report, ZONECHECK_TLSA, false, "%.150s: has no TLSA record",
			owner);
	if (rc == 0 && known)
		check_records(c, owner, &set, known);
	if (rc == 0 && c->limits->revoke_within_s && set.ttl_s > c->limits->revoke_within_s)
		zonecheck_find(c->report, ZONECHECK_TTL, false,
			"%.120s: TTL %u s, and a revocation shall work within %u s", owner,
			set.ttl_s, c->limits->revoke_within_s);
	rrset_done(&set);
	return rc;
}

int zonecheck_name(struct delegation_walk *w, struct delegation *zone, const struct name *owner,
	const struct rrset *known, const struct zonecheck_limits *limits,
	struct zonecheck_report *r, struct err *err)
{
	const struct check c = { w, zone, limits, r };
	struct asked asked = { 0 };
	char text[NAME_TEXT_MAX], what[NAME_TEXT_MAX + 8];
	int rc = name_write_text(owner, text, sizeof(text)) == 0
		? delegation_ask(w, zone, owner, RR_TLSA, &asked, err)
		: err_set(err, ERR_FORMAT, "name: cannot be written");

	snprintf(what, sizeof(what), "%.120s TLSA", rc == 0 ? text : "");
	if (rc == 0)
		rc = check_answers(&c, &asked, what, err);
	if (rc == 0)
		rc = check_set(&c, &asked, text, known, err);
	asked_done(&asked);
	return rc;
}
