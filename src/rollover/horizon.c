/* SPDX-License-Identifier: Apache-2.0 */
#include "rollover/horizon.h"

#include <time.h>

/* The validator counts a TTL in whole seconds of its clock. */
#define WHOLE_SECOND_S 1

static const char *const words[] = {
	[HORIZON_SERVERS] = "servers",
	[HORIZON_CACHES] = "caches",
	[HORIZON_OURS] = "ours",
	[HORIZON_TICKETS] = "tickets",
	[HORIZON_CONNECTIONS] = "connections",
	[HORIZON_OUTAGE] = "outage",
	[HORIZON_SIGNATURES] = "signatures",
	[HORIZON_PKIX] = "pkix",
};

const char *horizon_word(enum horizon_word term)
{
	return words[term];
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* A validated answer is not kept beyond its signature (RFC 4035 section 5.3.3). */
static int64_t within_signature(const struct horizon_facts *f, int64_t at_ms)
{
	return f->signed_until_ms ? least(at_ms, f->signed_until_ms + (int64_t)f->margin_s * 1000)
				  : at_ms;
}

static int64_t pkix_end(const struct horizon_facts *f)
{
	if (!f->certificate_ms)
		return 0;
	return f->crl_ms ? least(f->crl_next_ms, f->certificate_ms) : f->certificate_ms;
}

void horizon_compute(const struct horizon_facts *f, struct horizon *out)
{
	int64_t margin = (int64_t)f->margin_s * 1000;
	int64_t stopped = f->all_ms ? f->all_ms
				    : most(f->now_ms, f->removed_ms + (int64_t)f->expire_s * 1000);
	struct horizon h = { .bounded = f->signed_until_ms != 0 };

	h.term_ms[HORIZON_SERVERS] = within_signature(f, stopped);
	h.term_ms[HORIZON_CACHES] =
		within_signature(f, stopped + (int64_t)f->ttl_s * 1000 + margin);
	/* An answer about to end, fetched from a resolver, is kept ttl_min_s more. */
	h.term_ms[HORIZON_OURS] = within_signature(f,
		stopped + ((int64_t)f->ttl_s + f->ttl_min_s + WHOLE_SECOND_S) * 1000);
	/* Both are looked up in the cache, or end when the answer they rest on ends. */
	h.term_ms[HORIZON_TICKETS] = h.term_ms[HORIZON_CONNECTIONS] = h.term_ms[HORIZON_OURS];
	h.term_ms[HORIZON_OUTAGE] = f->stale_s
		? within_signature(f, h.term_ms[HORIZON_OURS] + (int64_t)f->stale_s * 1000)
		: 0;
	h.term_ms[HORIZON_SIGNATURES] = h.bounded ? f->signed_until_ms + margin : 0;
	h.term_ms[HORIZON_PKIX] = pkix_end(f);
	h.ours_ms = h.term_ms[HORIZON_OURS];
	h.follows_ms = most(h.term_ms[HORIZON_CACHES], h.ours_ms);
	h.replayed_ms =
		most(most(h.follows_ms, h.term_ms[HORIZON_OUTAGE]), h.term_ms[HORIZON_SIGNATURES]);
	h.latest_ms = most(h.replayed_ms, h.term_ms[HORIZON_PKIX]);
	*out = h;
}

static void put_moment(int64_t ms, struct buf *out)
{
	/* A moment within a second is told as the second after it. */
	time_t s = (time_t)((ms + 999) / 1000);
	struct tm tm;
	char text[32];

	gmtime_r(&s, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	buf_text(out, text);
}

static void put_line(const struct horizon *h, enum horizon_word term, struct buf *out)
{
	buf_printf(out, "%-12s ", words[term]);
	put_moment(h->term_ms[term], out);
	buf_text(out, "  ");
}

static void put_dns(const struct horizon_facts *f, const struct horizon *h, struct buf *out)
{
	put_line(h, HORIZON_SERVERS, out);
	if (f->all_ms)
		buf_text(out, "every authoritative server was seen to serve it no more\n");
	else
		buf_printf(out,
			"some server still serves it: the zone is fetched within %u s, and one "
			"that is out of reach stops after %u s (SOA refresh, expire)\n",
			f->refresh_s, f->expire_s);
	put_line(h, HORIZON_CACHES, out);
	buf_printf(out, "resolvers may hold it for its TTL of %u s, and %u s for their clocks\n",
		f->ttl_s, f->margin_s);
}

static void put_ours(const struct horizon_facts *f, const struct horizon *h, struct buf *out)
{
	put_line(h, HORIZON_OURS, out);
	if (f->ttl_min_s)
		buf_printf(out, "Sardane's programs may hold it %u s more (ttl_min_s)\n",
			f->ttl_min_s);
	else
		buf_text(out, "Sardane's programs count the TTL down, in whole seconds\n");
	put_line(h, HORIZON_TICKETS, out);
	buf_text(out, "theirs are good only while the cache holds the very set they rest on\n");
	put_line(h, HORIZON_CONNECTIONS, out);
	buf_text(out, "theirs end with the TLSA they rest on; other software may keep its own\n");
}

/* Nobody tells us what peers have set. */
static void put_outage(const struct horizon_facts *f, const struct horizon *h, struct buf *out)
{
	if (!f->stale_s) {
		buf_printf(out, "%-12s %-20s  %s\n", words[HORIZON_OUTAGE], "not counted",
			"theirs with serve_stale_s hold it so much longer while their resolver "
			"fails");
		return;
	}
	put_line(h, HORIZON_OUTAGE, out);
	buf_printf(out, "theirs hold it %u s more while their resolver fails (serve_stale_s)\n",
		f->stale_s);
}

static void put_others(const struct horizon_facts *f, const struct horizon *h, struct buf *out)
{
	if (h->bounded) {
		put_line(h, HORIZON_SIGNATURES, out);
		buf_text(out, "until its signatures end, who sits on the path can replay it\n");
	}
	if (!h->term_ms[HORIZON_PKIX])
		return;
	put_line(h, HORIZON_PKIX, out);
	buf_printf(out, "who falls back on PKIX where there is no TLSA: %s\n",
		f->crl_ms ? "until every copy of the CRL is a new one"
			  : "no CRL that was given lists it, so until the certificate ends");
}

static void put_replayed(const struct horizon *h, struct buf *out)
{
	if (!h->bounded) {
		buf_text(out,
			";\nagainst an attacker who replays old answers there is no bound: "
			"the end of its signatures is not known.\n");
		return;
	}
	buf_text(out, ";\nagainst an attacker who replays old answers: from ");
	put_moment(h->replayed_ms, out);
	buf_text(out, " on.\n");
	if (!h->term_ms[HORIZON_PKIX])
		return;
	buf_text(out, "No relying party at all, who falls back on PKIX included, from ");
	put_moment(h->latest_ms, out);
	buf_text(out, " on.\n");
}

void horizon_write(const struct horizon_facts *f, const struct horizon *h, struct buf *out)
{
	put_dns(f, h, out);
	put_ours(f, h, out);
	put_outage(f, h, out);
	put_others(f, h, out);
	buf_text(out, "From ");
	put_moment(h->follows_ms, out);
	buf_text(out, " on nobody who follows DNS accepts it, Sardane from ");
	put_moment(h->ours_ms, out);
	put_replayed(h, out);
}
