/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_client - POST to a service found by DNS and proved by DANE, connections kept open.
 *
 *   post > service known and fresh? > else find it (dane/service over the resolver)
 *        > libcurl, one multi handle per service, hooked by tls_client_hook > answer
 *
 *   Rule       an open connection is used only until the TLSA it rests on expires; then the
 *              service is found again first.
 *   Bounds     posts waiting in all and per service; deadline per post, DNS included.
 *   Ownership  body is copied; the result and its spans live during the call of done.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include <uv.h>

#include "tls/client.h"

enum http_target_kind {
	HTTP_TARGET_URL,      /* https://host:port/path or http://127.0.0.1:port/path */
	HTTP_TARGET_JOIN_EUI, /* NAPTR/SRV/address of the JoinEUI name below suffix */
	HTTP_TARGET_NET_ID,   /* likewise for a NetID */
};

struct http_target {
	enum http_target_kind kind;
	const char *url;     /* HTTP_TARGET_URL */
	uint64_t id;         /* JoinEUI or NetID */
	const char *address; /* URL of https, mode PKIX: it is here, DNS is not asked; or NULL */
	const char *suffix;  /* "joineuis.example" */
	uint16_t port;       /* when DNS names none: 8003 for a JoinEUI, 443 by TS002 otherwise */
};

struct http_result {
	bool ok;         /* a response came; see status. Else why tells */
	unsigned status; /* HTTP */
	struct span body;
	const char *why;         /* words; "" when ok */
	bool nowhere;            /* not ok: DNS says securely that there is no such service */
	const struct peer *peer; /* who answered; NULL when no handshake was made */
	bool reused;             /* went over an open connection */
	unsigned dns_ms, connect_ms, total_ms; /* connect: TCP and TLS */
};

typedef void http_client_done(void *arg, const struct http_result *result);

struct http_client_config {
	uv_loop_t *loop;
	struct tls_client *tls; /* NULL: http URLs on loopback only */
	enum tls_mode mode;     /* of tls: what to ask DNS for; 0 is TLS_DANE */
	struct resolver *resolver;
	unsigned timeout_ms;      /* per post, everything included; 0 is 4000 */
	unsigned waiting_max;     /* posts in all; 0 is 1024 */
	unsigned connections_max; /* per service; 0 is 8 */
	size_t body_max;          /* of an answer; 0 is 65536 */
	/* May a host that DNS names for an id be connected to? NULL: any that is proved. */
	bool (*admit)(void *arg, const struct name *host);
	void *arg;
};

struct http_client;

int http_client_new(const struct http_client_config *config, struct http_client **out,
	struct err *err);
void http_client_free(struct http_client *c); /* every open post is done with ok false */
void http_client_post(struct http_client *c, const struct http_target *target, struct span body,
	http_client_done *done, void *arg);

#endif
