/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients that must not come in, against a real server end, a real validating resolver and
 * a real knotd: each is refused, for its own reason, with the one alert that tells nothing.
 */
#include "check.h"
#include "rogue.h"
#include "tlsworld.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define GOOD "_good.org.example"

static struct tlsworld world;
static struct resolver *resolver;
static struct tls_server *dane, *pkix, *either, *ticketed, *beside;
static struct certs_leaf server_leaf, good, other, root, ta_leaf, wrong_name, cn_only, evil_ca,
	evil_leaf, old, server_only;

static bool allow(void *arg, const struct name *client)
{
	struct name example;

	(void)arg;
	assert_int_equal(name_of("example", &example), 0);
	return name_is_within(client, &example);
}

/* For these names the authority suffices. */
static bool allow_by_ca(void *arg, const struct name *client)
{
	struct name name;

	(void)arg;
	assert_int_equal(name_of("_ta.org.example", &name), 0);
	return name_equal(client, &name);
}

/* For other names DANE is asked. */
static bool allow_but_by_ca(void *arg, const struct name *client)
{
	return allow(arg, client) && !allow_by_ca(arg, client);
}

static uint64_t asked(void)
{
	struct resolver_stats stats;

	resolver_stats(resolver, &stats);
	return stats.asked + stats.cached + stats.sent;
}

static char reason[200];
static int alert;

/* The refusal of this client, or PEER_REFUSED_NOT when it came in. */
static enum peer_refusal try_at(struct tls_server *server, const struct rogue *wish)
{
	struct rogue_end e;

	rogue_open(&e, wish, server, 1);
	enum conn_event event = rogue_run(&e, resolver);
	const struct peer *peer = conn_peer(e.server);
	enum peer_refusal refusal = peer->refusal;
	assert_int_equal(event, peer->authenticated ? CONN_READY : CONN_REFUSED);
	assert_int_equal(peer->authenticated, refusal == PEER_REFUSED_NOT);
	memcpy(reason, peer->reason, sizeof reason);
	alert = e.alert;
	rogue_close(&e);
	return refusal;
}

/* ... and it heard handshake_failure(40), as every client that is refused in its verification. */
static enum peer_refusal try_client(const struct rogue *wish)
{
	enum peer_refusal refusal = try_at(dane, wish);

	if (refusal != PEER_REFUSED_NOT)
		assert_int_equal(alert, 40);
	return refusal;
}

static enum peer_refusal try_name(const struct certs_leaf *leaf, const char *name)
{
	struct rogue wish = { .chain = { leaf }, .extension = true, .octets = rogue_name(name) };

	return try_client(&wish);
}

static void an_honest_client_comes_in(void **state)
{
	(void)state;
	assert_int_equal(try_name(&good, GOOD), PEER_REFUSED_NOT);
	assert_string_equal(reason, "TLSA 3 1 1 (DANE-EE, SPKI, SHA2-256) matched at depth 0");
}

static void without_a_certificate(void **state)
{
	struct rogue wish = { .extension = true, .octets = rogue_name(GOOD) };

	(void)state;
	/* OpenSSL sends certificate_required(116) itself: RFC 8446 section 4.4.2.4. */
	assert_int_equal(try_at(dane, &wish), PEER_REFUSED_NO_CERTIFICATE);
	assert_int_equal(alert, 116);
}

static void with_the_certificate_of_another_key(void **state)
{
	(void)state;
	assert_int_equal(try_name(&other, GOOD), PEER_REFUSED_NO_MATCH);
}

static void without_the_extension(void **state)
{
	struct rogue wish = { .chain = { &good } };
	uint64_t before = asked();

	(void)state;
	assert_int_equal(try_client(&wish), PEER_REFUSED_NO_NAME);
	/* Nor does a name in the certificate stand in for it, though its TLSA would match. */
	wish.chain[0] = &ta_leaf;
	wish.chain[1] = &root;
	assert_int_equal(try_client(&wish), PEER_REFUSED_NO_NAME);
	assert_int_equal(asked(), before);
}

static void with_an_empty_name(void **state)
{
	struct rogue wish = { .chain = { &good }, .extension = true, .octets = bytes("\0") };

	(void)state;
	assert_int_equal(try_client(&wish), PEER_REFUSED_EMPTY_NAME);
}

static void with_a_name_of_bad_syntax(void **state)
{
	static const struct span bad[] = { bytes(""),
		bytes("\x05"
		      "ab"),
		bytes("\x03"
		      "abcd"),
		bytes("\x04"
		      "a..b"),
		bytes("\x08"
		      "example."),
		bytes("\x01"
		      "."),
		bytes("\x05"
		      "a b.c"),
		bytes("\x09"
		      "ex\xc3\xa4mple") };
	uint64_t before = asked();

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct rogue wish = { .chain = { &good }, .extension = true, .octets = bad[i] };
		assert_int_equal(try_client(&wish), PEER_REFUSED_BAD_NAME);
	}
	assert_int_equal(asked(), before);
}

static void with_a_name_of_255_octets_and_more(void **state)
{
	uint8_t data[400];
	struct rogue wish = { .chain = { &good }, .extension = true };

	(void)state;
	memset(data, 'a', sizeof data);
	for (int i = 2; i < 255; i += 2)
		data[i] = '.';
	data[0] = 255;
	for (size_t n = 256; n < 400; n += 143) {
		wish.octets = (struct span){ data, n };
		assert_int_equal(try_client(&wish), PEER_REFUSED_BAD_NAME);
	}
}

static void with_the_name_beside_the_second_certificate(void **state)
{
	struct rogue wish = { .chain = { &good, &root },
		.extension = true,
		.octets = rogue_name(GOOD),
		.on_second = true };

	(void)state;
	assert_int_equal(try_client(&wish), PEER_REFUSED_BAD_NAME);
}

static void outside_policy_no_question_is_asked(void **state)
{
	uint64_t before = asked();

	(void)state;
	assert_int_equal(try_name(&good, "_good.org.elsewhere"), PEER_REFUSED_POLICY);
	assert_int_equal(asked(), before);
}

static void where_dns_does_not_help(void **state)
{
	(void)state;
	assert_int_equal(try_name(&good, "_absent.org.example"), PEER_REFUSED_NO_TLSA);
	assert_int_equal(try_name(&good, "_good.plain.example"), PEER_REFUSED_INSECURE);
	assert_int_equal(try_name(&good, "_good.bogus.example"), PEER_REFUSED_BOGUS);
	assert_int_equal(try_name(&good, "_good.expired.example"), PEER_REFUSED_BOGUS);
	assert_non_null(strstr(reason, "expired"));
	assert_int_equal(try_name(&good, "_good.broken.example"), PEER_REFUSED_DNS);
	assert_int_equal(try_name(&good, "_good.silent.example"), PEER_REFUSED_DNS);
	/* Debian 13's libunbound gives up on a mute server before our deadline. */
	assert_true(strstr(reason, "deadline") || strstr(reason, "SERVFAIL"));
}

static void with_records_that_nobody_can_use(void **state)
{
	(void)state;
	assert_int_equal(try_name(&good, "_unusable.org.example"), PEER_REFUSED_UNUSABLE);
}

static void with_a_forged_chain_and_the_real_ca_behind_it(void **state)
{
	struct rogue wish = { .chain = { &evil_leaf, &evil_ca, &root },
		.extension = true,
		.octets = rogue_name("_ta.org.example") };

	(void)state;
	assert_int_equal(try_client(&wish), PEER_REFUSED_NO_MATCH);
	wish.chain[0] = &ta_leaf;
	wish.chain[1] = &root;
	wish.chain[2] = NULL;
	assert_int_equal(try_client(&wish), PEER_REFUSED_NOT);
}

static void below_the_right_ca_with_the_wrong_name(void **state)
{
	struct rogue wish = { .chain = { &wrong_name, &root },
		.extension = true,
		.octets = rogue_name("_ta.org.example") };

	(void)state;
	assert_int_equal(try_client(&wish), PEER_REFUSED_WRONG_NAME);
	wish.chain[0] = &cn_only;
	assert_int_equal(try_client(&wish), PEER_REFUSED_WRONG_NAME);
}

static void by_the_weaker_of_two_digests(void **state)
{
	(void)state;
	assert_int_equal(try_name(&good, "_agile.org.example"), PEER_REFUSED_NO_MATCH);
	assert_int_equal(try_name(&other, "_agile.org.example"), PEER_REFUSED_NOT);
}

static void below_tls_1_3(void **state)
{
	struct rogue wish = { .chain = { &good },
		.extension = true,
		.octets = rogue_name(GOOD),
		.tls12 = true };

	(void)state;
	assert_int_equal(try_at(dane, &wish), PEER_REFUSED_PROTOCOL);
	assert_non_null(strstr(reason, "unsupported protocol"));
}

static void with_a_session_of_a_server_that_gives_none(void **state)
{
	struct rogue wish = { .chain = { &good }, .extension = true, .octets = rogue_name(GOOD) };
	struct rogue_end e;

	(void)state;
	rogue_open(&e, &wish, dane, 1);
	assert_int_equal(rogue_run(&e, resolver), CONN_READY);
	assert_null(e.session);
	rogue_close(&e);
}

/* One handshake at a server with tickets; its session, if any, comes back. */
static SSL_SESSION *run_at(struct tls_server *server, const struct rogue *wish,
	enum peer_refusal expected, bool resumed)
{
	struct rogue_end e;

	rogue_open(&e, wish, server, 1);
	rogue_run(&e, resolver);
	const struct peer *peer = conn_peer(e.server);
	assert_int_equal(peer->refusal, expected);
	assert_int_equal(peer->authenticated, expected == PEER_REFUSED_NOT);
	assert_int_equal(peer->resumed, resumed);
	assert_int_equal(peer->authenticated && SSL_session_reused(e.ssl), resumed);
	SSL_SESSION *session = e.session;
	e.session = NULL;
	rogue_close(&e);
	return session;
}

static SSL_SESSION *run_ticketed(SSL_SESSION *resume, enum peer_refusal expected, bool resumed)
{
	struct rogue wish = { .chain = { &good },
		.extension = true,
		.octets = rogue_name("_brief.org.example"),
		.resume = resume };

	return run_at(ticketed, &wish, expected, resumed);
}

static void by_resumption_after_the_tlsa_was_removed(void **state)
{
	char record[200];
	struct question q = { .type = 52 };

	(void)state;
	certs_tlsa(&good, 3, 1, 1, record, sizeof record);
	SSL_SESSION *first = run_ticketed(NULL, PEER_REFUSED_NOT, false);
	assert_non_null(first);
	assert_null(run_ticketed(first, PEER_REFUSED_NOT, true));
	SSL_SESSION *second = run_ticketed(NULL, PEER_REFUSED_NOT, false);
	assert_non_null(second);
	/* What the cache does not hold is not waited for: a full handshake. */
	assert_int_equal(name_of("_brief.org.example", &q.name), 0);
	resolver_forget(resolver, &q);
	SSL_SESSION *third = run_ticketed(second, PEER_REFUSED_NOT, false);
	assert_non_null(third);
	/* Its TTL is four seconds: as long as the handshakes above may take together. */
	char *line = strstr(world.zone[TLSWORLD_SIGNED], "_brief");
	memset(line, ';', 6);
	tlsworld_reload(&world);
	usleep(5100000);
	SSL_SESSION *fourth = run_ticketed(third, PEER_REFUSED_NO_TLSA, false);
	SSL_SESSION_free(first);
	SSL_SESSION_free(second);
	SSL_SESSION_free(third);
	SSL_SESSION_free(fourth);
}

/* The owner of an SSL_CTX switches tickets on behind our back: they are bound to nothing. */
static void by_a_ticket_that_is_bound_to_nothing(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	struct tls_server_config config = { .resolver = resolver, .authorise = allow };
	struct rogue wish = { .chain = { &good }, .extension = true, .octets = rogue_name(GOOD) };
	struct tls_server *s = NULL;
	struct rogue_end e;

	(void)state;
	assert_int_equal(SSL_CTX_use_certificate(ctx, server_leaf.cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, server_leaf.key), 1);
	assert_int_equal(tls_server_attach(&config, ctx, &s, NULL), 0);
	SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"x", 1);
	rogue_open(&e, &wish, s, 1);
	assert_int_equal(rogue_run(&e, resolver), CONN_READY);
	SSL_SESSION *session = e.session;
	e.session = NULL;
	assert_non_null(session);
	rogue_close(&e);
	wish.resume = session;
	assert_int_equal(try_at(s, &wish), PEER_REFUSED_PROTOCOL);
	assert_string_equal(reason, "resumed without a bound ticket");
	SSL_SESSION_free(session);
	tls_server_free(s);
	SSL_CTX_free(ctx);
}

static int believe_all(int ok, X509_STORE_CTX *ctx)
{
	(void)ok;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

/* A callback that the owner of the SSL_CTX left in it talks no error away. */
static void past_a_verify_callback_that_believes_all(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	struct tls_server_config config = { .resolver = resolver, .authorise = allow };
	struct rogue wish = { .chain = { &wrong_name, &root },
		.extension = true,
		.octets = rogue_name("_ta.org.example") };
	struct tls_server *s = NULL;

	(void)state;
	assert_int_equal(SSL_CTX_use_certificate(ctx, server_leaf.cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, server_leaf.key), 1);
	assert_int_equal(tls_server_attach(&config, ctx, &s, NULL), 0);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, believe_all);
	X509_STORE_set_verify_cb(SSL_CTX_get_cert_store(ctx), believe_all);
	assert_int_equal(try_at(s, &wish), PEER_REFUSED_WRONG_NAME);
	tls_server_free(s);
	SSL_CTX_free(ctx);
}

/* A blocking program without jobs: what is not cached cannot be waited for, so it is refused. */
static void where_nothing_can_wait_only_the_cache_counts(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	struct tls_server_config config = { .resolver = resolver, .authorise = allow };
	struct rogue wish = { .chain = { &good }, .extension = true, .octets = rogue_name(GOOD) };
	struct tls_server *s = NULL;
	struct question q = { .type = 52 };

	(void)state;
	assert_int_equal(SSL_CTX_use_certificate(ctx, server_leaf.cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, server_leaf.key), 1);
	assert_int_equal(tls_server_attach(&config, ctx, &s, NULL), 0);
	SSL_CTX_clear_mode(ctx, SSL_MODE_ASYNC);
	assert_int_equal(name_of(GOOD, &q.name), 0);
	resolver_forget(resolver, &q);
	assert_int_equal(try_at(s, &wish), PEER_REFUSED_DNS);
	assert_int_equal(try_name(&good, GOOD), PEER_REFUSED_NOT);
	assert_int_equal(try_at(s, &wish), PEER_REFUSED_NOT);
	tls_server_free(s);
	SSL_CTX_free(ctx);
}

static void in_pkix_mode(void **state)
{
	struct rogue wish = { .chain = { &ta_leaf, &root } };

	(void)state;
	assert_int_equal(try_at(pkix, &wish), PEER_REFUSED_NOT);
	wish.chain[0] = &old;
	assert_int_equal(try_at(pkix, &wish), PEER_REFUSED_CHAIN);
	assert_non_null(strstr(reason, "expired"));
	assert_int_equal(alert, 40);
	wish.chain[0] = &evil_leaf;
	wish.chain[1] = &evil_ca;
	assert_int_equal(try_at(pkix, &wish), PEER_REFUSED_CHAIN);
	/* A certificate of the right CA, for another name than the one claimed. */
	wish = (struct rogue){ .chain = { &ta_leaf, &root },
		.extension = true,
		.octets = rogue_name(GOOD) };
	assert_int_equal(try_at(pkix, &wish), PEER_REFUSED_WRONG_NAME);
}

static void by_pkix_where_dns_has_a_tlsa_or_fails(void **state)
{
	struct rogue wish = { .chain = { &ta_leaf, &root } };

	(void)state;
	/* Without the extension the certificate's name counts, and its TLSA. */
	assert_int_equal(try_at(either, &wish), PEER_REFUSED_NOT);
	assert_non_null(strstr(reason, "TLSA 2 0 1"));
	static const struct {
		const char *name;
		enum peer_refusal refusal;
	} cases[] = { { "_absent.org.example", PEER_REFUSED_NOT },
		{ "_good.plain.example", PEER_REFUSED_NOT }, { GOOD, PEER_REFUSED_NO_MATCH },
		{ "_good.bogus.example", PEER_REFUSED_BOGUS },
		{ "_good.broken.example", PEER_REFUSED_DNS },
		{ "_unusable.org.example", PEER_REFUSED_UNUSABLE } };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char san[100];
		snprintf(san, sizeof san, "DNS:%s", cases[i].name);
		struct certs_leaf leaf =
			certs_make(&(struct certs_wish){ .san = san, .issuer = &root });
		wish.chain[0] = &leaf;
		assert_int_equal(try_at(either, &wish), cases[i].refusal);
		certs_drop(&leaf);
	}
}

static void beside_dane_by_a_client_ca_and_no_name(void **state)
{
	struct rogue wish = { .chain = { &ta_leaf, &root } };
	uint64_t before = asked();
	static const struct {
		const struct certs_leaf *leaf, *issuer;
		enum peer_refusal refusal;
	} cases[] = { { &old, &root, PEER_REFUSED_CHAIN },
		{ &server_only, &root, PEER_REFUSED_CHAIN },
		{ &evil_leaf, &evil_ca, PEER_REFUSED_CHAIN },
		{ &evil_leaf, &root, PEER_REFUSED_CHAIN }, { &cn_only, &root, PEER_REFUSED_POLICY },
		{ &wrong_name, &root, PEER_REFUSED_POLICY }, { &good, NULL, PEER_REFUSED_POLICY } };

	(void)state;
	assert_int_equal(try_at(beside, &wish), PEER_REFUSED_NOT);
	assert_string_equal(reason, "certificate chain leads to a configured CA");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		wish.chain[0] = cases[i].leaf;
		wish.chain[1] = cases[i].issuer;
		assert_int_equal(try_at(beside, &wish), cases[i].refusal);
		assert_int_equal(alert, 40);
	}
	assert_int_equal(asked(), before);
}

/* A ticket rests on a TLSA, and there is none: the chain is judged each time. */
static void by_resumption_of_what_a_client_ca_proved(void **state)
{
	struct rogue wish = { .chain = { &ta_leaf, &root } };

	(void)state;
	wish.resume = run_at(beside, &wish, PEER_REFUSED_NOT, false);
	assert_non_null(wish.resume);
	SSL_SESSION_free(run_at(beside, &wish, PEER_REFUSED_NOT, false));
	wish.chain[0] = &old;
	assert_null(run_at(beside, &wish, PEER_REFUSED_CHAIN, false));
	SSL_SESSION_free(wish.resume);
}

static void by_a_client_ca_with_a_name_that_dane_refuses(void **state)
{
	static const struct {
		const char *name;
		enum peer_refusal refusal;
	} cases[] = { { "_absent.org.example", PEER_REFUSED_NO_TLSA },
		{ "_good.plain.example", PEER_REFUSED_INSECURE },
		{ "_good.bogus.example", PEER_REFUSED_BOGUS },
		{ "_good.broken.example", PEER_REFUSED_DNS },
		{ "_unusable.org.example", PEER_REFUSED_UNUSABLE }, { GOOD, PEER_REFUSED_NO_MATCH },
		{ "_ta.org.example", PEER_REFUSED_POLICY } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char san[100];
		snprintf(san, sizeof san, "DNS:%s,DNS:_ta.org.example", cases[i].name);
		struct certs_leaf leaf =
			certs_make(&(struct certs_wish){ .san = san, .issuer = &root });
		struct rogue wish = { .chain = { &leaf, &root },
			.extension = true,
			.octets = rogue_name(cases[i].name) };
		assert_int_equal(try_at(beside, &wish), cases[i].refusal);
		assert_int_equal(alert, 40);
		certs_drop(&leaf);
	}
	/* Nor is a client_ca an authority for TLSA records that need one. */
	struct rogue wish = { .chain = { &wrong_name, &root },
		.extension = true,
		.octets = rogue_name("_other.org.example") };
	assert_int_equal(try_at(beside, &wish), PEER_REFUSED_CHAIN);
	wish = (struct rogue){ .chain = { &good }, .extension = true, .octets = rogue_name(GOOD) };
	assert_int_equal(try_at(beside, &wish), PEER_REFUSED_NOT);
}

/* Bytes in use, of OpenSSL's jobs and everything else. */
static size_t in_use(void)
{
	return mallinfo2().uordblks;
}

static void open_paused(struct rogue_end *e, const struct rogue *wish, uint64_t source)
{
	rogue_open(e, wish, dane, source);
	for (int i = 0; i < 100; i++)
		if (rogue_turn(e) == CONN_WANT_DNS)
			return;
	fail_msg("the handshake does not wait for DNS");
}

static void closed_while_waiting_leaks_nothing(void **state)
{
	struct rogue wish = { .chain = { &good },
		.extension = true,
		.octets = rogue_name("_paused.silent.example") };
	struct rogue_end e;
	size_t before = 0;

	(void)state;
	for (int i = 0; i < 120; i++) {
		if (i == 20)
			before = in_use();
		open_paused(&e, &wish, 2);
		conn_free(e.server);
		e.server = NULL;
		rogue_close(&e);
	}
	/* A job that is not resumed leaks 38 KiB: 3.8 MB in a hundred. */
	assert_true(in_use() < before + 400000);
}

#define HALF_OPEN  1000
#define OPEN_MAX   2048
#define ONE_SOURCE 80

static struct rogue_end many[HALF_OPEN + ONE_SOURCE];

/* Opens the i-th, with a name of its own, until it waits or is refused. No dispatch: nothing
 * is answered meanwhile. */
static enum conn_event open_half(unsigned i, uint64_t source)
{
	static uint8_t octets[HALF_OPEN + ONE_SOURCE][64];
	static struct rogue wish[HALF_OPEN + ONE_SOURCE];
	enum conn_event event = CONN_WANT_READ;
	char name[64];

	snprintf(name, sizeof name, "_d%u.silent.example", i);
	struct span s = rogue_name(name);
	memcpy(octets[i], s.p, s.n);
	wish[i] = (struct rogue){ .chain = { &good },
		.extension = true,
		.octets = { octets[i], s.n } };
	rogue_open(&many[i], &wish[i], dane, source);
	for (int t = 0; t < 50 && (event == CONN_WANT_READ || event == CONN_WANT_WRITE); t++)
		event = rogue_turn(&many[i]);
	return event;
}

static void a_thousand_half_open_handshakes_stop_nobody(void **state)
{
	unsigned refused = 0;

	(void)state;
	for (unsigned i = 0; i < HALF_OPEN; i++)
		assert_int_equal(open_half(i, 1000 + i / 50), CONN_WANT_DNS);
	for (unsigned i = HALF_OPEN; i < HALF_OPEN + ONE_SOURCE; i++)
		refused += open_half(i, 7) == CONN_REFUSED;
	/* A source has 64 questions at most, and once half of all are taken no new one beyond an
	 * eighth of that: this one gets to the half. Others still have theirs. */
	assert_int_equal(refused, ONE_SOURCE - (OPEN_MAX / 2 - HALF_OPEN));
	assert_int_equal(try_name(&good, "_fresh.org.example"), PEER_REFUSED_NOT);
	assert_int_equal(try_name(&good, GOOD), PEER_REFUSED_NOT);
	for (unsigned i = 0; i < HALF_OPEN + ONE_SOURCE; i++) {
		assert_false(conn_peer(many[i].server)->authenticated);
		rogue_close(&many[i]);
	}
}

static void add_records(void)
{
	char text[8][9000];

	certs_tlsa(&good, 3, 1, 1, text[0], sizeof text[0]);
	for (int z = 0; z < 4; z++)
		tlsworld_add(&world, (enum tlsworld_zone)z, "%s IN TLSA %s",
			z ? "_good" : "_good.org", text[0]);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_brief.org 4 IN TLSA %s", text[0]);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_fresh.org IN TLSA %s", text[0]);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_agile.org IN TLSA %s", text[0]);
	certs_tlsa(&other, 3, 1, 2, text[1], sizeof text[1]);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_agile.org IN TLSA %s", text[1]);
	certs_tlsa(&root, 2, 0, 1, text[2], sizeof text[2]);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_ta.org IN TLSA %s", text[2]);
	certs_tlsa(&wrong_name, 1, 1, 1, text[3], sizeof text[3]);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_other.org IN TLSA %s", text[3]);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_unusable.org IN TLSA 3 1 7 00ff");
	tlsworld_add(&world, TLSWORLD_SIGNED, "_unusable.org IN TLSA 9 1 1 %064d", 0);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_unusable.org IN TLSA 3 1 1 00ff");
}

static void make_certificates(void)
{
	server_leaf = certs_make(&(struct certs_wish){ .san = "DNS:js.org.example" });
	good = certs_make(&(struct certs_wish){ .cn = "good" });
	other = certs_make(&(struct certs_wish){ .cn = "other" });
	root = certs_make(&(struct certs_wish){ .cn = "root", .authority = true });
	ta_leaf = certs_make(&(struct certs_wish){ .san = "DNS:_ta.org.example", .issuer = &root });
	wrong_name = certs_make(
		&(struct certs_wish){ .san = "DNS:_other.org.example", .issuer = &root });
	cn_only = certs_make(&(struct certs_wish){ .cn = "_ta.org.example", .issuer = &root });
	evil_ca = certs_make(&(struct certs_wish){ .cn = "root", .authority = true });
	evil_leaf = certs_make(
		&(struct certs_wish){ .san = "DNS:_ta.org.example", .issuer = &evil_ca });
	old = certs_make(&(struct certs_wish){ .san = "DNS:_ta.org.example",
		.issuer = &root,
		.expired = true });
	server_only = certs_make(&(struct certs_wish){ .san = "DNS:_ta.org.example",
		.issuer = &root,
		.usage = "serverAuth" });
}

static struct tls_server *new_server(enum tls_mode mode, bool tickets, bool client_ca)
{
	char cert[128], key[128], ca[128];
	struct tls_server *s = NULL;
	struct err err = { 0 };

	snprintf(cert, sizeof cert, "%s/server.pem", world.folder);
	snprintf(key, sizeof key, "%s/server-key.pem", world.folder);
	snprintf(ca, sizeof ca, "%s/root.pem", world.folder);
	struct tls_server_config config = { .mode = mode,
		.tls_cert = cert,
		.tls_key = key,
		.ca_cert = mode == TLS_DANE ? NULL : ca,
		.resolver = resolver,
		.authorise = client_ca ? allow_but_by_ca : allow,
		.client_ca = client_ca ? ca : NULL,
		.authorise_by_ca = client_ca ? allow_by_ca : NULL,
		.tickets = tickets };
	if (tls_server_new(&config, &s, &err))
		fail_msg("%s", err.msg);
	return s;
}

static int start(void **state)
{
	struct rlimit files;
	struct err err = { 0 };

	(void)state;
	/* A thousand pairs of sockets are more than the usual soft limit. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	tlsworld_init(&world);
	make_certificates();
	add_records();
	certs_write(world.folder, "server", &server_leaf, NULL);
	certs_write(world.folder, "root", &root, NULL);
	tlsworld_start(&world);
	struct resolver_config config = tlsworld_resolver(&world, getenv("SARDANE_RESOLVERD"));
	config.negative_ttl_max_s = 1;
	config.open_max = OPEN_MAX;
	if (resolver_new(&config, &resolver, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	dane = new_server(TLS_DANE, false, false);
	pkix = new_server(TLS_PKIX, false, false);
	either = new_server(TLS_DANE_OR_PKIX, false, false);
	ticketed = new_server(TLS_DANE, true, false);
	beside = new_server(TLS_DANE, true, true);
	return 0;
}

static int stop(void **state)
{
	struct certs_leaf *const all[] = { &server_leaf, &good, &other, &root, &ta_leaf,
		&wrong_name, &cn_only, &evil_ca, &evil_leaf, &old, &server_only };

	(void)state;
	tls_server_free(dane);
	tls_server_free(pkix);
	tls_server_free(either);
	tls_server_free(ticketed);
	tls_server_free(beside);
	resolver_free(resolver);
	tlsworld_stop(&world);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		certs_drop(all[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_honest_client_comes_in),
		TEST(without_a_certificate),
		TEST(with_the_certificate_of_another_key),
		TEST(without_the_extension),
		TEST(with_an_empty_name),
		TEST(with_a_name_of_bad_syntax),
		TEST(with_a_name_of_255_octets_and_more),
		TEST(with_the_name_beside_the_second_certificate),
		TEST(outside_policy_no_question_is_asked),
		TEST(where_dns_does_not_help),
		TEST(with_records_that_nobody_can_use),
		TEST(with_a_forged_chain_and_the_real_ca_behind_it),
		TEST(below_the_right_ca_with_the_wrong_name),
		TEST(by_the_weaker_of_two_digests),
		TEST(below_tls_1_3),
		TEST(with_a_session_of_a_server_that_gives_none),
		TEST(by_resumption_after_the_tlsa_was_removed),
		TEST(by_a_ticket_that_is_bound_to_nothing),
		TEST(past_a_verify_callback_that_believes_all),
		TEST(where_nothing_can_wait_only_the_cache_counts),
		TEST(in_pkix_mode),
		TEST(by_pkix_where_dns_has_a_tlsa_or_fails),
		TEST(beside_dane_by_a_client_ca_and_no_name),
		TEST(by_resumption_of_what_a_client_ca_proved),
		TEST(by_a_client_ca_with_a_name_that_dane_refuses),
		TEST(closed_while_waiting_leaks_nothing),
		TEST(a_thousand_half_open_handshakes_stop_nobody),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
