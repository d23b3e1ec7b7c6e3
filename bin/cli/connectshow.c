/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/connect.h"
#include "cli/text.h"
#include "dns/rr.h"
#include "json/writer.h"

#include <stdio.h>

/* Three numbers and 2048 octets in hex: longer records are not printed. */
#define RECORD_TEXT_MAX 4112

static const char *name_text(const struct name *name, char out[NAME_TEXT_MAX])
{
	if (name->n == 0 || name_write_text(name, out, NAME_TEXT_MAX) != 0)
		out[0] = '\0';
	return out;
}

static const char *const proof_words[] = {
	[SERVICE_BY_DANE] = "dane",
	[SERVICE_BY_PKIX] = "pkix",
	[SERVICE_REFUSED] = "refused",
};

static const char *const welcome_words[] = {
	[CONNECT_NOT_ASKED] = "not asked",
	[CONNECT_SPOKEN_TO] = "accepted",
	[CONNECT_SILENT] = "no objection",
	[CONNECT_REFUSED] = "refused",
	[CONNECT_DROPPED] = "dropped",
};

/* The last word on it, whichever step spoke it. */
static const char *verdict(const struct connect *c)
{
	if (c->why[0])
		return c->why;
	if (c->greeted)
		return c->peer.reason;
	if (c->trouble[0])
		return c->trouble;
	if (c->service->count > 0)
		return c->service->endpoint[0].why;
	return c->service->why;
}

static void show_question(const struct connect_question *q, struct buf *t)
{
	char name[NAME_TEXT_MAX], type[16];

	buf_printf(t, "ask    %-5s %s\n", rr_type_word(q->question.type, type, sizeof(type)),
		name_text(&q->question.name, name));
	if (!q->answer) {
		buf_text(t, "       not needed any more\n");
		return;
	}
	buf_printf(t, "       %s, ", answer_status_word(q->answer->status));
	if (q->answer->count)
		buf_printf(t, "%u %s, ", q->answer->count,
			q->answer->count == 1 ? "record" : "records");
	if (q->answer->aliased)
		buf_printf(t, "alias of %s, ", name_text(&q->answer->final, name));
	buf_printf(t, "ttl %u s, %.1f ms%s%s\n", q->answer->ttl_s, q->ms,
		q->answer->why[0] ? ": " : "", q->answer->why);
}

/* Record i of a secure TLSA answer as text; NULL when it is none or does not read. */
static const char *record_text(const struct service_endpoint *e, unsigned i, char *out, size_t cap)
{
	struct tlsa tlsa;

	if (!e->tlsa || e->tlsa->status != ANSWER_SECURE || i >= e->tlsa->count ||
		tlsa_read(e->tlsa->rdata[i], &tlsa, NULL) != 0 ||
		tlsa_write_text(&tlsa, out, cap, NULL) != 0)
		return NULL;
	return out;
}

static void show_endpoint(const struct service_endpoint *e, struct buf *t)
{
	char name[NAME_TEXT_MAX], words[RECORD_TEXT_MAX];

	buf_printf(t, "found  %s port %u, %s: %s\n", name_text(&e->host, name), e->port,
		proof_words[e->proof], e->why);
	for (unsigned i = 0; e->tlsa && i < e->tlsa->count; i++)
		if (record_text(e, i, words, sizeof(words)))
			buf_printf(t, "       TLSA %s\n", words);
}

static void show_greeting(const struct connect *c, const struct tls_client_config *config,
	struct buf *t)
{
	if (c->connected)
		buf_printf(t, "tcp    %s port %u connected, %.1f ms\n", c->address,
			c->endpoint->port, c->tcp_ms);
	else if (c->trouble[0])
		buf_printf(t, "tcp    %s\n", c->trouble);
	if (!c->greeted)
		return;
	buf_printf(t, "tls    %s, %.1f ms\n", c->version, c->tls_ms);
	buf_printf(t, "server %s: %s\n", c->peer.authenticated ? "proved" : "not proved",
		c->peer.reason);
	if (config->dane_client_name)
		buf_printf(t, "we     offered %s\n", config->dane_client_name);
	if (c->welcome == CONNECT_SPOKEN_TO)
		buf_text(t, "       the server accepts us\n");
	if (c->welcome == CONNECT_SILENT)
		buf_text(t, "       the server raised no objection\n");
	if (c->why[0])
		buf_printf(t, "       %s\n", c->why);
}

static void show_times(const struct connect *c, struct buf *t)
{
	for (size_t i = 0; c->times_count > 1 && i < c->times_count; i++)
		buf_printf(t, "time   connection %zu: dns %.1f ms, tcp %.1f ms, tls %.1f ms%s\n",
			i + 1, c->times[i].dns_ms, c->times[i].tcp_ms, c->times[i].tls_ms,
			c->times[i].resumed ? ", resumed" : "");
}

static void show_text(const struct connect *c, const struct tls_client_config *config)
{
	struct buf t = { 0 };

	for (size_t i = 0; i < c->question_count; i++)
		show_question(&c->question[i], &t);
	for (unsigned i = 0; i < c->service->count; i++)
		show_endpoint(&c->service->endpoint[i], &t);
	show_greeting(c, config, &t);
	show_times(c, &t);
	buf_printf(&t, "%s\n       %s\n", connect_is_authenticated(c) ? "authenticated" : "refused",
		verdict(c));
	text_print(&t);
}

static void json_questions(const struct connect *c, struct writer *w)
{
	char name[NAME_TEXT_MAX], type[16];

	writer_open(w, "questions", '[');
	for (size_t i = 0; i < c->question_count; i++) {
		const struct connect_question *q = &c->question[i];

		writer_open(w, NULL, '{');
		writer_text(w, "name", name_text(&q->question.name, name));
		writer_text(w, "type", rr_type_word(q->question.type, type, sizeof(type)));
		if (q->answer) {
			writer_text(w, "dnssec", answer_status_word(q->answer->status));
			writer_u64(w, "records", q->answer->count);
			writer_u64(w, "ttl", q->answer->ttl_s);
			writer_real(w, "ms", q->ms, 3);
			writer_text(w, "why", q->answer->why);
		}
		writer_close(w);
	}
	writer_close(w);
	writer_real(w, "dns_ms", c->dns_ms, 3);
}

static void json_endpoints(const struct connect *c, struct writer *w)
{
	char name[NAME_TEXT_MAX], words[RECORD_TEXT_MAX];

	writer_open(w, "endpoints", '[');
	for (unsigned i = 0; i < c->service->count; i++) {
		const struct service_endpoint *e = &c->service->endpoint[i];

		writer_open(w, NULL, '{');
		writer_text(w, "host", name_text(&e->host, name));
		writer_u64(w, "port", e->port);
		writer_text(w, "proof", proof_words[e->proof]);
		writer_text(w, "tlsa_owner", name_text(&e->tlsa_owner, name));
		writer_open(w, "tlsa", '[');
		for (unsigned k = 0; e->tlsa && k < e->tlsa->count; k++)
			if (record_text(e, k, words, sizeof(words)))
				writer_text(w, NULL, words);
		writer_close(w);
		writer_text(w, "why", e->why);
		writer_close(w);
	}
	writer_close(w);
}

static void json_times(const struct connect *c, struct writer *w)
{
	writer_open(w, "connections", '[');
	for (size_t i = 0; i < c->times_count; i++) {
		writer_open(w, NULL, '{');
		writer_real(w, "dns_ms", c->times[i].dns_ms, 3);
		writer_real(w, "tcp_ms", c->times[i].tcp_ms, 3);
		writer_real(w, "tls_ms", c->times[i].tls_ms, 3);
		writer_bool(w, "resumed", c->times[i].resumed);
		writer_close(w);
	}
	writer_close(w);
}

static void json_greeting(const struct connect *c, struct writer *w)
{
	writer_text(w, "address", c->address);
	writer_bool(w, "connected", c->connected);
	writer_real(w, "tcp_ms", c->tcp_ms, 3);
	if (!c->greeted)
		return;
	writer_text(w, "version", c->version);
	writer_real(w, "tls_ms", c->tls_ms, 3);
	writer_bool(w, "server_authenticated", c->peer.authenticated);
	writer_text(w, "refusal", peer_refusal_word(c->peer.refusal));
	writer_text(w, "dnssec", answer_status_word(c->peer.dnssec));
	writer_integer(w, "usage", c->peer.usage);
	writer_integer(w, "selector", c->peer.selector);
	writer_integer(w, "matching", c->peer.matching);
	writer_integer(w, "depth", c->peer.depth);
	writer_hex(w, "spki_sha256", (struct span){ c->peer.spki_sha256, 32 });
	writer_text(w, "client", welcome_words[c->welcome]);
}

static void show_json(const struct connect *c, const struct tls_client_config *config)
{
	struct buf t = { 0 };
	struct writer w = writer_into(&t);

	writer_open(&w, NULL, '{');
	writer_bool(&w, "authenticated", connect_is_authenticated(c));
	writer_text(&w, "reason", verdict(c));
	if (config->dane_client_name)
		writer_text(&w, "client_name", config->dane_client_name);
	json_questions(c, &w);
	json_endpoints(c, &w);
	json_greeting(c, &w);
	json_times(c, &w);
	writer_close(&w);
	buf_text(&t, "\n");
	text_print(&t);
}

void connect_show(const struct connect *c, const struct tls_client_config *config, bool json)
{
	if (json)
		show_json(c, config);
	else
		show_text(c, config);
}
