/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollrecords - where the keys of a name are published, and in which records.
 *
 *   Owners     one for each service, _port._proto.name; the name itself for a client.
 *   Ownership  values, but for the sets, which are the caller's.
 *   Errors     ERR_FORMAT, ERR_NOMEM with words.
 */
#ifndef IDENTITY_ROLLRECORDS_H
#define IDENTITY_ROLLRECORDS_H

#include "identity/rollfile.h"
#include "publish/rrset.h"
#include "store/names.h"

struct rollrecords {
	size_t count;
	struct name owner[ROLLFILE_SERVICES_MAX];
	uint16_t port[ROLLFILE_SERVICES_MAX]; /* 0 for a client */
};

int rollrecords_of(const struct rollfile *f, struct rollrecords *out, struct err *err);

/* The first owner as text, in lower case: what its folder, and names.db, have. */
int rollrecords_owner(const struct rollfile *f, char out[NAME_TEXT_MAX], struct err *err);

/* Adds the records of a certificate in these forms. */
int rollrecords_add(const struct agility *forms, struct span der, struct rrset *set,
	struct err *err);

/* Remembers as ours what of now is the certificate's, in the forms of a. */
int rollrecords_claim(struct agility *a, struct span der, const struct rrset *now,
	struct names *names, struct err *err);

#endif
