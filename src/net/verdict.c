/* SPDX-License-Identifier: Apache-2.0 */
#include "net/verdict.h"

#include <inttypes.h>
#include <stdio.h>

#include "net/listen.h"
#include "program/log.h"
#include "resolve/resolver.h"

static const char *name_words(const struct name *name)
{
	static char text[2][NAME_TEXT_MAX];
	static unsigned next;
	char *out = text[next++ % 2];

	if (name->n == 0 || name_write_text(name, out, NAME_TEXT_MAX) != 0)
		return "-";
	return log_value(out);
}

const char *verdict_proof(const struct peer *peer)
{
	static char words[700];
	char usage[40] = "-";

	if (peer->usage >= 0)
		snprintf(usage, sizeof(usage), "\"%d %d %d\"", peer->usage, peer->selector,
			peer->matching);
	snprintf(words, sizeof(words), "tlsa=%s usage=%s dnssec=%s", name_words(&peer->tlsa_owner),
		usage, peer_dnssec_word(peer));
	return words;
}

const char *verdict_words(const struct peer *peer)
{
	static char words[1300];

	snprintf(words, sizeof(words), "peer=%s %s", name_words(&peer->name), verdict_proof(peer));
	return words;
}

void verdict_accepted(const struct peer *peer, const struct sockaddr *from, int64_t took_ms,
	enum trace_level level)
{
	void (*say)(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3))) =
		level == TRACE_INFO ? log_info : log_debug;
	char address[64];

	if (!log_is_on(level))
		return;
	say("tls.accept", "%s how=%s resumed=%s took_ms=%" PRId64 " from=%s", verdict_words(peer),
		peer->how == PEER_BY_DANE ? "dane" : "pkix", peer->resumed ? "yes" : "no", took_ms,
		listen_write_address(from, address, sizeof(address)));
}

void verdict_refused(struct verdict *v, const struct peer *peer, const struct sockaddr *from,
	int64_t took_ms, const char *why)
{
	char address[64];

	verdict_tick(v, resolver_now());
	if (v->written >= (v->lines_max ? v->lines_max : VERDICT_LINES_MAX)) {
		v->left_out++;
		if (v->unlogged)
			++*v->unlogged;
		return;
	}
	v->written++;
	log_info("tls.refuse", "%s refusal=%s took_ms=%" PRId64 " from=%s reason=%s",
		verdict_words(peer),
		peer->refusal == PEER_REFUSED_NOT ? "unfinished" : peer_refusal_word(peer->refusal),
		took_ms, listen_write_address(from, address, sizeof(address)), log_value(why));
}

void verdict_dropped(struct verdict *v)
{
	verdict_tick(v, resolver_now());
	v->dropped++;
}

void verdict_tick(struct verdict *v, int64_t now_ms)
{
	if (now_ms - v->second_ms < 1000)
		return;
	if (v->left_out || v->dropped)
		log_warning("tls.flood", "refused=%u dropped=%u", v->left_out, v->dropped);
	v->second_ms = now_ms;
	v->written = v->left_out = v->dropped = 0;
}

int64_t verdict_due_ms(const struct verdict *v)
{
	return v->left_out || v->dropped ? v->second_ms + 1000 : INT64_MAX;
}
