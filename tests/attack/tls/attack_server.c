/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers that must not be believed, against a real client end, a real resolver and a real
 * knotd; and the mutual handshake that must work, both ends being ours.
 */
#include "certs.h"
#include "check.h"
#include "pair.h"
#include "rogue.h"
#include "tlsworld.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT 8003

static struct tlsworld world;
static struct resolver *resolver;
static struct certs_leaf good, other, root, ta_leaf, client_leaf;
static struct tls_server *by_good, *by_other, *by_ta;
static struct tls_client *dane, *either, *elsewhere, *nameless;

static bool allow(void *arg, const struct name *client)
{
	(void)arg;
	return name_labels(client) > 1;
}

static struct peer seen_by_client, seen_by_server;
static enum conn_event at_client;

static enum peer_refusal meet(struct tls_server *server, struct tls_client *client,
	const char *host, enum tls_mode mode)
{
	struct service *s = pair_find(resolver, host, PORT, mode);
	struct pair p;

	assert_non_null(s);
	assert_int_equal(s->count, 1);
	/* Also where the engine says no: a client end that is told to go on must refuse. */
	assert_true(pair_open(&p, server, client, &s->endpoint[0]));
	pair_run(&p, resolver);
	seen_by_client = *conn_peer(p.client);
	seen_by_server = *conn_peer(p.server);
	at_client = p.at_client;
	assert_true(at_client != CONN_READY || seen_by_client.authenticated);
	pair_close(&p);
	service_drop(s);
	return seen_by_client.refusal;
}

static void both_ends_prove_themselves_without_a_common_ca(void **state)
{
	(void)state;
	assert_int_equal(meet(by_good, dane, "good.org.example", TLS_DANE), PEER_REFUSED_NOT);
	assert_int_equal(at_client, CONN_READY);
	assert_true(seen_by_client.authenticated);
	assert_int_equal(seen_by_client.how, PEER_BY_DANE);
	assert_int_equal(seen_by_client.usage, 3);
	assert_true(seen_by_client.expires_ms > resolver_now());
	assert_true(seen_by_server.authenticated);
	assert_int_equal(seen_by_server.how, PEER_BY_DANE);
	char name[NAME_TEXT_MAX];
	assert_int_equal(name_write_text(&seen_by_server.name, name, sizeof name), 0);
	assert_string_equal(name, "_ns.org.example");
	assert_true(seen_by_server.expires_ms > resolver_now());
}

static void the_key_of_another_is_refused(void **state)
{
	(void)state;
	assert_int_equal(meet(by_other, dane, "good.org.example", TLS_DANE), PEER_REFUSED_NO_MATCH);
}

static void dns_that_proves_nothing_lets_nobody_be_believed(void **state)
{
	(void)state;
	assert_int_equal(meet(by_good, dane, "bare.org.example", TLS_DANE), PEER_REFUSED_DNS);
	assert_int_equal(meet(by_good, dane, "good.plain.example", TLS_DANE), PEER_REFUSED_DNS);
	assert_int_equal(meet(by_good, dane, "good.bogus.example", TLS_DANE), PEER_REFUSED_DNS);
	assert_int_equal(meet(by_good, either, "good.bogus.example", TLS_DANE_OR_PKIX),
		PEER_REFUSED_DNS);
	assert_int_equal(meet(by_good, either, "good.silent.example", TLS_DANE_OR_PKIX),
		PEER_REFUSED_DNS);
	/* The host is there, its CA is trusted and its certificate right; the TLSA alone fails. */
	assert_int_equal(meet(by_ta, either, "cross.org.example", TLS_DANE_OR_PKIX),
		PEER_REFUSED_DNS);
	assert_int_equal(meet(by_ta, either, "mute.org.example", TLS_DANE_OR_PKIX),
		PEER_REFUSED_DNS);
}

static void a_trust_anchor_in_dns_wants_the_name(void **state)
{
	(void)state;
	assert_int_equal(meet(by_ta, dane, "ta.org.example", TLS_DANE), PEER_REFUSED_NOT);
	assert_int_equal(seen_by_client.usage, 2);
	assert_int_equal(seen_by_client.depth, 1);
	assert_int_equal(meet(by_ta, dane, "tb.org.example", TLS_DANE), PEER_REFUSED_WRONG_NAME);
}

static void pkix_only_where_dns_securely_has_nothing(void **state)
{
	(void)state;
	assert_int_equal(meet(by_ta, either, "bare.org.example", TLS_DANE_OR_PKIX),
		PEER_REFUSED_WRONG_NAME);
	assert_int_equal(meet(by_ta, either, "tc.org.example", TLS_DANE_OR_PKIX), PEER_REFUSED_NOT);
	assert_int_equal(seen_by_client.how, PEER_BY_PKIX);
	/* A TLSA in DNS binds, though the CA is trusted and the name is right. */
	assert_int_equal(meet(by_ta, either, "td.org.example", TLS_DANE_OR_PKIX),
		PEER_REFUSED_NO_MATCH);
}

static void an_insecure_alias_is_held_to_the_name_given(void **state)
{
	(void)state;
	/* alias.org -> good.plain: the way is unsigned, the TLSA at the alias itself is not. */
	assert_int_equal(meet(by_good, dane, "alias.org.example", TLS_DANE), PEER_REFUSED_NOT);
	assert_int_equal(meet(by_other, dane, "alias.org.example", TLS_DANE),
		PEER_REFUSED_NO_MATCH);
}

static void what_dns_said_long_ago_counts_no_more(void **state)
{
	struct service *s = pair_find(resolver, "good.org.example", PORT, TLS_DANE);
	struct pair p;

	(void)state;
	s->endpoint[0].expires_ms = resolver_now() - 60000;
	assert_true(pair_open(&p, by_good, dane, &s->endpoint[0]));
	pair_run(&p, resolver);
	assert_int_equal(conn_peer(p.client)->refusal, PEER_REFUSED_STALE);
	pair_close(&p);
	service_drop(s);
}

static void a_client_without_a_name_is_told_nothing(void **state)
{
	(void)state;
	(void)meet(by_good, nameless, "good.org.example", TLS_DANE);
	assert_int_equal(seen_by_server.refusal, PEER_REFUSED_NO_NAME);
	assert_false(seen_by_server.asked_dns);
	assert_int_equal(at_client, CONN_REFUSED);
	assert_non_null(strstr(seen_by_client.reason, "handshake failure"));
}

static bool stop_there(void *arg)
{
	++*(unsigned *)arg;
	return false;
}

/* tls_client_hook, as an HTTP library uses it: its own SSL_CTX, its own SSL; in portions. */
static bool meet_by_hook(struct tls_server *server, struct tls_client *client, SSL_CTX *ctx,
	const char *host, enum tls_mode mode)
{
	struct service *s = pair_find(resolver, host, PORT, mode);
	struct peer peer;
	struct pair p = { 0 };
	unsigned stops = 0;
	int rc = 0;

	assert_int_not_equal(tls_client_portion(ctx, stop_there, &stops, NULL), 0);
	assert_int_equal(tls_client_hook(client, &s->endpoint[0], ctx, &peer, NULL), 0);
	assert_int_equal(tls_client_portion(ctx, stop_there, &stops, NULL), 0);
	assert_int_not_equal(tls_client_hook(client, &s->endpoint[0], ctx, &peer, NULL), 0);
	assert_true(pair_open(&p, server, client, &s->endpoint[0]));
	SSL *ssl = SSL_new(ctx);
	SSL_set_fd(ssl, p.fd[0]);
	SSL_set_connect_state(ssl);
	for (int t = 0; t < 50 && rc != 1; t++) {
		rc = SSL_do_handshake(ssl);
		if (SSL_get_error(ssl, rc) == SSL_ERROR_SSL)
			break;
		(void)conn_handshake(p.server);
	}
	while (conn_handshake(p.server) == CONN_WANT_DNS)
		rogue_wait(resolver, 1000);
	seen_by_client = peer;
	seen_by_server = *conn_peer(p.server);
	assert_int_equal(rc == 1, peer.authenticated);
	assert_true(stops >= 3);
	SSL_free(ssl);
	pair_close(&p);
	service_drop(s);
	return rc == 1;
}

/* Verification off, and our files gone from the disk since: no connection reads them again. */
static void a_foreign_ssl_ctx_is_held_to_the_same(void **state)
{
	struct tls_server *const servers[] = { by_good, by_other };

	(void)state;
	for (int i = 0; i < 2; i++) {
		SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
		bool done = meet_by_hook(servers[i], dane, ctx, "good.org.example", TLS_DANE);
		assert_int_equal(done, i == 0);
		assert_int_equal(seen_by_client.refusal,
			i == 0 ? PEER_REFUSED_NOT : PEER_REFUSED_NO_MATCH);
		assert_int_equal(seen_by_server.authenticated, i == 0);
		SSL_CTX_free(ctx);
	}
}

static void the_authorities_of_a_foreign_ssl_ctx_do_not_count(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	(void)state;
	X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), root.cert);
	assert_false(meet_by_hook(by_ta, elsewhere, ctx, "tc.org.example", TLS_DANE_OR_PKIX));
	assert_int_equal(seen_by_client.refusal, PEER_REFUSED_CHAIN);
	SSL_CTX_free(ctx);
	ctx = SSL_CTX_new(TLS_client_method());
	assert_true(meet_by_hook(by_ta, either, ctx, "tc.org.example", TLS_DANE_OR_PKIX));
	assert_int_equal(seen_by_client.how, PEER_BY_PKIX);
	SSL_CTX_free(ctx);
}

static struct tls_server *serve(const char *name)
{
	char cert[128], key[128];
	struct tls_server *s = NULL;

	snprintf(cert, sizeof cert, "%s/%s.pem", world.folder, name);
	snprintf(key, sizeof key, "%s/%s-key.pem", world.folder, name);
	struct tls_server_config config = { .tls_cert = cert,
		.tls_key = key,
		.resolver = resolver,
		.authorise = allow };
	assert_int_equal(tls_server_new(&config, &s, NULL), 0);
	return s;
}

static struct tls_client *connect_as(enum tls_mode mode, const char *client_name,
	const char *authority)
{
	char cert[128], key[128], ca[128];
	struct tls_client *c = NULL;
	struct err err = { 0 };

	snprintf(cert, sizeof cert, "%s/client.pem", world.folder);
	snprintf(key, sizeof key, "%s/client-key.pem", world.folder);
	snprintf(ca, sizeof ca, "%s/%s.pem", world.folder, authority);
	struct tls_client_config config = { .mode = mode,
		.tls_cert = cert,
		.tls_key = key,
		.dane_client_name = client_name,
		.ca_cert = mode == TLS_DANE ? NULL : ca };
	if (tls_client_new(&config, &c, &err))
		fail_msg("%s", err.msg);
	return c;
}

static void forget_file(const char *name)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", world.folder, name);
	assert_int_equal(unlink(path), 0);
}

static void add_records(void)
{
	char ee[200], ta[200], client[200];
	static const char *const with_ee[] = { "good.org", "td.org", "alias.org" };
	static const char *const with_ta[] = { "ta.org", "tb.org" };
	static const char *const hosts[] = { "good.org", "bare.org", "ta.org", "tb.org", "tc.org",
		"td.org", "cross.org", "mute.org" };

	certs_tlsa(&good, 3, 1, 1, ee, sizeof ee);
	certs_tlsa(&root, 2, 0, 1, ta, sizeof ta);
	certs_tlsa(&client_leaf, 3, 1, 1, client, sizeof client);
	for (int z = 1; z < 4; z++) {
		tlsworld_add(&world, (enum tlsworld_zone)z, "good IN A 127.0.0.1");
		tlsworld_add(&world, (enum tlsworld_zone)z, "_8003._tcp.good IN TLSA %s", ee);
	}
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
		tlsworld_add(&world, TLSWORLD_SIGNED, "%s IN A 127.0.0.1", hosts[i]);
	tlsworld_add(&world, TLSWORLD_SIGNED, "alias.org IN CNAME good.plain");
	tlsworld_add(&world, TLSWORLD_SIGNED,
		"_8003._tcp.cross.org IN CNAME _8003._tcp.good.bogus");
	tlsworld_add(&world, TLSWORLD_SIGNED,
		"_8003._tcp.mute.org IN CNAME _8003._tcp.good.silent");
	for (size_t i = 0; i < sizeof with_ee / sizeof with_ee[0]; i++)
		tlsworld_add(&world, TLSWORLD_SIGNED, "_8003._tcp.%s IN TLSA %s", with_ee[i], ee);
	for (size_t i = 0; i < sizeof with_ta / sizeof with_ta[0]; i++)
		tlsworld_add(&world, TLSWORLD_SIGNED, "_8003._tcp.%s IN TLSA %s", with_ta[i], ta);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_ns.org IN TLSA %s", client);
}

static int start(void **state)
{
	struct err err = { 0 };

	(void)state;
	tlsworld_init(&world);
	good = certs_make(&(struct certs_wish){ .cn = "good" });
	other = certs_make(&(struct certs_wish){ .cn = "other" });
	client_leaf = certs_make(&(struct certs_wish){ .cn = "client" });
	root = certs_make(&(struct certs_wish){ .cn = "root", .authority = true });
	ta_leaf = certs_make(&(struct certs_wish){
		.san = "DNS:ta.org.example,DNS:tc.org.example,DNS:td.org.example,"
		       "DNS:cross.org.example,DNS:mute.org.example",
		.issuer = &root });
	certs_write(world.folder, "good", &good, NULL);
	certs_write(world.folder, "other", &other, NULL);
	certs_write(world.folder, "client", &client_leaf, NULL);
	certs_write(world.folder, "root", &root, NULL);
	certs_write(world.folder, "ta", &ta_leaf, (const struct certs_leaf *[]){ &root, NULL });
	add_records();
	tlsworld_start(&world);
	struct resolver_config config = tlsworld_resolver(&world, getenv("SARDANE_RESOLVERD"));
	if (resolver_new(&config, &resolver, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	by_good = serve("good");
	by_other = serve("other");
	by_ta = serve("ta");
	dane = connect_as(TLS_DANE, "_ns.org.example", "root");
	either = connect_as(TLS_DANE_OR_PKIX, "_ns.org.example", "root");
	elsewhere = connect_as(TLS_DANE_OR_PKIX, "_ns.org.example", "other");
	nameless = connect_as(TLS_DANE, NULL, "root");
	forget_file("client.pem");
	forget_file("client-key.pem");
	forget_file("root.pem");
	return 0;
}

static int stop(void **state)
{
	struct certs_leaf *const all[] = { &good, &other, &root, &ta_leaf, &client_leaf };

	(void)state;
	tls_server_free(by_good);
	tls_server_free(by_other);
	tls_server_free(by_ta);
	tls_client_free(dane);
	tls_client_free(either);
	tls_client_free(elsewhere);
	tls_client_free(nameless);
	resolver_free(resolver);
	tlsworld_stop(&world);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		certs_drop(all[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_ends_prove_themselves_without_a_common_ca),
		TEST(the_key_of_another_is_refused),
		TEST(dns_that_proves_nothing_lets_nobody_be_believed),
		TEST(a_trust_anchor_in_dns_wants_the_name),
		TEST(pkix_only_where_dns_securely_has_nothing),
		TEST(an_insecure_alias_is_held_to_the_name_given),
		TEST(what_dns_said_long_ago_counts_no_more),
		TEST(a_client_without_a_name_is_told_nothing),
		TEST(a_foreign_ssl_ctx_is_held_to_the_same),
		TEST(the_authorities_of_a_foreign_ssl_ctx_do_not_count),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
