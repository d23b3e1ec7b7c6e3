/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client - connect to a server that proves its name by DANE, show ours, print who it is.
 *
 *   client HOST PORT CERT.pem KEY.pem CLIENT-NAME
 *   SARDANE_FORWARD=addr@port, SARDANE_ANCHOR=file and SARDANE_HELPER=path replace the
 *   system's resolver, the root keys and the installed sardane-resolverd.
 */
#include <netinet/in.h>
#include <poll.h>
#include <sardane/sardane.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "client: %s: %s\n", what, why);
	exit(1);
}

/* Addresses and TLSA of the server, before there is a connection. */
static struct sardane_find *find(struct sardane_resolver *resolver, const char *host, int port,
	struct sardane_endpoint *out)
{
	struct pollfd p = { .fd = sardane_resolver_fd(resolver), .events = POLLIN };
	struct sardane_find *f;
	struct sardane_err err;

	if (sardane_find_new(resolver, host, (uint16_t)port, SARDANE_MODE_DANE, &f, &err))
		die(host, err.msg);
	while (!sardane_find_endpoint(f, out)) {
		poll(&p, 1, 10000);
		sardane_resolver_dispatch(resolver);
	}
	printf("dns %s: %s\n", host, out->why);
	if (!out->usable)
		die(host, out->why);
	return f;
}

static int connect_to(const struct sardane_endpoint *e)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(e->port) };

	for (unsigned i = 0; i < e->address_count; i++) {
		int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
		memcpy(&a.sin6_addr, e->address[i], 16);
		if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
			return fd;
		close(fd);
	}
	die("connect", "no address answers");
}

int main(int argc, char **argv)
{
	const char *forward[] = { getenv("SARDANE_FORWARD"), NULL };
	struct sardane_resolver_config dns = { .helper = getenv("SARDANE_HELPER"),
		.trust_anchor_file = getenv("SARDANE_ANCHOR"),
		.forward = forward[0] ? forward : NULL,
		.resolv_conf = forward[0] ? NULL : "/etc/resolv.conf" };
	struct sardane_client_config config = { .client_name = argc == 6 ? argv[5] : NULL };
	struct sardane_resolver *resolver;
	struct sardane_client *client;
	struct sardane_endpoint endpoint;
	struct sardane_outcome who;
	struct sardane_err err;
	char reply[64] = "";
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (argc != 6 || !ctx)
		die("usage", "client HOST PORT CERT.pem KEY.pem CLIENT-NAME");
	if (SSL_CTX_use_certificate_chain_file(ctx, argv[3]) != 1 ||
		SSL_CTX_use_PrivateKey_file(ctx, argv[4], SSL_FILETYPE_PEM) != 1)
		die(argv[3], "no certificate, or not its key");
	if (sardane_resolver_new(&dns, &resolver, &err) ||
		sardane_client_attach(ctx, &config, &client, &err))
		die("start", err.msg);
	struct sardane_find *found = find(resolver, argv[1], atoi(argv[2]), &endpoint);
	int fd = connect_to(&endpoint);
	SSL *ssl = SSL_new(ctx);
	if (!ssl || SSL_set_fd(ssl, fd) != 1 || sardane_client_begin(ssl, client, found, &err))
		die("begin", err.msg);
	SSL_connect(ssl);
	sardane_outcome(ssl, &who);
	printf("%s %s: %s\n", who.authenticated ? "server" : "refused", who.name, who.reason);
	/* A server that refuses us says so after our side of the handshake is done. */
	int n = who.authenticated ? SSL_read(ssl, reply, sizeof reply - 1) : 0;
	printf("%s", n > 0 ? reply : "no greeting\n");
	SSL_free(ssl);
	close(fd);
	sardane_find_free(found);
	sardane_client_free(client);
	sardane_resolver_free(resolver);
	SSL_CTX_free(ctx);
	return n > 0 ? 0 : 1;
}
