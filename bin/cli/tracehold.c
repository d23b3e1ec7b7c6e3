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

/* What is presented by one, held against the records: a chain, or a bare key. */
struct holding {
	struct traced *t;
	struct trace_presented *p;
	struct span chain, spki; /* one of them */
	struct name reference[2];
	size_t reference_count;
};

static void take_references(struct holding *h)
{
	const struct trace_question *q = &h->t->question;
	struct trace_question at_owner;

	if (q->client || q->host.n == 0) {
		h->reference[h->reference_count++] = h->t->owner;
		return;
	}
	/* RFC 7671 section 7: the TLSA base domain, and the name that was asked for */
	h->reference[h->reference_count++] = q->host;
	if (tracework_split_owner(&h->t->owner, &at_owner) && !name_equal(&at_owner.host, &q->host))
		h->reference[h->reference_count++] = at_owner.host;
}

static int hold_chain(struct holding *h, const struct span *rdata, size_t count,
	struct verify_result *out, struct err *err)
{
	const struct verify_config config = {
		.role = h->t->question.client ? VERIFY_CLIENT : VERIFY_SERVER,
		.mode = TLS_DANE,
		.chain_pem = h->chain,
		.rdata = rdata,
		.rdata_count = count,
		.reference = h->reference,
		.reference_count = h->reference_count,
		.ca_cert = h->t->question.store,
		.at = (time_t)h->t->now,
	};

	return verify_chain(&config, out, err);
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

static int hold_key(const struct span *rdata, size_t count, struct span spki,
	struct verify_result *v, struct err *err)
{
	struct tlsaset set;
	int rc = 0;

	memset(v, 0, sizeof(*v));
	tlsaset_read(rdata, count, &set);
	snprintf(v->peer.reason, sizeof(v->peer.reason), "no TLSA record is of this key");
	for (size_t i = 0; rc == 0 && i < set.count; i++) {
		const struct tlsaset_record *r = &set.record[i];
		struct verify_record *to = &v->record[i];

		*to = (struct verify_record){ .tlsa = r->tlsa, .counts = !r->why, .depth = -1 };
		v->count = i + 1;
		if (to->counts)
			rc = compare_key(&r->tlsa, spki, to, err);
		else
			snprintf(to->why, sizeof(to->why), "%s", r->why);
		if (rc == 0 && to->matched) {
			v->peer.authenticated = true;
			v->peer.usage = TLSA_DANE_EE;
		}
	}
	return rc;
}

/* By the records that these servers have. */
static int judge(struct holding *h, uint32_t servers, struct verify_result *out, struct err *err)
{
	struct span rdata[HARVEST_MAX];
	size_t count = 0;

	for (size_t i = 0; i < h->t->harvest.count; i++)
		if (h->t->harvest.record[i].servers & servers)
			rdata[count++] = buf_span(&h->t->harvest.record[i].rdata);
	return h->spki.n ? hold_key(rdata, count, h->spki, out, err)
			 : hold_chain(h, rdata, count, out, err);
}

/* One record is enough, so the latest end counts: that of DANE-EE, which has none. */
static int find_end(struct holding *h, const struct verify_result *v, struct err *err)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->record[i].matched && v->record[i].tlsa.usage == TLSA_DANE_EE)
			return 0;
	return v->peer.authenticated ? present_until(h->chain, v->peer.depth, &h->p->until, err)
				     : 0;
}

/* Each server's records by themselves have to prove it: a client meets one of them. */
static int hold_by_each(struct holding *h, struct err *err)
{
	struct verify_result *alone = malloc(sizeof(*alone));
	int rc = alone ? 0 : err_set(err, ERR_NOMEM, "out of memory");

	for (uint32_t bit = 1; rc == 0 && bit && bit <= h->t->harvest.servers; bit <<= 1) {
		if (!(h->t->harvest.servers & bit))
			continue;
		rc = judge(h, bit, alone, err);
		if (rc == 0 && alone->peer.authenticated)
			h->p->servers |= bit;
	}
	free(alone);
	return rc;
}

static bool servers_differ(const struct harvest *harvest)
{
	for (size_t i = 0; i < harvest->count; i++)
		if (harvest->record[i].servers != harvest->servers)
			return true;
	return false;
}

static int hold(struct holding *h, struct err *err)
{
	const struct harvest *harvest = &h->t->harvest;
	struct trace_presented *p = h->p;
	int rc;

	p->presents = true;
	take_references(h);
	rc = judge(h, harvest->servers, p->result, err);
	if (rc == 0 && servers_differ(harvest))
		rc = hold_by_each(h, err);
	else if (rc == 0 && p->result->peer.authenticated)
		p->servers = harvest->servers;
	if (rc == 0)
		rc = find_end(h, p->result, err);
	p->proved = harvest->count > 0 && p->servers == harvest->servers;
	if (rc != 0 || p->proved)
		return rc;
	if (p->servers)
		snprintf(p->why, sizeof(p->why),
			"the records of some name servers prove it, those of others do not");
	else
		snprintf(p->why, sizeof(p->why), "%.190s",
			harvest->count ? p->result->peer.reason : "no TLSA record");
	return 0;
}

static int hold_file(struct traced *t, struct trace_presented *p, struct err *err)
{
	const bool is_key = t->question.against == TRACE_KEY;
	struct buf octets = { 0 };
	struct holding h = { .t = t, .p = p };
	int rc = is_key ? der_read_key(t->question.file, &octets, err)
			: wholefile_read("certificate", t->question.file, &octets, err);

	if (is_key)
		h.spki = buf_span(&octets);
	else
		h.chain = buf_span(&octets);
	if (rc == 0)
		rc = hold(&h, err);
	buf_done(&octets);
	return rc;
}

static int hold_address(struct traced *t, struct trace_presented *p, unsigned timeout_ms,
	struct err *err)
{
	struct holding h = { .t = t, .p = p };
	struct present got;
	struct err trouble;
	int rc;

	if (present_ask(&p->address, &t->question.host, timeout_ms ? timeout_ms : QUERY_TIMEOUT_MS,
		    &got, &trouble) != 0) {
		p->skipped = strcmp(trouble.msg, "TCP: Network is unreachable") == 0;
		snprintf(p->why, sizeof(p->why), "%.190s", trouble.msg);
		return 0;
	}
	p->ms = got.tcp_ms + got.tls_ms;
	memcpy(p->version, got.version, sizeof(p->version));
	h.chain = buf_span(&got.chain);
	rc = hold(&h, err);
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
	p->until = INT64_MAX;
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
