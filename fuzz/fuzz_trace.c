/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server's answer, any octets: judged without a crash, and never found secure, since nobody
 * signed anything. The first octet says how it is asked. The same octets as a file of anchors.
 */
#include "trace/anchors.h"
#include "trace/denial.h"
#include "trace/saying.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char key_text[] =
	"a.example. 300 IN DNSKEY 257 3 13 "
	"dFpEoNw5pDfQv/p5n/d3l+nJn0KVpc0Z2fhd0D33R5vN307wyYMYug80PRbXiaoZ+KX3HVM2mpFrwCX7pQ4GQA==";

static ldns_rr_list *keys;

static void make_keys(void)
{
	ldns_rr *rr;

	keys = ldns_rr_list_new();
	if (ldns_rr_new_frm_str(&rr, key_text, 300, NULL, NULL) != LDNS_STATUS_OK)
		abort();
	ldns_rr_list_push_rr(keys, rr);
}

static void judge(uint8_t how, ldns_pkt *packet)
{
	static const uint16_t types[] = { 1, 6, 43, 48, 52, 5, 28, 47 };
	struct asked_said said = { .answer = { .packet = packet } };
	struct saying_question q = { .type = types[how & 7], .keys = keys, .now = 1800000000 };
	struct denial_question d = { .of = (enum denial_of)(how >> 3 & 3),
		.keys = keys,
		.now = q.now,
		.labels = 2 };
	struct signature_verdict sig;
	struct trust_said verdict;
	struct denial denial;

	if (name_of("x.a.example", &q.name) != 0 || name_of("a.example", &q.zone) != 0)
		abort();
	saying_judge(&q, &said, &verdict, &sig);
	if (verdict.trust == TRUST_SECURE || sig.good)
		abort();
	if (d.of > DENIAL_OF_CLOSER)
		return;
	d.name = q.name;
	d.zone = q.zone;
	d.type = q.type;
	denial_judge(&d, ldns_pkt_authority(packet), &denial);
	if (denial.outcome == DENIAL_PROVED)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ldns_rr_list *anchors = NULL;
	ldns_pkt *packet = NULL;

	if (!keys)
		make_keys();
	if (anchors_read((struct span){ data, size }, &anchors, NULL) == 0)
		ldns_rr_list_deep_free(anchors);
	if (size < 2)
		return 0;
	if (ldns_wire2pkt(&packet, data + 1, size - 1) == LDNS_STATUS_OK) {
		if (query_is_whole(packet))
			judge(data[0], packet);
		ldns_pkt_free(packet);
	}
	return 0;
}
