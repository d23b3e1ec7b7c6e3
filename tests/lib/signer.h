/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signer - zones signed in memory: keys, records in text, signatures, and a server's answer.
 *
 *   Everything made lives until signer_forget. Failure aborts the test.
 */
#ifndef TESTS_LIB_SIGNER_H
#define TESTS_LIB_SIGNER_H

#include "dns/name.h"
#include "servers/asked.h"

#define SIGNER_NOW INT64_C(1800000000)

struct signer {
	struct name zone;
	ldns_key *key;
	ldns_key_list *with; /* the key alone */
	ldns_rr *dnskey;
	int64_t inception, expiration;
};

struct name signer_name(const char *text);
struct signer signer_new(const char *zone);
void signer_forget(void);

/* Adds records, a line each, and their signatures when by is not NULL. */
void signer_add(ldns_rr_list *to, const struct signer *by, const char *records);

ldns_rr_list *signer_list(void);

/* The DNSKEY record alone, and the DS record of it. */
ldns_rr *signer_ds(const struct signer *s);

/* One server's answer with authority; takes copies. */
struct asked signer_asked(const char *name, uint16_t type, const ldns_rr_list *answer,
	const ldns_rr_list *authority, ldns_pkt_rcode rcode);

#endif
