/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/sealed.h"

#include "servers/query.h"

#include <stdio.h>

void sealed_judge(struct span message, const struct name *owner, uint16_t type,
	const ldns_rr_list *keys, const struct name *zone, int64_t now,
	struct signature_verdict *out)
{
	struct signature_verdict v = { .good = false };
	ldns_pkt *packet = NULL;
	ldns_rr_list *set = NULL;

	if (ldns_wire2pkt(&packet, message.p, message.n) != LDNS_STATUS_OK ||
		!query_is_whole(packet)) {
		snprintf(v.why, sizeof(v.why), "its answer does not parse");
	} else {
		set = signature_rrset(ldns_pkt_answer(packet), owner, type);
		if (set)
			signature_judge(set, ldns_pkt_answer(packet), keys, zone, now, &v);
		else
			snprintf(v.why, sizeof(v.why), "no such records");
	}
	ldns_rr_list_free(set);
	ldns_pkt_free(packet);
	*out = v;
}

int sealed_put_keys(const ldns_rr_list *keys, struct buf *out, struct err *err)
{
	ldns_buffer *wire = ldns_buffer_new(LDNS_MAX_PACKETLEN);
	ldns_rr_list *sorted = wire ? ldns_rr_list_clone(keys) : NULL;
	int rc = sorted ? 0 : err_set(err, ERR_NOMEM, "keys: out of memory");

	if (sorted)
		ldns_rr_list_sort(sorted);
	for (size_t i = 0; rc == 0 && i < ldns_rr_list_rr_count(sorted); i++) {
		ldns_buffer_clear(wire);
		if (ldns_rr_rdata2buffer_wire(wire, ldns_rr_list_rr(sorted, i)) != LDNS_STATUS_OK)
			rc = err_set(err, ERR_NOMEM, "keys: out of memory");
		buf_put(out, (struct span){ ldns_buffer_begin(wire), ldns_buffer_position(wire) });
	}
	ldns_rr_list_deep_free(sorted);
	ldns_buffer_free(wire);
	return rc == 0 && !buf_ok(out) ? err_set(err, ERR_NOMEM, "keys: out of memory") : rc;
}
