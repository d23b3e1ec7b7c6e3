/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/wire.h"

#include <string.h>

uint8_t wire_kind(struct span packet)
{
	return packet.n ? packet.p[0] : 0;
}

unsigned wire_version(struct span packet)
{
	return packet.n > 1 && packet.p[1] > 1 ? packet.p[1] : 1;
}

static void put_text(struct sink *s, const char *text)
{
	size_t n = text ? strlen(text) + 1 : 0;

	if (n > WIRE_TEXT_MAX) {
		s->bad = true;
		return;
	}
	sink_u16_be(s, (uint16_t)n);
	sink_put(s, (struct span){ (const uint8_t *)text, n });
}

static const char *take_text(struct cursor *c)
{
	struct span text = cursor_take(c, cursor_u16_be(c));

	if (text.n == 0)
		return NULL;
	if (text.n > WIRE_TEXT_MAX || memchr(text.p, 0, text.n) != text.p + text.n - 1) {
		c->bad = true;
		return NULL;
	}
	return (const char *)text.p;
}

static const char *take_words(struct cursor *c)
{
	const char *text = take_text(c);

	return text ? text : "";
}

static bool take_bool(struct cursor *c)
{
	uint8_t v = cursor_u8(c);

	if (v > 1)
		c->bad = true;
	return v == 1;
}

static struct cursor begin(struct span packet, enum wire_kind kind)
{
	struct cursor c = cursor_over(packet);

	if (cursor_u8(&c) != kind)
		c.bad = true;
	return c;
}

static int fits(const struct sink *s)
{
	return sink_fits(s) ? 0 : ERR_SPACE;
}

int wire_write_config(const struct wire_config *config, struct sink *out)
{
	if (config->forward_count > WIRE_FORWARD_MAX || config->stub_count > WIRE_STUB_MAX)
		return ERR_SPACE;
	sink_u8(out, WIRE_CONFIG);
	sink_u8(out, WIRE_VERSION);
	sink_u8(out, config->anchor_builtin);
	put_text(out, config->anchor_file);
	put_text(out, config->anchor_managed);
	put_text(out, config->val_override_date);
	put_text(out, config->user);
	sink_u16_be(out, config->forward_count);
	for (uint16_t i = 0; i < config->forward_count; i++)
		put_text(out, config->forward[i]);
	sink_u16_be(out, config->stub_count);
	for (uint16_t i = 0; i < config->stub_count; i++) {
		put_text(out, config->stub[i].zone);
		put_text(out, config->stub[i].server);
	}
	return fits(out);
}

int wire_read_config(struct span packet, struct wire_config *out)
{
	struct cursor c = begin(packet, WIRE_CONFIG);
	struct wire_config config = { 0 };

	if (cursor_u8(&c) != WIRE_VERSION)
		return ERR_FORMAT;
	config.anchor_builtin = take_bool(&c);
	config.anchor_file = take_text(&c);
	config.anchor_managed = take_text(&c);
	config.val_override_date = take_text(&c);
	config.user = take_text(&c);
	config.forward_count = cursor_u16_be(&c);
	if (config.forward_count > WIRE_FORWARD_MAX)
		return ERR_FORMAT;
	for (uint16_t i = 0; i < config.forward_count; i++) {
		config.forward[i] = take_text(&c);
		c.bad = c.bad || !config.forward[i];
	}
	config.stub_count = cursor_u16_be(&c);
	if (config.stub_count > WIRE_STUB_MAX)
		return ERR_FORMAT;
	for (uint16_t i = 0; i < config.stub_count; i++) {
		config.stub[i].zone = take_text(&c);
		config.stub[i].server = take_text(&c);
		c.bad = c.bad || !config.stub[i].zone || !config.stub[i].server;
	}
	if (!cursor_done(&c))
		return ERR_FORMAT;
	*out = config;
	return 0;
}

int wire_write_ready(const struct wire_ready *ready, struct sink *out)
{
	sink_u8(out, WIRE_READY);
	sink_u8(out, ready->ok ? WIRE_VERSION : 0);
	put_text(out, ready->words[0] ? ready->words : NULL);
	return fits(out);
}

int wire_read_ready(struct span packet, struct wire_ready *out)
{
	struct cursor c = begin(packet, WIRE_READY);
	uint8_t version = cursor_u8(&c);
	struct wire_ready ready = { .ok = version == WIRE_VERSION, .words = take_words(&c) };

	if ((version != 0 && !ready.ok) || !cursor_done(&c))
		return ERR_FORMAT;
	*out = ready;
	return 0;
}

int wire_write_question(const struct wire_question *q, struct sink *out)
{
	sink_u8(out, WIRE_QUESTION);
	sink_u32_be(out, q->id);
	sink_u16_be(out, q->question.type);
	sink_put(out, (struct span){ q->question.name.wire, q->question.name.n });
	return fits(out);
}

int wire_read_question(struct span packet, struct wire_question *out)
{
	struct cursor c = begin(packet, WIRE_QUESTION);
	struct wire_question q = { .id = cursor_u32_be(&c) };

	q.question.type = cursor_u16_be(&c);
	if (name_read(&c, &q.question.name) || !cursor_done(&c))
		return ERR_FORMAT;
	*out = q;
	return 0;
}

int wire_write_answer(const struct wire_answer *a, struct sink *out)
{
	size_t octets = 0;

	if (a->count > WIRE_RECORDS_MAX || strlen(a->why) >= ANSWER_WHY_MAX)
		return ERR_SPACE;
	sink_u8(out, WIRE_ANSWER);
	sink_u32_be(out, a->id);
	sink_u8(out, (uint8_t)a->status);
	sink_u8(out, a->nxdomain);
	sink_u16_be(out, a->rcode);
	sink_u32_be(out, a->ttl_s);
	sink_u32_be(out, a->signed_for_s);
	sink_put(out, (struct span){ a->final.wire, a->final.n });
	put_text(out, a->why[0] ? a->why : NULL);
	sink_u16_be(out, a->count);
	for (uint16_t i = 0; i < a->count; i++) {
		octets += a->rdata[i].n;
		if (octets > WIRE_RDATA_MAX)
			return ERR_SPACE;
		sink_u16_be(out, (uint16_t)a->rdata[i].n);
		sink_put(out, a->rdata[i]);
	}
	return fits(out);
}

/* Only secure and insecure answers have records; a secure one has at least one. */
static bool may_hold(enum answer_status status, uint16_t count)
{
	switch (status) {
	case ANSWER_SECURE: return count > 0;
	case ANSWER_INSECURE: return true;
	case ANSWER_FAILED:
	case ANSWER_DENIAL:
	case ANSWER_BOGUS: return count == 0;
	}
	return false;
}

static int read_records(struct cursor *c, struct wire_answer *a)
{
	size_t octets = 0;

	a->count = cursor_u16_be(c);
	if (a->count > WIRE_RECORDS_MAX)
		return ERR_FORMAT;
	for (uint16_t i = 0; i < a->count; i++) {
		a->rdata[i] = cursor_take(c, cursor_u16_be(c));
		octets += a->rdata[i].n;
	}
	return octets <= WIRE_RDATA_MAX && cursor_done(c) ? 0 : ERR_FORMAT;
}

int wire_read_answer(struct span packet, struct wire_answer *out)
{
	struct cursor c = begin(packet, WIRE_ANSWER);
	struct wire_answer a = { .id = cursor_u32_be(&c) };
	uint8_t status = cursor_u8(&c);

	a.nxdomain = take_bool(&c);
	a.rcode = cursor_u16_be(&c);
	a.ttl_s = cursor_u32_be(&c);
	a.signed_for_s = cursor_u32_be(&c);
	if (status > ANSWER_BOGUS || a.ttl_s > INT32_MAX || a.signed_for_s > INT32_MAX ||
		name_read(&c, &a.final))
		return ERR_FORMAT;
	a.status = (enum answer_status)status;
	a.why = take_words(&c);
	if (strlen(a.why) >= ANSWER_WHY_MAX || read_records(&c, &a))
		return ERR_FORMAT;
	if (!may_hold(a.status, a.count))
		return ERR_FORMAT;
	*out = a;
	return 0;
}
