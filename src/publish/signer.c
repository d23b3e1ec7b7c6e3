/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/signer.h"

#include "publish/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLAG_SEP    0x0001
#define FLAG_REVOKE 0x0080

const char *signer_algorithm_word(uint8_t algorithm)
{
	const ldns_lookup_table *row = ldns_lookup_by_id(ldns_algorithms, algorithm);

	return row ? row->name : "?";
}

static int digest_text(const ldns_rr *dnskey, ldns_hash hash, char *out, size_t cap,
	struct err *err)
{
	ldns_rr *ds = ldns_key_rr2ds(dnskey, hash);
	const ldns_rdf *digest = ds ? ldns_rr_rdf(ds, 3) : NULL;
	size_t n = 0;

	for (; digest && n < ldns_rdf_size(digest) && 2 * n + 2 < cap; n++)
		snprintf(out + 2 * n, 3, "%02X", ldns_rdf_data(digest)[n]);
	ldns_rr_free(ds);
	return n ? 0 : err_set(err, ERR_CRYPTO, "DS: cannot be computed");
}

static int key_text(const ldns_rr *dnskey, char *out, size_t cap, struct err *err)
{
	char *key = ldns_rdf2str(ldns_rr_rdf(dnskey, 3));
	int n = key
		? snprintf(out, cap, "%u %u %u %s", ldns_rdf2native_int16(ldns_rr_rdf(dnskey, 0)),
			  ldns_rdf2native_int8(ldns_rr_rdf(dnskey, 1)),
			  ldns_rdf2native_int8(ldns_rr_rdf(dnskey, 2)), key)
		: -1;

	free(key);
	return n > 0 && (size_t)n < cap ? 0 : err_set(err, ERR_SPACE, "DNSKEY: too long");
}

static int take_key(const ldns_rr *dnskey, struct signer_key *out, struct err *err)
{
	int rc;

	*out = (struct signer_key){ .tag = ldns_calc_keytag(dnskey),
		.flags = ldns_rdf2native_int16(ldns_rr_rdf(dnskey, 0)),
		.algorithm = ldns_rdf2native_int8(ldns_rr_rdf(dnskey, 2)) };
	rc = digest_text(dnskey, LDNS_SHA256, out->sha256, sizeof(out->sha256), err);
	if (rc == 0)
		rc = digest_text(dnskey, LDNS_SHA384, out->sha384, sizeof(out->sha384), err);
	return rc == 0 ? key_text(dnskey, out->dnskey, sizeof(out->dnskey), err) : rc;
}

/* The keys the parent shall know: SEP, or when there is none, all. */
static int take_keys(const ldns_rr_list *records, bool sep, const struct name *zone,
	struct signer_key *out, size_t *count, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ldns_rr_list_rr_count(records); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(records, i);
		uint16_t flags;

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_DNSKEY || ldns_rr_rd_count(rr) < 4 ||
			!exchange_is_at(rr, zone))
			continue;
		flags = ldns_rdf2native_int16(ldns_rr_rdf(rr, 0));
		if ((flags & FLAG_REVOKE) || (sep && !(flags & FLAG_SEP)))
			continue;
		if (*count == SIGNER_KEYS_MAX)
			return err_set(err, ERR_SPACE, "DNSKEY: more than %d keys",
				SIGNER_KEYS_MAX);
		rc = take_key(rr, &out[(*count)++], err);
	}
	return rc;
}

int signer_read(const struct primary *p, const struct name *zone,
	struct signer_key out[SIGNER_KEYS_MAX], size_t *count, struct err *err)
{
	ldns_pkt *answer = NULL;
	size_t n = 0;
	int rc = exchange_ask(p, zone, LDNS_RR_TYPE_DNSKEY, &answer, err);

	if (rc == 0)
		rc = take_keys(ldns_pkt_answer(answer), true, zone, out, &n, err);
	if (rc == 0 && n == 0)
		rc = take_keys(ldns_pkt_answer(answer), false, zone, out, &n, err);
	ldns_pkt_free(answer);
	if (rc == 0 && n == 0)
		rc = err_set(err, ERR_PEER, "name server %s: the zone has no DNSKEY: not signed",
			p->address);
	if (rc == 0)
		*count = n;
	return rc;
}
