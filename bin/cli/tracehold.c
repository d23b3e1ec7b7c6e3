/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tracework.h"

#include "cli/connect.h"
#include "dane/generate.h"
#include "pki/der.h"
#include "pki/wholefile.h"
#include "tls/present.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX TLSASET_MAX

/* What is presented by one, held against the records; pem is empty for a bare key. */
struct holding {
	struct traced *t;
	struct trace_presented *p;
	struct span rdata[KEYS_MAX];
	size_t count;
	struct name reference[2];
	size_t reference_count;
};

static void take_references(struct holding *h)
{
	const struct trace_question *q = &h->t->question;
	struct trace_question at_owner;

	if (q->client || q->against != TRACE_SERVICE) {
		h->reference[h->reference_count++] = h->t->owner;
		return;
	}
	/* RFC 7671 section 7: the TLSA base domain, and the name that was asked for */
	h->reference[h->reference_count++] = q->host;
	if (tracework_split_owner(&h->t->owner, &at_owner) && !name_equal(&at_owner.host, &q->host))
		h->reference[h->reference_count++] = at_owner.host;
}

static void begin(struct holding *h, struct traced *t, struct trace_presented *p)
{
	*h = (struct holding){ .t = t, .p = p };
	for (size_t i = 0; i < t->harvest.count && h->count < KEYS_MAX; i++)
		h->rdata[h->count++] = buf_span(&t->harvest.record[i].rdata);
	take_references(h);
	p->until = INT64_MAX;
}

/* Each server's records by themselves have to prove it: a client meets one of them. */
static void sum_up(struct holding *h)
{
	struct trace_presented *p = h->p;
	const struct verify_result *v = p->result;
	int64_t best = 0;

	for (size_t i = 0; i < v->count; i++)
		if (v->record[i].matched)
			p->servers |= h->t->harvest.record[i].servers;
	p->proved = p->presents && h->count > 0 && p->servers == h->t->harvest.servers;
	for (size_t i = 0; i < v->count; i++) /* one record is enough, so the latest counts */
		if (v->record[i].matched && v->record[i].tlsa.usage == TLSA_DANE_EE)
			best = INT64_MAX;
	p->until = best == INT64_MAX ? best : p->until;
	if (p->proved || p->why[0])
		return;
	if (p->servers)
		snprintf(p->why, sizeof(p->why),
			"the records of some name servers prove it, those of others do not");
	else
		snprintf(p->why, sizeof(p->why), "%.190s",
			h->count ? v->peer.reason : "no TLSA record");
}

static int hold_chain(struct holding *h, struct span chain, struct err *err)
{
	const struct verify_config config = {
		.role = h->t->question.client ? VERIFY_CLIENT : VERIFY_SERVER,
		.mode = TLS_DANE,
		.chain_pem = chain,
		.rdata = h->rdata,
		.rdata_count = h->count,
		.reference = h->reference,
		.reference_count = h->reference_count,
		.ca_cert = h->t->question.store,
		.at = (time_t)h->t->now,
	};
	struct verify_result *v = h->p->result;
	int rc = verify_chain(&config, v, err);

	if (rc == 0 && v->peer.authenticated)
		rc = present_until(chain, v->peer.depth, &h->p->until, err);
	if (rc == 0)
		sum_up(h);
	return rc;
}

/* A bare key can be proved by DANE-EE with its SPKI only: RFC 7671 section 5.1. */
static int compare_key(const struct tlsa *tlsa, struct span spki, struct verify_record *to,
	struct err *err)
{
	uint8_t memory[GENERATE_MAX];
	struct tlsa made = { .data = spki };
	int rc = 0;

	if (tlsa->usage != TLSA_DANE_EE || tlsa->selector != TLSA_SPKI) {
		snprintf(to->why, sizeof(to->why), "needs a certificate; this is a bare key");
		return 0;
	}
	if (tlsa->matching != TLSA_FULL)
		rc = generate_from_key(spki, TLSA_DANE_EE, (enum tlsa_matching)tlsa->matching,
			memory, sizeof(memory), &made, err);
	to->matched = rc == 0 && made.data.n == tlsa->data.n &&
		memcmp(made.data.p, tlsa->data.p, made.data.n) == 0;
	to->depth = to->matched ? 0 : -1;
	snprintf(to->why, sizeof(to->why), "%s", to->matched ? "" : "another key");
	return rc;
}

static int hold_key(struct holding *h, struct span spki, struct err *err)
{
	struct verify_result *v = h->p->result;
	struct tlsaset set;
	int rc = 0;

	tlsaset_read(h->rdata, h->count, &set);
	for (size_t i = 0; rc == 0 && i < set.count; i++) {
		const struct tlsaset_record *r = &set.record[i];
		struct verify_record *to = &v->record[i];

		*to = (struct verify_record){ .tlsa = r->tlsa, .counts = !r->why, .depth = -1 };
		v->count = i + 1;
		if (to->counts)
			rc = compare_key(&r->tlsa, spki, to, err);
		else
			snprintf(to->why, sizeof(to->why), "%s", r->why);
	}
	snprintf(v->peer.reason, sizeof(v->peer.reason), "no TLSA record is of this key");
	if (rc == 0)
		sum_up(h);
	return rc;
}

static int hold_file(struct traced *t, struct trace_presented *p, struct err *err)
{
	const bool is_key = t->question.against == TRACE_KEY;
	struct buf octets = { 0 };
	struct holding h;
	int rc = is_key ? der_read_key(t->question.file, &octets, err)
			: wholefile_read("certificate", t->question.file, &octets, err);

	begin(&h, t, p);
	p->presents = rc == 0;
	if (rc == 0)
		rc = is_key ? hold_key(&h, buf_span(&octets), err)
			    : hold_chain(&h, buf_span(&octets), err);
	buf_done(&octets);
	return rc;
}

static int hold_address(struct traced *t, struct trace_presented *p, unsigned timeout_ms,
	struct err *err)
{
	struct present got;
	struct holding h;
	struct err trouble;
	int rc;

	begin(&h, t, p);
	if (present_ask(&p->address, &t->question.host, timeout_ms ? timeout_ms : QUERY_TIMEOUT_MS,
		    &got, &trouble) != 0) {
		snprintf(p->why, sizeof(p->why), "%.190s", trouble.msg);
		return 0;
	}
	p->presents = true;
	p->ms = got.tcp_ms + got.tls_ms;
	memcpy(p->version, got.version, sizeof(p->version));
	rc = hold_chain(&h, buf_span(&got.chain), err);
	present_done(&got);
	return rc;
}

static int add_presented(struct traced *t, const struct address *address, struct err *err)
{
	struct trace_presented *p = &t->presented[t->presented_count];

	if (t->presented_count == TRACE_ADDRESSES_MAX)
		return 0;
	p->result = calloc(1, sizeof(*p->result));
	if (!p->result)
		return err_set(err, ERR_NOMEM, "out of memory");
	if (address)
		p->address = *address;
	t->presented_count++;
	return 0;
}

static int add_addresses(struct traced *t, const struct evidence *e, const struct trust_report *r,
	bool v6, struct err *err)
{
	struct harvest h;
	int rc = harvest_take(e, r, &h, err);

	for (size_t i = 0; rc == 0 && i < h.count; i++) {
		struct address a = { .v6 = v6, .port = t->question.port };
		struct span octets = buf_span(&h.record[i].rdata);

		if (octets.n != (v6 ? 16u : 4u))
			continue;
		memcpy(a.octets, octets.p, octets.n);
		rc = add_presented(t, &a, err);
	}
	if (rc == 0)
		harvest_done(&h);
	return rc;
}

int tracework_hold(struct traced *t, unsigned timeout_ms, struct err *err)
{
	int rc;

	if (t->question.against != TRACE_SERVICE) {
		rc = add_presented(t, NULL, err);
		return rc == 0 ? hold_file(t, &t->presented[0], err) : rc;
	}
	rc = add_addresses(t, &t->evidence_a, t->trust_a, false, err);
	if (rc == 0)
		rc = add_addresses(t, &t->evidence_aaaa, t->trust_aaaa, true, err);
	for (size_t i = 0; rc == 0 && i < t->presented_count; i++)
		rc = hold_address(t, &t->presented[i], timeout_ms, err);
	return rc;
}
