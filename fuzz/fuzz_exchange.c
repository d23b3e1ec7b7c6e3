/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests on a real link, over a socketpair: the same ones are handed out however the octets
 * were cut, each with a body within its bound, and nothing of it stays when the peer is gone.
 * The first octet: how many octets come at a time.
 */
#include "net/exchange.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/buf.h"
#include "program/log.h"

#define BODY_MAX 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uv_loop_t loop;
static struct exchanges *exchanges;
static struct links *links;
static struct buf heard; /* each request in full */

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void handle(void *arg, struct http_exchange *x)
{
	static const char answer[] = "{}";

	(void)arg;
	check(x->body.n <= BODY_MAX && x->path[0] == '/' && !x->gone);
	buf_printf(&heard, "%s %s %s %zu:", x->method, x->path, x->content_type, x->body.n);
	buf_put(&heard, x->body);
	exchange_answer(x, 200, NULL, (struct span){ (const uint8_t *)answer, 2 });
}

static void start(void)
{
	struct http_server_config http = { .handle = handle,
		.body_max = BODY_MAX,
		.request_timeout_ms = 60000,
		.idle_timeout_ms = 60000 };
	struct links_config config = { .loop = &loop,
		.links_max = 100,
		.half_open_max = 100,
		.per_source_max = 100,
		.handshake_timeout_ms = 60000,
		.open = exchange_link_open,
		.input = exchange_link_input,
		.sent = exchange_link_sent,
		.gone = exchange_link_gone };

	log_open("fuzz_exchange", TRACE_ERROR, 0);
	check(uv_loop_init(&loop) == 0 && exchange_open(&http, &exchanges, NULL) == 0);
	config.arg = exchanges;
	check(link_table_new(&config, &links, NULL) == 0);
}

/* What the server has to do now, and its answers read away. */
static void turn(int fd)
{
	uint8_t answers[4096];

	for (int i = 0; i < 4; i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		while (recv(fd, answers, sizeof(answers), MSG_DONTWAIT) > 0)
			;
	}
}

/* The requests that were handed out. */
static struct buf run(struct span octets, size_t step)
{
	struct sockaddr from = { .sa_family = AF_UNSPEC };
	struct buf out;
	int fd[2];

	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) == 0);
	link_accept(links, fd[1], &from);
	for (size_t at = 0; at < octets.n; at += step) {
		size_t n = octets.n - at < step ? octets.n - at : step;

		if (send(fd[0], octets.p + at, n, MSG_NOSIGNAL) < 0)
			break;
		turn(fd[0]);
	}
	turn(fd[0]);
	close(fd[0]);
	for (int i = 0; i < 1000 && link_table_count(links); i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	check(link_table_count(links) == 0 && exchange_count(exchanges) == 0);
	out = heard;
	heard = (struct buf){ 0 };
	return out;
}

/* What is honest is heard, or nothing here would prove anything. */
static void try_honest(void)
{
	static const char request[] = "POST /x HTTP/1.1\r\nHost: y\r\nContent-Length: 1\r\n\r\nz";
	struct buf one = run((struct span){ (const uint8_t *)request, sizeof(request) - 1 }, 7);

	check(one.n == 12 && memcmp(one.p, "POST /x  1:z", 12) == 0);
	buf_done(&one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole, cut;

	if (!links) {
		start();
		try_honest();
	}
	if (size < 2)
		return 0;
	struct span octets = { data + 1, size - 1 };
	whole = run(octets, octets.n);
	cut = run(octets, 1 + data[0] % 64);
	check(whole.n == cut.n && (whole.n == 0 || memcmp(whole.p, cut.p, whole.n) == 0));
	buf_done(&whole);
	buf_done(&cut);
	return 0;
}
