/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/publications.h"

#include "base/hex.h"
#include "crypto/digest.h"
#include "identity/effect.h"

#include <stdio.h>
#include <stdlib.h>

#define ATTEMPTS_MAX 5

struct one {
	const struct rrset *wanted;
	struct effect_memory memory;
	struct change change;
	struct effect effect;
	bool settled;
};

/* Those that are planned and sent together: a group is a run of items. */
struct wave {
	size_t groups;
	struct via_group group[VIA_GROUPS_MAX];
	size_t first[VIA_GROUPS_MAX], end[VIA_GROUPS_MAX]; /* items */
	struct change *list;                               /* of all groups; borrows */
};

static void forget_plan(struct one *o)
{
	effect_done(&o->effect);
	change_done(&o->change);
	effect_memory_done(&o->memory);
	o->effect = (struct effect){ .coming = { .count = 0 } };
	o->change = (struct change){ .before = { .count = 0 } };
	o->memory = (struct effect_memory){ .owned = { .count = 0 } };
}

static int plan_one(const struct publication *p, struct one *o, const struct rrset *now,
	struct err *err)
{
	int rc;

	forget_plan(o);
	rc = effect_recall(p->names, &o->wanted->owner, o->wanted->type, &o->memory, err);
	if (rc == 0)
		rc = effect_plan(now, &o->memory, o->wanted, &o->change, err);
	return rc == 0 ? effect_of(&o->change, &o->memory, o->wanted, &o->effect, err) : rc;
}

/* All that are not settled, on what is there now. */
static int plan(const struct publication *p, struct one *all, size_t count, struct err *err)
{
	struct name *owners = calloc(count, sizeof(*owners));
	struct rrset *now = calloc(count, sizeof(*now));
	size_t n = 0, at = 0;
	int rc = owners && now ? 0 : err_set(err, ERR_NOMEM, "records: out of memory");

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (!all[i].settled)
			owners[n++] = all[i].wanted->owner;
	if (rc == 0)
		rc = via_read_many(p->via, owners, n, all[0].wanted->type, now, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (!all[i].settled)
			rc = plan_one(p, &all[i], &now[at++], err);
	for (size_t i = 0; i < n; i++)
		rrset_done(&now[i]);
	free(now);
	free(owners);
	return rc;
}

/* The next groups from item *at on; those without a change are passed over. */
static void form_wave(const struct publication *p, const struct one *all, size_t count, size_t *at,
	struct wave *w)
{
	const size_t room = via_room(p->via);
	size_t octets = 0, n = 0;

	w->groups = 0;
	for (; *at < count; ++*at) {
		const struct one *o = &all[*at];
		const size_t more = via_octets(&o->change);
		struct via_group *g = &w->group[w->groups ? w->groups - 1 : 0];

		if (o->settled || change_is_empty(&o->change))
			continue;
		if (w->groups == 0 || more > room - octets) {
			if (w->groups == VIA_GROUPS_MAX)
				return;
			g = &w->group[w->groups];
			*g = (struct via_group){ .list = w->list + n };
			w->first[w->groups++] = *at;
			octets = 0;
		}
		octets += more;
		w->list[n++] = o->change;
		g->count++;
		w->end[w->groups - 1] = *at + 1;
	}
}

static bool is_in_wave(const struct one *o)
{
	return !o->settled && !change_is_empty(&o->change);
}

/* Runs over the items of one group. */
static int remember_coming(const struct publication *p, const struct one *all, const struct wave *w,
	struct err *err)
{
	int rc = names_begin(p->names, err);

	for (size_t i = w->first[0]; rc == 0 && i < w->end[w->groups - 1]; i++) {
		if (!is_in_wave(&all[i]))
			continue;
		rc = effect_remember(p->names, &all[i].effect.coming, NAMES_COMING, false, err);
		if (rc == 0)
			rc = effect_remember(p->names, &all[i].effect.going, NAMES_GOING, false,
				err);
	}
	if (rc == 0)
		rc = names_commit(p->names, err);
	if (rc != 0)
		names_rollback(p->names);
	return rc;
}

/* The words of one item for the log, behind a sign. */
static void put_lines(const struct rrset *set, const char *sign, struct buf *out, size_t *count)
{
	for (size_t i = 0; i < set->count; i++) {
		buf_text(out, sign);
		rrset_write_line(set, set->rdata[i], out);
	}
	*count += set->count;
}

struct telling {
	struct buf lines;
	size_t added, removed, retimed; /* retimed: under another TTL */
	const struct rrset *first, *last;
};

static void tell_one(const struct one *o, struct telling *t)
{
	if (o->effect.told.count == 0 && o->effect.going.count == 0 && !o->effect.ttl[0])
		return;
	put_lines(&o->effect.told, "+", &t->lines, &t->added);
	put_lines(&o->effect.going, "-", &t->lines, &t->removed);
	if (o->effect.ttl[0])
		put_lines(&o->effect.staying, "=", &t->lines, &t->retimed);
	t->first = t->first ? t->first : o->wanted;
	t->last = o->wanted;
}

static int log_telling(const struct publication *p, const struct telling *t, struct err *err)
{
	char first[NAME_TEXT_MAX], last[NAME_TEXT_MAX], digest[65];
	char added[24], removed[24], retimed[24];
	const struct auditline_note notes[] = { { "last", last },
		{ "added", t->added ? added : NULL }, { "removed", t->removed ? removed : NULL },
		{ "ttl", t->retimed ? retimed : NULL }, { "records_sha256", digest } };
	uint8_t octets[32];
	int rc;

	if (!t->first)
		return 0;
	if (!buf_ok(&t->lines))
		return err_set(err, ERR_NOMEM, "records: out of memory");
	rc = effect_owner(&t->first->owner, first, err);
	if (rc == 0)
		rc = effect_owner(&t->last->owner, last, err);
	if (rc == 0)
		rc = digest_sha256(buf_span(&t->lines), octets, err);
	if (rc != 0)
		return rc;
	hex_write((struct span){ octets, sizeof(octets) }, digest, sizeof(digest));
	snprintf(added, sizeof(added), "%zu", t->added);
	snprintf(removed, sizeof(removed), "%zu", t->removed);
	snprintf(retimed, sizeof(retimed), "%zu", t->retimed);
	return audit_append(p->audit,
		t->added             ? "tlsa.publish"
			: t->removed ? "tlsa.withdraw"
				     : "tlsa.ttl",
		first, notes, sizeof(notes) / sizeof(notes[0]), err);
}

static int settle_one(const struct publication *p, struct one *o, struct err *err)
{
	int rc = effect_remember(p->names, &o->effect.staying, NAMES_THERE, false, err);

	if (rc == 0)
		rc = effect_remember(p->names, &o->effect.going, NAMES_GOING, true, err);
	o->settled = rc == 0;
	return rc;
}

/* The log first, then the memory: items from first to end that a server has, or that were so
 * already (empty). Where a record was remembered before and is there, nothing needs writing. */
static int settle_run(const struct publication *p, struct one *all, size_t first, size_t end,
	bool empty, struct err *err)
{
	struct telling t = { .added = 0 };
	int rc;

	for (size_t i = first; i < end; i++)
		if (!all[i].settled && change_is_empty(&all[i].change) == empty)
			tell_one(&all[i], &t);
	rc = log_telling(p, &t, err);
	if (rc == 0)
		rc = names_begin(p->names, err);
	for (size_t i = first; rc == 0 && i < end; i++) {
		struct one *o = &all[i];

		if (o->settled || change_is_empty(&o->change) != empty)
			continue;
		if (empty && o->effect.told.count == 0 && o->effect.going.count == 0)
			o->settled = true;
		else
			rc = settle_one(p, o, err);
	}
	if (rc == 0)
		rc = names_commit(p->names, err);
	if (rc != 0)
		names_rollback(p->names);
	buf_done(&t.lines);
	return rc;
}

/* Nothing of it was done: what is there now is another's. */
static int take_back(const struct publication *p, const struct one *all, size_t first, size_t end,
	struct err *err)
{
	int rc = names_begin(p->names, err);

	for (size_t i = first; rc == 0 && i < end; i++)
		if (is_in_wave(&all[i]))
			rc = effect_remember(p->names, &all[i].effect.coming, NAMES_GOING, true,
				err);
	if (rc == 0)
		rc = names_commit(p->names, err);
	if (rc != 0)
		names_rollback(p->names);
	return rc;
}

static int send_wave(const struct publication *p, struct one *all, struct wave *w, size_t *changed,
	bool *moved, struct err *err)
{
	int rc = remember_coming(p, all, w, err);

	if (rc == 0)
		rc = via_apply_many(p->via, w->group, w->groups, err);
	for (size_t g = 0; rc == 0 && g < w->groups; g++) {
		if (w->group[g].outcome == VIA_MOVED) {
			*moved = true;
			rc = take_back(p, all, w->first[g], w->end[g], err);
			continue;
		}
		*changed += w->group[g].count;
		rc = settle_run(p, all, w->first[g], w->end[g], false, err);
	}
	return rc;
}

static int attempt(const struct publication *p, struct one *all, size_t count, struct wave *w,
	size_t *changed, bool *moved, struct err *err)
{
	size_t at = 0;
	int rc = plan(p, all, count, err);

	*moved = false;
	if (rc == 0)
		rc = settle_run(p, all, 0, count, true, err);
	while (rc == 0) {
		form_wave(p, all, count, &at, w);
		if (w->groups == 0)
			break;
		rc = send_wave(p, all, w, changed, moved, err);
	}
	/* what an earlier call has left to do: a reload that failed */
	if (rc == 0 && *changed == 0)
		rc = via_apply(p->via, NULL, 0, &w->group[0].outcome, err);
	return rc;
}

static struct one *items_of(const struct rrset *wanted, size_t count)
{
	struct one *all = calloc(count + 1, sizeof(*all));

	for (size_t i = 0; all && i < count; i++)
		all[i].wanted = &wanted[i];
	return all;
}

static void items_free(struct one *all, size_t count)
{
	for (size_t i = 0; all && i < count; i++)
		forget_plan(&all[i]);
	free(all);
}

int publications_set(const struct publication *p, const struct rrset *wanted, size_t count,
	struct publications_result *out, struct err *err)
{
	struct one *all = items_of(wanted, count);
	struct wave w = { .list = calloc(count + 1, sizeof(*w.list)) };
	struct publications_result r = { .changed = 0 };
	bool moved = count > 0;
	unsigned attempts = 0;
	int rc = all && w.list ? names_lock(p->names, err)
			       : err_set(err, ERR_NOMEM, "records: out of memory");

	while (rc == 0 && moved) {
		if (attempts++ == ATTEMPTS_MAX)
			rc = err_set(err, ERR_PEER,
				"others change the sets all the time: tried %d times",
				ATTEMPTS_MAX);
		else
			rc = attempt(p, all, count, &w, &r.changed, &moved, err);
	}
	names_unlock(p->names);
	items_free(all, count);
	free(w.list);
	if (rc == 0)
		*out = r;
	return rc;
}

int publications_plan(const struct publication *p, const struct rrset *wanted, size_t count,
	struct publications_result *would, struct buf *told, struct err *err)
{
	struct one *all = items_of(wanted, count);
	int rc = all ? 0 : err_set(err, ERR_NOMEM, "records: out of memory");

	if (rc == 0 && count)
		rc = plan(p, all, count, err);
	would->changed = 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		would->changed += !change_is_empty(&all[i].change);
		change_write(&all[i].change, told);
	}
	items_free(all, count);
	return rc;
}
