/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name - domain names, and the owner names DANE and LoRaWAN build from them.
 *
 *   Source     RFC 1035, RFC 4343 (case), RFC 6698 section 3 (TLSA owner), TS002 (JoinEUI:
 *              16 nibbles reversed; NetID: one label).
 *   Alphabet   A-labels only; escapes \DDD and \X.  A label has up to 63 octets, a name 255.
 *   Ownership  a sardane_name is a value: copy it freely.
 *   Errors     SARDANE_FORMAT, SARDANE_SPACE; *out only on success.
 */
#ifndef SARDANE_NAME_H
#define SARDANE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sardane/err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SARDANE_NAME_TEXT_MAX 1024

/* Wire form, uncompressed. */
struct sardane_name {
	uint8_t n; /* octets used; 0: no name at all */
	uint8_t wire[255];
};

int sardane_name_read(const char *text, struct sardane_name *out, struct sardane_err *err);

/* Without the final dot; needs up to SARDANE_NAME_TEXT_MAX characters. */
int sardane_name_write(const struct sardane_name *name, char *out, size_t cap,
	struct sardane_err *err);
bool sardane_name_equal(const struct sardane_name *a, const struct sardane_name *b);
bool sardane_name_is_within(const struct sardane_name *name, const struct sardane_name *above);

/* proto is "tcp", "udp" or "sctp". */
int sardane_name_of_tlsa(uint16_t port, const char *proto, const struct sardane_name *host,
	struct sardane_name *out, struct sardane_err *err);
int sardane_name_of_join_eui(uint64_t join_eui, const struct sardane_name *suffix,
	struct sardane_name *out, struct sardane_err *err);
int sardane_name_of_net_id(uint32_t net_id, const struct sardane_name *suffix,
	struct sardane_name *out, struct sardane_err *err);

#ifdef __cplusplus
}
#endif

#endif
