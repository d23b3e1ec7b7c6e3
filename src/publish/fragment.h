/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fragment - records in a file that a zone takes in by $INCLUDE.
 *
 *   File       a line each, "name. ttl IN TYPE data", sorted: the same records give the same
 *              file. The first line says whose it is; a file without it, or with a line that
 *              is none of these, is refused and left alone.
 *   Atomic     read, compared and replaced under a lock (FILE.lock): a crash leaves the old
 *              file or the new one, and two writers do not undo each other.
 *   Serial     the zone's SOA serial is its signer's affair: see sardane-publish(1).
 *   Errors     ERR_SYSTEM, ERR_FORMAT, ERR_NOMEM; words begin with the path.
 */
#ifndef PUBLISH_FRAGMENT_H
#define PUBLISH_FRAGMENT_H

#include "publish/change.h"

int fragment_read(const char *path, const struct name *owner, uint16_t type, struct rrset *out,
	struct err *err);

/* Those of many names, the file read once; each out is the caller's, also after an error. */
int fragment_read_many(const char *path, const struct name *owners, size_t count, uint16_t type,
	struct rrset *out, struct err *err);

/* All of the changes or none; *moved and no change when one of them finds another set than
 * the one it demands. */
int fragment_apply(const char *path, const struct change *list, size_t count, bool *moved,
	struct err *err);

#endif
