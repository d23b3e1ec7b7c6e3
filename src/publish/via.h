/* SPDX-License-Identifier: Apache-2.0 */
/*
 * via - the way a change takes into a zone: three back ends behind one set of verbs.
 *
 *   VIA_UPDATE    DNS UPDATE with TSIG to the primary: RFC 2136, RFC 8945. All changes of one
 *                 call happen, or none; they demand the sets they were planned on.
 *   VIA_FRAGMENT  a file for $INCLUDE, replaced at once; then a command that loads the zone.
 *   VIA_HOOK      a command of the operator's, once per record, told by its environment:
 *                 SARDANE_ACTION   add (or set the TTL of one that is there) or remove
 *                 SARDANE_ZONE     a.example            SARDANE_NAME   _8003._tcp.js.a.example
 *                 SARDANE_TYPE     TLSA                 SARDANE_TTL    300
 *                 SARDANE_RDATA    3 1 1 ab12...
 *                 Records come before others go. Not atomic: what a failed hook has done is
 *                 seen when the server is asked next.
 *   Now           read asks the primary itself (update, hook), or the file.
 *   Time          ms, of one exchange or one command: VIA_TIMEOUT_MS when 0.
 *   Ownership     settings and their strings must outlive the via; via_close.
 *   Errors        ERR_ARG, ERR_FORMAT (settings); ERR_PEER (refused); ERR_TIMEOUT and
 *                 ERR_SYSTEM: whether the change was made is not known, so ask again.
 */
#ifndef PUBLISH_VIA_H
#define PUBLISH_VIA_H

#include "publish/change.h"

#define VIA_TIMEOUT_MS 10000

enum via_kind { VIA_UPDATE, VIA_FRAGMENT, VIA_HOOK };

struct via_settings {
	enum via_kind kind;
	const char *zone;
	const char *server;   /* "192.0.2.1@53": of update and hook */
	const char *key_file; /* TSIG: of update; of hook when its server wants one */
	const char *file;     /* of fragment */
	const char *reload;   /* command after fragment; NULL: none */
	const char *hook;
	unsigned timeout_ms;
};

struct via;

int via_open(const struct via_settings *settings, struct via **out, struct err *err);
void via_close(struct via *v);

const struct name *via_zone(const struct via *v);

/* What is there now; *out is the caller's. */
int via_read(const struct via *v, const struct name *owner, uint16_t type, struct rrset *out,
	struct err *err);

/* The same of many names; each out is the caller's, also after an error. With VIA_UPDATE they are
 * read without TSIG: an UPDATE demands what it was planned on. */
int via_read_many(const struct via *v, const struct name *owners, size_t count, uint16_t type,
	struct rrset *out, struct err *err);

enum via_outcome {
	VIA_DONE,
	VIA_MOVED, /* another writer was there between: nothing was done; read and plan anew */
};

/* count 0 does what an earlier call has left to do: the reload that failed. */
int via_apply(const struct via *v, const struct change *list, size_t count, enum via_outcome *out,
	struct err *err);

/* Several calls of via_apply at once: with VIA_UPDATE all messages are under way together, which
 * servers work through faster, as they sign and write for several at a time. */
struct via_group {
	const struct change *list;
	size_t count;
	enum via_outcome outcome; /* after a call that returned 0 */
};

#define VIA_GROUPS_MAX 8

int via_apply_many(const struct via *v, struct via_group *groups, size_t count, struct err *err);

/* Octets of changes that one group may have, as via_octets counts them. */
size_t via_room(const struct via *v);
size_t via_octets(const struct change *c);

#endif
