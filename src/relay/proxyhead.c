/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/proxyhead.h"

#include <string.h>

#include "base/sink.h"

#define SIGNATURE_OCTETS 12
#define LOCAL            0x20 /* version 2, and the command */
#define PROXY            0x21
#define TCP4             0x11
#define TCP6             0x21
#define UNSPEC           0x00
#define TCP4_OCTETS      12
#define TCP6_OCTETS      36

#define TYPE_ALPN       0x01
#define TYPE_AUTHORITY  0x02
#define TYPE_SSL        0x20
#define SSL_VERSION     0x21
#define SSL_CN          0x22
#define SSL_CIPHER      0x23
#define SSL_CLIENT_CERT 0x28

#define CLIENT_SSL       0x01
#define CLIENT_CERT_CONN 0x02
#define CLIENT_CERT_SESS 0x04

#define DANE_VERSION 1
#define SPKI_OCTETS  32

static const uint8_t signature[SIGNATURE_OCTETS] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51,
	0x55, 0x49, 0x54, 0x0a };

/* A length of two octets that is known only behind what it counts. */
static size_t begin_length(struct sink *s)
{
	sink_u16_be(s, 0);
	return s->n;
}

static void end_length(struct sink *s, size_t at)
{
	size_t n = s->n - at;

	if (s->bad || n > UINT16_MAX) {
		s->bad = true;
		return;
	}
	s->p[at - 2] = (uint8_t)(n >> 8);
	s->p[at - 1] = (uint8_t)n;
}

static void put_tlv(struct sink *s, uint8_t type, struct span value)
{
	size_t at;

	if (!value.n)
		return;
	sink_u8(s, type);
	at = begin_length(s);
	sink_put(s, value);
	end_length(s, at);
}

static void put_addresses(struct sink *s, const struct proxyhead *h)
{
	size_t octets = h->family == PROXYHEAD_IPV4 ? 4 : 16;

	if (h->local || h->family == PROXYHEAD_UNKNOWN)
		return;
	sink_put(s, (struct span){ h->from.address, octets });
	sink_put(s, (struct span){ h->to.address, octets });
	sink_u16_be(s, h->from.port);
	sink_u16_be(s, h->to.port);
}

static void put_ssl(struct sink *s, const struct proxyhead *h)
{
	size_t at;

	sink_u8(s, TYPE_SSL);
	at = begin_length(s);
	/* CERT_CONN: shown in this connection; CERT_SESS: at least once in its session. */
	sink_u8(s, (uint8_t)(CLIENT_SSL | CLIENT_CERT_SESS | (h->resumed ? 0 : CLIENT_CERT_CONN)));
	sink_u32_be(s, h->verify);
	put_tlv(s, SSL_VERSION, h->version);
	put_tlv(s, SSL_CN, h->name);
	put_tlv(s, SSL_CIPHER, h->cipher);
	put_tlv(s, SSL_CLIENT_CERT, h->certificate);
	end_length(s, at);
}

static void put_dane(struct sink *s, const struct proxyhead_dane *d)
{
	size_t at;

	sink_u8(s, PROXYHEAD_TYPE_DANE);
	at = begin_length(s);
	sink_u8(s, DANE_VERSION);
	sink_u8(s, (uint8_t)d->how);
	sink_u8(s, d->usage);
	sink_u8(s, d->selector);
	sink_u8(s, d->matching);
	sink_put(s, d->spki_sha256);
	sink_put(s, d->name);
	end_length(s, at);
}

int proxyhead_write(const struct proxyhead *h, uint8_t *out, size_t cap, size_t *n)
{
	static const uint8_t families[] = { [PROXYHEAD_UNKNOWN] = UNSPEC,
		[PROXYHEAD_IPV4] = TCP4,
		[PROXYHEAD_IPV6] = TCP6 };
	struct sink s = sink_into(out, cap);
	size_t at;

	sink_put(&s, (struct span){ signature, sizeof(signature) });
	sink_u8(&s, h->local ? LOCAL : PROXY);
	sink_u8(&s, h->local ? UNSPEC : families[h->family]);
	at = begin_length(&s);
	put_addresses(&s, h);
	put_tlv(&s, TYPE_ALPN, h->alpn);
	put_tlv(&s, TYPE_AUTHORITY, h->server_name);
	if (h->tls)
		put_ssl(&s, h);
	if (h->has_dane)
		put_dane(&s, &h->dane);
	end_length(&s, at);
	if (!sink_fits(&s))
		return ERR_SPACE;
	*n = s.n;
	return 0;
}

static void read_addresses(struct cursor *c, struct proxyhead *h)
{
	size_t octets = h->family == PROXYHEAD_IPV4 ? 4 : 16;
	struct span from, to;

	if (h->family == PROXYHEAD_UNKNOWN)
		return;
	from = cursor_take(c, octets);
	to = cursor_take(c, octets);
	h->from.port = cursor_u16_be(c);
	h->to.port = cursor_u16_be(c);
	if (c->bad)
		return;
	memcpy(h->from.address, from.p, octets);
	memcpy(h->to.address, to.p, octets);
}

/* Once: two that differ would be read differently by two readers. */
static void take_once(struct cursor *c, struct span value, struct span *out)
{
	if (out->p)
		c->bad = true;
	*out = value;
}

static void read_ssl(struct cursor *outer, struct span value, struct proxyhead *h)
{
	struct cursor c = cursor_over(value);
	uint8_t client = cursor_u8(&c);

	if (h->tls)
		outer->bad = true;
	h->verify = cursor_u32_be(&c);
	h->tls = true;
	h->resumed = !(client & CLIENT_CERT_CONN);
	while (!c.bad && c.rest.n) {
		uint8_t type = cursor_u8(&c);
		uint16_t octets = cursor_u16_be(&c);
		struct span v = cursor_take(&c, octets);

		if (type == SSL_VERSION)
			take_once(&c, v, &h->version);
		else if (type == SSL_CN)
			take_once(&c, v, &h->name);
		else if (type == SSL_CIPHER)
			take_once(&c, v, &h->cipher);
		else if (type == SSL_CLIENT_CERT)
			take_once(&c, v, &h->certificate);
	}
	outer->bad |= c.bad;
}

static void read_dane(struct cursor *outer, struct span value, struct proxyhead *h)
{
	struct cursor c = cursor_over(value);
	uint8_t version = cursor_u8(&c), how = cursor_u8(&c);

	h->dane.how = (enum proxyhead_how)how;
	h->dane.usage = cursor_u8(&c);
	h->dane.selector = cursor_u8(&c);
	h->dane.matching = cursor_u8(&c);
	h->dane.spki_sha256 = cursor_take(&c, SPKI_OCTETS);
	h->dane.name = cursor_rest(&c);
	if (h->has_dane || c.bad || version != DANE_VERSION ||
		(how != PROXYHEAD_BY_DANE && how != PROXYHEAD_BY_PKIX))
		outer->bad = true;
	h->has_dane = true;
}

static void read_tlvs(struct cursor *c, struct proxyhead *h)
{
	while (!c->bad && c->rest.n) {
		uint8_t type = cursor_u8(c);
		uint16_t octets = cursor_u16_be(c);
		struct span value = cursor_take(c, octets);

		if (c->bad)
			return;
		if (type == TYPE_SSL)
			read_ssl(c, value, h);
		else if (type == PROXYHEAD_TYPE_DANE)
			read_dane(c, value, h);
		else if (type == TYPE_ALPN)
			take_once(c, value, &h->alpn);
		else if (type == TYPE_AUTHORITY)
			take_once(c, value, &h->server_name);
	}
}

/* What comes so far may still become the signature. */
static bool may_begin(struct span octets)
{
	size_t n = octets.n < sizeof(signature) ? octets.n : sizeof(signature);

	return n == 0 || memcmp(octets.p, signature, n) == 0;
}

static int read_kind(uint8_t command, uint8_t family, struct proxyhead *h)
{
	if (command != LOCAL && command != PROXY)
		return ERR_FORMAT;
	h->local = command == LOCAL;
	/* Of LOCAL the family is discarded with the rest. */
	if (h->local)
		return 0;
	if (family == TCP4)
		h->family = PROXYHEAD_IPV4;
	else if (family == TCP6)
		h->family = PROXYHEAD_IPV6;
	else if (family != UNSPEC)
		return ERR_FORMAT;
	return 0;
}

int proxyhead_read(struct span octets, struct proxyhead *out, size_t *n)
{
	struct cursor c = cursor_over(octets);
	struct proxyhead h = { 0 };
	uint16_t rest;
	struct span body;

	if (!may_begin(octets))
		return ERR_FORMAT;
	if (octets.n >= PROXYHEAD_FIXED - 2 &&
		read_kind(octets.p[SIGNATURE_OCTETS], octets.p[SIGNATURE_OCTETS + 1], &h) != 0)
		return ERR_FORMAT;
	(void)cursor_take(&c, PROXYHEAD_FIXED - 2);
	rest = cursor_u16_be(&c);
	body = cursor_take(&c, rest);
	if (c.bad) {
		*n = 0;
		return 0;
	}
	/* The specification: what follows LOCAL is skipped, whatever it is. */
	c = cursor_over(body);
	if (!h.local) {
		read_addresses(&c, &h);
		read_tlvs(&c, &h);
	}
	if (c.bad)
		return ERR_FORMAT;
	*n = (size_t)PROXYHEAD_FIXED + rest;
	*out = h;
	return 0;
}
