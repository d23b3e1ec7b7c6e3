/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_stall - how long one turn of a loop keeps everybody waiting.
 *
 *   Server     the real http_server, in a process of its own: 1,000 clients, each with a name and
 *              a TLSA of its own, 64 at a time; every handshake waits for DNS.
 *   Client     the real http_client: 100 posts at once to as many services, each of which is
 *              found by DNS, connected to and proved.
 *   Measured   net/stall.h: the longest turn, in CPU time of the thread (ours alone) and by the
 *              clock (the machine's other work is in it). The first of everything is included.
 */
#include "certs.h"
#include "pair.h"
#include "tlsworld.h"

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "net/resolving.h"
#include "net/stall.h"
#include "program/log.h"
#include "verify.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMES    1000
#define FLIGHTS  64
#define SERVICES 100
#define PATIENCE 10000 /* ms */
#define VERIFIES 400
#define CONTROLS 3000 /* about as many as there are turns */

static struct tlsworld world;
static char server_cert[128], server_key[128], client_cert[128], client_key[128];

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "bench_stall: %s\n", what);
	exit(1);
}

static struct resolver *open_resolver(void)
{
	const char *build = getenv("SARDANE_BUILD");
	struct resolver *r = NULL;
	char helper[512];
	struct err err = { 0 };

	snprintf(helper, sizeof(helper), "%s/bin/resolverd/sardane-resolverd",
		build ? build : "build");
	struct resolver_config config = tlsworld_resolver(&world, helper);
	config.deadline_ms = 4000; /* the machine may be busy */
	must(resolver_new(&config, &r, &err) == 0, err.msg);
	return r;
}

/* What a server told: its port at first, its longest turn at last. */
struct told {
	uint16_t port;
	uint64_t answered;
	struct stall_report report;
};

struct serving {
	uv_loop_t loop;
	uv_poll_t quit;
	struct http_server *http;
	struct resolving *resolving;
	struct stall *stall;
	struct told told;
};

static bool allow(void *arg, const struct name *client)
{
	(void)arg;
	return name_labels(client) > 1;
}

static void answer(void *arg, struct http_exchange *x)
{
	struct serving *s = arg;

	s->told.answered++;
	http_server_answer(x, 200, NULL, x->body);
}

static void all_closed(void *arg)
{
	struct serving *s = arg;

	resolving_free(s->resolving);
	stall_free(s->stall);
}

static void quit(uv_poll_t *poll, int status, int events)
{
	struct serving *s = poll->data;

	(void)status, (void)events;
	stall_report(s->stall, &s->told.report);
	uv_close((uv_handle_t *)poll, NULL);
	http_server_close(s->http, 0, all_closed, s);
}

static void serve(int in, int out)
{
	static struct serving s;
	struct err err = { 0 };
	struct resolver *resolver = open_resolver();
	struct tls_server *tls = NULL;
	struct tls_server_config config = { .tls_cert = server_cert,
		.tls_key = server_key,
		.resolver = resolver,
		.authorise = allow };

	must(tls_server_new(&config, &tls, &err) == 0, err.msg);
	uv_loop_init(&s.loop);
	must(stall_new(&s.loop, 0, &s.stall, &err) == 0, err.msg);
	must(resolving_new(&s.loop, resolver, &s.resolving, &err) == 0, err.msg);
	struct http_server_config http = { .loop = &s.loop,
		.bind = "127.0.0.1:0",
		.tls = tls,
		.resolver = resolver,
		.handle = answer,
		.arg = &s };
	must(http_server_new(&http, &s.http, &err) == 0, err.msg);
	uv_poll_init(&s.loop, &s.quit, in);
	s.quit.data = &s;
	uv_poll_start(&s.quit, UV_READABLE, quit);
	s.told.port = http_server_port(s.http);
	must(write(out, &s.told, sizeof(s.told)) == sizeof(s.told), "pipe");
	uv_run(&s.loop, UV_RUN_DEFAULT);
	must(loop_close(&s.loop, &err) == 0, err.msg);
	must(write(out, &s.told, sizeof(s.told)) == sizeof(s.told), "pipe");
	tls_server_free(tls);
	resolver_free(resolver);
	exit(0);
}

/* A client of the 1,000: handshake, one request, one answer. */
struct flight {
	struct tls_client *tls;
	struct conn *conn;
	enum { SHAKING, ASKING, HEARING } at;
};

static void depart(struct flight *f, struct pollfd *p, unsigned number,
	const struct service *service)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(service->endpoint[0].port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct err err = { 0 };
	char name[64];

	snprintf(name, sizeof(name), "_ns%u.org.example", number);
	struct tls_client_config config = { .tls_cert = client_cert,
		.tls_key = client_key,
		.dane_client_name = name };
	f->at = SHAKING;
	p->events = POLLIN;
	p->fd = socket(AF_INET, SOCK_STREAM, 0);
	must(p->fd >= 0 && connect(p->fd, (struct sockaddr *)&to, sizeof(to)) == 0, "connect");
	must(fcntl(p->fd, F_SETFL, O_NONBLOCK) == 0, "socket");
	must(tls_client_new(&config, &f->tls, &err) == 0, err.msg);
	must(conn_new_client(f->tls, &service->endpoint[0], p->fd, &f->conn, &err) == 0, err.msg);
}

/* True when the answer is there. */
static bool fly(struct flight *f)
{
	static const char request[] =
		"POST / HTTP/1.1\r\nHost: js.org.example\r\nContent-Length: 2\r\n\r\n{}";
	enum conn_event at = CONN_READY;
	char heard[1024];
	size_t n = 0;

	if (f->at == SHAKING) {
		at = conn_handshake(f->conn);
		f->at = at == CONN_READY ? ASKING : SHAKING;
	}
	if (f->at == ASKING) {
		struct buf room = { 0 };

		at = conn_write(f->conn,
			(struct span){ (const uint8_t *)request, sizeof(request) - 1 }, &room);
		buf_done(&room);
		f->at = at == CONN_READY ? HEARING : ASKING;
	}
	while (f->at == HEARING && at == CONN_READY) {
		at = conn_read(f->conn, heard, sizeof(heard), &n);
		if (n >= 12 && memcmp(heard, "HTTP/1.1 200", 12) == 0)
			return true;
	}
	must(at == CONN_WANT_READ, conn_peer(f->conn)->reason);
	return false;
}

static void arrive(struct flight *f, struct pollfd *p)
{
	conn_free(f->conn);
	tls_client_free(f->tls);
	close(p->fd);
	p->fd = -1;
}

static void handshakes(const struct service *service)
{
	static struct flight f[FLIGHTS];
	static struct pollfd p[FLIGHTS];
	unsigned gone = 0, back = 0;

	for (unsigned i = 0; i < FLIGHTS; i++)
		p[i].fd = -1;
	while (back < NAMES) {
		for (unsigned i = 0; i < FLIGHTS && gone < NAMES; i++) {
			if (p[i].fd >= 0)
				continue;
			depart(&f[i], &p[i], gone++, service);
			if (!fly(&f[i]))
				continue;
			/* On a busy machine all of it may have passed meanwhile. */
			arrive(&f[i], &p[i]);
			back++;
		}
		if (back == NAMES)
			break;
		must(poll(p, FLIGHTS, PATIENCE) > 0, "nothing happens");
		for (unsigned i = 0; i < FLIGHTS; i++) {
			if (p[i].fd < 0 || !p[i].revents || !fly(&f[i]))
				continue;
			arrive(&f[i], &p[i]);
			back++;
		}
	}
}

static unsigned posted;

static void posted_one(void *arg, const struct http_result *r)
{
	must(r->ok && r->status == 200, r->why);
	if (++posted == SERVICES)
		uv_stop(arg);
}

static void posts(struct resolver *resolver, uint16_t port, struct stall_report *report)
{
	uv_loop_t loop;
	struct http_client *http = NULL;
	struct tls_client *tls = NULL;
	struct resolving *resolving = NULL;
	struct stall *stall = NULL;
	struct err err = { 0 };
	struct tls_client_config config = { .tls_cert = client_cert,
		.tls_key = client_key,
		.dane_client_name = "_ns0.org.example" };

	uv_loop_init(&loop);
	must(tls_client_new(&config, &tls, &err) == 0, err.msg);
	must(stall_new(&loop, 0, &stall, &err) == 0, err.msg);
	must(resolving_new(&loop, resolver, &resolving, &err) == 0, err.msg);
	struct http_client_config of_http = { .loop = &loop,
		.tls = tls,
		.mode = TLS_DANE,
		.resolver = resolver,
		.timeout_ms = PATIENCE };
	must(http_client_new(&of_http, &http, &err) == 0, err.msg);
	for (unsigned i = 0; i < SERVICES; i++) {
		char url[96];
		snprintf(url, sizeof(url), "https://h%u.org.example:%u/", i, port);
		struct http_target to = { .kind = HTTP_TARGET_URL, .url = url };
		http_client_post(http, &to, (struct span){ (const uint8_t *)"{}", 2 }, posted_one,
			&loop);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	stall_report(stall, report);
	http_client_free(http);
	resolving_free(resolving);
	stall_free(stall);
	must(loop_close(&loop, &err) == 0, err.msg);
	tls_client_free(tls);
}

static void start_world(const struct certs_leaf *server, const struct certs_leaf *client)
{
	char text[200];

	tlsworld_init(&world);
	certs_write(world.folder, "server", server, NULL);
	certs_write(world.folder, "client", client, NULL);
	snprintf(server_cert, sizeof(server_cert), "%s/server.pem", world.folder);
	snprintf(server_key, sizeof(server_key), "%s/server-key.pem", world.folder);
	snprintf(client_cert, sizeof(client_cert), "%s/client.pem", world.folder);
	snprintf(client_key, sizeof(client_key), "%s/client-key.pem", world.folder);
	certs_tlsa(server, 3, 1, 1, text, sizeof(text));
	for (unsigned i = 0; i < SERVICES; i++) {
		tlsworld_add(&world, TLSWORLD_SIGNED, "h%u.org 3600 IN A 127.0.0.1", i);
		tlsworld_add(&world, TLSWORLD_SIGNED, "*._tcp.h%u.org 3600 IN TLSA %s", i, text);
	}
	certs_tlsa(client, 3, 1, 1, text, sizeof(text));
	for (unsigned i = 0; i < NAMES; i++)
		tlsworld_add(&world, TLSWORLD_SIGNED, "_ns%u.org 3600 IN TLSA %s", i, text);
	tlsworld_start(&world);
}

static void print(const char *who, const char *note, const struct stall_report *r, double v_us)
{
	printf("longest turn of a %s\t%.2f\tms\t<= 2\tCPU time; %s\n", who,
		(double)r->longest_cpu_us / 1e3, note);
	printf("longest turn of a %s in V\t%.1f\tV\t-\tV is %.0f us, just after\n", who,
		(double)r->longest_cpu_us / v_us, v_us);
	printf("longest turn of a %s, by the clock\t%.2f\tms\t-\t%.0f us a turn on average\n", who,
		(double)r->longest_us / 1e3,
		r->turns ? (double)r->total_us / (double)r->turns : 0.0);
}

int main(void)
{
	struct certs_leaf server = certs_make(&(struct certs_wish){ .cn = "server" }),
			  client = certs_make(&(struct certs_wish){ .cn = "client" });
	struct stall_report of_client = { 0 };
	struct told told;
	int in[2], out[2];

	log_open("bench_stall", TRACE_ERROR, 0);
	signal(SIGPIPE, SIG_IGN);
	start_world(&server, &client);
	must(pipe(in) == 0 && pipe(out) == 0, "pipe");
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(in[1]);
		close(out[0]);
		serve(in[0], out[1]);
	}
	close(in[0]);
	close(out[1]);
	must(read(out[0], &told, sizeof(told)) == sizeof(told), "the server did not start");
	struct resolver *resolver = open_resolver();
	struct service *service = pair_find(resolver, "h0.org.example", told.port, TLS_DANE);
	must(service && service->endpoint[0].proof == SERVICE_BY_DANE, "no TLSA of the server");
	handshakes(service);
	posts(resolver, told.port, &of_client);
	double v_us = verify_us(VERIFIES);
	close(in[1]);
	must(read(out[0], &told, sizeof(told)) == sizeof(told), "the server broke");
	must(told.answered == NAMES + SERVICES, "not every request was answered");
	waitpid(pid, NULL, 0);
	print("server", "1,000 handshakes of 1,000 names, 64 at a time", &told.report, v_us);
	print("client", "100 services found, connected to and proved at once", &of_client, v_us);
	printf("longest of equal stretches of work\t%.2f\tms\t-\tCPU time; %u of 3 V, no loop at all\n",
		verify_longest_us(CONTROLS) / 1e3, CONTROLS);
	service_drop(service);
	resolver_free(resolver);
	tlsworld_stop(&world);
	certs_drop(&server);
	certs_drop(&client);
	return 0;
}
