/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange - one message to a name server over TCP, and its answer.
 *
 *   Source     RFC 7766.
 *   Time       ms; connecting and each read are bounded by the timeout.
 *   Ownership  *answer is the caller's: ldns_pkt_free; *wire too: free.
 *   Errors     ERR_SYSTEM, ERR_TIMEOUT, ERR_PEER (does not parse, not our question).
 */
#ifndef PUBLISH_EXCHANGE_H
#define PUBLISH_EXCHANGE_H

#include "core/err.h"

#include <ldns/ldns.h>

int exchange_packet(const char *address, uint16_t port, unsigned timeout_ms, ldns_pkt *query,
	ldns_pkt **answer, uint8_t **wire, size_t *n, struct err *err);

#endif
