/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/message.h"

#include <string.h>

#define CLASS_IN      1
#define HEADER_OCTETS 12

#define FLAG_QR 0x8000
#define FLAG_AA 0x0400
#define FLAG_TC 0x0200
#define FLAG_RD 0x0100
#define FLAG_RA 0x0080
#define FLAG_AD 0x0020

struct record {
	struct name owner;
	uint16_t type, class;
	uint32_t ttl_s;
	size_t rdata_at, rdata_n;
};

/* The labels from start on; a pointer may only lead to before the label run it ends. */
static int unpack(struct span octets, size_t start, struct name *out, size_t *end)
{
	struct name name = { 0 };
	size_t at = start, run = start, n = 0;
	bool jumped = false;

	for (;;) {
		uint8_t length;

		if (at >= octets.n)
			return ERR_FORMAT;
		length = octets.p[at++];
		/* RFC 1035 section 4.1.4: two high bits make a pointer. */
		if (length >= 0xc0) {
			size_t target;

			if (at >= octets.n)
				return ERR_FORMAT;
			target = (size_t)(length & 0x3f) << 8 | octets.p[at++];
			if (!jumped)
				*end = at;
			if (target >= run)
				return ERR_FORMAT;
			jumped = true;
			at = run = target;
			continue;
		}
		if (length > NAME_LABEL_MAX || length > octets.n - at ||
			n + length + 1u + (length ? 1u : 0u) > NAME_WIRE_MAX)
			return ERR_FORMAT;
		name.wire[n++] = length;
		if (length == 0)
			break;
		memcpy(name.wire + n, octets.p + at, length);
		n += length;
		at += length;
	}
	if (!jumped)
		*end = at;
	name.n = (uint8_t)n;
	*out = name;
	return 0;
}

static struct cursor cursor_at(struct span octets, size_t at)
{
	return cursor_over((struct span){ octets.p + at, octets.n - at });
}

static int read_record(struct span octets, size_t *at, struct record *out)
{
	struct record r;
	struct cursor c;
	size_t end;

	if (unpack(octets, *at, &r.owner, &end))
		return ERR_FORMAT;
	c = cursor_at(octets, end);
	r.type = cursor_u16_be(&c);
	r.class = cursor_u16_be(&c);
	r.ttl_s = cursor_u32_be(&c);
	r.rdata_n = cursor_u16_be(&c);
	r.rdata_at = end + 10;
	cursor_take(&c, r.rdata_n);
	if (c.bad)
		return ERR_FORMAT;
	/* RFC 2181 section 8: a TTL with the high bit set is zero. */
	if (r.ttl_s > INT32_MAX && r.type != RR_OPT)
		r.ttl_s = 0;
	*at = r.rdata_at + r.rdata_n;
	*out = r;
	return 0;
}

static int skip_records(struct span octets, size_t *at, uint16_t count)
{
	struct record r;

	for (uint16_t i = 0; i < count; i++)
		if (read_record(octets, at, &r))
			return ERR_FORMAT;
	return 0;
}

/* RFC 6891 section 6.1.3: one OPT at most; it brings eight more bits of rcode. */
static int read_additional(struct span octets, size_t *at, uint16_t count, uint16_t *rcode)
{
	bool seen = false;
	struct record r;

	for (uint16_t i = 0; i < count; i++) {
		if (read_record(octets, at, &r))
			return ERR_FORMAT;
		if (r.type != RR_OPT)
			continue;
		if (seen || r.owner.n != 1)
			return ERR_FORMAT;
		seen = true;
		*rcode |= (uint16_t)(r.ttl_s >> 24 << 4);
	}
	return 0;
}

int message_read(struct span octets, struct message *out)
{
	struct message m = { .octets = octets, .question_at = HEADER_OCTETS };
	struct cursor c = cursor_over(octets);
	uint16_t flags, questions, additional;
	struct name name;
	size_t at;

	if (octets.n < HEADER_OCTETS || octets.n > MESSAGE_OCTETS_MAX)
		return ERR_FORMAT;
	m.id = cursor_u16_be(&c);
	flags = cursor_u16_be(&c);
	questions = cursor_u16_be(&c);
	m.answers = cursor_u16_be(&c);
	m.authority = cursor_u16_be(&c);
	additional = cursor_u16_be(&c);
	m.response = flags & FLAG_QR;
	m.authoritative = flags & FLAG_AA;
	m.truncated = flags & FLAG_TC;
	m.recursion_available = flags & FLAG_RA;
	m.authentic = flags & FLAG_AD;
	m.rcode = flags & 15;
	if (questions != 1 || unpack(octets, HEADER_OCTETS, &name, &at) || octets.n - at < 4)
		return ERR_FORMAT;
	m.answers_at = at += 4;
	if (skip_records(octets, &at, m.answers))
		return ERR_FORMAT;
	m.authority_at = at;
	if (skip_records(octets, &at, m.authority) ||
		read_additional(octets, &at, additional, &m.rcode) || at != octets.n)
		return ERR_FORMAT;
	*out = m;
	return 0;
}

int message_read_last(struct span octets, struct message_last *out)
{
	struct cursor c = cursor_over(octets);
	size_t at = HEADER_OCTETS, from = 0;
	uint16_t questions;
	uint32_t records;
	struct record r;
	struct name name;

	cursor_u32_be(&c); /* ID and flags */
	questions = cursor_u16_be(&c);
	records = cursor_u16_be(&c);
	records += cursor_u16_be(&c);
	records += cursor_u16_be(&c);
	/* an answer to an update may leave its question out */
	if (c.bad || octets.n > MESSAGE_OCTETS_MAX || questions > 1 || records == 0)
		return ERR_FORMAT;
	if (questions && (unpack(octets, at, &name, &at) || octets.n - at < 4))
		return ERR_FORMAT;
	at += questions ? 4 : 0;
	for (uint32_t i = 0; i < records; i++) {
		from = at;
		if (read_record(octets, &at, &r))
			return ERR_FORMAT;
	}
	if (at != octets.n)
		return ERR_FORMAT;
	*out = (struct message_last){
		.at = from,
		.owner = r.owner,
		.type = r.type,
		.class = r.class,
		.ttl_s = r.ttl_s,
		.rdata = { octets.p + r.rdata_at, r.rdata_n },
	};
	return 0;
}

bool message_asks(const struct message *m, const struct name *name, uint16_t type)
{
	struct name asked;
	struct cursor c;
	uint16_t got_type, got_class;
	size_t at;

	if (unpack(m->octets, m->question_at, &asked, &at))
		return false;
	c = cursor_at(m->octets, at);
	got_type = cursor_u16_be(&c);
	got_class = cursor_u16_be(&c);
	return !c.bad && name_equal(&asked, name) && got_type == type && got_class == CLASS_IN;
}

/* Where the names are in the data of the types that may compress them: fixed octets
 * before, character strings before, names, fixed octets after. RFC 3597 section 4. */
static const struct layout {
	uint16_t type;
	uint8_t before, strings, names, after;
} layouts[] = {
	{ RR_NS, 0, 0, 1, 0 },
	{ RR_CNAME, 0, 0, 1, 0 },
	{ RR_PTR, 0, 0, 1, 0 },
	{ RR_DNAME, 0, 0, 1, 0 },
	{ RR_SOA, 0, 0, 2, 20 },
	{ RR_SRV, 6, 0, 1, 0 },
	{ RR_NAPTR, 4, 3, 1, 0 },
	{ RR_MX, 2, 0, 1, 0 },
};

static const struct layout *layout_of(uint16_t type)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].type == type)
			return &layouts[i];
	return NULL;
}

static int copy_rdata(const struct message *m, const struct record *r, struct sink *room)
{
	const struct layout *l = layout_of(r->type);
	size_t at = r->rdata_at, end = at + r->rdata_n;
	struct name name;

	if (!l) {
		sink_put(room, (struct span){ m->octets.p + at, r->rdata_n });
		return 0;
	}
	at += l->before;
	for (uint8_t i = 0; i < l->strings; i++) {
		if (at >= end)
			return ERR_FORMAT;
		at += 1u + m->octets.p[at];
	}
	if (at > end)
		return ERR_FORMAT;
	sink_put(room, (struct span){ m->octets.p + r->rdata_at, at - r->rdata_at });
	for (uint8_t i = 0; i < l->names; i++) {
		if (at >= end || unpack(m->octets, at, &name, &at))
			return ERR_FORMAT;
		sink_put(room, (struct span){ name.wire, name.n });
	}
	if (at > end || end - at != l->after)
		return ERR_FORMAT;
	sink_put(room, (struct span){ m->octets.p + at, l->after });
	return 0;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* One link of the chain: the CNAME at f->final, if there is one. */
static int follow(const struct message *m, struct message_found *f, bool *moved)
{
	size_t at = m->answers_at, end;
	struct name target;
	struct record r;

	*moved = false;
	for (uint16_t i = 0; i < m->answers; i++) {
		if (read_record(m->octets, &at, &r))
			return ERR_FORMAT;
		if (r.type != RR_CNAME || r.class != CLASS_IN || !name_equal(&r.owner, &f->final))
			continue;
		/* RFC 2181 section 10.1: a name has one CNAME at most. */
		if (*moved || unpack(m->octets, r.rdata_at, &target, &end) ||
			end != r.rdata_at + r.rdata_n)
			return ERR_FORMAT;
		f->ttl_s = least(f->ttl_s, r.ttl_s);
		*moved = true;
	}
	if (*moved) {
		f->final = target;
		f->aliased = true;
	}
	return 0;
}

static int collect(const struct message *m, uint16_t type, struct sink *room, struct span *rdata,
	uint16_t max, struct message_found *f)
{
	size_t at = m->answers_at;
	struct record r;

	for (uint16_t i = 0; i < m->answers; i++) {
		size_t before = room->n;

		if (read_record(m->octets, &at, &r))
			return ERR_FORMAT;
		if (r.type != type || r.class != CLASS_IN || !name_equal(&r.owner, &f->final))
			continue;
		if (f->count == max)
			return ERR_SPACE;
		if (copy_rdata(m, &r, room))
			return ERR_FORMAT;
		if (!sink_fits(room))
			return ERR_SPACE;
		rdata[f->count++] = (struct span){ room->p + before, room->n - before };
		f->ttl_s = least(f->ttl_s, r.ttl_s);
	}
	return 0;
}

/* RFC 2308 section 5: the lesser of the SOA's own TTL and its MINIMUM field. */
static int denial_ttl(const struct message *m, struct message_found *f)
{
	uint8_t soa[2 * NAME_WIRE_MAX + 20];
	size_t at = m->authority_at;
	struct record r;

	for (uint16_t i = 0; i < m->authority; i++) {
		struct sink s = sink_into(soa, sizeof(soa));
		struct cursor c;

		if (read_record(m->octets, &at, &r))
			return ERR_FORMAT;
		if (r.type != RR_SOA || r.class != CLASS_IN || !name_is_within(&f->final, &r.owner))
			continue;
		if (copy_rdata(m, &r, &s) || !sink_fits(&s))
			return ERR_FORMAT;
		c = cursor_over((struct span){ s.p + s.n - 4, 4 });
		f->ttl_s = least(f->ttl_s, least(r.ttl_s, cursor_u32_be(&c)));
		return 0;
	}
	f->ttl_s = 0;
	return 0;
}

int message_find(const struct message *m, const struct name *name, uint16_t type, struct sink *room,
	struct span *rdata, uint16_t rdata_max, struct message_found *out)
{
	struct message_found f = { .final = *name, .ttl_s = INT32_MAX };
	bool moved = type != RR_CNAME;
	int rc;

	for (unsigned link = 0; moved; link++) {
		if (link > MESSAGE_CHAIN_MAX || follow(m, &f, &moved))
			return ERR_FORMAT;
	}
	rc = collect(m, type, room, rdata, rdata_max, &f);
	if (!rc && f.count == 0)
		rc = denial_ttl(m, &f);
	if (!rc)
		*out = f;
	return rc;
}

/* RFC 4034 section 3.1: type covered, algorithm, labels, original TTL, expiration, ... */
static int read_signature(const struct message *m, const struct record *r, uint16_t *covers,
	uint32_t *ttl_s, uint32_t *until_s)
{
	struct cursor c = cursor_over((struct span){ m->octets.p + r->rdata_at, r->rdata_n });

	*covers = cursor_u16_be(&c);
	cursor_take(&c, 2);
	*ttl_s = cursor_u32_be(&c);
	*until_s = cursor_u32_be(&c);
	return c.bad ? ERR_FORMAT : 0;
}

bool message_signed_until(const struct message *m, const struct name *owner, uint16_t type,
	uint32_t *until_s)
{
	unsigned records = (unsigned)m->answers + m->authority;
	size_t at = m->answers_at;
	bool any = false, covered = false;
	uint32_t first = 0, until, ttl_s;
	uint16_t covers;
	struct record r;

	for (unsigned i = 0; i < records; i++) {
		if (read_record(m->octets, &at, &r))
			return false;
		if (r.type != RR_RRSIG || r.class != CLASS_IN)
			continue;
		/* RFC 1035 section 3.2.1: with a TTL of zero it is for this transaction alone. */
		if (read_signature(m, &r, &covers, &ttl_s, &until) || ttl_s == 0)
			return false;
		/* RFC 1982: the sooner of two that are less than half the circle apart. */
		if (!any || until - first > INT32_MAX)
			first = until;
		any = true;
		covered = covered || (covers == type && name_equal(&r.owner, owner));
	}
	if (covered)
		*until_s = first;
	return covered;
}

int message_write_query(uint16_t id, const struct name *name, uint16_t type, struct sink *out)
{
	sink_u16_be(out, id);
	sink_u16_be(out, FLAG_RD | FLAG_AD);
	sink_u16_be(out, 1);
	sink_u16_be(out, 0);
	sink_u16_be(out, 0);
	sink_u16_be(out, 1);
	sink_put(out, (struct span){ name->wire, name->n });
	sink_u16_be(out, type);
	sink_u16_be(out, CLASS_IN);
	/* RFC 6891 section 6.1.2: the root, OPT, octets we take, no flags, no options. */
	sink_u8(out, 0);
	sink_u16_be(out, RR_OPT);
	sink_u16_be(out, MESSAGE_UDP_OCTETS);
	sink_u32_be(out, 0);
	sink_u16_be(out, 0);
	return sink_fits(out) ? 0 : ERR_SPACE;
}
