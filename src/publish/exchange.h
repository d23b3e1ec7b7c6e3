/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange - one message to a name server over TCP, and its answer; or several at once, each on a
 * connection of its own: exchange_begin for all of them, then exchange_end for each.
 *
 *   Source     RFC 7766; RFC 8945 when there is a key: then an answer without a fitting TSIG
 *              is handed out only as a refusal, so that its words can be told.
 *   Time       ms; sending, and then waiting for the answer, are bounded by the timeout each.
 *   Ownership  *answer is the caller's: ldns_pkt_free.
 *   Errors     ERR_SYSTEM, ERR_TIMEOUT, ERR_PEER (does not parse, not our question, not
 *              proved, TSIG refused).
 */
#ifndef PUBLISH_EXCHANGE_H
#define PUBLISH_EXCHANGE_H

#include "publish/primary.h"
#include "publish/tsig.h"

#include <ldns/ldns.h>

int exchange_packet(const struct primary *p, ldns_pkt *query, ldns_pkt **answer, struct err *err);

struct exchange {
	int fd;              /* -1: over, or never begun */
	int64_t deadline_ms; /* CLOCK_MONOTONIC */
	ldns_pkt *query;     /* borrowed */
	struct tsig_mac mac;
};

/* Sends it. After an error nothing is left open. */
int exchange_begin(const struct primary *p, ldns_pkt *query, struct exchange *out, struct err *err);
/* Waits for the answer, and closes. */
int exchange_end(const struct primary *p, struct exchange *x, ldns_pkt **answer, struct err *err);
/* Does not wait: what came of it is not known. */
void exchange_drop(struct exchange *x);

/* The same with a question: class IN, DO set, no RD. */
int exchange_ask(const struct primary *p, const struct name *owner, uint16_t type,
	ldns_pkt **answer, struct err *err);

/* The same, and the octets of the answer, as proved, into an empty buf. */
int exchange_ask_octets(const struct primary *p, const struct name *owner, uint16_t type,
	struct buf *out, struct err *err);

/* "REFUSED: its policy does not allow it": RFC 1035 section 4.1.1, RFC 2136 section 2.2. */
const char *exchange_rcode_words(unsigned rcode);

/* Adds the records of a section that are of the set's name and type. */
int exchange_take(const ldns_rr_list *section, struct rrset *set, struct err *err);

/* Is the owner of the record this name? */
bool exchange_is_at(const ldns_rr *rr, const struct name *owner);

/* A domain name for ldns; ERR_FORMAT with words. */
int exchange_name(const char *text, ldns_rdf **out, struct err *err);

#endif
