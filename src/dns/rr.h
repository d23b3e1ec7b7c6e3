/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rr - the record types this field reads, and the fields of their data.
 *
 *   Source     RFC 1035 (A, CNAME), RFC 3596 (AAAA), RFC 2782 (SRV), RFC 3403 (NAPTR),
 *              RFC 6698 (TLSA). Names inside the data are never compressed here.
 *   Ownership  spans borrow the octets given.
 *   Errors     ERR_FORMAT; *out only on success.
 */
#ifndef DNS_RR_H
#define DNS_RR_H

#include "dns/name.h"

#define RR_A      1
#define RR_NS     2
#define RR_CNAME  5
#define RR_SOA    6
#define RR_PTR    12
#define RR_MX     15
#define RR_TXT    16
#define RR_AAAA   28
#define RR_SRV    33
#define RR_NAPTR  35
#define RR_DNAME  39
#define RR_OPT    41
#define RR_DS     43
#define RR_RRSIG  46
#define RR_DNSKEY 48
#define RR_TLSA   52

struct rr_srv {
	uint16_t priority, weight, port;
	struct name target; /* the root means: no such service */
};

struct rr_naptr {
	uint16_t order, preference;
	struct span flags, services, regexp;
	struct name replacement;
};

int rr_read_srv(struct span rdata, struct rr_srv *out);
int rr_read_naptr(struct span rdata, struct rr_naptr *out);
int rr_read_name(struct span rdata, struct name *out); /* CNAME, NS, PTR, DNAME */

/* "TLSA", "A", ... or "TYPE123"; the text lives in out, 12 octets are enough. */
const char *rr_type_word(uint16_t type, char *out, size_t cap);

#endif
