/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agility - records of the next key in the very forms the current one is published in.
 *
 *   Source     RFC 7671 section 9: of records with equal usage and selector only those with
 *              the strongest digest count. So "3 1 2" for the next key beside "3 1 1" for the
 *              current one would lock out whoever presents the current: each form that one
 *              key has, the other must have.
 *   In         RDATA as served; certificates as DER, of the service (usages 1 and 3) or of its
 *              authority (0 and 2).
 *   Bounds     AGILITY_FORMS_MAX forms; there are no more of the kinds we can use.
 *   Ownership  struct agility owns its octets: agility_done.
 *   Errors     ERR_FORMAT (not a certificate), ERR_ARG (words say which key would be refused),
 *              ERR_NOMEM.
 */
#ifndef ROLLOVER_AGILITY_H
#define ROLLOVER_AGILITY_H

#include "core/buf.h"
#include "dane/tlsa.h"

#define AGILITY_FORMS_MAX 24 /* usages 0 to 3, selectors 0 and 1, matching types 0 to 2 */

struct agility_form {
	uint8_t usage, selector, matching;
};

struct agility {
	size_t count;
	struct agility_form form[AGILITY_FORMS_MAX];
	struct buf rdata[AGILITY_FORMS_MAX]; /* of the next key, one a form */
};

/* Which of the records are der's. */
int agility_forms(const struct span *served, size_t count, struct span der, struct agility *out,
	struct err *err);

/* Fills rdata for the forms there are: for another certificate. */
int agility_make(struct agility *a, struct span der, struct err *err);
void agility_done(struct agility *a);

/* 0 when a record of the set counts for der, after RFC 7671 section 9; else ERR_ARG. */
int agility_check(const struct span *set, size_t count, struct span der, struct err *err);

#endif
