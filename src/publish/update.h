/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update - change a zone by one signed message: all of it happens, or nothing.
 *
 *   Source     RFC 2136 (dynamic update), RFC 8945 (TSIG, HMAC-SHA256), over TCP.
 *   Text       records as in a zone file: "js.b.example 5 A 127.0.0.1".
 *   Rule       success is an answer NOERROR whose TSIG fits; anything else is a failure.
 *   Time       ms; the whole exchange, 5000 when 0.
 *   Ownership  struct update belongs to the caller: update_free.
 *   Errors     ERR_FORMAT (a record or name does not parse), ERR_SYSTEM, ERR_TIMEOUT,
 *              ERR_PEER (refused; the words say why), ERR_NOMEM.
 */
#ifndef PUBLISH_UPDATE_H
#define PUBLISH_UPDATE_H

#include "core/err.h"
#include "publish/tsigkey.h"

#include <stdint.h>

struct update_server {
	const char *address; /* IPv4 or IPv6 in numbers */
	uint16_t port;
	unsigned timeout_ms;
	const struct tsigkey *key;
};

struct update;

int update_new(const char *zone, struct update **out, struct err *err);
void update_free(struct update *u);

/* Prerequisites, RFC 2136 section 2.4. */
int update_require_rrset(struct update *u, const char *owner, const char *type, struct err *err);
int update_require_absent(struct update *u, const char *owner, const char *type, struct err *err);

/* Changes, RFC 2136 section 2.5, done in the order of the calls. */
int update_add(struct update *u, const char *record, struct err *err);
int update_delete_rrset(struct update *u, const char *owner, const char *type, struct err *err);
int update_delete_name(struct update *u, const char *owner, struct err *err);

int update_send(const struct update *u, const struct update_server *server, struct err *err);

#endif
