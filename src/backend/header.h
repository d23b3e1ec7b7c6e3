/* SPDX-License-Identifier: Apache-2.0 */
/*
 * header - the members every Backend Interfaces message begins with: who, to whom, what.
 *
 *   Source     TS002-1.0.0 section 15.1, TS002-1.1.0 section 23.1.
 *   IDs        NetID 6 digits, JoinEUI 16, AS-ID any text; kept as the peer wrote them, since
 *              an answer gives them back so. header_net_id and header_eui read them.
 *   Tolerated  any case, 0x, TransactionID 0 or 64 bits, empty or missing NSIDs, VSExtension {}.
 *   Answers    sender and receiver swapped, tokens and NSIDs too, TransactionID kept.
 *   Ownership  a value; nothing to free.     Errors  ERR_FORMAT with words.
 */
#ifndef BACKEND_HEADER_H
#define BACKEND_HEADER_H

#include "json/fields.h"
#include "json/writer.h"

#define HEADER_ID_MAX    256 /* with the final zero; an AS-ID may be a DNS name */
#define HEADER_TOKEN_MAX 129 /* 64 octets in hexadecimal */

enum header_type {
	HEADER_UNKNOWN, /* a MessageType not listed here; the word is in type_word */
	HEADER_JOIN_REQ,
	HEADER_JOIN_ANS,
	HEADER_REJOIN_REQ,
	HEADER_REJOIN_ANS,
	HEADER_APP_S_KEY_REQ,
	HEADER_APP_S_KEY_ANS,
	HEADER_HOME_NS_REQ,
	HEADER_HOME_NS_ANS,
	HEADER_XMIT_DATA_REQ,
	HEADER_XMIT_DATA_ANS,
	HEADER_DL_STATUS_REQ, /* of the house: see doc in dlstatus.h */
	HEADER_DL_STATUS_ANS,
};

enum header_version { HEADER_1_0, HEADER_1_1, HEADER_VERSION_UNKNOWN };

struct header {
	enum header_version version;
	char sender_id[HEADER_ID_MAX];
	char receiver_id[HEADER_ID_MAX];
	char sender_nsid[19];   /* "" when absent */
	char receiver_nsid[19]; /* likewise */
	uint64_t transaction_id;
	enum header_type type;
	char type_word[32];                    /* as received, for logs; may be cut */
	char sender_token[HEADER_TOKEN_MAX];   /* hexadecimal; "" when absent */
	char receiver_token[HEADER_TOKEN_MAX]; /* likewise */
};

/* Of a message's root. An unknown version or type is no error here: the caller answers it. */
int header_read(const struct doc *root, struct header *out, struct err *err);
/* The members, into an object already open. */
void header_write(struct writer *w, const struct header *h);

/* The header of the answer to asked; HEADER_UNKNOWN gives HEADER_UNKNOWN. */
void header_answer(const struct header *asked, struct header *out);

const char *header_type_word(enum header_type type);
bool header_type_is_request(enum header_type type);
bool header_speaks_1_1(const struct header *h);

/* Exactly 6 (16) digits with or without 0x; false otherwise. */
bool header_net_id(const char *id, uint32_t *out);
bool header_eui(const char *id, uint64_t *out);
/* Writes 6 (16) lower-case digits and a zero. */
void header_put_net_id(char id[HEADER_ID_MAX], uint32_t net_id);
void header_put_eui(char id[HEADER_ID_MAX], uint64_t eui);

#endif
