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

enum via_outcome {
	VIA_DONE,
	VIA_MOVED, /* another writer was there between: nothing was done; read and plan anew */
};

/* count 0 does what an earlier call has left to do: the reload that failed. */
int via_apply(const struct via *v, const struct change *list, size_t count, enum via_outcome *out,
	struct err *err);

#endif
