/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keywrap - a key under another key, for its way between servers and at rest.
 *
 *   Source     RFC 3394, default initial value A6A6A6A6A6A6A6A6 (section 2.2.3.1).
 *   Sizes      the KEK has 16, 24 or 32 octets; a key of 16 becomes 24.
 *   Ownership  caller's memory; an unwrapped key is the caller's to wipe.
 *   Errors     ERR_ARG (a KEK of another length), ERR_CRYPTO, ERR_NOMEM with words;
 *              outputs only on success. A wrong KEK is a verdict, not an error.
 */
#ifndef CRYPTO_KEYWRAP_H
#define CRYPTO_KEYWRAP_H

#include "core/err.h"
#include "core/secret.h"

#include <stdbool.h>

#define KEYWRAP_KEY_OCTETS     16
#define KEYWRAP_WRAPPED_OCTETS 24

int keywrap_wrap(const struct secret *kek, const uint8_t key[KEYWRAP_KEY_OCTETS],
	uint8_t out[KEYWRAP_WRAPPED_OCTETS], struct err *err);

/* *intact false: wrapped under another KEK, or changed; out is untouched then. */
int keywrap_unwrap(const struct secret *kek, const uint8_t wrapped[KEYWRAP_WRAPPED_OCTETS],
	uint8_t out[KEYWRAP_KEY_OCTETS], bool *intact, struct err *err);

#endif
