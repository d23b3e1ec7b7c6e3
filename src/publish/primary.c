/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/primary.h"

#include "publish/exchange.h"

#define RRSIG_COVERED 0
#define RRSIG_LABELS  2

/* True when a signature over the type says that a wildcard made the records. */
static bool is_made_up(const ldns_rr *rr, const struct rrset *set)
{
	return ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG && ldns_rr_rd_count(rr) > RRSIG_LABELS &&
		ldns_rdf2native_int16(ldns_rr_rdf(rr, RRSIG_COVERED)) == set->type &&
		ldns_rdf2native_int8(ldns_rr_rdf(rr, RRSIG_LABELS)) < name_labels(&set->owner);
}

static int read_answer(const ldns_pkt *answer, struct rrset *set, struct err *err)
{
	const ldns_rr_list *records = ldns_pkt_answer(answer);
	unsigned rcode = ldns_pkt_get_rcode(answer);
	bool made_up = false;
	int rc = 0;

	if (rcode != LDNS_RCODE_NOERROR && rcode != LDNS_RCODE_NXDOMAIN)
		return err_set(err, ERR_PEER, "refused with %s", exchange_rcode_words(rcode));
	if (!ldns_pkt_aa(answer))
		return err_set(err, ERR_PEER, "it is not authoritative for the name");
	for (size_t i = 0; rc == 0 && i < ldns_rr_list_rr_count(records); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(records, i);

		if (!exchange_is_at(rr, &set->owner))
			continue;
		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME && set->type != RR_CNAME)
			rc = err_set(err, ERR_PEER, "an alias (CNAME); publish where it leads");
		made_up = made_up || is_made_up(rr, set);
	}
	return rc == 0 && !made_up ? exchange_take(records, set, err) : rc;
}

int primary_read(const struct primary *p, const struct name *owner, uint16_t type,
	struct rrset *out, struct err *err)
{
	struct rrset set = rrset_of(owner, type, 0);
	ldns_pkt *answer = NULL;
	char text[NAME_TEXT_MAX];
	int rc = exchange_ask(p, owner, type, &answer, err);

	if (rc == 0)
		rc = read_answer(answer, &set, err);
	ldns_pkt_free(answer);
	if (rc != 0) {
		rrset_done(&set);
		return name_write_text(owner, text, sizeof(text)) == 0
			? err_wrap(err, rc, "'%s'", text)
			: rc;
	}
	*out = set;
	return 0;
}
