/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auditline - one line of an audit log: a JSON object that holds the hash of the line before it.
 *
 *   {"seq":2,"at":"2026-11-22T04:33:26Z","act":"cert.issue","who":"anna","thing":"js.b.example",
 *    ..., "prev":"<64 hex>","hash":"<64 hex>"}                                       (one line)
 *
 *   Hash       SHA-256 of the line with the member "hash" and the comma before it cut out;
 *              "prev" is the hash of the line before, 64 zeros in the first.
 *   Sizes      a line has at most AUDITLINE_MAX octets.
 *   Ownership  auditline_read gives; auditline_done takes back the texts, all borrowed from it.
 *   Errors     ERR_FORMAT with words: not a line, or its hash does not fit.
 */
#ifndef STORE_AUDITLINE_H
#define STORE_AUDITLINE_H

#include "core/buf.h"
#include "json/doc.h"

#define AUDITLINE_MAX   8192
#define AUDITLINE_HASH  65 /* hexadecimal and the final zero */
#define AUDITLINE_NOTES 16

/* One member beside those that every line has. */
struct auditline_note {
	const char *name;
	const char *text;
};

struct auditline {
	uint64_t seq; /* from 1 */
	const char *at, *act, *who, *thing;
	char prev[AUDITLINE_HASH];
	char hash[AUDITLINE_HASH];
	const struct auditline_note *notes; /* written, not read */
	size_t notes_n;
	struct doc *doc;
};

/* The text has no newline. */
int auditline_read(struct span text, struct auditline *out, struct err *err);
void auditline_done(struct auditline *line);

/* Appends the line, its hash and a newline; line->hash gets the hash. */
int auditline_write(struct auditline *line, struct buf *out, struct err *err);

#endif
