/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/rollca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ca/issuance.h"
#include "ca/succession.h"
#include "dns/rr.h"
#include "identity/rollchain.h"
#include "identity/rollleaves.h"
#include "identity/rollpublish.h"
#include "identity/rollusers.h"
#include "pki/der.h"

#define ENOUGH 1 /* of a round: no error, but nothing more is to be known */
#define ALL    (ROLLOVER_CURRENT | ROLLOVER_NEXT | ROLLOVER_STANDBY)

static const char *folder(const struct rolling *r)
{
	return r->world.authority;
}

/* --- the authorities */

static int certificate(const struct rolling *r, const char *generation, struct buf *der,
	struct err *err)
{
	return succession_certificate(folder(r), generation, der, err);
}

static int authorities(const struct rolling *r, struct rollusers_authorities *out, struct err *err)
{
	const char *const generations[] = { r->file.current, r->file.next, r->file.standby };

	return rollusers_read(folder(r), generations, out, err);
}

int rollca_owners(const struct rolling *r, struct cover *out, struct err *err)
{
	struct rollusers_authorities a = { .count = 0 };
	int rc = authorities(r, &a, err);

	if (rc == 0)
		rc = rollusers_owners(r->world.publication->names, &a, out, err);
	rollusers_forget(&a);
	return rc;
}

static int each_owner(struct rolling *r, rolltasks_each each, void *arg, struct err *err)
{
	struct cover owners = { .count = 0 };
	struct name name;
	int rc = rollca_owners(r, &owners, err);

	for (size_t i = 0; rc == 0 && i < owners.count; i++)
		rc = name_of(owners.owner[i], &name) == 0
			? each(r, &name, arg, err)
			: err_set(err, ERR_FORMAT, "name '%s': not a domain name", owners.owner[i]);
	cover_done(&owners);
	return rc;
}

static int forms(struct rolling *r, const struct name *owner, struct agility *out, struct err *err)
{
	struct rollusers_authorities a = { .count = 0 };
	struct rrset owned = { 0 };
	int rc = authorities(r, &a, err);

	if (rc == 0)
		rc = publication_owned(r->world.publication->names, owner, RR_TLSA, &owned, err);
	if (rc == 0)
		rc = rollusers_forms(&owned, &a, out, err);
	rrset_done(&owned);
	rollusers_forget(&a);
	return rc;
}

const struct password *rollca_password(const struct rolling *r, struct password *p)
{
	*p = (struct password){ .file = r->file.password_file };
	return r->file.password_file[0] ? p : NULL;
}

static int make(struct rolling *r, const char *generation, struct err *err)
{
	const struct rollfile *f = &r->file;
	struct password password;
	const struct succession_order order = { .parent = f->parent[0] ? f->parent : NULL,
		.password = rollca_password(r, &password) };

	if (f->adopt[0] && strcmp(generation, f->next) == 0)
		return succession_adopt(folder(r), generation, f->adopt, order.password, err);
	return succession_make(folder(r), f->current, generation, &order, err);
}

/* --- the end of an authority */

static int retire(struct rolling *r, struct state *state, const char *generation, struct err *err)
{
	int64_t now_s = time(NULL), until_s = now_s;
	char until[32] = "";
	struct tm tm;
	int rc = succession_until(state, generation, now_s, &until_s, err);
	time_t end = until_s;

	strftime(until, sizeof(until), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&end, &tm));
	if (rc == 0)
		rc = until_s > now_s ? rolling_log(r, "ca.retire", generation, NULL, until, err)
				     : rolling_log(r, "ca.erase", generation, NULL, NULL, err);
	return rc == 0 && until_s <= now_s ? succession_erase(folder(r), generation, err) : rc;
}

static int erase(struct rolling *r, const char *generation, struct err *err)
{
	struct state *state = NULL;
	int rc;

	if (!succession_has_key(folder(r), generation))
		return 0;
	rc = state_open_keyless(folder(r), &state, err);
	if (rc == 0)
		rc = retire(r, state, generation, err);
	state_close(state);
	return rc;
}

/* Those that have signed their last CRL. */
static int purge(struct rolling *r, struct err *err)
{
	char word[KEYRING_GENERATION_MAX];
	const struct rollfile *f = &r->file;
	int64_t now_s = time(NULL), until_s = 0;
	struct state *state = NULL;
	int rc = state_open_keyless(folder(r), &state, err);

	for (uint32_t i = 1; rc == 0 && i <= f->last; i++) {
		keyring_word(i, word);
		if (strcmp(word, f->current) == 0 || strcmp(word, f->next) == 0 ||
			strcmp(word, f->standby) == 0 || !succession_has_key(folder(r), word))
			continue;
		rc = succession_until(state, word, now_s, &until_s, err);
		if (rc == 0 && until_s <= now_s)
			rc = retire(r, state, word, err);
	}
	state_close(state);
	return rc;
}

/* --- owners that came meanwhile */

struct newcomer {
	struct buf keep;
	char owner[NAME_TEXT_MAX];
};

static int has_keep(struct rolling *r, const struct name *owner, void *arg, struct err *err)
{
	struct newcomer *n = arg;
	struct agility a = { .count = 0 };
	struct rrset owned = { 0 };
	int rc = publication_owned(r->world.publication->names, owner, RR_TLSA, &owned, err);

	if (rc == 0)
		rc = agility_forms(owned.rdata, owned.count, buf_span(&n->keep), &a, err);
	rrset_done(&owned);
	if (rc == 0 && a.count == 0)
		rc = name_write_text(owner, n->owner, sizeof(n->owner)) == 0 ? ENOUGH : ERR_FORMAT;
	agility_done(&a);
	return rc;
}

/* A standby that an owner has not is a new authority like any other. */
static int check_standby(struct rolling *r, struct err *err)
{
	struct newcomer n = { .owner = "" };
	int rc = certificate(r, r->file.standby, &n.keep, err);

	if (rc == 0)
		rc = each_owner(r, has_keep, &n, err);
	buf_done(&n.keep);
	if (rc == ENOUGH)
		r->file.standby_known_ms = 0;
	return rc == ENOUGH ? 0 : rc;
}

/* --- what must hold before it begins */

/* The authority in use counts at an owner, with all that is served there. */
static int check_owner(struct rolling *r, const struct name *owner, void *arg, struct err *err)
{
	struct buf *der = arg;
	char text[NAME_TEXT_MAX] = "";
	struct rrset now = { 0 };
	int rc = via_read(r->world.publication->via, owner, RR_TLSA, &now, err);

	if (rc == 0)
		rc = agility_check(now.rdata, now.count, buf_span(der), err);
	rrset_done(&now);
	if (rc != 0) {
		name_write_text(owner, text, sizeof(text));
		rc = err_wrap(err, rc, "%s: the authority in use", text);
	}
	return rc;
}

struct below {
	int64_t now_s;
	const char *own; /* serial of the authority itself */
	char subject[128];
};

static bool find_below(void *arg, const struct ledger_entry *e)
{
	struct below *b = arg;

	if (e->revoked_at || e->not_after <= b->now_s || strcmp(e->serial, b->own) == 0 ||
		!der_is_authority(e->der))
		return true;
	snprintf(b->subject, sizeof(b->subject), "%s", e->subject);
	return false;
}

/* An authority below it has leaves of its own, which nobody would issue again. */
static int check_below(struct rolling *r, struct err *err)
{
	struct facts own = { 0 };
	const struct ledger_filter filter = { .issuer = own.own };
	struct below b = { .now_s = time(NULL), .own = own.serial };
	struct state *state = NULL;
	char prefix[PATH_MAX], path[PATH_MAX];
	int rc = succession_prefix(folder(r), r->file.current, prefix, err);

	snprintf(path, sizeof(path), "%s.pem", prefix);
	if (rc == 0)
		rc = facts_load(path, &own, err);
	if (rc == 0)
		rc = state_open_keyless(folder(r), &state, err);
	if (rc == 0)
		rc = ledger_each(state->ledger, &filter, find_below, &b, err);
	state_close(state);
	facts_done(&own);
	if (rc == 0 && b.subject[0])
		rc = err_set(err, ERR_ARG,
			"authority: '%s' is below it, and what that issued would be refused; "
			"revoke it first",
			b.subject);
	return rc;
}

static int prepare(struct rolling *r, struct err *err)
{
	struct cover owners = { .count = 0 };
	struct buf der = { 0 };
	int rc = check_below(r, err);

	if (rc == 0)
		rc = rollca_owners(r, &owners, err);
	if (rc == 0 && owners.count == 0)
		rc = err_set(err, ERR_ARG,
			"authority: no record of ours with usage 2 says it; --owner names those "
			"that others have published");
	cover_done(&owners);
	if (rc == 0)
		rc = certificate(r, r->file.current, &der, err);
	if (rc == 0)
		rc = each_owner(r, check_owner, &der, err);
	buf_done(&der);
	if (rc == 0 && r->file.standby[0])
		rc = check_standby(r, err);
	return rc == 0 ? purge(r, err) : rc;
}

/* Before leaves change, both must have been published, and be known, wherever they are used. In
 * an emergency there is no time for that. */
static int check_newcomers(struct rolling *r, const char *keep, struct err *err)
{
	struct rollover *e = &r->file.rollover;
	struct newcomer n = { .owner = "" };
	const int64_t now_ms = rolling_now();
	bool changed;
	int rc;

	if (e->parted)
		return 0;
	rc = certificate(r, keep, &n.keep, err);
	if (rc == 0)
		rc = each_owner(r, has_keep, &n, err);
	buf_done(&n.keep);
	if (rc == 0 && !e->emergency && !rollover_is_known(e, now_ms))
		rc = ENOUGH;
	if (rc != ENOUGH)
		return rc;
	rc = err_set(err, ERR_PEER, "%.150s: came meanwhile, and not everybody knows both of it",
		n.owner[0] ? n.owner : "an owner");
	if (rollover_unsettle(e, err->msg, now_ms))
		return rc;
	return rollpublish_all(r, rollover_wanted(e), &changed, err);
}

static bool is_in_place(const struct rolling *r, const char *generation)
{
	struct authority_place place;
	char prefix[PATH_MAX];

	return authority_locate(folder(r), &place, NULL) == 0 &&
		succession_prefix(folder(r), generation, prefix, NULL) == 0 &&
		strcmp(place.prefix, prefix) == 0;
}

static int install(struct rolling *r, struct err *err)
{
	unsigned keep = r->file.rollover.keep;
	const char *which = rolling_generation(r, keep);
	struct rollleaves in;
	int rc = check_newcomers(r, which, err);

	if (rc == 0 && !is_in_place(r, which))
		rc = rolling_log(r, "rollover.switch",
			rolling_generation(r, keep ^ (ROLLOVER_CURRENT | ROLLOVER_NEXT)), which,
			NULL, err);
	if (rc == 0)
		rc = succession_point(folder(r), which, err);
	if (rc == 0)
		rc = rollleaves_open(r, true, &in, err);
	if (rc != 0)
		return rc;
	rc = rollleaves_finish(&in, err);
	if (rc == 0)
		rc = rollleaves_switch(&in, err);
	rollleaves_done(&in);
	return rc;
}

/* --- looking */

static int look_at(struct rolling *r, const struct name *owner, void *arg, struct err *err)
{
	struct rollover_outcome *o = arg;
	char text[NAME_TEXT_MAX];
	int rc = name_write_text(owner, text, sizeof(text)) == 0
		? rollchain_service(r, text, &o->presents, err)
		: err_set(err, ERR_FORMAT, "name: cannot be written");

	if (rc == 0 && o->presents == ROLLOVER_PRESENTS_OTHER)
		rc = rollleaves_tell_again(r, cover_identity(text), err);
	return rc == 0 && o->presents != ROLLOVER_PRESENTS_KEPT ? ENOUGH : rc;
}

/* Leaves that came from the other one since, as from a command that had it open. */
static int look_at_leaves(struct rolling *r, struct rollover_outcome *o, struct err *err)
{
	struct rollusers left = { .count = 0 };
	struct rollleaves in;
	int rc = rollleaves_open(r, false, &in, err);

	if (rc != 0)
		return rc;
	rc = rollleaves_find(&in, &left, err);
	for (size_t i = 0; rc == 0 && i < left.count; i++) {
		if (!left.leaf[i].here && r->file.rollover.emergency)
			continue;
		err_set(&r->last, ERR_PEER, "%s: is of the other authority still",
			left.leaf[i].prefix);
		o->presents = ROLLOVER_PRESENTS_OTHER;
	}
	rollusers_done(&left);
	rollleaves_done(&in);
	return rc;
}

static int look(struct rolling *r, struct rollover_outcome *o, struct err *err)
{
	unsigned keep = r->file.rollover.keep;
	int rc = 0;

	o->done = true;
	o->why = r->last.msg;
	o->presents = ROLLOVER_PRESENTS_KEPT;
	if (!is_in_place(r, rolling_generation(r, keep))) {
		err_set(&r->last, ERR_PEER, "%s/ca.pem: leads to another authority", folder(r));
		o->presents = ROLLOVER_PRESENTS_OTHER;
		return 0;
	}
	if (rolling_generation(r, keep ^ (ROLLOVER_CURRENT | ROLLOVER_NEXT))[0])
		rc = look_at_leaves(r, o, err);
	if (rc != 0 || o->presents != ROLLOVER_PRESENTS_KEPT)
		return rc;
	rc = each_owner(r, look_at, o, err);
	if (rc == 0 && !r->file.under_way)
		rc = purge(r, err);
	return rc == ENOUGH ? 0 : rc;
}

int rollca_claim(struct rolling *r, const char *owner, struct err *err)
{
	struct rollusers_authorities a = { .count = 0 };
	struct agility forms = { .count = 0 };
	struct rrset now = { 0 };
	struct name name;
	int rc = name_of(owner, &name) == 0
		? via_read(r->world.publication->via, &name, RR_TLSA, &now, err)
		: err_set(err, ERR_FORMAT, "name '%s': not a domain name", owner);

	if (rc == 0)
		rc = certificate(r, r->file.current, &a.der[a.count++], err);
	if (rc == 0)
		rc = rollusers_forms(&now, &a, &forms, err);
	if (rc == 0 && forms.count == 0)
		rc = err_set(err, ERR_ARG,
			"%s: no record with usage 2 of the authority is served there", owner);
	if (rc == 0)
		rc = rollrecords_claim(&forms, buf_span(&a.der[0]), &now,
			r->world.publication->names, err);
	agility_done(&forms);
	rrset_done(&now);
	rollusers_forget(&a);
	return rc;
}

const struct rolltasks rollca_tasks = {
	.prepare = prepare,
	.owners = each_owner,
	.forms = forms,
	.certificate = certificate,
	.make = make,
	.install = install,
	.look = look,
	.erase = erase,
};
