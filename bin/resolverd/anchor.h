/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anchor - the keys of the root zone, as we know them without asking.
 *
 *   Source     IANA, root-anchors.xml: KSK-2017 (20326) and KSK-2024 (38696), as DS records
 *              (RSA/SHA-256, digest SHA-256). RFC 5011 for the managed file.
 */
#ifndef RESOLVERD_ANCHOR_H
#define RESOLVERD_ANCHOR_H

#include "core/err.h"

#include <stddef.h>

/* Zone-file lines, NULL-ended. */
extern const char *const anchor_root[];

/* Writes the root keys to a managed file that is not there yet. */
int anchor_begin_managed(const char *path, struct err *err);

#endif
