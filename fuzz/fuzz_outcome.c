/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/outcome.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Judgement, type and name, then the message: what comes out is fit for the wire. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t room[WIRE_RDATA_MAX], packet[WIRE_PACKET_MAX];
	struct cursor c = cursor_over((struct span){ data, size });
	enum outcome_judgement judgement = cursor_u8(&c) % 3;
	struct question q = { .type = cursor_u16_be(&c) };
	struct sink s = sink_into(room, sizeof(room)), out = sink_into(packet, sizeof(packet));
	struct wire_answer answer = { .id = 1 }, again;

	if (name_read(&c, &q.name))
		return 0;
	outcome_of(cursor_rest(&c), &q, judgement, NULL, &s, &answer);
	assert(answer.status != ANSWER_SECURE || judgement == OUTCOME_SECURE);
	assert(answer.status != ANSWER_DENIAL || judgement == OUTCOME_SECURE);
	assert((answer.status == ANSWER_BOGUS) == (judgement == OUTCOME_BOGUS));
	assert(wire_write_answer(&answer, &out) == 0);
	assert(wire_read_answer(sink_span(&out), &again) == 0);
	return 0;
}
