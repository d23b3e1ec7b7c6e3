/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/cflist.h"
#include "base/sink.h"

int cflist_read(struct span octets, struct cflist *out)
{
	struct cursor c = cursor_over(octets);
	struct cflist l = { 0 };

	if (octets.n != CFLIST_OCTETS)
		return ERR_FORMAT;
	switch (octets.p[CFLIST_OCTETS - 1]) {
	case CFLIST_FREQUENCIES:
		l.type = CFLIST_FREQUENCIES;
		for (size_t i = 0; i < CFLIST_CHANNELS; i++)
			l.hz[i] = cursor_u24_le(&c) * CFLIST_STEP_HZ;
		break;
	case CFLIST_CHANNEL_MASKS:
		l.type = CFLIST_CHANNEL_MASKS;
		for (size_t i = 0; i < CFLIST_MASKS; i++)
			l.mask[i] = cursor_u16_le(&c);
		break;
	default: return ERR_FORMAT;
	}
	*out = l;
	return 0;
}

int cflist_write(const struct cflist *l, uint8_t out[CFLIST_OCTETS])
{
	struct sink s = sink_into(out, CFLIST_OCTETS);

	switch (l->type) {
	case CFLIST_FREQUENCIES:
		for (size_t i = 0; i < CFLIST_CHANNELS; i++)
			if (l->hz[i] % CFLIST_STEP_HZ != 0 || l->hz[i] > CFLIST_HZ_MAX)
				return ERR_ARG;
		for (size_t i = 0; i < CFLIST_CHANNELS; i++)
			sink_u24_le(&s, l->hz[i] / CFLIST_STEP_HZ);
		break;
	case CFLIST_CHANNEL_MASKS:
		for (size_t i = 0; i < CFLIST_MASKS; i++)
			sink_u16_le(&s, l->mask[i]);
		sink_zero(&s, CFLIST_OCTETS - 1 - 2 * CFLIST_MASKS);
		break;
	default: return ERR_ARG;
	}
	sink_u8(&s, (uint8_t)l->type);
	return 0;
}
