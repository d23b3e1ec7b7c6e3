/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pemfile - files that hold certificates, and how any file is written: whole or not at all.
 *
 *   Writing    a temporary file beside the target, mode first, fsync, then rename,
 *              then fsync of the folder: a crash leaves the old file or the new one. Without
 *              replace an existing file is never touched, even by a writer that races us.
 *   Source     RFC 7468 (PEM).
 *   Sizes      a file as wholefile.h says, a chain as crypto/chain.h does.
 *   Ownership  the caller frees what comes out.
 *   Errors     words begin with the kind of file and its path, then the reason.
 */
#ifndef PKI_PEMFILE_H
#define PKI_PEMFILE_H

#include "core/buf.h"
#include "core/err.h"
#include "core/own.h"
#include "crypto/chain.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#define PEMFILE_PRIVATE 0600
#define PEMFILE_PUBLIC  0644

typedef x509_chain pemfile_chain;
OWNED_TYPE(pemfile_chain, chain_free)
OWNED_TYPE(EVP_PKEY, EVP_PKEY_free)
OWNED_TYPE(X509, X509_free)
OWNED_TYPE(BIO, BIO_free_all)

int pemfile_write(const char *path, unsigned mode, bool replace, struct span octets,
	struct err *err);

/* The path becomes a symbolic link to target, at once, whatever was there. */
int pemfile_link(const char *path, const char *target, struct err *err);

/* False with ERR_ARG words when path exists and replace is false. */
int pemfile_check_new(const char *path, bool replace, struct err *err);

/* One certificate or more, in the order of the file. */
int pemfile_read_chain(const char *path, pemfile_chain **out, struct err *err);

/* Appends the certificate as PEM. */
int pemfile_put(X509 *cert, struct buf *out, struct err *err);

/* leaf may be NULL; then the first `count` of chain; count < 0 means all of it. */
int pemfile_write_chain(const char *path, bool replace, X509 *leaf, pemfile_chain *chain, int count,
	struct err *err);

#endif
