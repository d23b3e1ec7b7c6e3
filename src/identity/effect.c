/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/effect.h"

#include <stdio.h>
#include <time.h>

int effect_owner(const struct name *owner, char out[NAME_TEXT_MAX], struct err *err)
{
	struct name lower = *owner;

	name_lower(&lower);
	return name_write_text(&lower, out, NAME_TEXT_MAX) == 0
		? 0
		: err_set(err, ERR_FORMAT, "name: cannot be written");
}

void effect_memory_done(struct effect_memory *m)
{
	rrset_done(&m->owned);
	rrset_done(&m->coming);
	rrset_done(&m->revoked);
}

static int take_record(void *arg, const struct names_record *r, struct err *err)
{
	struct effect_memory *m = arg;
	int rc;

	if (r->state == NAMES_REVOKED)
		return rrset_add(&m->revoked, r->rdata, err);
	rc = rrset_add(&m->owned, r->rdata, err);
	m->owned.ttl_s = r->ttl_s;
	if (rc == 0 && r->state == NAMES_COMING)
		rc = rrset_add(&m->coming, r->rdata, err);
	return rc;
}

int effect_recall(struct names *names, const struct name *owner, uint16_t type,
	struct effect_memory *m, struct err *err)
{
	char text[NAME_TEXT_MAX];
	int rc = effect_owner(owner, text, err);

	m->owned = m->coming = m->revoked = rrset_of(owner, type, 0);
	return rc == 0 ? names_each_record(names, text, type, take_record, m, err) : rc;
}

static int refuse_revoked(const struct effect_memory *m, const struct rrset *wanted,
	struct err *err)
{
	for (size_t i = 0; i < wanted->count; i++) {
		char owner[NAME_TEXT_MAX] = "";
		struct buf data = { 0 };
		int rc;

		if (!rrset_has(&m->revoked, wanted->rdata[i]))
			continue;
		name_write_text(&wanted->owner, owner, sizeof(owner));
		rrset_write_data(wanted->type, wanted->rdata[i], &data);
		rc = err_set(err, ERR_ARG, "%.120s: %.24s...: was revoked; it takes another key",
			owner, buf_string(&data));
		buf_done(&data);
		return rc;
	}
	return 0;
}

int effect_plan(const struct rrset *now, const struct effect_memory *m, const struct rrset *wanted,
	struct change *out, struct err *err)
{
	struct rrset ours = { 0 };
	int rc = refuse_revoked(m, wanted, err);

	if (rc == 0)
		rc = rrset_copy(&m->owned, &ours, err);
	if (rc == 0)
		rc = rrset_add_all(&ours, &m->revoked, err);
	if (rc == 0)
		rc = change_plan(now, &ours, wanted, out, err);
	rrset_done(&ours);
	return rc;
}

int effect_remember(struct names *names, const struct rrset *set, enum names_state state, bool drop,
	struct err *err)
{
	char owner[NAME_TEXT_MAX];
	int rc = set->count ? effect_owner(&set->owner, owner, err) : 0;

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

void effect_done(struct effect *e)
{
	rrset_done(&e->coming);
	rrset_done(&e->staying);
	rrset_done(&e->going);
	rrset_done(&e->told);
}

/* What is remembered is not what is there now: changed by this call, or by one that was
 * interrupted before it remembered it. */
static void note_ttl(const struct change *c, const struct effect_memory *m,
	const struct rrset *wanted, struct effect *e)
{
	bool ours = e->staying.count && m->owned.count && m->owned.ttl_s != c->after.ttl_s;

	if (ours && (c->before.ttl_s != c->after.ttl_s || wanted->ttl_s == c->after.ttl_s))
		snprintf(e->ttl, sizeof(e->ttl), "%u to %u", m->owned.ttl_s, c->after.ttl_s);
}

int effect_of(const struct change *c, const struct effect_memory *m, const struct rrset *wanted,
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
	for (size_t i = 0; rc == 0 && i < m->revoked.count; i++)
		if (rrset_has(&c->before, m->revoked.rdata[i]))
			rc = rrset_add(&e->going, m->revoked.rdata[i], err);
	note_ttl(c, m, wanted, e);
	return rc;
}
