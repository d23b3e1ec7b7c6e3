/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracetext - a trace as a tree for people.
 */
#include "cli/tracework.h"

#include "base/hex.h"

#include <stdio.h>
#include <string.h>

#define DATA_SHOWN 12

static const char *text_of(const struct name *name, char out[NAME_TEXT_MAX])
{
	if (name_write_text(name, out, NAME_TEXT_MAX) != 0)
		out[0] = '\0';
	return out;
}

static void show_servers(const struct trust_set *set, const char *indent, struct buf *t)
{
	char server[ASKED_SERVER_TEXT_MAX];

	for (size_t i = 0; i < set->said_count; i++) {
		const struct trust_said *s = &set->said[i];

		asked_server_text(&s->host, &s->address, server);
		buf_printf(t, "%s  %s: ", indent, server);
		if (s->kind == TRUST_NOTHING)
			buf_printf(t, "%s", s->why);
		else if (s->kind == TRUST_DENIAL)
			buf_printf(t, "%s, says there is none", trust_word(s->trust));
		else if (s->kind == TRUST_ALIAS)
			buf_printf(t, "%s, an alias", trust_word(s->trust));
		else
			buf_printf(t, "%s, %zu %s", trust_word(s->trust), s->records,
				s->records == 1 ? "record" : "records");
		if (s->kind != TRUST_NOTHING && s->why[0])
			buf_printf(t, ": %s", s->why);
		buf_printf(t, "%s, %.1f ms%s\n", s->expanded ? ", from a wildcard" : "", s->ms,
			s->tcp ? ", by TCP" : "");
	}
}

static void show_signatures(const struct trust_set *set, const char *indent, struct buf *t)
{
	char from[SIGNATURE_TIME_MAX], to[SIGNATURE_TIME_MAX], algorithm[32];

	for (size_t i = 0; i < set->sig_count; i++) {
		const struct signature *s = &set->sig[i];

		signature_time_text(s->inception, from);
		signature_time_text(s->expiration, to);
		signature_algorithm_text(s->algorithm, algorithm, sizeof(algorithm));
		buf_printf(t, "%s  RRSIG of key %u, %s, %s to %s: %s\n", indent, s->tag, algorithm,
			from, to, signature_state_word(s->state));
	}
}

static void show_ds(const struct trust_zone *z, const char *indent, struct buf *t)
{
	char algorithm[32];

	buf_printf(t, "%sDS      %s\n", indent, trust_word(z->ds.trust));
	for (size_t i = 0; i < z->ds_count; i++) {
		const struct trust_ds *d = &z->ds_record[i];

		signature_algorithm_text(d->algorithm, algorithm, sizeof(algorithm));
		buf_printf(t, "%s  tag %u, %s, digest type %u: %s\n", indent, d->tag, algorithm,
			d->digest, trust_digest_word(d->state));
	}
	show_signatures(&z->ds, indent, t);
	show_servers(&z->ds, indent, t);
}

static void show_keys(const struct trust_zone *z, const char *indent, struct buf *t)
{
	char algorithm[32];

	buf_printf(t, "%sDNSKEY  %s\n", indent, trust_word(z->dnskey.trust));
	for (size_t i = 0; i < z->key_count; i++) {
		const struct trust_key *k = &z->key[i];

		signature_algorithm_text(k->algorithm, algorithm, sizeof(algorithm));
		buf_printf(t, "%s  tag %u, %s, %u bits, flags %u%s%s\n", indent, k->tag, algorithm,
			k->bits, k->flags,
			!k->entry             ? ""
				: z->anchored ? ", is the trust anchor"
					      : ", the DS is of it",
			k->signs ? ", signs the keys" : "");
	}
	show_signatures(&z->dnskey, indent, t);
	show_servers(&z->dnskey, indent, t);
}

static unsigned depth_of(const struct trust_report *r, size_t zone)
{
	unsigned depth = 0;

	for (size_t i = 0; i < zone; i++)
		depth += name_is_within(&r->zone[zone]->zone, &r->zone[i]->zone);
	return depth;
}

static void show_zone(const struct trust_report *r, size_t i, struct buf *t)
{
	const struct trust_zone *z = r->zone[i];
	const unsigned depth = depth_of(r, i);
	char name[NAME_TEXT_MAX], indent[80];

	snprintf(indent, sizeof(indent), "%*s", (int)(depth < 16 ? 3 * depth + 3 : 48), "");
	buf_printf(t, "%.*s%s%s  %s\n", (int)strlen(indent) - 3, indent, depth ? "└─ " : "",
		text_of(&z->zone, name), trust_word(z->trust));
	if (z->trust != TRUST_SECURE)
		buf_printf(t, "%s%s\n", indent, z->why);
	if (z->ds.said_count)
		show_ds(z, indent, t);
	if (z->dnskey.said_count)
		show_keys(z, indent, t);
}

static void show_step(const struct trust_step *s, struct buf *t)
{
	char name[NAME_TEXT_MAX], type[16];

	buf_printf(t, "\n%s %s  %s%s\n", text_of(&s->set.owner, name),
		rr_type_word(s->set.type, type, sizeof(type)), trust_word(s->set.trust),
		s->set.kind == TRUST_DENIAL ? ": there is none" : "");
	if (s->target.n)
		buf_printf(t, "   is an alias of %s\n", text_of(&s->target, name));
	show_signatures(&s->set, " ", t);
	show_servers(&s->set, " ", t);
}

static void show_record(const struct verify_record *v, struct buf *t)
{
	char hex[2 * DATA_SHOWN + 1];
	struct span head = v->tlsa.data;

	if (head.n > DATA_SHOWN)
		head.n = DATA_SHOWN;
	hex_write(head, hex, sizeof(hex));
	buf_printf(t, "   %u %u %u %s%s  ", v->tlsa.usage, v->tlsa.selector, v->tlsa.matching, hex,
		v->tlsa.data.n > DATA_SHOWN ? "..." : "");
	if (!v->counts)
		buf_printf(t, "set aside: %s\n", v->why);
	else if (v->matched)
		buf_printf(t, "matches at depth %d\n", v->depth);
	else
		buf_printf(t, "does not match: %s\n", v->why);
}

static void show_presented(const struct traced *traced, const struct trace_presented *p,
	struct buf *t)
{
	char where[ADDRESS_TEXT_MAX];

	address_write(&p->address, where);
	buf_printf(t, "\n%s  ",
		traced->question.against == TRACE_SERVICE ? where : traced->question.file);
	if (!p->presents)
		buf_printf(t, "%s%s\n", p->skipped ? "not tried, we have no way there: " : "",
			p->why);
	else if (traced->question.against == TRACE_SERVICE)
		buf_printf(t, "%s, %.1f ms: %s\n", p->version, p->ms,
			p->proved ? "proved" : "not proved");
	else
		buf_printf(t, "%s\n", p->proved ? "proved" : "not proved");
	for (size_t i = 0; p->presents && i < p->result->count; i++)
		show_record(&p->result->record[i], t);
}

/* Nothing was presented: the records by themselves. */
static void show_records(const struct traced *traced, struct buf *t)
{
	for (size_t i = 0; i < traced->harvest.count; i++) {
		struct span rdata = buf_span(&traced->harvest.record[i].rdata);
		struct tlsa tlsa;
		char hex[2 * DATA_SHOWN + 1];

		if (tlsa_read(rdata, &tlsa, NULL) != 0) {
			buf_text(t, "   a record that is no TLSA\n");
			continue;
		}
		hex_write((struct span){ tlsa.data.p,
				  tlsa.data.n > DATA_SHOWN ? DATA_SHOWN : tlsa.data.n },
			hex, sizeof(hex));
		buf_printf(t, "   %u %u %u %s...\n", tlsa.usage, tlsa.selector, tlsa.matching, hex);
	}
}

static void show_resolver(const struct traced *traced, struct buf *t)
{
	if (!traced->resolver_asked)
		return;
	buf_printf(t, "\nour resolver says %s%s%s\n", answer_status_word(traced->resolver_status),
		traced->resolver_why[0] ? ": " : "", traced->resolver_why);
	if (!traced->resolver_agrees && !traced->question.at)
		buf_printf(t, "!! IT DISAGREES: we say %s\n", trust_word(traced->trust->trust));
}

void tracework_show_text(const struct traced *traced, struct buf *t)
{
	const struct trust_report *r = traced->trust;

	for (size_t i = 0; i < r->zone_count; i++)
		show_zone(r, i, t);
	for (size_t i = 0; i < r->step_count; i++)
		show_step(r->step[i], t);
	if (traced->presented_count == 0)
		show_records(traced, t);
	for (size_t i = 0; i < traced->presented_count; i++)
		show_presented(traced, &traced->presented[i], t);
	show_resolver(traced, t);
	if (r->note_count)
		buf_text(t, "\nnotes\n");
	for (size_t i = 0; i < r->note_count; i++)
		buf_printf(t, "   %s\n", r->note[i]);
	buf_printf(t, "\n%s\n", traced->sentence);
}
