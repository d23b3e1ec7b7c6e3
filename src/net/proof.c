/* SPDX-License-Identifier: Apache-2.0 */
#include "net/proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dane/tlsaset.h"
#include "dns/rr.h"
#include "program/log.h"

#define LATE_MS     2000 /* for an answer to come, beside the deadline of each question */
#define REST_MIN_MS 1000 /* a TTL of zero is asked for once a second, not at every tick */

struct proof {
	struct ask ask;
	bool asking;
	struct resolver *resolver;
	struct question question;
	uint8_t set[32]; /* tlsaset_hash of what the handshake relied on */
	uint8_t spki_sha256[32];
	uint64_t source;
	int64_t expires_ms;
	unsigned grace_ms;
	int64_t lost_ms; /* since when; 0: it is not */
	void (*lost)(void *arg, const char *why);
	void *arg;
};

struct proof *proof_new(struct resolver *r, const struct peer *peer, uint64_t source,
	unsigned grace_ms, void (*lost)(void *arg, const char *why), void *arg)
{
	struct proof *p;

	if (peer->how != PEER_BY_DANE || peer->expires_ms == 0)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p) {
		lost(arg, "no memory to watch the TLSA");
		return NULL;
	}
	p->resolver = r;
	p->question = (struct question){ .name = peer->tlsa_owner, .type = RR_TLSA };
	p->source = source;
	p->expires_ms = peer->expires_ms;
	p->grace_ms = grace_ms;
	p->lost = lost;
	p->arg = arg;
	memcpy(p->spki_sha256, peer->spki_sha256, sizeof(p->spki_sha256));
	memcpy(p->set, peer->tlsa_sha256, sizeof(p->set));
	return p;
}

void proof_free(struct proof *p)
{
	if (!p)
		return;
	if (p->asking)
		ask_done(&p->ask);
	free(p);
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

static void judge(struct proof *p)
{
	struct answer *a = answer_keep(p->ask.answer);
	char why[ANSWER_WHY_MAX + 80];
	int64_t now = resolver_now(), soon = now + REST_MIN_MS;
	uint8_t hash[32];

	ask_done(&p->ask);
	p->asking = false;
	/* Many that expire together are more than the budget of one source: the next tick asks. */
	if (a->status == ANSWER_FAILED && now < p->expires_ms + LATE_MS) {
		answer_drop(a);
		return;
	}
	if (a->status == ANSWER_SECURE && tlsaset_hash(a->rdata, a->count, hash, NULL) == 0 &&
		(memcmp(hash, p->set, sizeof(hash)) == 0 || set_has_key(a, p->spki_sha256))) {
		p->expires_ms = a->expires_ms > soon ? a->expires_ms : soon;
		p->lost_ms = 0;
		memcpy(p->set, hash, sizeof(hash));
		answer_drop(a);
		return;
	}
	if (a->status == ANSWER_SECURE)
		snprintf(why, sizeof(why), "the TLSA was replaced");
	else if (a->status == ANSWER_DENIAL)
		snprintf(why, sizeof(why), "the TLSA was removed");
	else
		snprintf(why, sizeof(why), "the TLSA expired and could not be had again: %s%s%s",
			answer_status_word(a->status), a->why[0] ? ", " : "", a->why);
	answer_drop(a);
	if (p->lost_ms == 0)
		p->lost_ms = now;
	if (now - p->lost_ms >= p->grace_ms)
		p->lost(p->arg, why);
	else
		p->expires_ms = soon;
}

static void came(struct ask *ask)
{
	/* The next tick judges: whoever is lost closes, which is not for a resolver's wake. */
	(void)ask;
}

void proof_tick(struct proof *p, int64_t now_ms)
{
	if (p->asking) {
		if (p->ask.answer)
			judge(p);
		return;
	}
	if (now_ms < p->expires_ms)
		return;
	p->ask = (struct ask){ .wake = came, .arg = p };
	p->asking = true;
	resolver_ask(p->resolver, &p->question, p->source, 0, &p->ask);
	if (p->ask.answer)
		judge(p);
}
