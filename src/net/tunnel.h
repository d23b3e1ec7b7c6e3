/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tunnel - two links, and the octets of each to the other.
 *
 *   front accepted, its peer proved > reach > dial > back, its peer proved > ahead > OPEN
 *          nothing is asked for or connected to before this: ^
 *
 *   Octets     go from one link's read straight into the other's write. What the other cannot
 *              take is kept there, and the first is not read from until it has left: at most
 *              one CONN_SHARE each way, none on an idle tunnel.
 *   Ends       each way ends for itself, close_notify for FIN and back. What was cut on one side
 *              is cut on the other (a reset, or TLS without close_notify), never ended: a peer
 *              that reads to the end is not told that it has all.
 *   Proof      either link that rests on a TLSA is closed with it (net/link.h), and the tunnel.
 *   HTTP       with it, what the front says are requests, and go through net/http_pass. One that is
 *              refused is answered if it is the first; if it is not, the answers to those before
 *              it still come, and then the end.
 *   Addresses  when one refuses, is silent for its share of the time, or proves to be somebody
 *              else, the next is tried, within connect_timeout_ms in all.
 *   Bounds     tunnels, half-open ones, those of one source; idle, half-closed and whole time.
 *   Ownership  a table borrows what its config points at.
 */
#ifndef NET_TUNNEL_H
#define NET_TUNNEL_H

#include "net/http_pass.h"
#include "net/link.h"
#include "net/reach.h"

struct tunnels;

/* What of an open tunnel changes, for who looks on from elsewhere. */
struct tunnel_live {
	uint64_t forth, back; /* octets */
};

/* What one tunnel was. */
struct tunnel_end {
	const struct link *front;
	const struct link *back; /* NULL: it was not reached */
	const struct peer
		*peer; /* who was proved, in front or at the back, or was not; never NULL */
	uint64_t forth, back_again; /* octets to the back, and from it */
	int64_t took_ms;
	const char *why;          /* "done": both ways ended */
	struct tunnel_live *live; /* what opened gave */
};

struct tunnels_config {
	uv_loop_t *loop;
	struct resolver *resolver;     /* NULL: nothing rests on a TLSA */
	struct tls_server *tls_server; /* of the front; NULL: plain */
	struct tls_client *tls_client; /* of the back; NULL: plain */
	struct reach *reach;
	/* Where this one goes, borrowed; NULL comes out: nowhere. NULL: all go to reach. */
	struct reach *(*reach_of)(void *arg, const struct link *front);
	unsigned tunnels_max;
	unsigned half_open_max;
	unsigned per_source_max;
	unsigned handshake_timeout_ms;
	unsigned connect_timeout_ms;     /* from the front's proof to the back's */
	unsigned idle_timeout_ms;        /* no octet either way */
	unsigned half_closed_timeout_ms; /* the same once one way has ended; the shorter counts */
	unsigned lifetime_ms;            /* 0: as long as it goes */
	unsigned grace_ms, refusals_logged_max; /* see links_config */
	/* What the back is told before the octets of the front; NULL: nothing. */
	void (*ahead)(void *arg, const struct link *front, struct buf *out);
	/* NULL: octets. Else requests, and what each of them is told: the fields, with their CRLF.
	 */
	const struct http_pass_config *http;
	void (*fields)(void *arg, const struct link *front, struct buf *out);
	/* The back is reached. Where it writes its octets to until ended; NULL: nowhere. */
	struct tunnel_live *(*opened)(void *arg, const struct tunnel_end *now);
	struct counts *counts; /* NULL: nobody wants to know */
	/* Once for each front whose peer was proved. */
	void (*ended)(void *arg, const struct tunnel_end *end);
	void *arg;
};

int tunnel_table_new(const struct tunnels_config *config, struct tunnels **out, struct err *err);
/* Closes all; done is called when all handles are closed. */
void tunnel_table_close(struct tunnels *s, void (*done)(void *arg), void *arg);
unsigned tunnel_table_count(const struct tunnels *s); /* those whose front is proved */
/* Connections in front, in the handshake, open, or about to be closed. */
unsigned tunnel_table_fronts(const struct tunnels *s);
/* Of both sides, in the handshake. */
unsigned tunnel_table_half_open(const struct tunnels *s);

/* A connection from the listener; fd is the tunnel's from now on. */
void tunnel_accept(struct tunnels *s, int fd, const struct sockaddr *from);

#endif
