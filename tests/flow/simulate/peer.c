/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer - a network server with one sin: what "sardane simulate" must find out.
 *
 * usage: peer DEVICES.csv SIN      prints its UDP port, then serves until it is killed
 *
 * It joins the devices of the file by their root keys, checks nonces, MICs and counters, and
 * answers each confirmed uplink in RX1 with an ACK, DevStatusReq, LinkADRReq and a payload
 * on port 5. A sin breaks one rule of that on purpose. Times out by itself after a minute.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/simulate_fleet.h"
#include "lorawan/crypt.h"
#include "lorawan/joinaccept.h"
#include "lorawan/joinreq.h"
#include "lorawan/mic.h"
#include "network/gwmp.h"

#define NET_ID   0x000013u
#define GATEWAYS 8
#define LIFE_S   60

enum sin {
	HONEST,
	ACCEPT_MIC,
	ACCEPT_ADDRESS,
	ACCEPT_TWICE,
	NO_ACCEPT,
	WINDOW_TIME,
	WINDOW_FREQUENCY,
	WINDOW_RATE,
	WINDOW_LATE,
	DOWNLINK_MIC,
	DOWNLINK_COUNTER,
	DOWNLINK_STRAY,
	NO_CONFIRMATION,
	NO_PUSH_ACK,
	NO_PULL_ACK,
	BELIEVES_ALL,
	OLD_NETWORK, /* no sin: a network of 1.0.x, which a 1.1 device must follow */
	SINS,
};

static const char *const sins[SINS] = {
	[HONEST] = "honest",
	[ACCEPT_MIC] = "accept-mic",
	[ACCEPT_ADDRESS] = "accept-dev-addr",
	[ACCEPT_TWICE] = "accept-twice",
	[NO_ACCEPT] = "no-accept",
	[WINDOW_TIME] = "window-time",
	[WINDOW_FREQUENCY] = "window-frequency",
	[WINDOW_RATE] = "window-rate",
	[WINDOW_LATE] = "window-late",
	[DOWNLINK_MIC] = "downlink-mic",
	[DOWNLINK_COUNTER] = "downlink-counter",
	[DOWNLINK_STRAY] = "downlink-stray",
	[NO_CONFIRMATION] = "no-confirmation",
	[NO_PUSH_ACK] = "no-push-ack",
	[NO_PULL_ACK] = "no-pull-ack",
	[BELIEVES_ALL] = "believes-all",
	[OLD_NETWORK] = "old-network",
};

struct session {
	uint8_t seen[65536 / 8]; /* DevNonces */
	uint16_t dev_nonce;      /* the last */
	uint32_t dev_addr;
	struct keys_session keys;
	uint32_t next_up, down;
	uint32_t join_nonce;
	bool live;
};

struct route {
	uint64_t gateway;
	struct sockaddr_in to;
};

static enum sin wrong;
static int sock;
static struct simulate_fleet fleet;
static struct session *sessions;
static struct route routes[GATEWAYS];
static struct aes *ciphers[2];

static struct block under(int slot, const uint8_t key[16])
{
	if (aes_rekey(ciphers[slot], key, NULL))
		abort();
	return aes_block(ciphers[slot]);
}

static bool speaks_11(const struct simulate_device *d)
{
	return version_has_two_keys(d->version) && wrong != OLD_NETWORK;
}

static struct route *route_of(uint64_t gateway)
{
	for (int i = 0; i < GATEWAYS; i++)
		if (routes[i].gateway == gateway || routes[i].gateway == 0)
			return &routes[i];
	abort();
}

/* The frame in the window that opens delay_us after the uplink, spoiled as the sin wants. */
static void send_down(uint64_t gateway, const struct gwmp_rxpk *up, uint32_t delay_us,
	struct span frame)
{
	static uint16_t token = 0x7000;
	struct gwmp_txpk tx = { .tmst = up->tmst + delay_us,
		.freq = up->freq,
		.powe = 14,
		.rate = up->rate,
		.ipol = true,
		.ncrc = true,
		.size = (uint8_t)frame.n };
	struct gwmp m = { .version = 2,
		.token = ++token,
		.kind = GWMP_PULL_RESP,
		.gateway = gateway };
	uint8_t out[2048];
	char json[1024];
	size_t n;

	memcpy(tx.data, frame.p, frame.n);
	tx.tmst += wrong == WINDOW_TIME ? 1 : 0;
	tx.freq += wrong == WINDOW_FREQUENCY ? 200000 : 0;
	tx.rate.sf = (uint8_t)(tx.rate.sf + (wrong == WINDOW_RATE));
	tx.tmst -= wrong == WINDOW_LATE ? 10000000 : 0;
	tx.tmst += wrong == DOWNLINK_STRAY ? 300000000 : 0;
	if (gwmp_write_txpk(&tx, json, sizeof(json), &n))
		abort();
	m.json = (struct span){ (uint8_t *)json, n };
	if (gwmp_write(&m, out, sizeof(out), &n))
		abort();
	sendto(sock, out, n, 0, (struct sockaddr *)&route_of(gateway)->to,
		sizeof(struct sockaddr_in));
}

/* 1.0.4 and 1.1: above the last; before, any that was not seen. */
static bool nonce_is_new(struct session *s, enum version version, uint16_t nonce)
{
	bool seen = s->seen[nonce / 8] >> nonce % 8 & 1;
	bool low = version_counts_dev_nonce(version) && s->live && nonce <= s->dev_nonce;

	if ((seen || low) && wrong != BELIEVES_ALL)
		return false;
	s->seen[nonce / 8] |= (uint8_t)(1u << nonce % 8);
	s->dev_nonce = nonce;
	return true;
}

static size_t seal(const struct simulate_device *d, struct session *s, uint16_t nonce,
	uint8_t out[JOINACCEPT_MAX])
{
	bool is_11 = speaks_11(d);
	struct block root = under(0, version_has_two_keys(d->version) ? d->nwk_key : d->app_key);
	struct block other;
	struct joinaccept a = { .join_nonce = ++s->join_nonce,
		.net_id = NET_ID,
		.dev_addr = s->dev_addr,
		.dl_settings = is_11 ? JOINACCEPT_OPT_NEG : 0,
		.rx_delay = 1,
		.has_cflist = true };
	struct keys_nonces n = { a.join_nonce, NET_ID, d->join_eui, nonce };
	uint8_t js_int[16], js_enc[16];
	struct cflist list;

	region_cflist(region_eu868(), &list);
	cflist_write(&list, a.cflist);
	if (!is_11) {
		keys_derive_10(&root, &n, &s->keys);
		return joinaccept_seal_10(&root, &a, out);
	}
	other = under(1, d->app_key);
	keys_derive_11(&root, &other, &n, &s->keys);
	keys_derive_js(&root, d->dev_eui, js_int, js_enc);
	other = under(1, js_int);
	return joinaccept_seal_11(&other, &root, JOINACCEPT_AFTER_JOIN, d->join_eui, nonce, &a,
		out);
}

static void take_join(uint64_t gateway, const struct gwmp_rxpk *up, struct span phy)
{
	uint8_t out[JOINACCEPT_MAX], mic[4];
	struct joinreq r;
	size_t n;

	if (joinreq_read(phy, &r))
		return;
	for (unsigned int i = 0; i < fleet.count; i++) {
		const struct simulate_device *d = &fleet.device[i];
		struct session *s = &sessions[i];
		struct block key;

		if (d->dev_eui != r.dev_eui)
			continue;
		key = under(0, version_has_two_keys(d->version) ? d->nwk_key : d->app_key);
		mic_of_message(&key, (struct span){ phy.p, phy.n - 4 }, mic);
		if ((!mic_equal(mic, r.mic) && wrong != BELIEVES_ALL) ||
			!nonce_is_new(s, d->version, r.dev_nonce) || wrong == NO_ACCEPT)
			return;
		s->dev_addr = (wrong == ACCEPT_ADDRESS ? 0x48000000u : 0x26000000u) + i;
		n = seal(d, s, r.dev_nonce, out);
		out[n - 1] ^= wrong == ACCEPT_MIC;
		s->next_up = s->down = 0;
		s->live = true;
		send_down(gateway, up, 5000000, (struct span){ out, n });
		if (wrong == ACCEPT_TWICE)
			send_down(gateway, up, 5000000, (struct span){ out, n });
	}
}

/* ACK, two MAC requests and a payload. */
static void confirm(uint64_t gateway, const struct gwmp_rxpk *up, const struct simulate_device *d,
	struct session *s, uint32_t up_fcnt)
{
	bool is_11 = speaks_11(d);
	uint8_t out[LORAWAN_PHY_MAX], fopts[LORAWAN_FOPTS_MAX], frm[4];
	struct sink o = sink_into(fopts, sizeof(fopts));
	uint32_t fcnt = wrong == DOWNLINK_COUNTER ? 0 : s->down;
	struct mic_data b0 = { .direction = LORAWAN_DOWN,
		.dev_addr = s->dev_addr,
		.fcnt = fcnt,
		.conf_fcnt = is_11 ? (uint16_t)up_fcnt : 0 };
	struct data down = { .type = PHY_CONFIRMED_DOWN,
		.fhdr = { .dev_addr = s->dev_addr, .ack = true, .fcnt = (uint16_t)fcnt },
		.has_port = true,
		.port = 5,
		.frm = { frm, 4 } };
	struct block key;
	size_t n;

	mac_write_bare(&o, MAC_DEV_STATUS);
	mac_write_link_adr_req(&o, &(struct mac_link_adr_req){ 5, 1, 0xff, 0, 1 });
	if (is_11)
		mac_write_rekey(&o, 1);
	down.fhdr.fopts = sink_span(&o);
	key = under(0, s->keys.nwk_s_enc);
	if (is_11)
		crypt_fopts(&key, LORAWAN_DOWN, CRYPT_AFCNT_DOWN, s->dev_addr, fcnt,
			down.fhdr.fopts, fopts);
	key = under(0, s->keys.app_s);
	crypt_frm(&key, LORAWAN_DOWN, s->dev_addr, fcnt, (struct span){ (uint8_t *)"pong", 4 },
		frm);
	if (data_write(&down, out, sizeof(out), &n))
		abort();
	key = under(0, s->keys.s_nwk_s_int);
	if (is_11)
		mic_of_downlink_11(&key, &b0, (struct span){ out, n - 4 }, out + n - 4);
	else
		mic_of_data_10(&key, &b0, (struct span){ out, n - 4 }, out + n - 4);
	out[n - 1] ^= wrong == DOWNLINK_MIC;
	s->down++;
	if (wrong != NO_CONFIRMATION)
		send_down(gateway, up, 1000000, (struct span){ out, n });
}

static void take_data(uint64_t gateway, const struct gwmp_rxpk *up, struct span phy)
{
	uint8_t mic[4];
	struct data d;

	if (data_read(phy, &d))
		return;
	for (unsigned int i = 0; i < fleet.count; i++) {
		struct session *s = &sessions[i];
		bool is_11 = speaks_11(&fleet.device[i]);
		struct block f, k;
		struct mic_data b = { .dev_addr = s->dev_addr,
			.fcnt = d.fhdr.fcnt,
			.conf_fcnt = d.fhdr.ack ? (uint16_t)(s->down - 1) : 0,
			.tx_dr = 5,
			.tx_ch = up->chan };

		if (!s->live || s->dev_addr != d.fhdr.dev_addr || d.fhdr.fcnt < s->next_up)
			continue;
		f = under(0, s->keys.f_nwk_s_int);
		k = under(1, s->keys.s_nwk_s_int);
		if (is_11)
			mic_of_uplink_11(&f, &k, &b, (struct span){ phy.p, phy.n - 4 }, mic);
		else
			mic_of_data_10(&f, &b, (struct span){ phy.p, phy.n - 4 }, mic);
		if (!mic_equal(mic, d.mic) && wrong != BELIEVES_ALL)
			continue;
		s->next_up = d.fhdr.fcnt + 1u;
		if (data_is_confirmed(&d))
			confirm(gateway, up, &fleet.device[i], s, d.fhdr.fcnt);
	}
}

static void take(struct span datagram, const struct sockaddr_in *from)
{
	static struct gwmp_push push;
	uint8_t ack[GWMP_ACK_OCTETS];
	struct mhdr h;
	struct gwmp m;

	if (gwmp_read(datagram, &m))
		return;
	if ((m.kind != GWMP_PUSH_DATA || wrong != NO_PUSH_ACK) &&
		(m.kind != GWMP_PULL_DATA || wrong != NO_PULL_ACK) &&
		gwmp_acknowledge(datagram, ack))
		sendto(sock, ack, sizeof(ack), 0, (const struct sockaddr *)from, sizeof(*from));
	if (m.kind == GWMP_PULL_DATA)
		*route_of(m.gateway) = (struct route){ m.gateway, *from };
	if (m.kind != GWMP_PUSH_DATA || gwmp_read_push(m.json, &push, NULL))
		return;
	for (uint8_t i = 0; i < push.count; i++) {
		struct span phy = { push.rxpk[i].data, push.rxpk[i].size };

		if (phy_read_mhdr(phy, &h))
			continue;
		if (h.type == PHY_JOIN_REQUEST)
			take_join(m.gateway, &push.rxpk[i], phy);
		else
			take_data(m.gateway, &push.rxpk[i], phy);
	}
}

int main(int argc, char **argv)
{
	static uint8_t in[GWMP_DATAGRAM_MAX];
	static const uint8_t blank[16];
	struct sockaddr_in me = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(me);
	struct err err = { 0 };

	if (argc != 3 || simulate_fleet_read(argv[1], 0, &fleet, &err)) {
		fprintf(stderr, "usage: peer DEVICES.csv SIN %s\n", err.msg);
		return 2;
	}
	while (wrong < SINS && strcmp(sins[wrong], argv[2]) != 0)
		wrong++;
	sessions = calloc(fleet.count, sizeof(*sessions));
	sock = socket(AF_INET, SOCK_DGRAM, 0);
	if (wrong == SINS || !sessions || aes_new(blank, &ciphers[0], NULL) ||
		aes_new(blank, &ciphers[1], NULL) || bind(sock, (struct sockaddr *)&me, n) ||
		getsockname(sock, (struct sockaddr *)&me, &n))
		return 2;
	printf("%u\n", ntohs(me.sin_port));
	fflush(stdout);
	alarm(LIFE_S);
	for (;;) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		ssize_t got = recvfrom(sock, in, sizeof(in), 0, (struct sockaddr *)&from, &len);

		if (got > 0)
			take((struct span){ in, (size_t)got }, &from);
	}
}
