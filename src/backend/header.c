/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/header.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"

static const char *const type_words[] = {
	[HEADER_UNKNOWN] = "",
	[HEADER_JOIN_REQ] = "JoinReq",
	[HEADER_JOIN_ANS] = "JoinAns",
	[HEADER_REJOIN_REQ] = "RejoinReq",
	[HEADER_REJOIN_ANS] = "RejoinAns",
	[HEADER_APP_S_KEY_REQ] = "AppSKeyReq",
	[HEADER_APP_S_KEY_ANS] = "AppSKeyAns",
	[HEADER_HOME_NS_REQ] = "HomeNSReq",
	[HEADER_HOME_NS_ANS] = "HomeNSAns",
	[HEADER_XMIT_DATA_REQ] = "XmitDataReq",
	[HEADER_XMIT_DATA_ANS] = "XmitDataAns",
	[HEADER_DL_STATUS_REQ] = "DLStatusReq",
	[HEADER_DL_STATUS_ANS] = "DLStatusAns",
};

const char *header_type_word(enum header_type type)
{
	return type_words[type];
}

bool header_type_is_request(enum header_type type)
{
	return type != HEADER_UNKNOWN && type % 2 == 1;
}

bool header_speaks_1_1(const struct header *h)
{
	return h->version == HEADER_1_1;
}

static enum header_type type_from_word(const char *word)
{
	for (int t = HEADER_JOIN_REQ; t <= HEADER_DL_STATUS_ANS; t++)
		if (strcmp(word, type_words[t]) == 0)
			return (enum header_type)t;
	return HEADER_UNKNOWN;
}

static enum header_version version_from_word(const char *word)
{
	if (strcmp(word, "1.0") == 0)
		return HEADER_1_0;
	return strcmp(word, "1.1") == 0 ? HEADER_1_1 : HEADER_VERSION_UNKNOWN;
}

/* Ids and type words appear in logs and answers: printable ASCII only, and something. */
static void check_printable(struct fields *f, const char *name, const char *text)
{
	if (fields_done(f))
		return;
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~') {
			f->code = err_set(f->err, ERR_FORMAT,
				"%s: blanks or unprintable characters", name);
			return;
		}
}

/* Hexadecimal of at most octets octets, kept as text; "" when absent. */
static void read_token(struct fields *f, const char *name, char *out, size_t octets)
{
	uint8_t p[HEADER_TOKEN_MAX / 2];
	size_t n = 0;

	out[0] = 0;
	if (fields_hex(f, name, FIELDS_MAY, p, octets, &n))
		hex_write((struct span){ p, n }, out, 2 * n + 1);
}

int header_read(const struct doc *root, struct header *out, struct err *err)
{
	const char *version = "", *type = "";
	struct fields f = fields_of(root, err);
	struct header h = { 0 };

	fields_text(&f, "MessageType", FIELDS_MUST, &type);
	fields_text(&f, "ProtocolVersion", FIELDS_MUST, &version);
	fields_copy(&f, "SenderID", FIELDS_MUST, h.sender_id, sizeof(h.sender_id));
	fields_copy(&f, "ReceiverID", FIELDS_MUST, h.receiver_id, sizeof(h.receiver_id));
	fields_u64(&f, "TransactionID", FIELDS_MAY, UINT64_MAX, &h.transaction_id);
	read_token(&f, "SenderNSID", h.sender_nsid, 8);
	read_token(&f, "ReceiverNSID", h.receiver_nsid, 8);
	read_token(&f, "SenderToken", h.sender_token, HEADER_TOKEN_MAX / 2);
	read_token(&f, "ReceiverToken", h.receiver_token, HEADER_TOKEN_MAX / 2);
	check_printable(&f, "SenderID", h.sender_id);
	check_printable(&f, "ReceiverID", h.receiver_id);
	check_printable(&f, "MessageType", type);
	if (fields_done(&f))
		return fields_done(&f);
	h.version = version_from_word(version);
	h.type = type_from_word(type);
	snprintf(h.type_word, sizeof(h.type_word), "%s", type);
	*out = h;
	return 0;
}

static void write_unless_empty(struct writer *w, const char *name, const char *text)
{
	if (text[0])
		writer_text(w, name, text);
}

void header_write(struct writer *w, const struct header *h)
{
	writer_text(w, "ProtocolVersion", h->version == HEADER_1_1 ? "1.1" : "1.0");
	writer_text(w, "SenderID", h->sender_id);
	write_unless_empty(w, "SenderNSID", h->sender_nsid);
	writer_text(w, "ReceiverID", h->receiver_id);
	write_unless_empty(w, "ReceiverNSID", h->receiver_nsid);
	writer_u64(w, "TransactionID", h->transaction_id);
	writer_text(w, "MessageType",
		h->type == HEADER_UNKNOWN ? h->type_word : type_words[h->type]);
	write_unless_empty(w, "SenderToken", h->sender_token);
	write_unless_empty(w, "ReceiverToken", h->receiver_token);
}

/* "PRStartReq" > "PRStartAns": also for a type we do not speak, so the peer can bind it. */
static void answer_word(const char *asked, char *out, size_t cap)
{
	size_t n = strlen(asked);

	if (n > 3 && strcmp(asked + n - 3, "Req") == 0)
		snprintf(out, cap, "%.*sAns", (int)(n - 3), asked);
	else
		snprintf(out, cap, "%s", asked);
}

void header_answer(const struct header *asked, struct header *out)
{
	struct header h = {
		.version = asked->version,
		.transaction_id = asked->transaction_id,
		.type = header_type_is_request(asked->type) ? (enum header_type)(asked->type + 1)
							    : HEADER_UNKNOWN,
	};

	if (h.version == HEADER_VERSION_UNKNOWN)
		h.version = HEADER_1_0;
	memcpy(h.sender_id, asked->receiver_id, sizeof(h.sender_id));
	memcpy(h.receiver_id, asked->sender_id, sizeof(h.receiver_id));
	memcpy(h.sender_nsid, asked->receiver_nsid, sizeof(h.sender_nsid));
	memcpy(h.receiver_nsid, asked->sender_nsid, sizeof(h.receiver_nsid));
	memcpy(h.sender_token, asked->receiver_token, sizeof(h.sender_token));
	memcpy(h.receiver_token, asked->sender_token, sizeof(h.receiver_token));
	answer_word(asked->type_word[0] ? asked->type_word : type_words[asked->type], h.type_word,
		sizeof(h.type_word));
	*out = h;
}

/* octets from their digits, with or without 0x. */
static bool read_id(const char *id, unsigned octets, uint64_t *out)
{
	uint8_t p[8];
	uint64_t v = 0;

	if (id[0] == '0' && (id[1] == 'x' || id[1] == 'X'))
		id += 2;
	if (hex_read_exact((struct span){ (const uint8_t *)id, strlen(id) }, p, octets))
		return false;
	for (unsigned i = 0; i < octets; i++)
		v = v << 8 | p[i];
	*out = v;
	return true;
}

bool header_net_id(const char *id, uint32_t *out)
{
	uint64_t v;

	if (!read_id(id, 3, &v))
		return false;
	*out = (uint32_t)v;
	return true;
}

bool header_eui(const char *id, uint64_t *out)
{
	return read_id(id, 8, out);
}

void header_put_net_id(char id[HEADER_ID_MAX], uint32_t net_id)
{
	snprintf(id, HEADER_ID_MAX, "%06x", net_id & 0xffffffu);
}

void header_put_eui(char id[HEADER_ID_MAX], uint64_t eui)
{
	snprintf(id, HEADER_ID_MAX, "%016llx", (unsigned long long)eui);
}
