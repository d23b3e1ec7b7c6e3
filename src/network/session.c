/* SPDX-License-Identifier: Apache-2.0 */
#include "network/session.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/sink.h"
#include "core/secret.h"

#define BLOB_VERSION 1

int session_table_init(struct session_table *t, uint32_t max, struct err *err)
{
	struct session_table made = { .max = max, .buckets = 64 };

	while (made.buckets < max)
		made.buckets *= 2;
	made.by_addr = calloc(made.buckets, sizeof(struct session *));
	made.by_eui = calloc(made.buckets, sizeof(struct session *));
	if (!made.by_addr || !made.by_eui) {
		session_table_done(&made);
		return err_set(err, ERR_NOMEM, "sessions: no memory for %u", max);
	}
	*t = made;
	return 0;
}

void session_wipe(struct session *s)
{
	secret_wipe_octets(s, sizeof(*s));
}

static void drop(struct session *s)
{
	while (s->queued)
		session_pop(s);
	session_wipe(s);
	free(s);
}

void session_table_done(struct session_table *t)
{
	for (uint32_t i = 0; t->by_eui && i < t->buckets; i++)
		while (t->by_eui[i]) {
			struct session *s = t->by_eui[i];

			t->by_eui[i] = s->same_eui;
			drop(s);
		}
	free(t->by_addr);
	free(t->by_eui);
	*t = (struct session_table){ 0 };
}

static uint32_t mix(uint64_t v)
{
	return (uint32_t)((v ^ v >> 29) * 0x9e3779b97f4a7c15u >> 32);
}

static struct session **addr_bucket(const struct session_table *t, uint32_t dev_addr)
{
	return &t->by_addr[mix(dev_addr) & (t->buckets - 1)];
}

static struct session **eui_bucket(const struct session_table *t, uint64_t dev_eui)
{
	return &t->by_eui[mix(dev_eui) & (t->buckets - 1)];
}

void session_remove(struct session_table *t, struct session *s)
{
	struct session **link = addr_bucket(t, s->dev_addr);

	while (*link != s)
		link = &(*link)->same_addr;
	*link = s->same_addr;
	link = eui_bucket(t, s->dev_eui);
	while (*link != s)
		link = &(*link)->same_eui;
	*link = s->same_eui;
	t->count--;
	drop(s);
}

struct session *session_by_eui(const struct session_table *t, uint64_t dev_eui,
	const struct session *s)
{
	struct session *next = s ? s->same_eui : *eui_bucket(t, dev_eui);

	while (next && next->dev_eui != dev_eui)
		next = next->same_eui;
	return next;
}

struct session *session_of_device(const struct session_table *t, uint64_t dev_eui,
	uint64_t join_eui, enum session_slot slot)
{
	struct session *s = session_by_eui(t, dev_eui, NULL);

	while (s && (s->join_eui != join_eui || s->slot != slot))
		s = session_by_eui(t, dev_eui, s);
	return s;
}

struct session *session_by_addr(const struct session_table *t, uint32_t dev_addr,
	const struct session *s)
{
	struct session *next = s ? s->same_addr : *addr_bucket(t, dev_addr);

	while (next && next->dev_addr != dev_addr)
		next = next->same_addr;
	return next;
}

int session_add(struct session_table *t, const struct session *in, struct session **out,
	struct err *err)
{
	struct session *old = session_of_device(t, in->dev_eui, in->join_eui, in->slot), *s;

	if (!old && t->count >= t->max)
		return err_set(err, ERR_SPACE, "sessions: all %u are in use", t->max);
	s = malloc(sizeof(*s));
	if (!s)
		return err_set(err, ERR_NOMEM, "session: no memory");
	if (old)
		session_remove(t, old);
	*s = *in;
	s->same_addr = *addr_bucket(t, s->dev_addr);
	*addr_bucket(t, s->dev_addr) = s;
	s->same_eui = *eui_bucket(t, s->dev_eui);
	*eui_bucket(t, s->dev_eui) = s;
	t->count++;
	*out = s;
	return 0;
}

bool session_as_is(const struct session *s, const char *as_id)
{
	const char *own = s->as_id;

	if (!*own)
		return false;
	while (*own && tolower((unsigned char)*own) == tolower((unsigned char)*as_id)) {
		own++;
		as_id++;
	}
	return !*own && !*as_id;
}

void session_confirm(struct session_table *t, struct session *s)
{
	struct session *old = session_of_device(t, s->dev_eui, s->join_eui, SESSION_ACTIVE);

	if (s->slot == SESSION_ACTIVE)
		return;
	if (old)
		session_remove(t, old);
	s->slot = SESSION_ACTIVE;
}

uint32_t *session_down_counter(struct session *s, bool application)
{
	return s->lw11 && application ? &s->a_f_cnt_down : &s->n_f_cnt_down;
}

int session_push(struct session *s, const struct session_item *item)
{
	struct session_item *copy;

	if (s->queued == SESSION_QUEUE_MAX)
		return ERR_SPACE;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return ERR_NOMEM;
	*copy = *item;
	s->queue[s->queued++] = copy;
	return 0;
}

void session_pop(struct session *s)
{
	free(s->queue[0]);
	s->queued--;
	for (unsigned i = 0; i < s->queued; i++)
		s->queue[i] = s->queue[i + 1];
	s->tries = 0;
}

uint32_t session_down_expected(struct session *s)
{
	uint32_t next = *session_down_counter(s, true);

	if (s->queued && s->queue[s->queued - 1]->f_cnt >= next)
		next = s->queue[s->queued - 1]->f_cnt + 1;
	return next;
}

static void put_text(struct sink *out, const char *text)
{
	size_t n = strlen(text);

	sink_u16_be(out, (uint16_t)n);
	sink_put(out, (struct span){ (const uint8_t *)text, n });
}

static void take_text(struct cursor *in, char *out, size_t cap)
{
	struct span text = cursor_take(in, cursor_u16_be(in));

	if (text.n >= cap) {
		in->bad = true;
		return;
	}
	if (text.n)
		memcpy(out, text.p, text.n);
	out[text.n] = 0;
}

static void take_octets(struct cursor *in, uint8_t *out, size_t n)
{
	struct span octets = cursor_take(in, n);

	if (n && octets.n == n)
		memcpy(out, octets.p, n);
}

int session_write(const struct session *s, uint8_t *out, size_t cap, size_t *n)
{
	struct sink w = sink_into(out, cap);

	sink_u8(&w, BLOB_VERSION);
	sink_u8(&w,
		(uint8_t)(s->slot | s->lw11 << 1 | s->abp << 2 | s->up_any << 3 |
			s->conf_down << 4 | s->down_exhausted << 5));
	sink_u64_be(&w, s->dev_eui);
	sink_u64_be(&w, s->join_eui);
	sink_u32_be(&w, s->dev_addr);
	sink_put(&w, (struct span){ s->f_nwk_s_int, LORAWAN_KEY_OCTETS });
	sink_put(&w, (struct span){ s->s_nwk_s_int, LORAWAN_KEY_OCTETS });
	sink_put(&w, (struct span){ s->nwk_s_enc, LORAWAN_KEY_OCTETS });
	sink_u8(&w, (uint8_t)s->key_id.n);
	sink_put(&w, (struct span){ s->key_id.octets, s->key_id.n });
	put_text(&w, s->as_url);
	put_text(&w, s->as_id);
	sink_u32_be(&w, s->f_cnt_up_next);
	sink_put(&w, (struct span){ s->last_mic, LORAWAN_MIC_OCTETS });
	sink_u8(&w, s->repeats);
	sink_u32_be(&w, s->n_f_cnt_down);
	sink_u32_be(&w, s->a_f_cnt_down);
	sink_u32_be(&w, s->conf_f_cnt_down);
	sink_u8(&w, s->rx_delay);
	sink_u8(&w, s->rx1_offset);
	sink_u8(&w, s->rx2_rate);
	sink_u32_be(&w, s->rx2_hz);
	sink_u8(&w, s->rate);
	sink_u8(&w, s->power);
	sink_u8(&w, s->transmissions);
	sink_u8(&w, s->battery);
	sink_u8(&w, (uint8_t)s->margin);
	if (!sink_fits(&w))
		return ERR_SPACE;
	*n = w.n;
	return 0;
}

static void take_identity(struct cursor *in, struct session *s)
{
	uint8_t flags = cursor_u8(in);

	s->slot = flags & 1 ? SESSION_PENDING : SESSION_ACTIVE;
	s->lw11 = flags & 2;
	s->abp = flags & 4;
	s->up_any = flags & 8;
	s->conf_down = flags & 16;
	s->down_exhausted = flags & 32;
	s->dev_eui = cursor_u64_be(in);
	s->join_eui = cursor_u64_be(in);
	s->dev_addr = cursor_u32_be(in);
	take_octets(in, s->f_nwk_s_int, LORAWAN_KEY_OCTETS);
	take_octets(in, s->s_nwk_s_int, LORAWAN_KEY_OCTETS);
	take_octets(in, s->nwk_s_enc, LORAWAN_KEY_OCTETS);
	s->key_id.n = cursor_u8(in);
	if (s->key_id.n > JOINING_SESSION_MAX) {
		in->bad = true;
		return;
	}
	take_octets(in, s->key_id.octets, s->key_id.n);
	take_text(in, s->as_url, sizeof(s->as_url));
	take_text(in, s->as_id, sizeof(s->as_id));
}

static void take_state(struct cursor *in, struct session *s)
{
	s->f_cnt_up_next = cursor_u32_be(in);
	take_octets(in, s->last_mic, LORAWAN_MIC_OCTETS);
	s->repeats = cursor_u8(in);
	s->n_f_cnt_down = cursor_u32_be(in);
	s->a_f_cnt_down = cursor_u32_be(in);
	s->conf_f_cnt_down = cursor_u32_be(in);
	s->rx_delay = cursor_u8(in);
	s->rx1_offset = cursor_u8(in);
	s->rx2_rate = cursor_u8(in);
	s->rx2_hz = cursor_u32_be(in);
	s->rate = cursor_u8(in);
	s->power = cursor_u8(in);
	s->transmissions = cursor_u8(in);
	s->battery = cursor_u8(in);
	s->margin = (int8_t)cursor_u8(in);
}

int session_read(struct span blob, struct session *out, struct err *err)
{
	struct cursor in = cursor_over(blob);
	struct session s = { 0 };
	uint8_t version = cursor_u8(&in);

	if (version != BLOB_VERSION)
		return err_set(err, ERR_FORMAT, "session: form %u, this program reads %u", version,
			BLOB_VERSION);
	take_identity(&in, &s);
	take_state(&in, &s);
	if (!cursor_done(&in)) {
		session_wipe(&s);
		return err_set(err, ERR_FORMAT, "session: %zu octets do not follow form %u", blob.n,
			BLOB_VERSION);
	}
	*out = s;
	session_wipe(&s);
	return 0;
}
