/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/zonetrust.h"

#include <stdio.h>
#include <string.h>

/* Not the server's fault: this machine has no way there, as to IPv6 at many a place. */
static bool is_our_fault(const struct trust_said *s)
{
	return s->outcome == QUERY_UNREACHABLE && strcmp(s->why, "Network is unreachable") == 0;
}

static bool is_better(const struct trust_said *a, const struct trust_said *b)
{
	/* an answer that is not secure beats silence, whatever it is worth */
	if ((a->kind != TRUST_NOTHING) != (b->kind != TRUST_NOTHING))
		return a->kind != TRUST_NOTHING;
	return a->trust < b->trust;
}

static void choose(struct trust_set *set, const struct signature_verdict *sigs)
{
	const struct trust_said *best;

	for (size_t i = 1; i < set->said_count; i++)
		if (is_better(&set->said[i], &set->said[set->best]))
			set->best = i;
	best = &set->said[set->best];
	if (set->said_count == 0) {
		set->trust = TRUST_UNKNOWN;
		snprintf(set->why, sizeof(set->why), "no name server to ask");
		return;
	}
	set->trust = best->trust;
	set->kind = best->kind;
	memcpy(set->why, best->why, sizeof(set->why));
	set->until = INT64_MAX;
	for (size_t i = 0; i < set->said_count; i++) {
		const struct trust_said *s = &set->said[i];

		if (s->trust == best->trust && s->until < set->until)
			set->until = s->until;
		if ((s->trust != best->trust || s->kind != best->kind ||
			    s->digest != best->digest) &&
			!is_our_fault(s))
			set->split = true;
	}
	set->sig_count = sigs[set->best].count;
	memcpy(set->sig, sigs[set->best].sig, sizeof(set->sig));
}

void zonetrust_judge_set(const struct saying_question *q, const struct asked *asked,
	struct trust_set *out)
{
	struct signature_verdict sigs[QUERY_SERVERS_MAX];

	out->owner = q->name;
	out->type = q->type;
	out->said_count = asked->count;
	for (size_t i = 0; i < asked->count; i++)
		saying_judge(q, &asked->said[i], &out->said[i], &sigs[i]);
	choose(out, sigs);
}

static void conclude(struct trust_zone *z, enum trust trust, const char *fmt, const char *a,
	const char *b)
{
	char name[NAME_TEXT_MAX], words[TRUST_WHY_MAX];

	z->trust = trust;
	name_write_text(&z->zone, name, sizeof(name));
	snprintf(words, sizeof(words), fmt, a, b);
	snprintf(z->why, sizeof(z->why), "zone %.100s: %.200s", name, words);
}

static bool digest_is_known(uint8_t digest)
{
	return digest == LDNS_SHA1 || digest == LDNS_SHA256 || digest == LDNS_SHA384;
}

/* Reads the DS set; true when a record of it can be used. */
static bool read_ds(struct trust_zone *z, const ldns_rr_list *rrset)
{
	bool better = false, usable = false;

	for (size_t i = 0; i < ldns_rr_list_rr_count(rrset); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(rrset, i);
		struct trust_ds *ds = &z->ds_record[z->ds_count];

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_DS || z->ds_count == TRUST_RECORDS_MAX)
			continue;
		z->ds_count++;
		ds->tag = ldns_rdf2native_int16(ldns_rr_rdf(rr, 0));
		ds->algorithm = ldns_rdf2native_int8(ldns_rr_rdf(rr, 1));
		ds->digest = ldns_rdf2native_int8(ldns_rr_rdf(rr, 2));
		ds->state = signature_knows_algorithm(ds->algorithm) && digest_is_known(ds->digest)
			? TRUST_DIGEST_OPEN
			: TRUST_DIGEST_UNKNOWN;
		better |= ds->state == TRUST_DIGEST_OPEN && ds->digest != LDNS_SHA1;
	}
	for (size_t i = 0; i < z->ds_count; i++) {
		struct trust_ds *ds = &z->ds_record[i];

		if (better && ds->state == TRUST_DIGEST_OPEN && ds->digest == LDNS_SHA1)
			ds->state = TRUST_DIGEST_WEAK;
		usable |= ds->state == TRUST_DIGEST_OPEN;
	}
	return usable;
}

/* Does this DS or DNSKEY, of the parent or an anchor, vouch for the key? */
static bool vouches(struct trust_zone *z, size_t nth_ds, const ldns_rr *from, const ldns_rr *key)
{
	struct trust_ds *ds = &z->ds_record[nth_ds];
	ldns_rr *made;
	bool same;

	if (ldns_rr_get_type(from) == LDNS_RR_TYPE_DNSKEY)
		return ldns_rdf_compare(ldns_rr_dnskey_key(from), ldns_rr_dnskey_key(key)) == 0 &&
			ldns_rdf_compare(ldns_rr_dnskey_algorithm(from),
				ldns_rr_dnskey_algorithm(key)) == 0;
	if (ds->state == TRUST_DIGEST_UNKNOWN || ds->state == TRUST_DIGEST_WEAK ||
		ds->tag != ldns_calc_keytag(key) ||
		ds->algorithm != ldns_rdf2native_int8(ldns_rr_dnskey_algorithm(key)))
		return false;
	made = ldns_key_rr2ds(key, (ldns_hash)ds->digest);
	same = made && ldns_rdf_compare(ldns_rr_rdf(made, 3), ldns_rr_rdf(from, 3)) == 0;
	ldns_rr_free(made);
	if (same)
		ds->state = TRUST_DIGEST_FITS;
	else if (ds->state == TRUST_DIGEST_KEYLESS)
		ds->state = TRUST_DIGEST_DIFFERS;
	return same;
}

/* The keys of the set that one of the vouchers is of. */
static ldns_rr_list *entries(struct trust_zone *z, const ldns_rr_list *vouchers,
	const ldns_rr_list *keys)
{
	ldns_rr_list *found = ldns_rr_list_new();

	for (size_t i = 0; i < z->ds_count; i++)
		if (z->ds_record[i].state == TRUST_DIGEST_OPEN)
			z->ds_record[i].state = TRUST_DIGEST_KEYLESS;
	for (size_t k = 0; found && k < ldns_rr_list_rr_count(keys); k++) {
		ldns_rr *key = ldns_rr_list_rr(keys, k);
		bool vouched = false;
		size_t ds = 0;

		for (size_t i = 0; i < ldns_rr_list_rr_count(vouchers); i++) {
			const ldns_rr *from = ldns_rr_list_rr(vouchers, i);
			bool is_ds = ldns_rr_get_type(from) == LDNS_RR_TYPE_DS;

			if (!is_ds || ds < z->ds_count)
				vouched |= vouches(z, is_ds ? ds : 0, from, key);
			ds += is_ds;
		}
		if (vouched)
			ldns_rr_list_push_rr(found, key);
	}
	return found;
}

static const char *why_no_entry(const struct trust_zone *z, char *out, size_t cap)
{
	const struct trust_ds *worst = NULL;

	for (size_t i = 0; i < z->ds_count; i++)
		if (z->ds_record[i].state == TRUST_DIGEST_DIFFERS ||
			(z->ds_record[i].state == TRUST_DIGEST_KEYLESS && !worst))
			worst = &z->ds_record[i];
	if (!worst)
		return "no key is the trust anchor";
	snprintf(out, cap, "DS %u %s", worst->tag, trust_digest_word(worst->state));
	return out;
}

/* One server's DNSKEY set: does a key that is vouched for sign it? */
static void judge_keys(struct trust_zone *z, const ldns_rr_list *vouchers,
	const struct asked_said *said, int64_t now, struct trust_said *out,
	struct signature_verdict *sig)
{
	ldns_rr_list *keys, *entry;
	char words[80];

	*sig = (struct signature_verdict){ 0 };
	if (!saying_begin(said, out))
		return;
	keys = signature_rrset(ldns_pkt_answer(said->answer.packet), &z->zone, LDNS_RR_TYPE_DNSKEY);
	out->kind = keys ? TRUST_RECORDS : TRUST_DENIAL;
	out->records = ldns_rr_list_rr_count(keys);
	out->digest = saying_digest(keys);
	out->trust = TRUST_BOGUS;
	if (!keys) {
		snprintf(out->why, sizeof(out->why), "no DNSKEY, although there is a DS");
		return;
	}
	entry = entries(z, vouchers, keys);
	if (ldns_rr_list_rr_count(entry) == 0) {
		snprintf(out->why, sizeof(out->why), "%s", why_no_entry(z, words, sizeof(words)));
	} else {
		signature_judge(keys, ldns_pkt_answer(said->answer.packet), entry, &z->zone, now,
			sig);
		out->trust = sig->good ? TRUST_SECURE : TRUST_BOGUS;
		out->until = sig->good ? sig->until : INT64_MAX;
		memcpy(out->why, sig->why, sizeof(sig->why));
	}
	ldns_rr_list_free(entry);
	ldns_rr_list_free(keys);
}

static bool has_key(const ldns_rr_list *list, const ldns_rr *key)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++)
		if (ldns_rr_compare(ldns_rr_list_rr(list, i), key) == 0)
			return true;
	return false;
}

/* For people, and as the keys that may sign: those of every server whose set is proved. */
static void keep_keys(struct trust_zone *z, const ldns_rr_list *vouchers, const struct asked *asked)
{
	ldns_rr_list *all = ldns_rr_list_new();

	for (size_t i = 0; all && i < asked->count; i++) {
		const struct trust_said *s = &z->dnskey.said[i];
		ldns_rr_list *keys;

		if (s->kind != TRUST_RECORDS || s->trust != z->dnskey.trust)
			continue;
		keys = signature_rrset(ldns_pkt_answer(asked->said[i].answer.packet), &z->zone,
			LDNS_RR_TYPE_DNSKEY);
		for (size_t k = 0; k < ldns_rr_list_rr_count(keys); k++)
			if (!has_key(all, ldns_rr_list_rr(keys, k)))
				ldns_rr_list_push_rr(all, ldns_rr_list_rr(keys, k));
		ldns_rr_list_free(keys);
	}
	for (size_t i = 0; i < ldns_rr_list_rr_count(all) && i < TRUST_RECORDS_MAX; i++) {
		const ldns_rr *rr = ldns_rr_list_rr(all, i);
		struct trust_key *k = &z->key[z->key_count++];
		ldns_rr_list *one = ldns_rr_list_new(), *found;

		ldns_rr_list_push_rr(one, (ldns_rr *)rr);
		found = entries(z, vouchers, one);
		*k = (struct trust_key){ .tag = ldns_calc_keytag(rr),
			.flags = ldns_rdf2native_int16(ldns_rr_dnskey_flags(rr)),
			.algorithm = ldns_rdf2native_int8(ldns_rr_dnskey_algorithm(rr)),
			.bits = (unsigned)ldns_rr_dnskey_key_size(rr),
			.entry = ldns_rr_list_rr_count(found) > 0 };
		ldns_rr_list_free(found);
		ldns_rr_list_free(one);
		for (size_t s = 0; s < z->dnskey.sig_count; s++)
			k->signs |= z->dnskey.sig[s].tag == k->tag &&
				z->dnskey.sig[s].algorithm == k->algorithm;
	}
	if (z->dnskey.trust == TRUST_SECURE)
		z->keys = all;
	else
		ldns_rr_list_free(all);
}

static void judge_dnskey(const struct delegation *d, const ldns_rr_list *vouchers, int64_t now,
	struct trust_zone *z)
{
	struct signature_verdict sigs[QUERY_SERVERS_MAX];

	z->dnskey.owner = z->zone;
	z->dnskey.type = LDNS_RR_TYPE_DNSKEY;
	z->dnskey.said_count = d->dnskey.count;
	for (size_t i = 0; i < d->dnskey.count; i++)
		judge_keys(z, vouchers, &d->dnskey.said[i], now, &z->dnskey.said[i], &sigs[i]);
	choose(&z->dnskey, sigs);
	keep_keys(z, vouchers, &d->dnskey);
	if (z->dnskey.trust == TRUST_SECURE)
		z->trust = TRUST_SECURE;
	else
		conclude(z, z->dnskey.trust, "DNSKEY: %s%s", z->dnskey.why, "");
}

/* The serial each server has, and whether it is signed. */
static void judge_soa(const struct delegation *d, int64_t now, struct trust_zone *z)
{
	const struct saying_question q = { .name = z->zone,
		.type = LDNS_RR_TYPE_SOA,
		.zone = z->zone,
		.trust = z->trust,
		.keys = z->keys,
		.now = now };

	zonetrust_judge_set(&q, &d->soa, &z->soa);
	for (size_t i = 0; i < d->soa.count; i++) {
		ldns_rr_list *soa;

		if (z->soa.said[i].kind != TRUST_RECORDS)
			continue;
		soa = signature_rrset(ldns_pkt_answer(d->soa.said[i].answer.packet), &z->zone,
			LDNS_RR_TYPE_SOA);
		if (ldns_rr_rd_count(ldns_rr_list_rr(soa, 0)) > 2)
			z->serial[i] =
				ldns_rdf2native_int32(ldns_rr_rdf(ldns_rr_list_rr(soa, 0), 2));
		ldns_rr_list_free(soa);
	}
}

static ldns_rr_list *anchors_of(const ldns_rr_list *anchors, const struct name *zone)
{
	ldns_rr_list *found = signature_rrset(anchors, zone, LDNS_RR_TYPE_DS);
	ldns_rr_list *keys = signature_rrset(anchors, zone, LDNS_RR_TYPE_DNSKEY);

	if (found && keys)
		ldns_rr_list_cat(found, keys);
	if (!found)
		return keys;
	ldns_rr_list_free(keys);
	return found;
}

static void judge_from_anchor(const struct delegation *d, const ldns_rr_list *own, int64_t now,
	struct trust_zone *z)
{
	z->anchored = true;
	read_ds(z, own);
	judge_dnskey(d, own, now, z);
}

static void judge_from_parent(const struct delegation *d, const struct trust_zone *parent,
	int64_t now, struct trust_zone *z)
{
	const struct saying_question q = { .name = z->zone,
		.type = LDNS_RR_TYPE_DS,
		.zone = parent->zone,
		.trust = parent->trust,
		.keys = parent->keys,
		.now = now };
	const struct trust_said *best;
	ldns_rr_list *ds;

	zonetrust_judge_set(&q, &d->ds, &z->ds);
	best = &z->ds.said[z->ds.best];
	if (z->ds.trust == TRUST_SECURE && z->ds.kind == TRUST_RECORDS) {
		ds = signature_rrset(ldns_pkt_answer(d->ds.said[z->ds.best].answer.packet),
			&z->zone, LDNS_RR_TYPE_DS);
		if (read_ds(z, ds))
			judge_dnskey(d, ds, now, z);
		else
			conclude(z, TRUST_INSECURE,
				"its DS is of an algorithm no validator here knows%s%s", "", "");
		ldns_rr_list_free(ds);
	} else if (z->ds.kind == TRUST_DENIAL && z->ds.trust <= TRUST_INSECURE) {
		if (best->delegation)
			conclude(z, TRUST_INSECURE, "its parent proves that it has no DS%s%s",
				best->opt_out ? ": " : "",
				best->why[0]            ? best->why
					: best->opt_out ? "opt-out"
							: "");
		else
			conclude(z, TRUST_BOGUS, "its parent proves that no zone begins here%s%s",
				"", "");
	} else {
		conclude(z, z->ds.trust == TRUST_SECURE ? TRUST_BOGUS : z->ds.trust, "DS: %s%s",
			z->ds.why, "");
	}
}

void zonetrust_judge(const struct delegation *d, const struct trust_zone *parent,
	const ldns_rr_list *anchors, int64_t now, struct trust_zone *out)
{
	ldns_rr_list *own = anchors_of(anchors, &d->zone);

	out->zone = d->zone;
	if (own) {
		judge_from_anchor(d, own, now, out);
	} else if (!parent) {
		conclude(out, TRUST_INSECURE, "no trust anchor is at it%s%s", "", "");
	} else if (parent->trust != TRUST_SECURE) {
		out->trust = parent->trust;
		memcpy(out->why, parent->why, sizeof(out->why));
	} else {
		judge_from_parent(d, parent, now, out);
	}
	ldns_rr_list_free(own);
	judge_soa(d, now, out);
}
