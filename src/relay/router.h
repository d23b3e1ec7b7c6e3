/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router - a Backend Interfaces message that passes through: from whom, to whom, and the answer
 * when it cannot.
 *
 *   octets > router_read > to: JoinEUI, NetID or AS-ID   (the octets themselves go on unchanged)
 *                        > from: NetID, AS-ID            (held against the proved name)
 *
 *   Source     TS002-1.0.0 and 1.1.0, sections 8 (ids) and 15, 23 (messages).
 *   Receiver   JoinReq, RejoinReq, AppSKeyReq, HomeNSReq go to a JoinEUI, AppSKeyAns to an AS-ID;
 *              of all others 6 digits are a NetID, 16 a JoinEUI, the rest is an AS-ID.
 *   Sender     of AppSKeyReq an AS-ID; of all others likewise by its digits.
 *   Strict     one reading only: who decodes after us may know members in any case, and take long
 *              s for s (Go does): two that so become one, and any name that is not ASCII, are
 *              refused.
 *   Ownership  a message is a value; texts of a table are borrowed.
 *   Errors     ERR_FORMAT with words; *out only on success.
 */
#ifndef RELAY_ROUTER_H
#define RELAY_ROUTER_H

#include "backend/header.h"
#include "backend/result.h"

#define ROUTER_OCTETS_MAX 65536

enum router_kind { ROUTER_JOIN_EUI, ROUTER_NET_ID, ROUTER_AS_ID };

struct router_message {
	struct header header;
	enum router_kind to, from;
	uint64_t to_id, from_id; /* JoinEUI or NetID */
	bool is_answer;          /* an answer that comes by itself: nobody waits for one to it */
};

int router_read(struct span octets, struct router_message *out, struct err *err);

/* The answer to m that refuses it, for out, which is empty. False: no memory. */
bool router_write_refusal(const struct router_message *m, enum result_code code,
	const char *description, struct buf *out);

/* Is this an answer with a Result? Then whoever asked can read it. */
bool router_is_answer(struct span octets);

/* One line of a table; of the three ids one. */
struct router_route {
	const char *join_eui; /* "0102030405060700/56" */
	const char *net_id;
	const char *as_id;
	const char *url;
};

/* ERR_FORMAT with words: no id or several, or one that is malformed, or no URL. */
int router_check(const struct router_route *r, struct err *err);
/* The URL of the first that is about the receiver; NULL: none. */
const char *router_find(const struct router_route *r, size_t count, const struct router_message *m);

#endif
