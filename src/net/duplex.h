/* SPDX-License-Identifier: Apache-2.0 */
/*
 * duplex - octets both ways over one socket, through TLS or in the clear.
 *
 *   Ends       each way ends for itself: by close_notify inside TLS, by FIN in the clear. A TLS
 *              stream that stops without close_notify was cut, by whomever: never an end.
 *   Memory     what cannot leave at once is kept: sealed, or else wiped when it has left; nothing
 *              else is.
 *   Ownership  the socket is the caller's; duplex_done frees the TLS object and what is kept.
 */
#ifndef NET_DUPLEX_H
#define NET_DUPLEX_H

#include "core/buf.h"
#include "tls/conn.h"

struct duplex {
	int fd;
	struct conn *conn; /* NULL: in the clear */
	struct buf unsent; /* in the clear; TLS keeps its own (tls/conn.h) */
	size_t sent;       /* octets of unsent that have left */
	bool ask_again;    /* the last read has more to say than its octets */
	bool want_write;   /* TLS must write before it can read */
	bool broken;       /* something to send was lost */
	bool ended;        /* the peer sends no more */
	bool ending;       /* neither do we, once what is kept has left */
	bool end_sent;
};

enum duplex_got { DUPLEX_SOME, DUPLEX_NOT_YET, DUPLEX_END, DUPLEX_CUT };

enum duplex_got duplex_read(struct duplex *d, void *p, size_t cap, size_t *n);
/* There is more to read than what the socket tells of. */
bool duplex_has_pending(const struct duplex *d);

/* As far as it goes at once; the rest is kept. A failure is noted in broken. room: of conn_write.
 */
void duplex_send(struct duplex *d, struct span octets, struct buf *room);
size_t duplex_unsent(const struct duplex *d); /* octets kept */
/* What is kept, and then the end when that was asked for. */
void duplex_flush(struct duplex *d);
/* We send no more once what is kept has left: asks, and does it when that is so now. */
void duplex_end(struct duplex *d);
/* Something to send waits for the socket. */
bool duplex_wants_out(const struct duplex *d);

void duplex_forget(struct duplex *d); /* wipes what is kept */
void duplex_done(struct duplex *d);

#endif
