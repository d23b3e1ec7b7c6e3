/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kekfile - the KEK that wraps a database's keys, in a file of its own.
 *
 *   Form       32, 48 or 64 hexadecimal digits, blanks at the end allowed.
 *   Rule       a file that group or others may read is refused.
 *   Ownership  the caller wipes *out.    Errors  ERR_SYSTEM, ERR_FORMAT with words.
 */
#ifndef STORE_KEKFILE_H
#define STORE_KEKFILE_H

#include "core/err.h"
#include "core/secret.h"

int kekfile_read(const char *path, struct secret *out, struct err *err);

#endif
