/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/reading.h"

#include "publish/exchange.h"

#define RR_RRSIG 46

static int check(const struct message *m, struct err *err)
{
	if (m->rcode != MESSAGE_NOERROR && m->rcode != MESSAGE_NXDOMAIN)
		return err_set(err, ERR_PEER, "refused with %s", exchange_rcode_words(m->rcode));
	if (!m->authoritative)
		return err_set(err, ERR_PEER, "it is not authoritative for the name");
	return 0;
}

/* The records of one type, their data into room. */
static int find(const struct message *m, const struct name *owner, uint16_t type, struct sink *room,
	struct span *rdata, uint16_t max, struct message_found *found, struct err *err)
{
	int rc = message_find(m, owner, type, room, rdata, max, found);

	if (rc != 0)
		return err_set(err, rc, "its answer %s",
			rc == ERR_SPACE ? "has too many records" : "does not parse");
	if (found->aliased)
		return err_set(err, ERR_PEER, "an alias (CNAME); publish where it leads");
	return 0;
}

static int take_set(const struct message *m, struct rrset *set, struct err *err)
{
	uint8_t octets[RRSET_RDATA_MAX];
	struct sink room = sink_into(octets, sizeof(octets));
	struct span rdata[RRSET_RECORDS_MAX];
	struct message_found found;
	int rc = find(m, &set->owner, set->type, &room, rdata, RRSET_RECORDS_MAX, &found, err);

	for (uint16_t i = 0; rc == 0 && i < found.count; i++)
		rc = rrset_add(set, rdata[i], err);
	if (rc == 0 && found.count)
		set->ttl_s = found.ttl_s;
	return rc;
}

/* The fields of an RRSIG that count here; another type's is passed over. */
static void take_signature(struct reading *r, struct span rdata)
{
	struct cursor c = cursor_over(rdata);
	const unsigned own = name_labels(&r->set.owner) - (name_is_wildcard(&r->set.owner) ? 1 : 0);
	uint32_t expires;
	uint8_t labels;

	if (cursor_u16_be(&c) != r->set.type)
		return;
	cursor_u8(&c); /* algorithm */
	labels = cursor_u8(&c);
	cursor_u32_be(&c); /* original TTL */
	expires = cursor_u32_be(&c);
	if (c.bad)
		return;
	r->expanded |= labels < own;
	r->expires[r->signatures] = expires;
	r->rrsig[r->signatures++] = rdata;
}

int reading_take(const struct message *m, const struct name *owner, uint16_t type,
	struct reading *out, struct err *err)
{
	struct sink room = sink_into(out->octets, sizeof(out->octets));
	struct span rdata[READING_SIGNATURES_MAX];
	struct message_found found = { .count = 0 };
	int rc = check(m, err);

	out->set = rrset_of(owner, type, 0);
	out->expanded = false;
	out->signatures = 0;
	if (rc == 0)
		rc = take_set(m, &out->set, err);
	if (rc == 0 && out->set.count)
		rc = find(m, owner, RR_RRSIG, &room, rdata, READING_SIGNATURES_MAX, &found, err);
	for (uint16_t i = 0; rc == 0 && i < found.count; i++)
		take_signature(out, rdata[i]);
	if (rc != 0)
		rrset_done(&out->set);
	return rc;
}
