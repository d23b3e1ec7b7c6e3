/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange - HTTP/1.1 on links: octets in, whole requests out, one answer each.
 *
 *   octets of a link --> head (http_head), body (bounded; http_chunk) --> handle --> answer -->
 *   the link
 *
 *   Source     RFC 9112. Requests of one connection are taken one after another, the next not
 *              before the answer to the last has left: a peer that does not read is not heard.
 *   Bounds     body_max (413 beyond), HTTP_HEAD_OCTETS_MAX of header, request_timeout and
 *              idle_timeout; what comes during a request is read up to the same limits.
 *   Secrets    answers may hold keys: what is written is wiped.
 */
#ifndef NET_EXCHANGE_H
#define NET_EXCHANGE_H

#include "net/http_server.h"
#include "net/link.h"

struct exchanges;

int exchange_open(const struct http_server_config *config, struct exchanges **out, struct err *err);
/* The links must be gone. Answers still owed are dropped when they come. */
void exchange_close(struct exchanges *s);

/* The four calls that a link makes: see links_config. */
bool exchange_link_open(void *arg, struct link *l);
bool exchange_link_input(void *arg, struct link *l, struct span octets);
void exchange_link_sent(void *arg, struct link *l);
void exchange_link_gone(void *arg, struct link *l, const char *why);

/* http_server_answer, which see. */
void exchange_answer(struct http_exchange *x, unsigned status, const char *content_type,
	struct span body);

/* From now on every answer ends its connection. */
void exchange_drain(struct exchanges *s);

/* Requests handed out and not answered yet. */
unsigned exchange_count(const struct exchanges *s);
/* Connections that had no answer yet. */
unsigned exchange_fresh(const struct exchanges *s);

#endif
