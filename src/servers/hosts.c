/* SPDX-License-Identifier: Apache-2.0 */
#include "servers/hosts.h"

#include "dns/rr.h"
#include "servers/evidence.h"

#include <string.h>

struct found {
	struct address *out;
	size_t cap, n;
	uint16_t port;
};

static void put(struct found *f, const ldns_rr *rr)
{
	const ldns_rdf *rdf = ldns_rr_rd_count(rr) ? ldns_rr_rdf(rr, 0) : NULL;
	struct address a = { .v6 = ldns_rr_get_type(rr) == LDNS_RR_TYPE_AAAA, .port = f->port };
	size_t size = a.v6 ? 16 : 4;

	if (!rdf || ldns_rdf_size(rdf) != size || f->n == f->cap)
		return;
	memcpy(a.octets, ldns_rdf_data(rdf), size);
	for (size_t i = 0; i < f->n; i++)
		if (memcmp(&f->out[i], &a, sizeof(a)) == 0)
			return;
	f->out[f->n++] = a;
}

static void put_all(struct found *f, const struct asked *asked, ldns_rr_type type)
{
	for (size_t i = 0; i < asked->count; i++) {
		const struct query_answer *a = &asked->said[i].answer;
		const ldns_rr_list *list;

		if (!query_is_useful(a))
			continue;
		list = ldns_pkt_answer(a->packet);
		for (size_t n = 0; n < ldns_rr_list_rr_count(list); n++)
			if (ldns_rr_get_type(ldns_rr_list_rr(list, n)) == type)
				put(f, ldns_rr_list_rr(list, n));
	}
}

int hosts_of(struct delegation_walk *w, const struct name *host, uint16_t port, struct address *out,
	size_t cap, size_t *n, struct err *err)
{
	static const uint16_t types[] = { RR_A, RR_AAAA };
	struct found f = { .out = out, .cap = cap, .port = port };
	int rc = 0;

	memset(out, 0, cap * sizeof(*out));
	for (size_t i = 0; rc == 0 && i < 2; i++) {
		struct evidence e = { 0 };

		rc = evidence_collect(w, host, types[i], &e, err);
		for (size_t s = 0; rc == 0 && s < e.count; s++)
			put_all(&f, &e.step[s].asked, (ldns_rr_type)types[i]);
		evidence_done(&e);
	}
	if (rc == 0)
		*n = f.n;
	return rc;
}
