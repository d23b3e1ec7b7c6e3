/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lorawan - an entry whose octets are LoRaWAN Backend Interfaces: read, routed, passed unchanged.
 *
 *   outbound, to: lorawan       POST in the clear > ReceiverID > a route, or DNS > mutual DANE
 *   listener, identity: lorawan mutual DANE > SenderID held against the proved name > backend, in
 *                               the clear or with a client certificate for each NetID
 *
 *   Answers    what the other side says, unchanged; when it cannot be had, HTTP 200 and the
 *              answer of TS002 with a Result. What is no such message is answered 4xx, and what
 *              is an answer itself (asynchronous) 403 or 502: nobody reads a Result there.
 *   Log        one line for each message, "lorawan.pass" or "lorawan.refuse"; never what it holds.
 *   Ownership  all that is given is borrowed and outlives it.
 */
#ifndef PROXY_LORAWAN_H
#define PROXY_LORAWAN_H

#include <uv.h>

#include "proxy/config.h"
#include "resolve/resolver.h"
#include "tls/client.h"

struct lorawan;

struct lorawan_config {
	uv_loop_t *loop;
	const struct config_end *end;
	struct resolver *resolver;
	struct tls_server *tls_server; /* of a listener */
	struct tls_client *tls_client; /* of outbound */
	struct counts *counts;         /* NULL: nobody wants to know */
	const struct rule_set *rules;  /* of outbound: hosts that DNS may name; NULL: any */
};

int lorawan_new(const struct lorawan_config *config, struct lorawan **out, struct err *err);
void lorawan_accept(struct lorawan *l, int fd, const struct sockaddr *from);
void lorawan_drain(struct lorawan *l);           /* every answer ends its connection now */
unsigned lorawan_count(const struct lorawan *l); /* messages not answered yet */
void lorawan_close(struct lorawan *l, void (*done)(void *arg), void *arg);

#endif
