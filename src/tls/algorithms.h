/* SPDX-License-Identifier: Apache-2.0 */
/*
 * algorithms - a library context with those that TLS 1.3 needs here, where all is found sooner.
 *
 *   For each public key that it reads OpenSSL 3.0 collects all of its 90 decoders, and on the
 *   way goes through everything that was ever used, 140 ciphers too: more than the signature
 *   of a handshake takes. In this context there are few, and each is the default provider's.
 *
 *   Source     provider(7), provider-base(7), OSSL_PROVIDER(3).
 *   Ownership  made once, for the life of the process.
 *   Private    to src/tls, for a context that speaks TLS 1.3 alone. Private keys cannot be read
 *              in it; one that was read elsewhere signs in it.
 */
#ifndef TLS_ALGORITHMS_H
#define TLS_ALGORITHMS_H

#include <openssl/types.h>

/* NULL, which is the default context: the default provider is not what is used here (an
 * openssl.cnf says so, FIPS), OpenSSL needs no help (from 3.2 on it keeps what it collected),
 * or there is no memory. */
OSSL_LIB_CTX *algorithms_libctx(void);

#endif
