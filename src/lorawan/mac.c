/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/mac.h"

/* Octets after the CID; -1: not a command in this direction. */
struct shape {
	int8_t up;
	int8_t down;
};

/* LoRaWAN 1.1 chapter 5; 1.0.4 chapter 5 is a part of it. */
static const struct shape shapes[] = {
	[0] = { -1, -1 },
	[MAC_RESET] = { 1, 1 },
	[MAC_LINK_CHECK] = { 0, 2 },
	[MAC_LINK_ADR] = { 1, 4 },
	[MAC_DUTY_CYCLE] = { 0, 1 },
	[MAC_RX_PARAM_SETUP] = { 1, 4 },
	[MAC_DEV_STATUS] = { 2, 0 },
	[MAC_NEW_CHANNEL] = { 1, 5 },
	[MAC_RX_TIMING_SETUP] = { 0, 1 },
	[MAC_TX_PARAM_SETUP] = { 0, 1 },
	[MAC_DL_CHANNEL] = { 1, 4 },
	[MAC_REKEY] = { 1, 1 },
	[MAC_ADR_PARAM_SETUP] = { 0, 1 },
	[MAC_DEVICE_TIME] = { 0, 5 },
	[MAC_FORCE_REJOIN] = { -1, 2 },
	[MAC_REJOIN_PARAM_SETUP] = { 1, 1 },
};

int mac_args_octets(uint8_t cid, enum lorawan_direction direction)
{
	if (cid >= sizeof(shapes) / sizeof(shapes[0]))
		return -1;
	return direction == LORAWAN_UP ? shapes[cid].up : shapes[cid].down;
}

struct mac_walk mac_walk_over(struct span commands, enum lorawan_direction direction)
{
	return (struct mac_walk){ .at = cursor_over(commands), .direction = direction };
}

bool mac_next(struct mac_walk *w, struct mac_command *out)
{
	struct mac_command c;
	int octets;

	if (w->stop != MAC_MORE)
		return false;
	if (w->at.rest.n == 0) {
		w->stop = MAC_END;
		return false;
	}
	c.cid = cursor_u8(&w->at);
	octets = mac_args_octets(c.cid, w->direction);
	if (octets < 0) {
		w->stop = MAC_UNKNOWN;
		return false;
	}
	c.args = cursor_take(&w->at, (size_t)octets);
	if (w->at.bad) {
		w->stop = MAC_SHORT;
		return false;
	}
	*out = c;
	return true;
}

void mac_write_bare(struct sink *s, enum mac_cid cid)
{
	sink_u8(s, (uint8_t)cid);
}

void mac_read_link_check_ans(const struct mac_command *c, struct mac_link_check_ans *out)
{
	struct cursor at = cursor_over(c->args);

	out->margin = cursor_u8(&at);
	out->gateways = cursor_u8(&at);
}

void mac_write_link_check_ans(struct sink *s, const struct mac_link_check_ans *a)
{
	sink_u8(s, MAC_LINK_CHECK);
	sink_u8(s, a->margin);
	sink_u8(s, a->gateways);
}

void mac_read_link_adr_req(const struct mac_command *c, struct mac_link_adr_req *out)
{
	struct cursor at = cursor_over(c->args);
	uint8_t rate_power = cursor_u8(&at);
	uint16_t channels = cursor_u16_le(&at);
	uint8_t redundancy = cursor_u8(&at);

	*out = (struct mac_link_adr_req){
		.data_rate = rate_power >> 4,
		.tx_power = rate_power & 0x0f,
		.channels = channels,
		.mask_control = redundancy >> 4 & 0x07,
		.transmissions = redundancy & 0x0f,
	};
}

void mac_write_link_adr_req(struct sink *s, const struct mac_link_adr_req *a)
{
	sink_u8(s, MAC_LINK_ADR);
	sink_u8(s, (uint8_t)((a->data_rate & 0x0fu) << 4 | (a->tx_power & 0x0fu)));
	sink_u16_le(s, a->channels);
	sink_u8(s, (uint8_t)((a->mask_control & 0x07u) << 4 | (a->transmissions & 0x0fu)));
}

void mac_read_link_adr_ans(const struct mac_command *c, struct mac_link_adr_ans *out)
{
	struct cursor at = cursor_over(c->args);
	uint8_t status = cursor_u8(&at);

	*out = (struct mac_link_adr_ans){
		.power_ok = status & 0x04,
		.data_rate_ok = status & 0x02,
		.channels_ok = status & 0x01,
	};
}

void mac_write_link_adr_ans(struct sink *s, const struct mac_link_adr_ans *a)
{
	unsigned int status = 0;

	status |= a->power_ok ? 0x04 : 0;
	status |= a->data_rate_ok ? 0x02 : 0;
	status |= a->channels_ok ? 0x01 : 0;
	sink_u8(s, MAC_LINK_ADR);
	sink_u8(s, (uint8_t)status);
}

void mac_read_dev_status_ans(const struct mac_command *c, struct mac_dev_status_ans *out)
{
	struct cursor at = cursor_over(c->args);
	uint8_t battery = cursor_u8(&at);
	int margin = cursor_u8(&at) & 0x3f;

	*out = (struct mac_dev_status_ans){
		.battery = battery,
		.margin = (int8_t)(margin > 31 ? margin - 64 : margin),
	};
}

void mac_write_dev_status_ans(struct sink *s, const struct mac_dev_status_ans *a)
{
	sink_u8(s, MAC_DEV_STATUS);
	sink_u8(s, a->battery);
	sink_u8(s, (uint8_t)a->margin & 0x3f);
}

void mac_read_device_time_ans(const struct mac_command *c, struct mac_device_time_ans *out)
{
	struct cursor at = cursor_over(c->args);

	out->seconds = cursor_u32_le(&at);
	out->fraction = cursor_u8(&at);
}

void mac_write_device_time_ans(struct sink *s, const struct mac_device_time_ans *a)
{
	sink_u8(s, MAC_DEVICE_TIME);
	sink_u32_le(s, a->seconds);
	sink_u8(s, a->fraction);
}

void mac_write_rekey(struct sink *s, uint8_t minor)
{
	sink_u8(s, MAC_REKEY);
	sink_u8(s, minor & 0x0f);
}

uint8_t mac_read_rekey(const struct mac_command *c)
{
	struct cursor at = cursor_over(c->args);

	return cursor_u8(&at) & 0x0f;
}
