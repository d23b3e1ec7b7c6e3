/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nonces - which of the 65,536 DevNonces a device has used. Exact: nothing is ever forgotten.
 *
 *   Source     LoRaWAN 1.0.3 section 6.2.4: the server keeps track of the values used and
 *              ignores a join-request with one of them.
 *   Form       a sorted list of 2 octets each, little-endian, while that is shorter than the
 *              bitmap of 8,192 octets; then the bitmap. The length tells which.
 *   Ownership  a value of 8 KiB: not for the stack of a deep call chain.
 *   Errors     ERR_FORMAT: stored octets that are neither.
 */
#ifndef JOIN_NONCES_H
#define JOIN_NONCES_H

#include "base/code.h"
#include "base/cursor.h"

#define NONCES_OCTETS_MAX 8192
#define NONCES_LIST_MAX   (NONCES_OCTETS_MAX / 2 - 1)

struct nonces {
	uint8_t octets[NONCES_OCTETS_MAX];
	size_t n; /* octets in use: less than NONCES_OCTETS_MAX is a list */
};

/* The stored form, checked. */
int nonces_read(struct span stored, struct nonces *out);
struct span nonces_span(const struct nonces *s);

bool nonces_has(const struct nonces *s, uint16_t nonce);
void nonces_add(struct nonces *s, uint16_t nonce);
unsigned nonces_count(const struct nonces *s);

#endif
