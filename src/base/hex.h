/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hex - octets as text, two digits each, and back.
 *
 *   Source     RFC 4648 section 8; either case is read, lower case is written.
 *   Ownership  writes into the caller's memory.
 *   Errors     ERR_FORMAT (odd length, not a digit), ERR_SPACE; out is untouched then.
 */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include "base/code.h"
#include "base/cursor.h"

/* Writes 2 * octets.n digits and a final zero; cap counts both. */
int hex_write(struct span octets, char *out, size_t cap);

/* Reads all of text; *n gets the number of octets. */
int hex_read(struct span text, uint8_t *out, size_t cap, size_t *n);

/* Reads exactly n octets from text of exactly 2 * n digits. */
int hex_read_exact(struct span text, uint8_t *out, size_t n);

#endif
