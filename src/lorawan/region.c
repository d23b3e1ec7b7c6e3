/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/region.h"

/* RP002-1.0.3 section 2.4: tables 5 to 14. */
static const struct region eu868 = {
	.name = "EU868",
	.common = "EU863-870",
	.rates = 8,
	.rate = {
		{ .sf = 12, .bandwidth_khz = 125 },
		{ .sf = 11, .bandwidth_khz = 125 },
		{ .sf = 10, .bandwidth_khz = 125 },
		{ .sf = 9, .bandwidth_khz = 125 },
		{ .sf = 8, .bandwidth_khz = 125 },
		{ .sf = 7, .bandwidth_khz = 125 },
		{ .sf = 7, .bandwidth_khz = 250 },
		{ .bits_s = 50000 },
	},
	.max_payload = { 51, 51, 51, 115, 242, 242, 242, 242 },
	.own_channels = 3,
	.channels = 8,
	.channel = {
		{ 868100000, 0, 5 },
		{ 868300000, 0, 5 },
		{ 868500000, 0, 5 },
		{ 867100000, 0, 5 },
		{ 867300000, 0, 5 },
		{ 867500000, 0, 5 },
		{ 867700000, 0, 5 },
		{ 867900000, 0, 5 },
	},
	.max_rx1_offset = 5,
	.rx2_hz = 869525000,
	.rx2_rate = 0,
	.rx1_delay_us = 1000000,
	.join_delay1_us = 5000000,
	.join_delay2_us = 6000000,
	.max_eirp_dbm = 16,
};

static const struct region *const regions[] = { &eu868 };

static uint8_t upper(uint8_t ch)
{
	return ch >= 'a' && ch <= 'z' ? (uint8_t)(ch - 'a' + 'A') : ch;
}

static bool is_named(struct span name, const char *word)
{
	size_t i = 0;

	for (; i < name.n && word[i]; i++)
		if (upper(name.p[i]) != (uint8_t)word[i])
			return false;
	return i == name.n && word[i] == '\0';
}

const struct region *region_find(struct span name)
{
	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
		if (is_named(name, regions[i]->name) || is_named(name, regions[i]->common))
			return regions[i];
	return NULL;
}

const struct region *region_eu868(void)
{
	return &eu868;
}

int region_rate_index(const struct region *r, const struct rate *rate)
{
	for (uint8_t i = 0; i < r->rates; i++)
		if (rate_equal(&r->rate[i], rate))
			return i;
	return -1;
}

int region_rx1_rate(const struct region *r, uint8_t up_rate, uint8_t offset)
{
	if (up_rate >= r->rates || offset > r->max_rx1_offset)
		return -1;
	/* RP002 section 2.4.7: the uplink's rate less the offset, not below DR0. */
	return up_rate > offset ? up_rate - offset : 0;
}

int region_channel_index(const struct region *r, uint32_t hz)
{
	for (uint8_t i = 0; i < r->channels; i++)
		if (r->channel[i].hz == hz)
			return i;
	return -1;
}

size_t region_max_payload(const struct region *r, uint8_t rate)
{
	return rate < r->rates ? r->max_payload[rate] : 0;
}

void region_cflist(const struct region *r, struct cflist *out)
{
	*out = (struct cflist){ .type = CFLIST_FREQUENCIES };
	for (uint8_t i = 0; i < CFLIST_CHANNELS && r->own_channels + i < r->channels; i++)
		out->hz[i] = r->channel[r->own_channels + i].hz;
}

uint32_t region_rx1_delay_us(uint8_t rx_delay)
{
	uint32_t seconds = rx_delay & 0x0f;

	/* LoRaWAN 1.0.4 section 6.2.5: 0 means one second. */
	return (seconds ? seconds : 1) * 1000000u;
}
