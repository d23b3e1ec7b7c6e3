/* SPDX-License-Identifier: Apache-2.0 */
#include "network/adr.h"

#include <string.h>

#define STEP            30 /* tenths of dB */
#define POWER_MAX       7  /* TXPower index: the lowest power */
#define FASTEST         5  /* DR5: SF7BW125 */
#define ENOUGH          SESSION_SNR_MAX
#define REFUSED_UPLINKS 64 /* until a device that said no is asked again */

int16_t adr_required_snr(uint8_t sf)
{
	static const int16_t need[] = { [5] = -25,
		[6] = -50,
		[7] = -75,
		[8] = -100,
		[9] = -125,
		[10] = -150,
		[11] = -175,
		[12] = -200 };

	return sf < sizeof(need) / sizeof(*need) ? need[sf] : 0;
}

void adr_note(struct session *s, int16_t lsnr)
{
	if (s->snr_n == SESSION_SNR_MAX)
		memmove(s->snr, s->snr + 1, sizeof(*s->snr) * --s->snr_n);
	s->snr[s->snr_n++] = lsnr;
	if (s->adr_wait)
		s->adr_wait--;
}

/* A personalised device was given no CFList: it has the region's own channels alone. */
static uint16_t channel_mask(const struct session *s, const struct region *region)
{
	return (uint16_t)((1u << (s->abp ? region->own_channels : region->channels)) - 1);
}

bool adr_decide(const struct session *s, const struct region *region, int16_t margin,
	bool device_asks, struct mac_link_adr_req *out)
{
	int best = -1000, steps;
	uint8_t rate = s->rate, power = s->power;

	if (s->adr_wait || s->rate > FASTEST || !s->snr_n || (s->snr_n < ENOUGH && !device_asks))
		return false;
	for (unsigned i = 0; i < s->snr_n; i++)
		best = s->snr[i] > best ? s->snr[i] : best;
	steps = (best - adr_required_snr(region->rate[s->rate].sf) - margin) / STEP;
	for (; steps > 0 && rate < FASTEST; steps--)
		rate++;
	for (; steps > 0 && power < POWER_MAX; steps--)
		power++;
	for (; steps < 0 && power > 0; steps++)
		power--;
	if (rate == s->rate && power == s->power && !device_asks)
		return false;
	*out = (struct mac_link_adr_req){ .data_rate = rate,
		.tx_power = power,
		.channels = channel_mask(s, region),
		.transmissions = 1 };
	return true;
}

void adr_answered(struct session *s, const struct mac_link_adr_ans *ans)
{
	if (!s->adr_pending)
		return;
	s->adr_pending = false;
	if (!ans->power_ok || !ans->data_rate_ok || !ans->channels_ok) {
		s->adr_wait = REFUSED_UPLINKS;
		return;
	}
	s->adr_wait = 0;
	s->rate = s->adr_asked.data_rate;
	s->power = s->adr_asked.tx_power;
	s->transmissions = s->adr_asked.transmissions;
	s->snr_n = 0;
}
