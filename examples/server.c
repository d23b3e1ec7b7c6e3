/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server - accept clients that prove a name by DANE, and print who they are.
 *
 *   server PORT CERT.pem KEY.pem SUFFIX        clients must be below SUFFIX
 *   SARDANE_FORWARD=addr@port, SARDANE_ANCHOR=file and SARDANE_HELPER=path replace the
 *   system's resolver, the root keys and the installed sardane-resolverd.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sardane/sardane.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool allowed(void *suffix, const struct sardane_name *client)
{
	return sardane_name_is_within(client, suffix);
}

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "server: %s: %s\n", what, why);
	exit(1);
}

static int listen_on(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_port = htons((unsigned short)port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 16))
		die("listen", "the port is not free");
	return fd;
}

/* Until the handshake is over; while DNS is awaited only the resolver can wake us. */
static void shake_hands(SSL *ssl, int fd, struct sardane_resolver *resolver)
{
	int rc;

	while ((rc = SSL_accept(ssl)) != 1) {
		int want = SSL_get_error(ssl, rc);
		struct pollfd p[2] = { { .fd = want == SSL_ERROR_WANT_ASYNC ? -1 : fd,
					       .events = want == SSL_ERROR_WANT_WRITE ? POLLOUT
										      : POLLIN },
			{ .fd = sardane_resolver_fd(resolver), .events = POLLIN } };
		if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE &&
			want != SSL_ERROR_WANT_ASYNC)
			return;
		if (poll(p, 2, 10000) <= 0)
			return;
		if (p[1].revents)
			sardane_resolver_dispatch(resolver);
	}
}

static void serve(SSL *ssl, int fd, struct sardane_resolver *resolver)
{
	static const char hello[] = "hello\n";
	struct sardane_outcome who;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	SSL_set_fd(ssl, fd);
	shake_hands(ssl, fd, resolver);
	sardane_outcome(ssl, &who);
	printf("%s %s: %s\n", who.authenticated ? "welcome" : "refused", who.name, who.reason);
	fflush(stdout);
	if (who.authenticated)
		SSL_write(ssl, hello, sizeof hello - 1);
	sardane_abandon(ssl);
	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
}

int main(int argc, char **argv)
{
	const char *forward[] = { getenv("SARDANE_FORWARD"), NULL };
	struct sardane_resolver_config dns = { .helper = getenv("SARDANE_HELPER"),
		.trust_anchor_file = getenv("SARDANE_ANCHOR"),
		.forward = forward[0] ? forward : NULL,
		.resolv_conf = forward[0] ? NULL : "/etc/resolv.conf" };
	struct sardane_name suffix;
	struct sardane_server_config config = { .authorise = allowed, .arg = &suffix };
	struct sardane_server *server;
	struct sardane_err err;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (argc != 5 || !ctx)
		die("usage", "server PORT CERT.pem KEY.pem SUFFIX");
	if (SSL_CTX_use_certificate_chain_file(ctx, argv[2]) != 1 ||
		SSL_CTX_use_PrivateKey_file(ctx, argv[3], SSL_FILETYPE_PEM) != 1)
		die(argv[2], "no certificate, or not its key");
	if (sardane_name_read(argv[4], &suffix, &err) ||
		sardane_resolver_new(&dns, &config.resolver, &err) ||
		sardane_server_attach(ctx, &config, &server, &err))
		die("start", err.msg);
	int listener = listen_on(atoi(argv[1]));
	printf("listening\n");
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		SSL *ssl = fd >= 0 ? SSL_new(ctx) : NULL;
		if (ssl)
			serve(ssl, fd, config.resolver);
	}
}
