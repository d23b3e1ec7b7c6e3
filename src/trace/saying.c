/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/saying.h"

#include "trace/denial.h"

#include <stdio.h>
#include <string.h>

static void worth(struct trust_said *out, enum trust trust, const char *why)
{
	out->trust = trust;
	snprintf(out->why, sizeof(out->why), "%s", why);
}

bool saying_begin(const struct asked_said *said, struct trust_said *out)
{
	const struct query_answer *a = &said->answer;
	ldns_pkt_rcode rcode;

	*out = (struct trust_said){ .host = said->host,
		.address = said->address,
		.outcome = a->outcome,
		.trust = TRUST_UNKNOWN,
		.until = INT64_MAX,
		.ms = a->ms,
		.tcp = a->tcp };
	if (a->outcome != QUERY_ANSWERED) {
		worth(out, TRUST_UNKNOWN, a->why);
		return false;
	}
	rcode = ldns_pkt_get_rcode(a->packet);
	if (rcode != LDNS_RCODE_NOERROR && rcode != LDNS_RCODE_NXDOMAIN) {
		const ldns_lookup_table *row = ldns_lookup_by_id(ldns_rcodes, rcode);

		snprintf(out->why, sizeof(out->why), "answers %s", row ? row->name : "an error");
		return false;
	}
	if (!ldns_pkt_aa(a->packet)) {
		worth(out, TRUST_UNKNOWN, "is lame: answers without authority");
		return false;
	}
	return true;
}

uint32_t saying_digest(const ldns_rr_list *rrset)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < ldns_rr_list_rr_count(rrset); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(rrset, i);
		uint32_t h = 2166136261u; /* FNV-1a */

		for (size_t k = 0; k < ldns_rr_rd_count(rr); k++) {
			const ldns_rdf *rdf = ldns_rr_rdf(rr, k);

			for (size_t at = 0; at < ldns_rdf_size(rdf); at++)
				h = (h ^ ldns_rdf_data(rdf)[at]) * 16777619u;
		}
		sum += h;
	}
	return sum;
}

/* A set that the zone signs; when a wildcard made it, nothing closer may be there. */
static void judge_set(const struct saying_question *q, const ldns_rr_list *rrset,
	const ldns_pkt *packet, struct trust_said *out, struct signature_verdict *sig)
{
	struct denial_question closer = { .of = DENIAL_OF_CLOSER,
		.zone = q->zone,
		.keys = q->keys,
		.now = q->now };
	struct denial d;

	signature_judge(rrset, ldns_pkt_answer(packet), q->keys, &q->zone, q->now, sig);
	if (!sig->good) {
		worth(out, TRUST_BOGUS, sig->why);
		return;
	}
	out->trust = TRUST_SECURE;
	out->until = sig->until;
	if (!asked_name_of(ldns_rr_owner(ldns_rr_list_rr(rrset, 0)), &closer.name) ||
		!signature_is_expanded(sig->labels, &closer.name))
		return;
	out->expanded = true;
	closer.labels = sig->labels;
	denial_judge(&closer, ldns_pkt_authority(packet), &d);
	out->iterations = d.iterations;
	if (d.outcome == DENIAL_WRONG) {
		snprintf(out->why, sizeof(out->why), "wildcard without proof: %s", d.why);
		out->trust = TRUST_BOGUS;
	} else if (d.outcome == DENIAL_OPEN) {
		worth(out, TRUST_INSECURE, d.why);
	} else if (d.until < out->until) {
		out->until = d.until;
	}
}

static void judge_denial(const struct saying_question *q, const ldns_pkt *packet,
	struct trust_said *out, struct signature_verdict *sig)
{
	const bool nxdomain = ldns_pkt_get_rcode(packet) == LDNS_RCODE_NXDOMAIN;
	const struct denial_question asked = { .of = nxdomain ? DENIAL_OF_NAME : DENIAL_OF_TYPE,
		.name = q->name,
		.type = q->type,
		.zone = q->zone,
		.keys = q->keys,
		.now = q->now };
	struct denial d;

	denial_judge(&asked, ldns_pkt_authority(packet), &d);
	*sig = d.signature;
	out->delegation = d.delegation;
	out->opt_out = d.outcome == DENIAL_OPEN;
	out->iterations = d.iterations;
	out->until = d.until;
	if (d.outcome == DENIAL_WRONG)
		worth(out, TRUST_BOGUS, d.why);
	else
		worth(out, d.outcome == DENIAL_OPEN ? TRUST_INSECURE : TRUST_SECURE, d.why);
}

/* The DNAME of an ancestor whose target makes this CNAME; NULL: there is none. */
static ldns_rr_list *dname_behind(const struct saying_question *q, const ldns_pkt *packet,
	const struct name *target)
{
	const ldns_rr_list *section = ldns_pkt_answer(packet);

	for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(section, i);
		struct name owner, to, made, left = { 0 };

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_DNAME ||
			!asked_name_of(ldns_rr_owner(rr), &owner) ||
			!asked_name_of(ldns_rr_rdf(rr, 0), &to) ||
			!name_is_within(&q->name, &owner) || name_equal(&q->name, &owner))
			continue;
		left.n = (uint8_t)(q->name.n - owner.n + 1);
		memcpy(left.wire, q->name.wire, left.n);
		left.wire[left.n - 1] = 0;
		if (name_join(&left, &to, &made) == 0 && name_equal(&made, target))
			return signature_rrset(section, &owner, LDNS_RR_TYPE_DNAME);
	}
	return NULL;
}

static void judge_alias(const struct saying_question *q, const ldns_rr_list *cname,
	const ldns_pkt *packet, struct trust_said *out, struct signature_verdict *sig)
{
	struct name target;
	ldns_rr_list *dname;

	judge_set(q, cname, packet, out, sig);
	if (out->trust != TRUST_BOGUS || sig->count > 0)
		return;
	if (!asked_name_of(ldns_rr_rdf(ldns_rr_list_rr(cname, 0), 0), &target))
		return;
	dname = dname_behind(q, packet, &target);
	if (!dname)
		return;
	out->why[0] = '\0';
	judge_set(q, dname, packet, out, sig);
	ldns_rr_list_free(dname);
}

void saying_judge(const struct saying_question *q, const struct asked_said *said,
	struct trust_said *out, struct signature_verdict *sig)
{
	const ldns_pkt *packet = said->answer.packet;
	ldns_rr_list *rrset, *cname;

	*sig = (struct signature_verdict){ 0 };
	if (!saying_begin(said, out))
		return;
	rrset = signature_rrset(ldns_pkt_answer(packet), &q->name, q->type);
	cname = signature_rrset(ldns_pkt_answer(packet), &q->name, LDNS_RR_TYPE_CNAME);
	out->kind = rrset ? TRUST_RECORDS : cname ? TRUST_ALIAS : TRUST_DENIAL;
	out->records = ldns_rr_list_rr_count(rrset);
	out->digest = saying_digest(rrset ? rrset : cname);
	out->trust = q->trust;
	if (!q->keys)
		snprintf(out->why, sizeof(out->why), "its zone is %s", trust_word(q->trust));
	else if (rrset)
		judge_set(q, rrset, packet, out, sig);
	else if (cname)
		judge_alias(q, cname, packet, out, sig);
	else
		judge_denial(q, packet, out, sig);
	ldns_rr_list_free(rrset);
	ldns_rr_list_free(cname);
}
