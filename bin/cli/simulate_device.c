/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/simulate_device.h"
#include "lorawan/crypt.h"
#include "lorawan/devaddr.h"
#include "lorawan/fcnt.h"
#include "lorawan/joinaccept.h"
#include "lorawan/joinreq.h"
#include "lorawan/mic.h"
#include "lorawan/rejoin.h"

#include <stdlib.h>
#include <string.h>

#define CHANNEL_SALT 0x6368616eu
#define NONCE_SALT   0x6e6f6e63u

static const char *const words[SIMULATE_OUTCOMES] = {
	[SIMULATE_GOOD] = "good",
	[SIMULATE_ACCEPT_FORMAT] = "accept-format",
	[SIMULATE_ACCEPT_MIC] = "accept-mic",
	[SIMULATE_ACCEPT_NONCE] = "accept-join-nonce",
	[SIMULATE_ACCEPT_ADDRESS] = "accept-dev-addr",
	[SIMULATE_ACCEPT_NETID] = "accept-net-id",
	[SIMULATE_ACCEPT_VERSION] = "accept-settings",
	[SIMULATE_ACCEPT_TWICE] = "accept-twice",
	[SIMULATE_WINDOW_TIME] = "window-time",
	[SIMULATE_WINDOW_FREQUENCY] = "window-frequency",
	[SIMULATE_WINDOW_RATE] = "window-rate",
	[SIMULATE_WINDOW_RADIO] = "window-radio",
	[SIMULATE_DOWNLINK_FORMAT] = "downlink-format",
	[SIMULATE_DOWNLINK_MIC] = "downlink-mic",
	[SIMULATE_DOWNLINK_COUNTER] = "downlink-counter",
	[SIMULATE_DOWNLINK_STRAY] = "downlink-stray",
	[SIMULATE_NO_ACCEPT] = "no-accept",
	[SIMULATE_NO_CONFIRMATION] = "no-confirmation",
	[SIMULATE_NO_PUSH_ACK] = "no-push-ack",
	[SIMULATE_NO_PULL_ACK] = "no-pull-ack",
	[SIMULATE_NOT_REFUSED] = "not-refused",
	[SIMULATE_NONCES_SPENT] = "nonces-spent",
	[SIMULATE_STOPPED] = "stopped",
};

const char *simulate_outcome_text(enum simulate_outcome o)
{
	return words[o];
}

/* splitmix64: each index gives an independent number. */
uint64_t simulate_mix(uint64_t seed, uint64_t index)
{
	uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* The cipher under another key. OpenSSL refuses a 16-octet key only when it is broken. */
static struct block keyed(struct aes *a, const uint8_t key[LORAWAN_KEY_OCTETS])
{
	if (aes_rekey(a, key, NULL))
		abort();
	return aes_block(a);
}

/* What signs a join-request: NwkKey in 1.1, AppKey before. */
static const uint8_t *root_key(const struct simulate_device *d)
{
	return version_has_two_keys(d->version) ? d->nwk_key : d->app_key;
}

void simulate_device_reset(struct simulate_device *d, const struct region *r, uint8_t rate)
{
	d->joined = false;
	d->is_11 = false;
	memset(&d->keys, 0, sizeof(d->keys));
	d->fcnt_up = d->n_down = d->a_down = 0;
	d->answers_n = 0;
	d->ack_due = d->rekey_due = false;
	d->rate = rate;
	d->rx1_delay_us = r->rx1_delay_us;
	d->rx1_offset = 0;
	d->rx2_rate = r->rx2_rate;
	d->rx2_hz = r->rx2_hz;
	memset(d->channel_hz, 0, sizeof(d->channel_hz));
	for (uint8_t i = 0; i < r->own_channels; i++)
		d->channel_hz[i] = r->channel[i].hz;
	d->channel_mask = (uint16_t)((1u << r->own_channels) - 1);
}

void simulate_device_personalise(struct simulate_device *d, const struct region *r, uint8_t rate,
	uint32_t dev_addr, const struct keys_session *keys)
{
	simulate_device_reset(d, r, rate);
	d->dev_addr = dev_addr;
	d->keys = *keys;
	d->joined = true;
}

/* One of the channels that exist and are not masked out, by turns that the seed gives. */
static void choose_channel(struct simulate_device *d, uint64_t turn)
{
	uint8_t usable[REGION_CHANNELS];
	unsigned int n = 0;

	for (uint8_t i = 0; i < REGION_CHANNELS; i++)
		if (d->channel_hz[i] && (d->channel_mask >> i & 1))
			usable[n++] = i;
	if (n == 0)
		usable[n++] = 0;
	d->radio.channel = usable[simulate_mix(d->seed ^ CHANNEL_SALT, turn) % n];
	d->radio.hz = d->channel_hz[d->radio.channel];
	d->radio.rate = d->rate;
}

/*
 * 1.0.4 section 6.2.4: a counter from 0. Before: any value not used yet; an odd step visits all.
 */
static uint16_t next_nonce(const struct simulate_device *d)
{
	uint64_t walk = simulate_mix(d->seed ^ NONCE_SALT, 0);

	if (version_counts_dev_nonce(d->version))
		return (uint16_t)d->nonces_used;
	return (uint16_t)((walk >> 16) + d->nonces_used * (walk | 1));
}

bool simulate_device_join(struct simulate_device *d, const struct simulate_ciphers *c)
{
	struct joinreq r = { .join_eui = d->join_eui, .dev_eui = d->dev_eui };
	struct block key = keyed(c->one, root_key(d));

	if (d->nonces_used > UINT16_MAX)
		return false;
	d->cause = JOINACCEPT_AFTER_JOIN;
	r.dev_nonce = d->dev_nonce = next_nonce(d);
	d->nonces_used++;
	joinreq_write(&r, d->frame);
	d->frame_n = JOINREQ_OCTETS;
	mic_of_message(&key, (struct span){ d->frame, JOINREQ_OCTETS - LORAWAN_MIC_OCTETS },
		d->frame + JOINREQ_OCTETS - LORAWAN_MIC_OCTETS);
	choose_channel(d, d->nonces_used);
	return true;
}

/* 1.1 section 6.1.1.3: the keys of what a device and its Join Server say to each other. */
static void js_keys(const struct simulate_device *d, const struct simulate_ciphers *c,
	uint8_t js_int[LORAWAN_KEY_OCTETS], uint8_t js_enc[LORAWAN_KEY_OCTETS])
{
	struct block root = keyed(c->one, root_key(d));

	keys_derive_js(&root, d->dev_eui, js_int, js_enc);
}

/* 1.1 section 6.2.4: types 0 and 2 are for the network, type 1 for the Join Server. */
bool simulate_device_rejoin(struct simulate_device *d, const struct simulate_ciphers *c,
	uint8_t type)
{
	struct rejoin r = { .type = type,
		.net_id = d->net_id,
		.join_eui = d->join_eui,
		.dev_eui = d->dev_eui };
	uint8_t js_int[LORAWAN_KEY_OCTETS], js_enc[LORAWAN_KEY_OCTETS];
	struct block key;

	if (!d->is_11)
		return false;
	d->cause = (enum joinaccept_cause)type;
	r.rj_count = d->dev_nonce = type == 1 ? (uint16_t)d->nonces_used : d->rj_count0++;
	js_keys(d, c, js_int, js_enc);
	d->frame_n = (uint8_t)rejoin_write(&r, d->frame);
	key = keyed(c->one, type == 1 ? js_int : d->keys.s_nwk_s_int);
	mic_of_message(&key, (struct span){ d->frame, d->frame_n - LORAWAN_MIC_OCTETS },
		d->frame + d->frame_n - LORAWAN_MIC_OCTETS);
	choose_channel(d, d->nonces_used);
	return true;
}

/* 1.1 section 6.2.3: the accept of a 1.1 session is signed with JSIntKey, else with the root. */
static bool accept_is_signed(const struct simulate_device *d, const struct simulate_ciphers *c,
	struct span plain, const struct joinaccept *a, bool is_11)
{
	struct span message = { plain.p, plain.n - LORAWAN_MIC_OCTETS };
	uint8_t js_int[LORAWAN_KEY_OCTETS], js_enc[LORAWAN_KEY_OCTETS], mic[LORAWAN_MIC_OCTETS];
	struct block key;

	if (is_11) {
		js_keys(d, c, js_int, js_enc);
		key = keyed(c->two, js_int);
		mic_of_joinaccept_11(&key, (uint8_t)d->cause, d->join_eui, d->dev_nonce, message,
			mic);
	} else {
		key = keyed(c->one, root_key(d));
		mic_of_message(&key, message, mic);
	}
	return mic_equal(mic, a->mic);
}

static enum simulate_outcome accept_fields(const struct simulate_device *d, const struct region *r,
	const struct joinaccept *a, int32_t net_id)
{
	struct cflist list;

	/* 1.0.4 section 6.2.5: a device discards an accept whose JoinNonce did not rise. */
	if (d->has_join_nonce && a->join_nonce <= d->join_nonce)
		return SIMULATE_ACCEPT_NONCE;
	if (a->join_nonce == 0)
		return SIMULATE_ACCEPT_NONCE;
	if (net_id >= 0 && a->net_id != (uint32_t)net_id)
		return SIMULATE_ACCEPT_NETID;
	if (!devaddr_belongs(a->dev_addr, a->net_id))
		return SIMULATE_ACCEPT_ADDRESS;
	if ((a->dl_settings >> 4 & 0x07) > r->max_rx1_offset || (a->dl_settings & 0x0f) >= r->rates)
		return SIMULATE_ACCEPT_VERSION;
	if (a->has_cflist &&
		(cflist_read((struct span){ a->cflist, CFLIST_OCTETS }, &list) ||
			list.type != CFLIST_FREQUENCIES))
		return SIMULATE_ACCEPT_FORMAT;
	return SIMULATE_GOOD;
}

static void start_session(struct simulate_device *d, const struct simulate_ciphers *c,
	const struct region *r, const struct joinaccept *a, bool is_11)
{
	struct keys_nonces n = { .join_nonce = a->join_nonce,
		.net_id = a->net_id,
		.join_eui = d->join_eui,
		.dev_nonce = d->dev_nonce };
	struct block root = keyed(c->one, root_key(d));
	struct cflist list;

	simulate_device_reset(d, r, d->rate);
	d->rj_count0 = 0;
	if (is_11) {
		struct block app = keyed(c->two, d->app_key);

		keys_derive_11(&root, &app, &n, &d->keys);
	} else {
		keys_derive_10(&root, &n, &d->keys);
	}
	d->is_11 = d->rekey_due = is_11;
	d->joined = true;
	d->join_nonce = a->join_nonce;
	d->has_join_nonce = true;
	d->net_id = a->net_id;
	d->dev_addr = a->dev_addr;
	d->rx1_offset = a->dl_settings >> 4 & 0x07;
	d->rx2_rate = a->dl_settings & 0x0f;
	d->rx1_delay_us = region_rx1_delay_us(a->rx_delay);
	if (!a->has_cflist || cflist_read((struct span){ a->cflist, CFLIST_OCTETS }, &list))
		return;
	for (uint8_t i = 0; i < CFLIST_CHANNELS; i++) {
		d->channel_hz[r->own_channels + i] = list.hz[i];
		if (list.hz[i])
			d->channel_mask |= (uint16_t)(1u << (r->own_channels + i));
	}
}

enum simulate_outcome simulate_device_accept(struct simulate_device *d,
	const struct simulate_ciphers *c, const struct region *r, struct span phy, int32_t net_id)
{
	uint8_t plain[JOINACCEPT_MAX];
	uint8_t js_int[LORAWAN_KEY_OCTETS], js_enc[LORAWAN_KEY_OCTETS];
	enum simulate_outcome o;
	struct joinaccept a;
	struct block key;
	bool is_11;

	/* 1.1 section 6.2.3: after a rejoin-request it is encrypted under JSEncKey. */
	js_keys(d, c, js_int, js_enc);
	key = keyed(c->one, d->cause == JOINACCEPT_AFTER_JOIN ? root_key(d) : js_enc);
	if (joinaccept_decrypt(&key, phy, plain) ||
		joinaccept_read((struct span){ plain, phy.n }, &a))
		return SIMULATE_ACCEPT_FORMAT;
	is_11 = version_has_two_keys(d->version) && (a.dl_settings & JOINACCEPT_OPT_NEG);
	if (!accept_is_signed(d, c, (struct span){ plain, phy.n }, &a, is_11))
		return SIMULATE_ACCEPT_MIC;
	o = accept_fields(d, r, &a, net_id);
	if (o == SIMULATE_GOOD)
		start_session(d, c, r, &a, is_11);
	return o;
}

/* MAC commands first, while they fit: RekeyInd, then the answers owed. */
static struct span options(struct simulate_device *d, const struct simulate_ciphers *c,
	uint8_t out[LORAWAN_FOPTS_MAX])
{
	struct sink s = sink_into(out, LORAWAN_FOPTS_MAX);

	sink_put(&s, (struct span){ d->answers, d->answers_n });
	if (d->rekey_due && s.n + 2 <= LORAWAN_FOPTS_MAX)
		mac_write_rekey(&s, 1);
	if (d->is_11) {
		struct block key = keyed(c->one, d->keys.nwk_s_enc);

		crypt_fopts(&key, LORAWAN_UP, CRYPT_FCNT_UP, d->dev_addr, d->fcnt_up, sink_span(&s),
			out);
	}
	return sink_span(&s);
}

static void sign_uplink(struct simulate_device *d, const struct simulate_ciphers *c)
{
	struct span message = { d->frame, (size_t)d->frame_n - LORAWAN_MIC_OCTETS };
	struct block s_key = keyed(c->one, d->keys.s_nwk_s_int);
	struct block f_key = keyed(c->two, d->keys.f_nwk_s_int);
	struct mic_data m = {
		.direction = LORAWAN_UP,
		.dev_addr = d->dev_addr,
		.fcnt = d->fcnt_up,
		.conf_fcnt = d->ack_due ? d->ack_fcnt : 0,
		.tx_dr = d->radio.rate,
		.tx_ch = d->radio.channel,
	};

	if (d->is_11)
		mic_of_uplink_11(&f_key, &s_key, &m, message, d->frame + message.n);
	else
		mic_of_data_10(&f_key, &m, message, d->frame + message.n);
}

int simulate_device_uplink(struct simulate_device *d, const struct simulate_ciphers *c,
	const struct simulate_message *m)
{
	uint8_t fopts[LORAWAN_FOPTS_MAX], frm[LORAWAN_FRM_MAX];
	struct block key;
	struct data up = {
		.type = m->confirmed ? PHY_CONFIRMED_UP : PHY_DATA_UP,
		.fhdr = { .dev_addr = d->dev_addr,
			.adr = m->adr,
			.ack = d->ack_due,
			.fcnt = (uint16_t)d->fcnt_up,
			.fopts = options(d, c, fopts) },
		.has_port = m->has_port,
		.port = m->port,
		.frm = { frm, m->has_port ? m->payload.n : 0 },
	};
	size_t n;
	int rc;

	if (m->payload.n > sizeof(frm))
		return ERR_SPACE;
	key = keyed(c->one, m->port == DATA_PORT_MAC ? d->keys.nwk_s_enc : d->keys.app_s);
	crypt_frm(&key, LORAWAN_UP, d->dev_addr, d->fcnt_up,
		(struct span){ m->payload.p, up.frm.n }, frm);
	rc = data_write(&up, d->frame, sizeof(d->frame), &n);
	if (rc)
		return rc;
	d->frame_n = (uint8_t)n;
	choose_channel(d, 0x10000u + d->fcnt_up);
	sign_uplink(d, c);
	d->fcnt_up++;
	d->answers_n = 0;
	d->ack_due = false;
	return 0;
}

static void answer(struct simulate_device *d, struct span octets)
{
	if (d->answers_n + octets.n > sizeof(d->answers))
		return;
	memcpy(d->answers + d->answers_n, octets.p, octets.n);
	d->answers_n = (uint8_t)(d->answers_n + octets.n);
}

void simulate_device_ask(struct simulate_device *d, enum mac_cid cid)
{
	answer(d, (struct span){ (uint8_t[]){ (uint8_t)cid }, 1 });
}

/* RP002 section 2.4.5: ChMaskCntl 0 names channels 0 to 15, 6 turns all on. */
static void obey_adr(struct simulate_device *d, const struct region *r, const struct mac_command *c)
{
	struct mac_link_adr_req q;
	struct mac_link_adr_ans a = { .power_ok = true };
	uint8_t p[2];
	struct sink s = sink_into(p, sizeof(p));
	uint16_t have = 0, mask;

	mac_read_link_adr_req(c, &q);
	d->adr_requests++;
	for (uint8_t i = 0; i < REGION_CHANNELS; i++)
		have |= d->channel_hz[i] ? (uint16_t)(1u << i) : 0;
	mask = q.mask_control == 6 ? have : q.channels;
	a.channels_ok = (q.mask_control == 0 || q.mask_control == 6) && mask && !(mask & ~have);
	a.data_rate_ok = q.data_rate == 15 || q.data_rate < r->rates - 1;
	a.power_ok = q.tx_power == 15 || q.tx_power <= 7;
	if (a.channels_ok && a.data_rate_ok && a.power_ok) {
		d->channel_mask = mask;
		d->rate = q.data_rate == 15 ? d->rate : q.data_rate;
	}
	mac_write_link_adr_ans(&s, &a);
	answer(d, sink_span(&s));
}

static void obey_rx_param(struct simulate_device *d, const struct region *r,
	const struct mac_command *c)
{
	struct cursor at = cursor_over(c->args);
	uint8_t settings = cursor_u8(&at);
	uint32_t hz = cursor_u24_le(&at) * CFLIST_STEP_HZ;
	uint8_t status = 0;

	status |= hz >= 863000000 && hz <= 870000000 ? 1 : 0;
	status |= (settings & 0x0f) < r->rates ? 2 : 0;
	status |= (settings >> 4 & 7) <= r->max_rx1_offset ? 4 : 0;
	if (status == 7) {
		d->rx2_hz = hz;
		d->rx2_rate = settings & 0x0f;
		d->rx1_offset = settings >> 4 & 7;
	}
	answer(d, (struct span){ (uint8_t[]){ MAC_RX_PARAM_SETUP, status }, 2 });
}

static void answer_status(struct simulate_device *d)
{
	uint8_t p[3];
	struct sink s = sink_into(p, sizeof(p));

	d->status_requests++;
	mac_write_dev_status_ans(&s, &(struct mac_dev_status_ans){ .battery = 200, .margin = 9 });
	answer(d, sink_span(&s));
}

/* What a device does with each command; those it does not know end the walk. */
static void obey(struct simulate_device *d, const struct region *r, struct span commands)
{
	struct mac_walk w = mac_walk_over(commands, LORAWAN_DOWN);
	struct mac_command c;

	while (mac_next(&w, &c)) {
		switch (c.cid) {
		case MAC_LINK_CHECK: d->link_checks++; break;
		case MAC_DEVICE_TIME: d->device_times++; break;
		case MAC_LINK_ADR: obey_adr(d, r, &c); break;
		case MAC_DEV_STATUS: answer_status(d); break;
		case MAC_REKEY: d->rekey_due = false; break;
		case MAC_RX_PARAM_SETUP: obey_rx_param(d, r, &c); break;
		case MAC_RX_TIMING_SETUP:
			d->rx1_delay_us = region_rx1_delay_us(c.args.p[0]);
			answer(d, (struct span){ &c.cid, 1 });
			break;
		case MAC_DUTY_CYCLE:
		case MAC_ADR_PARAM_SETUP: answer(d, (struct span){ &c.cid, 1 }); break;
		case MAC_NEW_CHANNEL:
		case MAC_DL_CHANNEL:
		case MAC_REJOIN_PARAM_SETUP:
			/* refused: every status bit zero */
			answer(d, (struct span){ (uint8_t[]){ c.cid, 0 }, 2 });
			break;
		default: break;
		}
	}
}

static bool downlink_is_signed(const struct simulate_device *d, const struct simulate_ciphers *c,
	const struct data *down, uint32_t fcnt, struct span message)
{
	struct block key = keyed(c->one, d->keys.s_nwk_s_int);
	uint8_t mic[LORAWAN_MIC_OCTETS];
	struct mic_data m = {
		.direction = LORAWAN_DOWN,
		.dev_addr = d->dev_addr,
		.fcnt = fcnt,
		/* 1.1 section 4.4: the counter of the uplink that the ACK bit answers. */
		.conf_fcnt = down->fhdr.ack ? (uint16_t)(d->fcnt_up - 1) : 0,
	};

	if (d->is_11)
		mic_of_downlink_11(&key, &m, message, mic);
	else
		mic_of_data_10(&key, &m, message, mic);
	return mic_equal(mic, down->mic);
}

static void open_downlink(struct simulate_device *d, const struct simulate_ciphers *c,
	const struct region *r, const struct data *down, uint32_t fcnt,
	struct simulate_downlink *out)
{
	bool app = down->has_port && down->port != DATA_PORT_MAC;
	struct block key = keyed(c->one, app ? d->keys.app_s : d->keys.nwk_s_enc);
	struct span fopts = down->fhdr.fopts;
	uint8_t plain[LORAWAN_FOPTS_MAX];

	out->has_port = down->has_port;
	out->port = down->port;
	out->n = (uint8_t)down->frm.n;
	out->ack = down->fhdr.ack;
	out->confirmed = data_is_confirmed(down);
	out->pending = down->fhdr.pending;
	crypt_frm(&key, LORAWAN_DOWN, d->dev_addr, fcnt, down->frm, out->payload);
	if (d->is_11 && fopts.n > 0) {
		key = keyed(c->one, d->keys.nwk_s_enc);
		crypt_fopts(&key, LORAWAN_DOWN, app ? CRYPT_AFCNT_DOWN : CRYPT_NFCNT_DOWN,
			d->dev_addr, fcnt, fopts, plain);
		fopts.p = plain;
	}
	obey(d, r, fopts);
	if (down->has_port && !app)
		obey(d, r, (struct span){ out->payload, out->n });
	if (out->confirmed) {
		d->ack_due = true;
		d->ack_fcnt = (uint16_t)fcnt;
	}
}

enum simulate_outcome simulate_device_downlink(struct simulate_device *d,
	const struct simulate_ciphers *c, const struct region *r, struct span phy,
	struct simulate_downlink *out)
{
	struct span message;
	uint8_t mic[LORAWAN_MIC_OCTETS];
	struct data down;
	uint32_t *next, fcnt;

	if (data_read(phy, &down) || data_direction(&down) != LORAWAN_DOWN ||
		data_check(&down, LORAWAN_FRM_MAX) != DATA_SOUND || phy_split(phy, &message, mic))
		return SIMULATE_DOWNLINK_FORMAT;
	/* 1.1 section 4.3.1.5: AFCntDown counts port 1 and above, NFCntDown the rest. */
	next = d->is_11 && down.has_port && down.port != 0 ? &d->a_down : &d->n_down;
	if (fcnt_widen(*next, down.fhdr.fcnt, FCNT_MAX_GAP, &fcnt) != FCNT_FRESH)
		return SIMULATE_DOWNLINK_COUNTER;
	if (!downlink_is_signed(d, c, &down, fcnt, message))
		return SIMULATE_DOWNLINK_MIC;
	*next = fcnt + 1;
	open_downlink(d, c, r, &down, fcnt, out);
	return SIMULATE_GOOD;
}

static enum simulate_outcome window_is(const struct region *r, const struct gwmp_txpk *tx,
	uint32_t hz, int rate)
{
	if (tx->freq != hz)
		return SIMULATE_WINDOW_FREQUENCY;
	if (rate < 0 || !rate_equal(&tx->rate, &r->rate[rate]))
		return SIMULATE_WINDOW_RATE;
	if (!tx->ipol || tx->size > region_max_payload(r, (uint8_t)rate) + 13)
		return SIMULATE_WINDOW_RADIO;
	return SIMULATE_GOOD;
}

enum simulate_outcome simulate_device_window(const struct simulate_device *d,
	const struct region *r, const struct simulate_radio *up, uint32_t up_tmst, bool join,
	const struct gwmp_txpk *tx)
{
	uint32_t first = join ? r->join_delay1_us : d->rx1_delay_us;
	uint32_t second = join ? r->join_delay2_us : d->rx1_delay_us + REGION_RX_GAP_US;
	uint32_t after = tx->tmst - up_tmst;

	if (tx->imme)
		return SIMULATE_WINDOW_TIME;
	if (after == first)
		return window_is(r, tx, up->hz,
			region_rx1_rate(r, up->rate, join ? 0 : d->rx1_offset));
	if (after == second)
		return window_is(r, tx, join ? r->rx2_hz : d->rx2_hz,
			join ? r->rx2_rate : d->rx2_rate);
	return SIMULATE_WINDOW_TIME;
}

bool simulate_device_owes(const struct simulate_device *d)
{
	return d->answers_n > 0 || d->ack_due;
}
