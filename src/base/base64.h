/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64 - octets as text, three in four.
 *
 *   Source     RFC 4648 section 4. Padding is written; on reading it may be missing,
 *              as some packet forwarders leave it out, but never be wrong.
 *   Ownership  writes into the caller's memory.
 *   Errors     ERR_FORMAT, ERR_SPACE; *n is written only on success.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/code.h"
#include "base/cursor.h"

/* Characters needed for n octets, without the final zero. */
#define BASE64_CHARS(n) (((n) + 2) / 3 * 4)

/* Writes BASE64_CHARS(octets.n) characters and a final zero; cap counts both. */
int base64_write(struct span octets, char *out, size_t cap);

int base64_read(struct span text, uint8_t *out, size_t cap, size_t *n);

#endif
