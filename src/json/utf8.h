/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8 - is this a character?
 *
 *   Source     RFC 3629: shortest form only, no surrogates, nothing beyond U+10FFFF.
 */
#ifndef JSON_UTF8_H
#define JSON_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The octets of the character at p, of which n > 0 octets are there; 0 when it is none. */
size_t utf8_length(const uint8_t *p, size_t n);
/* Writes at most 4 octets of a code point that is one; how many. */
size_t utf8_write(uint32_t code, char *out);

#endif
