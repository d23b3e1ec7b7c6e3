/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust - what the evidence is worth: zone by zone from the anchor, step by step to the records.
 *
 *   anchor --signs--> DNSKEY . --signs--> DS example --is of--> DNSKEY example --signs--> ...
 *
 *   Source     RFC 4033 section 5 (secure, insecure, bogus, indeterminate), RFC 4035 section 5,
 *              RFC 4509 section 3 (SHA-1 digests do not count beside better ones), RFC 6672
 *              section 5.3.1 (DNAME), RFC 6840 section 5.2 (unknown algorithms: insecure).
 *   Servers    each is judged by itself. A set is as good as the best of them, since a resolver
 *              goes on to the next; that they differ is told.
 *   Time       seconds since 1970, given: another moment is another argument. until is the
 *              moment at which the first thing that it rests on expires.
 *   Ownership  trust_free, trust_close.      Threads  one world, one thread.
 *   Errors     ERR_NOMEM.
 */
#ifndef TRACE_TRUST_H
#define TRACE_TRUST_H

#include "dns/rr.h"
#include "servers/evidence.h"
#include "trace/signature.h"

/* From the best to the worst. */
enum trust { TRUST_SECURE, TRUST_INSECURE, TRUST_UNKNOWN, TRUST_BOGUS };

const char *trust_word(enum trust t); /* "secure", "insecure", "unknown", "bogus" */

#define TRUST_WHY_MAX     320
#define TRUST_RECORDS_MAX 16
#define TRUST_ZONES_MAX   32
#define TRUST_NOTES_MAX   24

/* What an answer is. */
enum trust_kind { TRUST_NOTHING, TRUST_RECORDS, TRUST_ALIAS, TRUST_DENIAL };

/* One server's answer, judged. */
struct trust_said {
	struct name host;
	struct address address;
	enum query_outcome outcome;
	enum trust trust;
	enum trust_kind kind;
	bool expanded;       /* the records come from a wildcard */
	bool delegation;     /* TRUST_DENIAL: the proof says that a zone is cut off here */
	bool opt_out;        /* ... and that more may be there unsigned; or too many iterations */
	unsigned iterations; /* of its NSEC3 records */
	size_t records;
	uint32_t digest; /* of the records: who differs */
	int64_t until;
	double ms;
	bool tcp;
	char why[TRUST_WHY_MAX];
};

struct trust_set {
	struct name owner;
	uint16_t type;
	enum trust trust;
	enum trust_kind kind;
	bool split; /* the servers are not of one mind */
	size_t best;
	int64_t until;
	char why[TRUST_WHY_MAX];
	size_t said_count;
	struct trust_said said[QUERY_SERVERS_MAX];
	size_t sig_count; /* of the best */
	struct signature sig[SIGNATURE_MAX];
};

enum trust_digest {
	TRUST_DIGEST_OPEN, /* no keys to compare it with */
	TRUST_DIGEST_FITS,
	TRUST_DIGEST_DIFFERS,
	TRUST_DIGEST_KEYLESS,
	TRUST_DIGEST_UNKNOWN,
	TRUST_DIGEST_WEAK
};

struct trust_ds {
	uint16_t tag;
	uint8_t algorithm, digest;
	enum trust_digest state;
};

const char *trust_digest_word(enum trust_digest d);

struct trust_key {
	uint16_t tag, flags;
	uint8_t algorithm;
	unsigned bits;
	bool entry; /* a DS, or the anchor, is of it */
	bool signs; /* the DNSKEY set carries a signature of it */
};

struct trust_zone {
	const struct delegation *delegation;
	int64_t now; /* the moment it was judged for */
	struct name zone;
	enum trust trust;
	bool anchored; /* trust begins here */
	char why[TRUST_WHY_MAX];
	struct trust_set ds, dnskey, soa;
	size_t ds_count, key_count;
	struct trust_ds ds_record[TRUST_RECORDS_MAX];
	struct trust_key key[TRUST_RECORDS_MAX];
	uint32_t serial[QUERY_SERVERS_MAX]; /* as soa.said */
	ldns_rr_list *keys;                 /* that may sign; borrows the evidence */
};

struct trust_step {
	size_t zone; /* its index */
	struct trust_set set;
	struct name target; /* TRUST_ALIAS */
};

struct trust_report {
	int64_t now;
	size_t zone_count;
	const struct trust_zone *zone[TRUST_ZONES_MAX]; /* a parent stands before its children */
	size_t step_count;
	struct trust_step *step[EVIDENCE_STEPS_MAX];
	enum trust trust; /* of all together */
	enum trust_kind kind;
	int64_t until;
	char why[TRUST_WHY_MAX];
	char until_why[TRUST_WHY_MAX]; /* what expires then */
	size_t note_count;
	char note[TRUST_NOTES_MAX][TRUST_WHY_MAX]; /* what is not wrong yet, but not right */
};

/*
 * The anchors, and the zones that were judged already: a zone is judged once for a moment, however
 * many names are below it. Borrows the anchors (DS and DNSKEY records) and the zones of a walk.
 */
struct trust_world;

int trust_open(const ldns_rr_list *anchors, struct trust_world **out, struct err *err);
void trust_close(struct trust_world *w);

/* The evidence and the world must outlive the report. */
int trust_judge(struct trust_world *w, const struct evidence *e, int64_t now,
	struct trust_report **out, struct err *err);
void trust_free(struct trust_report *r);

#endif
