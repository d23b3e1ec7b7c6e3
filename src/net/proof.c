/* SPDX-License-Identifier: Apache-2.0 */
#include "net/proof.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uv.h>

#include "dane/tlsaset.h"
#include "dns/rr.h"
#include "net/wheel.h"
#include "resolve/key.h"

#define LATE_MS     2000 /* for an answer to come, beside the deadline of each question */
#define AGAIN_MS    250  /* between questions in that time */
#define REST_MIN_MS 1000 /* a TTL of zero is asked for once a second, not at every tick */
#define BUCKETS     1024

struct proof {
	struct proofs *of;
	struct proof *chain; /* next in the bucket */
	struct wheel_node due;
	struct proof_hold *holds;
	bool telling; /* lost is being called: not to be freed */
	bool asking;
	bool silent; /* lost for want of an answer */
	struct ask ask;
	struct key key;  /* of the TLSA's owner */
	uint8_t set[32]; /* tlsaset_hash of what the handshake relied on */
	uint8_t spki_sha256[32];
	uint64_t source;
	int64_t expires_ms;
	int64_t lost_ms; /* since when; 0: it is not */
	char *why;       /* it is gone: to be told to who holds it */
};

struct proofs {
	struct proof_config config;
	struct key_seed seed;
	struct wheel wheel;
	int64_t now_ms; /* as last handed in */
	unsigned count;
	struct proof *bucket[BUCKETS];
};

static char no_words[] = "the TLSA was lost";

int proof_table_new(const struct proof_config *config, struct proofs **out, struct err *err)
{
	struct proofs *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, ERR_NOMEM, "proofs: no memory");
	if (getrandom(&s->seed, sizeof(s->seed), 0) != (ssize_t)sizeof(s->seed)) {
		free(s);
		return err_set(err, ERR_SYSTEM, "proofs: no random octets");
	}
	s->config = *config;
	wheel_init(&s->wheel);
	*out = s;
	return 0;
}

void proof_table_free(struct proofs *s)
{
	free(s);
}

unsigned proof_table_count(const struct proofs *s)
{
	return s->count;
}

int64_t proof_next_ms(const struct proofs *s)
{
	return wheel_next_ms(&s->wheel);
}

static void free_proof(struct proof *p)
{
	struct proofs *s = p->of;
	struct proof **at = &s->bucket[p->key.hash % BUCKETS];

	while (*at != p)
		at = &(*at)->chain;
	*at = p->chain;
	s->count--;
	wheel_remove(&s->wheel, &p->due);
	if (p->asking)
		ask_done(&p->ask);
	if (p->why != no_words)
		free(p->why);
	free(p);
}

/* All that the verdict on a peer rested on is the same. */
static struct proof *find(const struct proofs *s, const struct key *key, const struct peer *peer)
{
	struct proof *p = s->bucket[key->hash % BUCKETS];

	while (p &&
		(p->lost_ms || !name_equal(&p->key.name, &key->name) ||
			memcmp(p->spki_sha256, peer->spki_sha256, sizeof(p->spki_sha256)) != 0 ||
			memcmp(p->set, peer->tlsa_sha256, sizeof(p->set)) != 0))
		p = p->chain;
	return p;
}

static struct proof *add(struct proofs *s, const struct key *key, const struct peer *peer,
	uint64_t source)
{
	struct proof *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->of = s;
	p->key = *key;
	p->source = source;
	p->expires_ms = peer->expires_ms;
	memcpy(p->spki_sha256, peer->spki_sha256, sizeof(p->spki_sha256));
	memcpy(p->set, peer->tlsa_sha256, sizeof(p->set));
	p->chain = s->bucket[key->hash % BUCKETS];
	s->bucket[key->hash % BUCKETS] = p;
	s->count++;
	return p;
}

/* The proof is looked at by then. */
static void look_by(struct proof *p, int64_t by_ms)
{
	struct proofs *s = p->of;

	if (wheel_by(&s->wheel, &p->due, s->now_ms, by_ms))
		s->config.due(s->config.arg);
}

int proof_take(struct proofs *s, int64_t now_ms, const struct peer *peer, uint64_t source,
	struct proof_hold *h)
{
	const struct question q = { .name = peer->tlsa_owner, .type = RR_TLSA };
	struct proof *p;
	struct key key;

	if (peer->how != PEER_BY_DANE || peer->expires_ms == 0)
		return 0;
	s->now_ms = now_ms;
	key_of(&s->seed, &q, &key);
	p = find(s, &key, peer);
	if (!p && !(p = add(s, &key, peer, source)))
		return ERR_NOMEM;
	if (peer->expires_ms < p->expires_ms)
		p->expires_ms = peer->expires_ms;
	h->of = p;
	h->at = &p->holds;
	h->next = p->holds;
	if (h->next)
		h->next->at = &h->next;
	p->holds = h;
	if (!p->asking)
		look_by(p, p->expires_ms);
	return 0;
}

static void detach(struct proof_hold *h)
{
	*h->at = h->next;
	if (h->next)
		h->next->at = h->at;
	*h = (struct proof_hold){ 0 };
}

void proof_give(struct proof_hold *h)
{
	struct proof *p = h->of;

	if (!p)
		return;
	detach(h);
	if (!p->holds && !p->telling)
		free_proof(p);
}

/* A DANE-EE record of this very key that counts: what stands beside it does not matter. */
static bool set_has_key(const struct answer *a, const uint8_t *spki_sha256)
{
	struct tlsaset set;

	tlsaset_read(a->rdata, a->count, &set);
	for (unsigned i = 0; i < set.count; i++) {
		const struct tlsaset_record *r = &set.record[i];

		if (!r->why && r->tlsa.usage == TLSA_DANE_EE && r->tlsa.selector == TLSA_SPKI &&
			r->tlsa.matching == TLSA_SHA256 &&
			memcmp(r->tlsa.data.p, spki_sha256, 32) == 0)
			return true;
	}
	return false;
}

/* Still there? Then it holds as long as the answer. */
static bool holds_by(struct proof *p, const struct answer *a, int64_t soon)
{
	uint8_t hash[32];

	if (a->status != ANSWER_SECURE || tlsaset_hash(a->rdata, a->count, hash, NULL) != 0 ||
		(memcmp(hash, p->set, sizeof(hash)) != 0 && !set_has_key(a, p->spki_sha256)))
		return false;
	p->expires_ms = a->expires_ms > soon ? a->expires_ms : soon;
	p->lost_ms = 0;
	memcpy(p->set, hash, sizeof(hash));
	return true;
}

static void write_why(const struct answer *a, char *out, size_t cap)
{
	if (a->status == ANSWER_SECURE)
		snprintf(out, cap, "the TLSA was replaced");
	else if (a->status == ANSWER_DENIAL)
		snprintf(out, cap, "the TLSA was removed");
	else
		snprintf(out, cap, "the TLSA expired and could not be had again: %s%s%s",
			answer_status_word(a->status), a->why[0] ? ", " : "", a->why);
}

static void judge(struct proof *p, int64_t now)
{
	struct answer *a = answer_keep(p->ask.answer);
	char why[ANSWER_WHY_MAX + 80];
	int64_t again = now + REST_MIN_MS;

	ask_done(&p->ask);
	p->asking = false;
	if (holds_by(p, a, again)) {
		again = p->expires_ms;
	} else if (a->status == ANSWER_FAILED && now < p->expires_ms + LATE_MS) {
		/* Many that expire together are more than the budget of one source. */
		again = now + AGAIN_MS;
	} else {
		p->lost_ms = p->lost_ms ? p->lost_ms : now;
		p->silent = a->status == ANSWER_FAILED;
		write_why(a, why, sizeof(why));
		if (now - p->lost_ms >= p->of->config.grace_ms) {
			p->why = strdup(why);
			p->why = p->why ? p->why : no_words;
			again = now;
		} else {
			p->expires_ms = again;
		}
	}
	answer_drop(a);
	look_by(p, again);
}

static void came(struct ask *ask)
{
	/* The next tick judges: whoever is lost closes, which is not for a resolver's wake. */
	look_by(ask->arg, 0);
}

/* Ten thousand that close are more than a turn has time for. */
static void tell(struct proof *p, uint64_t until_ns)
{
	struct proofs *s = p->of;

	p->telling = true;
	do {
		struct proof_hold *h = p->holds;

		detach(h);
		s->config.lost(s->config.arg, h, p->silent, p->why);
	} while (p->holds && uv_hrtime() < until_ns);
	p->telling = false;
	if (p->holds)
		look_by(p, s->now_ms);
	else
		free_proof(p);
}

static void look_at(struct proof *p, uint64_t until_ns)
{
	struct proofs *s = p->of;
	struct question q = { .name = p->key.name, .type = RR_TLSA };

	if (p->why) {
		tell(p, until_ns);
		return;
	}
	if (!p->asking && s->now_ms < p->expires_ms) {
		look_by(p, p->expires_ms);
		return;
	}
	if (!p->asking) {
		p->ask = (struct ask){ .wake = came, .arg = p };
		p->asking = true;
		resolver_ask(s->config.resolver, &q, p->source, 0, &p->ask);
	}
	if (p->ask.answer)
		judge(p, s->now_ms);
}

void proof_tick(struct proofs *s, int64_t now_ms, uint64_t until_ns)
{
	struct wheel_node *due;

	s->now_ms = now_ms;
	wheel_turn(&s->wheel, now_ms);
	while ((due = wheel_pop(&s->wheel))) {
		look_at((struct proof *)((uint8_t *)due - offsetof(struct proof, due)), until_ns);
		if (uv_hrtime() >= until_ns)
			return;
	}
}
