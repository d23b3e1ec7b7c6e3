/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolver - DNS with its DNSSEC status, without waiting.
 *
 *   Waiting    poll sardane_resolver_fd for reading, then call sardane_resolver_dispatch;
 *              timers are inside that one descriptor.
 *   Rule       only SARDANE_SECURE opens a door; SARDANE_DENIAL proves that there is nothing.
 *   Time       every question is answered within its deadline, at worst SARDANE_FAILED.
 *   Threads    a resolver and all that uses it belong to one thread.
 *   Ownership  X_new gives, X_free takes and accepts NULL. Free questions and what they gave
 *              before their resolver.
 */
#ifndef SARDANE_RESOLVER_H
#define SARDANE_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

#include "sardane/name.h"

#ifdef __cplusplus
extern "C" {
#endif

enum sardane_dnssec {
	SARDANE_FAILED,   /* no answer */
	SARDANE_SECURE,   /* records, validated */
	SARDANE_DENIAL,   /* validated: there is no such record */
	SARDANE_INSECURE, /* from a provably unsigned zone */
	SARDANE_BOGUS,    /* validation failed */
};

/* A zone whose name server is told here: "127.0.0.1@5353", "::1@53", "192.0.2.1". */
struct sardane_stub {
	const char *zone;
	const char *server;
};

/* Zeros are good defaults: the built-in root keys, the installed sardane-resolverd. */
struct sardane_resolver_config {
	const char *ad_server;            /* trust the AD bit of this validating resolver:
					   * "127.0.0.1@53", "::1@53" or "/path"; NULL: validate */
	const char *helper;               /* path of sardane-resolverd */
	const char *trust_anchor_file;    /* DS or DNSKEY lines */
	const char *trust_anchor_managed; /* RFC 5011 state file, written */
	const char *resolv_conf;          /* its nameservers are asked */
	const char *const *forward;       /* "addr@port", NULL-ended: these are asked */
	const struct sardane_stub *stub;  /* ended by zone NULL: not looked for from the root */
	unsigned deadline_ms;             /* per question; 0: 2000; above 4000: SARDANE_ARG */
};

struct sardane_resolver;

int sardane_resolver_new(const struct sardane_resolver_config *config,
	struct sardane_resolver **out, struct sardane_err *err);
void sardane_resolver_free(struct sardane_resolver *r);
int sardane_resolver_fd(const struct sardane_resolver *r);
void sardane_resolver_dispatch(struct sardane_resolver *r);

/* One question. wake, when not NULL, is called once from sardane_resolver_dispatch, when the
 * answer is there; not at all when it is there at once. */
struct sardane_ask;
int sardane_ask_new(struct sardane_resolver *r, const struct sardane_name *name, uint16_t type,
	void (*wake)(void *arg), void *arg, struct sardane_ask **out, struct sardane_err *err);
void sardane_ask_free(struct sardane_ask *ask);

struct sardane_answer {
	enum sardane_dnssec dnssec;
	unsigned count; /* records */
	int64_t ttl_left_ms;
	const char *why; /* words for bogus and failed */
};

/* False while the question is open. What out points to lives as long as ask. */
bool sardane_ask_answer(const struct sardane_ask *ask, struct sardane_answer *out);
const uint8_t *sardane_ask_rdata(const struct sardane_ask *ask, unsigned i, size_t *n);

#ifdef __cplusplus
}
#endif

#endif
