/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text - small pieces of input and output that several subcommands share.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include "core/buf.h"
#include "core/err.h"

#include <time.h>

/* Prints and frees; 2 when memory or standard output failed, else 0. */
int text_print(struct buf *out);

/* Seconds since 1970, or 2026-11-22, or 2026-11-22T04:33:26Z. ERR_FORMAT. */
int text_read_time(const char *text, time_t *out, struct err *err);

#endif
