/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out at any point of finding a server, or of a mutual handshake: the peer is
 * refused or rightly let in, nobody is let in wrongly, nothing leaks, nothing crashes.
 *
 *   Each allocation of ours and of OpenSSL (CRYPTO_set_mem_functions) is counted in one row; run
 *   n makes the n-th fail, and a second run all from the n-th on. SARDANE_STRIDE 1 fails every
 *   one of them; the default steps over some, to save time.
 */
#include "certs.h"
#include "check.h"
#include "dns/rr.h"
#include "pair.h"
#include "scarce.h"
#include "tlsworld.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT 8003

static struct tlsworld world;
static struct resolver *resolver;
static struct certs_leaf server_leaf, good, impostor;
static struct tls_server *server;
static struct tls_client *honest, *liar;
static struct service *service;

static bool allow(void *arg, const struct name *client)
{
	(void)arg;
	return name_labels(client) > 1;
}

static void forget(const char *name, uint16_t type)
{
	struct question q = { .type = type };

	assert_int_equal(name_of(name, &q.name), 0);
	resolver_forget(resolver, &q);
}

/* One handshake, with the pause for DNS, its n-th allocation failing. True: let in. */
static bool shake(struct tls_client *client, long n, bool onwards)
{
	struct name us;
	struct pair p;
	bool in = false;

	assert_int_equal(name_of("_ns.org.example", &us), 0);
	forget("_ns.org.example", RR_TLSA);
	scarce_fail(n, onwards);
	if (pair_open(&p, server, client, &service->endpoint[0])) {
		pair_run(&p, resolver);
		const struct peer *peer = conn_peer(p.server);
		in = p.at_server == CONN_READY && peer->authenticated;
		if (in) {
			assert_true(name_equal(&peer->name, &us));
			assert_int_equal(peer->how, PEER_BY_DANE);
		} else {
			assert_false(peer->authenticated);
		}
		if (p.at_client == CONN_READY)
			assert_true(conn_peer(p.client)->authenticated);
		pair_close(&p);
	}
	scarce_end();
	ERR_clear_error();
	return in;
}

static void fail_each_allocation_of(struct tls_client *client, bool may_come_in, bool onwards)
{
	/* Caches are filled by the first few. */
	for (int i = 0; i < 5; i++)
		assert_int_equal(shake(client, 0, false), may_come_in);
	long all = scarce_counted(), before = scarce_live(), refused = 0;
	assert_true(all > 500);
	/* All from one on fail alike from the next on: fewer will do. */
	long stride = scarce_stride() * (onwards ? 7 : 1);
	for (long n = 1; n <= all; n += stride) {
		bool in = shake(client, n, onwards);
		assert_true(may_come_in || !in);
		refused += !in;
	}
	/* OpenSSL fetches many things that it can do without; but not all. */
	assert_true(refused * stride > all / 10);
	for (int i = 0; i < 3; i++)
		assert_int_equal(shake(client, 0, false), may_come_in);
	print_message("# %ld allocations, %ld refused, %ld more live than before\n", all, refused,
		scarce_live() - before);
	assert_true(scarce_live() - before < 40);
}

static void of_an_honest_handshake(void **state)
{
	(void)state;
	fail_each_allocation_of(honest, true, false);
	fail_each_allocation_of(honest, true, true);
}

static void of_the_handshake_of_an_impostor(void **state)
{
	(void)state;
	fail_each_allocation_of(liar, false, false);
	fail_each_allocation_of(liar, false, true);
}

/* Its addresses and its TLSA, asked anew. True: found, and held to its TLSA. */
static bool find(long n, bool onwards)
{
	struct service *found;
	bool by_dane = false;

	forget("js.org.example", RR_A);
	forget("js.org.example", RR_AAAA);
	forget("_8003._tcp.js.org.example", RR_TLSA);
	scarce_fail(n, onwards);
	found = pair_find(resolver, "js.org.example", PORT, TLS_DANE_OR_PKIX);
	scarce_end();
	for (unsigned i = 0; found && i < found->count; i++) {
		const struct service_endpoint *e = &found->endpoint[i];

		/* No want of memory proves that there is no TLSA. */
		assert_int_not_equal(e->proof, SERVICE_BY_PKIX);
		if (e->proof == SERVICE_BY_DANE) {
			by_dane = true;
			assert_int_equal(e->tlsa->status, ANSWER_SECURE);
			assert_int_equal(e->tlsa->count, 1);
		}
	}
	service_drop(found);
	return by_dane;
}

static void of_finding_a_server_and_its_tlsa(void **state)
{
	struct scarce_tally t = scarce_each(find);

	(void)state;
	print_message("# %ld allocations, %ld times none found\n", t.all, t.refused);
	/* The cache may hold the answers of the last. */
	assert_true(t.all > 5 && t.refused >= t.all && t.more_live < t.all);
}

static struct tls_client *client_with(const char *name)
{
	char cert[128], key[128];
	struct tls_client *c = NULL;

	snprintf(cert, sizeof cert, "%s/%s.pem", world.folder, name);
	snprintf(key, sizeof key, "%s/%s-key.pem", world.folder, name);
	struct tls_client_config config = { .tls_cert = cert,
		.tls_key = key,
		.dane_client_name = "_ns.org.example" };
	assert_int_equal(tls_client_new(&config, &c, NULL), 0);
	return c;
}

static void add_world(void)
{
	char text[200];

	server_leaf = certs_make(&(struct certs_wish){ .cn = "server" });
	good = certs_make(&(struct certs_wish){ .cn = "good" });
	impostor = certs_make(&(struct certs_wish){ .cn = "impostor" });
	certs_write(world.folder, "server", &server_leaf, NULL);
	certs_write(world.folder, "good", &good, NULL);
	certs_write(world.folder, "impostor", &impostor, NULL);
	tlsworld_add(&world, TLSWORLD_SIGNED, "js.org 3600 IN A 127.0.0.1");
	certs_tlsa(&server_leaf, 3, 1, 1, text, sizeof text);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_8003._tcp.js.org 3600 IN TLSA %s", text);
	certs_tlsa(&good, 3, 1, 1, text, sizeof text);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_ns.org 3600 IN TLSA %s", text);
}

static int start(void **state)
{
	char cert[128], key[128];

	(void)state;
	tlsworld_init(&world);
	add_world();
	tlsworld_start(&world);
	struct resolver_config config = tlsworld_resolver(&world, getenv("SARDANE_RESOLVERD"));
	if (resolver_new(&config, &resolver, NULL))
		return -1;
	snprintf(cert, sizeof cert, "%s/server.pem", world.folder);
	snprintf(key, sizeof key, "%s/server-key.pem", world.folder);
	struct tls_server_config of = { .tls_cert = cert,
		.tls_key = key,
		.resolver = resolver,
		.authorise = allow };
	if (tls_server_new(&of, &server, NULL))
		return -1;
	honest = client_with("good");
	liar = client_with("impostor");
	service = pair_find(resolver, "js.org.example", PORT, TLS_DANE);
	return service && service->endpoint[0].proof == SERVICE_BY_DANE ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	service_drop(service);
	tls_server_free(server);
	tls_client_free(honest);
	tls_client_free(liar);
	resolver_free(resolver);
	tlsworld_stop(&world);
	certs_drop(&server_leaf);
	certs_drop(&good);
	certs_drop(&impostor);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_finding_a_server_and_its_tlsa),
		TEST(of_an_honest_handshake),
		TEST(of_the_handshake_of_an_impostor),
	};

	if (!scarce_openssl())
		return 1;
	return cmocka_run_group_tests(tests, start, stop);
}
