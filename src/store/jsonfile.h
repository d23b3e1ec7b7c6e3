/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jsonfile - one JSON text in a file of our own, replaced as a whole and read as a whole.
 *
 *   Mode       0600: what a state directory holds is its owner's affair.
 *   Sizes      up to WHOLEFILE_MAX octets.
 *   Ownership  *out of jsonfile_read is the caller's: doc_free.
 *   Errors     those of pki/pemfile.h, pki/wholefile.h, json/doc.h; words name the path.
 */
#ifndef STORE_JSONFILE_H
#define STORE_JSONFILE_H

#include "core/buf.h"
#include "json/doc.h"
#include "json/writer.h"

/* What w, which is closed, has written into text. */
int jsonfile_write(const char *path, const struct writer *w, struct buf *text, struct err *err);

int jsonfile_read(const char *path, struct doc **out, struct err *err);

#endif
