/* SPDX-License-Identifier: Apache-2.0 */
#include "network/reception.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lorawan/crypt.h"
#include "lorawan/data.h"
#include "lorawan/fcnt.h"
#include "lorawan/mic.h"
#include "network/adr.h"
#include "network/command.h"
#include "network/transmission.h"

#define REPEATS_MAX 8

static const char *const words[] = {
	[RECEPTION_TAKEN] = "taken",
	[RECEPTION_REPEATED] = "repeated",
	[RECEPTION_REPLAYED] = "replayed",
	[RECEPTION_BAD_MIC] = "bad-mic",
	[RECEPTION_UNKNOWN] = "unknown-address",
	[RECEPTION_MALFORMED] = "malformed",
};

const char *reception_word(enum reception_verdict v)
{
	return words[v];
}

/* What is judged: the frame, read, and how it was heard. */
struct judged {
	const struct frame *frame;
	struct data data;
	struct span message; /* under the MIC */
	uint8_t rate;
	int channel;
	struct session *session;
	uint32_t f_cnt;
};

static bool mic_is_right(struct network *e, const struct judged *j, const struct session *s,
	uint32_t f_cnt)
{
	struct mic_data m = { .direction = LORAWAN_UP,
		.dev_addr = s->dev_addr,
		.fcnt = f_cnt,
		.tx_dr = j->rate,
		.tx_ch = (uint8_t)(j->channel < 0 ? 0 : j->channel) };
	const struct block *f_key = network_block(e, 0, s->f_nwk_s_int), *s_key;
	uint8_t mic[LORAWAN_MIC_OCTETS];

	if (!f_key)
		return false;
	if (!s->lw11) {
		mic_of_data_10(f_key, &m, j->message, mic);
		return mic_equal(mic, j->data.mic);
	}
	s_key = network_block(e, 1, s->s_nwk_s_int);
	if (!s_key)
		return false;
	/* 1.1 section 4.4.1: ConfFCnt is the counter of the downlink this frame acknowledges. */
	if (j->data.fhdr.ack && s->conf_down)
		m.conf_fcnt = (uint16_t)s->conf_f_cnt_down;
	mic_of_uplink_11(f_key, s_key, &m, j->message, mic);
	return mic_equal(mic, j->data.mic);
}

/* The highest counter already used that ends in these 16 bits; false when there is none. */
static bool used_counter(const struct session *s, uint16_t wire, uint32_t *out)
{
	uint32_t last = s->f_cnt_up_next - 1, guess = (last & 0xffff0000u) | wire;

	if (!s->up_any)
		return false;
	if (guess > last) {
		if (guess < 0x10000)
			return false;
		guess -= 0x10000;
	}
	*out = guess;
	return true;
}

static enum reception_verdict judge_against(struct network *e, struct judged *j, struct session *s)
{
	uint32_t f_cnt = j->data.fhdr.fcnt;
	bool over = s->up_any && s->f_cnt_up_next == 0;
	enum fcnt_verdict v = over ? FCNT_EXHAUSTED
				   : fcnt_widen(s->up_any ? s->f_cnt_up_next : 0, j->data.fhdr.fcnt,
					     s->lw11 ? 0 : FCNT_MAX_GAP, &f_cnt);

	if (v == FCNT_FRESH && mic_is_right(e, j, s, f_cnt)) {
		j->f_cnt = f_cnt;
		return RECEPTION_TAKEN;
	}
	if (!used_counter(s, j->data.fhdr.fcnt, &f_cnt) || !mic_is_right(e, j, s, f_cnt))
		return RECEPTION_BAD_MIC;
	j->f_cnt = f_cnt;
	if (f_cnt == s->f_cnt_up_next - 1 && mic_equal(s->last_mic, j->data.mic))
		return RECEPTION_REPEATED;
	return RECEPTION_REPLAYED;
}

static enum reception_verdict identify(struct network *e, struct judged *j)
{
	enum reception_verdict best = RECEPTION_UNKNOWN, v;
	struct session *s = NULL;

	while ((s = session_by_addr(&e->sessions, j->data.fhdr.dev_addr, s))) {
		v = judge_against(e, j, s);
		if (v >= best)
			continue;
		best = v;
		j->session = s;
		if (v == RECEPTION_TAKEN || v == RECEPTION_REPEATED)
			break;
	}
	return best;
}

static bool read_frame(const struct network *e, const struct frame *f, struct judged *j)
{
	struct span phy = { f->phy, f->n };
	uint8_t mic[LORAWAN_MIC_OCTETS];
	int rate = region_rate_index(e->config.region, &f->rate);

	*j = (struct judged){ .frame = f, .rate = (uint8_t)rate };
	if (rate < 0 || data_read(phy, &j->data) < 0 || data_direction(&j->data) != LORAWAN_UP)
		return false;
	if (data_check(&j->data, region_max_payload(e->config.region, j->rate)) != DATA_SOUND)
		return false;
	j->channel = region_channel_index(e->config.region, f->freq);
	return phy_split(phy, &j->message, mic) == 0;
}

/* RFC 3339 in UTC, to the millisecond. */
static void write_time(int64_t unix_ms, char *out, size_t cap)
{
	time_t s = (time_t)(unix_ms / 1000);
	struct tm tm;
	size_t n;

	out[0] = 0;
	if (!gmtime_r(&s, &tm))
		return;
	n = strftime(out, cap, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, cap - n, ".%03uZ", (unsigned)(unix_ms % 1000));
}

static void fill_gateways(const struct frame *f, struct metadata_up *up)
{
	up->gw_cnt = f->heard;
	for (unsigned i = 0; i < f->copies && i < METADATA_GATEWAYS_MAX; i++)
		up->gateways[up->gateways_n++] =
			(struct metadata_gateway){ .id = f->copy[i].gateway,
				.has_id = true,
				.has_rssi = true,
				.has_snr = true,
				.dl_allowed = true,
				.rssi = f->copy[i].rssi,
				.snr = f->copy[i].lsnr / 10.0 };
}

static void hand_on(struct network *e, const struct judged *j, struct session *s)
{
	struct network_event *ev;
	struct xmit_req *x;

	if (!j->data.has_port || j->data.port == DATA_PORT_MAC || !s->as_url[0])
		return;
	ev = network_push(e, NETWORK_UPLINK);
	ev->dev_eui = s->dev_eui;
	strcpy(ev->as_url, s->as_url);
	strcpy(ev->as_id, s->as_id);
	x = &ev->uplink;
	x->has_frm = x->has_up = x->has_join_eui = x->has_mac_version = x->has_adr = true;
	x->adr = j->data.fhdr.adr;
	if (j->data.frm.n)
		memcpy(x->payload, j->data.frm.p, j->data.frm.n);
	x->payload_n = j->data.frm.n;
	x->join_eui = s->join_eui;
	x->mac_version = s->lw11 ? VERSION_1_1_0 : VERSION_1_0_3;
	x->session_key_id = s->key_id;
	x->up = (struct metadata_up){ .dev_eui = s->dev_eui,
		.dev_addr = s->dev_addr,
		.f_cnt_up = j->f_cnt,
		.f_cnt_down = session_down_expected(s),
		.f_port = j->data.port,
		.has_dev_eui = true,
		.has_dev_addr = true,
		.has_f_port = true,
		.has_f_cnt_up = true,
		.has_f_cnt_down = !s->down_exhausted,
		.has_confirmed = true,
		.confirmed = data_is_confirmed(&j->data),
		.has_data_rate = true,
		.data_rate = j->rate,
		.has_ul_freq = true,
		.ul_freq = j->frame->freq / 1e6 };
	if (s->abp)
		x->has_join_eui = false;
	strncpy(x->up.rf_region, e->config.region->name, sizeof(x->up.rf_region) - 1);
	write_time(e->config.unix_ms + j->frame->copy[0].at_ms, x->up.recv_time,
		sizeof(x->up.recv_time));
	fill_gateways(j->frame, &x->up);
}

/* The MAC commands of the frame, decrypted into out; none when it has none. */
static struct span commands_of(struct network *e, const struct judged *j, const struct session *s,
	uint8_t out[LORAWAN_PHY_MAX])
{
	const struct block *key = network_block(e, 0, s->nwk_s_enc);
	struct span none = { out, 0 };

	if (!key)
		return none;
	if (j->data.has_port && j->data.port == DATA_PORT_MAC) {
		crypt_frm(key, LORAWAN_UP, s->dev_addr, j->f_cnt, j->data.frm, out);
		return (struct span){ out, j->data.frm.n };
	}
	if (!s->lw11)
		return j->data.fhdr.fopts;
	crypt_fopts(key, LORAWAN_UP, CRYPT_FCNT_UP, s->dev_addr, j->f_cnt, j->data.fhdr.fopts, out);
	return (struct span){ out, j->data.fhdr.fopts.n };
}

/* Counters first: what follows rests on them. */
static void count(struct network *e, const struct judged *j, struct session *s)
{
	bool confirmed = s->slot == SESSION_PENDING;

	s->up_any = true;
	s->f_cnt_up_next = j->f_cnt + 1;
	memcpy(s->last_mic, j->data.mic, LORAWAN_MIC_OCTETS);
	s->repeats = 0;
	s->rate = j->rate;
	if (!confirmed)
		return;
	transmission_retire(e, s);
	session_confirm(&e->sessions, s);
	network_remove(e, s, SESSION_PENDING);
	trace_say(&e->config.trace, TRACE_INFO, "session.confirmed",
		"dev_eui=%016llx dev_addr=%08x", (unsigned long long)s->dev_eui, s->dev_addr);
}

static void take(struct network *e, int64_t now_ms, struct judged *j)
{
	struct transmission_wish wish = { .frame = j->frame,
		.rate = j->rate,
		.f_cnt = j->f_cnt,
		.ack = data_is_confirmed(&j->data),
		.reply = j->data.fhdr.adr_ack_req };
	struct sink answers = sink_into(wish.mac, sizeof(wish.mac));
	uint8_t plain[LORAWAN_PHY_MAX];
	struct session *s = j->session;

	e->stats.uplinks++;
	count(e, j, s);
	transmission_heard(e, s, j->data.fhdr.ack);
	adr_note(s, j->frame->copy[0].lsnr);
	command_read(e, now_ms, s, j->frame, j->rate, commands_of(e, j, s, plain), &answers);
	if (j->data.fhdr.adr && e->config.adr)
		command_adapt(e, s, j->data.fhdr.adr_ack_req, &answers);
	command_ask_status(e, now_ms, s, &answers);
	wish.mac_n = (uint8_t)answers.n;
	trace_say(&e->config.trace, TRACE_INFO, "uplink.taken",
		"dev_eui=%016llx dev_addr=%08x f_cnt=%u f_port=%d dr=%u gateways=%u",
		(unsigned long long)s->dev_eui, s->dev_addr, j->f_cnt,
		j->data.has_port ? j->data.port : -1, j->rate, j->frame->heard);
	network_save(e, s);
	hand_on(e, j, s);
	transmission_begin(e, now_ms, s, &wish);
}

/* 1.0.4 section 4.3.1.1: a confirmed frame sent again is acknowledged again. */
static void repeat(struct network *e, int64_t now_ms, const struct judged *j)
{
	struct transmission_wish wish = { .frame = j->frame,
		.rate = j->rate,
		.f_cnt = j->f_cnt,
		.ack = true };
	struct session *s = j->session;

	e->stats.repeated++;
	if (!data_is_confirmed(&j->data) || s->slot != SESSION_ACTIVE || s->repeats >= REPEATS_MAX)
		return;
	s->repeats++;
	network_save(e, s);
	transmission_begin(e, now_ms, s, &wish);
}

static void note_refusal(struct network *e, const struct judged *j, enum reception_verdict v)
{
	if (v == RECEPTION_BAD_MIC)
		e->stats.bad_mic++;
	else if (v == RECEPTION_UNKNOWN)
		e->stats.unknown_address++;
	else
		e->stats.replayed++;
	trace_say(&e->config.trace, v == RECEPTION_UNKNOWN ? TRACE_DEBUG : TRACE_WARNING,
		"uplink.refused", "dev_addr=%08x f_cnt=%u gateway=%016llx reason=%s",
		j->data.fhdr.dev_addr, j->data.fhdr.fcnt,
		(unsigned long long)j->frame->copy[0].gateway, reception_word(v));
}

enum reception_verdict reception_judge(struct network *e, int64_t now_ms, const struct frame *f)
{
	enum reception_verdict v;
	struct judged j;

	if (!read_frame(e, f, &j)) {
		e->stats.malformed++;
		return RECEPTION_MALFORMED;
	}
	v = identify(e, &j);
	switch (v) {
	case RECEPTION_TAKEN: take(e, now_ms, &j); break;
	case RECEPTION_REPEATED:
		trace_say(&e->config.trace, TRACE_INFO, "uplink.repeated",
			"dev_eui=%016llx f_cnt=%u", (unsigned long long)j.session->dev_eui,
			j.f_cnt);
		repeat(e, now_ms, &j);
		break;
	case RECEPTION_REPLAYED:
	case RECEPTION_BAD_MIC:
	case RECEPTION_UNKNOWN: note_refusal(e, &j, v); break;
	case RECEPTION_MALFORMED: break;
	}
	return v;
}
