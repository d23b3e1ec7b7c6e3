/* SPDX-License-Identifier: Apache-2.0 */
#include "application/downlink.h"

enum downlink_spending downlink_spend(const struct session *s, const struct downlink *d,
	uint32_t next, uint32_t *f_cnt)
{
	uint64_t n = next;

	if (d->bound && session_id_equal(&d->session, &s->id) && next <= d->f_cnt) {
		*f_cnt = d->f_cnt;
		return DOWNLINK_SPEND_SAME;
	}
	if (n < s->down_floor)
		n = s->down_floor;
	if (n > UINT32_MAX)
		return DOWNLINK_SPEND_NONE;
	*f_cnt = (uint32_t)n;
	return DOWNLINK_SPEND_NEW;
}

const char *downlink_word(enum downlink_state state)
{
	static const char *const words[] = { "queued", "handed", "sent" };

	return words[state];
}
