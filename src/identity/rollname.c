/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/rollname.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/issuance.h"
#include "dns/rr.h"
#include "pki/der.h"
#include "publish/child.h"
#include "servers/hosts.h"
#include "tls/present.h"

#define RELOAD_MS     60000
#define LOOK_MS       5000
#define ADDRESSES_MAX 16

/* In what forms the current key is published: those of the first owner, at every owner. */
static int find_forms(struct rolling *r, struct err *err)
{
	struct buf der = { 0 };
	int rc = keyring_certificate(r->dir, r->file.current, &der, err);

	for (size_t i = 0; rc == 0 && i < r->records.count; i++) {
		struct rrset now = { 0 };
		struct agility a = { 0 };

		rc = via_read(r->world.publication->via, &r->records.owner[i], RR_TLSA, &now, err);
		if (rc == 0)
			rc = agility_check(now.rdata, now.count, buf_span(&der), err);
		if (rc == 0)
			rc = agility_forms(now.rdata, now.count, buf_span(&der), &a, err);
		if (rc == 0 && i == 0) {
			r->file.forms = a.count;
			memcpy(r->file.form, a.form, sizeof(a.form));
		}
		if (rc == 0)
			rc = rollrecords_claim(&a, buf_span(&der), &now,
				r->world.publication->names, err);
		agility_done(&a);
		rrset_done(&now);
	}
	buf_done(&der);
	return rc == 0 ? 0 : err_wrap(err, rc, "%s: the key in use", r->file.name);
}

static int each_owner(struct rolling *r, rolltasks_each each, void *arg, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->records.count; i++)
		rc = each(r, &r->records.owner[i], arg, err);
	return rc;
}

static int forms(struct rolling *r, const struct name *owner, struct agility *out, struct err *err)
{
	int rc = r->file.forms ? 0 : find_forms(r, err);

	(void)owner;
	if (rc != 0)
		return rc;
	*out = (struct agility){ .count = r->file.forms };
	memcpy(out->form, r->file.form, sizeof(out->form));
	return 0;
}

static int certificate(const struct rolling *r, const char *generation, struct buf *der,
	struct err *err)
{
	return keyring_certificate(r->dir, generation, der, err);
}

/* By the authority, into its ledger. */
static int issue(void *arg, const char *prefix, const struct profile *profile, struct err *err)
{
	const struct rolling *r = arg;

	return issuance_key(r->world.authority, prefix, profile, true, err);
}

static int make(struct rolling *r, const char *which, struct err *err)
{
	struct profile profile;
	bool self_signed = false;
	int rc = keyring_profile(r->dir, r->file.current, &profile, &self_signed, err);
	struct keyring_order order = { .profile = &profile, .key_kind = r->file.key_kind };

	if (rc != 0)
		return rc;
	profile.life_s = r->file.days * PROFILE_DAY_S;
	order.issue = self_signed ? NULL : issue;
	order.issue_arg = r;
	if (!self_signed && !r->world.authority)
		return err_set(err, ERR_ARG,
			"%s: an authority issued its certificate, and the state has none",
			r->file.name);
	return keyring_make(r->dir, which, &order, err);
}

static int install(struct rolling *r, struct err *err)
{
	const char *which = rolling_generation(r, r->file.rollover.keep);
	char name[sizeof("SARDANE_NAME=") + NAME_TEXT_MAX],
		folder[sizeof("SARDANE_FOLDER=") + PATH_MAX];
	const char *const variables[] = { name, folder, NULL };
	char before[KEYRING_GENERATION_MAX], real[PATH_MAX];
	int rc = keyring_current(r->dir, before, err);

	if (rc == 0 && strcmp(before, which) != 0)
		rc = rolling_log(r, "rollover.switch", before, which, NULL, err);
	if (rc == 0)
		rc = keyring_point(r->dir, which, err);
	if (rc == 0 && !realpath(r->dir, real))
		rc = err_set(err, ERR_SYSTEM, "'%s': %s", r->dir, strerror(errno));
	if (rc != 0 || !r->file.reload[0])
		return rc;
	snprintf(name, sizeof(name), "SARDANE_NAME=%s", r->file.name);
	snprintf(folder, sizeof(folder), "SARDANE_FOLDER=%s/current", real);
	rc = child_run(r->file.reload, variables, RELOAD_MS, err);
	return rc == 0 ? 0 : err_wrap(err, rc, "reload");
}

/* Where the service listens: as configured, or as DNS says. */
static int addresses_of(struct rolling *r, size_t service, struct address *out, size_t *n,
	struct err *err)
{
	struct name host;
	int rc = 0;

	if (r->file.addresses) {
		for (unsigned i = 0; rc == 0 && i < r->file.addresses; i++)
			rc = address_read(r->file.address[i], &out[i], err);
		*n = r->file.addresses;
		return rc;
	}
	if (name_of(r->file.name, &host) != 0)
		return err_set(err, ERR_FORMAT, "name '%s': not a domain name", r->file.name);
	rc = hosts_of(r->world.walk, &host, r->records.port[service], out, ADDRESSES_MAX, n, err);
	if (rc == 0 && *n == 0)
		rc = err_set(err, ERR_PEER, "%s: has no address", r->file.name);
	return rc;
}

static bool is_of(const struct rolling *r, unsigned credential, struct span der)
{
	struct buf own = { 0 };
	bool same =
		keyring_certificate(r->dir, rolling_generation(r, credential), &own, NULL) == 0 &&
		own.n == der.n && memcmp(own.p, der.p, der.n) == 0;

	buf_done(&own);
	return same;
}

/* What one address presents; the words say what of all is the worst. */
static enum rollover_presents look_at_one(struct rolling *r, const struct address *a)
{
	unsigned keep = r->file.rollover.keep;
	char where[ADDRESS_TEXT_MAX];
	enum rollover_presents seen = ROLLOVER_PRESENTS_NONE;
	struct present presented = { 0 };
	struct buf der = { 0 };
	struct name host;
	int rc = name_of(r->file.name, &host) == 0
		? present_ask(a, &host, LOOK_MS, &presented, &r->last)
		: err_set(&r->last, ERR_FORMAT, "'%.100s': not a domain name", r->file.name);

	address_write(a, where);
	if (rc == 0)
		rc = der_of_certificate(where, buf_span(&presented.chain), &der, &r->last);
	present_done(&presented);
	if (rc != 0) {
		buf_done(&der);
		return seen;
	}
	if (is_of(r, keep, buf_span(&der)))
		seen = ROLLOVER_PRESENTS_KEPT;
	else if (is_of(r, keep ^ (ROLLOVER_CURRENT | ROLLOVER_NEXT), buf_span(&der)))
		seen = ROLLOVER_PRESENTS_OTHER;
	if (seen != ROLLOVER_PRESENTS_KEPT)
		err_set(&r->last, ERR_PEER, "%s: presents %s", where,
			seen == ROLLOVER_PRESENTS_OTHER ? "the other key still"
							: "a key that is none of ours");
	buf_done(&der);
	return seen;
}

static int look(struct rolling *r, struct rollover_outcome *o, struct err *err)
{
	char current[KEYRING_GENERATION_MAX];
	struct address at[ADDRESSES_MAX];
	size_t n = 0;
	int rc = keyring_current(r->dir, current, err);

	o->done = true;
	o->why = r->last.msg;
	o->presents = ROLLOVER_PRESENTS_KEPT;
	if (rc == 0 && strcmp(current, rolling_generation(r, r->file.rollover.keep)) != 0) {
		err_set(&r->last, ERR_PEER, "%s/current: is %s", r->dir, current);
		o->presents = ROLLOVER_PRESENTS_OTHER;
		return 0;
	}
	for (size_t i = 0; rc == 0 && i < r->file.services; i++) {
		rc = addresses_of(r, i, at, &n, err);
		for (size_t k = 0; rc == 0 && k < n; k++) {
			o->presents = look_at_one(r, &at[k]);
			if (o->presents != ROLLOVER_PRESENTS_KEPT)
				return 0;
		}
	}
	return rc;
}

static int erase(struct rolling *r, const char *generation, struct err *err)
{
	return keyring_erase(r->dir, generation, err);
}

const struct rolltasks rollname_tasks = {
	.prepare = find_forms,
	.owners = each_owner,
	.forms = forms,
	.certificate = certificate,
	.make = make,
	.install = install,
	.look = look,
	.erase = erase,
};
