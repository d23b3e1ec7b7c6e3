/* SPDX-License-Identifier: Apache-2.0 */
#include "net/proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dane/tlsa.h"
#include "dns/rr.h"
#include "program/log.h"

#define REST_MIN_MS 1000 /* a TTL of zero is asked for once a second, not at every tick */

struct proof {
	struct ask ask;
	bool asking;
	struct resolver *resolver;
	struct question question;
	struct answer *set; /* what the handshake relied on; NULL when it was not kept */
	uint8_t spki_sha256[32];
	uint64_t source;
	int64_t expires_ms;
	void (*lost)(void *arg, const char *why);
	void *arg;
};

struct proof *proof_new(struct resolver *r, const struct peer *peer, uint64_t source,
	void (*lost)(void *arg, const char *why), void *arg)
{
	const struct answer *now;
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
	p->lost = lost;
	p->arg = arg;
	memcpy(p->spki_sha256, peer->spki_sha256, sizeof(p->spki_sha256));
	now = resolver_cached(r, &p->question);
	if (now && now->status == ANSWER_SECURE)
		p->set = answer_keep((struct answer *)(uintptr_t)now);
	return p;
}

void proof_free(struct proof *p)
{
	if (!p)
		return;
	if (p->asking)
		ask_done(&p->ask);
	if (p->set)
		answer_drop(p->set);
	free(p);
}

static bool set_has(const struct answer *a, struct span record)
{
	for (uint16_t i = 0; i < a->count; i++)
		if (a->rdata[i].n == record.n && memcmp(a->rdata[i].p, record.p, record.n) == 0)
			return true;
	return false;
}

static bool set_is_same(const struct answer *a, const struct answer *b)
{
	for (uint16_t i = 0; i < a->count; i++)
		if (!set_has(b, a->rdata[i]))
			return false;
	for (uint16_t i = 0; i < b->count; i++)
		if (!set_has(a, b->rdata[i]))
			return false;
	return true;
}

/* A DANE-EE record of this very key: what else stands beside it does not matter. */
static bool set_has_key(const struct answer *a, const uint8_t *spki_sha256)
{
	for (uint16_t i = 0; i < a->count; i++) {
		struct tlsa t;

		if (tlsa_read(a->rdata[i], &t, NULL) == 0 && t.usage == TLSA_DANE_EE &&
			t.selector == TLSA_SPKI && t.matching == TLSA_SHA256 && t.data.n == 32 &&
			memcmp(t.data.p, spki_sha256, 32) == 0)
			return true;
	}
	return false;
}

static void judge(struct proof *p)
{
	struct answer *a = answer_keep(p->ask.answer);
	char why[ANSWER_WHY_MAX + 80];
	int64_t soon = resolver_now() + REST_MIN_MS;

	ask_done(&p->ask);
	p->asking = false;
	if (a->status == ANSWER_SECURE &&
		((p->set && set_is_same(p->set, a)) || set_has_key(a, p->spki_sha256))) {
		p->expires_ms = a->expires_ms > soon ? a->expires_ms : soon;
		if (p->set)
			answer_drop(p->set);
		p->set = a;
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
	p->lost(p->arg, why);
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
