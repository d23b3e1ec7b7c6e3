/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anchor - the file of trust anchors that libunbound keeps up to date.
 *
 *   Source     RFC 5011.      Errors  ERR_SYSTEM.
 */
#ifndef RESOLVERD_ANCHOR_H
#define RESOLVERD_ANCHOR_H

#include "core/err.h"

/* Writes the root keys to a managed file that is not there yet. */
int anchor_begin_managed(const char *path, struct err *err);

#endif
