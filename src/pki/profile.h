/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile - what a certificate shall say, before there is one.
 *
 *   Source     RFC 5280 section 4.2 (extensions), RFC 6125 section 6.4 (dNSName);
 *              draft-ietf-dance-client-auth: client names may carry underscores, so SANs may.
 *   Units      days and seconds of wall clock.
 *   Ownership  borrows its strings from the caller; copy it freely.
 *   Errors     ERR_ARG, ERR_FORMAT with words that name the field.
 */
#ifndef PKI_PROFILE_H
#define PKI_PROFILE_H

#include "core/err.h"
#include "dns/name.h"

#define PROFILE_SAN_MAX 32
/* RFC 5280 appendix A.1: ub-common-name and ub-organization-name are 64. */
#define PROFILE_TEXT_MAX 64
/* A hundred years: beyond it a date has been mistyped. */
#define PROFILE_DAYS_MAX 36500
/* Clocks of peers may run behind ours. */
#define PROFILE_BACKDATE_S 300

enum profile_role {
	PROFILE_ROOT,
	PROFILE_INTERMEDIATE,
	PROFILE_SERVER,
	PROFILE_CLIENT,
	PROFILE_BOTH, /* server and client */
};

struct profile {
	enum profile_role role;
	const char *common_name;
	const char *organisation; /* NULL: none */
	struct name san[PROFILE_SAN_MAX];
	size_t san_count;
	unsigned days;
	unsigned backdate_s; /* notBefore lies this far in the past */
	int path_len;        /* authorities: issuers allowed below; -1: no limit */
};

/* "server", "client" or "both": the roles of a leaf. */
int profile_read_role(const char *word, enum profile_role *out, struct err *err);

/* Adds one dNSName; a wildcard is allowed as the whole first label. */
int profile_add_san(struct profile *p, const char *text, struct err *err);

bool profile_is_authority(const struct profile *p);

/* Everything issue.h relies on; every complaint names the field. */
int profile_check(const struct profile *p, struct err *err);

#endif
