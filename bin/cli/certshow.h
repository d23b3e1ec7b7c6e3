/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certshow - how certificates look: one line, a paragraph, a JSON object.
 */
#ifndef CLI_CERTSHOW_H
#define CLI_CERTSHOW_H

#include "store/ledger.h"
#include "json/writer.h"

#include <time.h>

void certshow_line(const struct ledger_entry *e, time_t now, struct buf *out);
void certshow_page(const struct ledger_entry *e, time_t now, struct buf *out);
/* A whole object; der: with the certificate too, in base64. */
void certshow_json(const struct ledger_entry *e, time_t now, bool der, struct writer *w);

/* The files that were written, one a line, or {"files":[...]}. files is ended by NULL. */
int certshow_files(bool json, const char *const *files);

#endif
