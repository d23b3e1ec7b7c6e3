/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/simulate_gateway.h"

#include <stdlib.h>
#include <string.h>

#define RECEIVE_BUFFER (4 << 20)

struct waiting {
	uint64_t since_us;
	uint16_t token;
	bool open;
};

struct simulate_gateway {
	uv_udp_t udp;
	uv_timer_t pull;
	struct simulate_gateway_config config;
	struct simulate_gateway_counts counts;
	uint64_t draws; /* of the seed's numbers */
	uint32_t offset;
	uint32_t last_tmst;
	uint16_t token;
	uint8_t closing; /* handles still open */
	struct waiting waiting[SIMULATE_TOKENS];
	struct simulate_sent sent[SIMULATE_SENT];
	uint32_t sent_n; /* all of them; the ring keeps the last */
	uint8_t in[GWMP_DATAGRAM_MAX];
	uint8_t out[GWMP_DATAGRAM_MAX];
	char json[GWMP_DATAGRAM_MAX];
};

static uint64_t now_us(void)
{
	return uv_hrtime() / 1000;
}

uint32_t simulate_gateway_now(const struct simulate_gateway *g)
{
	return (uint32_t)now_us() + g->offset;
}

uint64_t simulate_gateway_eui(const struct simulate_gateway *g)
{
	return g->config.eui;
}

const struct simulate_gateway_counts *simulate_gateway_tell(const struct simulate_gateway *g)
{
	return &g->counts;
}

void simulate_gateway_send_raw(struct simulate_gateway *g, struct span datagram)
{
	uv_buf_t b = uv_buf_init((char *)(uintptr_t)datagram.p, (unsigned int)datagram.n);

	/* A full socket loses the datagram, as a radio backhaul may: a missing ack tells. */
	uv_udp_try_send(&g->udp, &b, 1, NULL);
}

static void send_message(struct simulate_gateway *g, const struct gwmp *m)
{
	size_t n;

	if (gwmp_write(m, g->out, sizeof(g->out), &n) == 0)
		simulate_gateway_send_raw(g, (struct span){ g->out, n });
}

static uint16_t next_token(struct simulate_gateway *g)
{
	struct waiting *w = &g->waiting[++g->token % SIMULATE_TOKENS];

	*w = (struct waiting){ .since_us = now_us(), .token = g->token, .open = true };
	return g->token;
}

void simulate_gateway_pull(struct simulate_gateway *g)
{
	g->counts.pulls++;
	send_message(g,
		&(struct gwmp){ .version = GWMP_VERSION,
			.token = next_token(g),
			.kind = GWMP_PULL_DATA,
			.gateway = g->config.eui });
}

/* The moment of reception; one later than the last when the clock stands still. */
static uint32_t reception(struct simulate_gateway *g)
{
	uint32_t now = simulate_gateway_now(g);

	if (g->sent_n > 0 && (int32_t)(now - g->last_tmst) <= 0)
		now = g->last_tmst + 1;
	g->last_tmst = now;
	return now;
}

void simulate_gateway_hear(struct simulate_gateway *g, const struct simulate_sent *sent,
	struct span frame)
{
	static struct gwmp_push push;
	const struct rate *rate = &g->config.region->rate[sent->radio.rate];
	uint64_t draw = simulate_mix(g->config.seed, g->draws++);
	struct simulate_sent *entry = &g->sent[g->sent_n % SIMULATE_SENT];
	size_t n;

	*entry = *sent;
	entry->tmst = reception(g);
	g->sent_n++;
	push = (struct gwmp_push){ .count = 1 };
	push.rxpk[0] = (struct gwmp_rxpk){
		.tmst = entry->tmst,
		.freq = sent->radio.hz,
		.chan = sent->radio.channel,
		.stat = 1,
		.rate = *rate,
		.codr = rate_is_fsk(rate) ? 0 : 5,
		.rssi = (int16_t)(-120 + (int)(draw % 60)),
		.lsnr = (int16_t)(-50 + (int)(draw / 60 % 150)),
		.size = (uint8_t)frame.n,
	};
	memcpy(push.rxpk[0].data, frame.p, frame.n);
	if (gwmp_write_push(&push, g->json, sizeof(g->json), &n))
		return;
	g->counts.pushes++;
	send_message(g,
		&(struct gwmp){ .version = GWMP_VERSION,
			.token = next_token(g),
			.kind = GWMP_PUSH_DATA,
			.gateway = g->config.eui,
			.json = { (const uint8_t *)g->json, n } });
}

const struct simulate_sent *simulate_gateway_find(const struct simulate_gateway *g, uint32_t tmst)
{
	uint32_t kept = g->sent_n < SIMULATE_SENT ? g->sent_n : SIMULATE_SENT;
	uint32_t low = g->sent_n - kept, high = g->sent_n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct simulate_sent *s = &g->sent[middle % SIMULATE_SENT];

		if (s->tmst == tmst)
			return s;
		if ((int32_t)(s->tmst - tmst) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void acknowledge(struct simulate_gateway *g, uint16_t token, enum gwmp_tx_error result)
{
	char json[256];
	size_t n;

	if (gwmp_write_tx_ack(result, json, sizeof(json), &n))
		return;
	g->counts.tx_acks++;
	send_message(g,
		&(struct gwmp){ .version = GWMP_VERSION,
			.token = token,
			.kind = GWMP_TX_ACK,
			.gateway = g->config.eui,
			.json = { (const uint8_t *)json, n } });
}

static bool closes_token(struct simulate_gateway *g, uint16_t token, uint64_t *took_us)
{
	struct waiting *w = &g->waiting[token % SIMULATE_TOKENS];

	if (!w->open || w->token != token)
		return false;
	w->open = false;
	*took_us = now_us() - w->since_us;
	return true;
}

static void take(struct simulate_gateway *g, struct span datagram)
{
	struct gwmp_txpk tx;
	uint64_t took_us;
	struct gwmp m;

	if (gwmp_read(datagram, &m)) {
		g->counts.malformed++;
		return;
	}
	if (m.kind == GWMP_PUSH_ACK && closes_token(g, m.token, &took_us)) {
		g->counts.push_acks++;
		g->config.events.push_acked(g->config.events.arg, took_us);
	} else if (m.kind == GWMP_PULL_ACK && closes_token(g, m.token, &took_us)) {
		g->counts.pull_acks++;
	} else if (m.kind == GWMP_PULL_RESP) {
		g->counts.pull_resps++;
		if (gwmp_read_txpk(m.json, &tx, NULL))
			g->counts.malformed++;
		else
			acknowledge(g, m.token,
				g->config.events.downlink(g->config.events.arg, g, &tx));
	}
}

static void room(uv_handle_t *h, size_t wanted, uv_buf_t *out)
{
	struct simulate_gateway *g = h->data;

	(void)wanted;
	*out = uv_buf_init((char *)g->in, sizeof(g->in));
}

static void received(uv_udp_t *udp, ssize_t n, const uv_buf_t *b, const struct sockaddr *from,
	unsigned int flags)
{
	/* ECONNREFUSED comes here while the server is away: the missing acks tell. */
	if (n > 0 && !(flags & UV_UDP_PARTIAL))
		take(udp->data, (struct span){ (const uint8_t *)b->base, (size_t)n });
	(void)from;
}

static void pull_due(uv_timer_t *t)
{
	simulate_gateway_pull(t->data);
}

int simulate_gateway_open(const struct simulate_gateway_config *config,
	struct simulate_gateway **out, struct err *err)
{
	struct simulate_gateway *g = calloc(1, sizeof(*g));
	int size = RECEIVE_BUFFER;
	int rc;

	if (!g)
		return err_set(err, ERR_NOMEM, "gateway: out of memory");
	g->config = *config;
	g->udp.data = g->pull.data = g;
	g->offset = (uint32_t)simulate_mix(config->seed, UINT64_MAX);
	uv_udp_init(config->loop, &g->udp);
	uv_timer_init(config->loop, &g->pull);
	rc = uv_udp_connect(&g->udp, config->server);
	if (!rc)
		rc = uv_udp_recv_start(&g->udp, room, received);
	if (rc) {
		simulate_gateway_close(g);
		return err_set(err, ERR_SYSTEM, "gateway: %s", uv_strerror(rc));
	}
	uv_recv_buffer_size((uv_handle_t *)&g->udp, &size);
	uv_timer_start(&g->pull, pull_due, SIMULATE_PULL_MS, SIMULATE_PULL_MS);
	*out = g;
	return 0;
}

static void closed(uv_handle_t *h)
{
	struct simulate_gateway *g = h->data;

	if (--g->closing == 0)
		free(g);
}

void simulate_gateway_close(struct simulate_gateway *g)
{
	if (!g)
		return;
	g->closing = 2;
	uv_close((uv_handle_t *)&g->udp, closed);
	uv_close((uv_handle_t *)&g->pull, closed);
}
