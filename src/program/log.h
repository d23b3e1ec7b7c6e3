/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - one line on standard error per thing that happened.
 *
 *   Form    2026-11-22T04:31:05.123Z info join.accept dev_eui=70b3d5... nonce=12 took_ms=8
 *           event first, then key=value; a value with blanks or quotes is quoted. Control
 *           characters and what a peer chose are escaped, so no one forges a line.
 *   Levels  error, warning, info (what an operator acts on), debug (every state move).
 *   Never   a key, a payload, a password.
 */
#ifndef PROGRAM_LOG_H
#define PROGRAM_LOG_H

#include <stdbool.h>

#include "core/trace.h"

/* program names the lines' origin; level is the highest that is written; json: one object a line.
 */
void log_open(const char *program, enum trace_level level, int json);
bool log_is_on(enum trace_level level);                      /* lines of it are written */
int log_level_read(const char *word, enum trace_level *out); /* 0, or ERR_FORMAT */

void log_error(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_warning(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_debug(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Between the two, lines of this thread up to info are gathered and leave in one write, at the
 * latest with log_release: for a loop that does many things in one turn. A warning or an error
 * takes what is gathered along at once.
 */
void log_hold(void);
void log_release(void);

/* A trace that writes to this log: for libraries. */
struct trace log_trace(void);

/* A value made safe for key=value, in one of a few rotating static buffers. */
const char *log_value(const char *text);

#endif
