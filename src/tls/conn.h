/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn - one TLS connection on a non-blocking socket, stepped by its owner.
 *
 *   HANDSHAKE --> OPEN --> CLOSED       CONN_WANT_DNS: wait for wake, then step again
 *       |__________^ |_______^          CONN_REFUSED: conn_peer()->reason says why
 *
 *   Ownership  the descriptor stays the caller's; conn_free may be called in any state,
 *              also while DNS is awaited (the paused job is resumed and told to refuse).
 *   Threads    one connection, one thread; the thread of its resolver.
 */
#ifndef TLS_CONN_H
#define TLS_CONN_H

#include "core/buf.h"
#include "tls/client.h"

enum conn_event {
	CONN_READY,      /* done what was asked */
	CONN_WANT_READ,  /* the socket must be readable first */
	CONN_WANT_WRITE, /* the socket must be writable first */
	CONN_WANT_DNS,   /* wake will be called */
	CONN_CLOSED,     /* the peer said close_notify, or the stream was cut: conn_is_ended */
	CONN_REFUSED,    /* handshake failed or protocol broken; conn_peer()->reason */
};

struct conn;

/* source: who is behind the socket, for the DNS budget. wake may be called from
 * resolver_dispatch only. */
int conn_new_server(struct tls_server *s, int fd, uint64_t source, void (*wake)(void *arg),
	void *arg, struct conn **out, struct err *err);
int conn_new_client(struct tls_client *c, const struct service_endpoint *endpoint, int fd,
	struct conn **out, struct err *err);
void conn_free(struct conn *c);

/*
 * Client. A session that conn_session_save appended to out, offered to a later connection
 * before its handshake: tls/resume.h has the rule. Appends nothing when there is none; a
 * ticket comes after the handshake, with the first octets read.
 */
int conn_session_save(struct conn *c, struct buf *out, struct err *err);
int conn_session_offer(struct conn *c, struct span saved, struct err *err);

/* Read until CONN_WANT_READ: a server's end reads ahead, and the socket is silent about that. */
enum conn_event conn_handshake(struct conn *c);
enum conn_event conn_read(struct conn *c, void *p, size_t cap, size_t *n);
/* Octets were read ahead: conn_read may have some although the socket has none. */
bool conn_has_pending(const struct conn *c);

/* What is written goes to the kernel in such shares: a call costs more than sealing some octets,
 * and with its records this is 128 KB. */
#define CONN_SHARE (127 * 1024)
/*
 * All of it is taken, unless the connection broke. What cannot leave at once is kept, sealed, until
 * conn_flush has sent it. In room, the caller's and of one thread, the records of a share are put
 * together; it is empty between.
 */
enum conn_event conn_write(struct conn *c, struct span octets, struct buf *room);
size_t conn_unsent(const struct conn *c);   /* octets kept */
enum conn_event conn_flush(struct conn *c); /* CONN_WANT_WRITE: some are kept still */
void conn_forget(struct conn *c);           /* what is kept; nothing can be sent after that */
/* The peer said close_notify: it sends no more. What we send it may still read; only a peer
 * that was cut off is gone both ways. */
bool conn_is_ended(const struct conn *c);
/* Sends close_notify: we send no more, and may still read. */
enum conn_event conn_end(struct conn *c);
enum conn_event conn_close(struct conn *c); /* likewise, and reads no more either */

/* Server: the one that the client met, itself or one that its server name led to; valid from
 * CONN_READY on. */
const struct tls_server *conn_server(const struct conn *c);
/* The server name that was asked for. False: none, or none that is a DNS name. */
bool conn_server_name(const struct conn *c, struct name *out);

/* Valid in every state; authenticated only after conn_handshake said CONN_READY, and not even then
 * of a local program (tls/local.h). */
const struct peer *conn_peer(const struct conn *c);
const char *conn_version(const struct conn *c); /* "TLSv1.3" */
struct span conn_alpn(const struct conn *c);    /* what both agreed on; empty: on nothing */
/* The certificate that the peer showed, DER, appended; nothing when it is not known any more. */
void conn_peer_certificate(const struct conn *c, struct buf *out);
const char *conn_cipher(const struct conn *c); /* "TLS_AES_128_GCM_SHA256" */

#endif
