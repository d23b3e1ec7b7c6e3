/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/listen.h"
#include "json/writer.h"

#define TURNING_MS 10000
#define PREFIX     "sardane_proxy_"

/* The counts of one entry, over all boards and the past. */
struct entry {
	const char *name;
	bool listener;
	struct counts counts;
};

struct entries {
	struct entry *entry;
	unsigned count;
};

static struct entry *entry_of(struct entries *es, const char *name, bool listener)
{
	struct entry *more;

	for (unsigned i = 0; i < es->count; i++)
		if (es->entry[i].listener == listener && strcmp(es->entry[i].name, name) == 0)
			return &es->entry[i];
	more = realloc(es->entry, (es->count + 1) * sizeof(*more));
	if (!more)
		return NULL;
	es->entry = more;
	more[es->count] = (struct entry){ .name = name, .listener = listener };
	return &more[es->count++];
}

static void add_board(struct entries *es, const struct board *b)
{
	for (unsigned e = 0; e < b->ends; e++) {
		struct entry *entry = entry_of(es, config_end_at(b->config, e)->name,
			config_is_listener(b->config, e));

		for (unsigned w = 0; entry && w < b->slots; w++) {
			struct counts more = b->slot[w].counts[e];

			/* Of a worker that is gone nothing is open. */
			if (!atomic_load(&b->slot[w].beat_ms))
				more.open = more.half_open = 0;
			board_add_counts(&entry->counts, &more);
		}
	}
}

static struct entries gather(const struct board_view *v)
{
	struct entries es = { 0 };

	for (unsigned i = 0; i < v->count; i++)
		add_board(&es, v->board[i]);
	for (unsigned i = 0; i < v->past.count; i++) {
		const struct board_total *t = &v->past.total[i];
		struct entry *entry = entry_of(&es, t->name, t->listener);

		if (entry)
			board_add_counts(&entry->counts, &t->counts);
	}
	return es;
}

struct resolver_stats metrics_dns(const struct board_view *v)
{
	struct resolver_stats sum = v->past.dns;

	for (unsigned i = 0; i < v->count; i++)
		for (unsigned w = 0; w < v->board[i]->slots; w++)
			board_add_dns(&sum, &v->board[i]->slot[w].dns);
	return sum;
}

unsigned metrics_turning(const struct board_view *v, int64_t now_ms)
{
	const struct board *b = v->count ? v->board[0] : NULL;
	unsigned n = 0;

	for (unsigned w = 0; b && w < b->slots; w++) {
		int64_t beat = atomic_load(&b->slot[w].beat_ms);

		n += beat && now_ms - beat < TURNING_MS;
	}
	return n;
}

static bool is_there(const struct board *b)
{
	for (unsigned w = 0; w < b->slots; w++)
		if (atomic_load(&b->slot[w].beat_ms))
			return true;
	return false;
}

/* The view is of when we began: those that went since have no worker any more. */
static unsigned configurations(const struct board_view *v)
{
	unsigned n = v->count > 0;

	for (unsigned i = 1; i < v->count; i++)
		n += is_there(v->board[i]);
	return n;
}

static void head(struct buf *out, const char *name, const char *kind, const char *help)
{
	buf_printf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, kind);
}

/* A label's value: backslash, quote and line feed are escaped. */
static void label(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "%s=\"", name);
	for (const char *p = value; *p; p++) {
		if (*p == '\\' || *p == '"')
			buf_printf(out, "\\%c", *p);
		else if (*p == '\n')
			buf_text(out, "\\n");
		else
			buf_put(out, (struct span){ (const uint8_t *)p, 1 });
	}
	buf_text(out, "\"");
}

static void begin_sample(struct buf *out, const char *name, const struct entry *e)
{
	buf_printf(out, PREFIX "%s{", name);
	label(out, "at", e->name);
	buf_printf(out, ",side=\"%s\"", e->listener ? "listener" : "outbound");
}

static void sample(struct buf *out, const char *name, const struct entry *e, const char *key,
	const char *value, uint64_t n)
{
	begin_sample(out, name, e);
	if (key)
		buf_printf(out, ",%s=\"%s\"", key, value);
	buf_printf(out, "} %" PRIu64 "\n", n);
}

/* One number of each entry. */
struct row {
	const char *name, *key, *value; /* key NULL: no further label */
	size_t at;                      /* in struct counts */
	const char *kind, *help;        /* help NULL: the family has begun */
};

static const struct row rows[] = {
	{ "accepts_total", NULL, NULL, offsetof(struct counts, accepted), "counter",
		"Connections accepted." },
	{ "limit_refusals_total", "limit", "connections_max",
		offsetof(struct counts, over_connections), "counter",
		"Connections closed because a limit was reached." },
	{ "limit_refusals_total", "limit", "per_source_max", offsetof(struct counts, over_source),
		NULL, NULL },
	{ "limit_refusals_total", "limit", "handshakes_max",
		offsetof(struct counts, over_half_open), NULL, NULL },
	{ "limit_refusals_total", "limit", "handshake_timeout", offsetof(struct counts, silent),
		NULL, NULL },
	{ "limit_refusals_total", "limit", "connect_timeout", offsetof(struct counts, late), NULL,
		NULL },
	{ "limit_refusals_total", "limit", "idle_timeout", offsetof(struct counts, idle), NULL,
		NULL },
	{ "limit_refusals_total", "limit", "half_closed_timeout",
		offsetof(struct counts, half_closed), NULL, NULL },
	{ "limit_refusals_total", "limit", "lifetime", offsetof(struct counts, old), NULL, NULL },
	{ "limit_refusals_total", "limit", "header_max", offsetof(struct counts, long_heads), NULL,
		NULL },
	{ "limit_refusals_total", "limit", "targets_max", offsetof(struct counts, over_targets),
		NULL, NULL },
	{ "limit_refusals_total", "limit", "body_max", offsetof(struct counts, long_bodies), NULL,
		NULL },
	{ "limit_refusals_total", "limit", "request_timeout",
		offsetof(struct counts, slow_requests), NULL, NULL },
	{ "limit_refusals_total", "limit", "answer_timeout", offsetof(struct counts, late_answers),
		NULL, NULL },
	{ "limit_refusals_total", "limit", "descriptors", offsetof(struct counts, rests), NULL,
		NULL },
	{ "limit_refusals_total", "limit", "drain", offsetof(struct counts, drained), NULL, NULL },
	{ "refusals_unlogged_total", NULL, NULL, offsetof(struct counts, unlogged), "counter",
		"Refusals without a line in the log, beyond refusals_logged_max." },
	{ "requests_refused_total", NULL, NULL, offsetof(struct counts, misspoken), "counter",
		"Requests of HTTP refused for their form or length." },
	{ "handshakes_by_pkix_total", NULL, NULL, offsetof(struct counts, proved_by_pkix),
		"counter", "Handshakes proved by a certificate authority, of those proved." },
	{ "withdrawn_total", NULL, NULL, offsetof(struct counts, withdrawn), "counter",
		"Open connections closed because DNS said that their TLSA record was gone." },
	{ "unanswered_total", NULL, NULL, offsetof(struct counts, unanswered), "counter",
		"Open connections closed because DNS did not answer about their TLSA record." },
	{ "expired_total", NULL, NULL, offsetof(struct counts, expired), "counter",
		"Open connections closed because the time of their certificate was over." },
	{ "connections_total", "outcome", "passed", offsetof(struct counts, passed), "counter",
		"Proved connections, by whether the other side was reached." },
	{ "connections_total", "outcome", "unreached", offsetof(struct counts, unreached), NULL,
		NULL },
	{ "octets_total", "direction", "forth", offsetof(struct counts, forth), "counter",
		"Octets passed on, from who connected (forth) and to it (back)." },
	{ "octets_total", "direction", "back", offsetof(struct counts, back), NULL, NULL },
	{ "connections_open", NULL, NULL, offsetof(struct counts, open), "gauge",
		"Proved connections that are open." },
	{ "handshakes_open", NULL, NULL, offsetof(struct counts, half_open), "gauge",
		"Connections in their handshake, or silent." },
};

static uint64_t number_at(const struct counts *c, size_t at)
{
	return *(const uint64_t *)((const uint8_t *)c + at);
}

static void write_rows(const struct entries *es, struct buf *out)
{
	for (unsigned r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		if (rows[r].help)
			head(out, rows[r].name, rows[r].kind, rows[r].help);
		for (unsigned i = 0; i < es->count; i++)
			sample(out, rows[r].name, &es->entry[i], rows[r].key, rows[r].value,
				number_at(&es->entry[i].counts, rows[r].at));
	}
}

static const char *refusal_word(unsigned refusal)
{
	return refusal == PEER_REFUSED_NOT ? "unfinished"
					   : peer_refusal_word((enum peer_refusal)refusal);
}

static void write_handshakes(const struct entries *es, struct buf *out)
{
	head(out, "handshakes_total", "counter", "Handshakes, by outcome and reason.");
	for (unsigned i = 0; i < es->count; i++) {
		const struct entry *e = &es->entry[i];

		begin_sample(out, "handshakes_total", e);
		buf_printf(out, ",outcome=\"proved\",reason=\"\"} %" PRIu64 "\n", e->counts.proved);
		for (unsigned r = 0; r <= PEER_REFUSED_ABANDONED; r++) {
			begin_sample(out, "handshakes_total", e);
			buf_printf(out, ",outcome=\"refused\",reason=\"%s\"} %" PRIu64 "\n",
				refusal_word(r), e->counts.refused[r]);
		}
	}
}

static void write_times(const struct entries *es, const char *name, size_t at, const char *help,
	struct buf *out)
{
	char part[64], le[24];

	head(out, name, "histogram", help);
	for (unsigned i = 0; i < es->count; i++) {
		const struct entry *e = &es->entry[i];
		struct counts_times t;
		uint64_t sum = 0;

		memcpy(&t, (const uint8_t *)&e->counts + at, sizeof(t));
		snprintf(part, sizeof(part), "%s_bucket", name);
		for (unsigned b = 0; b < COUNTS_BUCKETS; b++) {
			snprintf(le, sizeof(le), "%g", counts_bucket_ms[b] / 1000.0);
			sample(out, part, e, "le", le, sum += t.bucket[b]);
		}
		/* It may just be adding one. */
		t.count = t.count > sum ? t.count : sum;
		sample(out, part, e, "le", "+Inf", t.count);
		snprintf(part, sizeof(part), "%s_sum", name);
		begin_sample(out, part, e);
		buf_printf(out, "} %.3f\n", (double)t.sum_ms / 1000.0);
		snprintf(part, sizeof(part), "%s_count", name);
		sample(out, part, e, NULL, NULL, t.count);
	}
}

static void write_dns(const struct resolver_stats *d, struct buf *out)
{
	head(out, "dns_answers_total", "counter", "Answers of DNS, by DNSSEC status.");
	for (unsigned i = 0; i < sizeof(d->by_status) / sizeof(d->by_status[0]); i++)
		buf_printf(out, PREFIX "dns_answers_total{status=\"%s\"} %" PRIu64 "\n",
			answer_status_word((enum answer_status)i), d->by_status[i]);
	head(out, "dns_questions_total", "counter", "Questions put, by what became of them.");
	buf_printf(out,
		PREFIX "dns_questions_total{how=\"cached\"} %" PRIu64 "\n" PREFIX
		       "dns_questions_total{how=\"coalesced\"} %" PRIu64 "\n" PREFIX
		       "dns_questions_total{how=\"sent\"} %" PRIu64 "\n" PREFIX
		       "dns_questions_total{how=\"prefetched\"} %" PRIu64 "\n" PREFIX
		       "dns_questions_total{how=\"over_budget\"} %" PRIu64 "\n" PREFIX
		       "dns_questions_total{how=\"timed_out\"} %" PRIu64 "\n" PREFIX
		       "dns_questions_total{how=\"stale\"} %" PRIu64 "\n",
		d->cached, d->coalesced, d->sent, d->prefetched, d->refused_budget, d->timed_out,
		d->stale);
	head(out, "dns_restarts_total", "counter", "Times a resolver process was started again.");
	buf_printf(out, PREFIX "dns_restarts_total %" PRIu64 "\n", d->restarts);
	head(out, "dns_cache_names", "gauge", "Answers in the caches.");
	buf_printf(out, PREFIX "dns_cache_names %" PRIu64 "\n", d->names);
	head(out, "dns_cache_octets", "gauge", "Memory of the caches.");
	buf_printf(out, PREFIX "dns_cache_octets %" PRIu64 "\n", d->cache_octets);
	head(out, "dns_open", "gauge", "Questions that wait for their answer.");
	buf_printf(out, PREFIX "dns_open %" PRIu64 "\n", d->open);
}

static void begin_own(struct buf *out, const char *name, const struct own *o)
{
	buf_printf(out, PREFIX "%s{", name);
	label(out, "at", o->end->name);
	buf_printf(out, ",side=\"%s\",", o->listener ? "listener" : "outbound");
	label(out, "name", o->owner);
	/* Two names without an owner of their own must not be one sample. */
	if (o->end->server_name) {
		buf_text(out, ",");
		label(out, "server_name", o->end->server_name);
	}
	if (o->cert == o->end->local_cert)
		buf_text(out, ",local=\"yes\"");
	buf_text(out, "} ");
}

static void write_own(const struct metrics *m, struct buf *out)
{
	head(out, "certificate_expiry_timestamp_seconds", "gauge",
		"When our certificate expires, UNIX time.");
	for (unsigned i = 0; i < own_list_count(m->own); i++) {
		const struct own *o = own_list_at(m->own, i);

		begin_own(out, "certificate_expiry_timestamp_seconds", o);
		buf_printf(out, "%" PRId64 "\n", o->not_after_s);
	}
	head(out, "own_tlsa_good", "gauge", "1 when DNS says of our name what our certificate is.");
	for (unsigned i = 0; i < own_list_count(m->own); i++) {
		const struct own *o = own_list_at(m->own, i);

		if (!o->owner[0] || o->state == OWN_UNKNOWN)
			continue;
		begin_own(out, "own_tlsa_good", o);
		buf_printf(out, "%d\n", o->state == OWN_GOOD);
	}
	head(out, "own_tlsa_expiry_timestamp_seconds", "gauge",
		"Until when the answer about our TLSA record may be used, UNIX time.");
	for (unsigned i = 0; i < own_list_count(m->own); i++) {
		const struct own *o = own_list_at(m->own, i);

		if (!o->owner[0] || !o->expires_ms)
			continue;
		begin_own(out, "own_tlsa_expiry_timestamp_seconds", o);
		buf_printf(out, "%" PRId64 "\n", m->now_s + (o->expires_ms - m->now_ms) / 1000);
	}
}

/* The soonest end of a TLSA that an open connection rests on; 0: none rests on any. */
static int64_t soonest(const struct board_view *v)
{
	struct board_peer p;
	int64_t first = 0;

	for (unsigned i = 0; i < v->count; i++)
		for (unsigned w = 0; w < v->board[i]->slots; w++) {
			const struct board_slot *s = &v->board[i]->slot[w];
			uint32_t used = atomic_load(&s->beat_ms) ? atomic_load(&s->peers_used) : 0;

			for (uint32_t k = 0; k < used; k++)
				if (board_peer_read(s, k, &p) && p.expires_ms &&
					(!first || p.expires_ms < first))
					first = p.expires_ms;
		}
	return first;
}

static void write_process(const struct metrics *m, struct buf *out)
{
	const struct board_view *v = m->view;
	int64_t first = soonest(v);

	head(out, "peer_tlsa_expiry_timestamp_seconds", "gauge",
		"The soonest end of a proof of an open connection, as of its handshake, UNIX time.");
	if (first)
		buf_printf(out, PREFIX "peer_tlsa_expiry_timestamp_seconds %" PRId64 "\n",
			m->now_s + (first - m->now_ms) / 1000);
	head(out, "workers", "gauge", "Workers that turn.");
	buf_printf(out, PREFIX "workers %u\n", metrics_turning(v, m->now_ms));
	head(out, "worker_restarts_total", "counter", "Workers started again.");
	buf_printf(out, PREFIX "worker_restarts_total %" PRIu64 "\n", v->tally->restarts);
	head(out, "workers_stuck_total", "counter",
		"Workers killed: their loop stood still, or they did not get ready.");
	buf_printf(out, PREFIX "workers_stuck_total %" PRIu64 "\n", v->tally->stuck);
	head(out, "configurations", "gauge",
		"Configurations that still have connections, and the newest.");
	buf_printf(out, PREFIX "configurations %u\n", configurations(v));
	head(out, "reloads_total", "counter", "Reloads asked for.");
	buf_printf(out, PREFIX "reloads_total %" PRIu64 "\n", v->tally->reloads);
	head(out, "reload_failures_total", "counter", "Reloads that changed nothing.");
	buf_printf(out, PREFIX "reload_failures_total %" PRIu64 "\n", v->tally->reloads_failed);
	head(out, "config_load_timestamp_seconds", "gauge",
		"When the configuration was read, UNIX time.");
	buf_printf(out, PREFIX "config_load_timestamp_seconds %" PRId64 "\n", v->loaded_s);
	head(out, "healthy", "gauge", "1 when /healthz says ok.");
	buf_printf(out, PREFIX "healthy %d\n", m->why_not == NULL);
	head(out, "build_info", "gauge", "The version.");
	buf_printf(out, PREFIX "build_info{version=\"%s\"} 1\n", SARDANE_VERSION);
}

void metrics_write_text(const struct metrics *m, struct buf *out)
{
	struct entries es = gather(m->view);
	struct resolver_stats dns = metrics_dns(m->view);

	write_rows(&es, out);
	write_handshakes(&es, out);
	write_times(&es, "handshake_seconds", offsetof(struct counts, handshake),
		"From the connection to its proof.", out);
	write_times(&es, "reach_seconds", offsetof(struct counts, reach),
		"From the proof in front to the other side's.", out);
	write_dns(&dns, out);
	write_own(m, out);
	write_process(m, out);
	free(es.entry);
}

static void json_refusals(const struct counts *c, struct writer *w)
{
	writer_open(w, "refused", '{');
	for (unsigned r = 0; r <= PEER_REFUSED_ABANDONED; r++)
		if (c->refused[r])
			writer_u64(w, refusal_word(r), c->refused[r]);
	writer_close(w);
	writer_open(w, "limits", '{');
	for (unsigned r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
		if (rows[r].key && strcmp(rows[r].key, "limit") == 0)
			writer_u64(w, rows[r].value, number_at(c, rows[r].at));
	writer_close(w);
}

static void json_entry(const struct entry *e, struct writer *w)
{
	const struct counts *c = &e->counts;

	writer_open(w, NULL, '{');
	writer_text(w, "at", e->name);
	writer_text(w, "side", e->listener ? "listener" : "outbound");
	writer_u64(w, "open", c->open);
	writer_u64(w, "half_open", c->half_open);
	writer_u64(w, "accepted", c->accepted);
	writer_u64(w, "proved", c->proved);
	writer_u64(w, "passed", c->passed);
	writer_u64(w, "unreached", c->unreached);
	writer_u64(w, "withdrawn", c->withdrawn);
	writer_u64(w, "unanswered", c->unanswered);
	writer_u64(w, "expired", c->expired);
	writer_u64(w, "forth", c->forth);
	writer_u64(w, "back", c->back);
	json_refusals(c, w);
	writer_close(w);
}

static const char *own_word(const struct own *o)
{
	switch (o->state) {
	case OWN_UNKNOWN: return "unknown";
	case OWN_GOOD: return "good";
	case OWN_BAD: return "bad";
	case OWN_NO_DNS: return "no-dns";
	}
	return "?";
}

static void json_own(const struct metrics *m, struct writer *w)
{
	writer_open(w, "own", '[');
	for (unsigned i = 0; i < own_list_count(m->own); i++) {
		const struct own *o = own_list_at(m->own, i);

		writer_open(w, NULL, '{');
		writer_text(w, "at", o->end->name);
		writer_text(w, "name", o->owner);
		writer_text(w, "tlsa", o->owner[0] ? own_word(o) : "none");
		writer_text(w, "why", o->why);
		writer_integer(w, "certificate_until_s", o->not_after_s);
		writer_close(w);
	}
	writer_close(w);
}

void metrics_write_json(const struct metrics *m, struct buf *out)
{
	struct entries es = gather(m->view);
	struct resolver_stats dns = metrics_dns(m->view);
	struct writer w = writer_into(out);

	writer_open(&w, NULL, '{');
	writer_text(&w, "version", SARDANE_VERSION);
	writer_bool(&w, "healthy", m->why_not == NULL);
	writer_text(&w, "why", m->why_not ? m->why_not : "");
	writer_u64(&w, "workers", metrics_turning(m->view, m->now_ms));
	writer_u64(&w, "configurations", configurations(m->view));
	writer_u64(&w, "reloads", m->view->tally->reloads);
	writer_u64(&w, "reloads_failed", m->view->tally->reloads_failed);
	writer_open(&w, "dns", '{');
	for (unsigned i = 0; i < sizeof(dns.by_status) / sizeof(dns.by_status[0]); i++)
		writer_u64(&w, answer_status_word((enum answer_status)i), dns.by_status[i]);
	writer_u64(&w, "asked", dns.asked);
	writer_u64(&w, "cached", dns.cached);
	writer_u64(&w, "stale", dns.stale);
	writer_close(&w);
	writer_open(&w, "entries", '[');
	for (unsigned i = 0; i < es.count; i++)
		json_entry(&es.entry[i], &w);
	writer_close(&w);
	json_own(m, &w);
	writer_close(&w);
	free(es.entry);
	if (!writer_ok(&w))
		out->bad = true;
}

static void json_peer(const struct metrics *m, const struct board *b, const struct board_peer *p,
	struct writer *w)
{
	char text[NAME_TEXT_MAX] = "";

	writer_open(w, NULL, '{');
	writer_text(w, "at", config_end_at(b->config, p->end)->name);
	(void)name_write_text(&p->name, text, sizeof(text));
	writer_text(w, "peer", text);
	writer_text(w, "from",
		listen_write_address((const struct sockaddr *)&p->from, text, sizeof(text)));
	writer_text(w, "how",
		p->how == PEER_BY_DANE           ? "dane"
			: p->how == PEER_BY_PKIX ? "pkix"
						 : "-");
	if (p->usage >= 0) {
		snprintf(text, sizeof(text), "%d %d %d", p->usage, p->selector, p->matching);
		writer_text(w, "usage", text);
	}
	writer_integer(w, "for_ms", m->now_ms - p->since_ms);
	writer_u64(w, "forth", p->live.forth);
	writer_u64(w, "back", p->live.back);
	writer_close(w);
}

void metrics_write_peers(const struct metrics *m, struct buf *out)
{
	const struct board_view *v = m->view;
	struct writer w = writer_into(out);
	struct board_peer p;

	writer_open(&w, NULL, '{');
	writer_open(&w, "peers", '[');
	for (unsigned i = 0; i < v->count; i++)
		for (unsigned k = 0; k < v->board[i]->slots; k++) {
			const struct board_slot *s = &v->board[i]->slot[k];
			uint32_t used = atomic_load(&s->beat_ms) ? atomic_load(&s->peers_used) : 0;

			for (uint32_t n = 0; n < used; n++)
				if (board_peer_read(s, n, &p))
					json_peer(m, v->board[i], &p, &w);
		}
	writer_close(&w);
	writer_close(&w);
	if (!writer_ok(&w))
		out->bad = true;
}
