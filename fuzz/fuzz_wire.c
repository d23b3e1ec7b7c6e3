/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/wire.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t room[WIRE_PACKET_MAX];

/* What was read is written as the same octets: the form has one spelling. */
static void same(const struct sink *s, const uint8_t *data, size_t size)
{
	assert(sink_fits(s) && s->n == size && memcmp(room, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span packet = { data, size };
	struct sink s = sink_into(room, sizeof(room));
	struct wire_config config;
	struct wire_question question;
	struct wire_answer answer;
	struct wire_ready ready;

	if (wire_read_config(packet, &config) == 0) {
		wire_write_config(&config, &s);
		same(&s, data, size);
	} else if (wire_read_question(packet, &question) == 0) {
		wire_write_question(&question, &s);
		same(&s, data, size);
	} else if (wire_read_ready(packet, &ready) == 0 && ready.words[0]) {
		wire_write_ready(&ready, &s);
		same(&s, data, size);
	} else if (wire_read_answer(packet, &answer) == 0 && answer.why[0]) {
		wire_write_answer(&answer, &s);
		same(&s, data, size);
	}
	return 0;
}
