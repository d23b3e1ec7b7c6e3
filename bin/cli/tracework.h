/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracework - one name traced: the chain of trust, our resolver's opinion, and every TLSA record
 * against every key on every address.
 *
 *   tracework_open --> tracework_run (many names, one after the other) --> tracework_close
 *   tracework.c: asks and judges     tracehold.c: connects and matches
 *   tracetext.c, tracejson.c, tracesvg.c, tracedot.c: tell
 *
 *   Threads    one struct tracework, one thread. Zones are asked once per tracework.
 *   Time       seconds since 1970 for moments, ms for what took long.
 *   Ownership  struct traced borrows zones from its tracework; tracework_forget frees the rest.
 *   Errors     ERR_*; that a name does not hold is no error.
 */
#ifndef CLI_TRACEWORK_H
#define CLI_TRACEWORK_H

#include "core/buf.h"
#include "dane/tlsa.h"
#include "resolve/resolver.h"
#include "tls/verify.h"
#include "trace/harvest.h"

struct tracework_config {
	const char *resolver; /* YAML file; NULL: the Internet */
	bool no_resolver;     /* do not ask it for its opinion */
	unsigned timeout_ms;
};

struct tracework;

int tracework_open(const struct tracework_config *config, struct tracework **out, struct err *err);
void tracework_close(struct tracework *w);

/* The anchors of its settings: ldns_rr_list_deep_free. */
int tracework_anchors(const struct resolver_config *config, ldns_rr_list **out, struct err *err);

enum trace_against { TRACE_DNS_ONLY, TRACE_SERVICE, TRACE_CERTIFICATE, TRACE_KEY };

struct trace_question {
	struct name name; /* owner of the TLSA records; with has_host it is made by tracework_run */
	enum trace_against against;
	bool has_host; /* of host, port and proto */
	struct name host;
	uint16_t port;
	char proto[8];
	bool client;       /* usages 0 to 2: the name must be in the certificate as a client's */
	const char *file;  /* TRACE_CERTIFICATE, TRACE_KEY */
	const char *store; /* PEM of authorities, usages 0 and 1 */
	int64_t at;        /* 0: now */
};

#define TRACE_ADDRESSES_MAX 16

/* What one address (or the file) presents, and what each record makes of it. */
struct trace_presented {
	struct address address;
	bool presents;
	bool proved;  /* by the records of every server */
	bool skipped; /* this machine has no way there, as to IPv6 at many a place */
	char version[16];
	double ms;
	char why[200];
	uint32_t servers;             /* whose records prove it */
	int64_t until;                /* INT64_MAX: as long as the records do */
	struct verify_result *result; /* of all records; record i is harvest.record[i] */
};

enum trace_verdict { TRACE_HOLDS, TRACE_HOLDS_NOT };

struct traced {
	struct trace_question question;
	struct name owner; /* where the TLSA was looked for */
	struct evidence evidence, evidence_a, evidence_aaaa;
	struct trust_report *trust, *trust_a, *trust_aaaa;
	struct harvest harvest;
	size_t presented_count;
	struct trace_presented presented[TRACE_ADDRESSES_MAX];
	bool resolver_asked, resolver_agrees;
	enum answer_status resolver_status;
	char resolver_why[ANSWER_WHY_MAX];
	enum trace_verdict verdict;
	int64_t now, until; /* INT64_MAX: no end in sight */
	char until_why[TRUST_WHY_MAX];
	char sentence[700];
	double ms;
};

int tracework_run(struct tracework *w, const struct trace_question *q, struct traced *out,
	struct err *err);
void tracework_forget(struct traced *t);

/* tracehold.c: fills presented. */
int tracework_hold(struct traced *t, unsigned timeout_ms, struct err *err);

/* "_8003._tcp.js.example": true, and the host, the port and the protocol. */
bool tracework_split_owner(const struct name *owner, struct trace_question *q);

/* tracetext.c, tracejson.c, tracesvg.c, tracedot.c */
void tracework_show_text(const struct traced *t, struct buf *out);
void tracework_show_json(const struct traced *t, struct buf *out);
void tracework_draw_svg(const struct traced *t, struct buf *out);
void tracework_draw_dot(const struct traced *t, struct buf *out);

#endif
