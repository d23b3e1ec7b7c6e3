/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handover - uplinks and downlink statuses to Application Servers, kept while one is away.
 *
 *   queued --post--> answered: done          a queue per AS, oldest first, HANDOVER_POSTS at a time
 *     ^________|  no answer, Deferred, Other: again after 0.5, 1, 2, 4, 8, 8 ... s
 *              |  older than retry_for: dropped, counted, and said so
 *
 *   Bounds     HANDOVER_SERVERS Application Servers, queue_max messages for each; the oldest
 *              one goes when another comes, and is said to.
 *   Result     what the AS refuses for good (UnknownDevEUI, FrameReplayed ...) is not repeated.
 */
#ifndef NETWORKD_HANDOVER_H
#define NETWORKD_HANDOVER_H

#include "networkd/server.h"

#define HANDOVER_SERVERS 256
#define HANDOVER_POSTS   8

int handover_new(struct server *s, struct handover **out, struct err *err);
void handover_close(struct handover *h); /* its timer; then run the loop */
void handover_free(struct handover *h);

/* NETWORK_UPLINK or NETWORK_STATUS. */
void handover_give(struct handover *h, const struct network_event *ev);

#endif
