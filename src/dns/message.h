/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message - a whole DNS message: the question asked, and what the answer section says to it.
 *
 *   Source     RFC 1035 section 4 (form, compression), RFC 2181 section 5 and 8 (sets, TTL),
 *              RFC 2308 (how long a denial lasts), RFC 6672 section 3.4 (a DNAME's CNAME is
 *              there too, so following CNAMEs is enough), RFC 6891 (EDNS).
 *   Safety     a compression pointer must point back before the label it stands in, so a
 *              name ends; an alias chain has at most MESSAGE_CHAIN_MAX links.
 *   Rule       message_read walks every record once: what it accepts is whole.
 *   Ownership  struct message borrows the octets; records found are copied to the room
 *              given, with their names uncompressed.
 *   Errors     ERR_FORMAT, ERR_SPACE (room or list too small); outputs only on success.
 */
#ifndef DNS_MESSAGE_H
#define DNS_MESSAGE_H

#include "base/sink.h"
#include "dns/rr.h"

#define MESSAGE_OCTETS_MAX 65535
#define MESSAGE_QUERY_MAX  (12 + NAME_WIRE_MAX + 4 + 11)
#define MESSAGE_CHAIN_MAX  16
/* What we tell a server it may send by UDP: no fragments on any usual path. */
#define MESSAGE_UDP_OCTETS 1232

#define MESSAGE_NOERROR  0
#define MESSAGE_SERVFAIL 2
#define MESSAGE_NXDOMAIN 3
#define MESSAGE_REFUSED  5

struct message {
	struct span octets;
	uint16_t id;
	bool response, authoritative, truncated, recursion_available,
		authentic;                            /* QR AA TC RA AD */
	uint16_t rcode;                               /* with the upper bits of EDNS */
	uint16_t answers, authority;                  /* records in these sections */
	size_t question_at, answers_at, authority_at; /* octets from the start */
};

/* One question, any number of records, nothing behind them. */
int message_read(struct span octets, struct message *out);

/* True when the question is exactly this one, class IN; letters may differ in case. */
bool message_asks(const struct message *m, const struct name *name, uint16_t type);

struct message_found {
	struct name final; /* where the chain of CNAMEs ended; the name asked without one */
	bool aliased;
	uint16_t count; /* records of the type at final */
	/* Least TTL of the records and the aliases before them, seconds. Without records: the
	 * least of the aliases, the SOA's TTL and its MINIMUM; 0 when no SOA says so. */
	uint32_t ttl_s;
};

/* The records of one type that answer the name, uncompressed, into room and rdata. */
int message_find(const struct message *m, const struct name *name, uint16_t type, struct sink *room,
	struct span *rdata, uint16_t rdata_max, struct message_found *out);

/*
 * When the first of the signatures in the answer and authority sections ends, UNIX time in 32 bits
 * (RFC 4034 section 3.1.5: compared as serial numbers). False: none of them is over the records
 * of this type at owner, one cannot be read, or is over records that no cache may keep (their
 * original TTL is 0).
 */
bool message_signed_until(const struct message *m, const struct name *owner, uint16_t type,
	uint32_t *until_s);

/* Where the last record of all begins, and what it is: a TSIG is there or nowhere. */
struct message_last {
	size_t at; /* octets before it */
	struct name owner;
	uint16_t type, class;
	uint32_t ttl_s;
	struct span rdata;
};

/* ERR_FORMAT as well when the message has no records, or octets behind them. */
int message_read_last(struct span octets, struct message_last *out);

/* A question with RD and AD set and EDNS: RFC 6840 section 5.7. */
int message_write_query(uint16_t id, const struct name *name, uint16_t type, struct sink *out);

#endif
