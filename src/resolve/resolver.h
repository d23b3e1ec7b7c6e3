/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolver - questions to DNS, asked without waiting, answered with their DNSSEC status.
 *
 *   caller --ask--> cache --hit--------------------------------> answer
 *                     |miss
 *                   budget --over--> failed
 *                     |
 *                   open question (equal ones share it) --> back end --> cache --> answer
 *
 *   Back ends  RESOLVER_VALIDATING: the process sardane-resolverd, which holds libunbound,
 *              over a socketpair; started, watched and restarted from here.
 *              RESOLVER_AD: a validating resolver on loopback or a Unix socket whose AD
 *              bit is trusted (RFC 6840 section 5.7).
 *   Source     RFC 4035, RFC 2308 (negative caching), RFC 5011 (managed anchors).
 *   Time       ms of CLOCK_BOOTTIME; deadline 2 s by default, never above 4 s.
 *   Threads    one resolver belongs to one thread.
 *   Waiting    poll resolver_fd for reading, then call resolver_dispatch; timers are
 *              inside that one descriptor.
 *   Errors     words in err. A question never errs: it is answered, at worst FAILED.
 */
#ifndef RESOLVE_RESOLVER_H
#define RESOLVE_RESOLVER_H

#include "core/err.h"
#include "core/trace.h"
#include "resolve/answer.h"

enum resolver_backend { RESOLVER_VALIDATING, RESOLVER_AD };

/* A zone whose name servers are given here: "127.0.0.1@5353", "::1@53", "192.0.2.1". */
struct resolver_stub {
	const char *zone;
	const char *server;
};

struct resolver_config {
	enum resolver_backend backend;
	const char *helper;               /* path of sardane-resolverd; NULL: installed place */
	const char *trust_anchor_file;    /* DS or DNSKEY lines */
	const char *trust_anchor_managed; /* RFC 5011 state file, written */
	bool trust_anchor_builtin;        /* root keys 20326 and 38696; also when none is given */
	const char *resolv_conf;          /* its nameserver lines become forwarders */
	const char *const *forward;       /* "addr@port", NULL-ended list; NULL for none */
	const struct resolver_stub *stub; /* ended by zone NULL; NULL for none */
	const char *server;               /* RESOLVER_AD: "127.0.0.1@53", "::1@53" or "/path" */
	unsigned deadline_ms;             /* per question; 0 is 2000; 4000 at most */
	unsigned open_max;                /* open questions in all; 0 is 1024 */
	unsigned open_per_source_max;     /* different ones of a source; 0 is 64 */
	size_t cache_names_max;           /* 0 is 100000 */
	unsigned ttl_min_s, ttl_max_s;    /* clamp; 0 is 0 and 86400 */
	unsigned negative_ttl_max_s;      /* 0 is 3600 */
	unsigned serve_stale_s;           /* resolve/stale.h; 0 is never; 86400 at most */
	const char *user;                 /* whom a root sardane-resolverd becomes; NULL: nobody */
	const char *val_override_date;    /* tests only: the validator's clock, YYYYMMDDHHMMSS */
	struct trace trace;
};

struct resolver;

/* The program that resolver_new starts, and starts again when it dies; NULL: none. */
const char *resolver_helper(const struct resolver_config *config);

int resolver_new(const struct resolver_config *config, struct resolver **out, struct err *err);
void resolver_free(struct resolver *r); /* open questions are answered FAILED first */

int resolver_fd(const struct resolver *r);
void resolver_dispatch(struct resolver *r);
int64_t resolver_now(void);

/*
 * One question of one caller, in the caller's memory. While answer is NULL the question
 * is open; then wake is called once, from resolver_dispatch, never from resolver_ask.
 */
struct ask {
	struct answer *answer; /* a reference of the caller's; ask_done drops it */
	void (*wake)(struct ask *ask);
	void *arg;
	/* private */
	struct engine *engine;
	struct pending *pending;    /* while open */
	struct answer *ready;       /* while settled and not woken yet */
	struct ask *next, **link;   /* askers of one question, or those to be woken */
	struct ask *later, *sooner; /* by deadline */
	int64_t deadline_ms;
	uint64_t source;
};

/* Who is behind a question, for the budget: 0 is ourselves and is not counted per source. */
#define RESOLVER_SOURCE_SELF 0

/*
 * Fills ask; when the answer is cached, or the budget is spent, ask->answer is there on
 * return and wake will not be called. timeout_ms 0 takes the configured deadline.
 */
void resolver_ask(struct resolver *r, const struct question *q, uint64_t source,
	unsigned timeout_ms, struct ask *ask);

/* The cached answer or NULL: no memory, no system call, under 2 microseconds. Borrowed
 * until the next call into this resolver. May start a prefetch. */
const struct answer *resolver_cached(struct resolver *r, const struct question *q);

/* Gives up an open question, or drops an answered one; any state, twice allowed. */
void ask_done(struct ask *ask);

/* Drops what the cache holds for one question: asked again next time. A cache further up (a
 * forwarder's, libunbound's) may still repeat it until its TTL is over. */
void resolver_forget(struct resolver *r, const struct question *q);

struct resolver_stats {
	uint64_t asked, cached, coalesced, sent, refused_budget, timed_out, restarts, prefetched,
		stale;         /* answers given beyond their end */
	uint64_t by_status[5]; /* enum answer_status */
	uint64_t open, names, cache_octets;
};

void resolver_stats(const struct resolver *r, struct resolver_stats *out);

#endif
