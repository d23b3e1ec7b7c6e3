/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe - does a name server answer for a zone, and with signatures?
 *
 *   Source     RFC 1034 section 4.3.2 (AA), RFC 4035 section 3.1 (RRSIG beside the SOA).
 *   Time       ms for the whole exchange.
 *   Errors     ERR_SYSTEM, ERR_TIMEOUT, ERR_PEER: no answer at all. A zone that is not there
 *              or not signed is a verdict.
 */
#ifndef PUBLISH_PROBE_H
#define PUBLISH_PROBE_H

#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>

struct probe_zone {
	bool served;
	bool is_signed;
	uint32_t serial;
};

int probe_ask(const char *address, uint16_t port, unsigned timeout_ms, const char *zone,
	struct probe_zone *out, struct err *err);

#endif
