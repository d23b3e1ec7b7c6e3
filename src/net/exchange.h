/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange - libmicrohttpd kept in its place: streams in, whole requests out.
 *
 *   stream of a link --> headers, body (bounded) --> handle --> http_server_answer --> stream
 *
 *   One libmicrohttpd connection per link; which one is told by the address it was added
 *   with, that no peer chooses. Requests of one connection are taken one after another.
 *   Bounds     body_max (413 beyond), 16 KiB of headers, request_timeout and idle_timeout.
 */
#ifndef NET_EXCHANGE_H
#define NET_EXCHANGE_H

#include "net/http_server.h"
#include "net/link.h"

struct exchanges;

int exchange_open(const struct http_server_config *config, struct exchanges **out, struct err *err);
/* The links must be gone. Answers still owed are dropped when they come. */
void exchange_close(struct exchanges *s);

/* The three calls that a link makes: see links_config. */
bool exchange_link_open(void *arg, struct link *l, int fd);
void exchange_link_input(void *arg, struct link *l);
void exchange_link_gone(void *arg, struct link *l);

/* http_server_answer, which see. */
void exchange_answer(struct http_exchange *x, unsigned status, const char *content_type,
	struct span body);

/* From now on every answer ends its connection. */
void exchange_drain(struct exchanges *s);

/* Requests handed out and not answered yet, or answered and not yet sent. */
unsigned exchange_count(const struct exchanges *s);

#endif
