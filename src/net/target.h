/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target - where an http_target leads: a name to find, or loopback in the clear.
 *
 *   Source     RFC 3986 as far as http and https with a host, a port and a path go: no user,
 *              no query beyond the path's end, no fragment. TS002 section 19 for the names
 *              of JoinEUI and NetID.
 *   Rule       https wants a DNS name, since that is what a TLSA hangs on; http wants
 *              127.0.0.0/8, ::1 or localhost.
 *   Errors     ERR_FORMAT with words.
 */
#ifndef NET_TARGET_H
#define NET_TARGET_H

#include "net/http_client.h"

#define TARGET_TEXT_MAX 512

struct target {
	bool plain;
	struct service_target service; /* not plain: what to find */
	char url[TARGET_TEXT_MAX];     /* plain: all of it; else the path, "/..." */
	char key[TARGET_TEXT_MAX];     /* equal for equal targets */
};

int target_read(const struct http_target *from, struct target *out, struct err *err);

#endif
