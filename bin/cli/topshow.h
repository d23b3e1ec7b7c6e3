/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topshow - one picture of "sardane top": entries, refusals, our own names, who is connected.
 *
 *   In         what sardane-proxy tells at /status and /peers; a member that is missing is 0 or "".
 *   Rates      against the picture before, when there is one.
 *   Ownership  the documents are borrowed.
 */
#ifndef CLI_TOPSHOW_H
#define CLI_TOPSHOW_H

#include "core/buf.h"
#include "json/doc.h"

struct topshow {
	const struct doc *status, *peers;
	const struct doc *before; /* an earlier status; NULL: none */
	int64_t since_ms;         /* from it to this one */
	unsigned rows, columns;   /* of the terminal; rows 0: all there is */
	bool colour;
};

void topshow_write(const struct topshow *t, struct buf *out);

#endif
