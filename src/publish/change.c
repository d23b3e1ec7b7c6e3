/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/change.h"

/* True when a record of now is nobody's but another's. */
static bool has_foreign(const struct rrset *now, const struct rrset *owned)
{
	for (size_t i = 0; i < now->count; i++)
		if (!rrset_has(owned, now->rdata[i]))
			return true;
	return false;
}

void change_done(struct change *c)
{
	rrset_done(&c->before);
	rrset_done(&c->after);
}

int change_plan(const struct rrset *now, const struct rrset *owned, const struct rrset *wanted,
	struct change *out, struct err *err)
{
	struct change c = { 0 };
	int rc = rrset_copy(now, &c.before, err);

	if (rc == 0)
		rc = rrset_copy(now, &c.after, err);
	for (size_t i = 0; rc == 0 && i < owned->count; i++)
		if (!rrset_has(wanted, owned->rdata[i]))
			rrset_remove(&c.after, owned->rdata[i]);
	if (rc == 0)
		rc = rrset_add_all(&c.after, wanted, err);
	if (rc != 0) {
		change_done(&c);
		return rc;
	}
	c.after.ttl_s = has_foreign(now, owned) ? now->ttl_s : wanted->ttl_s;
	*out = c;
	return 0;
}

bool change_is_empty(const struct change *c)
{
	return rrset_equal(&c->before, &c->after) &&
		(c->after.count == 0 || c->before.ttl_s == c->after.ttl_s);
}

/* What a has and b has not. */
static int subtract(const struct rrset *a, const struct rrset *b, struct rrset *out,
	struct err *err)
{
	struct rrset rest = rrset_of(&a->owner, a->type, a->ttl_s);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->count; i++)
		if (!rrset_has(b, a->rdata[i]))
			rc = rrset_add(&rest, a->rdata[i], err);
	if (rc != 0)
		rrset_done(&rest);
	else
		*out = rest;
	return rc;
}

int change_added(const struct change *c, struct rrset *out, struct err *err)
{
	return subtract(&c->after, &c->before, out, err);
}

int change_removed(const struct change *c, struct rrset *out, struct err *err)
{
	return subtract(&c->before, &c->after, out, err);
}

static void write_side(const struct rrset *side, const struct rrset *other, const char *sign,
	struct buf *out)
{
	for (size_t i = 0; i < side->count; i++) {
		if (rrset_has(other, side->rdata[i]) && side->ttl_s == other->ttl_s)
			continue;
		buf_text(out, sign);
		rrset_write_line(side, side->rdata[i], out);
	}
}

void change_write(const struct change *c, struct buf *out)
{
	write_side(&c->before, &c->after, "-", out);
	write_side(&c->after, &c->before, "+", out);
}
