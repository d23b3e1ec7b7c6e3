/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_handshake - what a mutual handshake costs its server, DANE against PKIX.
 *
 *   DANE       our server end: dane_clientid, the pause for DNS (the name is forgotten before
 *              each handshake, so resolverd is asked each time), TLSA 3 1 1 on both sides.
 *   PKIX       OpenSSL as it comes: leaf and intermediate from both sides, one root.
 *   Both       TLS 1.3, P-256 keys, X25519, no tickets, the same socketpair.
 *   In flight  16 at a time, each with a name of its own, as on a server that is busy.
 *   Measured   CPU of this thread inside the server's calls (and in dispatching the resolver),
 *              in interleaved rounds; the ratio is the median of the rounds' ratios.
 */
#include "certs.h"
#include "pair.h"
#include "tlsworld.h"

#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS  15
#define FLIGHTS 16 /* handshakes at a time */
#define EACH    4  /* times */
#define PORT    8003

static struct tlsworld world;
static struct resolver *resolver;

static bool allow(void *arg, const struct name *client)
{
	(void)arg;
	return name_labels(client) > 1;
}

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "bench_handshake: %s\n", what);
	exit(1);
}

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void do_nothing(void *arg)
{
	(void)arg;
}

/* One handshake in flight: DANE has the conns, PKIX the SSLs. */
struct flight {
	int fd[2];
	struct conn *server, *client;
	SSL *pkix_server, *pkix_client;
	bool waits, done;
};

static double lap(double *from)
{
	double now = cpu_us(), spent = now - *from;

	*from = now;
	return spent;
}

static void forget(unsigned i)
{
	struct question q = { .type = 52 };
	char name[64];

	snprintf(name, sizeof name, "_ns%u.org.example", i);
	must(name_of(name, &q.name) == 0, "name");
	resolver_forget(resolver, &q);
}

static double turn_dane(struct flight *f)
{
	double from, spent;

	(void)conn_handshake(f->client);
	from = cpu_us();
	enum conn_event at = conn_handshake(f->server);
	spent = lap(&from);
	must(at != CONN_REFUSED, conn_peer(f->server)->reason);
	f->waits = at == CONN_WANT_DNS;
	f->done = at == CONN_READY;
	return spent;
}

static double dispatch(void)
{
	struct pollfd p = { .fd = resolver_fd(resolver), .events = POLLIN };

	must(poll(&p, 1, 5000) == 1, "DNS");
	double from = cpu_us();
	resolver_dispatch(resolver);
	return lap(&from);
}

static double dane_flights(struct tls_server *server, struct tls_client **client,
	const struct service *service)
{
	static struct flight f[FLIGHTS];
	double spent = 0, from;
	unsigned done = 0;

	for (unsigned i = 0; i < FLIGHTS; i++) {
		f[i] = (struct flight){ 0 };
		forget(i);
		must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f[i].fd), "socketpair");
		must(!conn_new_client(client[i], &service->endpoint[0], f[i].fd[0], &f[i].client,
			     NULL),
			"client");
		from = cpu_us();
		must(!conn_new_server(server, f[i].fd[1], 1, do_nothing, NULL, &f[i].server, NULL),
			"server");
		spent += lap(&from);
	}
	while (done < FLIGHTS) {
		unsigned waiting = 0;
		for (unsigned i = 0; i < FLIGHTS; i++) {
			if (f[i].done)
				continue;
			spent += turn_dane(&f[i]);
			done += f[i].done;
			waiting += f[i].waits;
		}
		if (waiting && waiting == FLIGHTS - done)
			spent += dispatch();
	}
	for (unsigned i = 0; i < FLIGHTS; i++) {
		const struct peer *peer = conn_peer(f[i].server);
		must(peer->authenticated && peer->how == PEER_BY_DANE, "not by DANE");
		from = cpu_us();
		conn_free(f[i].server);
		spent += lap(&from);
		conn_free(f[i].client);
		close(f[i].fd[0]);
		close(f[i].fd[1]);
	}
	return spent;
}

static double pkix_flights(SSL_CTX *server, SSL_CTX *client)
{
	static struct flight f[FLIGHTS];
	double spent = 0, from;
	unsigned done = 0;

	for (unsigned i = 0; i < FLIGHTS; i++) {
		f[i] = (struct flight){ 0 };
		must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f[i].fd), "socketpair");
		f[i].pkix_client = SSL_new(client);
		must(f[i].pkix_client && SSL_set_fd(f[i].pkix_client, f[i].fd[0]), "client");
		from = cpu_us();
		f[i].pkix_server = SSL_new(server);
		must(f[i].pkix_server && SSL_set_fd(f[i].pkix_server, f[i].fd[1]), "server");
		spent += lap(&from);
	}
	while (done < FLIGHTS) {
		for (unsigned i = 0; i < FLIGHTS; i++) {
			if (f[i].done)
				continue;
			SSL_connect(f[i].pkix_client);
			from = cpu_us();
			f[i].done = SSL_accept(f[i].pkix_server) == 1;
			spent += lap(&from);
			done += f[i].done;
		}
	}
	for (unsigned i = 0; i < FLIGHTS; i++) {
		must(SSL_get_verify_result(f[i].pkix_server) == X509_V_OK, "PKIX handshake");
		from = cpu_us();
		SSL_free(f[i].pkix_server);
		spent += lap(&from);
		SSL_free(f[i].pkix_client);
		close(f[i].fd[0]);
		close(f[i].fd[1]);
	}
	return spent;
}

static SSL_CTX *pkix_context(const SSL_METHOD *method, const struct certs_leaf *leaf,
	const struct certs_leaf *intermediate, const struct certs_leaf *root)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	must(ctx && SSL_CTX_use_certificate(ctx, leaf->cert) &&
			SSL_CTX_use_PrivateKey(ctx, leaf->key) &&
			SSL_CTX_add1_chain_cert(ctx, intermediate->cert) &&
			X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), root->cert) &&
			SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) &&
			SSL_CTX_set1_groups_list(ctx, "X25519:P-256") &&
			SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") &&
			SSL_CTX_set_num_tickets(ctx, 0),
		"PKIX context");
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return ctx;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v)
{
	qsort(v, ROUNDS, sizeof *v, by_value);
	return v[ROUNDS / 2];
}

static void start(const struct certs_leaf *server, const struct certs_leaf *client)
{
	char text[200];
	struct err err = { 0 };

	tlsworld_init(&world);
	certs_write(world.folder, "server", server, NULL);
	certs_write(world.folder, "client", client, NULL);
	tlsworld_add(&world, TLSWORLD_SIGNED, "js.org 3600 IN A 127.0.0.1");
	certs_tlsa(server, 3, 1, 1, text, sizeof text);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_8003._tcp.js.org 3600 IN TLSA %s", text);
	certs_tlsa(client, 3, 1, 1, text, sizeof text);
	for (unsigned i = 0; i < FLIGHTS; i++)
		tlsworld_add(&world, TLSWORLD_SIGNED, "_ns%u.org 3600 IN TLSA %s", i, text);
	tlsworld_start(&world);
	const char *build = getenv("SARDANE_BUILD");
	char helper[512];
	snprintf(helper, sizeof helper, "%s/bin/resolverd/sardane-resolverd",
		build ? build : "build");
	struct resolver_config config = tlsworld_resolver(&world, helper);
	must(resolver_new(&config, &resolver, &err) == 0, err.msg);
}

static void measure(struct tls_server *server, struct tls_client **client, SSL_CTX *pkix_server,
	SSL_CTX *pkix_client)
{
	double ratio[ROUNDS], dane_us[ROUNDS], pkix_us[ROUNDS];
	struct service *service = pair_find(resolver, "js.org.example", PORT, TLS_DANE);

	must(service && service->endpoint[0].proof == SERVICE_BY_DANE, "no TLSA of the server");
	for (int r = -1; r < ROUNDS; r++) { /* round -1 warms the caches */
		double dane = 0, pkix = 0;
		for (int i = 0; i < EACH; i++) {
			dane += dane_flights(server, client, service);
			pkix += pkix_flights(pkix_server, pkix_client);
		}
		if (r < 0)
			continue;
		dane_us[r] = dane / EACH / FLIGHTS;
		pkix_us[r] = pkix / EACH / FLIGHTS;
		ratio[r] = dane / pkix;
	}
	double middle = median(ratio);
	printf("DANE server CPU\t%.0f\tus\t-\tclient id, pause for DNS, 3 1 1\n", median(dane_us));
	printf("PKIX server CPU\t%.0f\tus\t-\tleaf and intermediate both ways\n", median(pkix_us));
	printf("DANE / PKIX\t%.3f\tratio\t<= 0.65\trounds from %.3f to %.3f\n", middle, ratio[0],
		ratio[ROUNDS - 1]);
	service_drop(service);
}

int main(void)
{
	struct certs_leaf root =
		certs_make(&(struct certs_wish){ .cn = "root", .authority = true });
	struct certs_leaf middle = certs_make(
		&(struct certs_wish){ .cn = "intermediate", .authority = true, .issuer = &root });
	struct certs_leaf leaf = certs_make(&(
		struct certs_wish){ .cn = "leaf", .san = "DNS:js.org.example", .issuer = &middle });
	struct certs_leaf own = certs_make(&(struct certs_wish){ .cn = "js.org.example" });
	char cert[128], key[128], client_cert[128], client_key[128];
	struct tls_server *server = NULL;
	struct tls_client *client[FLIGHTS];

	start(&own, &own);
	snprintf(cert, sizeof cert, "%s/server.pem", world.folder);
	snprintf(key, sizeof key, "%s/server-key.pem", world.folder);
	snprintf(client_cert, sizeof client_cert, "%s/client.pem", world.folder);
	snprintf(client_key, sizeof client_key, "%s/client-key.pem", world.folder);
	struct tls_server_config of_server = { .tls_cert = cert,
		.tls_key = key,
		.resolver = resolver,
		.authorise = allow };
	struct tls_client_config of_client = { .tls_cert = client_cert, .tls_key = client_key };
	must(tls_server_new(&of_server, &server, NULL) == 0, "server");
	for (unsigned i = 0; i < FLIGHTS; i++) {
		char name[64];
		snprintf(name, sizeof name, "_ns%u.org.example", i);
		of_client.dane_client_name = name;
		must(tls_client_new(&of_client, &client[i], NULL) == 0, "client");
	}
	SSL_CTX *pkix_server = pkix_context(TLS_server_method(), &leaf, &middle, &root);
	SSL_CTX *pkix_client = pkix_context(TLS_client_method(), &leaf, &middle, &root);
	measure(server, client, pkix_server, pkix_client);
	SSL_CTX_free(pkix_server);
	SSL_CTX_free(pkix_client);
	tls_server_free(server);
	for (unsigned i = 0; i < FLIGHTS; i++)
		tls_client_free(client[i]);
	resolver_free(resolver);
	tlsworld_stop(&world);
	certs_drop(&root);
	certs_drop(&middle);
	certs_drop(&leaf);
	certs_drop(&own);
	return 0;
}
