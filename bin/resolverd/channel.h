/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel - our end of the socket pair: questions in, answers out.
 *
 *   Bounds     CHANNEL_QUEUE_MAX octets wait when the library is slow to read; answers beyond
 *              are dropped, and their askers hear their own deadline.
 *   End        when the pair closes the process leaves at once.
 */
#ifndef RESOLVERD_CHANNEL_H
#define RESOLVERD_CHANNEL_H

#include "core/err.h"
#include "resolve/wire.h"

#define CHANNEL_FD        3
#define CHANNEL_QUEUE_MAX (4 * 1024 * 1024)

struct event_base;
struct channel;

typedef void channel_question(void *arg, const struct wire_question *q);

/* True when the descriptor is a socket of the kind the library makes. */
bool channel_is_there(void);

/* The first packet, waited for; config borrows packet. */
int channel_read_config(uint8_t packet[WIRE_PACKET_MAX], struct wire_config *config,
	struct err *err);
void channel_send_ready(bool ok, const char *words);

int channel_new(struct event_base *base, channel_question *on_question, void *arg,
	struct channel **out, struct err *err);
void channel_send(struct channel *c, const struct wire_answer *answer);

#endif
