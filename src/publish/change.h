/* SPDX-License-Identifier: Apache-2.0 */
/*
 * change - what shall become of one record set, and nothing of it that is another's.
 *
 *   now       what the primary serves
 *   owned     what of it we published, and remember
 *   wanted    what of ours there shall be
 *   after  =  now, without (owned - wanted), with wanted
 *
 *   Rule       a record that is not owned stays, and so does its TTL: the set has one TTL
 *              (RFC 2181 section 5.2), so ours then follows it.
 *   Ownership  a change owns its sets: change_done.
 */
#ifndef PUBLISH_CHANGE_H
#define PUBLISH_CHANGE_H

#include "publish/rrset.h"

struct change {
	struct rrset before; /* must be there when it is made, exactly */
	struct rrset after;
};

int change_plan(const struct rrset *now, const struct rrset *owned, const struct rrset *wanted,
	struct change *out, struct err *err);
void change_done(struct change *c);

/* Nothing is to do. */
bool change_is_empty(const struct change *c);

/* Records of after that are not in before, and the other way round; a TTL alone that changes
 * is in neither. */
int change_added(const struct change *c, struct rrset *out, struct err *err);
int change_removed(const struct change *c, struct rrset *out, struct err *err);

/* As diff does: "-line" for what goes, "+line" for what comes. */
void change_write(const struct change *c, struct buf *out);

#endif
