/* SPDX-License-Identifier: Apache-2.0 */
#include "network/network.h"

#include <stdlib.h>
#include <string.h>

#include "core/secret.h"
#include "lorawan/phy.h"
#include "network/activation.h"
#include "network/reception.h"
#include "network/state.h"
#include "network/transmission.h"

#define COOLDOWN_MS 2000

static void take_defaults(struct network_config *c)
{
	if (!c->region)
		c->region = region_eu868();
	if (!c->join_timeout_ms)
		c->join_timeout_ms = 4000;
	if (!c->rx1_delay)
		c->rx1_delay = 1;
	if (!c->adr_margin)
		c->adr_margin = 100;
	if (!c->downlink_ttl_s)
		c->downlink_ttl_s = 86400;
	if (!c->transmissions)
		c->transmissions = 3;
	if (!c->gateways_max)
		c->gateways_max = 16384;
	if (!c->frames_max)
		c->frames_max = 65536;
	if (!c->joins_max)
		c->joins_max = 8192;
	if (!c->downlinks_max)
		c->downlinks_max = 8192;
	if (!c->sessions_max)
		c->sessions_max = 1u << 20;
	if (!c->seed)
		c->seed = 0x5bd1e995ca5e11u;
}

static int allocate(struct network *e, struct err *err)
{
	static const uint8_t no_key[LORAWAN_KEY_OCTETS];
	const struct network_config *c = &e->config;
	int rc;

	e->events = calloc(STATE_EVENTS, sizeof(*e->events));
	e->activations = calloc(c->joins_max, sizeof(*e->activations));
	e->transmissions = calloc(c->downlinks_max, sizeof(*e->transmissions));
	e->by_token = calloc(65536, sizeof(struct transmission *));
	if (!e->events || !e->activations || !e->transmissions || !e->by_token)
		return err_set(err, ERR_NOMEM, "engine: no memory");
	if ((rc = gateway_table_init(&e->gateways, c->gateways_max, err)) < 0 ||
		(rc = frame_table_init(&e->frames, c->frames_max, c->seed, err)) < 0 ||
		(rc = session_table_init(&e->sessions, c->sessions_max, err)) < 0 ||
		(rc = due_init(&e->due, c->joins_max + c->downlinks_max, err)) < 0)
		return rc;
	for (unsigned i = 0; i < 2; i++) {
		if ((rc = aes_new(no_key, &e->aes[i], err)) < 0)
			return rc;
		e->block[i] = aes_block(e->aes[i]);
	}
	return 0;
}

int network_new(const struct network_config *config, struct network **out, struct err *err)
{
	struct network *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return err_set(err, ERR_NOMEM, "engine: no memory");
	e->config = *config;
	take_defaults(&e->config);
	e->token = (uint16_t)(e->config.seed >> 16);
	e->generation = (uint32_t)(e->config.seed >> 32) & 0xffff;
	rc = allocate(e, err);
	if (rc < 0) {
		network_free(e);
		return rc;
	}
	*out = e;
	return 0;
}

void network_free(struct network *e)
{
	if (!e)
		return;
	for (unsigned i = 0; i < 2; i++)
		aes_free(e->aes[i]);
	if (e->events)
		secret_wipe_octets(e->events, STATE_EVENTS * sizeof(*e->events));
	if (e->activations)
		secret_wipe_octets(e->activations, e->activations_used * sizeof(*e->activations));
	free(e->events);
	free(e->activations);
	free(e->transmissions);
	free(e->by_token);
	gateway_table_done(&e->gateways);
	frame_table_done(&e->frames);
	session_table_done(&e->sessions);
	due_done(&e->due);
	free(e);
}

struct network_event *network_push(struct network *e, enum network_event_kind kind)
{
	struct network_event *ev;

	if (e->event_count == STATE_EVENTS)
		abort();
	ev = &e->events[(e->event_first + e->event_count++) % STATE_EVENTS];
	memset(ev, 0, sizeof(*ev));
	ev->kind = kind;
	return ev;
}

void network_save(struct network *e, const struct session *s)
{
	struct network_event *ev = network_push(e, NETWORK_SAVE);

	ev->dev_eui = s->dev_eui;
	ev->save.join_eui = s->join_eui;
	ev->save.slot = s->slot;
	if (session_write(s, ev->save.blob, sizeof(ev->save.blob), &ev->save.n) < 0)
		abort();
}

void network_remove(struct network *e, const struct session *s, enum session_slot slot)
{
	struct network_event *ev = network_push(e, NETWORK_REMOVE);

	ev->dev_eui = s->dev_eui;
	ev->save.join_eui = s->join_eui;
	ev->save.slot = slot;
}

void network_status(struct network *e, const struct session *s, uint32_t f_cnt,
	enum dlstatus status)
{
	struct network_event *ev;

	trace_say(&e->config.trace, TRACE_INFO, "downlink.status",
		"dev_eui=%016llx f_cnt_down=%u status=%s", (unsigned long long)s->dev_eui, f_cnt,
		dlstatus_word(status));
	if (!s->as_url[0])
		return;
	ev = network_push(e, NETWORK_STATUS);
	ev->dev_eui = s->dev_eui;
	strcpy(ev->as_url, s->as_url);
	strcpy(ev->as_id, s->as_id);
	ev->status = (struct dlstatus_req){ .dev_eui = s->dev_eui,
		.f_cnt_down = f_cnt,
		.status = status };
}

const struct block *network_block(struct network *e, unsigned which,
	const uint8_t key[LORAWAN_KEY_OCTETS])
{
	struct err err;

	if (aes_rekey(e->aes[which], key, &err) < 0) {
		trace_say(&e->config.trace, TRACE_ERROR, "crypto.failed", "reason=\"%s\"", err.msg);
		return NULL;
	}
	return &e->block[which];
}

static bool is_activation(enum phy_type type)
{
	return type == PHY_JOIN_REQUEST || type == PHY_REJOIN_REQUEST;
}

static void hear(struct network *e, int64_t now_ms, const struct gateway_address *from,
	const struct gwmp *m, const struct gwmp_rxpk *rx)
{
	struct frame_copy copy = { .gateway = m->gateway,
		.tmst = rx->tmst,
		.rssi = rx->rssi,
		.lsnr = rx->lsnr,
		.has_tmms = rx->has_tmms,
		.tmms = rx->tmms,
		.at_ms = now_ms };
	struct span phy = { rx->data, rx->size };
	struct frame *f;
	struct mhdr h;

	e->stats.frames++;
	if (phy_read_mhdr(phy, &h) < 0 || !phy_is_up(h.type) || h.type == PHY_PROPRIETARY) {
		e->stats.malformed++;
		return;
	}
	switch (frame_collect(&e->frames, phy, &copy, from, now_ms, e->config.deduplication_ms,
		&f)) {
	case FRAME_COPY: e->stats.copies++; return;
	case FRAME_LATE: e->stats.copies++; return;
	case FRAME_FULL: e->stats.dropped_frames++; return;
	case FRAME_NEW: break;
	}
	f->freq = rx->freq;
	f->rate = rx->rate;
	trace_say(&e->config.trace, TRACE_DEBUG, "uplink.received",
		"gateway=%016llx type=%s freq=%u rssi=%d lsnr=%.1f", (unsigned long long)m->gateway,
		phy_type_text(h.type), rx->freq, rx->rssi, rx->lsnr / 10.0);
	if (is_activation(h.type))
		activation_ask(e, now_ms, f);
}

static void heard_push(struct network *e, int64_t now_ms, const struct gateway_address *from,
	const struct gwmp *m)
{
	struct err err;

	if (gwmp_read_push(m->json, &e->push, &err) < 0) {
		e->stats.malformed++;
		trace_say(&e->config.trace, TRACE_DEBUG, "gateway.malformed",
			"gateway=%016llx reason=\"%s\"", (unsigned long long)m->gateway, err.msg);
		return;
	}
	for (unsigned i = 0; i < e->push.count; i++) {
		/* A frame makes one event at most here: a datagram full of joins is cut. */
		if (network_is_crowded(e)) {
			e->stats.dropped_frames += e->push.count - i;
			return;
		}
		hear(e, now_ms, from, m, &e->push.rxpk[i]);
	}
}

void network_datagram(struct network *e, int64_t now_ms, const struct gateway_address *from,
	struct span datagram)
{
	struct gateway *g;
	struct gwmp m;

	e->stats.datagrams++;
	if (gwmp_read(datagram, &m) < 0 || m.kind == GWMP_PUSH_ACK || m.kind == GWMP_PULL_ACK ||
		m.kind == GWMP_PULL_RESP) {
		e->stats.malformed++;
		return;
	}
	if (m.kind == GWMP_PUSH_DATA) {
		heard_push(e, now_ms, from, &m);
		return;
	}
	if (m.kind == GWMP_TX_ACK) {
		transmission_acknowledged(e, now_ms, from, &m);
		return;
	}
	/* Only who can be sent to takes a place in the table. */
	g = gateway_heard(&e->gateways, m.gateway, now_ms);
	if (g && gateway_pulled(g, from, m.version, now_ms))
		trace_say(&e->config.trace, TRACE_INFO, "gateway.address",
			"gateway=%016llx version=%u", (unsigned long long)m.gateway, m.version);
}

/* One thing that is due; false when nothing is. */
static bool turn(struct network *e, int64_t now_ms)
{
	struct frame *f = frame_due(&e->frames, now_ms, COOLDOWN_MS);
	struct due_node *n;
	struct mhdr h;

	if (f) {
		phy_read_mhdr((struct span){ f->phy, f->n }, &h);
		if (is_activation(h.type))
			activation_collected(e, now_ms, f);
		else
			reception_judge(e, now_ms, f);
		return true;
	}
	frame_sweep(&e->frames, now_ms);
	n = due_first(&e->due);
	if (!n || n->at_ms > now_ms)
		return false;
	due_clear(&e->due, n);
	if (((struct activation *)n)->timer == STATE_ACTIVATION)
		activation_expired(e, now_ms, (struct activation *)n);
	else
		transmission_due(e, now_ms, (struct transmission *)n);
	return true;
}

bool network_next(struct network *e, int64_t now_ms, struct network_event *out)
{
	struct network_event *ev;

	while (!e->event_count && turn(e, now_ms))
		;
	if (!e->event_count)
		return false;
	ev = &e->events[e->event_first];
	*out = *ev;
	secret_wipe_octets(ev, sizeof(*ev));
	e->event_first = (e->event_first + 1) % STATE_EVENTS;
	e->event_count--;
	return true;
}

int64_t network_deadline(const struct network *e)
{
	const struct due_node *n = due_first(&e->due);
	int64_t at = frame_deadline(&e->frames);

	if (e->event_count)
		return 0;
	return n && n->at_ms < at ? n->at_ms : at;
}

bool network_is_crowded(const struct network *e)
{
	return e->event_count >= STATE_EVENTS / 2;
}

int network_restore(struct network *e, struct span blob, struct err *err)
{
	struct session s, *kept;
	int rc = session_read(blob, &s, err);

	if (rc == 0)
		rc = session_add(&e->sessions, &s, &kept, err);
	session_wipe(&s);
	return rc;
}

int network_personalise(struct network *e, const struct session *abp, struct err *err)
{
	struct session *old = session_of_device(&e->sessions, abp->dev_eui, abp->join_eui,
			       SESSION_ACTIVE),
		       *kept;
	int rc;

	/* The same keys mean the same counters: starting anew would take replays. */
	if (old && old->abp && old->dev_addr == abp->dev_addr &&
		memcmp(old->f_nwk_s_int, abp->f_nwk_s_int, LORAWAN_KEY_OCTETS) == 0) {
		strcpy(old->as_url, abp->as_url);
		strcpy(old->as_id, abp->as_id);
		return 0;
	}
	rc = session_add(&e->sessions, abp, &kept, err);
	if (rc == 0)
		network_save(e, kept);
	return rc;
}

const struct session *network_session(const struct network *e, uint64_t dev_eui,
	enum session_slot slot)
{
	const struct session *s = session_by_eui(&e->sessions, dev_eui, NULL);

	while (s && s->slot != slot)
		s = session_by_eui(&e->sessions, dev_eui, s);
	return s;
}

static const char *const downlink_words[] = {
	[NETWORK_DOWNLINK_QUEUED] = "queued",
	[NETWORK_DOWNLINK_UNKNOWN] = "unknown-device",
	[NETWORK_DOWNLINK_FOREIGN] = "foreign",
	[NETWORK_DOWNLINK_SESSION] = "other-session",
	[NETWORK_DOWNLINK_STALE] = "stale-counter",
	[NETWORK_DOWNLINK_FULL] = "full",
	[NETWORK_DOWNLINK_PORT] = "bad-port",
	[NETWORK_DOWNLINK_SIZE] = "too-long",
};

const char *network_downlink_word(enum network_downlink_verdict v)
{
	return downlink_words[v];
}

enum network_downlink_verdict network_downlink(struct network *e, int64_t now_ms,
	const struct network_downlink *d, uint32_t *expected)
{
	enum network_downlink_verdict v = transmission_queue(e, now_ms, d, expected);

	if (v != NETWORK_DOWNLINK_QUEUED)
		e->stats.downlinks_refused++;
	return v;
}

void network_joined(struct network *e, int64_t now_ms, uint32_t ask, const struct joining_ans *ans,
	const char *why)
{
	activation_answered(e, now_ms, ask, ans, why);
}

void network_stats(const struct network *e, struct network_stats *out)
{
	*out = e->stats;
	out->gateways = e->gateways.count;
	out->sessions = e->sessions.count;
}
