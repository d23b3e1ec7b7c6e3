/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's kept session, and the switch for older drafts: neither is a way around DANE.
 * Real ends, a real resolver, a real knotd.
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
#include <sys/socket.h>
#include <unistd.h>

#define PORT 8003

static struct tlsworld world;
static struct resolver *resolver;
static struct certs_leaf good, other, client_leaf, authority, below;
static struct tls_server *by_good, *by_other, *by_below, *without_tickets, *compat;
/* One listener: who asks for inner.org.example meets inner, which admits nobody, and so on. */
static struct tls_server *listener, *inner, *beside;
static struct tls_client *client, *compat_client;

static bool closed; /* policy admits nobody any more */

static bool allow(void *arg, const struct name *name)
{
	(void)arg;
	return !closed && name_labels(name) > 1;
}

static bool allow_nobody(void *arg, const struct name *name)
{
	(void)arg, (void)name;
	return false;
}

/* What one handshake came to. */
struct met {
	struct peer at_client, at_server;
	bool client_ready, server_ready;
	int offered; /* of conn_session_offer */
};

static struct met meet(struct tls_server *server, const char *host, struct span offer,
	struct buf *save)
{
	struct service *s = pair_find(resolver, host, PORT, TLS_DANE);
	struct met m = { 0 };
	struct pair p;

	assert_non_null(s);
	assert_int_equal(s->count, 1);
	assert_true(pair_open(&p, server, client, &s->endpoint[0]));
	if (offer.n)
		m.offered = conn_session_offer(p.client, offer, NULL);
	pair_run(&p, resolver);
	m.at_client = *conn_peer(p.client);
	m.at_server = *conn_peer(p.server);
	m.client_ready = p.at_client == CONN_READY;
	m.server_ready = p.at_server == CONN_READY;
	assert_int_equal(m.client_ready, m.at_client.authenticated && m.server_ready);
	if (save && m.client_ready)
		assert_int_equal(conn_session_save(p.client, save, NULL), 0);
	pair_close(&p);
	service_drop(s);
	return m;
}

static const struct span no_offer;

/* A session with the honest server, as it is kept. */
static struct buf kept(void)
{
	struct buf saved = { 0 };
	struct met m = meet(by_good, "js.org.example", no_offer, &saved);

	assert_true(m.client_ready);
	assert_false(m.at_client.resumed);
	assert_true(saved.n > 100);
	return saved;
}

static void a_kept_session_is_resumed_while_the_tlsa_stands(void **state)
{
	struct buf saved = kept();
	struct met m = meet(by_good, "js.org.example", buf_span(&saved), NULL);

	(void)state;
	assert_true(m.client_ready);
	assert_true(m.at_client.resumed);
	assert_true(m.at_server.resumed);
	assert_int_equal(m.at_client.usage, 3);
	buf_done(&saved);
}

static void it_is_not_offered_under_another_tlsa_set(void **state)
{
	struct buf saved = kept();
	/* The key of before is still good there: a full handshake, and it passes. */
	struct met m = meet(by_good, "two.org.example", buf_span(&saved), NULL);

	(void)state;
	assert_int_equal(m.offered, 0);
	assert_true(m.client_ready);
	assert_false(m.at_client.resumed);
	/* The TLSA is of another key by now: the session would have said yes. */
	m = meet(by_good, "moved.org.example", buf_span(&saved), NULL);
	assert_false(m.client_ready);
	assert_int_equal(m.at_client.refusal, PEER_REFUSED_NO_MATCH);
	buf_done(&saved);
}

/* It says with the TLSA's usage when the server's certificate ends. */
static void it_is_not_offered_when_the_certificate_has_ended(void **state)
{
	const size_t at = 4 + 32 + 4 + 32;
	struct buf saved = { 0 };
	struct met m = meet(by_below, "below.org.example", no_offer, &saved);
	uint8_t *octets = (uint8_t *)(uintptr_t)buf_span(&saved).p;

	(void)state;
	assert_true(m.client_ready && saved.n > 100);
	assert_int_equal(m.at_client.usage, 2);
	m = meet(by_below, "below.org.example", buf_span(&saved), NULL);
	assert_true(m.client_ready && m.at_client.resumed);
	assert_in_range(m.at_client.ends_s, time(NULL) + 86400, time(NULL) + 8 * 86400);
	/* As it will be in a week. */
	memset(octets + at, 0, 7);
	m = meet(by_below, "below.org.example", buf_span(&saved), NULL);
	assert_int_equal(m.offered, 0);
	assert_true(m.client_ready && !m.at_client.resumed);
	buf_done(&saved);
}

static void it_is_not_offered_when_the_tlsa_is_gone(void **state)
{
	struct buf saved = kept();
	struct met m = meet(by_good, "bare.org.example", buf_span(&saved), NULL);

	(void)state;
	assert_false(m.client_ready);
	assert_int_equal(m.at_client.refusal, PEER_REFUSED_DNS);
	buf_done(&saved);
}

static void a_ticket_ends_with_the_policy_that_admitted_its_name(void **state)
{
	struct buf saved = kept();

	(void)state;
	closed = true;
	struct met m = meet(by_good, "js.org.example", buf_span(&saved), NULL);
	closed = false;
	assert_false(m.client_ready);
	assert_int_equal(m.at_server.refusal, PEER_REFUSED_POLICY);
	assert_false(m.at_server.resumed);
	buf_done(&saved);
}

static void an_impostor_gains_nothing_by_it(void **state)
{
	struct buf saved = kept();
	struct met m = meet(by_other, "js.org.example", buf_span(&saved), NULL);

	(void)state;
	assert_false(m.client_ready);
	assert_int_equal(m.at_client.refusal, PEER_REFUSED_NO_MATCH);
	buf_done(&saved);
}

/* The keys of tickets are the listener's: by them alone a ticket of one name is good for all. */
static void a_ticket_of_one_server_name_opens_no_other(void **state)
{
	struct buf saved = { 0 }, of_beside = { 0 };
	struct met m = meet(listener, "js.org.example", no_offer, &saved);

	(void)state;
	assert_true(m.client_ready && saved.n > 0);
	m = meet(listener, "inner.org.example", buf_span(&saved), NULL);
	assert_int_equal(m.offered, 0);
	assert_false(m.client_ready || m.at_server.resumed || m.at_server.authenticated);
	assert_int_equal(m.at_server.refusal, PEER_REFUSED_POLICY);
	assert_false(m.at_server.asked_dns);
	/* Where the same client may come in, it does so by itself. */
	m = meet(listener, "beside.org.example", buf_span(&saved), &of_beside);
	assert_true(m.client_ready);
	assert_false(m.at_server.resumed || m.at_client.resumed);
	/* And there its next ticket is good, and nowhere else. */
	assert_true(of_beside.n > 0);
	m = meet(listener, "beside.org.example", buf_span(&of_beside), NULL);
	assert_true(m.client_ready && m.at_server.resumed);
	m = meet(listener, "js.org.example", buf_span(&of_beside), NULL);
	assert_true(m.client_ready && !m.at_server.resumed);
	buf_done(&saved);
	buf_done(&of_beside);
}

static void the_rules_are_those_of_the_server_name_asked_for(void **state)
{
	struct met m = meet(listener, "inner.org.example", no_offer, NULL);

	(void)state;
	assert_int_equal(m.at_server.refusal, PEER_REFUSED_POLICY);
	assert_false(m.at_server.asked_dns);
	/* A name that leads nowhere is the listener's own. */
	assert_true(meet(listener, "js.org.example", no_offer, NULL).client_ready);
}

static void what_is_no_kept_session_is_an_error(void **state)
{
	struct buf saved = kept();
	struct span all = buf_span(&saved);
	uint8_t *octets = (uint8_t *)(uintptr_t)all.p;

	(void)state;
	for (size_t n = 1; n < all.n; n += 23) {
		struct met m = meet(by_good, "js.org.example", (struct span){ all.p, n }, NULL);
		assert_int_equal(m.offered, ERR_FORMAT);
		assert_false(m.at_client.resumed);
	}
	octets[3] ^= 1;
	assert_int_equal(meet(by_good, "js.org.example", all, NULL).offered, ERR_FORMAT);
	buf_done(&saved);
}

/* Whatever is changed in it: no server without its secret is believed. */
static void a_session_that_was_tampered_with_opens_no_door(void **state)
{
	struct buf saved = kept();
	struct span all = buf_span(&saved);
	uint8_t *octets = (uint8_t *)(uintptr_t)all.p;
	bool set_was_seen = false;

	(void)state;
	for (size_t i = 0; i < all.n; i += i < 36 ? 5 : 17) {
		octets[i] ^= 0x20;
		struct met m = meet(by_other, "js.org.example", all, NULL);
		assert_false(m.client_ready);
		assert_false(m.at_client.authenticated);
		m = meet(by_good, "js.org.example", all, NULL);
		/* In the hash of the set: not offered, a full handshake. */
		if (i >= 4 && i < 36) {
			set_was_seen = true;
			assert_true(m.client_ready);
			assert_false(m.at_client.resumed);
		}
		octets[i] ^= 0x20;
	}
	assert_true(set_was_seen);
	buf_done(&saved);
}

static void a_server_without_tickets_leaves_nothing_to_keep(void **state)
{
	struct buf saved = { 0 };

	(void)state;
	assert_true(meet(without_tickets, "js.org.example", no_offer, &saved).client_ready);
	assert_int_equal(saved.n, 0);
	buf_done(&saved);
}

static enum peer_refusal try_octets(struct tls_server *server, struct span octets)
{
	struct rogue wish = { .chain = { &client_leaf }, .extension = true, .octets = octets };
	struct rogue_end e;

	rogue_open(&e, &wish, server, 1);
	enum conn_event event = rogue_run(&e, resolver);
	const struct peer *peer = conn_peer(e.server);
	enum peer_refusal refusal = peer->refusal;
	assert_int_equal(event == CONN_READY, peer->authenticated);
	assert_int_equal(peer->authenticated, refusal == PEER_REFUSED_NOT);
	rogue_close(&e);
	return refusal;
}

/* Older drafts: no octets at all is an empty name, and an empty name is no identity. */
static void an_older_client_without_a_name_is_empty_not_anonymous(void **state)
{
	(void)state;
	assert_int_equal(try_octets(by_good, bytes("")), PEER_REFUSED_BAD_NAME);
	assert_int_equal(try_octets(compat, bytes("")), PEER_REFUSED_EMPTY_NAME);
	assert_int_equal(try_octets(compat, bytes("\0")), PEER_REFUSED_EMPTY_NAME);
	assert_int_equal(try_octets(compat, rogue_name("_ns.org.example")), PEER_REFUSED_NOT);
	assert_int_equal(try_octets(compat, rogue_name("_js.org.example")), PEER_REFUSED_NO_TLSA);
}

static char heard[300];

static int say_signal(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
	size_t *n, X509 *x, size_t chain_index, int *al, void *arg)
{
	const struct span *signal = arg;

	(void)ssl, (void)type, (void)context, (void)x, (void)chain_index, (void)al;
	*out = signal->p;
	*n = signal->n;
	return 1;
}

static int hear_client(SSL *ssl, unsigned type, unsigned context, const unsigned char *in, size_t n,
	X509 *x, size_t chain_index, int *al, void *arg)
{
	(void)ssl, (void)type, (void)context, (void)x, (void)chain_index, (void)al, (void)arg;
	snprintf(heard, sizeof heard, "%.*s", n ? (int)(n - 1) : 0, (const char *)in + 1);
	return 1;
}

static int believe(X509_STORE_CTX *store, void *arg)
{
	(void)store, (void)arg;
	return 1;
}

/* A server of OpenSSL alone that asks for a name by these octets. */
static const struct peer *ask_by(struct tls_client *c, struct span signal)
{
	static struct peer seen;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	struct service *s = pair_find(resolver, "js.org.example", PORT, TLS_DANE);
	struct conn *end = NULL;
	int fd[2], rc = 0;

	heard[0] = 0;
	assert_int_equal(SSL_CTX_use_certificate(ctx, good.cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, good.key), 1);
	assert_int_equal(SSL_CTX_add_custom_ext(ctx, TLS_CLIENT_ID_EXTENSION,
				 SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_CERTIFICATE,
				 say_signal, NULL, &signal, hear_client, NULL),
		1);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, believe, NULL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	assert_int_equal(conn_new_client(c, &s->endpoint[0], fd[0], &end, NULL), 0);
	SSL *ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd[1]);
	SSL_set_accept_state(ssl);
	enum conn_event event = CONN_WANT_READ;
	for (int i = 0; i < 50 && !(rc == 1 && event == CONN_READY) && event != CONN_REFUSED; i++) {
		event = conn_handshake(end);
		rc = SSL_do_handshake(ssl);
	}
	seen = *conn_peer(end);
	assert_int_equal(event == CONN_READY, seen.authenticated);
	conn_free(end);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	service_drop(s);
	close(fd[0]);
	close(fd[1]);
	return &seen;
}

static void a_server_that_asks_wrongly_hears_no_name(void **state)
{
	(void)state;
	assert_true(ask_by(client, bytes("\0"))->authenticated);
	assert_string_equal(heard, "_ns.org.example");
	assert_int_equal(ask_by(client, bytes(""))->refusal, PEER_REFUSED_PROTOCOL);
	assert_string_equal(heard, "");
	assert_true(ask_by(compat_client, bytes(""))->authenticated);
	assert_string_equal(heard, "_ns.org.example");
	assert_int_equal(ask_by(compat_client, bytes("\1a"))->refusal, PEER_REFUSED_PROTOCOL);
	assert_int_equal(ask_by(client, bytes("\0\0"))->refusal, PEER_REFUSED_PROTOCOL);
	assert_string_equal(heard, "");
}

static struct tls_server *serve_by(bool (*authorise)(void *arg, const struct name *name),
	const char *name, bool tickets, bool older)
{
	char cert[128], key[128];
	struct tls_server *s = NULL;

	snprintf(cert, sizeof cert, "%s/%s.pem", world.folder, name);
	snprintf(key, sizeof key, "%s/%s-key.pem", world.folder, name);
	struct tls_server_config config = { .tls_cert = cert,
		.tls_key = key,
		.resolver = resolver,
		.authorise = authorise,
		.tickets = tickets,
		.compat = older };
	assert_int_equal(tls_server_new(&config, &s, NULL), 0);
	return s;
}

static struct tls_server *serve(const char *name, bool tickets, bool older)
{
	return serve_by(allow, name, tickets, older);
}

static void lead(const char *name, struct tls_server *to)
{
	struct pattern p;

	assert_int_equal(pattern_read(name, &p), 0);
	assert_int_equal(tls_server_add_name(listener, &p, to, NULL), 0);
}

static struct tls_client *connect_as(bool older)
{
	char cert[128], key[128];
	struct tls_client *c = NULL;

	snprintf(cert, sizeof cert, "%s/client.pem", world.folder);
	snprintf(key, sizeof key, "%s/client-key.pem", world.folder);
	struct tls_client_config config = { .tls_cert = cert,
		.tls_key = key,
		.dane_client_name = "_ns.org.example",
		.compat = older };
	assert_int_equal(tls_client_new(&config, &c, NULL), 0);
	return c;
}

static void add_records(void)
{
	char mine[200], theirs[200], clients[200], authoritys[200];
	static const char *const hosts[] = { "js.org", "two.org", "moved.org", "bare.org",
		"inner.org", "beside.org", "below.org" };

	certs_tlsa(&good, 3, 1, 1, mine, sizeof mine);
	certs_tlsa(&other, 3, 1, 1, theirs, sizeof theirs);
	certs_tlsa(&client_leaf, 3, 1, 1, clients, sizeof clients);
	certs_tlsa(&authority, 2, 0, 1, authoritys, sizeof authoritys);
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
		tlsworld_add(&world, TLSWORLD_SIGNED, "%s IN A 127.0.0.1", hosts[i]);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_8003._tcp.js.org IN TLSA %s", mine);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_8003._tcp.two.org IN TLSA %s", mine);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_8003._tcp.two.org IN TLSA %s", theirs);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_8003._tcp.moved.org IN TLSA %s", theirs);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_8003._tcp.inner.org IN TLSA %s", mine);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_8003._tcp.beside.org IN TLSA %s", mine);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_8003._tcp.below.org IN TLSA %s", authoritys);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_ns.org IN TLSA %s", clients);
}

static int start(void **state)
{
	struct err err = { 0 };

	(void)state;
	tlsworld_init(&world);
	good = certs_make(&(struct certs_wish){ .cn = "good" });
	other = certs_make(&(struct certs_wish){ .cn = "other" });
	client_leaf = certs_make(&(struct certs_wish){ .cn = "client" });
	authority = certs_make(&(struct certs_wish){ .cn = "ca", .authority = true });
	below = certs_make(
		&(struct certs_wish){ .san = "DNS:below.org.example", .issuer = &authority });
	certs_write(world.folder, "good", &good, NULL);
	certs_write(world.folder, "other", &other, NULL);
	certs_write(world.folder, "client", &client_leaf, NULL);
	certs_write(world.folder, "below", &below,
		(const struct certs_leaf *const[]){ &authority, NULL });
	add_records();
	tlsworld_start(&world);
	struct resolver_config config = tlsworld_resolver(&world, getenv("SARDANE_RESOLVERD"));
	if (resolver_new(&config, &resolver, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	by_good = serve("good", true, false);
	by_other = serve("other", true, false);
	by_below = serve("below", true, false);
	without_tickets = serve("good", false, false);
	compat = serve("good", false, true);
	listener = serve("good", true, false);
	inner = serve_by(allow_nobody, "good", true, false);
	beside = serve("good", true, false);
	lead("inner.org.example", inner);
	lead("beside.org.example", beside);
	client = connect_as(false);
	compat_client = connect_as(true);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	tls_server_free(by_good);
	tls_server_free(by_other);
	tls_server_free(by_below);
	tls_server_free(without_tickets);
	tls_server_free(compat);
	tls_server_free(listener);
	tls_server_free(inner);
	tls_server_free(beside);
	tls_client_free(client);
	tls_client_free(compat_client);
	resolver_free(resolver);
	tlsworld_stop(&world);
	certs_drop(&good);
	certs_drop(&other);
	certs_drop(&client_leaf);
	certs_drop(&authority);
	certs_drop(&below);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_kept_session_is_resumed_while_the_tlsa_stands),
		TEST(it_is_not_offered_under_another_tlsa_set),
		TEST(it_is_not_offered_when_the_certificate_has_ended),
		TEST(it_is_not_offered_when_the_tlsa_is_gone),
		TEST(a_ticket_ends_with_the_policy_that_admitted_its_name),
		TEST(an_impostor_gains_nothing_by_it),
		TEST(a_ticket_of_one_server_name_opens_no_other),
		TEST(the_rules_are_those_of_the_server_name_asked_for),
		TEST(what_is_no_kept_session_is_an_error),
		TEST(a_session_that_was_tampered_with_opens_no_door),
		TEST(a_server_without_tickets_leaves_nothing_to_keep),
		TEST(an_older_client_without_a_name_is_empty_not_anonymous),
		TEST(a_server_that_asks_wrongly_hears_no_name),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
