/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/result.h"

#include <stdio.h>
#include <string.h>

/* The word of 1.1, and the word of 1.0 where it is another. */
static const struct {
	const char *word, *old;
} words[RESULT_CODES] = {
	[RESULT_SUCCESS] = { "Success", NULL },
	[RESULT_MIC_FAILED] = { "MICFailed", NULL },
	[RESULT_JOIN_REQ_FAILED] = { "JoinReqFailed", NULL },
	[RESULT_NO_ROAMING_AGREEMENT] = { "NoRoamingAgreement", NULL },
	[RESULT_DEV_ROAMING_DISALLOWED] = { "DevRoamingDisallowed", NULL },
	[RESULT_ROAMING_ACT_DISALLOWED] = { "RoamingActDisallowed", NULL },
	[RESULT_ACTIVATION_DISALLOWED] = { "ActivationDisallowed", NULL },
	[RESULT_UNKNOWN_DEV_EUI] = { "UnknownDevEUI", NULL },
	[RESULT_UNKNOWN_DEV_ADDR] = { "UnknownDevAddr", NULL },
	[RESULT_UNKNOWN_SENDER] = { "UnknownSender", NULL },
	[RESULT_UNKNOWN_RECEIVER] = { "UnknownReceiver", "UnkownReceiver" },
	[RESULT_DEFERRED] = { "Deferred", NULL },
	[RESULT_XMIT_FAILED] = { "XmitFailed", NULL },
	[RESULT_INVALID_F_PORT] = { "InvalidFPort", NULL },
	[RESULT_INVALID_PROTOCOL_VERSION] = { "InvalidProtocolVersion", NULL },
	[RESULT_STALE_DEVICE_PROFILE] = { "StaleDeviceProfile", NULL },
	[RESULT_MALFORMED_MESSAGE] = { "MalformedMessage", "MalformedRequest" },
	[RESULT_FRAME_SIZE_ERROR] = { "FrameSizeError", NULL },
	[RESULT_FRAME_REPLAYED] = { "FrameReplayed", "JoinReqFailed" },
	[RESULT_NO_ACTION] = { "NoAction", "Other" },
	[RESULT_OTHER] = { "Other", NULL },
};

const char *result_word(enum result_code code, bool peer_speaks_1_1)
{
	return !peer_speaks_1_1 && words[code].old ? words[code].old : words[code].word;
}

enum result_code result_from_word(const char *word)
{
	for (int c = 0; c < RESULT_CODES; c++)
		if (strcmp(word, words[c].word) == 0)
			return (enum result_code)c;
	if (strcmp(word, "UnkownReceiver") == 0)
		return RESULT_UNKNOWN_RECEIVER;
	if (strcmp(word, "MalformedRequest") == 0)
		return RESULT_MALFORMED_MESSAGE;
	/* A constant of one widespread library carries this value. */
	if (strcmp(word, "RoamingActDisallowedA") == 0)
		return RESULT_ROAMING_ACT_DISALLOWED;
	return RESULT_OTHER;
}

bool result_read(struct fields *f, struct result *out)
{
	const char *code, *description = "";
	const struct doc *object;
	struct fields r;

	if (!fields_object(f, "Result", FIELDS_MUST, &object))
		return false;
	r = fields_of(object, f->err);
	fields_text(&r, "ResultCode", FIELDS_MUST, &code);
	fields_text(&r, "Description", FIELDS_MAY, &description);
	if (fields_done(&r)) {
		f->code = err_wrap(f->err, r.code, "Result");
		return false;
	}
	out->code = result_from_word(code);
	snprintf(out->description, sizeof(out->description), "%s", description);
	return true;
}

/* A description may have been cut in the middle of a character, or come from a peer. */
static void write_description(struct writer *w, const char *text)
{
	char plain[RESULT_DESCRIPTION_MAX];
	size_t n = 0;

	for (; text[n] && n + 1 < sizeof(plain); n++)
		plain[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
	plain[n] = 0;
	writer_text(w, "Description", plain);
}

void result_write(struct writer *w, const struct result *r, bool peer_speaks_1_1)
{
	writer_open(w, "Result", '{');
	writer_text(w, "ResultCode", result_word(r->code, peer_speaks_1_1));
	write_description(w, r->description);
	writer_close(w);
}
