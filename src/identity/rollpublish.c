/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/rollpublish.h"

#include <stdlib.h>

#include "dns/rr.h"
#include "publish/confirm.h"
#include "publish/lifetime.h"

/* The records of these credentials at the owner of a set, after those that are there already. */
static int add_records(struct rolling *r, unsigned credentials, struct rrset *set, struct err *err)
{
	struct agility forms = { 0 };
	int rc = r->tasks->forms(r, &set->owner, &forms, err);

	for (unsigned bit = 1; rc == 0 && bit <= ROLLOVER_STANDBY; bit <<= 1) {
		struct buf der = { 0 };

		if (!(credentials & bit))
			continue;
		rc = r->tasks->certificate(r, rolling_generation(r, bit), &der, err);
		if (rc == 0)
			rc = rollrecords_add(&forms, buf_span(&der), set, err);
		buf_done(&der);
	}
	agility_done(&forms);
	return rc;
}

unsigned rollpublish_there(const struct rolling *r, unsigned credentials)
{
	for (unsigned bit = 1; bit <= ROLLOVER_STANDBY; bit <<= 1) {
		struct buf der = { 0 };

		if (credentials & bit &&
			r->tasks->certificate(r, rolling_generation(r, bit), &der, NULL) != 0)
			credentials &= ~bit;
		buf_done(&der);
	}
	return credentials;
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
		rc = r->tasks->certificate(r, rolling_generation(r, bit), &der, err);
		if (rc == 0)
			rc = agility_check(c.after.rdata, c.after.count, buf_span(&der), err);
		buf_done(&der);
	}
	change_done(&c);
	return rc;
}

int rollpublish_plan(struct rolling *r, const struct name *owner, unsigned wanted,
	struct rrset *out, struct err *err)
{
	unsigned all = ROLLOVER_CURRENT | ROLLOVER_NEXT | ROLLOVER_STANDBY;
	struct rrset others = rrset_of(owner, RR_TLSA, 0);
	struct rrset set = { 0 };
	int rc = publication_owned(r->world.publication->names, owner, RR_TLSA, &set, err);

	if (set.count == 0 || !r->file.authority)
		set.ttl_s = r->world.ttl_s;
	if (rc == 0)
		rc = add_records(r, rollpublish_there(r, all & ~wanted), &others, err);
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

struct publishing {
	unsigned wanted;
	bool changed;
};

static int publish(struct rolling *r, const struct name *owner, void *arg, struct err *err)
{
	struct publishing *p = arg;
	struct publication_result result = { 0 };
	struct rrset set = { 0 };
	int rc = rollpublish_plan(r, owner, p->wanted, &set, err);

	if (rc == 0)
		rc = check_agility(r, &set, p->wanted, err);
	if (rc == 0)
		rc = publication_set(r->world.publication, &set, &result, err);
	p->changed |= result.changed;
	publication_done(&result);
	rrset_done(&set);
	return rc;
}

int rollpublish_all(struct rolling *r, unsigned wanted, bool *changed, struct err *err)
{
	struct publishing p = { .wanted = wanted };
	int rc = r->tasks->owners(r, publish, &p, err);

	*changed = p.changed;
	return rc;
}

/* The first server that does not, by name. */
static void say_who(const struct confirm_report *report, const char *owner,
	struct rollover_outcome *o, struct err *words)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct confirm_server *s = &report->server[i];

		if (s->serves)
			continue;
		err_set(words, ERR_PEER, "%s: %s: %s", owner, s->who, s->why);
		break;
	}
	if (report->count == 0)
		err_set(words, ERR_PEER, "%s: no server of the zone was found", owner);
	o->done = o->done && report->all;
	o->why = words->msg;
}

#define ENOUGH 1

struct asking {
	unsigned wanted, banned;
	struct rollover_outcome *o;
};

/* The first owner that is not served as it shall be is enough to know. */
static int ask(struct rolling *r, const struct name *owner, void *arg, struct err *err)
{
	struct asking *a = arg;
	struct rollover_outcome *o = a->o;
	struct rrset there = rrset_of(owner, RR_TLSA, 0), gone = rrset_of(owner, RR_TLSA, 0);
	struct confirm_report *report = calloc(1, sizeof(*report));
	struct lifetime life = { 0 };
	char text[NAME_TEXT_MAX] = "";
	int rc = report ? 0 : err_set(err, ERR_NOMEM, "servers: no memory");

	name_write_text(owner, text, sizeof(text));
	if (rc == 0)
		rc = add_records(r, a->wanted, &there, err);
	if (rc == 0)
		rc = add_records(r, rollpublish_there(r, a->banned), &gone, err);
	if (rc == 0)
		rc = confirm_wait(r->world.walk, &there, &gone, 0, report, err);
	if (rc == 0)
		rc = lifetime_ask(r->world.walk, owner, RR_TLSA, &life, err);
	if (rc == 0) {
		o->ttl_s = life.ttl_s > o->ttl_s ? life.ttl_s : o->ttl_s;
		o->negative_s = life.negative_s > o->negative_s ? life.negative_s : o->negative_s;
		say_who(report, text, o, &r->last);
	}
	free(report);
	rrset_done(&there);
	rrset_done(&gone);
	return rc == 0 && !o->done ? ENOUGH : rc;
}

int rollpublish_ask(struct rolling *r, unsigned wanted, unsigned banned, struct rollover_outcome *o,
	struct err *err)
{
	struct asking a = { .wanted = wanted, .banned = banned, .o = o };
	int rc;

	o->done = true;
	rc = r->tasks->owners(r, ask, &a, err);
	return rc == ENOUGH ? 0 : rc;
}
