/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text - small pieces of output that several subcommands print.
 *
 *   Source     RFC 8259 section 7 (strings of JSON).
 *   Ownership  appends to the caller's buf.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include "core/buf.h"

/* A JSON string with its quotes; octets that are not ASCII print as they are. */
void text_json(struct buf *out, const char *s);

/* "key": "value" with a comma before it unless it is the first of its object. */
void text_json_member(struct buf *out, const char *key, const char *value);
void text_json_number(struct buf *out, const char *key, long long value);
void text_json_bool(struct buf *out, const char *key, bool value);

/* Prints and frees; 2 when memory or standard output failed, else 0. */
int text_print(struct buf *out);

#endif
