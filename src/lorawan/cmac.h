/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmac - AES-CMAC over a message given in pieces.
 *
 *   Source     RFC 4493.
 *   Ownership  struct cmac borrows the key of the block cipher; caller's memory.
 */
#ifndef LORAWAN_CMAC_H
#define LORAWAN_CMAC_H

#include "base/block.h"
#include "base/cursor.h"

#define CMAC_OCTETS 16

struct cmac {
	const struct block *key;
	uint8_t x[BLOCK_OCTETS];    /* chaining value */
	uint8_t last[BLOCK_OCTETS]; /* not yet mixed in: it may be the final block */
	uint8_t n;                  /* octets in last */
};

struct cmac cmac_start(const struct block *key);
void cmac_add(struct cmac *c, struct span octets);
void cmac_finish(struct cmac *c, uint8_t out[CMAC_OCTETS]);

void cmac_of(const struct block *key, struct span message, uint8_t out[CMAC_OCTETS]);

#endif
