/* SPDX-License-Identifier: Apache-2.0 */
#include "signer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_MAX 1024

static ldns_rr_list *lists[KEPT_MAX];
static ldns_key_list *keys[KEPT_MAX];
static ldns_rr *records[KEPT_MAX];
static size_t list_count, key_count, record_count;

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "signer: %s\n", what);
	abort();
}

struct name signer_name(const char *text)
{
	struct name name;

	must(name_of(text, &name) == 0, text);
	return name;
}

ldns_rr_list *signer_list(void)
{
	must(list_count < KEPT_MAX, "too many lists");
	lists[list_count] = ldns_rr_list_new();
	must(lists[list_count] != NULL, "no memory");
	return lists[list_count++];
}

static ldns_rr *keep(ldns_rr *rr)
{
	must(rr && record_count < KEPT_MAX, "too many records");
	records[record_count++] = rr;
	return rr;
}

struct signer signer_new(const char *zone)
{
	struct signer s = { .zone = signer_name(zone),
		.inception = SIGNER_NOW - 3600,
		.expiration = SIGNER_NOW + 86400 };

	s.key = ldns_key_new_frm_algorithm(LDNS_SIGN_ECDSAP256SHA256, 256);
	s.with = ldns_key_list_new();
	must(s.key && s.with && key_count < KEPT_MAX, "no key");
	ldns_key_list_push_key(s.with, s.key);
	keys[key_count++] = s.with;
	ldns_key_set_pubkey_owner(s.key, ldns_dname_new_frm_str(zone));
	ldns_key_set_flags(s.key, 257);
	s.dnskey = keep(ldns_key2rr(s.key));
	ldns_key_set_keytag(s.key, ldns_calc_keytag(s.dnskey));
	return s;
}

ldns_rr *signer_ds(const struct signer *s)
{
	return keep(ldns_key_rr2ds(s->dnskey, LDNS_SHA256));
}

void signer_forget(void)
{
	while (list_count)
		ldns_rr_list_deep_free(lists[--list_count]);
	while (record_count)
		ldns_rr_free(records[--record_count]);
	while (key_count)
		ldns_key_list_free(keys[--key_count]); /* and the key in it */
}

static void sign(ldns_rr_list *to, const struct signer *by, ldns_rr_list *set)
{
	ldns_rr_list *made;

	ldns_key_set_inception(by->key, (uint32_t)by->inception);
	ldns_key_set_expiration(by->key, (uint32_t)by->expiration);
	made = ldns_sign_public(set, by->with);
	must(made && ldns_rr_list_rr_count(made) == 1, "cannot sign");
	ldns_rr_list_push_rr(to, ldns_rr_list_rr(made, 0));
	ldns_rr_list_free(made);
}

/* Sets are lines of one owner and type, one after the other. */
void signer_add(ldns_rr_list *to, const struct signer *by, const char *lines)
{
	ldns_rr_list *set = ldns_rr_list_new();
	char line[1024];

	for (const char *at = lines; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		ldns_rr *rr = NULL;

		snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
		must(ldns_rr_new_frm_str(&rr, line, 300, NULL, NULL) == LDNS_STATUS_OK, line);
		if (ldns_rr_list_rr_count(set) &&
			(ldns_rr_get_type(rr) != ldns_rr_get_type(ldns_rr_list_rr(set, 0)) ||
				ldns_dname_compare(ldns_rr_owner(rr),
					ldns_rr_owner(ldns_rr_list_rr(set, 0))) != 0)) {
			if (by)
				sign(to, by, set);
			ldns_rr_list_free(set);
			set = ldns_rr_list_new();
		}
		ldns_rr_list_push_rr(set, rr);
		ldns_rr_list_push_rr(to, rr);
	}
	if (by && ldns_rr_list_rr_count(set))
		sign(to, by, set);
	ldns_rr_list_free(set);
}

struct asked signer_asked(const char *name, uint16_t type, const ldns_rr_list *answer,
	const ldns_rr_list *authority, ldns_pkt_rcode rcode)
{
	struct asked asked = { .name = signer_name(name), .type = type, .count = 1 };
	ldns_pkt *packet = ldns_pkt_new();

	asked.said = calloc(1, sizeof(*asked.said));
	must(packet && asked.said, "no memory");
	ldns_pkt_set_qr(packet, true);
	ldns_pkt_set_aa(packet, true);
	ldns_pkt_set_rcode(packet, rcode);
	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++)
		ldns_pkt_push_rr(packet, LDNS_SECTION_ANSWER,
			ldns_rr_clone(ldns_rr_list_rr(answer, i)));
	for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++)
		ldns_pkt_push_rr(packet, LDNS_SECTION_AUTHORITY,
			ldns_rr_clone(ldns_rr_list_rr(authority, i)));
	asked.said[0].answer.packet = packet;
	return asked;
}
