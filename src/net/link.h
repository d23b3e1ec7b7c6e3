/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link - one connection, accepted or made, from its first octet to its last.
 *
 *   SILENT --hello--> HANDSHAKE <--> ASKING_DNS          SILENT holds no TLS object and no
 *     |                  |READY                          buffer, until the ClientHello is
 *     |plain             v                               whole: under 1 KB
 *     +--------------> OPEN --link_end--> FLUSHING --> LINGERING --> CLOSED
 *
 *   From any state to CLOSED: the peer went, a deadline passed, the TLSA was withdrawn, the
 *   certificate is over, the owner closed it. In OPEN the octets of the peer are handed to the
 *   owner as they come, until it says that it wants no more for now; link_send is the way back.
 *
 *   Ours       a link of link_connect is the same from HANDSHAKE on, at the other end of TLS.
 *   Ends       without ended, a peer that sends no more is gone. With it each way ends for
 *              itself (net/duplex.h), and a link that closes before both did is reset.
 *   Proof      an open link rests on a TLSA. When that expires it is asked for again: the
 *              same records, or the one of this key still among them: the link stays.
 *              Otherwise, or without an answer, it is closed. One whose proof asked when a
 *              certificate ends (all but DANE-EE) is closed then too.
 *   Bounds     links in all, half-open ones (the oldest gives way), links per source.
 *   Turns      what peers bring at once takes turns, the longest waiting first (net/pace.h):
 *              shares for what is open and for what was closed (of which the TLS object and
 *              the socket are freed then, the rest at once), steps for handshakes.
 *   Ownership  links belong to their struct links; a link pointer is good from open to gone.
 *   Errors     words; a link never fails the listener.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include <netinet/in.h>
#include <uv.h>

#include "net/counts.h"
#include "resolve/resolver.h"
#include "tls/conn.h"

struct link;
struct links;

struct links_config {
	uv_loop_t *loop;
	struct tls_server *tls;        /* of what is accepted; NULL: plain */
	struct tls_client *tls_client; /* of what is connected; NULL: plain */
	struct resolver *resolver;
	unsigned links_max;
	unsigned half_open_max;
	unsigned per_source_max;
	unsigned handshake_timeout_ms;
	unsigned refusals_logged_max; /* lines each second; 0 is 100 */
	unsigned grace_ms;            /* from the loss of the TLSA to the end; 0: none */
	size_t chunk_max;             /* octets of one input; 0: as many as one TLS record has */
	struct counts *counts;        /* NULL: nobody wants to know */
	/* The peer is known. False: the link closes. It may be closed from here too. */
	bool (*open)(void *arg, struct link *l);
	/* Octets of the peer, good for this call. False: no more until link_resume. */
	bool (*input)(void *arg, struct link *l, struct span octets);
	/* The peer sends no more; what it was sent it may still read. NULL: then it is gone. */
	void (*ended)(void *arg, struct link *l);
	/* What link_send could not send at once, and the end of link_shut, has left now. */
	void (*sent)(void *arg, struct link *l);
	/* The link is no more after this call. Only after open said true. */
	void (*gone)(void *arg, struct link *l, const char *why);
	/* The same of a link of link_connect that never opened. */
	void (*failed)(void *arg, struct link *l, const char *why);
	void *arg;
};

int link_table_new(const struct links_config *config, struct links **out, struct err *err);
/* Closes every link; done is called when all handles are closed. */
void link_table_close(struct links *s, void (*done)(void *arg), void *arg);
unsigned link_table_count(const struct links *s);
unsigned link_table_half_open(const struct links *s);
/* Links whose owner wrote something that has not left yet. */
unsigned link_table_unsent(const struct links *s);

/* A connection from the listener; fd is the link's from now on. */
void link_accept(struct links *s, int fd, const struct sockaddr *from);

/*
 * A socket that is connected to a peer of our choice; the link's from now on, closed on error.
 * open or failed is called, maybe before this returns, but after *out is set. endpoint is borrowed
 * until gone; timeout_ms is for the handshake, handshake_timeout_ms at most. Errors: ERR_SPACE
 * (links_max), ERR_NOMEM; neither is called then.
 */
int link_connect(struct links *s, int fd, const struct sockaddr *to,
	const struct service_endpoint *endpoint, unsigned timeout_ms, void *owner,
	struct link **out);

const struct peer *link_peer(const struct link *l); /* never NULL */
const char *link_address(const struct link *l, char *out, size_t cap);
const struct sockaddr *link_from(const struct link *l);           /* family 0: a Unix socket */
bool link_to(const struct link *l, struct sockaddr_storage *out); /* our own end */
const struct conn *link_conn(const struct link *l);               /* NULL: plain */

/* The link is closed when the deadline passes: ms from now; 0: none. why is static. */
void link_deadline(struct link *l, unsigned ms, const char *why);

/* The owner's own mark on a link; NULL at first. */
void link_set_owner(struct link *l, void *owner);
void *link_owner(const struct link *l);

/* To the peer, at once as far as it goes; the rest is kept, so ask link_unsent before giving
 * more. Never calls back. */
void link_send(struct link *l, struct span octets);
size_t link_unsent(const struct link *l); /* octets */
/* We send no more once all has left: close_notify, or FIN. The peer may go on. */
void link_shut(struct link *l);
bool link_is_done(const struct link *l); /* both ways have ended */
/* No more input for now. */
void link_pause(struct link *l);
/* Input again. May call input, and gone. */
void link_resume(struct link *l);
/* Closes once all is sent and the peer had time to read it. */
void link_end(struct link *l);
/* Closes in order, though at once: the peer is told by close_notify and has time to read it. */
void link_part(struct link *l, const char *why);
void link_close(struct link *l, const char *why);

#endif
