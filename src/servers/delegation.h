/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delegation - the zone that holds a name, its authoritative servers, and each of their words.
 *
 *   root servers --NS example?--> cut --NS a.example?--> cut --NS js.a.example?--> no cut
 *
 *   Source     RFC 1034 section 4.3.2 (referrals), RFC 8020 (nothing below NXDOMAIN), RFC 2181
 *              section 6 (cuts). A server may hold a zone and its child: then it answers for
 *              the child, and every label is asked for its NS to see the cut.
 *   Servers    those the parent names and those the zone itself names. Their addresses come
 *              from glue below the parent, or are asked for in the same way.
 *   Nobody     is believed: no signature is looked at here. That is src/trace's affair, which
 *              is given what delegation_prove and delegation_ask bring.
 *   Ports      53, or that of a private world for all of its servers.
 *   Bounds     QUERY_SERVERS_MAX addresses a zone; each question has its time.
 *   Ownership  zones belong to the walk and live until delegation_close.
 *   Threads    one walk, one thread.
 *   Errors     ERR_NOMEM, ERR_SYSTEM. Servers that do not answer are no error.
 */
#ifndef SERVERS_DELEGATION_H
#define SERVERS_DELEGATION_H

#include "servers/asked.h"

struct delegation_server {
	struct name host; /* n is 0: a root server known by its address */
	struct address address;
	bool by_parent, by_child; /* who names it */
	bool silent;              /* it did not answer the last time */
};

#define DELEGATION_LOST_MAX 8

struct delegation {
	struct name zone;
	struct delegation *parent; /* NULL: this is the root */
	size_t count;
	struct delegation_server server[QUERY_SERVERS_MAX];
	size_t lost; /* name servers without an address */
	struct name lost_host[DELEGATION_LOST_MAX];
	/* after delegation_prove: */
	bool proved;
	struct asked ds; /* asked of the parent's servers; empty for the root */
	struct asked dnskey, soa;
};

struct delegation_config {
	const struct address *root; /* NULL: the root servers of the Internet */
	size_t root_count;
	uint16_t port;       /* of every other server; 0: 53 */
	unsigned timeout_ms; /* of each question to each server; 0: QUERY_TIMEOUT_MS */
};

struct delegation_walk;

int delegation_open(const struct delegation_config *config, struct delegation_walk **out,
	struct err *err);
void delegation_close(struct delegation_walk *w);

/* The deepest zone that holds name. *out is at worst the root. */
int delegation_of(struct delegation_walk *w, const struct name *name, struct delegation **out,
	struct err *err);

/* One question to every server of the zone: asked_done. */
int delegation_ask(struct delegation_walk *w, struct delegation *zone, const struct name *name,
	uint16_t type, struct asked *out, struct err *err);

/* Asks for the DS, DNSKEY and SOA of the zone and of all above it, once. */
int delegation_prove(struct delegation_walk *w, struct delegation *zone, struct err *err);

#endif
