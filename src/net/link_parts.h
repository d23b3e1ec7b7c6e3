/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_parts - what a link and its table are made of: for link.c and link_table.c alone.
 *
 *   Lists      a link is in one list, half-open or open, until it is closed; then it waits in
 *              the queue of the dead for its TLS object and its socket to be freed.
 *   Deadlines  wait in a wheel (net/wheel.h), so that who is idle costs nothing.
 */
#ifndef NET_LINK_PARTS_H
#define NET_LINK_PARTS_H

#include "core/machine.h"
#include "net/duplex.h"
#include "net/link.h"
#include "net/pace.h"
#include "net/proof.h"
#include "net/sources.h"
#include "net/verdict.h"
#include "net/wheel.h"

#define LINK_CHUNK    16384  /* octets: one TLS record */
#define LINK_SERVE_NS 300000 /* share of a turn of the loop for what is open */

enum link_state { SILENT, HANDSHAKE, ASKING_DNS, OPEN, FLUSHING, LINGERING, CLOSED };

struct link {
	struct links *of;
	struct link *next, *prev; /* among the half-open, or among the open */
	struct machine machine;
	uv_poll_t tcp;
	int tcp_events;       /* as asked of uv, so as not to ask again */
	struct duplex duplex; /* its TLS object: NULL while silent and when plain */
	const struct service_endpoint *endpoint; /* of link_connect: whom to expect there */
	bool ours;                               /* of link_connect */
	bool taken;                              /* the owner said true and will be told */
	bool paused;                             /* the owner wants no octets now */
	bool told;                               /* while paused, that octets are there */
	bool hung;                     /* it was seen, while paused, that the peer sends no more */
	uint16_t heard;                /* octets of the ClientHello when it was looked at last */
	int ready;                     /* what uv told and nobody has looked at */
	struct link_queue *in;         /* NULL, or where it waits for its share of a turn */
	struct link *behind, *before;  /* in there */
	struct pace_job due;           /* a step of its handshake */
	int64_t start_ms, deadline_ms; /* deadline 0: none */
	const char *deadline_why;
	int64_t ends_ms;         /* the certificate of an open one; 0: it does not matter */
	struct wheel_node at;    /* looked at by then; may be sooner than the deadline */
	struct proof_hold proof; /* what the open link rests on */
	void *owner;
	struct sockaddr_in6 from; /* holds an IPv4 one too */
	uint64_t source;
};

struct link_list {
	struct link *first, *last;
	unsigned count;
};

/* The longest waiting first. */
struct link_queue {
	struct link *first, *last;
	unsigned count;
};

struct links {
	struct links_config config;
	struct link_list half_open, open;
	struct link_queue busy; /* open ones with something to read or write */
	struct link_queue
		dead;       /* closed: told, wiped, uncounted; TLS object and socket still there */
	uint64_t served_ns; /* by tcp_ready since the last work */
	struct pace *pace;
	struct sources sources;
	struct verdict verdict;
	struct wheel wheel;    /* deadlines of links */
	struct proofs *proofs; /* NULL: nothing that expires */
	int64_t armed_ms;      /* when tick comes, while it is active */
	struct counts unasked; /* where counts go that nobody wants */
	uv_prepare_t prepare;
	uv_timer_t tick, kick;
	unsigned handles, closing_links;
	bool closing;
	void (*done)(void *arg);
	void *done_arg;
	struct buf room; /* for what goes out sealed; empty between */
	uint8_t chunk[]; /* what was read last; handed to the owner before the next read */
};

/* In link.c, for the table. */
void link_serve(struct link *l); /* what is ready at an open one */
void link_reap(struct link *l);  /* frees a dead one */
void link_say_refused(struct link *l, const char *why);
void link_outlived(struct link *l); /* its certificate */
void link_lost(void *arg, struct proof_hold *h, bool silent, const char *why);

/* In link_table.c, for links. */
bool link_table_admit(struct links *s, uint64_t source); /* counts it */
void link_table_watch(struct links *s);                  /* a deadline may be sooner now */
void link_table_reaped(struct links *s);                 /* one of those link_reap began with */

static inline void link_list_add(struct link_list *list, struct link *l)
{
	l->next = NULL;
	l->prev = list->last;
	*(list->last ? &list->last->next : &list->first) = l;
	list->last = l;
	list->count++;
}

static inline void link_list_remove(struct link_list *list, struct link *l)
{
	*(l->prev ? &l->prev->next : &list->first) = l->next;
	*(l->next ? &l->next->prev : &list->last) = l->prev;
	list->count--;
}

static inline struct link_list *link_list_of(struct link *l)
{
	return l->machine.at < OPEN ? &l->of->half_open : &l->of->open;
}

static inline void link_queue_put(struct link_queue *q, struct link *l)
{
	if (l->in)
		return;
	l->in = q;
	l->behind = NULL;
	l->before = q->last;
	*(q->last ? &q->last->behind : &q->first) = l;
	q->last = l;
	q->count++;
}

static inline void link_queue_remove(struct link *l)
{
	struct link_queue *q = l->in;

	if (!q)
		return;
	*(l->before ? &l->before->behind : &q->first) = l->behind;
	*(l->behind ? &l->behind->before : &q->last) = l->before;
	q->count--;
	l->in = NULL;
}

#endif
