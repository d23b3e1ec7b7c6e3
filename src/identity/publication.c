/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/publication.h"

#include "identity/effect.h"

#define ATTEMPTS_MAX 5

int publication_revoked(struct names *names, const struct name *owner, uint16_t type,
	struct rrset *out, struct err *err)
{
	struct effect_memory m = { 0 };
	int rc = effect_recall(names, owner, type, &m, err);

	if (rc == 0) {
		*out = m.revoked;
		m.revoked = (struct rrset){ 0 };
	}
	effect_memory_done(&m);
	return rc;
}

int publication_owned(struct names *names, const struct name *owner, uint16_t type,
	struct rrset *out, struct err *err)
{
	struct effect_memory m = { 0 };
	int rc = effect_recall(names, owner, type, &m, err);

	if (rc == 0) {
		*out = m.owned;
		m.owned = (struct rrset){ 0 };
	}
	effect_memory_done(&m);
	return rc;
}

static int plan(const struct publication *p, const struct rrset *wanted,
	const struct effect_memory *m, struct change *out, struct err *err)
{
	struct rrset now = { 0 };
	int rc = via_read(p->via, &wanted->owner, wanted->type, &now, err);

	if (rc == 0)
		rc = effect_plan(&now, m, wanted, out, err);
	rrset_done(&now);
	return rc;
}

int publication_plan(const struct publication *p, const struct rrset *wanted, struct change *out,
	struct err *err)
{
	struct effect_memory m = { 0 };
	int rc = effect_recall(p->names, &wanted->owner, wanted->type, &m, err);

	if (rc == 0)
		rc = plan(p, wanted, &m, out, err);
	effect_memory_done(&m);
	return rc;
}

static int remember_both(struct names *names, const struct rrset *put, enum names_state state,
	const struct rrset *other, bool drop, struct err *err)
{
	int rc = names_begin(names, err);

	if (rc == 0)
		rc = effect_remember(names, put, state, false, err);
	if (rc == 0)
		rc = effect_remember(names, other, NAMES_GOING, drop, err);
	if (rc == 0)
		rc = names_commit(names, err);
	if (rc != 0)
		names_rollback(names);
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
	int rc = effect_owner(&e->going.owner, owner, err);

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
	struct effect_memory memory = { 0 };
	struct change c = { 0 };
	int rc = effect_recall(p->names, &wanted->owner, wanted->type, &memory, err);

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
	effect_memory_done(&memory);
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
