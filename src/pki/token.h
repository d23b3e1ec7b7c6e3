/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token - a private key that never leaves its PKCS#11 token: an HSM, a smart card, SoftHSM.
 *
 *   Source     RFC 7512 (pkcs11: URIs). Of the query, module-path and pin-source are taken;
 *              pin-value is refused, since command lines and files of ours are no place for it.
 *   PIN        the first line of the file that pin-source names, else from struct password.
 *   Library    OpenSSL's engine "pkcs11" (Debian: libengine-pkcs11-openssl), loaded when asked.
 *              What a leak checker finds after a key that did not open is the engine's: its method
 *              tables (RSA_meth_dup and such, 770 octets), which it does not free when unloaded.
 *   Ownership  token_open gives, token_close takes; the key is borrowed from it and freed first
 *              by whoever took a reference.
 *   Errors     ERR_ARG, ERR_FORMAT, ERR_CRYPTO; words begin with "key" and the URI without its
 *              query.
 */
#ifndef PKI_TOKEN_H
#define PKI_TOKEN_H

#include "pki/password.h"

#include <openssl/evp.h>
#include <stdbool.h>

#define TOKEN_URI_MAX 1024

struct token;

bool token_is_uri(const char *text);

int token_open(const char *uri, const struct password *pin, struct token **out, struct err *err);
void token_close(struct token *token);
EVP_PKEY *token_key(const struct token *token);

#endif
