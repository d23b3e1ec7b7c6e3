/* SPDX-License-Identifier: Apache-2.0 */
#include "network/command.h"

#include "network/adr.h"

#define GPS_EPOCH_MS       315964800000ll /* 1980-01-06 in Unix time */
#define LEAP_SECONDS       18             /* GPS is ahead of UTC since 2017 */
#define LORAWAN_1_1        1              /* minor version in RekeyInd and RekeyConf */
#define UNANSWERED_UPLINKS 4              /* until a LinkADRReq without an answer is sent again */
#define COMMANDS_MAX       16             /* of one frame: a device never sends as many */

static bool has_room(const struct sink *s, size_t octets)
{
	return s->cap - s->n >= octets;
}

static void answer_link_check(const struct network *e, const struct frame *f, uint8_t rate,
	struct sink *answers)
{
	int margin = (f->copy[0].lsnr - adr_required_snr(e->config.region->rate[rate].sf)) / 10;
	struct mac_link_check_ans ans = {
		.margin = (uint8_t)(margin < 0 ? 0
				: margin > 254 ? 254
					       : margin),
		.gateways = (uint8_t)(f->heard > 255 ? 255 : f->heard),
	};

	mac_write_link_check_ans(answers, &ans);
}

/* 1.0.4 section 5.9: the GPS time at the end of the uplink. */
static void answer_time(const struct network *e, const struct frame *f, struct sink *answers)
{
	const struct frame_copy *best = &f->copy[0];
	int64_t gps_ms = best->has_tmms
		? (int64_t)best->tmms
		: e->config.unix_ms + best->at_ms - GPS_EPOCH_MS + LEAP_SECONDS * 1000;
	struct mac_device_time_ans ans = { .seconds = (uint32_t)(gps_ms / 1000),
		.fraction = (uint8_t)(gps_ms % 1000 * 256 / 1000) };

	mac_write_device_time_ans(answers, &ans);
}

static void note_status(struct network *e, struct session *s, const struct mac_command *c)
{
	struct mac_dev_status_ans ans;

	mac_read_dev_status_ans(c, &ans);
	s->battery = ans.battery;
	s->margin = ans.margin;
	trace_say(&e->config.trace, TRACE_INFO, "device.status",
		"dev_eui=%016llx battery=%u margin=%d", (unsigned long long)s->dev_eui, ans.battery,
		ans.margin);
}

static void note_adr(struct network *e, struct session *s, const struct mac_command *c)
{
	struct mac_link_adr_ans ans;

	mac_read_link_adr_ans(c, &ans);
	adr_answered(s, &ans);
	trace_say(&e->config.trace, TRACE_INFO, "device.adr",
		"dev_eui=%016llx power_ok=%d data_rate_ok=%d channels_ok=%d",
		(unsigned long long)s->dev_eui, ans.power_ok, ans.data_rate_ok, ans.channels_ok);
}

void command_read(struct network *e, int64_t now_ms, struct session *s, const struct frame *f,
	uint8_t rate, struct span commands, struct sink *answers)
{
	struct mac_walk w = mac_walk_over(commands, LORAWAN_UP);
	struct mac_command c;

	(void)now_ms;
	for (unsigned i = 0; i < COMMANDS_MAX && mac_next(&w, &c); i++) {
		if (c.cid == MAC_LINK_CHECK && has_room(answers, 3))
			answer_link_check(e, f, rate, answers);
		else if (c.cid == MAC_DEVICE_TIME && has_room(answers, 6))
			answer_time(e, f, answers);
		else if (c.cid == MAC_REKEY && s->lw11 && has_room(answers, 2))
			mac_write_rekey(answers, LORAWAN_1_1);
		else if (c.cid == MAC_DEV_STATUS)
			note_status(e, s, &c);
		else if (c.cid == MAC_LINK_ADR)
			note_adr(e, s, &c);
	}
}

void command_adapt(struct network *e, struct session *s, bool device_asks, struct sink *answers)
{
	struct mac_link_adr_req req;

	if (!has_room(answers, 5) ||
		!adr_decide(s, e->config.region, e->config.adr_margin, device_asks, &req))
		return;
	s->adr_asked = req;
	s->adr_pending = true;
	s->adr_wait = UNANSWERED_UPLINKS;
	mac_write_link_adr_req(answers, &req);
	trace_say(&e->config.trace, TRACE_INFO, "device.adapt", "dev_eui=%016llx dr=%u power=%u",
		(unsigned long long)s->dev_eui, req.data_rate, req.tx_power);
}

void command_ask_status(struct network *e, int64_t now_ms, struct session *s, struct sink *answers)
{
	int64_t interval_ms = (int64_t)e->config.status_interval_s * 1000;

	if (!interval_ms || !has_room(answers, 1))
		return;
	if (s->status_asked_ms && now_ms - s->status_asked_ms < interval_ms)
		return;
	s->status_asked_ms = now_ms ? now_ms : 1;
	mac_write_bare(answers, MAC_DEV_STATUS);
}
