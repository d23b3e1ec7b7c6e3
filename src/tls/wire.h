/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire - OpenSSL's BIO on a non-blocking socket, without SIGPIPE.
 *
 *   Ownership  the descriptor stays the caller's; the BIO is OpenSSL's to free.
 */
#ifndef TLS_WIRE_H
#define TLS_WIRE_H

#include <openssl/bio.h>

BIO *wire_new(int fd);    /* NULL: no memory */
void wire_mute(BIO *bio); /* from now on nothing is sent or heard */

#endif
