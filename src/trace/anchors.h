/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anchors - the keys that trust begins with.
 *
 *   Form       DS or DNSKEY records as in zone files, a line each; ";" begins a comment. A file
 *              kept by RFC 5011 is read too: of it, the keys that are valid there (state 2).
 *   Ownership  the list is the caller's: ldns_rr_list_deep_free.
 *   Errors     ERR_FORMAT with the number of the line, ERR_NOMEM; no anchor at all is an error.
 */
#ifndef TRACE_ANCHORS_H
#define TRACE_ANCHORS_H

#include "base/cursor.h"
#include "core/err.h"

#include <ldns/ldns.h>

int anchors_read(struct span text, ldns_rr_list **out, struct err *err);

#endif
