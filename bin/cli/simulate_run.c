/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/simulate_run.h"
#include "cli/simulate_gateway.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PULL_AGAIN_MS 200u
#define DRAIN_MS      1000u
#define PROGRESS_MS   500u
#define REPLAY_MS     1000u
#define EXTRA_UPLINKS 3u /* empty ones, for answers owed at the end */
#define RX_DELAY_MAX  16u

enum step { WAITING, JOINING, TALKING, AGAIN, DONE, FAILED };

struct actor {
	struct run *run;
	uv_timer_t timer;  /* the next thing to do or to give up */
	uv_timer_t replay; /* SIMULATE_REPLAY_UPLINK */
	uint32_t index;
	enum step step;
	bool unconfirmed; /* a confirmed uplink waits for its ACK */
	bool rejoined;    /* it has sent its rejoin-request */
	uint8_t tries;
	uint8_t extra;
	uint64_t sent_us;
};

struct run {
	const struct simulate_options *o;
	struct simulate_fleet *fleet;
	struct simulate_seen *seen;
	struct simulate_report *report;
	struct simulate_ciphers ciphers;
	uv_loop_t loop;
	uv_timer_t tick;     /* first PULL_ACKs, then joins at the rate, then the drain */
	uv_timer_t progress; /* a line */
	uv_timer_t end;      /* duration_s */
	uv_signal_t interrupt, terminate;
	struct simulate_gateway **gateway;
	struct actor *actor;
	unsigned int started, over;
	uint64_t began_us;
	bool stopping;
};

static const char *const fault_words[SIMULATE_FAULTS] = {
	[SIMULATE_NO_FAULT] = "none",
	[SIMULATE_BAD_MIC] = "bad-mic",
	[SIMULATE_WRONG_KEY] = "wrong-key",
	[SIMULATE_UNKNOWN_DEVICE] = "unknown-device",
	[SIMULATE_REPLAY_JOIN] = "replay-devnonce",
	[SIMULATE_REUSE_NONCE] = "reuse-devnonce",
	[SIMULATE_OLD_NONCE] = "old-devnonce",
	[SIMULATE_BAD_UPLINK_MIC] = "bad-uplink-mic",
	[SIMULATE_REPLAY_UPLINK] = "replay-uplink",
	[SIMULATE_MALFORMED] = "malformed",
};

const char *simulate_fault_text(enum simulate_fault f)
{
	return fault_words[f];
}

int simulate_fault_read(const char *word, enum simulate_fault *out)
{
	for (int i = 0; i < SIMULATE_FAULTS; i++) {
		if (strcmp(word, fault_words[i]) == 0) {
			*out = (enum simulate_fault)i;
			return 0;
		}
	}
	return ERR_FORMAT;
}

static uint64_t now_us(void)
{
	return uv_hrtime() / 1000;
}

static struct simulate_device *device_of(const struct actor *a)
{
	return &a->run->fleet->device[a->index];
}

/* The drain begins when the last device is over: late acks may still come. */
static void drained(uv_timer_t *t)
{
	struct run *run = t->data;

	run->stopping = true;
	uv_stop(&run->loop);
}

static void end_actor(struct actor *a, enum step step, enum simulate_outcome outcome)
{
	struct run *run = a->run;

	if (a->step == DONE || a->step == FAILED)
		return;
	a->step = step;
	run->seen[a->index].done = true;
	run->seen[a->index].outcome = outcome;
	if (step == FAILED) {
		run->report->failed++;
		run->report->failures[outcome]++;
	}
	uv_timer_stop(&a->timer);
	if (++run->over == run->fleet->count)
		uv_timer_start(&run->tick, drained,
			run->report->pushes == run->report->push_acks ? 0 : DRAIN_MS, 0);
}

static void put_on_air(struct actor *a, bool join)
{
	struct run *run = a->run;
	struct simulate_device *d = device_of(a);
	struct simulate_sent sent = { .device = a->index,
		.turn = d->nonces_used,
		.radio = d->radio,
		.join = join };
	unsigned int first = (unsigned int)(simulate_mix(d->seed, 7) % run->o->gateways);

	a->sent_us = now_us();
	for (unsigned int i = 0; i < run->o->copies; i++) {
		run->report->pushes++;
		simulate_gateway_hear(run->gateway[(first + i) % run->o->gateways], &sent,
			(struct span){ d->frame, d->frame_n });
	}
}

static void talk(struct actor *a);
static void silence(uv_timer_t *t);

static void wait_for(struct actor *a, unsigned int ms)
{
	uv_timer_start(&a->timer, silence, ms, 0);
}

#define GARBAGE(octets)                                          \
	{                                                        \
		(const uint8_t *)("" octets), sizeof(octets) - 1 \
	}
#define HEAD "\x02\xff\xfe\x00\x01\x02\x03\x04\x05\x06\x07\x08"

static const struct span garbage[] = {
	GARBAGE("\x02"),
	GARBAGE("\x02\xff\xfe\x00"),
	GARBAGE("\x09\xff\xfe\x02\x01\x02\x03\x04\x05\x06\x07\x08"),
	GARBAGE("\x02\xff\xfe\x07\x01\x02\x03\x04\x05\x06\x07\x08"),
	GARBAGE(HEAD "{"),
	GARBAGE(HEAD "{\"rxpk\":[{}]}"),
	GARBAGE(HEAD "{\"rxpk\":[],\"rxpk\":[]}"),
	GARBAGE(HEAD "{\"rxpk\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["),
	GARBAGE(HEAD "{\"rxpk\":[{\"tmst\":-1,\"data\":\"*\"}]}"),
	GARBAGE(HEAD
		"{\"rxpk\":[{\"tmst\":1,\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\","
		"\"rssi\":-60,\"lsnr\":5,\"size\":200,\"data\":\"AAAA\"}]}"),
	GARBAGE(HEAD "{\"stat\":{\"rxnb\":1e999,\"time\":\"\xff\xfe\"}}"),
	GARBAGE("GET / HTTP/1.1\r\n\r\n"),
};

static void send_garbage(struct actor *a)
{
	struct run *run = a->run;
	struct simulate_device *d = device_of(a);
	struct simulate_sent sent = { .device = a->index, .radio = d->radio, .join = true };

	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
		simulate_gateway_send_raw(run->gateway[0], garbage[i]);
	/* Frames cut short, in datagrams that are right. */
	for (uint8_t n = 1; n < d->frame_n; n = (uint8_t)(n + 7)) {
		run->report->pushes++;
		simulate_gateway_hear(run->gateway[0], &sent, (struct span){ d->frame, n });
	}
}

static void join(struct actor *a)
{
	struct simulate_device *d = device_of(a);

	uint64_t own = d->dev_eui;
	bool ready;

	simulate_device_reset(d, a->run->o->region, (uint8_t)a->run->o->data_rate);
	if (a->run->o->fault == SIMULATE_UNKNOWN_DEVICE)
		d->dev_eui ^= 1ull << 63;
	ready = simulate_device_join(d, &a->run->ciphers);
	d->dev_eui = own;
	if (!ready) {
		end_actor(a, FAILED, SIMULATE_NONCES_SPENT);
		return;
	}
	if (a->run->o->fault == SIMULATE_BAD_MIC)
		d->frame[d->frame_n - 1] ^= 1;
	if (a->run->o->fault == SIMULATE_MALFORMED)
		send_garbage(a);
	a->step = JOINING;
	put_on_air(a, true);
	wait_for(a, a->run->o->timeout_ms);
}

/* After a good join, what must not be accepted again. */
static bool offend(struct actor *a)
{
	struct simulate_device *d = device_of(a);

	switch (a->run->o->fault) {
	case SIMULATE_REPLAY_JOIN: break;
	case SIMULATE_REUSE_NONCE:
		d->nonces_used--;
		simulate_device_join(d, &a->run->ciphers);
		break;
	case SIMULATE_OLD_NONCE:
		d->nonces_used -= 3;
		simulate_device_join(d, &a->run->ciphers);
		d->nonces_used += 2;
		break;
	case SIMULATE_NO_FAULT:
	case SIMULATE_BAD_MIC:
	case SIMULATE_WRONG_KEY:
	case SIMULATE_UNKNOWN_DEVICE:
	case SIMULATE_BAD_UPLINK_MIC:
	case SIMULATE_REPLAY_UPLINK:
	case SIMULATE_MALFORMED:
	case SIMULATE_FAULTS: return false;
	}
	a->step = AGAIN;
	put_on_air(a, true);
	wait_for(a, a->run->o->timeout_ms);
	return true;
}

static void replay_due(uv_timer_t *t)
{
	struct actor *a = t->data;

	if (a->step != TALKING)
		return;
	a->run->report->retransmissions++;
	put_on_air(a, false);
}

/* The rejoin-request that is asked for, once. */
static bool rejoin(struct actor *a)
{
	struct simulate_device *d = device_of(a);

	if (!a->run->o->rejoins || a->rejoined)
		return false;
	a->rejoined = true;
	if (!simulate_device_rejoin(d, &a->run->ciphers, (uint8_t)a->run->o->rejoin)) {
		end_actor(a, FAILED, SIMULATE_ACCEPT_VERSION);
		return true;
	}
	a->step = JOINING;
	put_on_air(a, true);
	wait_for(a, a->run->o->timeout_ms);
	return true;
}

/* One uplink, or the empty ones that carry what is still owed, or the end. */
static void talk(struct actor *a)
{
	struct run *run = a->run;
	struct simulate_device *d = device_of(a);
	struct simulate_message m = run->o->message;
	struct simulate_seen *seen = &run->seen[a->index];

	a->unconfirmed = false;
	if (seen->uplinks >= run->o->uplinks && rejoin(a))
		return;
	/* After a rejoin one more shows that the new session is good. */
	if (seen->uplinks >= run->o->uplinks && !(a->rejoined && d->fcnt_up == 0)) {
		if (!simulate_device_owes(d) || a->extra++ >= EXTRA_UPLINKS) {
			end_actor(a, DONE, SIMULATE_GOOD);
			return;
		}
		m = (struct simulate_message){ .adr = true };
	}
	if (seen->uplinks == 0 && run->o->link_check)
		simulate_device_ask(d, MAC_LINK_CHECK);
	if (seen->uplinks == 0 && run->o->device_time)
		simulate_device_ask(d, MAC_DEVICE_TIME);
	if (simulate_device_uplink(d, &run->ciphers, &m)) {
		end_actor(a, FAILED, SIMULATE_DOWNLINK_FORMAT);
		return;
	}
	if (run->o->fault == SIMULATE_BAD_UPLINK_MIC)
		d->frame[d->frame_n - 1] ^= 1;
	seen->uplinks++;
	run->report->uplinks++;
	run->report->confirmed += m.confirmed;
	a->unconfirmed = m.confirmed;
	a->tries = 0;
	put_on_air(a, false);
	if (run->o->fault == SIMULATE_REPLAY_UPLINK)
		uv_timer_start(&a->replay, replay_due, REPLAY_MS, 0);
	wait_for(a, m.confirmed ? run->o->timeout_ms : run->o->interval_ms);
}

/* 1.0.4 section 4.3.1.2: a confirmed frame goes again as it is, same counter. */
static void unanswered(struct actor *a)
{
	if (a->run->o->fault == SIMULATE_BAD_UPLINK_MIC) {
		a->run->report->refused++;
		talk(a);
		return;
	}
	if (a->tries++ >= a->run->o->retries) {
		end_actor(a, FAILED, SIMULATE_NO_CONFIRMATION);
		return;
	}
	a->run->report->retransmissions++;
	put_on_air(a, false);
	wait_for(a, a->run->o->timeout_ms);
}

static bool silence_is_right(enum simulate_fault f)
{
	return f == SIMULATE_BAD_MIC || f == SIMULATE_WRONG_KEY || f == SIMULATE_UNKNOWN_DEVICE;
}

/* The wait is over and nothing came. */
static void silence(uv_timer_t *t)
{
	struct actor *a = t->data;

	switch (a->step) {
	case WAITING: join(a); break;
	case JOINING:
		if (silence_is_right(a->run->o->fault)) {
			a->run->report->refused++;
			end_actor(a, DONE, SIMULATE_NO_ACCEPT);
		} else if (!a->rejoined && a->tries++ < a->run->o->retries) {
			join(a);
		} else {
			end_actor(a, FAILED, SIMULATE_NO_ACCEPT);
		}
		break;
	case AGAIN:
		/* The session of the good join must have survived. */
		a->run->report->refused++;
		a->step = TALKING;
		talk(a);
		break;
	case TALKING:
		if (a->unconfirmed)
			unanswered(a);
		else
			talk(a);
		break;
	case DONE:
	case FAILED: break;
	}
}

static void accepted(struct actor *a, struct span phy)
{
	struct run *run = a->run;
	uint64_t took_us = now_us() - a->sent_us;
	enum simulate_outcome o;

	if (a->step == AGAIN || silence_is_right(run->o->fault)) {
		end_actor(a, FAILED, SIMULATE_NOT_REFUSED);
		return;
	}
	if (a->step != JOINING) {
		end_actor(a, FAILED, SIMULATE_ACCEPT_TWICE);
		return;
	}
	o = simulate_device_accept(device_of(a), &run->ciphers, run->o->region, phy,
		run->o->net_id);
	if (o != SIMULATE_GOOD) {
		end_actor(a, FAILED, o);
		return;
	}
	run->report->joined++;
	run->seen[a->index].join_us = (uint32_t)took_us;
	simulate_report_sample(&run->report->join, took_us);
	if (!a->rejoined && offend(a))
		return;
	a->step = TALKING;
	talk(a);
}

static void spoken_to(struct actor *a, struct span phy)
{
	struct run *run = a->run;
	struct simulate_seen *seen = &run->seen[a->index];
	struct simulate_downlink down = { 0 };
	enum simulate_outcome o =
		simulate_device_downlink(device_of(a), &run->ciphers, run->o->region, phy, &down);

	if (o != SIMULATE_GOOD) {
		end_actor(a, FAILED, o);
		return;
	}
	run->report->downlinks++;
	seen->downlinks++;
	if (down.has_port || !seen->last.has_port)
		seen->last = down;
	if (down.ack && run->o->fault == SIMULATE_BAD_UPLINK_MIC) {
		end_actor(a, FAILED, SIMULATE_NOT_REFUSED);
	} else if (down.ack && a->unconfirmed) {
		a->unconfirmed = false;
		run->report->confirmations++;
		simulate_report_sample(&run->report->confirmation, now_us() - a->sent_us);
		wait_for(a, run->o->interval_ms);
	}
}

static bool is_for(const struct simulate_sent *s, const struct run *run, bool join, struct span phy)
{
	struct data down;

	if (!s || s->join != join)
		return false;
	return join ||
		(data_read(phy, &down) == 0 &&
			run->fleet->device[s->device].dev_addr == down.fhdr.dev_addr);
}

/* The frame it answers: one that went out a legal delay before its tmst. */
static const struct simulate_sent *answered(const struct run *run, const struct simulate_gateway *g,
	const struct gwmp_txpk *tx, bool join)
{
	struct span phy = { tx->data, tx->size };
	const struct region *r = run->o->region;

	if (join) {
		const struct simulate_sent *s =
			simulate_gateway_find(g, tx->tmst - r->join_delay1_us);

		if (is_for(s, run, true, phy))
			return s;
		s = simulate_gateway_find(g, tx->tmst - r->join_delay2_us);
		return is_for(s, run, true, phy) ? s : NULL;
	}
	for (uint32_t delay = 1; delay <= RX_DELAY_MAX; delay++) {
		const struct simulate_sent *s =
			simulate_gateway_find(g, tx->tmst - delay * REGION_RX_GAP_US);

		if (is_for(s, run, false, phy))
			return s;
	}
	return NULL;
}

static enum gwmp_tx_error downlink(void *arg, struct simulate_gateway *g,
	const struct gwmp_txpk *tx)
{
	struct run *run = arg;
	struct span phy = { tx->data, tx->size };
	const struct simulate_sent *s;
	struct simulate_device *d;
	enum simulate_outcome o;
	struct mhdr h;
	bool join;

	if (phy_read_mhdr(phy, &h) || phy_is_up(h.type)) {
		run->report->failures[SIMULATE_DOWNLINK_FORMAT]++;
		return GWMP_TX_NONE;
	}
	if (!tx->imme && (int32_t)(tx->tmst - simulate_gateway_now(g)) < 0) {
		run->report->late++;
		return GWMP_TX_TOO_LATE;
	}
	join = h.type == PHY_JOIN_ACCEPT;
	s = answered(run, g, tx, join);
	if (!s) {
		run->report->failures[SIMULATE_DOWNLINK_STRAY]++;
		return GWMP_TX_NONE;
	}
	d = &run->fleet->device[s->device];
	/* The answer to a request that the device has given up: it listens no more. */
	if ((join && s->turn != d->nonces_used) || run->actor[s->device].step == DONE ||
		run->actor[s->device].step == FAILED)
		return GWMP_TX_NONE;
	o = simulate_device_window(d, run->o->region, &s->radio, s->tmst, join, tx);
	if (o != SIMULATE_GOOD)
		end_actor(&run->actor[s->device], FAILED, o);
	else if (join)
		accepted(&run->actor[s->device], phy);
	else
		spoken_to(&run->actor[s->device], phy);
	return GWMP_TX_NONE;
}

static void push_acked(void *arg, uint64_t took_us)
{
	struct run *run = arg;

	run->report->push_acks++;
	simulate_report_sample(&run->report->push_ack, took_us);
	if (run->over == run->fleet->count && run->report->push_acks == run->report->pushes)
		drained(&run->tick);
}

static void start(struct actor *a)
{
	const struct simulate_options *o = a->run->o;
	struct simulate_device *d = device_of(a);

	if (o->fault == SIMULATE_WRONG_KEY) {
		d->app_key[0] ^= 1;
		d->nwk_key[0] ^= 1;
	}
	if (o->fault == SIMULATE_OLD_NONCE)
		d->nonces_used += 3;
	if (!o->personalised) {
		join(a);
		return;
	}
	if (o->fault == SIMULATE_MALFORMED)
		send_garbage(a);
	a->step = TALKING;
	talk(a);
}

/* As many as are due by the rate. */
static void start_due(uv_timer_t *t)
{
	struct run *run = t->data;
	uint64_t due = run->fleet->count;

	if (run->o->rate > 0)
		due = 1 + (now_us() - run->began_us) * run->o->rate / 1000000;
	while (run->started < run->fleet->count && run->started < due)
		start(&run->actor[run->started++]);
	if (run->started < run->fleet->count)
		uv_timer_start(t, start_due, 1, 0);
}

/* Nobody joins before every gateway has heard from the server. */
static void greet(uv_timer_t *t)
{
	struct run *run = t->data;
	unsigned int silent = 0;

	for (unsigned int i = 0; i < run->o->gateways; i++) {
		if (simulate_gateway_tell(run->gateway[i])->pull_acks > 0)
			continue;
		silent++;
	}
	if (silent == 0) {
		run->began_us = now_us();
		start_due(t);
		return;
	}
	if (now_us() - run->began_us > run->o->timeout_ms * 1000ull) {
		drained(t);
		return;
	}
	for (unsigned int i = 0; i < run->o->gateways; i++)
		if (simulate_gateway_tell(run->gateway[i])->pull_acks == 0)
			simulate_gateway_pull(run->gateway[i]);
	uv_timer_start(t, greet, PULL_AGAIN_MS, 0);
}

static void tell_progress(uv_timer_t *t)
{
	const struct run *run = t->data;
	const struct simulate_report *r = run->report;

	fprintf(stderr, "%sstarted %u/%u  joined %u  failed %u  uplinks %u  downlinks %u%s",
		isatty(STDERR_FILENO) ? "\r" : "", run->started, run->fleet->count, r->joined,
		r->failed, r->uplinks, r->downlinks, isatty(STDERR_FILENO) ? "  " : "\n");
	fflush(stderr);
}

static void cut_short(struct run *run)
{
	for (unsigned int i = 0; i < run->fleet->count; i++)
		end_actor(&run->actor[i], FAILED, SIMULATE_STOPPED);
	run->stopping = true;
	uv_stop(&run->loop);
}

static void time_is_up(uv_timer_t *t)
{
	cut_short(t->data);
}

static void signalled(uv_signal_t *s, int number)
{
	(void)number;
	cut_short(s->data);
}

static int open_gateways(struct run *run, struct err *err)
{
	for (unsigned int i = 0; i < run->o->gateways; i++) {
		struct simulate_gateway_config config = {
			.loop = &run->loop,
			.server = (const struct sockaddr *)&run->o->server,
			.region = run->o->region,
			.eui = run->o->gateway_eui + i,
			.seed = simulate_mix(run->o->seed, 0x67770000u + i),
			.events = { .downlink = downlink, .push_acked = push_acked, .arg = run },
		};
		int rc = simulate_gateway_open(&config, &run->gateway[i], err);

		if (rc)
			return rc;
	}
	return 0;
}

static void open_actors(struct run *run)
{
	for (unsigned int i = 0; i < run->fleet->count; i++) {
		struct actor *a = &run->actor[i];
		struct simulate_device *d = &run->fleet->device[i];

		*a = (struct actor){ .run = run, .index = i };
		uv_timer_init(&run->loop, &a->timer);
		uv_timer_init(&run->loop, &a->replay);
		a->timer.data = a->replay.data = a;
		d->seed = simulate_mix(run->o->seed, d->dev_eui);
	}
}

static void open_clocks(struct run *run)
{
	uv_timer_init(&run->loop, &run->tick);
	uv_timer_init(&run->loop, &run->progress);
	uv_timer_init(&run->loop, &run->end);
	uv_signal_init(&run->loop, &run->interrupt);
	uv_signal_init(&run->loop, &run->terminate);
	run->tick.data = run->progress.data = run->end.data = run;
	run->interrupt.data = run->terminate.data = run;
	uv_signal_start(&run->interrupt, signalled, SIGINT);
	uv_signal_start(&run->terminate, signalled, SIGTERM);
	if (run->o->progress)
		uv_timer_start(&run->progress, tell_progress, PROGRESS_MS, PROGRESS_MS);
	if (run->o->duration_s)
		uv_timer_start(&run->end, time_is_up, run->o->duration_s * 1000ull, 0);
	uv_timer_start(&run->tick, greet, 0, 0);
}

/* The gateways have closed theirs. */
static void close_handle(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static void close_run(struct run *run)
{
	for (unsigned int i = 0; run->gateway && i < run->o->gateways; i++) {
		const struct simulate_gateway_counts *c;

		if (!run->gateway[i])
			continue;
		c = simulate_gateway_tell(run->gateway[i]);
		run->report->gateways++;
		run->report->pulls += c->pulls;
		run->report->pull_acks += c->pull_acks;
		run->report->tx_acks += c->tx_acks;
		run->report->malformed += c->malformed;
		simulate_gateway_close(run->gateway[i]);
	}
	uv_walk(&run->loop, close_handle, NULL);
	uv_run(&run->loop, UV_RUN_DEFAULT);
	uv_loop_close(&run->loop);
	aes_free(run->ciphers.one);
	aes_free(run->ciphers.two);
	free(run->gateway);
	free(run->actor);
}

static void settle(struct run *run)
{
	struct simulate_report *r = run->report;

	if (run->o->progress) {
		tell_progress(&run->progress);
		fputs(isatty(STDERR_FILENO) ? "\n" : "", stderr);
	}
	for (unsigned int i = 0; i < run->fleet->count; i++)
		end_actor(&run->actor[i], FAILED,
			run->started ? SIMULATE_STOPPED : SIMULATE_NO_PULL_ACK);
	if (r->push_acks < r->pushes)
		r->failures[SIMULATE_NO_PUSH_ACK] = r->pushes - r->push_acks;
	r->seconds = (double)(now_us() - run->began_us) / 1e6;
}

int simulate_run(const struct simulate_options *o, struct simulate_fleet *fleet,
	struct simulate_seen *seen, struct simulate_report *report, struct err *err)
{
	static const uint8_t blank[LORAWAN_KEY_OCTETS];
	struct run run = { .o = o, .fleet = fleet, .seen = seen, .report = report };
	int rc;

	if (uv_loop_init(&run.loop))
		return err_set(err, ERR_SYSTEM, "event loop: cannot be made");
	report->devices = fleet->count;
	run.began_us = now_us();
	run.gateway = calloc(o->gateways, sizeof(struct simulate_gateway *));
	run.actor = calloc(fleet->count, sizeof(*run.actor));
	rc = run.gateway && run.actor ? aes_new(blank, &run.ciphers.one, err)
				      : err_set(err, ERR_NOMEM, "simulation: out of memory");
	if (!rc)
		rc = aes_new(blank, &run.ciphers.two, err);
	if (!rc)
		rc = open_gateways(&run, err);
	if (!rc) {
		open_actors(&run);
		open_clocks(&run);
		uv_run(&run.loop, UV_RUN_DEFAULT);
		settle(&run);
	}
	close_run(&run);
	return rc;
}
