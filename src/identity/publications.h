/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publications - what of ours the record sets of many names shall hold: identity/publication.h for
 * all of them together.
 *
 *   The same   remembered before a server is told, settled after, the audit log between; all of
 *              ours at a name is what is wanted there; a record of another stays.
 *   Together   the sets are read at once; changes go out in groups, several under way at a time
 *              (via_apply_many); a transaction and a line of the log for each such wave: count,
 *              last name, and the SHA-256 of the lines "+NAME TTL IN TLSA ..." and "-...".
 *   Moved      a group in which another writer changed a set is planned anew, at most 5 times.
 *   Lock       as there.
 *   Ownership  borrows the wanted sets.
 *   Errors     of via and names; ERR_PEER when others change the sets all the time. After an
 *              error the same call goes on where it was.
 */
#ifndef IDENTITY_PUBLICATIONS_H
#define IDENTITY_PUBLICATIONS_H

#include "identity/publication.h"

struct publications_result {
	size_t changed; /* names whose set was changed by this call */
};

/* Each of another name. */
int publications_set(const struct publication *p, const struct rrset *wanted, size_t count,
	struct publications_result *out, struct err *err);

/* What would change, told as change_write does; nothing is. */
int publications_plan(const struct publication *p, const struct rrset *wanted, size_t count,
	struct publications_result *would, struct buf *told, struct err *err);

#endif
