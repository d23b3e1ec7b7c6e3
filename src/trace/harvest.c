/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/harvest.h"

#include <string.h>

static bool same(const struct buf *a, const struct buf *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

static void add(struct harvest *h, struct buf *rdata, uint32_t server)
{
	for (size_t i = 0; i < h->count; i++) {
		if (!same(&h->record[i].rdata, rdata))
			continue;
		h->record[i].servers |= server;
		buf_done(rdata);
		return;
	}
	if (h->count < HARVEST_MAX) {
		h->record[h->count++] = (struct harvest_record){ *rdata, server };
		return;
	}
	h->beyond++;
	buf_done(rdata);
}

static int add_all(struct harvest *h, const ldns_rr_list *rrset, uint32_t server, struct err *err)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(rrset); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(rrset, i);
		struct buf rdata = { 0 };

		for (size_t k = 0; k < ldns_rr_rd_count(rr); k++) {
			const ldns_rdf *rdf = ldns_rr_rdf(rr, k);

			buf_put(&rdata, (struct span){ ldns_rdf_data(rdf), ldns_rdf_size(rdf) });
		}
		if (!buf_ok(&rdata)) {
			buf_done(&rdata);
			return err_set(err, ERR_NOMEM, "records: no memory");
		}
		add(h, &rdata, server);
	}
	return 0;
}

int harvest_take(const struct evidence *e, const struct trust_report *r, struct harvest *out,
	struct err *err)
{
	const struct trust_set *set = r->step_count ? &r->step[r->step_count - 1]->set : NULL;
	int rc = 0;

	*out = (struct harvest){ 0 };
	if (!set || set->kind != TRUST_RECORDS)
		return 0;
	for (size_t i = 0; rc == 0 && i < set->said_count; i++) {
		const struct trust_said *s = &set->said[i];
		ldns_rr_list *rrset;

		if (s->trust != set->trust || s->kind == TRUST_NOTHING)
			continue;
		out->servers |= 1u << i;
		if (s->kind != TRUST_RECORDS)
			continue;
		rrset = signature_rrset(
			ldns_pkt_answer(e->step[e->count - 1].asked.said[i].answer.packet),
			&set->owner, set->type);
		rc = add_all(out, rrset, 1u << i, err);
		ldns_rr_list_free(rrset);
	}
	if (rc != 0)
		harvest_done(out);
	return rc;
}

void harvest_done(struct harvest *h)
{
	for (size_t i = 0; i < h->count; i++)
		buf_done(&h->record[i].rdata);
	*h = (struct harvest){ 0 };
}
