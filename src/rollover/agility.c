/* SPDX-License-Identifier: Apache-2.0 */
#include "rollover/agility.h"

#include <stdlib.h>
#include <string.h>

#include "dane/generate.h"
#include "dane/tlsaset.h"

#define RDATA_HEAD 3

/* The RDATA of der in one form. */
static int make(struct agility_form f, struct span der, struct buf *out, struct err *err)
{
	size_t cap = RDATA_HEAD + (der.n > GENERATE_MAX ? der.n : GENERATE_MAX), n = 0;
	uint8_t *memory = malloc(2 * cap);
	struct tlsa tlsa;
	int rc;

	if (!memory)
		return err_set(err, ERR_NOMEM, "TLSA: no memory");
	rc = generate_from_certificate(der, (enum tlsa_usage)f.usage,
		(enum tlsa_selector)f.selector, (enum tlsa_matching)f.matching, memory, cap, &tlsa,
		err);
	if (rc == 0)
		rc = tlsa_write(&tlsa, memory + cap, cap, &n, err);
	if (rc == 0) {
		buf_put(out, (struct span){ memory + cap, n });
		if (!buf_ok(out))
			rc = err_set(err, ERR_NOMEM, "TLSA: no memory");
	}
	free(memory);
	return rc;
}

/* Does the record say der? */
static int is_of(const struct tlsaset_record *r, struct span der, bool *yes, struct err *err)
{
	struct agility_form f = { r->tlsa.usage, r->tlsa.selector, r->tlsa.matching };
	struct buf made = { 0 };
	int rc = make(f, der, &made, err);

	if (rc == 0)
		*yes = made.n == r->rdata.n && memcmp(made.p, r->rdata.p, made.n) == 0;
	buf_done(&made);
	return rc;
}

/* What we cannot use we cannot have published; whether it is set aside does not matter here. */
static bool is_ours_to_judge(const struct tlsaset_record *r)
{
	return r->rdata.n > RDATA_HEAD && !tlsa_unusable(&r->tlsa);
}

int agility_forms(const struct span *served, size_t count, struct span der, struct agility *out,
	struct err *err)
{
	struct agility made = { 0 };
	struct tlsaset set;
	int rc = 0;

	tlsaset_read(served, count, &set);
	for (unsigned i = 0; rc == 0 && i < set.count; i++) {
		const struct tlsaset_record *r = &set.record[i];
		bool yes = false;

		if (!is_ours_to_judge(r))
			continue;
		rc = is_of(r, der, &yes, err);
		if (yes && made.count < AGILITY_FORMS_MAX)
			made.form[made.count++] = (struct agility_form){ r->tlsa.usage,
				r->tlsa.selector, r->tlsa.matching };
	}
	if (rc == 0)
		*out = made;
	return rc;
}

int agility_make(struct agility *a, struct span der, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->count; i++) {
		buf_done(&a->rdata[i]);
		rc = make(a->form[i], der, &a->rdata[i], err);
	}
	return rc;
}

void agility_done(struct agility *a)
{
	for (size_t i = 0; i < a->count; i++)
		buf_done(&a->rdata[i]);
	*a = (struct agility){ 0 };
}

int agility_check(const struct span *set, size_t count, struct span der, struct err *err)
{
	const char *aside = NULL;
	struct tlsaset read;

	tlsaset_read(set, count, &read);
	for (unsigned i = 0; i < read.count; i++) {
		const struct tlsaset_record *r = &read.record[i];
		bool yes = false;
		int rc = is_ours_to_judge(r) ? is_of(r, der, &yes, err) : 0;

		if (rc != 0)
			return rc;
		if (yes && !r->why)
			return 0;
		if (yes)
			aside = r->why;
	}
	return err_set(err, ERR_ARG, "TLSA: %s",
		aside ? aside : "no record of the set is of this certificate");
}
