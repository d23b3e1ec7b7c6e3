/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/signature.h"

#include "servers/asked.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define KEY_IS_ZONE    0x0100 /* RFC 4034 section 2.1.1 */
#define KEY_IS_REVOKED 0x0080 /* RFC 5011 section 3 */

bool signature_knows_algorithm(uint8_t algorithm)
{
	switch (algorithm) {
	case LDNS_RSASHA1:
	case LDNS_RSASHA1_NSEC3:
	case LDNS_RSASHA256:
	case LDNS_RSASHA512:
	case LDNS_ECDSAP256SHA256:
	case LDNS_ECDSAP384SHA384:
	case LDNS_ED25519:
	case LDNS_ED448: return ldns_key_algo_supported(algorithm) != 0;
	default: return false;
	}
}

void signature_algorithm_text(uint8_t algorithm, char *out, size_t cap)
{
	const ldns_lookup_table *row = ldns_lookup_by_id(ldns_algorithms, algorithm);

	if (row)
		snprintf(out, cap, "%s", row->name);
	else
		snprintf(out, cap, "algorithm %u", algorithm);
}

bool signature_is_expanded(uint8_t labels, const struct name *owner)
{
	return labels + (name_is_wildcard(owner) ? 1u : 0u) < name_labels(owner);
}

const char *signature_state_word(enum signature_state state)
{
	static const char *const words[] = {
		[SIGNATURE_GOOD] = "good",
		[SIGNATURE_EXPIRED] = "expired",
		[SIGNATURE_EARLY] = "not yet valid",
		[SIGNATURE_KEYLESS] = "of a key the zone does not have",
		[SIGNATURE_FOREIGN] = "of another zone",
		[SIGNATURE_UNKNOWN] = "of an unknown algorithm",
		[SIGNATURE_WRONG] = "wrong",
	};

	return words[state];
}

void signature_time_text(int64_t at, char out[SIGNATURE_TIME_MAX])
{
	struct tm tm;
	time_t t = (time_t)at;

	if (!gmtime_r(&t, &tm) ||
		strftime(out, SIGNATURE_TIME_MAX, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		snprintf(out, SIGNATURE_TIME_MAX, "%lld", (long long)at);
}

ldns_rr_list *signature_rrset(const ldns_rr_list *section, const struct name *owner, uint16_t type)
{
	ldns_rr_list *set = NULL;

	for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
		ldns_rr *rr = ldns_rr_list_rr(section, i);
		struct name at;

		if (ldns_rr_get_type(rr) != type || ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN ||
			!asked_name_of(ldns_rr_owner(rr), &at) || !name_equal(&at, owner))
			continue;
		if (!set)
			set = ldns_rr_list_new();
		if (set)
			ldns_rr_list_push_rr(set, rr);
	}
	return set;
}

/* RFC 4034 section 3.1.5: 32 bits, to be read around the present. */
static int64_t time_of(const ldns_rdf *rdf, int64_t now)
{
	return now + (int32_t)(ldns_rdf2native_int32(rdf) - (uint32_t)now);
}

static bool may_sign(const ldns_rr *key, const struct signature *s)
{
	const uint16_t flags = ldns_rdf2native_int16(ldns_rr_dnskey_flags(key));

	return ldns_calc_keytag(key) == s->tag &&
		ldns_rdf2native_int8(ldns_rr_dnskey_algorithm(key)) == s->algorithm &&
		ldns_rdf2native_int8(ldns_rr_dnskey_protocol(key)) == 3 && (flags & KEY_IS_ZONE) &&
		!(flags & KEY_IS_REVOKED);
}

/* Tags may collide, so several keys may have to be tried: RFC 4034 appendix B. */
static enum signature_state verify(const ldns_rr_list *rrset, const ldns_rr *rrsig,
	const ldns_rr_list *keys, const struct signature *s, unsigned *tries)
{
	enum signature_state state = SIGNATURE_KEYLESS;

	for (size_t i = 0; i < ldns_rr_list_rr_count(keys) && *tries > 0; i++) {
		ldns_rr *key = ldns_rr_list_rr(keys, i);
		ldns_rr_list *one, *good;

		if (!may_sign(key, s))
			continue;
		--*tries;
		one = ldns_rr_list_new();
		good = ldns_rr_list_new();
		ldns_rr_list_push_rr(one, key);
		state = ldns_verify_rrsig_keylist_notime(rrset, rrsig, one, good) == LDNS_STATUS_OK
			? SIGNATURE_GOOD
			: SIGNATURE_WRONG;
		ldns_rr_list_free(one);
		ldns_rr_list_free(good);
		if (state == SIGNATURE_GOOD)
			break;
	}
	return state;
}

static enum signature_state judge_one(const ldns_rr_list *rrset, const ldns_rr *rrsig,
	const ldns_rr_list *keys, const struct name *zone, int64_t now, struct signature *s,
	unsigned *tries)
{
	struct name signer, owner;

	*s = (struct signature){ .tag = ldns_rdf2native_int16(ldns_rr_rrsig_keytag(rrsig)),
		.algorithm = ldns_rdf2native_int8(ldns_rr_rrsig_algorithm(rrsig)),
		.labels = ldns_rdf2native_int8(ldns_rr_rrsig_labels(rrsig)),
		.inception = time_of(ldns_rr_rrsig_inception(rrsig), now),
		.expiration = time_of(ldns_rr_rrsig_expiration(rrsig), now) };
	/* RFC 4035 section 5.3.1: signed by the zone, for no more labels than there are. */
	if (!asked_name_of(ldns_rr_rrsig_signame(rrsig), &signer) || !name_equal(&signer, zone))
		return SIGNATURE_FOREIGN;
	if (!asked_name_of(ldns_rr_owner(ldns_rr_list_rr(rrset, 0)), &owner) ||
		s->labels > name_labels(&owner))
		return SIGNATURE_WRONG;
	if (!signature_knows_algorithm(s->algorithm))
		return SIGNATURE_UNKNOWN;
	if (now > s->expiration)
		return SIGNATURE_EXPIRED;
	if (now < s->inception)
		return SIGNATURE_EARLY;
	return verify(rrset, rrsig, keys, s, tries);
}

static void say_why(struct signature_verdict *v)
{
	const struct signature *s = &v->sig[0];
	char at[SIGNATURE_TIME_MAX];

	if (v->count == 0) {
		snprintf(v->why, sizeof(v->why), "no signature");
		return;
	}
	for (size_t i = 1; i < v->count; i++) /* the nearest to good is worth the words */
		if (v->sig[i].state < s->state)
			s = &v->sig[i];
	signature_time_text(s->state == SIGNATURE_EARLY ? s->inception : s->expiration, at);
	if (s->state == SIGNATURE_EXPIRED)
		snprintf(v->why, sizeof(v->why), "signature of key %u expired at %s", s->tag, at);
	else if (s->state == SIGNATURE_EARLY)
		snprintf(v->why, sizeof(v->why), "signature of key %u is not valid before %s",
			s->tag, at);
	else
		snprintf(v->why, sizeof(v->why), "signature with key tag %u is %s", s->tag,
			signature_state_word(s->state));
}

void signature_judge(const ldns_rr_list *rrset, const ldns_rr_list *section,
	const ldns_rr_list *keys, const struct name *zone, int64_t now,
	struct signature_verdict *out)
{
	const ldns_rr *first = ldns_rr_list_rr(rrset, 0);
	unsigned tries = SIGNATURE_TRIES_MAX;
	ldns_rr_list *all = NULL;
	struct name owner;

	*out = (struct signature_verdict){ 0 };
	if (asked_name_of(ldns_rr_owner(first), &owner))
		all = signature_rrset(section, &owner, LDNS_RR_TYPE_RRSIG);
	for (size_t i = 0; i < ldns_rr_list_rr_count(all) && out->count < SIGNATURE_MAX; i++) {
		const ldns_rr *rrsig = ldns_rr_list_rr(all, i);
		struct signature *s = &out->sig[out->count];

		if (ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rrsig)) != ldns_rr_get_type(first))
			continue;
		out->count++;
		s->state = judge_one(rrset, rrsig, keys, zone, now, s, &tries);
		if (s->state != SIGNATURE_GOOD || (out->good && s->expiration <= out->until))
			continue;
		out->good = true;
		out->until = s->expiration;
		out->labels = s->labels;
	}
	if (!out->good)
		say_why(out);
	ldns_rr_list_free(all);
}
