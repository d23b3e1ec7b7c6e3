/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv - a table as text: rows of fields parted by commas.
 *
 *   Source     RFC 4180: a field in quotes may hold commas, line ends, and quotes twice. Lines end
 *              with LF or CRLF; an empty line is passed over.
 *   Bounds     CSV_FIELDS_MAX fields a row; no zero octet.
 *   Ownership  rows borrow the text, which is changed: each field is ended by a zero.
 *   Errors     ERR_FORMAT with words; reading may go on behind the row that is wrong.
 */
#ifndef IDENTITY_CSV_H
#define IDENTITY_CSV_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

#define CSV_FIELDS_MAX 16

struct csv {
	char *at;    /* ended by a zero */
	char *end;   /* where that zero is */
	size_t line; /* of at, from 1 */
};

struct csv_row {
	size_t line; /* where it begins */
	size_t count;
	char *field[CSV_FIELDS_MAX];
};

/* text has n octets and a zero behind them. */
struct csv csv_over(char *text, size_t n);

/* False at the end of the text. After true *rc is 0, or why the row is wrong; its line is set. */
bool csv_next(struct csv *c, struct csv_row *out, int *rc, struct err *err);

#endif
