/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/denial.h"

#include "servers/asked.h"

#include <stdio.h>
#include <string.h>

#define PROOFS_MAX 16
#define HASH_MAX   20 /* SHA-1, the only one: RFC 5155 section 11 */

/* One NSEC or NSEC3 record with its owner, and what it hashes to. */
struct proof {
	const ldns_rr *rr;
	struct name owner, next;              /* NSEC; next is n 0 for NSEC3 */
	uint8_t from[HASH_MAX], to[HASH_MAX]; /* NSEC3 */
};

struct proofs {
	size_t count;
	struct proof at[PROOFS_MAX];
};

static int compare(const struct name *a, const struct name *b)
{
	ldns_rdf *x = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, a->n, a->wire);
	ldns_rdf *y = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, b->n, b->wire);
	int order = x && y ? ldns_dname_compare(x, y) : 0;

	ldns_rdf_deep_free(x);
	ldns_rdf_deep_free(y);
	return order;
}

static bool has(const struct proof *p, uint16_t type)
{
	const ldns_rdf *bitmap = ldns_nsec_get_bitmap(p->rr);

	return bitmap && ldns_nsec_bitmap_covers_type(bitmap, (ldns_rr_type)type);
}

/* RFC 6840 section 4.1: at a cut or a DNAME, the zone has nothing to say of what is below. */
static bool is_silent_below(const struct proof *p)
{
	return has(p, LDNS_RR_TYPE_DNAME) || (has(p, LDNS_RR_TYPE_NS) && !has(p, LDNS_RR_TYPE_SOA));
}

/* The record at a name says that the type is not there, and no alias either. */
static bool lacks(const struct proof *p, uint16_t type)
{
	if (has(p, type) || has(p, LDNS_RR_TYPE_CNAME))
		return false;
	/* RFC 6840 section 4.4: a DS is the parent's to deny, everything else the child's. */
	if (type == LDNS_RR_TYPE_DS)
		return !has(p, LDNS_RR_TYPE_SOA);
	return !has(p, LDNS_RR_TYPE_NS) || has(p, LDNS_RR_TYPE_SOA);
}

static struct name ancestor(const struct name *name, unsigned labels)
{
	struct name at = *name, up;

	while (name_labels(&at) > labels && name_parent(&at, &up))
		at = up;
	return at;
}

static unsigned shared_labels(const struct name *a, const struct name *b)
{
	unsigned n = name_labels(a);

	while (n > 0) {
		struct name up = ancestor(a, n);

		if (name_is_within(b, &up))
			break;
		n--;
	}
	return n;
}

/* NSEC, RFC 4034 section 6.1: between owner and next, in the order of names. */
static const struct proof *covering(const struct proofs *all, const struct name *name)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct proof *p = &all->at[i];
		bool last = compare(&p->next, &p->owner) <= 0;
		bool after = compare(name, &p->owner) > 0;
		bool before = compare(name, &p->next) < 0;

		if (last ? !(after || before) : !(after && before))
			continue;
		if (name_is_within(name, &p->owner) && is_silent_below(p))
			continue;
		return p;
	}
	return NULL;
}

static const struct proof *matching(const struct proofs *all, const struct name *name)
{
	for (size_t i = 0; i < all->count; i++)
		if (name_equal(&all->at[i].owner, name))
			return &all->at[i];
	return NULL;
}

static int wildcard_of(const struct name *encloser, struct name *out)
{
	return name_prepend((struct span){ (const uint8_t *)"*", 1 }, encloser, out);
}

static const char *prove_by_nsec(const struct denial_question *q, const struct proofs *all,
	struct denial *out)
{
	const struct proof *at = matching(all, &q->name), *over, *star;
	struct name encloser, wildcard;
	unsigned a, b;

	if (at && q->of == DENIAL_OF_TYPE) {
		out->delegation = has(at, LDNS_RR_TYPE_NS) && !has(at, LDNS_RR_TYPE_SOA);
		return lacks(at, q->type) ? NULL : "NSEC says that the type is there";
	}
	if (at)
		return "NSEC says that the name is there";
	over = covering(all, &q->name);
	if (!over)
		return "no NSEC covers the name";
	if (q->of == DENIAL_OF_CLOSER) {
		struct name closer = ancestor(&q->name, q->labels + 1u);

		/* what is covered may still be an empty name between: RFC 4592 section 2.2.2 */
		return name_is_within(&over->next, &closer) || name_is_within(&over->owner, &closer)
			? "NSEC shows a closer match than the wildcard"
			: NULL;
	}
	/* RFC 4035 section 5.4 and RFC 4592: a name with names below it is there, without data. */
	if (name_is_within(&over->next, &q->name))
		return q->of == DENIAL_OF_TYPE ? NULL : "NSEC says that there are names below";
	a = shared_labels(&q->name, &over->owner);
	b = shared_labels(&q->name, &over->next);
	encloser = ancestor(&q->name, a > b ? a : b);
	if (wildcard_of(&encloser, &wildcard) != 0)
		return "the name is too long for a wildcard";
	if (q->of == DENIAL_OF_NAME)
		return covering(all, &wildcard) ? NULL : "no NSEC denies the wildcard";
	star = matching(all, &wildcard);
	if (!star)
		return "no NSEC shows the wildcard";
	return lacks(star, q->type) ? NULL : "NSEC says that the wildcard has the type";
}

static bool hash_of(const struct proofs *all, const struct name *name, uint8_t out[HASH_MAX])
{
	ldns_rdf *plain = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, name->n, name->wire);
	ldns_rdf *hashed = plain ? ldns_nsec3_hash_name_frm_nsec3(all->at[0].rr, plain) : NULL;
	const uint8_t *label = hashed ? ldns_rdf_data(hashed) : NULL;
	bool good = label && label[0] == 32 &&
		ldns_b32_pton_extended_hex((const char *)label + 1, 32, out, HASH_MAX) == HASH_MAX;

	ldns_rdf_deep_free(plain);
	ldns_rdf_deep_free(hashed);
	return good;
}

static const struct proof *hash_matching(const struct proofs *all, const struct name *name)
{
	uint8_t hash[HASH_MAX];

	if (!hash_of(all, name, hash))
		return NULL;
	for (size_t i = 0; i < all->count; i++)
		if (memcmp(all->at[i].from, hash, HASH_MAX) == 0)
			return &all->at[i];
	return NULL;
}

static const struct proof *hash_covering(const struct proofs *all, const struct name *name)
{
	uint8_t hash[HASH_MAX];

	if (!hash_of(all, name, hash))
		return NULL;
	for (size_t i = 0; i < all->count; i++) {
		const struct proof *p = &all->at[i];
		bool last = memcmp(p->to, p->from, HASH_MAX) <= 0;
		bool after = memcmp(hash, p->from, HASH_MAX) > 0;
		bool before = memcmp(hash, p->to, HASH_MAX) < 0;

		if (last ? after || before : after && before)
			return p;
	}
	return NULL;
}

/* RFC 5155 section 8.3: the longest ancestor that is there. */
static const struct proof *closest_encloser(const struct denial_question *q,
	const struct proofs *all, unsigned *labels)
{
	for (unsigned n = name_labels(&q->name); n-- > name_labels(&q->zone);) {
		struct name up = ancestor(&q->name, n);
		const struct proof *p = hash_matching(all, &up);

		if (!p)
			continue;
		*labels = n;
		return p;
	}
	return NULL;
}

static const char *prove_by_nsec3(const struct denial_question *q, const struct proofs *all,
	struct denial *out)
{
	const struct proof *at = hash_matching(all, &q->name), *encloser, *over, *star;
	struct name closer, wildcard, up;
	unsigned labels = 0;

	if (q->of == DENIAL_OF_CLOSER) {
		closer = ancestor(&q->name, q->labels + 1u);
		return hash_covering(all, &closer) ? NULL : "no NSEC3 denies a closer match";
	}
	if (at && q->of == DENIAL_OF_TYPE) {
		out->delegation = has(at, LDNS_RR_TYPE_NS) && !has(at, LDNS_RR_TYPE_SOA);
		return lacks(at, q->type) ? NULL : "NSEC3 says that the type is there";
	}
	if (at)
		return "NSEC3 says that the name is there";
	encloser = closest_encloser(q, all, &labels);
	if (!encloser)
		return "no NSEC3 matches an ancestor";
	if (is_silent_below(encloser))
		return "the NSEC3 of a zone cut proves nothing below it";
	closer = ancestor(&q->name, labels + 1);
	over = hash_covering(all, &closer);
	if (!over)
		return "no NSEC3 covers the next closer name";
	if (ldns_nsec3_optout(over->rr)) {
		out->outcome = DENIAL_OPEN;
		out->delegation = true;
		if (q->of == DENIAL_OF_TYPE && q->type == LDNS_RR_TYPE_DS)
			return NULL;
	}
	up = ancestor(&q->name, labels);
	if (wildcard_of(&up, &wildcard) != 0)
		return "the name is too long for a wildcard";
	if (q->of == DENIAL_OF_NAME)
		return hash_covering(all, &wildcard) ? NULL : "no NSEC3 denies the wildcard";
	star = hash_matching(all, &wildcard);
	if (!star)
		return "no NSEC3 shows the wildcard";
	return lacks(star, q->type) ? NULL : "NSEC3 says that the wildcard has the type";
}

static bool read_nsec3(const struct denial_question *q, struct proof *p)
{
	const ldns_rdf *next = ldns_nsec3_next_owner(p->rr);
	struct name parent;

	return p->owner.wire[0] == 32 && name_parent(&p->owner, &parent) &&
		name_equal(&parent, &q->zone) && ldns_nsec3_algorithm(p->rr) == LDNS_SHA1 && next &&
		ldns_rdf_size(next) == 1 + HASH_MAX &&
		memcpy(p->to, ldns_rdf_data(next) + 1, HASH_MAX) &&
		ldns_b32_pton_extended_hex((const char *)p->owner.wire + 1, 32, p->from,
			HASH_MAX) == HASH_MAX;
}

/* Its signature counts, and its own name, which no wildcard may stand for: RFC 6840 4.4. */
static bool take(const struct denial_question *q, const ldns_rr_list *authority, ldns_rr *rr,
	struct proofs *all, struct denial *out)
{
	struct proof p = { .rr = rr };
	struct signature_verdict v = { 0 };
	ldns_rr_list *set;
	char type[16];

	if (!asked_name_of(ldns_rr_owner(rr), &p.owner))
		return false;
	set = signature_rrset(authority, &p.owner, (uint16_t)ldns_rr_get_type(rr));
	if (!set)
		return false;
	signature_judge(set, authority, q->keys, &q->zone, q->now, &v);
	ldns_rr_list_free(set);
	if (out->signature.count == 0 || !v.good)
		out->signature = v;
	if (!v.good) {
		char *text = ldns_rr_type2str(ldns_rr_get_type(rr));

		snprintf(type, sizeof(type), "%s", text ? text : "record");
		LDNS_FREE(text);
		snprintf(out->why, sizeof(out->why), "%s of the denial: %s", type, v.why);
		return false;
	}
	if (v.until < out->until)
		out->until = v.until;
	if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_SOA || signature_is_expanded(v.labels, &p.owner))
		return true;
	if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_NSEC3
			? !read_nsec3(q, &p)
			: !asked_name_of(ldns_rr_rdf(rr, 0), &p.next))
		return true;
	if (all->count < PROOFS_MAX)
		all->at[all->count++] = p;
	return true;
}

static bool gather(const struct denial_question *q, const ldns_rr_list *authority, bool nsec3,
	struct proofs *all, struct denial *out)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++) {
		ldns_rr *rr = ldns_rr_list_rr(authority, i);
		const ldns_rr_type type = ldns_rr_get_type(rr);

		if (type != (nsec3 ? LDNS_RR_TYPE_NSEC3 : LDNS_RR_TYPE_NSEC) &&
			(type != LDNS_RR_TYPE_SOA || q->of == DENIAL_OF_CLOSER))
			continue;
		if (!take(q, authority, rr, all, out))
			return false;
	}
	return true;
}

static bool holds_type(const ldns_rr_list *section, ldns_rr_type type)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++)
		if (ldns_rr_get_type(ldns_rr_list_rr(section, i)) == type)
			return true;
	return false;
}

void denial_judge(const struct denial_question *q, const ldns_rr_list *authority,
	struct denial *out)
{
	const bool nsec3 = holds_type(authority, LDNS_RR_TYPE_NSEC3);
	struct proofs all = { 0 };
	const char *why;

	*out = (struct denial){ .outcome = DENIAL_WRONG, .until = INT64_MAX };
	if (!gather(q, authority, nsec3, &all, out))
		return;
	if (all.count == 0) {
		snprintf(out->why, sizeof(out->why), "no NSEC or NSEC3 proves it");
		return;
	}
	if (nsec3)
		out->iterations = ldns_nsec3_iterations(all.at[0].rr);
	if (out->iterations > DENIAL_ITERATIONS_MAX) {
		out->outcome = DENIAL_OPEN;
		out->delegation = true;
		snprintf(out->why, sizeof(out->why),
			"NSEC3 with %u iterations: validators take it for unsigned (RFC 9276)",
			out->iterations);
		return;
	}
	out->outcome = DENIAL_PROVED;
	why = nsec3 ? prove_by_nsec3(q, &all, out) : prove_by_nsec(q, &all, out);
	if (!why)
		return;
	out->outcome = DENIAL_WRONG;
	snprintf(out->why, sizeof(out->why), "the denial proves nothing: %s", why);
}
