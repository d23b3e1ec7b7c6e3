/* SPDX-License-Identifier: Apache-2.0 */
#include "dane/redirect.h"

#include <string.h>

#include "dns/rr.h"

#define HTTPS_PORT 443

static bool is_word(struct span s, const char *word)
{
	if (s.n != strlen(word))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		if (c >= 'a' && c <= 'z')
			c = (uint8_t)(c - 'a' + 'A');
		if (c != (uint8_t)word[i])
			return false;
	}
	return true;
}

/* Keeps out sorted; equal ranks stay in the order of the answer. Full: the last falls out. */
static size_t insert(struct redirect *out, size_t n, size_t cap, const struct redirect *r)
{
	size_t at = n;

	while (at > 0 &&
		(out[at - 1].rank[0] > r->rank[0] ||
			(out[at - 1].rank[0] == r->rank[0] && out[at - 1].rank[1] > r->rank[1])))
		at--;
	if (at == cap)
		return n;
	size_t moved = (n < cap ? n : cap - 1) - at;
	memmove(out + at + 1, out + at, moved * sizeof *out);
	out[at] = *r;
	return n < cap ? n + 1 : n;
}

/* "host", "host:port" up to a slash or the end. Addresses in brackets are not for us: a
 * name is what can be authenticated. */
static bool read_authority(struct span s, struct redirect *out)
{
	uint32_t port = HTTPS_PORT;
	size_t end = 0, host;

	while (end < s.n && s.p[end] != '/')
		end++;
	for (host = 0; host < end && s.p[host] != ':'; host++)
		;
	if (host < end) {
		port = 0;
		for (size_t i = host + 1; i < end && port <= 65535; i++) {
			if (s.p[i] < '0' || s.p[i] > '9')
				return false;
			port = port * 10 + (uint32_t)(s.p[i] - '0');
		}
	}
	if (port == 0 || port > 65535 || name_read_text((struct span){ s.p, host }, &out->name))
		return false;
	out->port = (uint16_t)port;
	return true;
}

/*
 * RFC 3403 section 4.1, flag "U": "!^.*$!https://host:port/!". Only an expression that takes
 * the whole name and a replacement without back references is read: no expression of a
 * stranger is run.
 */
static bool read_uri(struct span regexp, struct redirect *out)
{
	static const char scheme[] = "https://";

	if (regexp.n < 3)
		return false;
	uint8_t mark = regexp.p[0];
	const uint8_t *from = memchr(regexp.p + 1, mark, regexp.n - 1);
	if (!from)
		return false;
	struct span match = { regexp.p + 1, (size_t)(from - regexp.p - 1) };
	if (!is_word(match, "^.*$") && !is_word(match, ".*") && !is_word(match, "^.*"))
		return false;
	size_t left = regexp.n - (size_t)(from + 1 - regexp.p);
	const uint8_t *to = memchr(from + 1, mark, left);
	if (!to)
		return false;
	struct span uri = { from + 1, (size_t)(to - from - 1) };
	if (uri.n <= sizeof scheme - 1 || memchr(uri.p, '\\', uri.n) ||
		memcmp(uri.p, scheme, sizeof scheme - 1) != 0)
		return false;
	return read_authority(
		(struct span){ uri.p + sizeof scheme - 1, uri.n - (sizeof scheme - 1) }, out);
}

static bool read_one(const struct rr_naptr *r, uint16_t default_port, struct redirect *out)
{
	if (!is_word(r->services, "LWNS") && !is_word(r->services, "LWN"))
		return false;
	if (is_word(r->flags, "U"))
		return read_uri(r->regexp, out);
	if (r->regexp.n || name_labels(&r->replacement) == 0)
		return false;
	out->name = r->replacement;
	if (is_word(r->flags, "S")) {
		out->to_srv = true;
		return true;
	}
	out->port = default_port ? default_port : HTTPS_PORT;
	return is_word(r->flags, "A");
}

size_t redirect_read_naptr(const struct answer *a, uint16_t default_port, struct redirect *out,
	size_t cap)
{
	uint32_t lowest = UINT32_MAX;
	struct rr_naptr r;
	size_t n = 0;

	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < a->count; i++) {
			struct redirect to = { 0 };
			if (rr_read_naptr(a->rdata[i], &r) || !read_one(&r, default_port, &to))
				continue;
			to.rank[0] = r.preference;
			to.rank[1] = !is_word(r.services, "LWNS");
			/* RFC 3403 section 4.1: once an order has a match, no higher one. */
			if (pass == 0 && r.order < lowest)
				lowest = r.order;
			if (pass == 1 && r.order == lowest)
				n = insert(out, n, cap, &to);
		}
	}
	return n;
}

size_t redirect_read_srv(const struct answer *a, struct redirect *out, size_t cap)
{
	struct rr_srv r;
	size_t n = 0;

	for (unsigned i = 0; i < a->count; i++) {
		/* RFC 2782: a target of "." says that there is no such service. */
		if (rr_read_srv(a->rdata[i], &r) || name_labels(&r.target) == 0 || r.port == 0)
			continue;
		struct redirect to = { .name = r.target,
			.port = r.port,
			.rank = { r.priority, 65535u - r.weight } };
		n = insert(out, n, cap, &to);
	}
	return n;
}
