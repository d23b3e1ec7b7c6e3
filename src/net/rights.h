/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rights - who may connect to a Unix socket of ours: the mode and the group of its file.
 *
 *   Default    what the umask leaves. A mode is octal, three digits or four: "0660". A group is a
 *              name or a number.
 *   When       between listen_bind and listen_begin nobody can connect yet.
 *   Errors     ERR_FORMAT (the words), ERR_SYSTEM.
 */
#ifndef NET_RIGHTS_H
#define NET_RIGHTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/err.h"

struct rights {
	bool has_mode, has_group;
	mode_t mode;
	gid_t group;
};

/* mode, group: NULL for what is left as it is. */
int rights_read(const char *mode, const char *group, struct rights *out, struct err *err);

/* Of the socket at "unix:/path". It never has more of both than the former or the new rights. */
int rights_set(const char *where, const struct rights *r, struct err *err);

#endif
