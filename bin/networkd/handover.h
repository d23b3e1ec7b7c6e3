/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handover - uplinks and downlink statuses to Application Servers, kept while one is away.
 *
 *   queued --post--> answered: done          a queue per AS, oldest first, HANDOVER_POSTS at a time
 *     ^________|  no answer: the whole queue waits 0.5, 1, 2, 4, 8, 8 ... s
 *     ^________|  Deferred, Other: this one does
 *              |  older than retry_for: dropped, counted, and said so
 *
 *   Order      of one device's: none leaves while an older one is on its way.
 *   Durable    an uplink is on disk with the counter it has spent, and goes when it is answered:
 *              a server that ends in between sends it again, and the AS knows it by then. Its
 *              row is deleted with the next commit, which would be made anyway. A status is not
 *              kept: the AS asks again by itself.
 *   Bounds     HANDOVER_SERVERS Application Servers, queue_max messages for each; the oldest
 *              one goes when another comes, and is said to.
 *   Result     what the AS refuses for good (UnknownDevEUI, FrameReplayed ...) is not repeated.
 */
#ifndef NETWORKD_HANDOVER_H
#define NETWORKD_HANDOVER_H

#include "networkd/server.h"

#define HANDOVER_SERVERS 256
#define HANDOVER_POSTS   8
#define HANDOVER_ENDED   4096 /* rows that wait to be deleted */

struct message;

int handover_new(struct server *s, struct handover **out, struct err *err);
/* Closed when nothing waits any more, and not later than drain_ms; closed is called then, maybe
 * at once. Then run the loop. */
void handover_close(struct handover *h, unsigned drain_ms, void (*closed)(struct server *s));
void handover_free(struct handover *h);

/*
 * NETWORK_UPLINK or NETWORK_STATUS, in two steps: made, and an uplink kept on disk, within the
 * transaction of its session (handover_keep, on the store's thread); given, once that is
 * committed (or dropped, when it is not).
 * NULL: it cannot be made, and the log says why.
 */
struct message *handover_make(struct handover *h, const struct network_event *ev);
int handover_keep(struct message *m, struct err *err);
void handover_give(struct message *m);
void handover_drop(struct message *m);

/* What the last run left, before anything else is given. */
int handover_restore(struct handover *h, struct err *err);

/* How many were answered, whose rows may go: those n are forgotten within a transaction, on the
 * store's thread, and handover_forgot is told once it is committed. */
unsigned handover_ended(const struct handover *h);
int handover_forget(struct handover *h, unsigned n, struct err *err);
void handover_forgot(struct handover *h, unsigned n);

#endif
