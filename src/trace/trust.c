/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/trust.h"

#include "trace/saying.h"
#include "trace/zonetrust.h"

#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trust_world {
	const ldns_rr_list *anchors;
	void *zones; /* a tree of struct trust_zone by delegation and moment */
};

const char *trust_word(enum trust t)
{
	static const char *const words[] = { "secure", "insecure", "unknown", "bogus" };

	return words[t];
}

const char *trust_digest_word(enum trust_digest d)
{
	static const char *const words[] = {
		[TRUST_DIGEST_OPEN] = "has no keys to be compared with",
		[TRUST_DIGEST_FITS] = "is the digest of a key here",
		[TRUST_DIGEST_DIFFERS] = "has another digest than the key of its tag",
		[TRUST_DIGEST_KEYLESS] = "is of no key that is there",
		[TRUST_DIGEST_UNKNOWN] = "is of an algorithm nobody here knows",
		[TRUST_DIGEST_WEAK] = "does not count beside a better digest",
	};

	return words[d];
}

void trust_free(struct trust_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->step_count; i++)
		free(r->step[i]);
	free(r);
}

static __attribute__((format(printf, 2, 3))) void note(struct trust_report *r, const char *fmt, ...)
{
	char words[TRUST_WHY_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < r->note_count; i++)
		if (strcmp(r->note[i], words) == 0)
			return;
	if (r->note_count < TRUST_NOTES_MAX)
		memcpy(r->note[r->note_count++], words, sizeof(words));
}

static const char *text_of(const struct name *name, char out[NAME_TEXT_MAX])
{
	if (name_write_text(name, out, NAME_TEXT_MAX) != 0)
		out[0] = '\0';
	return out;
}

/* Who is not of one mind, each with his words. */
static void note_split(struct trust_report *r, const struct trust_set *set)
{
	char name[NAME_TEXT_MAX], server[ASKED_SERVER_TEXT_MAX], type[16];
	const struct trust_said *best = &set->said[set->best];

	for (size_t i = 0; i < set->said_count; i++) {
		const struct trust_said *s = &set->said[i];
		const char *why = s->why;

		if (s->trust == best->trust && s->kind == best->kind && s->digest == best->digest)
			continue;
		if (s->trust == best->trust)
			why = "says something else than the others";
		asked_server_text(&s->host, &s->address, server);
		note(r, "%s %s: %.150s %s", text_of(&set->owner, name),
			rr_type_word(set->type, type, sizeof(type)), server, why);
	}
}

static void note_serials(struct trust_report *r, const struct trust_zone *z)
{
	char name[NAME_TEXT_MAX];
	uint32_t least = UINT32_MAX, most = 0;

	for (size_t i = 0; i < z->soa.said_count; i++) {
		if (z->soa.said[i].kind != TRUST_RECORDS)
			continue;
		if (z->serial[i] < least)
			least = z->serial[i];
		if (z->serial[i] > most)
			most = z->serial[i];
	}
	if (least < most)
		note(r, "%s: its servers have serials from %u to %u", text_of(&z->zone, name),
			least, most);
}

static void note_zone(struct trust_report *r, const struct trust_zone *z)
{
	const struct delegation *d = z->delegation;
	char name[NAME_TEXT_MAX], host[NAME_TEXT_MAX];
	bool better = false;

	text_of(&z->zone, name);
	for (size_t i = 0; i < d->lost; i++)
		note(r, "%s: name server %s has no address", name, text_of(&d->lost_host[i], host));
	for (size_t i = 0; i < z->key_count; i++)
		if (z->key[i].signs &&
			(z->key[i].algorithm == LDNS_RSASHA1 ||
				z->key[i].algorithm == LDNS_RSASHA1_NSEC3))
			note(r, "%s: signs with SHA-1, which validators drop (RFC 9905)", name);
	for (size_t i = 0; i < z->ds_count; i++)
		better |= z->ds_record[i].digest != LDNS_SHA1;
	if (z->ds_count && !better)
		note(r, "%s: its DS is by SHA-1 only, which validators drop (RFC 9905)", name);
	if (z->ds.split)
		note_split(r, &z->ds);
	if (z->dnskey.split)
		note_split(r, &z->dnskey);
	note_serials(r, z);
}

static void note_iterations(struct trust_report *r, const struct trust_set *set)
{
	char name[NAME_TEXT_MAX];

	if (set->said_count && set->said[set->best].iterations > 0)
		note(r, "%s: denied by NSEC3 with %u iterations; RFC 9276 wants 0",
			text_of(&set->owner, name), set->said[set->best].iterations);
}

static int compare_zones(const void *a, const void *b)
{
	const struct trust_zone *x = a, *y = b;

	if (x->delegation != y->delegation)
		return (uintptr_t)x->delegation < (uintptr_t)y->delegation ? -1 : 1;
	return x->now < y->now ? -1 : x->now > y->now;
}

static void free_zone(void *zone)
{
	ldns_rr_list_free(((struct trust_zone *)zone)->keys);
	free(zone);
}

int trust_open(const ldns_rr_list *anchors, struct trust_world **out, struct err *err)
{
	struct trust_world *w = calloc(1, sizeof(*w));

	if (!w)
		return err_set(err, ERR_NOMEM, "trust: no memory");
	w->anchors = anchors;
	*out = w;
	return 0;
}

void trust_close(struct trust_world *w)
{
	if (!w)
		return;
	tdestroy(w->zones, free_zone);
	free(w);
}

/* The zone, judged for this moment; NULL: no memory. parent NULL: it is the root. */
static const struct trust_zone *judged(struct trust_world *w, const struct delegation *d,
	const struct trust_zone *parent, int64_t now)
{
	struct trust_zone key = { .delegation = d, .now = now };
	void **found = tfind(&key, &w->zones, compare_zones);
	struct trust_zone *z;

	if (found)
		return *found;
	z = calloc(1, sizeof(*z));
	if (!z)
		return NULL;
	z->delegation = d;
	z->now = now;
	zonetrust_judge(d, parent, w->anchors, now, z);
	if (tsearch(z, &w->zones, compare_zones))
		return z;
	free_zone(z);
	return NULL;
}

/* The zone and those above it, parents first; *index gets its place. */
static int add_zone(struct trust_report *r, struct trust_world *w, const struct delegation *d,
	size_t *index, struct err *err)
{
	size_t parent = 0, n = 0;
	int rc;

	while (n < r->zone_count && r->zone[n]->delegation != d)
		n++;
	*index = n;
	if (n < r->zone_count)
		return 0;
	rc = d->parent ? add_zone(r, w, d->parent, &parent, err) : 0;
	if (rc != 0)
		return rc;
	n = *index = r->zone_count;
	if (n == TRUST_ZONES_MAX)
		return err_set(err, ERR_PEER, "more than %d zones", TRUST_ZONES_MAX);
	r->zone[n] = judged(w, d, d->parent ? r->zone[parent] : NULL, r->now);
	if (!r->zone[n])
		return err_set(err, ERR_NOMEM, "trust: no memory");
	r->zone_count++;
	note_zone(r, r->zone[n]);
	return 0;
}

static void judge_step(const struct evidence_step *e, const struct trust_zone *z, int64_t now,
	struct trust_step *out)
{
	const struct saying_question q = { .name = e->asked.name,
		.type = e->asked.type,
		.zone = z->zone,
		.trust = z->trust,
		.keys = z->keys,
		.now = now };
	const struct asked_said *useful = asked_useful(&e->asked);
	ldns_rr_list *cname;

	zonetrust_judge_set(&q, &e->asked, &out->set);
	if (out->set.kind != TRUST_ALIAS || !useful)
		return;
	cname = signature_rrset(ldns_pkt_answer(useful->answer.packet), &e->asked.name,
		LDNS_RR_TYPE_CNAME);
	if (cname)
		asked_name_of(ldns_rr_rdf(ldns_rr_list_rr(cname, 0), 0), &out->target);
	ldns_rr_list_free(cname);
}

static void rest_on(struct trust_report *r, int64_t until, const struct name *owner,
	const char *what)
{
	char name[NAME_TEXT_MAX];

	if (until >= r->until)
		return;
	r->until = until;
	snprintf(r->until_why, sizeof(r->until_why), "the %s signature of %s expires", what,
		text_of(owner, name));
}

static void rest_on_zone(struct trust_report *r, const struct trust_zone *z)
{
	if (z->trust != TRUST_SECURE)
		return;
	rest_on(r, z->dnskey.until, &z->zone, "DNSKEY");
	if (!z->anchored)
		rest_on(r, z->ds.until, &z->zone, "DS");
}

/* The whole is as good as its worst part, and the first such part says why. */
static void sum_up(struct trust_report *r, bool endless)
{
	char name[NAME_TEXT_MAX], type[16];

	r->trust = TRUST_SECURE;
	r->until = INT64_MAX;
	for (size_t i = 0; i < r->zone_count; i++)
		rest_on_zone(r, r->zone[i]);
	for (size_t i = 0; i < r->step_count; i++) {
		const struct trust_set *set = &r->step[i]->set;
		const struct trust_zone *z = r->zone[r->step[i]->zone];

		if (set->trust == TRUST_SECURE)
			rest_on(r, set->until, &set->owner,
				rr_type_word(set->type, type, sizeof(type)));
		if (set->trust <= r->trust)
			continue;
		r->trust = set->trust;
		if (z->trust != TRUST_SECURE)
			snprintf(r->why, sizeof(r->why), "%s", z->why);
		else
			snprintf(r->why, sizeof(r->why), "%.120s %s: %.160s",
				text_of(&set->owner, name),
				rr_type_word(set->type, type, sizeof(type)), set->why);
	}
	if (r->step_count)
		r->kind = r->step[r->step_count - 1]->set.kind;
	if (endless && r->trust != TRUST_BOGUS) {
		r->trust = TRUST_UNKNOWN;
		r->kind = TRUST_NOTHING;
		snprintf(r->why, sizeof(r->why), "the aliases lead round, or are too many");
	}
}

static int add_step(struct trust_report *r, struct trust_world *w, const struct evidence_step *from,
	struct err *err)
{
	struct trust_step *s;
	size_t zone;
	int rc = add_zone(r, w, from->zone, &zone, err);

	if (rc != 0)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(err, ERR_NOMEM, "trust: no memory");
	r->step[r->step_count++] = s;
	s->zone = zone;
	judge_step(from, r->zone[zone], r->now, s);
	if (s->set.split)
		note_split(r, &s->set);
	note_iterations(r, &s->set);
	return 0;
}

int trust_judge(struct trust_world *w, const struct evidence *e, int64_t now,
	struct trust_report **out, struct err *err)
{
	struct trust_report *r = calloc(1, sizeof(*r));
	int rc = r ? 0 : err_set(err, ERR_NOMEM, "trust: no memory");

	if (rc == 0)
		r->now = now;
	for (size_t i = 0; rc == 0 && i < e->count; i++)
		rc = add_step(r, w, &e->step[i], err);
	if (rc != 0) {
		trust_free(r);
		return rc;
	}
	sum_up(r, e->endless);
	*out = r;
	return 0;
}
