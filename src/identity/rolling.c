/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/rolling.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ca/issuance.h"
#include "dns/owner.h"
#include "dns/rr.h"
#include "identity/rollrecords.h"
#include "pki/der.h"
#include "publish/child.h"
#include "publish/confirm.h"
#include "publish/lifetime.h"
#include "servers/hosts.h"
#include "tls/present.h"

#define RELOAD_MS     60000
#define LOOK_MS       5000
#define ADDRESSES_MAX 16

struct rolling {
	char dir[PATH_MAX];
	int lock;
	struct rolling_world world;
	struct rollfile file;
	struct rollrecords records;
	struct err last; /* the words an outcome borrows */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const struct rollfile *rolling_file(const struct rolling *r)
{
	return &r->file;
}

void rolling_close(struct rolling *r)
{
	if (!r)
		return;
	if (r->lock >= 0)
		close(r->lock);
	free(r);
}

static int save(struct rolling *r, struct err *err)
{
	return rollfile_write(r->dir, &r->file, err);
}

int rolling_open(const char *dir, const struct rollfile *f, const struct rolling_world *world,
	struct rolling **out, struct err *err)
{
	struct rolling *r = calloc(1, sizeof(*r));
	bool there = false;
	int rc;

	if (!r)
		return err_set(err, ERR_NOMEM, "rollover: no memory");
	r->lock = -1;
	r->world = *world;
	snprintf(r->dir, sizeof(r->dir), "%s", dir);
	rc = rollfile_lock(dir, &r->lock, err);
	if (rc == 0)
		rc = rollfile_read(dir, &r->file, &there, err);
	if (rc == 0 && !there)
		r->file = *f;
	if (rc == 0)
		rc = rollrecords_of(&r->file, &r->records, err);
	if (rc == 0 && r->file.under_way && !world->again)
		rollover_resume(&r->file.rollover, now_ms());
	if (rc == 0)
		rc = save(r, err);
	if (rc != 0) {
		rolling_close(r);
		return rc;
	}
	*out = r;
	return 0;
}

/* The generation a credential of the engine is. */
static const char *generation(const struct rolling *r, unsigned credential)
{
	if (credential == ROLLOVER_CURRENT)
		return r->file.current;
	return credential == ROLLOVER_NEXT ? r->file.next : r->file.standby;
}

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

/* A line of the audit log: what, and from which generation to which. Before the deed: a crash
 * may leave a line twice, or one too many, and no deed without one. */
static int log_it(struct rolling *r, const char *act, const char *from, const char *to,
	const char *why, struct err *err)
{
	const struct auditline_note notes[] = {
		{ "from", from },
		{ "to", to },
		{ "why", why },
	};

	return audit_append(r->world.publication->audit, act, r->file.name, notes,
		sizeof(notes) / sizeof(notes[0]), err);
}

int rolling_begin(struct rolling *r, struct err *err)
{
	struct rollfile *f = &r->file;
	int rc;

	if (f->under_way)
		return 0;
	rc = find_forms(r, err);
	if (rc != 0)
		return rc;
	rollover_start(&f->rollover, &f->policy, f->standby[0] ? f->standby_known_ms : 0, now_ms());
	if (f->standby[0])
		snprintf(f->next, sizeof(f->next), "%s", f->standby);
	else
		keyring_word(++f->last, f->next);
	keyring_word(++f->last, f->standby);
	f->under_way = true;
	rc = log_it(r, "rollover.begin", f->current, f->next, NULL, err);
	return rc == 0 ? save(r, err) : rc;
}

int rolling_hurry(struct rolling *r, bool *at_once, struct err *err)
{
	int rc = rolling_begin(r, err);

	if (rc != 0)
		return rc;
	*at_once = rollover_hurry(&r->file.rollover, now_ms());
	rc = log_it(r, "rollover.emergency", r->file.current, r->file.next, NULL, err);
	return rc == 0 ? save(r, err) : rc;
}

int rolling_turn(struct rolling *r, const char *why, bool *turned, struct err *err)
{
	int rc;

	*turned = r->file.under_way && rollover_turn(&r->file.rollover, why, now_ms());
	if (!*turned)
		return 0;
	rc = log_it(r, "rollover.turn", r->file.next, r->file.current, why, err);
	return rc == 0 ? save(r, err) : rc;
}

/* The records of these credentials at one owner, after those that are there already. */
static int add_records(struct rolling *r, unsigned credentials, struct rrset *set, struct err *err)
{
	int rc = 0;

	for (unsigned bit = 1; rc == 0 && bit <= ROLLOVER_STANDBY; bit <<= 1) {
		struct buf der = { 0 };

		if (!(credentials & bit))
			continue;
		rc = keyring_certificate(r->dir, generation(r, bit), &der, err);
		if (rc == 0)
			rc = rollrecords_add(&r->file, buf_span(&der), set, err);
		buf_done(&der);
	}
	return rc;
}

/* Keys that were never made, or are erased, have no records to ask for. */
static unsigned on_disk(const struct rolling *r, unsigned credentials)
{
	for (unsigned bit = 1; bit <= ROLLOVER_STANDBY; bit <<= 1) {
		struct buf der = { 0 };

		if (credentials & bit &&
			keyring_certificate(r->dir, generation(r, bit), &der, NULL) != 0)
			credentials &= ~bit;
		buf_done(&der);
	}
	return credentials;
}

/* By the authority, into its ledger. */
static int issue(void *arg, const char *prefix, const struct profile *profile, struct err *err)
{
	const struct rolling *r = arg;
	struct state *state = NULL;
	int rc = state_open(r->world.authority, NULL, &state, err);

	if (rc == 0)
		rc = issuance_beside(state, prefix, profile, err);
	state_close(state);
	return rc;
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

/* Each key that is to be let in must count in the whole set, with what others have there. */
static int check_agility(struct rolling *r, const struct rrset *wanted, unsigned credentials,
	struct err *err)
{
	struct change c = { 0 };
	int rc = publication_plan(r->world.publication, wanted, &c, err);

	for (unsigned bit = 1; rc == 0 && bit <= ROLLOVER_STANDBY; bit <<= 1) {
		struct buf der = { 0 };

		if (!(credentials & bit))
			continue;
		rc = keyring_certificate(r->dir, generation(r, bit), &der, err);
		if (rc == 0)
			rc = agility_check(c.after.rdata, c.after.count, buf_span(&der), err);
		buf_done(&der);
	}
	change_done(&c);
	return rc;
}

/* What of ours an owner shall have: these credentials, none of our others, and whatever else we
 * have published there, as the key of another server of the same name. */
static int plan_set(struct rolling *r, const struct name *owner, unsigned wanted, struct rrset *out,
	struct err *err)
{
	unsigned all = ROLLOVER_CURRENT | ROLLOVER_NEXT | ROLLOVER_STANDBY;
	struct rrset others = rrset_of(owner, RR_TLSA, 0);
	struct rrset set = { 0 };
	int rc = publication_owned(r->world.publication->names, owner, RR_TLSA, &set, err);

	set.ttl_s = r->world.ttl_s;
	if (rc == 0)
		rc = add_records(r, on_disk(r, all & ~wanted), &others, err);
	for (size_t i = 0; rc == 0 && i < others.count; i++)
		rrset_remove(&set, others.rdata[i]);
	if (rc == 0)
		rc = add_records(r, wanted, &set, err);
	rrset_done(&others);
	if (rc != 0)
		rrset_done(&set);
	else
		*out = set;
	return rc;
}

static int publish(struct rolling *r, unsigned wanted, bool *changed, struct err *err)
{
	int rc = 0;

	*changed = false;
	for (size_t i = 0; rc == 0 && i < r->records.count; i++) {
		struct publication_result result = { 0 };
		struct rrset set = { 0 };

		rc = plan_set(r, &r->records.owner[i], wanted, &set, err);
		if (rc == 0)
			rc = check_agility(r, &set, wanted, err);
		if (rc == 0)
			rc = publication_set(r->world.publication, &set, &result, err);
		*changed |= result.changed;
		publication_done(&result);
		rrset_done(&set);
	}
	return rc;
}

/* The first server that does not, by name. */
static int say_who(const struct confirm_report *report, struct rollover_outcome *o,
	struct err *words)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct confirm_server *s = &report->server[i];

		if (s->serves)
			continue;
		err_set(words, ERR_PEER, "%s: %s", s->who, s->why);
		break;
	}
	if (report->count == 0)
		err_set(words, ERR_PEER, "no server of the zone was found");
	o->done = o->done && report->all;
	o->why = words->msg;
	return 0;
}

static int ask_owner(struct rolling *r, const struct name *owner, unsigned wanted, unsigned banned,
	struct rollover_outcome *o, struct err *err)
{
	struct rrset there = rrset_of(owner, RR_TLSA, 0), gone = rrset_of(owner, RR_TLSA, 0);
	struct confirm_report *report = calloc(1, sizeof(*report));
	struct lifetime life = { 0 };
	int rc = report ? 0 : err_set(err, ERR_NOMEM, "servers: no memory");

	if (rc == 0)
		rc = add_records(r, wanted, &there, err);
	if (rc == 0)
		rc = add_records(r, on_disk(r, banned), &gone, err);
	if (rc == 0)
		rc = confirm_wait(r->world.walk, &there, &gone, 0, report, err);
	if (rc == 0)
		rc = lifetime_ask(r->world.walk, owner, RR_TLSA, &life, err);
	if (rc == 0) {
		o->ttl_s = life.ttl_s > o->ttl_s ? life.ttl_s : o->ttl_s;
		o->negative_s = life.negative_s > o->negative_s ? life.negative_s : o->negative_s;
		rc = say_who(report, o, &r->last);
	}
	free(report);
	rrset_done(&there);
	rrset_done(&gone);
	return rc;
}

static int ask(struct rolling *r, unsigned wanted, unsigned banned, struct rollover_outcome *o,
	struct err *err)
{
	int rc = 0;

	o->done = true;
	for (size_t i = 0; rc == 0 && i < r->records.count && o->done; i++)
		rc = ask_owner(r, &r->records.owner[i], wanted, banned, o, err);
	return rc;
}

static int install(struct rolling *r, struct err *err)
{
	const char *which = generation(r, r->file.rollover.keep);
	char name[sizeof("SARDANE_NAME=") + NAME_TEXT_MAX],
		folder[sizeof("SARDANE_FOLDER=") + PATH_MAX];
	const char *const variables[] = { name, folder, NULL };
	char before[KEYRING_GENERATION_MAX], real[PATH_MAX];
	int rc = keyring_current(r->dir, before, err);

	if (rc == 0 && strcmp(before, which) != 0)
		rc = log_it(r, "rollover.switch", before, which, NULL, err);
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
	bool same = keyring_certificate(r->dir, generation(r, credential), &own, NULL) == 0 &&
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
	if (rc == 0 && strcmp(current, generation(r, r->file.rollover.keep)) != 0) {
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

/* After turning round a standby may have been made that was never published. */
static int erase(struct rolling *r, struct err *err)
{
	const struct rollover *e = &r->file.rollover;
	unsigned key = rollover_unwanted(e);
	int rc = key ? keyring_erase(r->dir, generation(r, key), err) : 0;

	if (rc == 0 && e->keep == ROLLOVER_CURRENT)
		rc = keyring_erase(r->dir, generation(r, ROLLOVER_STANDBY), err);
	return rc;
}

/* A failure of the world is an outcome; the engine tries again. */
static void perform(struct rolling *r, enum rollover_task task, struct rollover_outcome *o)
{
	bool changed;
	int rc = 0;

	switch (task) {
	case ROLLOVER_MAKE_NEXT: rc = make(r, r->file.next, &r->last); break;
	case ROLLOVER_MAKE_STANDBY: rc = make(r, r->file.standby, &r->last); break;
	case ROLLOVER_ASK:
		rc = ask(r, rollover_wanted(&r->file.rollover), rollover_banned(&r->file.rollover),
			o, &r->last);
		break;
	case ROLLOVER_PUBLISH:
		rc = publish(r, rollover_wanted(&r->file.rollover), &changed, &r->last);
		break;
	case ROLLOVER_INSTALL: rc = install(r, &r->last); break;
	case ROLLOVER_LOOK: rc = look(r, o, &r->last); break;
	case ROLLOVER_ERASE: rc = erase(r, &r->last); break;
	case ROLLOVER_WAIT:
	case ROLLOVER_NOTHING: return;
	}
	if (rc != 0) {
		o->done = false;
		o->why = r->last.msg;
	} else if (task != ROLLOVER_ASK && task != ROLLOVER_LOOK) {
		o->done = true;
	}
}

int rolling_check(struct rolling *r, bool *good, bool *repaired, char words[ROLLING_WORDS_MAX],
	struct err *err)
{
	unsigned wanted = ROLLOVER_CURRENT | (r->file.standby[0] ? ROLLOVER_STANDBY : 0);
	struct rollover_outcome o = { .done = false };
	int rc = r->file.forms ? 0 : find_forms(r, err);

	if (r->file.under_way)
		return err_set(err, ERR_ARG, "%s: a rollover is under way", r->file.name);
	r->file.rollover.keep = ROLLOVER_CURRENT;
	if (rc == 0)
		rc = publish(r, wanted, repaired, err);
	if (rc == 0)
		rc = ask(r, wanted, 0, &o, err);
	if (rc == 0 && o.done)
		rc = look(r, &o, err);
	if (rc != 0)
		return rc;
	*good = o.done && o.presents == ROLLOVER_PRESENTS_KEPT;
	snprintf(words, ROLLING_WORDS_MAX, "%s",
		!*good              ? o.why
			: *repaired ? "records were not as they should be, and are again"
				    : "");
	return 0;
}

static void end(struct rolling *r)
{
	struct rollfile *f = &r->file;
	const struct rollover *o = &f->rollover;

	if (o->keep == ROLLOVER_NEXT) {
		snprintf(f->result, sizeof(f->result), "%s in place of %s%s", f->next, f->current,
			o->emergency ? ", in an emergency" : "");
		snprintf(f->current, sizeof(f->current), "%s", f->next);
		f->standby_known_ms = o->restocked ? o->known_ms : 0;
		if (!o->restocked)
			f->standby[0] = '\0';
	} else {
		snprintf(f->result, sizeof(f->result), "%s stays: %.150s", f->current, o->trouble);
		snprintf(f->standby, sizeof(f->standby), "%s", o->from_standby ? f->next : "");
		f->standby_known_ms = o->from_standby ? o->known_ms : 0;
	}
	f->next[0] = '\0';
	f->under_way = false;
	f->done++;
	f->ended_ms = now_ms();
}

int rolling_step(struct rolling *r, int64_t *wait_ms, struct err *err)
{
	struct rollover_outcome o = { .done = false };
	struct rollover *e = &r->file.rollover;
	enum rollover_task task;
	int rc;

	*wait_ms = -1;
	if (!r->file.under_way)
		return 0;
	task = rollover_next(e, now_ms());
	if (task != ROLLOVER_WAIT) {
		perform(r, task, &o);
		rollover_input(e, &o, now_ms());
		if (rollover_is_done(e)) {
			end(r);
			rc = log_it(r, "rollover.end", NULL, r->file.current, r->file.result, err);
			return rc == 0 ? save(r, err) : rc;
		}
		rc = save(r, err);
		if (rc != 0)
			return rc;
	}
	*wait_ms = e->deadline_ms - now_ms();
	if (*wait_ms < 0)
		*wait_ms = 0;
	return 0;
}
