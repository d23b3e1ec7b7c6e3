/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portion - a handshake of an SSL that somebody else turns, in portions.
 *
 *   The flight of a server is a millisecond of work to its client, and libraries that are told
 *   that the socket is readable do all of it. Each message of it is mostly a record of its own
 *   (RFC 8446 section 5.1). So between two records more() is asked, and when it says no the
 *   rest looks as if it had not come yet: it stays in the socket, and who turns the SSL comes
 *   back for it, and gets a record at least. Not an octet is changed, and after the handshake
 *   nobody is asked.
 *
 *   Ownership  the BIO is the SSL's; what more() is told lives as long.
 */
#ifndef TLS_PORTION_H
#define TLS_PORTION_H

#include <openssl/ssl.h>
#include <stdbool.h>

typedef bool portion_more(void *arg);

/* Under the BIO that ssl reads from. Once. False: no memory, nothing is changed. */
bool portion_begin(SSL *ssl, portion_more *more, void *arg);

#endif
