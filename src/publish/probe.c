/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/probe.h"

#include "publish/exchange.h"

#include <ldns/ldns.h>

static void read_answer(const ldns_pkt *answer, struct probe_zone *out)
{
	const ldns_rr_list *records = ldns_pkt_answer(answer);

	if (ldns_pkt_get_rcode(answer) != LDNS_RCODE_NOERROR || !ldns_pkt_aa(answer))
		return;
	for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(records, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG)
			out->is_signed = true;
		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_SOA || ldns_rr_rd_count(rr) < 3)
			continue;
		out->served = true;
		out->serial = ldns_rdf2native_int32(ldns_rr_rdf(rr, 2));
	}
}

int probe_ask(const char *address, uint16_t port, unsigned timeout_ms, const char *zone,
	struct probe_zone *out, struct err *err)
{
	const struct primary server = { address, port, timeout_ms, NULL };
	struct probe_zone found = { 0 };
	ldns_pkt *answer = NULL;
	struct name name;
	int rc;

	if (name_of(zone, &name) != 0)
		return err_set(err, ERR_FORMAT, "zone '%s': not a domain name", zone);
	rc = exchange_ask(&server, &name, LDNS_RR_TYPE_SOA, &answer, err);
	if (rc != 0)
		return err_wrap(err, rc, "zone '%s'", zone);
	read_answer(answer, &found);
	ldns_pkt_free(answer);
	*out = found;
	return 0;
}
