/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <string.h>

#include "check.h"
#include "crypto/aes.h"
#include "lorawan/crypt.h"

static const char *const nothing = "";

static void crypt_with(uint8_t key, enum lorawan_direction direction, uint32_t f_cnt,
	struct span in, uint8_t *out)
{
	uint8_t octets[16];
	struct aes *aes = NULL;
	struct block block;

	memset(octets, key, sizeof(octets));
	assert_int_equal(aes_new(octets, &aes, NULL), 0);
	block = aes_block(aes);
	crypt_frm(&block, direction, WORLD_ADDR, f_cnt, in, out);
	aes_free(aes);
}

void world_begin(struct world *w)
{
	static const struct event_tag tags[] = { { "floor", "2" } };
	const struct application_config config = { .hold_max = 4, .queue_max = 3 };
	const struct application_device device = { .dev_eui = WORLD_DEV,
		.has_join_eui = true,
		.join_eui = 0x70b3d57ed0fffff1u,
		.info = { .device_name = "meter \"7\"",
			.application_id = "b",
			.tags = tags,
			.tag_count = 1 } };

	memset(w, 0, sizeof(*w));
	w->now = 1000;
	assert_int_equal(application_new(&config, &w->app, NULL), 0);
	assert_int_equal(application_add_device(w->app, &device, NULL), 0);
}

void world_end(struct world *w)
{
	assert_false(w->two_time_pad);
	application_free(w->app);
}

void world_forget(struct world *w)
{
	w->said[0] = 0;
	w->events = w->asked = w->sent = w->answered = w->kept = w->dropped = 0;
	w->commands_answered = w->reports_answered = 0;
	strcpy(w->error, nothing);
}

/* What an eavesdropper at the NS would look for. */
static void note_spent(struct world *w)
{
	const struct application_send *s = &w->send;

	for (unsigned i = 0; i < w->spent_count; i++)
		if (w->spent[i].f_cnt == s->f_cnt &&
			memcmp(w->spent[i].key, w->session.app_s_key, 16) == 0 &&
			(w->spent[i].n != s->payload.n ||
				memcmp(w->spent[i].cipher, w->cipher, s->payload.n) != 0))
			w->two_time_pad = true;
	assert_true(w->spent_count < 256);
	memcpy(w->spent[w->spent_count].key, w->session.app_s_key, 16);
	memcpy(w->spent[w->spent_count].cipher, w->cipher, s->payload.n);
	w->spent[w->spent_count].n = (uint8_t)s->payload.n;
	w->spent[w->spent_count++].f_cnt = s->f_cnt;
}

static void act(struct world *w, const struct application_work *work)
{
	switch (work->act) {
	case APPLICATION_NO_ACT: break;
	case APPLICATION_ASK_KEY:
		w->asked++;
		w->ask = work->ask;
		break;
	case APPLICATION_SEND:
		w->sent++;
		w->send = work->send;
		memcpy(w->cipher, work->send.payload.p, work->send.payload.n);
		assert_true(w->session.down_floor > work->send.f_cnt);
		note_spent(w);
		break;
	case APPLICATION_ANSWER_UPLINK:
		w->verdict = work->verdict;
		w->tickets[w->answered % 64] = work->ticket;
		w->verdicts[w->answered++ % 64] = work->verdict;
		break;
	case APPLICATION_ANSWER_REPORT:
		w->reports_answered++;
		w->report_kept = work->kept;
		break;
	case APPLICATION_ANSWER_COMMAND:
		w->commands_answered++;
		strcpy(w->error, work->error ? work->error : "");
		break;
	}
}

static bool do_work(struct world *w, const struct application_work *work)
{
	if (work->lines.n) {
		if (w->lines_fail)
			return false;
		assert_true(strlen(w->said) + work->lines.n < sizeof(w->said));
		strncat(w->said, (const char *)work->lines.p, work->lines.n);
		for (size_t i = 0; i < work->lines.n; i++)
			w->events += work->lines.p[i] == '\n';
	}
	if (work->keep_session || work->keep_downlink || work->drop_downlink) {
		if (w->disk_fails)
			return false;
		w->kept++;
		w->dropped += work->drop_downlink != NULL;
		if (work->keep_session)
			w->session = *work->keep_session;
		if (work->keep_downlink)
			w->downlink = *work->keep_downlink;
	}
	if (w->act_fails && work->act == APPLICATION_SEND)
		return false;
	act(w, work);
	return true;
}

void world_turn(struct world *w)
{
	struct application_work work;

	while (application_next(w->app, w->now, 1700000000123, &work))
		application_done(w->app, do_work(w, &work), w->now);
}

struct session_id world_id(uint8_t octet)
{
	struct session_id id = { .n = 16 };

	memset(id.octets, octet, 16);
	return id;
}

void world_key(struct world *w, uint8_t id, enum application_key verdict, uint8_t key)
{
	struct session_id session = world_id(id);
	uint8_t octets[16];

	memset(octets, key, sizeof(octets));
	application_key(w->app, WORLD_DEV, &session, verdict, octets, w->now);
	world_turn(w);
}

struct uplink world_frame(uint8_t id, uint8_t key, uint32_t f_cnt, const char *text)
{
	struct uplink u = { .net_id = WORLD_NS,
		.dev_eui = WORLD_DEV,
		.dev_addr = WORLD_ADDR,
		.session = world_id(id),
		.f_cnt = f_cnt,
		.has_f_port = true,
		.f_port = 7,
		.has_f_cnt_down = true,
		.dr = 5,
		.frequency_hz = 868100000,
		.bandwidth_hz = 125000,
		.spreading_factor = 7,
		.code_rate = "4/5",
		.region = "EU868",
		.time = "2026-11-22T04:31:05Z",
		.n = (uint8_t)strlen(text),
		.gateway_count = 1,
		.gateway[0] = { .gateway_id = 0x0102030405060708, .rssi = -57, .snr = 9.5 } };

	crypt_with(key, LORAWAN_UP, f_cnt, (struct span){ (const uint8_t *)text, strlen(text) },
		u.payload);
	return u;
}

void world_uplink(struct world *w, const struct uplink *u, uint64_t ticket)
{
	assert_int_equal(application_uplink(w->app, u, ticket, w->now), 0);
	world_turn(w);
}

void world_command(struct world *w, const char *id, const char *text, bool confirmed)
{
	struct command c = { .dev_eui = WORLD_DEV,
		.confirmed = confirmed,
		.f_port = 9,
		.n = (uint8_t)strlen(text) };

	memcpy(c.data, text, c.n);
	strcpy(c.id, id);
	assert_int_equal(application_command(w->app, &c, 77), 0);
	world_turn(w);
}

void world_handed(struct world *w, enum application_handed handed, int64_t next)
{
	uint32_t n = (uint32_t)next;

	application_handed(w->app, WORLD_DEV, w->send.number, handed, next < 0 ? NULL : &n, w->now);
	world_turn(w);
}

void world_report(struct world *w, uint32_t f_cnt, enum application_report_kind kind)
{
	struct application_report r = { .net_id = WORLD_NS,
		.dev_eui = WORLD_DEV,
		.f_cnt = f_cnt,
		.kind = kind };

	assert_int_equal(application_report(w->app, &r, 88), 0);
	world_turn(w);
}

const char *world_opened(struct world *w, uint8_t key)
{
	static char text[DOWNLINK_PAYLOAD_MAX + 1];

	crypt_with(key, LORAWAN_DOWN, w->send.f_cnt, (struct span){ w->cipher, w->send.payload.n },
		(uint8_t *)text);
	text[w->send.payload.n] = 0;
	return text;
}
