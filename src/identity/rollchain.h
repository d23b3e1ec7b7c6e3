/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollchain - would the chain of a leaf be accepted when an authority's rollover is over? Of
 * files, and of what services present, judged against the set an owner will have then.
 *
 *   Private    as rolltasks.h.
 *   Errors     ERR_*; that a chain is not accepted is a verdict.
 */
#ifndef IDENTITY_ROLLCHAIN_H
#define IDENTITY_ROLLCHAIN_H

#include "identity/rolltasks.h"

/* PREFIX-combined.pem at an owner that speaks for name; ERR_PEER with the reason when not. */
int rollchain_file(struct rolling *r, const char *prefix, const char *name, const char *owner,
	struct err *err);

/* What a service presents on all its addresses: keep's, the other's, or neither; words in
 * r->last when not keep's. An owner that cannot be looked at, as a client's or a wildcard, presents
 * keep's. An address that does not answer is an error. */
int rollchain_service(struct rolling *r, const char *owner, enum rollover_presents *out,
	struct err *err);

#endif
