/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/publication.h"

#include <stdio.h>
#include <time.h>

#define ATTEMPTS_MAX 5

/* The owner as names.db has it. */
static int owner_text(const struct name *owner, char out[NAME_TEXT_MAX], struct err *err)
{
	struct name lower = *owner;

	name_lower(&lower);
	return name_write_text(&lower, out, NAME_TEXT_MAX) == 0
		? 0
		: err_set(err, ERR_FORMAT, "name: cannot be written");
}

/* What is remembered of a name, and which of it no server is known to have. */
struct memory {
	struct rrset owned;
	struct rrset coming;
};

static void memory_done(struct memory *m)
{
	rrset_done(&m->owned);
	rrset_done(&m->coming);
}

static int take_record(void *arg, const struct names_record *r, struct err *err)
{
	struct memory *m = arg;
	int rc = rrset_add(&m->owned, r->rdata, err);

	m->owned.ttl_s = r->ttl_s;
	if (rc == 0 && r->state == NAMES_COMING)
		rc = rrset_add(&m->coming, r->rdata, err);
	return rc;
}

static int recall(struct names *names, const struct name *owner, uint16_t type, struct memory *m,
	struct err *err)
{
	char text[NAME_TEXT_MAX];
	int rc = owner_text(owner, text, err);

	m->owned = m->coming = rrset_of(owner, type, 0);
	return rc == 0 ? names_each_record(names, text, type, take_record, m, err) : rc;
}

int publication_owned(struct names *names, const struct name *owner, uint16_t type,
	struct rrset *out, struct err *err)
{
	struct memory m = { 0 };
	int rc = recall(names, owner, type, &m, err);

	if (rc == 0) {
		*out = m.owned;
		m.owned = (struct rrset){ 0 };
	}
	memory_done(&m);
	return rc;
}

static int plan(const struct publication *p, const struct rrset *wanted, const struct memory *m,
	struct change *out, struct err *err)
{
	struct rrset now = { 0 };
	int rc = via_read(p->via, &wanted->owner, wanted->type, &now, err);

	if (rc == 0)
		rc = change_plan(&now, &m->owned, wanted, out, err);
	rrset_done(&now);
	return rc;
}

int publication_plan(const struct publication *p, const struct rrset *wanted, struct change *out,
	struct err *err)
{
	struct memory m = { 0 };
	int rc = recall(p->names, &wanted->owner, wanted->type, &m, err);

	if (rc == 0)
		rc = plan(p, wanted, &m, out, err);
	memory_done(&m);
	return rc;
}

/* One transaction: puts each record of the set into a state; NAMES_GOING with drop forgets. */
static int remember(struct names *names, const struct rrset *set, enum names_state state, bool drop,
	struct err *err)
{
	char owner[NAME_TEXT_MAX];
	int rc = set->count ? owner_text(&set->owner, owner, err) : 0;

	for (size_t i = 0; rc == 0 && i < set->count; i++) {
		struct names_record r = { .owner = owner,
			.type = set->type,
			.rdata = set->rdata[i],
			.ttl_s = set->ttl_s,
			.state = state,
			.since_s = time(NULL) };

		rc = drop ? names_drop_record(names, &r, err) : names_put_record(names, &r, err);
	}
	return rc;
}

static int remember_both(struct names *names, const struct rrset *put, enum names_state state,
	const struct rrset *other, bool drop, struct err *err)
{
	int rc = names_begin(names, err);

	if (rc == 0)
		rc = remember(names, put, state, false, err);
	if (rc == 0)
		rc = remember(names, other, NAMES_GOING, drop, err);
	if (rc == 0)
		rc = names_commit(names, err);
	if (rc != 0)
		names_rollback(names);
	return rc;
}

/* What a plan means for the memory: each set is of ours only. */
struct effect {
	struct rrset coming;  /* new to us, and added */
	struct rrset staying; /* owned and wanted, or coming */
	struct rrset going;   /* owned and not wanted */
	struct rrset told;    /* for the audit log: added, now or by a call that was interrupted */
	char ttl[40];         /* likewise: "3600 to 300"; "" as it was */
};

static void effect_done(struct effect *e)
{
	rrset_done(&e->coming);
	rrset_done(&e->staying);
	rrset_done(&e->going);
	rrset_done(&e->told);
}

/* What is remembered is not what is there now: changed by this call, or by one that was
 * interrupted before it remembered it. */
static void note_ttl(const struct change *c, const struct memory *m, const struct rrset *wanted,
	struct effect *e)
{
	bool ours = e->staying.count && m->owned.count && m->owned.ttl_s != c->after.ttl_s;

	if (ours && (c->before.ttl_s != c->after.ttl_s || wanted->ttl_s == c->after.ttl_s))
		snprintf(e->ttl, sizeof(e->ttl), "%u to %u", m->owned.ttl_s, c->after.ttl_s);
}

static int effect_of(const struct change *c, const struct memory *m, const struct rrset *wanted,
	struct effect *e, struct err *err)
{
	int rc = 0;

	e->coming = e->staying = e->going = e->told =
		rrset_of(&wanted->owner, wanted->type, c->after.ttl_s);
	for (size_t i = 0; rc == 0 && i < wanted->count; i++) {
		struct span rdata = wanted->rdata[i];
		bool ours = rrset_has(&m->owned, rdata);
		bool new = !ours && !rrset_has(&c->before, rdata);

		if (new)
			rc = rrset_add(&e->coming, rdata, err);
		if (rc == 0 && (ours || new))
			rc = rrset_add(&e->staying, rdata, err);
		if (rc == 0 && (ours || new) &&
			(!rrset_has(&c->before, rdata) || rrset_has(&m->coming, rdata)))
			rc = rrset_add(&e->told, rdata, err);
	}
	for (size_t i = 0; rc == 0 && i < m->owned.count; i++)
		if (!rrset_has(wanted, m->owned.rdata[i]))
			rc = rrset_add(&e->going, m->owned.rdata[i], err);
	note_ttl(c, m, wanted, e);
	return rc;
}

#define WORDS_MAX 3000 /* two of them and the rest are a line of the audit log */

/* "3 1 1 ab12..., 3 1 1 cd34...", or how many they are. */
static const char *words_of(const struct rrset *set, struct buf *out)
{
	for (size_t i = 0; i < set->count && out->n <= WORDS_MAX; i++) {
		if (out->n)
			buf_text(out, ", ");
		rrset_write_data(set->type, set->rdata[i], out);
	}
	if (out->n > WORDS_MAX) {
		out->n = 0;
		buf_printf(out, "%zu records", set->count);
	}
	return out->n ? buf_string(out) : NULL;
}

static int log_effect(const struct publication *p, const struct effect *e, struct err *err)
{
	struct buf added = { 0 }, removed = { 0 };
	const struct auditline_note notes[] = {
		{ "added", words_of(&e->told, &added) },
		{ "removed", words_of(&e->going, &removed) },
		{ "ttl", e->ttl[0] ? e->ttl : NULL },
	};
	const char *act = added.n ? "tlsa.publish" : removed.n ? "tlsa.withdraw" : "tlsa.ttl";
	char owner[NAME_TEXT_MAX];
	int rc = owner_text(&e->going.owner, owner, err);

	if (rc == 0 && (added.n || removed.n || e->ttl[0]))
		rc = audit_append(p->audit, act, owner, notes, sizeof(notes) / sizeof(notes[0]),
			err);
	buf_done(&added);
	buf_done(&removed);
	return rc;
}

static int carry_out(const struct publication *p, const struct change *c, const struct effect *e,
	enum via_outcome *outcome, struct err *err)
{
	const struct rrset none = { 0 };
	bool empty = change_is_empty(c);
	int rc = empty ? 0
		       : remember_both(p->names, &e->coming, NAMES_COMING, &e->going, false, err);

	if (rc == 0)
		rc = via_apply(p->via, c, empty ? 0 : 1, outcome, err);
	if (rc != 0)
		return rc;
	if (*outcome == VIA_MOVED) /* nothing of it was done: what is there now is another's */
		return remember_both(p->names, &none, NAMES_THERE, &e->coming, true, err);
	rc = log_effect(p, e, err);
	if (rc != 0)
		return rc;
	return remember_both(p->names, &e->staying, NAMES_THERE, &e->going, true, err);
}

static int attempt(const struct publication *p, const struct rrset *wanted,
	struct publication_result *r, enum via_outcome *outcome, struct err *err)
{
	struct effect effect = { 0 };
	struct memory memory = { 0 };
	struct change c = { 0 };
	int rc = recall(p->names, &wanted->owner, wanted->type, &memory, err);

	if (rc == 0)
		rc = plan(p, wanted, &memory, &c, err);
	if (rc == 0)
		rc = effect_of(&c, &memory, wanted, &effect, err);
	if (rc == 0)
		rc = carry_out(p, &c, &effect, outcome, err);
	if (rc == 0) {
		publication_done(r);
		r->change = c;
		r->removed = effect.going;
		r->changed = !change_is_empty(&c);
		effect.going = c.before = c.after = (struct rrset){ 0 };
	}
	change_done(&c);
	effect_done(&effect);
	memory_done(&memory);
	return rc;
}

int publication_set(const struct publication *p, const struct rrset *wanted,
	struct publication_result *out, struct err *err)
{
	struct publication_result r = { 0 };
	enum via_outcome outcome = VIA_MOVED;
	int rc = names_lock(p->names, err);

	while (rc == 0 && outcome == VIA_MOVED) {
		if (r.attempts == ATTEMPTS_MAX)
			rc = err_set(err, ERR_PEER,
				"others change the set all the time: tried %d times", ATTEMPTS_MAX);
		else
			rc = attempt(p, wanted, &r, &outcome, err);
		r.attempts++;
	}
	names_unlock(p->names);
	if (rc != 0)
		publication_done(&r);
	else
		*out = r;
	return rc;
}

void publication_done(struct publication_result *r)
{
	change_done(&r->change);
	rrset_done(&r->removed);
}
