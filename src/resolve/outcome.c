/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/outcome.h"

#include "dns/message.h"

#include <stdio.h>
#include <string.h>

enum content { CONTENT_RECORDS, CONTENT_NO_TYPE, CONTENT_NO_NAME, CONTENT_OTHER };

/* The picture of the header, row by judgement, column by content. */
static const enum answer_status table[3][4] = {
	[OUTCOME_SECURE] = { ANSWER_SECURE, ANSWER_DENIAL, ANSWER_DENIAL, ANSWER_FAILED },
	[OUTCOME_INSECURE] = { ANSWER_INSECURE, ANSWER_INSECURE, ANSWER_INSECURE, ANSWER_FAILED },
	[OUTCOME_BOGUS] = { ANSWER_BOGUS, ANSWER_BOGUS, ANSWER_BOGUS, ANSWER_BOGUS },
};

static const struct {
	uint16_t rcode;
	const char *word;
} rcodes[] = {
	{ 0, "NOERROR" },
	{ 1, "FORMERR" },
	{ 2, "SERVFAIL" },
	{ 3, "NXDOMAIN" },
	{ 4, "NOTIMP" },
	{ 5, "REFUSED" },
	{ 9, "NOTAUTH" },
};

uint32_t outcome_signed_for(struct span message, const struct name *owner, uint16_t type,
	uint32_t now_s)
{
	struct message m;
	uint32_t until_s;

	if (message_read(message, &m) || !message_signed_until(&m, owner, type, &until_s))
		return 0;
	/* RFC 4034 section 3.1.5: serial numbers. */
	return until_s - now_s > INT32_MAX ? 0 : until_s - now_s;
}

const char *outcome_rcode_word(uint16_t rcode, char *out, size_t cap)
{
	for (size_t i = 0; i < sizeof(rcodes) / sizeof(rcodes[0]); i++)
		if (rcodes[i].rcode == rcode)
			return rcodes[i].word;
	snprintf(out, cap, "rcode %u", rcode);
	return out;
}

void outcome_failed(const struct question *q, uint16_t rcode, const char *why,
	struct wire_answer *out)
{
	uint32_t id = out->id;

	*out = (struct wire_answer){
		.id = id,
		.status = ANSWER_FAILED,
		.rcode = rcode,
		.final = q->name,
		.why = why,
	};
}

static enum content content_of(uint16_t rcode, uint16_t count)
{
	if (rcode == MESSAGE_NXDOMAIN)
		return CONTENT_NO_NAME;
	if (rcode != MESSAGE_NOERROR)
		return CONTENT_OTHER;
	return count ? CONTENT_RECORDS : CONTENT_NO_TYPE;
}

static const char *bogus_words(const char *why)
{
	return why && why[0] ? why : "DNSSEC validation failed";
}

static const char *failed_words(uint16_t rcode)
{
	switch (rcode) {
	case MESSAGE_SERVFAIL: return "the resolver answered SERVFAIL";
	case MESSAGE_REFUSED: return "the resolver answered REFUSED";
	}
	return "the resolver answered with an error";
}

void outcome_of(struct span message, const struct question *q, enum outcome_judgement judgement,
	const char *why_bogus, struct sink *room, struct wire_answer *out)
{
	struct message_found found = { 0 };
	enum content content;
	struct message m;

	outcome_failed(q, 0, "", out);
	if (judgement == OUTCOME_BOGUS) {
		out->status = ANSWER_BOGUS;
		out->why = bogus_words(why_bogus);
		return;
	}
	if (message_read(message, &m) || !m.response || m.truncated) {
		out->why = "unreadable answer";
		return;
	}
	out->rcode = m.rcode;
	if (!message_asks(&m, &q->name, q->type)) {
		out->why = "answer to another question";
		return;
	}
	if (m.rcode == MESSAGE_NOERROR || m.rcode == MESSAGE_NXDOMAIN) {
		if (message_find(&m, &q->name, q->type, room, out->rdata, WIRE_RECORDS_MAX,
			    &found)) {
			out->why = "unreadable or oversized answer";
			return;
		}
	}
	/* A name that is not there cannot have records: such a message contradicts itself. */
	if (m.rcode == MESSAGE_NXDOMAIN && found.count) {
		out->why = "NXDOMAIN with records";
		return;
	}
	content = content_of(m.rcode, found.count);
	out->status = table[judgement][content];
	if (out->status == ANSWER_FAILED) {
		out->why = failed_words(m.rcode);
		return;
	}
	out->nxdomain = content == CONTENT_NO_NAME;
	out->ttl_s = found.ttl_s;
	out->final = found.final;
	out->count = found.count;
}
