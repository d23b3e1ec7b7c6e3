/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block - a keyed 128-bit block cipher, as a pair of functions the caller brings.
 *
 * The pure folders know LoRaWAN's use of AES but not AES itself: a server brings
 * OpenSSL (crypto/aes.h), a board brings its hardware.
 *
 *   Source     FIPS 197: AES, 16-octet blocks.
 *   Ownership  a struct block borrows its key schedule; it must outlive the struct.
 */
#ifndef BASE_BLOCK_H
#define BASE_BLOCK_H

#include <stdint.h>

#define BLOCK_OCTETS 16

struct block {
	void (*encrypt)(void *key, const uint8_t in[BLOCK_OCTETS], uint8_t out[BLOCK_OCTETS]);
	void (*decrypt)(void *key, const uint8_t in[BLOCK_OCTETS], uint8_t out[BLOCK_OCTETS]);
	void *key;
};

#endif
