/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wholefile - all octets of a file that holds a key or a certificate.
 *
 *   Sizes      up to WHOLEFILE_MAX octets.
 *   Ownership  appends to the caller's buf; whoever reads a key wipes it.
 *   Errors     ERR_SYSTEM, ERR_FORMAT (too large), ERR_NOMEM; "certificate 'x.pem': reason".
 */
#ifndef PKI_WHOLEFILE_H
#define PKI_WHOLEFILE_H

#include "core/buf.h"
#include "core/err.h"

#define WHOLEFILE_MAX ((size_t)1 << 20)

int wholefile_read(const char *what, const char *path, struct buf *out, struct err *err);

#endif
