/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/rollusers.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/succession.h"
#include "dns/rr.h"
#include "identity/publication.h"
#include "pki/der.h"

#define USAGE_DANE_TA 2
#define USAGE_DANE_EE 3

void rollusers_forget(struct rollusers_authorities *a)
{
	for (size_t i = 0; i < a->count; i++)
		buf_done(&a->der[i]);
	a->count = 0;
}

int rollusers_read(const char *state, const char *const generation[ROLLUSERS_AUTHORITIES],
	struct rollusers_authorities *out, struct err *err)
{
	struct rollusers_authorities a = { .count = 0 };
	char prefix[PATH_MAX], path[PATH_MAX];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ROLLUSERS_AUTHORITIES; i++) {
		if (!generation[i][0])
			continue;
		rc = succession_prefix(state, generation[i], prefix, err);
		snprintf(path, sizeof(path), "%s.pem", prefix);
		if (rc == 0 && access(path, F_OK) == 0)
			rc = der_read_certificate(path, &a.der[a.count++], err);
	}
	if (rc != 0)
		rollusers_forget(&a);
	else
		*out = a;
	return rc;
}

static bool has_form(const struct agility *a, const struct agility_form *f)
{
	for (size_t i = 0; i < a->count; i++)
		if (memcmp(&a->form[i], f, sizeof(*f)) == 0)
			return true;
	return false;
}

int rollusers_forms(const struct rrset *set, const struct rollusers_authorities *a,
	struct agility *out, struct err *err)
{
	struct agility all = { .count = 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->count; i++) {
		struct agility one = { .count = 0 };

		rc = agility_forms(set->rdata, set->count, buf_span(&a->der[i]), &one, err);
		for (size_t k = 0; rc == 0 && k < one.count; k++)
			if (one.form[k].usage == USAGE_DANE_TA && !has_form(&all, &one.form[k]))
				all.form[all.count++] = one.form[k];
		agility_done(&one);
	}
	if (rc == 0)
		*out = all;
	return rc;
}

static int take_owner(void *arg, const char *owner, struct err *err)
{
	return cover_add(arg, owner, err);
}

static int rests(struct names *names, const char *owner, const struct rollusers_authorities *a,
	bool *yes, struct err *err)
{
	struct agility forms = { .count = 0 };
	struct rrset owned = { 0 };
	struct name name;
	int rc = name_of(owner, &name) == 0
		? publication_owned(names, &name, RR_TLSA, &owned, err)
		: err_set(err, ERR_FORMAT, "name '%s': not a domain name", owner);

	if (rc == 0)
		rc = rollusers_forms(&owned, a, &forms, err);
	*yes = rc == 0 && forms.count > 0;
	rrset_done(&owned);
	return rc;
}

int rollusers_owners(struct names *names, const struct rollusers_authorities *a, struct cover *out,
	struct err *err)
{
	struct cover all = { .count = 0 }, ours = { .count = 0 };
	int rc = names_each_owner(names, RR_TLSA, USAGE_DANE_TA, take_owner, &all, err);

	for (size_t i = 0; rc == 0 && i < all.count; i++) {
		bool yes = false;

		rc = rests(names, all.owner[i], a, &yes, err);
		if (rc == 0 && yes)
			rc = cover_add(&ours, all.owner[i], err);
	}
	cover_done(&all);
	if (rc != 0) {
		cover_done(&ours);
		return rc;
	}
	cover_sort(&ours);
	*out = ours;
	return 0;
}

/* --- leaves */

void rollusers_done(struct rollusers *u)
{
	for (size_t i = 0; i < u->count; i++) {
		free(u->leaf[i].names);
		free(u->leaf[i].prefix);
	}
	free(u->leaf);
	*u = (struct rollusers){ .count = 0 };
}

static int add_leaf(struct rollusers *u, const struct ledger_entry *e, struct err *err)
{
	struct rollusers_leaf leaf = { .names = strdup(e->names),
		.prefix = strdup(e->prefix),
		.issued_at = e->issued_at,
		.not_after = e->not_after };

	if (leaf.names && leaf.prefix && u->count == u->cap) {
		size_t cap = u->cap ? 2 * u->cap : 64;
		struct rollusers_leaf *more = realloc(u->leaf, cap * sizeof(*more));

		if (more) {
			u->leaf = more;
			u->cap = cap;
		}
	}
	if (!leaf.names || !leaf.prefix || u->count == u->cap) {
		free(leaf.names);
		free(leaf.prefix);
		return err_set(err, ERR_NOMEM, "certificates: no memory");
	}
	u->leaf[u->count++] = leaf;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct rollusers_leaf *x = a, *y = b;
	int order = strcmp(x->prefix, y->prefix);

	return order ? order : strcmp(x->names, y->names);
}

struct finding {
	const struct rollusers_question *q;
	struct rollusers heirs, *out;
	bool covered;
	struct err *err;
	int rc;
};

/* An owner with a folder of its own, and the record of a key beside that of the authority. */
static int stands_alone(const struct rollusers_question *q, const char *owner, bool *yes,
	struct err *err)
{
	struct rrset owned = { 0 };
	char path[PATH_MAX];
	struct name name;
	int rc;

	*yes = snprintf(path, sizeof(path), "%s/names/%s", q->state, owner) < (int)sizeof(path) &&
		access(path, F_OK) == 0;
	if (!*yes)
		return 0;
	rc = name_of(owner, &name) == 0
		? publication_owned(q->names, &name, RR_TLSA, &owned, err)
		: err_set(err, ERR_FORMAT, "name '%s': not a domain name", owner);
	*yes = false;
	for (size_t i = 0; rc == 0 && i < owned.count; i++)
		*yes |= owned.rdata[i].n > 0 && owned.rdata[i].p[0] == USAGE_DANE_EE;
	rrset_done(&owned);
	return rc;
}

static bool take_cover(void *arg, size_t owner)
{
	struct finding *f = arg;
	bool alone = false;

	f->rc = stands_alone(f->q, f->q->owners->owner[owner], &alone, f->err);
	f->covered = !alone;
	return f->rc == 0 && alone;
}

static void look_for_owner(struct finding *f, const char *names)
{
	char name[NAME_TEXT_MAX];

	f->covered = false;
	while (*names && !f->covered && f->rc == 0) {
		size_t n = strcspn(names, " ");

		if (n < sizeof(name)) {
			snprintf(name, sizeof(name), "%.*s", (int)n, names);
			cover_find(f->q->owners, name, take_cover, f);
		}
		names += n + strspn(names + n, " ");
	}
}

static bool take_heir(void *arg, const struct ledger_entry *e)
{
	struct finding *f = arg;

	if (!e->revoked_at && e->state == LEDGER_DONE)
		f->rc = add_leaf(&f->heirs, e, f->err);
	return f->rc == 0;
}

static bool is_here(const struct ledger_entry *e)
{
	struct buf der = { 0 };
	char path[PATH_MAX];
	bool same = e->prefix[0] &&
		snprintf(path, sizeof(path), "%s.pem", e->prefix) < (int)sizeof(path) &&
		der_read_certificate(path, &der, NULL) == 0 && der.n == e->der.n &&
		memcmp(der.p, e->der.p, der.n) == 0;

	buf_done(&der);
	return same;
}

static bool has_heir(const struct finding *f, const struct ledger_entry *e)
{
	struct rollusers_leaf key = { .names = (char *)e->names, .prefix = (char *)e->prefix };
	const struct rollusers_leaf *heir = f->heirs.count
		? bsearch(&key, f->heirs.leaf, f->heirs.count, sizeof(key), compare)
		: NULL;

	return heir && heir->issued_at >= e->issued_at;
}

static bool take_leaf(void *arg, const struct ledger_entry *e)
{
	struct finding *f = arg;
	bool here;

	if (e->revoked_at || e->not_after <= f->q->now_s)
		return true;
	look_for_owner(f, e->names);
	if (f->rc != 0 || !f->covered)
		return f->rc == 0;
	here = is_here(e);
	if (!here && has_heir(f, e))
		return true;
	f->rc = add_leaf(f->out, e, f->err);
	if (f->rc == 0)
		f->out->leaf[f->out->count - 1].here = here;
	return f->rc == 0;
}

/* Of those with the same names and files one is enough: the one that is there. The others were
 * renewed, or are where we cannot see them. */
static void merge(struct rollusers *u)
{
	size_t kept = 0;

	if (u->count)
		qsort(u->leaf, u->count, sizeof(*u->leaf), compare);
	for (size_t i = 0; i < u->count; i++) {
		struct rollusers_leaf *last = kept ? &u->leaf[kept - 1] : NULL;

		if (!last || compare(last, &u->leaf[i]) != 0) {
			u->leaf[kept++] = u->leaf[i];
			continue;
		}
		last->here |= u->leaf[i].here;
		if (u->leaf[i].issued_at > last->issued_at)
			last->issued_at = u->leaf[i].issued_at;
		if (u->leaf[i].not_after > last->not_after)
			last->not_after = u->leaf[i].not_after;
		free(u->leaf[i].names);
		free(u->leaf[i].prefix);
	}
	u->count = kept;
}

int rollusers_find(const struct rollusers_question *q, struct rollusers *out, struct err *err)
{
	const struct ledger_filter heirs = { .issuer = q->heir }, leaves = { .issuer = q->issuer };
	struct rollusers found = { .count = 0 };
	struct finding f = { .q = q, .out = &found, .err = err };
	int rc = ledger_each(q->ledger, &heirs, take_heir, &f, err);

	rc = rc ? rc : f.rc;
	merge(&f.heirs);
	if (rc == 0)
		rc = ledger_each(q->ledger, &leaves, take_leaf, &f, err);
	rc = rc ? rc : f.rc;
	rollusers_done(&f.heirs);
	if (rc != 0) {
		rollusers_done(&found);
		return rc;
	}
	merge(&found);
	*out = found;
	return 0;
}

void rollusers_name(const struct rollusers_leaf *leaf, char *out, size_t cap)
{
	snprintf(out, cap, "%.*s", (int)strcspn(leaf->names, " "), leaf->names);
}
