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

/* A length of time in seconds: 90 or 90s, 15m, 12h, 30d; more than 0, at most a hundred years. */
int text_read_span(const char *text, unsigned *out_s, struct err *err);

/* As 2026-11-22T04:33:26Z. */
#define TEXT_TIME_MAX 32
const char *text_write_time(time_t t, char out[TEXT_TIME_MAX]);

#endif
