/* SPDX-License-Identifier: Apache-2.0 */
/*
 * binding - may this authenticated name speak for this SenderID?
 *
 *   the policy grants it ------------------------------------------------> GRANTED
 *     |no
 *   NetID: the client name equals, or is below, the host that
 *     <netid>.<net_id_suffix> securely points to (CNAME; NAPTR; SRV) -----> GRANTED
 *   AS-ID: it is a DNS name, and the client name equals or is below it ---> GRANTED
 *     |no                                              |DNS gave no proof
 *   REFUSED                                           UNKNOWN
 *
 *   Source     architecture: who may speak for whom; TS002 section 19 for the NetID name.
 *   Rule       only ANSWER_SECURE binds. UNKNOWN is a refusal that may pass later.
 *   Cost       no DNS for a name the policy grants; else the resolver's cache.
 */
#ifndef NET_BINDING_H
#define NET_BINDING_H

#include "program/policy.h"
#include "resolve/resolver.h"
#include "tls/peer.h"

enum binding_verdict { BINDING_GRANTED, BINDING_REFUSED, BINDING_UNKNOWN };
enum binding_kind { BINDING_NET_ID, BINDING_AS_ID };

struct binding_config {
	const struct policy *policy;
	struct resolver *resolver; /* NULL: the policy alone */
	const char *net_id_suffix; /* "netids.example"; NULL: no DNS for NetIDs */
	bool as_id_by_name;        /* the AS-ID rule by DNS name holds */
};

struct binding;

/* words: "policy", "000013.netids.example points to ns.a.example", "... does not point ...". */
typedef void binding_done(void *arg, enum binding_verdict verdict, const char *words);

int binding_new(const struct binding_config *config, struct binding **out, struct err *err);
void binding_free(struct binding *b); /* open checks end UNKNOWN first */

/* id: "000013", "0x000013" or the AS-ID's text, as in the message. done is called once,
 * maybe before this returns. Everything given is copied. */
void binding_check(struct binding *b, enum binding_kind kind, const char *id,
	const struct peer *peer, binding_done *done, void *arg);

const char *binding_verdict_word(enum binding_verdict verdict); /* "granted", ... */

#endif
