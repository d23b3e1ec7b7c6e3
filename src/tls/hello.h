/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hello - is the ClientHello whole yet, before there is a TLS object to read it?
 *
 *   record [22 | 3 x | length | part of the message] record [...]     message [1 | length | ...]
 *
 *   Source     RFC 8446 section 5.1 (records; a message may be cut over several), section 4 and
 *              4.1.2.
 *   Rule       it only counts. What begins otherwise is left to TLS, which refuses it in its
 *              words.
 *   Bound      HELLO_OCTETS_MAX with the heads of its records; those of today have 0.3 to 2 KB.
 */
#ifndef TLS_HELLO_H
#define TLS_HELLO_H

#include "base/cursor.h"

#define HELLO_OCTETS_MAX 16384

/* Octets that must be there before TLS begins: more than octets.n, then it is worth waiting for
 * them; above HELLO_OCTETS_MAX it is no ClientHello that is taken. */
size_t hello_wanted(struct span octets);

#endif
