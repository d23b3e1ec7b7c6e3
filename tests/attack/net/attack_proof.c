/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open connections whose TLSA changes under them, against a real validating resolver and a
 * real knotd: one lives on only by the very records its handshake relied on, or by its key.
 */
#include "certs.h"
#include "check.h"
#include "tlsworld.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dane/tlsaset.h"
#include "dns/rr.h"
#include "net/proof.h"

static struct tlsworld world;
static struct resolver *resolver;
static struct certs_leaf mine, other;

static void note(void *arg, struct proof_hold *h, bool silent, const char *why)
{
	(void)arg;
	(void)silent;
	memcpy((char *)(h + 1), why, strlen(why) + 1);
}

static void due(void *arg)
{
	(void)arg;
}

static void wake(struct ask *ask)
{
	(void)ask;
}

/* What DNS says about owner, as a peer that was authenticated by it would hold it. */
static struct peer peer_of(const char *owner)
{
	struct question q = { .type = RR_TLSA };
	struct ask ask = { .wake = wake };
	struct peer peer;

	peer_init(&peer);
	assert_int_equal(name_of(owner, &q.name), 0);
	resolver_ask(resolver, &q, RESOLVER_SOURCE_SELF, 0, &ask);
	while (!ask.answer) {
		struct pollfd p = { .fd = resolver_fd(resolver), .events = POLLIN };
		if (poll(&p, 1, 1000) > 0)
			resolver_dispatch(resolver);
	}
	assert_int_equal(ask.answer->status, ANSWER_SECURE);
	peer.how = PEER_BY_DANE;
	peer.tlsa_owner = q.name;
	peer.expires_ms = 1;
	assert_int_equal(tlsaset_hash(ask.answer->rdata, ask.answer->count, peer.tlsa_sha256, NULL),
		0);
	ask_done(&ask);
	return peer;
}

static void set_key(struct peer *peer, const struct certs_leaf *leaf)
{
	unsigned char *der = NULL;
	unsigned n = sizeof peer->spki_sha256;
	int octets = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf->cert), &der);

	assert_int_equal(EVP_Digest(der, (size_t)octets, peer->spki_sha256, &n, EVP_sha256(), NULL),
		1);
	OPENSSL_free(der);
}

struct fate {
	struct proof_hold hold;
	char why[200]; /* it was closed; or "" */
};

/* Connections of these peers, past their expiry. */
static void live(const struct peer *peer, struct fate *fate, unsigned count)
{
	const struct proof_config config = { .resolver = resolver, .due = due, .lost = note };
	struct proofs *proofs;

	assert_int_equal(proof_table_new(&config, &proofs, NULL), 0);
	memset(fate, 0, count * sizeof(*fate));
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(proof_take(proofs, resolver_now(), &peer[i], 1, &fate[i].hold), 0);
	for (int i = 0; i < 20; i++) {
		struct pollfd fd = { .fd = resolver_fd(resolver), .events = POLLIN };
		proof_tick(proofs, resolver_now(), UINT64_MAX);
		if (poll(&fd, 1, 10) > 0)
			resolver_dispatch(resolver);
	}
	for (unsigned i = 0; i < count; i++)
		proof_give(&fate[i].hold);
	proof_table_free(proofs);
}

static const char *fate(const struct peer *peer)
{
	static struct fate one;

	live(peer, &one, 1);
	return one.why;
}

static void the_same_records_keep_a_connection(void **state)
{
	struct peer peer = peer_of("_two.org.example");

	(void)state;
	assert_string_equal(fate(&peer), "");
}

/* A client that holds back its Finished until the cache has turned to the new records. */
static void records_that_came_after_the_proof_keep_nobody(void **state)
{
	struct peer peer = peer_of("_two.org.example");

	(void)state;
	set_key(&peer, &mine);
	peer.tlsa_owner = peer_of("_other.org.example").tlsa_owner;
	assert_string_equal(fate(&peer), "the TLSA was replaced");
}

static void the_key_itself_keeps_it_beside_new_records(void **state)
{
	struct peer peer = peer_of("_other.org.example");

	(void)state;
	set_key(&peer, &mine);
	peer.tlsa_owner = peer_of("_two.org.example").tlsa_owner;
	assert_string_equal(fate(&peer), "");
}

static void a_weaker_digest_than_is_published_keeps_nobody(void **state)
{
	struct peer peer = peer_of("_other.org.example");

	(void)state;
	set_key(&peer, &mine);
	peer.tlsa_owner = peer_of("_agile.org.example").tlsa_owner;
	assert_string_equal(fate(&peer), "the TLSA was replaced");
}

/* The holder of one key is not believed because another's of the same name still is. */
static void a_key_that_is_gone_is_not_kept_by_another_of_its_name(void **state)
{
	struct peer peer[2] = { peer_of("_two.org.example"), peer_of("_two.org.example") };
	struct fate fate[2];

	(void)state;
	set_key(&peer[0], &other);
	set_key(&peer[1], &mine);
	peer[0].tlsa_owner = peer[1].tlsa_owner = peer_of("_other.org.example").tlsa_owner;
	live(peer, fate, 2);
	assert_string_equal(fate[0].why, "");
	assert_string_equal(fate[1].why, "the TLSA was replaced");
}

static void add(const char *owner, const struct certs_leaf *leaf, int matching)
{
	char text[200];

	certs_tlsa(leaf, 3, 1, matching, text, sizeof text);
	tlsworld_add(&world, TLSWORLD_SIGNED, "%s IN TLSA %s", owner, text);
}

static int start(void **state)
{
	(void)state;
	tlsworld_init(&world);
	mine = certs_make(&(struct certs_wish){ .cn = "mine" });
	other = certs_make(&(struct certs_wish){ .cn = "other" });
	add("_two.org", &mine, 1);
	add("_two.org", &other, 1);
	add("_other.org", &other, 1);
	add("_agile.org", &mine, 1);
	add("_agile.org", &other, 2);
	tlsworld_start(&world);
	struct resolver_config config = tlsworld_resolver(&world, getenv("SARDANE_RESOLVERD"));
	return resolver_new(&config, &resolver, NULL);
}

static int stop(void **state)
{
	(void)state;
	resolver_free(resolver);
	tlsworld_stop(&world);
	certs_drop(&mine);
	certs_drop(&other);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_records_keep_a_connection),
		TEST(records_that_came_after_the_proof_keep_nobody),
		TEST(the_key_itself_keeps_it_beside_new_records),
		TEST(a_weaker_digest_than_is_published_keeps_nobody),
		TEST(a_key_that_is_gone_is_not_kept_by_another_of_its_name),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
