/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile - what a certificate shall say, before there is one.
 *
 *   Source     RFC 5280 section 4.2 (extensions), RFC 6125 section 6.4 (dNSName);
 *              draft-ietf-dance-client-auth: client names may carry underscores, so SANs may.
 *   Units      seconds of wall clock.
 *   Ownership  borrows its strings from the caller; copy it freely.
 *   Errors     ERR_ARG, ERR_FORMAT with words that name the field.
 */
#ifndef PKI_PROFILE_H
#define PKI_PROFILE_H

#include "core/err.h"
#include "dns/name.h"

#define PROFILE_SAN_MAX     32
#define PROFILE_ADDRESS_MAX 16
#define PROFILE_SUBTREE_MAX 16
/* RFC 5280 appendix A.1: ub-common-name and ub-organization-name are 64. */
#define PROFILE_TEXT_MAX 64
#define PROFILE_DAY_S    86400u
/* A hundred years: beyond it a date has been mistyped. */
#define PROFILE_DAYS_MAX 36500
/* Clocks of peers may run behind ours. */
#define PROFILE_BACKDATE_S 300

enum profile_role {
	PROFILE_ROOT,
	PROFILE_INTERMEDIATE,
	PROFILE_SERVER,
	PROFILE_CLIENT,
	PROFILE_BOTH,  /* server and client */
	PROFILE_OTHER, /* a leaf with the purposes that its profile names, or none */
};

/* RFC 5280 section 4.2.1.3: a bit 1 << n for each bit n of KeyUsage. */
enum profile_key_usage {
	PROFILE_DIGITAL_SIGNATURE = 1 << 0,
	PROFILE_KEY_ENCIPHERMENT = 1 << 2,
	PROFILE_KEY_CERT_SIGN = 1 << 5,
	PROFILE_CRL_SIGN = 1 << 6,
};
#define PROFILE_KEY_USAGES 9

/* RFC 5280 section 4.2.1.12, and anyExtendedKeyUsage. */
enum profile_purpose {
	PROFILE_SERVER_AUTH = 1 << 0,
	PROFILE_CLIENT_AUTH = 1 << 1,
};
#define PROFILE_PURPOSES 7

struct profile_address {
	uint8_t octets[16];
	uint8_t n; /* 4 or 16 */
};

struct profile {
	enum profile_role role;
	const char *name; /* what the profile is called, for the record; NULL: by its role */
	/* The subject; NULL: none. */
	const char *country, *organisation, *unit, *locality, *state, *common_name;
	struct name san[PROFILE_SAN_MAX];
	size_t san_count;
	struct profile_address address[PROFILE_ADDRESS_MAX];
	size_t address_count;
	bool nameless; /* a leaf may go without names, as cfssl's may */
	unsigned life_s;
	unsigned backdate_s;       /* notBefore lies this far in the past */
	unsigned key_usage;        /* bits of profile_key_usage; 0: as the role and the key need */
	unsigned purposes;         /* bits of profile_purpose; 0: those of the role */
	const char *more_purposes; /* without a word here: OIDs, parted by commas; NULL: none */
	int path_len;              /* authorities: issuers allowed below; -1: no limit */
	/* Authorities, RFC 5280 section 4.2.1.10: the names that may stand below. Where any is
	 * permitted, addresses are not. */
	struct name permitted[PROFILE_SUBTREE_MAX], excluded[PROFILE_SUBTREE_MAX];
	size_t permitted_count, excluded_count;
};

/* "server", "client" or "both": the roles of a leaf. */
int profile_read_role(const char *word, enum profile_role *out, struct err *err);

/* Adds one dNSName; a wildcard is allowed as the whole first label. */
int profile_add_san(struct profile *p, const char *text, struct err *err);

/* Adds one iPAddress when text is one; *taken tells. */
int profile_add_address(struct profile *p, const char *text, bool *taken, struct err *err);

/* Adds a dNSName constraint; "a.example" stands for itself and all below. */
int profile_permit(struct profile *p, const char *text, struct err *err);
int profile_exclude(struct profile *p, const char *text, struct err *err);

/* "digitalSignature": RFC 5280's words, one bit each. NULL past the last. */
const char *profile_key_usage_word(unsigned n);
const char *profile_purpose_word(unsigned n);
int profile_add_key_usage(struct profile *p, const char *word, struct err *err);
int profile_add_purpose(struct profile *p, const char *word, struct err *err);

/* "server", "ca", or the profile's own name. */
const char *profile_word(const struct profile *p);

bool profile_is_authority(const struct profile *p);

/* Everything issue.h relies on; every complaint names the field. */
int profile_check(const struct profile *p, struct err *err);

#endif
