/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/primary.h"

#include <string.h>

#include "base/hex.h"
#include "crypto/random.h"
#include "publish/exchange.h"
#include "publish/reading.h"
#include "servers/stream.h"

#define RRSIG_COVERED 0
#define RRSIG_LABELS  2

static bool covers(const ldns_rr *rr, const struct rrset *set)
{
	return ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG && ldns_rr_rd_count(rr) > RRSIG_LABELS &&
		ldns_rdf2native_int16(ldns_rr_rdf(rr, RRSIG_COVERED)) == set->type;
}

/* True when a signature over the type says that a wildcard made the records. RFC 4034 section
 * 3.1.3: a wildcard's own label is not counted. */
static bool is_made_up(const ldns_rr *rr, const struct rrset *set)
{
	unsigned labels = name_labels(&set->owner) - name_is_wildcard(&set->owner);

	return ldns_rdf2native_int8(ldns_rr_rdf(rr, RRSIG_LABELS)) < labels;
}

static int read_answer(const ldns_pkt *answer, struct rrset *set, bool *is_signed, struct err *err)
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
		if (covers(rr, set)) {
			*is_signed = true;
			made_up = made_up || is_made_up(rr, set);
		}
	}
	return rc == 0 && !made_up ? exchange_take(records, set, err) : rc;
}

/* A name that nobody has, for which the same wildcard would answer: beside the owner, or, of a
 * wildcard, beside its parent, as itself would answer for what is below that. */
static int sibling_of(const struct name *owner, struct name *out, struct err *err)
{
	struct name above = *owner;
	uint8_t octets[8];
	char label[2 * sizeof(octets) + 1];
	int rc = random_octets(octets, sizeof(octets), err);

	for (int up = name_is_wildcard(owner) ? 2 : 1; up > 0; up--)
		if (!name_parent(&above, &above))
			return err_set(err, ERR_FORMAT, "name: nothing is above it");
	if (rc == 0)
		rc = hex_write((struct span){ octets, sizeof(octets) }, label, sizeof(label));
	return rc == 0
		? name_prepend((struct span){ (const uint8_t *)label, strlen(label) }, &above, out)
		: rc;
}

/* No signature tells whether a wildcard made the set: then none may be there that could. */
static int check_unsigned(const struct primary *p, const struct rrset *set, struct err *err)
{
	struct rrset beside = { 0 };
	ldns_pkt *answer = NULL;
	bool is_signed = false;
	struct name sibling;
	int rc = sibling_of(&set->owner, &sibling, err);

	beside = rrset_of(&sibling, set->type, 0);
	if (rc == 0)
		rc = exchange_ask(p, &sibling, set->type, &answer, err);
	if (rc == 0)
		rc = read_answer(answer, &beside, &is_signed, err);
	if (rc == 0 && beside.count)
		rc = err_set(err, ERR_PEER,
			"its answer is not signed, and a wildcard that is there may have made it "
			"up: sign the zone");
	ldns_pkt_free(answer);
	rrset_done(&beside);
	return rc;
}

int primary_read(const struct primary *p, const struct name *owner, uint16_t type,
	struct rrset *out, struct err *err)
{
	struct rrset set = rrset_of(owner, type, 0);
	ldns_pkt *answer = NULL;
	char text[NAME_TEXT_MAX];
	bool is_signed = false;
	int rc = exchange_ask(p, owner, type, &answer, err);

	if (rc == 0)
		rc = read_answer(answer, &set, &is_signed, err);
	ldns_pkt_free(answer);
	if (rc == 0 && set.count && !is_signed)
		rc = check_unsigned(p, &set, err);
	if (rc != 0) {
		rrset_done(&set);
		return name_write_text(owner, text, sizeof(text)) == 0
			? err_wrap(err, rc, "'%s'", text)
			: rc;
	}
	*out = set;
	return 0;
}

struct many {
	const struct name *owners;
	uint16_t type;
	struct rrset *out;
};

static int take_one(void *arg, size_t server, size_t i, const struct stream_answer *a,
	struct err *err)
{
	const struct many *m = arg;
	struct reading r = { .expanded = false };
	char text[NAME_TEXT_MAX] = "";
	int rc;

	(void)server;
	if (a->outcome != QUERY_ANSWERED)
		return err_set(err, ERR_TIMEOUT, "the primary: %s", a->why);
	rc = reading_take(&a->message, &m->owners[i], m->type, &r, err);
	if (rc != 0) {
		name_write_text(&m->owners[i], text, sizeof(text));
		return err_wrap(err, rc, "'%s'", text);
	}
	if (r.expanded)
		rrset_done(&r.set);
	m->out[i] = r.set;
	/* As in check_unsigned; for many names the zone has to be signed. */
	if (r.set.count && !r.signatures) {
		name_write_text(&m->owners[i], text, sizeof(text));
		return err_set(err, ERR_PEER,
			"'%s': its answer is not signed, and a wildcard may have made it up: "
			"sign the zone",
			text);
	}
	return 0;
}

int primary_read_many(const struct primary *p, const struct name *owners, size_t count,
	uint16_t type, struct rrset *out, struct err *err)
{
	struct many many = { owners, type, out };
	struct address to;
	const struct stream_order order = { .to = &to,
		.servers = 1,
		.names = owners,
		.count = count,
		.type = type,
		.timeout_ms = p->timeout_ms ? p->timeout_ms : PRIMARY_TIMEOUT_MS,
		.take = take_one,
		.arg = &many };
	int rc = address_read(p->address, &to, err);

	to.port = p->port;
	return rc == 0 ? stream_run(&order, err) : rc;
}
