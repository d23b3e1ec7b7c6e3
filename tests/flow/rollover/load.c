/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load - a server and clients on libsardane, for rollovers under traffic.
 *
 *   load server ADDRESS PORT FOLDER SUFFIX           FOLDER/cert.pem, FOLDER/key.pem
 *   load client HOST PORT CERT KEY NAME RATE         RATE handshakes a second, until SIGTERM
 *
 *   Both read their files again at SIGHUP.
 *   DNS_FORWARD=addr@port DNS_FORWARD_TOO=addr@port DNS_ANCHOR=file SARDANE_HELPER=path
 *
 *   Both print "ready". A client prints, once a second and at the end, "handshakes=N failed=N"
 *   and a line "failed: REASON" for each that failed: a handshake the other side refuses counts,
 *   as the greeting must arrive. A server prints "reloaded" when it presents what lies there now.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sardane/sardane.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 256
#define TIMEOUT_MS  30000
/* Of a client: on a busy machine there are fewer handshakes, not later ones. */
#define UNDER_WAY 24
#define GREETING  "hello"

struct connection {
	int fd;
	SSL *ssl;
	int want; /* of OpenSSL; SSL_ERROR_NONE: the handshake is over */
	int64_t deadline_ms;
	struct sardane_find *find;
	char why[200];
};

static struct sardane_resolver *resolver;
static struct sardane_server *server;
static struct sardane_client *client;
static SSL_CTX *ctx;
static struct connection connections[CONNECTIONS];
static unsigned long handshakes, failures;
static volatile sig_atomic_t hungup, ended;

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "load: %s: %s\n", what, why);
	exit(1);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void take_signal(int number)
{
	if (number == SIGHUP)
		hungup = 1;
	else
		ended = 1;
}

static void open_resolver(void)
{
	const char *forward[] = { getenv("DNS_FORWARD"), getenv("DNS_FORWARD_TOO"), NULL };
	struct sardane_resolver_config dns = { .helper = getenv("SARDANE_HELPER"),
		.trust_anchor_file = getenv("DNS_ANCHOR"),
		.forward = forward,
		.deadline_ms = 4000 };
	struct sardane_err err;

	if (sardane_resolver_new(&dns, &resolver, &err))
		die("resolver", err.msg);
}

static SSL_CTX *load_context(const SSL_METHOD *method, const char *cert, const char *key)
{
	SSL_CTX *c = SSL_CTX_new(method);

	if (c && SSL_CTX_use_certificate_chain_file(c, cert) == 1 &&
		SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM) == 1)
		return c;
	SSL_CTX_free(c);
	return NULL;
}

static bool allowed(void *suffix, const struct sardane_name *name)
{
	return sardane_name_is_within(name, suffix);
}

/* What lies in the folder from now on; connections begun keep what they began with. A pair that
 * does not fit is a switch half done: the signal that ends it is still to come. */
static void load_server(const char *folder, struct sardane_name *suffix)
{
	struct sardane_server_config config = { .authorise = allowed,
		.arg = suffix,
		.resolver = resolver };
	char cert[4096], key[4096];
	struct sardane_err err;
	SSL_CTX *c;

	snprintf(cert, sizeof(cert), "%s/cert.pem", folder);
	snprintf(key, sizeof(key), "%s/key.pem", folder);
	c = load_context(TLS_server_method(), cert, key);
	if (!c) {
		fprintf(stderr, "load: %s: no certificate and its key\n", folder);
		return;
	}
	/* The one before may have connections still: it stays. */
	if (sardane_server_attach(c, &config, &server, &err))
		die("server", err.msg);
	ctx = c;
	puts("reloaded");
	fflush(stdout);
}

static struct connection *take_place(void)
{
	for (int i = 0; i < CONNECTIONS; i++)
		if (connections[i].fd < 0)
			return &connections[i];
	return NULL;
}

static void end(struct connection *c)
{
	if (c->ssl) {
		sardane_abandon(c->ssl);
		/* In a handshake it would be an error, and SSL_get_error take it for the next
		 * one's. */
		if (SSL_is_init_finished(c->ssl))
			SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
	}
	if (c->fd >= 0)
		close(c->fd);
	sardane_find_free(c->find);
	*c = (struct connection){ .fd = -1 };
}

static void fail(struct connection *c, const char *why)
{
	failures++;
	printf("failed: %s\n", why);
	fflush(stdout);
	end(c);
}

/* The greeting, when the server is content; only then is a handshake one that succeeded. */
static void read_greeting(struct connection *c)
{
	char reply[16];
	int n;

	ERR_clear_error();
	n = SSL_read(c->ssl, reply, sizeof(reply));

	if (n > 0) {
		handshakes++;
		end(c);
		return;
	}
	if (SSL_get_error(c->ssl, n) != SSL_ERROR_WANT_READ)
		fail(c, "the server refused us");
}

static void step_client(struct connection *c)
{
	struct sardane_outcome who;
	int rc;

	if (c->want == SSL_ERROR_NONE) {
		read_greeting(c);
		return;
	}
	ERR_clear_error();
	rc = SSL_connect(c->ssl);
	c->want = rc == 1 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, rc);
	if (c->want == SSL_ERROR_WANT_READ || c->want == SSL_ERROR_WANT_WRITE)
		return;
	sardane_outcome(c->ssl, &who);
	if (!who.authenticated) {
		fail(c, who.reason);
		return;
	}
	read_greeting(c);
}

/* The client is not told why; who reads our output is. */
static void say_refused(const char *name, const char *why)
{
	printf("refused: %s: %s\n", name, why);
	fflush(stdout);
}

/* Of a handshake that ended before anybody was judged. */
static const char *tls_words(int want)
{
	static char words[300];
	unsigned long code = ERR_peek_error();

	snprintf(words, sizeof(words), "SSL error %d, errno %s, %s", want, strerror(errno),
		code ? ERR_error_string(code, NULL) : "no words of OpenSSL's");
	return words;
}

static void step_server(struct connection *c)
{
	struct sardane_outcome who;
	int rc;

	ERR_clear_error();
	rc = SSL_accept(c->ssl);
	c->want = rc == 1 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, rc);
	if (c->want == SSL_ERROR_WANT_READ || c->want == SSL_ERROR_WANT_WRITE ||
		c->want == SSL_ERROR_WANT_ASYNC)
		return;
	sardane_outcome(c->ssl, &who);
	if (who.authenticated)
		SSL_write(c->ssl, GREETING, sizeof(GREETING) - 1);
	else
		say_refused(who.name, who.reason[0] ? who.reason : tls_words(c->want));
	end(c);
}

static void accept_all(int listener)
{
	struct connection *c;
	int fd;

	while ((c = take_place()) && (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		*c = (struct connection){ .fd = fd,
			.ssl = SSL_new(ctx),
			.want = SSL_ERROR_WANT_READ,
			.deadline_ms = now_ms() + TIMEOUT_MS };
		if (!c->ssl || SSL_set_fd(c->ssl, fd) != 1)
			die("accept", "no memory");
	}
}

static unsigned count_under_way(void)
{
	unsigned n = 0;

	for (int i = 0; i < CONNECTIONS; i++)
		n += connections[i].fd >= 0;
	return n;
}

/* DNS first, then the connection; the place in the table is taken meanwhile. */
static void begin(const char *host, uint16_t port)
{
	struct connection *c = take_place();
	struct sardane_err err;

	if (!c)
		return;
	*c = (struct connection){ .fd = -1, .deadline_ms = now_ms() + TIMEOUT_MS };
	if (sardane_find_new(resolver, host, port, SARDANE_MODE_DANE, &c->find, &err))
		die("find", err.msg);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		die("socket", "none");
}

/* True when the connection has begun its handshake. */
static void try_to_connect(struct connection *c)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct sardane_endpoint e;
	struct sardane_err err;

	if (!sardane_find_endpoint(c->find, &e))
		return;
	if (!e.usable || e.address_count == 0) {
		fail(c, e.why);
		return;
	}
	a.sin_port = htons(e.port);
	memcpy(&a.sin_addr, e.address[0] + 12, 4);
	connect(c->fd, (struct sockaddr *)&a, sizeof(a));
	c->ssl = SSL_new(ctx);
	c->want = SSL_ERROR_WANT_WRITE;
	if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1 ||
		sardane_client_begin(c->ssl, client, c->find, &err))
		die("begin", "no memory");
}

static int listen_on(const char *address, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	inet_pton(AF_INET, address, &a.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 512))
		die("listen", "the port is not free");
	return fd;
}

static void turn(int listener, int timeout_ms, void (*step)(struct connection *))
{
	struct pollfd p[CONNECTIONS + 2] = { { .fd = listener, .events = POLLIN },
		{ .fd = sardane_resolver_fd(resolver), .events = POLLIN } };
	int64_t now;

	for (int i = 0; i < CONNECTIONS; i++) {
		const struct connection *c = &connections[i];
		bool waits = !c->ssl || c->want == SSL_ERROR_WANT_ASYNC;

		p[i + 2].fd = waits ? -1 : c->fd;
		p[i + 2].events = c->want == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
	}
	poll(p, CONNECTIONS + 2, timeout_ms);
	if (p[1].revents)
		sardane_resolver_dispatch(resolver);
	now = now_ms();
	for (int i = 0; i < CONNECTIONS; i++) {
		struct connection *c = &connections[i];

		if (c->fd < 0)
			continue;
		if (!c->ssl && c->find)
			try_to_connect(c);
		else if (p[i + 2].revents || (c->want == SSL_ERROR_WANT_ASYNC && p[1].revents))
			step(c);
		if (c->fd >= 0 && now > c->deadline_ms) {
			if (c->find) {
				fail(c, "no end within its time");
			} else {
				say_refused("",
					c->want == SSL_ERROR_WANT_ASYNC ? "no answer of DNS in time"
									: "no end within its time");
				end(c);
			}
		}
	}
	if (listener >= 0)
		accept_all(listener);
}

static void tell(void)
{
	printf("handshakes=%lu failed=%lu\n", handshakes, failures);
	fflush(stdout);
}

static int serve(char **argv)
{
	struct sardane_name suffix;
	struct sardane_err err;
	int listener = listen_on(argv[2], argv[3]);

	open_resolver();
	if (sardane_name_read(argv[5], &suffix, &err))
		die(argv[5], err.msg);
	load_server(argv[4], &suffix);
	if (!ctx)
		die(argv[4], "nothing to present");
	puts("ready");
	fflush(stdout);
	while (!ended) {
		if (hungup) {
			hungup = 0;
			load_server(argv[4], &suffix);
		}
		turn(listener, 100, step_server);
	}
	return 0;
}

static void load_client(char **argv)
{
	struct sardane_client_config config = { .client_name = argv[6] };
	SSL_CTX *c = load_context(TLS_client_method(), argv[4], argv[5]);
	struct sardane_err err;

	/* The one before may have connections still: it stays. */
	if (!c || sardane_client_attach(c, &config, &client, &err))
		die(argv[4], "cannot be used");
	ctx = c;
}

static int call(char **argv)
{
	int64_t pause_ms = 1000 / atoi(argv[7]), next = now_ms(), told = next;

	open_resolver();
	load_client(argv);
	puts("ready");
	fflush(stdout);
	while (!ended) {
		int64_t now = now_ms();

		if (hungup) {
			hungup = 0;
			load_client(argv);
		}

		for (; next <= now; next += pause_ms)
			if (count_under_way() < UNDER_WAY)
				begin(argv[2], (uint16_t)atoi(argv[3]));
		turn(-1, (int)(next - now), step_client);
		if (now - told >= 1000) {
			told = now;
			tell();
		}
	}
	/* Those that are under way are neither. */
	tell();
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = take_signal };

	for (int i = 0; i < CONNECTIONS; i++)
		connections[i].fd = -1;
	sigaction(SIGHUP, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	if (argc == 6 && strcmp(argv[1], "server") == 0)
		return serve(argv);
	if (argc == 8 && strcmp(argv[1], "client") == 0)
		return call(argv);
	die("usage",
		"load server ADDRESS PORT FOLDER SUFFIX | load client HOST PORT CERT KEY NAME RATE");
}
