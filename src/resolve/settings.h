/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings - from resolver_config to what an engine and a sardane-resolverd are given.
 *
 *   resolv.conf  each "nameserver ADDR", "nameserver ADDR@PORT" or "nameserver ADDR#PORT" line
 *                becomes a forwarder; other lines are other programs' business. No nameserver
 *                line at all is an error: nothing would be forwarded, in silence.
 *   Anchors      none given means the built-in root keys.
 *   Errors       words; a configuration that is not understood to the last word is refused.
 */
#ifndef RESOLVE_SETTINGS_H
#define RESOLVE_SETTINGS_H

#include "resolve/address.h"
#include "resolve/engine.h"

#define SETTINGS_FORWARD_MAX WIRE_FORWARD_MAX

struct settings_forward {
	uint16_t count;
	struct address address[SETTINGS_FORWARD_MAX];
};

/* Adds the name servers of resolv.conf text. */
int settings_read_resolv_conf(struct span text, struct settings_forward *forward, struct err *err);

/* Everything that can be said before a resolver is made: limits, addresses, resolv.conf. */
int settings_check(const struct resolver_config *config, struct err *err);

/* The CONFIG packet for sardane-resolverd. */
int settings_packet(const struct resolver_config *config, struct sink *out, struct err *err);

/* Numbers with their defaults and limits; the seed is fresh. */
int settings_engine(const struct resolver_config *config, struct engine_config *out,
	struct err *err);

#endif
