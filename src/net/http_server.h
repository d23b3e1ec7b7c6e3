/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_server - HTTP/1.1 requests from authenticated peers, over TLS or (tests, loopback
 * administration) plain.
 *
 *   accept > first octet > TLS handshake (may wait for DNS) > requests (exchange) >
 *   handle > http_server_answer, now or later
 *
 *   Bounds     connections, handshakes, body octets, header and idle time: all in config.
 *   Ownership  an exchange lives from handle until http_server_answer; if the peer goes
 *              away first, gone is set and the answer is dropped.
 *   Threads    the loop's, all of it.
 */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include <uv.h>

#include "net/counts.h"
#include "tls/conn.h"

struct http_exchange {
	const char *method;       /* "POST" */
	const char *path;         /* "/" */
	const char *content_type; /* "" when there was none */
	struct span body;
	const struct peer *peer; /* who asks; never NULL, not authenticated when plain */
	const char *address;     /* "192.0.2.1:40312", for logs */
	bool gone;               /* the connection is no more */
	void *user;              /* the handler's */
};

typedef void http_server_handle(void *arg, struct http_exchange *x);

struct http_server_config {
	uv_loop_t *loop;
	const char *bind;          /* "0.0.0.0:8003", "[::1]:8003"; port 0: any */
	const int *fd;             /* instead: a socket that is bound, the server's from now on */
	struct tls_server *tls;    /* NULL: plain, allowed on loopback only */
	struct resolver *resolver; /* dispatched by the loop (net/resolving.h) */
	http_server_handle *handle;
	void *arg;
	size_t body_max;               /* octets; 0 is 32768 */
	unsigned connections_max;      /* 0 is 4096 */
	unsigned handshakes_max;       /* half-open; 0 is 2048 */
	unsigned per_source_max;       /* connections of one address (IPv6: /64); 0 is 1024 */
	unsigned handshake_timeout_ms; /* 0 is 10000 */
	unsigned request_timeout_ms;   /* a request's first octet to its last; 0 is 10000 */
	unsigned idle_timeout_ms;      /* between requests; 0 is 120000 */
	struct counts *counts;         /* NULL: nobody wants to know */
};

struct http_server;

int http_server_new(const struct http_server_config *config, struct http_server **out,
	struct err *err);
/* The port it listens on, for bind with port 0. */
uint16_t http_server_port(const struct http_server *s);
/* Stops accepting, drains for at most drain_ms, then done is called (may be NULL). Without TLS it
 * also waits for those that have not asked yet. */
void http_server_close(struct http_server *s, unsigned drain_ms, void (*done)(void *arg),
	void *arg);

/* Once per exchange. content_type NULL is "application/json". */
void http_server_answer(struct http_exchange *x, unsigned status, const char *content_type,
	struct span body);

#endif
