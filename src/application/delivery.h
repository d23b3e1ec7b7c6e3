/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delivery - the first downlink of a device's queue, from its counter to its last event.
 *
 *   Rules      one downlink of a device is under way at a time. A counter is durable before
 *              its ciphertext is handed over (application/downlink.h). An NS that does not
 *              answer is tried again, with the same ciphertext, for as long as it takes; an
 *              NS that keeps refusing the counter ends in a log event.
 *   Lost       a downlink the NS took and is silent about over two uplinks is handed over
 *              again; a confirmed one silent over eight was not acknowledged.
 */
#ifndef APPLICATION_DELIVERY_H
#define APPLICATION_DELIVERY_H

#include "application/engine.h"

/* An uplink was taken: the counter the NS announced, and a chance to send. */
void delivery_heard(struct application *a, struct device *d, const struct uplink *u,
	int64_t now_ms);
void delivery_rejoined(struct application *a, struct device *d, int64_t now_ms);
void delivery_kick(struct application *a, struct device *d, int64_t now_ms);
void delivery_handed(struct application *a, uint64_t dev_eui, uint64_t number,
	enum application_handed handed, const uint32_t *next, int64_t now_ms);

/* False: there is nothing to do any more, the job is at its end. */
bool delivery_prepare_hand(struct application *a, struct job *j, int64_t wall_ms,
	struct application_work *out);
void delivery_hand_done(struct application *a, struct job *j, bool ok, int64_t now_ms);

void delivery_prepare_report(struct application *a, struct job *j, int64_t wall_ms,
	struct application_work *out);
void delivery_reported(struct application *a, struct job *j, bool ok, int64_t now_ms);

bool delivery_prepare_give_up(struct application *a, struct job *j, int64_t wall_ms,
	struct application_work *out);
void delivery_gave_up(struct application *a, struct job *j, bool ok, int64_t now_ms);

void delivery_tick(struct application *a, int64_t now_ms);
int64_t delivery_deadline(const struct application *a);

#endif
