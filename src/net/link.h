/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link - one accepted connection, from its first octet to its last.
 *
 *   SILENT --octet--> HANDSHAKE <--> ASKING_DNS          SILENT holds no TLS object and no
 *     |                  |READY                          buffer: under 1 KB
 *     |plain             v
 *     +--------------> OPEN --stream ended--> FLUSHING --> LINGERING --> CLOSED
 *
 *   From any state to CLOSED: the peer went, a deadline passed, the TLSA was withdrawn, the
 *   owner closed it. In OPEN the octets are pumped between the connection and a socketpair
 *   whose other end the owner was given: at most one chunk waits on either way, and who
 *   does not read is not read from.
 *
 *   Proof      an open link rests on a TLSA. When that expires it is asked for again: the
 *              same records, or the one of this key still among them: the link stays.
 *              Otherwise, or without an answer, it is closed.
 *   Bounds     links in all, half-open ones (the oldest gives way), links per source.
 *   Ownership  links belong to their struct links; a link pointer is good from open to gone.
 *   Errors     words; a link never fails the listener.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include <netinet/in.h>
#include <uv.h>

#include "resolve/resolver.h"
#include "tls/conn.h"

struct link;
struct links;

struct links_config {
	uv_loop_t *loop;
	struct tls_server *tls; /* NULL: plain */
	struct resolver *resolver;
	unsigned links_max;
	unsigned half_open_max;
	unsigned per_source_max;
	unsigned handshake_timeout_ms;
	/* The peer is known; fd is the owner's end of the stream, non-blocking, the owner's
	 * to close, also when it says false: then the link closes. */
	bool (*open)(void *arg, struct link *l, int fd);
	/* Octets arrived for the owner to read from its end. */
	void (*input)(void *arg, struct link *l);
	/* The link is no more after this call. Only after open said true. */
	void (*gone)(void *arg, struct link *l);
	void *arg;
};

int link_table_new(const struct links_config *config, struct links **out, struct err *err);
/* Closes every link; done is called when all handles are closed. */
void link_table_close(struct links *s, void (*done)(void *arg), void *arg);
unsigned link_table_count(const struct links *s);
/* Links whose owner wrote something that has not left yet. */
unsigned link_table_unsent(const struct links *s);

/* A connection from the listener; fd is the link's from now on. */
void link_accept(struct links *s, int fd, const struct sockaddr *from);

const struct peer *link_peer(const struct link *l); /* never NULL */
const char *link_address(const struct link *l, char *out, size_t cap);

/* The link is closed when the deadline passes: ms from now; 0: none. why is static. */
void link_deadline(struct link *l, unsigned ms, const char *why);

/* The owner's own mark on a link; NULL at first. */
void link_set_owner(struct link *l, void *owner);
void *link_owner(const struct link *l);

void link_close(struct link *l, const char *why);

#endif
