/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/lifetime.h"

#include <time.h>

#include "dns/rr.h"

/* Fields of RDATA, RFC 4034 section 3.1 and RFC 1035 section 3.3.13. */
#define RRSIG_COVERED    0
#define RRSIG_TTL        3
#define RRSIG_EXPIRATION 4
#define SOA_REFRESH      3
#define SOA_EXPIRE       5
#define SOA_MINIMUM      6

static uint32_t number(const ldns_rr *rr, size_t field)
{
	const ldns_rdf *rdf = ldns_rr_rdf(rr, field);

	return rdf && ldns_rdf_size(rdf) == 4 ? ldns_rdf2native_int32(rdf) : 0;
}

static void raise_to(uint32_t *most, uint32_t v)
{
	if (v > *most)
		*most = v;
}

/* RFC 4034 section 3.1.5: a time of 32 bits is the one of that number nearest to now. */
static int64_t moment(uint32_t serial)
{
	time_t now = time(NULL);

	return (int64_t)now + (int32_t)(serial - (uint32_t)now);
}

static void take_set(const ldns_rr *rr, uint16_t type, struct lifetime *out)
{
	int64_t until;

	if (ldns_rr_get_type(rr) == type) {
		raise_to(&out->ttl_s, ldns_rr_ttl(rr));
		return;
	}
	if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_RRSIG || ldns_rr_rd_count(rr) < 9 ||
		ldns_rdf2native_int16(ldns_rr_rdf(rr, RRSIG_COVERED)) != type)
		return;
	raise_to(&out->ttl_s, number(rr, RRSIG_TTL));
	until = moment(number(rr, RRSIG_EXPIRATION));
	if (until > out->signed_until_s)
		out->signed_until_s = until;
}

static bool take_soa(const ldns_rr *rr, struct lifetime *out)
{
	uint32_t minimum;

	if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_SOA || ldns_rr_rd_count(rr) < 7)
		return false;
	minimum = number(rr, SOA_MINIMUM);
	raise_to(&out->negative_s, minimum < ldns_rr_ttl(rr) ? minimum : ldns_rr_ttl(rr));
	raise_to(&out->refresh_s, number(rr, SOA_REFRESH));
	raise_to(&out->expire_s, number(rr, SOA_EXPIRE));
	return true;
}

/* Every record of every answer; true when a SOA was among them. */
static bool take_all(const struct asked *asked, uint16_t type, struct lifetime *out)
{
	bool soa = false;

	for (size_t i = 0; i < asked->count; i++) {
		const struct query_answer *a = &asked->said[i].answer;
		const ldns_rr_list *list;

		if (!query_is_useful(a) || !ldns_pkt_aa(a->packet))
			continue;
		list = ldns_pkt_answer(a->packet);
		for (size_t n = 0; n < ldns_rr_list_rr_count(list); n++) {
			if (type == RR_SOA)
				soa |= take_soa(ldns_rr_list_rr(list, n), out);
			else
				take_set(ldns_rr_list_rr(list, n), type, out);
		}
	}
	return soa;
}

int lifetime_ask(struct delegation_walk *w, const struct name *owner, uint16_t type,
	struct lifetime *out, struct err *err)
{
	struct asked set = { 0 }, soa = { 0 };
	struct lifetime found = { 0 };
	struct delegation *zone = NULL;
	int rc = delegation_of(w, owner, &zone, err);

	if (rc == 0)
		rc = delegation_ask(w, zone, owner, type, &set, err);
	if (rc == 0)
		rc = delegation_ask(w, zone, &zone->zone, RR_SOA, &soa, err);
	if (rc == 0) {
		take_all(&set, type, &found);
		if (!take_all(&soa, RR_SOA, &found))
			rc = err_set(err, ERR_PEER, "no server of the zone gives its SOA");
	}
	asked_done(&set);
	asked_done(&soa);
	if (rc == 0)
		*out = found;
	return rc;
}
