/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asking - JoinReq to the Join Server of a JoinEUI, JoinAns back to the engine.
 *
 *   route      join_server.servers, first prefix that fits > DNS by the suffix >
 *              join_server.default
 *   Rule       the answer counts only with the SenderID that was asked, our NetID, and our
 *              TransactionID; keys wrapped under a KEK we do not have are a refusal.
 *   Bounds     the engine's joins_max and timeout.
 */
#ifndef NETWORKD_ASKING_H
#define NETWORKD_ASKING_H

#include "networkd/server.h"

int asking_new(struct server *s, struct asking **out, struct err *err);
void asking_free(struct asking *a);
void asking_ask(struct asking *a, const struct network_event *ev);

#endif
