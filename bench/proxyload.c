/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxyload - clients of a proxy: mutual TLS 1.3, requests of HTTP, and what they took.
 *
 *   Every proxy meets the same client: OpenSSL, X25519, one certificate or chain; to one that
 *   asks for dane_clientid it also sends a name, and with one of its own (a %u) a certificate of
 *   its own. It does not judge the server: its own time is not what is measured, and is the same
 *   for all.
 *   Prints one JSON object; fails when nobody answers for a while. One thread, epoll.
 */
#include "dane/clientid.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK    (64 << 10)
#define AHEAD    (256 << 10)
#define HEAD_MAX 2048
#define SAMPLES  (1 << 21)
#define SILENT_S 10

struct wish {
	unsigned port, at_once, total, requests, from;
	unsigned long long reply;
	double seconds,
		rate; /* rate: requests per second of all, when steady; 0: as fast as it goes */
	size_t body;
	const char *name; /* with a %u, or not; NULL: no TLS */
	const char *chain, *key;
	bool hold, steady;
};

enum state { CONNECTING, HANDSHAKE, IDLE, ASKED };

struct client {
	int fd;
	SSL *ssl;
	enum state at;
	uint8_t name[CLIENTID_MAX];
	size_t name_n;
	unsigned asked; /* requests sent so far */
	double began, asked_at;
	size_t sent; /* of the request */
	char head[HEAD_MAX];
	size_t head_n;
	unsigned long long left;
	unsigned events;
	struct client *next; /* idle */
};

struct times {
	float *v;
	unsigned n;
};

static struct wish wish = { .at_once = 1, .requests = 1, .reply = 1024, .body = 1024 };
static SSL_CTX *ctx;
static int epoll;
static char *request;
static size_t request_n;
static unsigned begun, open_now, idle_now, failed, connections, requests;
static unsigned long long octets;
static double start, stop_at, next_due, moved; /* moved: when there was an event last */
static bool going;                             /* steady: all are there, and the time counts */
static struct client *idle, **idle_end = &idle;
static struct times connect_ms, request_ms;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "proxyload: %s\n", what);
	exit(1);
}

static void note(struct times *t, double seconds)
{
	if (t->n < SAMPLES)
		t->v[t->n++] = (float)(seconds * 1e3);
}

static void watch(struct client *c, unsigned events)
{
	struct epoll_event e = { .events = events, .data.ptr = c };

	if (c->events != events)
		epoll_ctl(epoll, c->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &e);
	c->events = events;
}

static void set_name(struct client *c, unsigned n)
{
	char text[NAME_TEXT_MAX];
	const char *percent = strchr(wish.name, '%');
	struct name name;

	snprintf(text, sizeof text, "%.*s",
		percent ? (int)(percent - wish.name) : (int)strlen(wish.name), wish.name);
	if (percent)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%u%s", n, percent + 2);
	must(!name_read_text((struct span){ (uint8_t *)text, strlen(text) }, &name) &&
			!clientid_write(&name, c->name, &c->name_n, NULL),
		"--name");
}

/* Who has a name that nobody knows has a certificate that nobody knows; TLSA 3 1 1 is of the key.
 */
static void set_certificate(struct client *c, unsigned n)
{
	X509 *own = X509_dup(SSL_get_certificate(c->ssl));

	must(own && ASN1_INTEGER_set(X509_get_serialNumber(own), n) &&
			X509_sign(own, SSL_get_privatekey(c->ssl), EVP_sha256()) &&
			SSL_use_certificate(c->ssl, own) == 1,
		"certificate");
	X509_free(own);
}

/* In order: a client that ends without close_notify was cut. */
static void drop(struct client *c)
{
	if (c->ssl && c->at > HANDSHAKE)
		SSL_shutdown(c->ssl);
	SSL_free(c->ssl);
	close(c->fd);
	free(c);
	open_now--;
}

static void fail(struct client *c)
{
	failed++;
	drop(c);
}

static bool time_is_over(void)
{
	return wish.seconds > 0 && now() >= stop_at;
}

static void begin(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)wish.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct client *c = calloc(1, sizeof *c);
	int one = 1;

	must(c, "no memory");
	c->began = now();
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	must(c->fd >= 0, strerror(errno));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (wish.name) {
		set_name(c, wish.from + begun);
		c->ssl = SSL_new(ctx);
		must(c->ssl && SSL_set_fd(c->ssl, c->fd) && SSL_set_app_data(c->ssl, c), "SSL");
		SSL_set_connect_state(c->ssl);
		if (strchr(wish.name, '%'))
			set_certificate(c, wish.from + begun);
	}
	begun++;
	open_now++;
	if (connect(c->fd, (struct sockaddr *)&a, sizeof a) && errno != EINPROGRESS)
		fail(c);
	else
		watch(c, EPOLLOUT);
}

/* 0: later, and what is awaited is watched; -1: broken. */
static int wanted(struct client *c, int rc)
{
	switch (c->ssl ? SSL_get_error(c->ssl, rc) : SSL_ERROR_SYSCALL) {
	case SSL_ERROR_WANT_READ: watch(c, EPOLLIN); return 0;
	case SSL_ERROR_WANT_WRITE: watch(c, EPOLLOUT); return 0;
	default: return -1;
	}
}

static ssize_t put(struct client *c, const char *p, size_t n)
{
	ssize_t rc = c->ssl ? SSL_write(c->ssl, p, (int)n) : send(c->fd, p, n, MSG_NOSIGNAL);

	if (rc > 0)
		return rc;
	if (c->ssl)
		return wanted(c, (int)rc);
	watch(c, EPOLLOUT);
	return errno == EAGAIN ? 0 : -1;
}

/* Octets; 0: later; -1: the end. */
static ssize_t get(struct client *c, char *p, size_t n)
{
	ssize_t rc = c->ssl ? SSL_read(c->ssl, p, (int)n) : recv(c->fd, p, n, 0);

	if (rc > 0)
		return rc;
	if (c->ssl)
		return wanted(c, (int)rc);
	watch(c, EPOLLIN);
	return rc < 0 && errno == EAGAIN ? 0 : -1;
}

static void rest(struct client *c)
{
	c->at = IDLE;
	c->next = NULL;
	idle_now++;
	*idle_end = c;
	idle_end = &c->next;
	watch(c, EPOLLIN);
}

static bool replied(struct client *c)
{
	double t = now();

	note(&request_ms, t - c->asked_at);
	requests++;
	if (c->asked == 1) {
		note(&connect_ms, t - c->began);
		connections++;
	}
	if (wish.hold || wish.rate > 0 || (wish.steady && (!going || time_is_over()))) {
		rest(c);
		return false;
	}
	if ((wish.requests && c->asked == wish.requests) || time_is_over()) {
		drop(c);
		return false;
	}
	return true;
}

/* The head, then so many octets. False: later, or never again. */
static bool hear(struct client *c)
{
	static char chunk[CHUNK];

	for (;;) {
		ssize_t n = get(c, chunk, sizeof chunk);
		char *end, *p = chunk;

		if (n < 0)
			fail(c);
		if (n <= 0)
			return false;
		octets += (unsigned long long)n;
		if (!c->left) {
			size_t take =
				(size_t)n < HEAD_MAX - c->head_n ? (size_t)n : HEAD_MAX - c->head_n;

			memcpy(c->head + c->head_n, chunk, take);
			end = memmem(c->head, c->head_n + take, "\r\n\r\n", 4);
			must(end || c->head_n + take < HEAD_MAX, "no end of a head");
			must(c->head_n + take < 12 || !memcmp(c->head + 8, " 200", 4), "no 200");
			if (!end) {
				c->head_n += take;
				continue;
			}
			p += (size_t)(end + 4 - c->head) - c->head_n;
			n -= p - chunk;
			c->left = wish.reply;
		}
		must((unsigned long long)n <= c->left, "more than was asked for");
		c->left -= (unsigned long long)n;
		if (!c->left)
			return replied(c);
	}
}

static void ask(struct client *c, double since)
{
	c->at = ASKED;
	c->asked_at = since;
	c->asked++;
	c->sent = c->head_n = 0;
}

static void talk(struct client *c)
{
	for (;;) {
		while (c->sent < request_n) {
			ssize_t n = put(c, request + c->sent, request_n - c->sent);

			if (n < 0)
				fail(c);
			if (n <= 0)
				return;
			c->sent += (size_t)n;
		}
		if (!hear(c))
			return;
		ask(c, now());
	}
}

static void ready(struct client *c)
{
	int error = 0, rc;
	socklen_t n = sizeof error;

	if (c->at == CONNECTING) {
		getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &n);
		if (error) {
			fail(c);
			return;
		}
		c->at = c->ssl ? HANDSHAKE : ASKED;
	}
	if (c->at == HANDSHAKE) {
		rc = SSL_do_handshake(c->ssl);
		if (rc != 1) {
			if (wanted(c, rc) < 0)
				fail(c);
			return;
		}
	}
	if (c->at == IDLE) {
		/* What is idle is spoken to only to be told that it is over. */
		failed++;
		watch(c, 0);
		return;
	}
	if (!c->asked)
		ask(c, now());
	talk(c);
}

static int offer(SSL *ssl, unsigned type, unsigned context, const unsigned char **out, size_t *n,
	X509 *x, size_t index, int *alert, void *arg)
{
	struct client *c = SSL_get_app_data(ssl);

	(void)type, (void)context, (void)x, (void)index, (void)alert, (void)arg;
	*out = c->name;
	*n = c->name_n;
	return 1;
}

static void open_tls(void)
{
	ctx = SSL_CTX_new(TLS_client_method());
	must(ctx && SSL_CTX_use_certificate_chain_file(ctx, wish.chain) == 1 &&
			SSL_CTX_use_PrivateKey_file(ctx, wish.key, SSL_FILETYPE_PEM) == 1 &&
			SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) &&
			SSL_CTX_set1_groups_list(ctx, "X25519") &&
			SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") &&
			SSL_CTX_add_custom_ext(ctx, 65280,
				SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_CERTIFICATE,
				offer, NULL, NULL, NULL, NULL),
		"TLS context");
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* Many records in one read of the socket: it is the proxy that is to be the slowest. */
	if (wish.reply > CHUNK) {
		SSL_CTX_set_read_ahead(ctx, 1);
		SSL_CTX_set_default_read_buffer_len(ctx, AHEAD);
	}
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void show(const char *what, struct times *t)
{
	float none = 0, *v = t->n ? t->v : &none;
	unsigned n = t->n ? t->n : 1;

	qsort(v, n, sizeof *v, by_value);
	printf(", \"%s\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}", what, (double)v[n / 2],
		(double)v[(unsigned)ceil(n * 0.99) - 1], (double)v[n - 1]);
}

static void report(void)
{
	printf("{\"seconds\": %.4f, \"connections\": %u, \"failed\": %u, \"requests\": %u, \"octets\": %llu",
		now() - start, connections, failed, requests, octets);
	show("connect_ms", &connect_ms);
	show("request_ms", &request_ms);
	puts("}");
	fflush(stdout);
}

/* Who is held counts no more: only those on their way are so many at once. */
static bool may_begin(void)
{
	return open_now - (wish.hold ? connections : 0) < wish.at_once &&
		(!wish.total || begun < wish.total) && !time_is_over();
}

/* Requests that are due, whoever is free; their time counts from when they were due. */
static void dispatch(void)
{
	double t = now();

	while (going && wish.rate > 0 && next_due <= t && next_due < stop_at && idle) {
		struct client *c = idle;

		idle = c->next;
		if (!idle)
			idle_end = &idle;
		idle_now--;
		ask(c, next_due);
		next_due += 1 / wish.rate;
		talk(c);
	}
}

/* To the microsecond: who only looks whether a request is due keeps the backend from a processor.
 */
static struct timespec wait_for(void)
{
	double left = going && wish.rate > 0 && idle ? next_due - now() : 0.1;

	if (may_begin() || left < 0)
		left = 0;
	return (struct timespec){ .tv_sec = (time_t)left, .tv_nsec = (long)(fmod(left, 1) * 1e9) };
}

static void turn(void)
{
	struct epoll_event e[64];
	struct timespec t;
	int n;

	for (int i = 0; i < 32 && may_begin(); i++)
		begin();
	dispatch();
	t = wait_for();
	n = epoll_pwait2(epoll, e, 64, &t, NULL);
	if (n > 0)
		moved = now();
	must(open_now == idle_now || now() - moved < SILENT_S, "nobody answers");
	for (int i = 0; i < n; i++)
		ready(e[i].data.ptr);
}

static void ask_all(void)
{
	struct client *c = idle, *next;

	idle = NULL;
	idle_end = &idle;
	idle_now = 0;
	for (; c; c = next) {
		next = c->next;
		ask(c, now());
		talk(c);
	}
}

/* Once all are there, and whoever measures says so, the clock starts anew. What is due when the
 * time is over is answered still, and counts: who falls silent is not faster for it. */
static void steady(void)
{
	stop_at = INFINITY;
	while (connections + failed < wish.at_once)
		turn();
	puts("ready");
	fflush(stdout);
	must(getchar() != EOF, "nobody says when to begin");
	request_ms.n = 0;
	requests = failed = 0;
	octets = 0;
	next_due = start = moved = now();
	stop_at = start + wish.seconds;
	going = true;
	if (wish.rate <= 0)
		ask_all();
	while (now() < stop_at || open_now > idle_now || (wish.rate > 0 && next_due < stop_at))
		turn();
}

static void run(void)
{
	while (may_begin() || open_now) {
		turn();
		if (wish.hold && connections + failed == wish.total)
			break;
	}
}

static void read_options(int argc, char **argv)
{
	static const struct option options[] = { { "port", 1, 0, 'p' }, { "at-once", 1, 0, 'n' },
		{ "connections", 1, 0, 't' }, { "requests", 1, 0, 'r' }, { "from", 1, 0, 'f' },
		{ "reply", 1, 0, 'R' }, { "seconds", 1, 0, 's' }, { "rate", 1, 0, 'w' },
		{ "body", 1, 0, 'b' }, { "name", 1, 0, 'N' }, { "chain", 1, 0, 'c' },
		{ "key", 1, 0, 'k' }, { "hold", 0, 0, 'h' }, { "steady", 0, 0, 'S' }, { 0 } };
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (o) {
		case 'p': wish.port = (unsigned)atoi(optarg); break;
		case 'n': wish.at_once = (unsigned)atoi(optarg); break;
		case 't': wish.total = (unsigned)atoi(optarg); break;
		case 'r': wish.requests = (unsigned)atoi(optarg); break;
		case 'f': wish.from = (unsigned)atoi(optarg); break;
		case 'R': wish.reply = strtoull(optarg, NULL, 10); break;
		case 's': wish.seconds = atof(optarg); break;
		case 'w': wish.rate = atof(optarg); break;
		case 'b': wish.body = strtoul(optarg, NULL, 10); break;
		case 'N': wish.name = optarg; break;
		case 'c': wish.chain = optarg; break;
		case 'k': wish.key = optarg; break;
		case 'h': wish.hold = true; break;
		case 'S': wish.steady = true; break;
		default: exit(2);
		}
	must(wish.port && wish.reply, "--port, --reply");
	must(wish.seconds > 0 || wish.total, "--seconds or --connections");
}

int main(int argc, char **argv)
{
	char octet;

	read_options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1);
	epoll = epoll_create1(0);
	if (wish.name)
		open_tls();
	connect_ms.v = malloc(SAMPLES * sizeof(float));
	request_ms.v = malloc(SAMPLES * sizeof(float));
	request = calloc(1, wish.body + 256);
	must(connect_ms.v && request_ms.v && request, "no memory");
	request_n = (size_t)sprintf(request,
			    "POST /%llu HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
			    wish.reply, wish.body) +
		wish.body;
	start = moved = now();
	stop_at = start + wish.seconds;
	if (wish.steady)
		steady();
	else
		run();
	report();
	/* Idle connections stay until whoever counts their memory is done. */
	while (wish.hold && read(STDIN_FILENO, &octet, 1) > 0)
		;
	return 0;
}
