/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cover - which owners of TLSA records speak for a name that a certificate has.
 *
 *   owner                     speaks for the names
 *   _8003._tcp.js.a.example   js.a.example, and *.a.example of a server's certificate
 *   d1._device.a.example      itself: a client's
 *   *._device.a.example       whatever is below _device.a.example (RFC 4592 section 2.2.1)
 *   _443._tcp.*.a.example     likewise below a.example
 *
 *   Source     RFC 6698 section 3, RFC 7671 section 5.2; draft-ietf-dance-client-auth.
 *   In         names in lower case, without the final dot.
 *   Ownership  a cover owns copies of its owners: cover_done.
 *   Errors     ERR_NOMEM.
 */
#ifndef ROLLOVER_COVER_H
#define ROLLOVER_COVER_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

struct cover_key {
	char *name;
	size_t owner; /* its place in owner */
	bool beside;  /* stands for a server certificate's wildcard only */
};

struct cover {
	size_t count, cap;
	char **owner; /* as they were added */
	size_t keys, keys_cap;
	struct cover_key *key; /* by name, after cover_sort */
};

int cover_add(struct cover *c, const char *owner, struct err *err);
/* Before the first question. */
void cover_sort(struct cover *c);
void cover_done(struct cover *c);

/* The host behind _port._proto., or owner itself. */
const char *cover_identity(const char *owner);
bool cover_is_service(const char *owner);

/* Each owner that speaks for a name, perhaps one twice, while each returns true. */
void cover_find(const struct cover *c, const char *name, bool (*each)(void *arg, size_t owner),
	void *arg);

#endif
