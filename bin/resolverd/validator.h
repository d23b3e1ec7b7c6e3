/* SPDX-License-Identifier: Apache-2.0 */
/*
 * validator - libunbound, turned by our event loop.
 *
 *   Source     libunbound(3), unbound-event.h, unbound.conf(5).
 *   Order      every option is set before the first question, every return code is looked at:
 *              a context that missed its anchor would call everything merely insecure.
 *   Cache      answers are kept by our caller, one cache above; here delegations and keys are.
 *              Behind forwarders an answer fetched ahead of its end is a new one, but for the
 *              record fetched last, which libunbound always keeps; of that, and of all when we
 *              walk from the root ourselves, it repeats what is left (engine.c: the fetch is
 *              made again at the end).
 *   Bounds     VALIDATOR_OPEN_MAX questions at a time; more are FAILED at once.
 *   Ownership  the answer given to done is borrowed for that call.
 */
#ifndef RESOLVERD_VALIDATOR_H
#define RESOLVERD_VALIDATOR_H

#include "core/err.h"
#include "resolve/wire.h"

#define VALIDATOR_OPEN_MAX 4096

struct event_base;
struct validator;

typedef void validator_done(void *arg, const struct wire_answer *answer);

/* Reads the trust anchors; sends nothing. */
int validator_new(struct event_base *base, const struct wire_config *config, validator_done *done,
	void *arg, struct validator **out, struct err *err);

/* done is called once, perhaps before this returns. */
void validator_ask(struct validator *v, const struct wire_question *q);

#endif
