/* SPDX-License-Identifier: Apache-2.0 */
#include "network/transmission.h"

#include <stdlib.h>
#include <string.h>

#include "lorawan/crypt.h"
#include "lorawan/data.h"
#include "lorawan/mic.h"

#define LEAD_MS        60   /* a gateway wants the frame this long before it is sent */
#define TX_ACK_MS      1000 /* after RX2: the gateway should have said something */
#define COUNTERS_AHEAD 256  /* an AS may be this far ahead of us */
#define PORT_MAX       223
#define POWER_RX1      14 /* dBm at the antenna port; 16 EIRP with a usual antenna */
#define POWER_RX2      27 /* 869.525 MHz allows 29 EIRP */
#define RX2_HIGH_HZ    869525000u

enum { WAITING, RX1, RX2, GONE };
static const struct machine_state states[] = {
	[WAITING] = { "waiting", 1u << RX1 | 1u << RX2 | 1u << GONE },
	[RX1] = { "rx1", 1u << RX2 | 1u << GONE },
	[RX2] = { "rx2", 1u << GONE },
	[GONE] = { "gone", 0 },
};

static void trace_move(void *arg, const char *machine, const char *from, const char *to)
{
	struct network *e = arg;

	trace_say(&e->config.trace, TRACE_DEBUG, machine, "from=%s to=%s", from, to);
}

static struct transmission *make(struct network *e)
{
	uint32_t place = e->transmissions_spare;
	struct transmission *t;

	if (place)
		e->transmissions_spare = e->transmissions[place - 1].spare;
	else if (e->transmissions_used < e->config.downlinks_max)
		place = ++e->transmissions_used;
	else
		return NULL;
	t = &e->transmissions[place - 1];
	*t = (struct transmission){ .timer = STATE_TRANSMISSION,
		.at = { .name = "downlink.state",
			.states = states,
			.at = WAITING,
			.trace = trace_move,
			.trace_arg = e } };
	return t;
}

static void drop(struct network *e, struct transmission *t)
{
	machine_go(&t->at, GONE);
	due_clear(&e->due, &t->due);
	if (e->by_token[t->token] == t)
		e->by_token[t->token] = NULL;
	t->spare = e->transmissions_spare;
	e->transmissions_spare = (uint32_t)(t - e->transmissions) + 1;
}

static void remember(struct transmission *t, const struct session *s, const struct frame *f)
{
	t->dev_eui = s->dev_eui;
	t->join_eui = s->join_eui;
	t->slot = s->slot;
	t->dev_addr = s->dev_addr;
	t->up_freq = f->freq;
	t->copies = f->copies < STATE_BEST_COPIES ? f->copies : STATE_BEST_COPIES;
	memcpy(t->copy, f->copy, t->copies * sizeof(*t->copy));
	t->rx1_offset = s->rx1_offset;
	t->rx2_rate = s->rx2_rate;
	t->rx2_hz = s->rx2_hz;
}

static struct session *session_of(struct network *e, const struct transmission *t)
{
	struct session *s = session_of_device(&e->sessions, t->dev_eui, t->join_eui, t->slot);

	return s && s->dev_addr == t->dev_addr ? s : NULL;
}

/* The best gateway that heard the uplink and can be reached now. */
static const struct frame_copy *best_copy(struct network *e, const struct transmission *t,
	int64_t now_ms, struct gateway **gateway)
{
	for (unsigned i = 0; i < t->copies; i++) {
		*gateway = gateway_find(&e->gateways, t->copy[i].gateway);
		if (gateway_is_reachable(*gateway, now_ms))
			return &t->copy[i];
	}
	return NULL;
}

static bool take_token(struct network *e, struct transmission *t)
{
	for (unsigned i = 0; i < 65536; i++) {
		if (!++e->token || e->by_token[e->token])
			continue;
		t->token = e->token;
		e->by_token[t->token] = t;
		return true;
	}
	return false;
}

static bool fill_txpk(const struct network *e, const struct transmission *t,
	const struct frame_copy *copy, int window, struct gwmp_txpk *tx)
{
	const struct region *r = e->config.region;
	int rate = window == RX1 ? region_rx1_rate(r, t->up_rate, t->rx1_offset) : t->rx2_rate;
	uint32_t delay = t->delay_us + (window == RX1 ? 0 : REGION_RX_GAP_US);
	const struct rate *dr;

	/* A join-accept is no data payload: any rate carries its 33 octets (N does not apply). */
	if (rate < 0 || (!t->join && t->n > region_max_payload(r, (uint8_t)rate) + DATA_MIN + 1))
		return false;
	dr = &r->rate[rate];
	*tx = (struct gwmp_txpk){ .tmst = copy->tmst + delay,
		.ipol = true,
		.ncrc = true,
		.size = t->n,
		.freq = window == RX1 ? t->up_freq : t->rx2_hz };
	tx->powe = tx->freq == RX2_HIGH_HZ ? POWER_RX2 : POWER_RX1;
	tx->rate = *dr;
	tx->codr = rate_is_fsk(dr) ? 0 : 5;
	tx->fdev = rate_is_fsk(dr) ? 25000 : 0;
	memcpy(tx->data, t->phy, t->n);
	return true;
}

static void push_send(struct network *e, const struct transmission *t, const struct gateway *g,
	const struct gwmp_txpk *tx)
{
	struct gwmp m = { .version = GWMP_VERSION, .token = t->token, .kind = GWMP_PULL_RESP };
	struct network_event *ev = network_push(e, NETWORK_SEND);
	char json[NETWORK_SEND_MAX];
	size_t n;

	ev->send.to = g->pull;
	if (gwmp_write_txpk(tx, json, sizeof(json), &n) < 0)
		abort();
	m.version = g->version;
	m.json = (struct span){ (const uint8_t *)json, n };
	if (gwmp_write(&m, ev->send.octets, sizeof(ev->send.octets), &ev->send.n) < 0)
		abort();
}

/* The frame is on the air, as far as anyone says. */
static void sent(struct network *e, struct transmission *t)
{
	struct session *s = session_of(e, t);

	e->stats.downlinks_sent++;
	if (t->item && t->item_first && s)
		network_status(e, s, t->item_f_cnt, DLSTATUS_SENT);
	drop(e, t);
}

/* No gateway could send it. A confirmed payload has more tries, with the next uplinks. */
static void failed(struct network *e, struct transmission *t, const char *why)
{
	struct session *s = session_of(e, t);

	e->stats.downlinks_failed++;
	trace_say(&e->config.trace, TRACE_WARNING, "downlink.failed",
		"dev_eui=%016llx reason=\"%s\"", (unsigned long long)t->dev_eui, why);
	if (t->item && s) {
		if (!t->item_confirmed)
			network_status(e, s, t->item_f_cnt, DLSTATUS_FAILED);
		else if (s->queued && s->queue[0]->f_cnt == t->item_f_cnt &&
			s->tries >= e->config.transmissions) {
			network_status(e, s, t->item_f_cnt, DLSTATUS_FAILED);
			session_pop(s);
		}
	}
	drop(e, t);
}

/* Hands the frame to the best gateway, for the first window from this one on that can be met. */
static void send(struct network *e, int64_t now_ms, struct transmission *t, int window)
{
	struct gateway *g;
	const struct frame_copy *copy = best_copy(e, t, now_ms, &g);
	struct gwmp_txpk tx;
	int64_t at_ms;

	if (!copy) {
		failed(e, t, "no gateway that heard the uplink can be reached");
		return;
	}
	at_ms = copy->at_ms + t->delay_us / 1000;
	if (window == RX1 && now_ms > at_ms - LEAD_MS)
		window = RX2;
	if (now_ms > at_ms + REGION_RX_GAP_US / 1000 - LEAD_MS) {
		failed(e, t, "too late for both windows");
		return;
	}
	if (!fill_txpk(e, t, copy, window, &tx) || (!t->token && !take_token(e, t))) {
		failed(e, t, "does not fit the window");
		return;
	}
	if (t->at.at != window)
		machine_go(&t->at, window);
	t->gateway = g->eui;
	push_send(e, t, g, &tx);
	trace_say(&e->config.trace, TRACE_INFO, "downlink.sent",
		"dev_eui=%016llx type=%s gateway=%016llx window=%s tmst=%u freq=%u token=%u",
		(unsigned long long)t->dev_eui, t->join ? "join-accept" : "data",
		(unsigned long long)g->eui, window == RX1 ? "rx1" : "rx2", tx.tmst, tx.freq,
		t->token);
	if (g->version < GWMP_VERSION)
		sent(e, t);
	else
		due_set(&e->due, &t->due, at_ms + REGION_RX_GAP_US / 1000 + TX_ACK_MS);
}

void transmission_accept(struct network *e, int64_t now_ms, const struct session *s,
	const struct frame *f, struct span phy)
{
	struct transmission *t = make(e);
	int rate = region_rate_index(e->config.region, &f->rate);

	if (!t) {
		e->stats.downlinks_failed++;
		return;
	}
	remember(t, s, f);
	t->join = true;
	t->up_rate = (uint8_t)(rate < 0 ? 0 : rate);
	/* 1.0.4 section 6.2.6: the offset begins with the session, not with its accept. */
	t->rx1_offset = 0;
	t->rx2_rate = e->config.region->rx2_rate;
	t->rx2_hz = e->config.region->rx2_hz;
	t->delay_us = e->config.region->join_delay1_us;
	t->n = (uint8_t)phy.n;
	memcpy(t->phy, phy.p, phy.n);
	send(e, now_ms, t, RX1);
}

void transmission_begin(struct network *e, int64_t now_ms, const struct session *s,
	const struct transmission_wish *wish)
{
	struct transmission *t = make(e);

	if (!t) {
		e->stats.downlinks_failed++;
		return;
	}
	remember(t, s, wish->frame);
	t->up_rate = wish->rate;
	t->up_f_cnt = wish->f_cnt;
	t->ack = wish->ack;
	t->reply = wish->reply;
	t->mac_n = wish->mac_n;
	memcpy(t->mac, wish->mac, wish->mac_n);
	t->delay_us = region_rx1_delay_us(s->rx_delay);
	due_set(&e->due, &t->due, now_ms + (s->as_url[0] ? e->config.downlink_wait_ms : 0));
}

/* Drops what waits but can no longer be sent; the first of the rest, or NULL. */
static struct session_item *next_item(struct network *e, int64_t now_ms, struct session *s)
{
	while (s->queued) {
		struct session_item *item = s->queue[0];
		bool again = item->confirmed && s->tries > 0;
		uint32_t next = *session_down_counter(s, true);
		bool stale = again ? item->f_cnt != next - 1 : item->f_cnt < next;

		if (!stale && item->expires_ms > now_ms)
			return item;
		network_status(e, s, item->f_cnt, stale ? DLSTATUS_FAILED : DLSTATUS_EXPIRED);
		session_pop(s);
	}
	return NULL;
}

/* Octets of FOpts and payload the first window carries. */
static size_t room(const struct network *e, const struct transmission *t)
{
	int rate = region_rx1_rate(e->config.region, t->up_rate, t->rx1_offset);

	return rate < 0 ? 0 : region_max_payload(e->config.region, (uint8_t)rate);
}

/* Writes the frame under this counter; 0, or an error of the crypto library. */
static int write_frame(struct network *e, struct transmission *t, const struct session *s,
	struct data *d, uint32_t f_cnt)
{
	struct mic_data m = { .direction = LORAWAN_DOWN,
		.dev_addr = s->dev_addr,
		.fcnt = f_cnt,
		.conf_fcnt = t->ack ? (uint16_t)t->up_f_cnt : 0 };
	const struct block *key;
	struct span message;
	uint8_t old[LORAWAN_MIC_OCTETS], fopts[LORAWAN_FOPTS_MAX];
	size_t n;

	d->fhdr.dev_addr = s->dev_addr;
	d->fhdr.fcnt = (uint16_t)f_cnt;
	if (s->lw11 && t->mac_n) {
		key = network_block(e, 0, s->nwk_s_enc);
		if (!key)
			return ERR_CRYPTO;
		/* 1.1 erratum: the counter's kind follows whether there is an application port. */
		crypt_fopts(key, LORAWAN_DOWN, d->has_port ? CRYPT_AFCNT_DOWN : CRYPT_NFCNT_DOWN,
			s->dev_addr, f_cnt, (struct span){ t->mac, t->mac_n }, fopts);
		d->fhdr.fopts = (struct span){ fopts, t->mac_n };
	} else {
		d->fhdr.fopts = (struct span){ t->mac, t->mac_n };
	}
	key = network_block(e, 0, s->s_nwk_s_int);
	if (!key || data_write(d, t->phy, sizeof(t->phy), &n) < 0 ||
		phy_split((struct span){ t->phy, n }, &message, old) < 0)
		return ERR_CRYPTO;
	if (s->lw11)
		mic_of_downlink_11(key, &m, message, t->phy + message.n);
	else
		mic_of_data_10(key, &m, message, t->phy + message.n);
	t->n = (uint8_t)n;
	return 0;
}

/* The item joins the frame; its counter is spent the first time. */
static uint32_t load_item(struct transmission *t, struct session *s,
	const struct session_item *item, struct data *d)
{
	uint32_t f_cnt = item->f_cnt;

	t->item = true;
	t->item_confirmed = item->confirmed;
	t->item_first = s->tries == 0;
	t->item_f_cnt = f_cnt;
	d->type = item->confirmed ? PHY_CONFIRMED_DOWN : PHY_DATA_DOWN;
	d->has_port = true;
	d->port = item->f_port;
	d->frm = (struct span){ item->payload, item->n };
	if (s->tries == 0)
		*session_down_counter(s, true) = f_cnt + 1;
	s->conf_down = item->confirmed;
	s->conf_f_cnt_down = f_cnt;
	return f_cnt;
}

/* Builds the frame of a waiting transmission. False: nothing to say, or no way to say it. */
static bool build(struct network *e, int64_t now_ms, struct transmission *t, struct session *s)
{
	struct session_item *item = next_item(e, now_ms, s);
	struct data d = { .type = PHY_DATA_DOWN };
	uint32_t f_cnt;
	int rc;

	/* 1.1 section 4.3.1.6: FOpts are encrypted by the frame's counter. A payload sent again has
	 * its old one, whose key stream has covered other FOpts: those wait for the next frame. */
	if (item && s->tries && s->lw11)
		t->mac_n = 0;
	if (item && item->n + t->mac_n > room(e, t)) {
		/* MAC answers can be asked for again; the payload cannot. */
		t->mac_n = 0;
		if (item->n > room(e, t))
			item = NULL;
	}
	if (!item && !t->ack && !t->mac_n && !t->reply)
		return false;
	d.fhdr.adr = e->config.adr;
	d.fhdr.ack = t->ack;
	d.fhdr.pending = s->queued > (item ? 1 : 0);
	if (item) {
		f_cnt = load_item(t, s, item, &d);
	} else {
		if (s->down_exhausted)
			return false;
		f_cnt = s->n_f_cnt_down++;
		s->conf_down = false;
	}
	s->down_exhausted = s->down_exhausted || f_cnt == UINT32_MAX;
	rc = write_frame(e, t, s, &d, f_cnt);
	if (item && item->confirmed)
		s->tries++;
	else if (item)
		session_pop(s);
	network_save(e, s);
	return rc == 0;
}

void transmission_due(struct network *e, int64_t now_ms, struct transmission *t)
{
	struct session *s = session_of(e, t);

	if (t->at.at != WAITING) {
		failed(e, t, "the gateway did not say that it was sent");
		return;
	}
	if (!s || !build(e, now_ms, t, s)) {
		drop(e, t);
		return;
	}
	send(e, now_ms, t, RX1);
}

void transmission_acknowledged(struct network *e, int64_t now_ms,
	const struct gateway_address *from, const struct gwmp *m)
{
	struct transmission *t = e->by_token[m->token];
	struct gateway *g = gateway_find(&e->gateways, m->gateway);
	enum gwmp_tx_error error;
	struct err err;

	/* Only the gateway it was given to, from where it pulls, may speak about it. */
	if (!t || t->gateway != m->gateway || !g || !gateway_address_equal(&g->pull, from))
		return;
	if (gwmp_read_tx_ack(m->json, &error, &err) < 0) {
		e->stats.malformed++;
		return;
	}
	trace_say(&e->config.trace, error == GWMP_TX_NONE ? TRACE_DEBUG : TRACE_WARNING,
		"downlink.acknowledged", "dev_eui=%016llx gateway=%016llx token=%u error=%s",
		(unsigned long long)t->dev_eui, (unsigned long long)m->gateway, m->token,
		gwmp_tx_error_word(error));
	if (error == GWMP_TX_NONE)
		sent(e, t);
	else if (t->at.at == RX1)
		send(e, now_ms, t, RX2);
	else
		failed(e, t, gwmp_tx_error_word(error));
}

void transmission_heard(struct network *e, struct session *s, bool ack)
{
	struct session_item *item = s->queued ? s->queue[0] : NULL;

	if (!item || !item->confirmed || !s->tries)
		return;
	if (ack && s->conf_down && s->conf_f_cnt_down == item->f_cnt) {
		network_status(e, s, item->f_cnt, DLSTATUS_ACKED);
		session_pop(s);
	} else if (s->tries >= e->config.transmissions) {
		network_status(e, s, item->f_cnt, DLSTATUS_NACKED);
		session_pop(s);
	}
}

void transmission_retire(struct network *e, const struct session *next)
{
	struct session *s =
		session_of_device(&e->sessions, next->dev_eui, next->join_eui, SESSION_ACTIVE);

	while (s && s->queued) {
		network_status(e, s, s->queue[0]->f_cnt, DLSTATUS_EXPIRED);
		session_pop(s);
	}
}

/* The same payload for the same counter, handed over again: the AS missed our answer. */
static bool already_queued(const struct session *s, const struct session_item *item)
{
	for (unsigned i = 0; i < s->queued; i++)
		if (s->queue[i]->f_cnt == item->f_cnt && s->queue[i]->f_port == item->f_port &&
			s->queue[i]->n == item->n &&
			memcmp(s->queue[i]->payload, item->payload, item->n) == 0)
			return true;
	return false;
}

static bool key_is(const struct session *s, const struct joining_session *id)
{
	return !id || !id->n ||
		(s->key_id.n == id->n && memcmp(s->key_id.octets, id->octets, id->n) == 0);
}

/* The active session it is for. An AS may not have heard yet that a device joined anew: what
 * it encrypted for the session before would reach the device as noise. */
static enum network_downlink_verdict find_session(const struct network *e,
	const struct network_downlink *d, struct session **out)
{
	enum network_downlink_verdict v = NETWORK_DOWNLINK_UNKNOWN;
	struct session *s = NULL;

	while ((s = session_by_eui(&e->sessions, d->dev_eui, s))) {
		if (s->slot != SESSION_ACTIVE)
			continue;
		if (!session_as_is(s, d->as_id)) {
			v = v == NETWORK_DOWNLINK_UNKNOWN ? NETWORK_DOWNLINK_FOREIGN : v;
		} else if (!key_is(s, d->key_id)) {
			v = NETWORK_DOWNLINK_SESSION;
		} else {
			*out = s;
			return NETWORK_DOWNLINK_QUEUED;
		}
	}
	return v;
}

enum network_downlink_verdict transmission_queue(struct network *e, int64_t now_ms,
	const struct network_downlink *d, uint32_t *expected)
{
	const struct session_item *item = d->item;
	struct session_item kept = *item;
	struct session *s;
	enum network_downlink_verdict v = find_session(e, d, &s);

	if (v != NETWORK_DOWNLINK_QUEUED)
		return v;
	if (item->f_port == 0 || item->f_port > PORT_MAX)
		return NETWORK_DOWNLINK_PORT;
	if (already_queued(s, item))
		return NETWORK_DOWNLINK_QUEUED;
	*expected = session_down_expected(s);
	if (s->down_exhausted || item->f_cnt < *expected ||
		item->f_cnt - *expected > COUNTERS_AHEAD)
		return NETWORK_DOWNLINK_STALE;
	kept.expires_ms = now_ms + (int64_t)e->config.downlink_ttl_s * 1000;
	if (session_push(s, &kept) < 0)
		return NETWORK_DOWNLINK_FULL;
	trace_say(&e->config.trace, TRACE_INFO, "downlink.queued",
		"dev_eui=%016llx f_cnt_down=%u f_port=%u confirmed=%d queued=%u",
		(unsigned long long)d->dev_eui, item->f_cnt, item->f_port, item->confirmed,
		s->queued);
	return NETWORK_DOWNLINK_QUEUED;
}
