/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vector - the published vectors of tests/vectors/lorawan/vectors.json, and AES for them.
 *
 *   Ownership  vectors live until the program ends; a cipher until the next call of its slot.
 */
#ifndef TESTS_UNIT_LORAWAN_VECTOR_H
#define TESTS_UNIT_LORAWAN_VECTOR_H

#include "base/block.h"
#include "base/cursor.h"
#include "check.h"

#include <jansson.h>

/* The entry with this id; fails the test when there is none. */
json_t *vector_of(const char *id);

/* The octets of a hex string member (wire order), and of an EUI, NetID or DevAddr (big-endian). */
struct span vector_hex(const json_t *object, const char *name);
uint64_t vector_id(const json_t *object, const char *name);
uint32_t vector_number(const json_t *object, const char *name);

/* AES under the key of a hex member: one of a few that live at a time. */
struct block vector_cipher(const json_t *object, const char *name);
struct block vector_cipher_of(const uint8_t key[16]);

/* The n octets are those wanted, else the test fails. */
void assert_octets(const uint8_t *octets, size_t n, struct span wanted);

#endif
