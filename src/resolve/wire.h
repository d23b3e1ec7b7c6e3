/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire - the packets between a resolver and its process sardane-resolverd.
 *
 *   library                      resolverd         one packet each, on a SOCK_SEQPACKET pair:
 *      CONFIG  -------------------->               first, and once
 *              <--------------------  READY        configured and sandboxed, or why not
 *      QUESTION(id) --------------->               as often as wanted
 *              <--------------------  ANSWER(id)   in any order, one each at most
 *
 *   Form       kind octet, then the fields in the order of the structs; integers in network
 *              order. A text is its length with a final zero (16 bits), the octets, the zero;
 *              no zero inside. No text at all has length 0.
 *   Version    behind the kind of the first packet each way, since one end may be upgraded while
 *              the other runs: another one's CONFIG is refused, and a refusal is 0 in that place
 *              and the words, in every version. What follows is then of one version.
 *   Safety     both ends read strictly: an unknown kind, bit or status, a missing or left-over
 *              octet is ERR_FORMAT. resolverd may be taken over by what it parses, so an
 *              answer is bounded and checked again here.
 *   Ownership  what is read borrows the packet; texts are C strings inside it.
 *   Errors     ERR_FORMAT, ERR_SPACE; *out only on success.
 */
#ifndef RESOLVE_WIRE_H
#define RESOLVE_WIRE_H

#include "base/sink.h"
#include "resolve/answer.h"

#define WIRE_VERSION     2 /* 1: when there was none, and a truth value stood there */
#define WIRE_PACKET_MAX  (96 * 1024)
#define WIRE_TEXT_MAX    1024
#define WIRE_FORWARD_MAX 32
#define WIRE_STUB_MAX    256
#define WIRE_RECORDS_MAX 256
#define WIRE_RDATA_MAX   65535

enum wire_kind { WIRE_CONFIG = 1, WIRE_READY, WIRE_QUESTION, WIRE_ANSWER };

struct wire_stub {
	const char *zone, *server; /* presentation form; "addr@port" */
};

struct wire_config {
	bool anchor_builtin;
	const char *anchor_file, *anchor_managed, *val_override_date, *user; /* or NULL */
	uint16_t forward_count, stub_count;
	const char *forward[WIRE_FORWARD_MAX];
	struct wire_stub stub[WIRE_STUB_MAX];
};

struct wire_ready {
	bool ok;           /* on the wire: WIRE_VERSION or 0 */
	const char *words; /* what is in force, or why not; never NULL */
};

struct wire_question {
	uint32_t id;
	struct question question;
};

struct wire_answer {
	uint32_t id;
	enum answer_status status;
	bool nxdomain;
	uint16_t rcode;
	uint32_t ttl_s;
	uint32_t signed_for_s; /* until the first signature over it ends; 0: not known */
	struct name final;
	const char *why; /* never NULL; at most ANSWER_WHY_MAX with its zero */
	uint16_t count;
	struct span rdata[WIRE_RECORDS_MAX];
};

/* The kind of a packet; 0 when it is empty. */
uint8_t wire_kind(struct span packet);
/* The version of a CONFIG or READY, at least 1. */
unsigned wire_version(struct span packet);

int wire_write_config(const struct wire_config *config, struct sink *out);
int wire_read_config(struct span packet, struct wire_config *out);
int wire_write_ready(const struct wire_ready *ready, struct sink *out);
int wire_read_ready(struct span packet, struct wire_ready *out);
int wire_write_question(const struct wire_question *question, struct sink *out);
int wire_read_question(struct span packet, struct wire_question *out);
int wire_write_answer(const struct wire_answer *answer, struct sink *out);
int wire_read_answer(struct span packet, struct wire_answer *out);

#endif
