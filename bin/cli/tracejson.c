/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracejson - a trace as one JSON object.
 */
#include "cli/tracework.h"

#include "json/writer.h"

static void write_name(struct writer *w, const char *member, const struct name *name)
{
	char text[NAME_TEXT_MAX];

	if (name->n && name_write_text(name, text, sizeof(text)) == 0)
		writer_text(w, member, text);
}

static void write_address(struct writer *w, const struct address *a)
{
	char text[ADDRESS_TEXT_MAX];

	address_write(a, text);
	writer_text(w, "address", text);
}

static void write_until(struct writer *w, const char *member, int64_t until)
{
	if (until == INT64_MAX || until == 0)
		writer_null(w, member);
	else
		writer_integer(w, member, until);
}

static const char *const kind_words[] = { "none", "records", "alias", "denial" };

static void write_signatures(struct writer *w, const struct trust_set *set)
{
	writer_open(w, "signatures", '[');
	for (size_t i = 0; i < set->sig_count; i++) {
		const struct signature *s = &set->sig[i];

		writer_open(w, NULL, '{');
		writer_u64(w, "key_tag", s->tag);
		writer_u64(w, "algorithm", s->algorithm);
		writer_integer(w, "inception", s->inception);
		writer_integer(w, "expiration", s->expiration);
		writer_text(w, "state", signature_state_word(s->state));
		writer_close(w);
	}
	writer_close(w);
}

static void write_set(struct writer *w, const char *member, const struct trust_set *set)
{
	char type[16];

	writer_open(w, member, '{');
	write_name(w, "owner", &set->owner);
	writer_text(w, "type", rr_type_word(set->type, type, sizeof(type)));
	writer_text(w, "trust", trust_word(set->trust));
	writer_text(w, "answer", kind_words[set->kind]);
	writer_text(w, "why", set->why);
	writer_bool(w, "servers_differ", set->split);
	write_signatures(w, set);
	writer_open(w, "servers", '[');
	for (size_t i = 0; i < set->said_count; i++) {
		const struct trust_said *s = &set->said[i];

		writer_open(w, NULL, '{');
		write_name(w, "host", &s->host);
		write_address(w, &s->address);
		writer_text(w, "trust", trust_word(s->trust));
		writer_text(w, "answer", kind_words[s->kind]);
		writer_u64(w, "records", s->records);
		writer_bool(w, "wildcard", s->expanded);
		writer_bool(w, "tcp", s->tcp);
		writer_real(w, "ms", s->ms, 3);
		writer_text(w, "why", s->why);
		writer_close(w);
	}
	writer_close(w);
	writer_close(w);
}

static void write_zone(struct writer *w, const struct trust_zone *z)
{
	writer_open(w, NULL, '{');
	write_name(w, "zone", &z->zone);
	writer_text(w, "trust", trust_word(z->trust));
	writer_text(w, "why", z->why);
	writer_bool(w, "anchor", z->anchored);
	writer_open(w, "ds_records", '[');
	for (size_t i = 0; i < z->ds_count; i++) {
		writer_open(w, NULL, '{');
		writer_u64(w, "key_tag", z->ds_record[i].tag);
		writer_u64(w, "algorithm", z->ds_record[i].algorithm);
		writer_u64(w, "digest_type", z->ds_record[i].digest);
		writer_text(w, "state", trust_digest_word(z->ds_record[i].state));
		writer_close(w);
	}
	writer_close(w);
	writer_open(w, "keys", '[');
	for (size_t i = 0; i < z->key_count; i++) {
		writer_open(w, NULL, '{');
		writer_u64(w, "key_tag", z->key[i].tag);
		writer_u64(w, "flags", z->key[i].flags);
		writer_u64(w, "algorithm", z->key[i].algorithm);
		writer_u64(w, "bits", z->key[i].bits);
		writer_bool(w, "vouched_for", z->key[i].entry);
		writer_bool(w, "signs_keys", z->key[i].signs);
		writer_close(w);
	}
	writer_close(w);
	write_set(w, "ds", &z->ds);
	write_set(w, "dnskey", &z->dnskey);
	writer_open(w, "serials", '[');
	for (size_t i = 0; i < z->soa.said_count; i++) {
		writer_open(w, NULL, '{');
		write_address(w, &z->soa.said[i].address);
		if (z->soa.said[i].kind == TRUST_RECORDS)
			writer_u64(w, "serial", z->serial[i]);
		writer_close(w);
	}
	writer_close(w);
	writer_close(w);
}

static void write_tlsa(struct writer *w, const struct tlsa *tlsa)
{
	writer_u64(w, "usage", tlsa->usage);
	writer_u64(w, "selector", tlsa->selector);
	writer_u64(w, "matching", tlsa->matching);
	writer_hex(w, "data", tlsa->data);
}

static void write_records(struct writer *w, const struct traced *t)
{
	writer_open(w, "tlsa", '[');
	for (size_t i = 0; i < t->harvest.count; i++) {
		const struct harvest_record *r = &t->harvest.record[i];
		struct tlsa tlsa;

		writer_open(w, NULL, '{');
		if (tlsa_read(buf_span(&r->rdata), &tlsa, NULL) == 0)
			write_tlsa(w, &tlsa);
		writer_bool(w, "on_all_servers", r->servers == t->harvest.servers);
		writer_close(w);
	}
	writer_close(w);
}

static void write_presented(struct writer *w, const struct traced *t,
	const struct trace_presented *p)
{
	writer_open(w, NULL, '{');
	if (t->question.against == TRACE_SERVICE)
		write_address(w, &p->address);
	else
		writer_text(w, "file", t->question.file);
	writer_bool(w, "presents", p->presents);
	writer_bool(w, "proved", p->proved);
	writer_bool(w, "skipped", p->skipped);
	writer_text(w, "version", p->version);
	writer_real(w, "ms", p->ms, 3);
	writer_text(w, "why", p->why);
	write_until(w, "until", p->until);
	writer_open(w, "records", '[');
	for (size_t i = 0; i < p->result->count; i++) {
		const struct verify_record *v = &p->result->record[i];

		writer_open(w, NULL, '{');
		write_tlsa(w, &v->tlsa);
		writer_bool(w, "counts", v->counts);
		writer_bool(w, "matched", v->matched);
		writer_integer(w, "depth", v->depth);
		writer_text(w, "why", v->why);
		writer_close(w);
	}
	writer_close(w);
	writer_close(w);
}

static void write_resolver(struct writer *w, const struct traced *t)
{
	if (!t->resolver_asked)
		return;
	writer_open(w, "resolver", '{');
	writer_text(w, "says", answer_status_word(t->resolver_status));
	writer_text(w, "why", t->resolver_why);
	writer_bool(w, "agrees", t->resolver_agrees);
	writer_close(w);
}

void tracework_show_json(const struct traced *t, struct buf *out)
{
	const struct trust_report *r = t->trust;
	struct writer w = writer_into(out);

	writer_open(&w, NULL, '{');
	write_name(&w, "name", &t->owner);
	writer_bool(&w, "holds", t->verdict == TRACE_HOLDS);
	writer_text(&w, "sentence", t->sentence);
	writer_text(&w, "trust", trust_word(r->trust));
	writer_text(&w, "answer", kind_words[r->kind]);
	writer_text(&w, "why", r->why);
	writer_integer(&w, "at", t->now);
	write_until(&w, "until", t->until);
	writer_text(&w, "until_why", t->until ? t->until_why : "");
	writer_real(&w, "ms", t->ms, 3);
	writer_open(&w, "zones", '[');
	for (size_t i = 0; i < r->zone_count; i++)
		write_zone(&w, r->zone[i]);
	writer_close(&w);
	writer_open(&w, "steps", '[');
	for (size_t i = 0; i < r->step_count; i++)
		write_set(&w, NULL, &r->step[i]->set);
	writer_close(&w);
	write_records(&w, t);
	writer_open(&w, "presented", '[');
	for (size_t i = 0; i < t->presented_count; i++)
		write_presented(&w, t, &t->presented[i]);
	writer_close(&w);
	write_resolver(&w, t);
	writer_open(&w, "notes", '[');
	for (size_t i = 0; i < r->note_count; i++)
		writer_text(&w, NULL, r->note[i]);
	writer_close(&w);
	writer_close(&w);
	buf_text(out, "\n");
}
