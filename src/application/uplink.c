/* SPDX-License-Identifier: Apache-2.0 */
#include "application/uplink.h"

#include "base/sink.h"

const char *uplink_word(enum uplink_verdict verdict)
{
	static const char *const words[UPLINK_VERDICTS] = {
		[UPLINK_TAKEN] = "taken",
		[UPLINK_AGAIN] = "again",
		[UPLINK_REPLAYED] = "replayed",
		[UPLINK_UNKNOWN_DEVICE] = "unknown-device",
		[UPLINK_FOREIGN] = "foreign-session",
		[UPLINK_RETIRED] = "retired-session",
		[UPLINK_BAD_PORT] = "bad-port",
		[UPLINK_NO_KEY] = "no-key",
		[UPLINK_BUSY] = "busy",
		[UPLINK_NOT_KEPT] = "not-kept",
	};

	return words[verdict];
}

bool uplink_may_be_sent_again(enum uplink_verdict verdict)
{
	return verdict == UPLINK_NO_KEY || verdict == UPLINK_BUSY || verdict == UPLINK_NOT_KEPT;
}

uint32_t uplink_digest(const struct uplink *u)
{
	uint8_t p[UPLINK_PAYLOAD_MAX + 16];
	struct sink s = sink_into(p, sizeof(p));

	sink_u32_be(&s, u->dev_addr);
	sink_u32_be(&s, u->f_cnt);
	sink_u8(&s, u->has_f_port);
	sink_u8(&s, u->f_port);
	sink_u8(&s, u->confirmed);
	sink_put(&s, (struct span){ u->payload, u->n });
	return session_digest(sink_span(&s));
}
