/* SPDX-License-Identifier: Apache-2.0 */
/* The service engine against DNS as told by a table: what it asks, and what it makes of it. */
#include "check.h"
#include "dane/service.h"
#include "dns/rr.h"

#include <stdio.h>
#include <string.h>

#define RECORD         \
	"\x03\x01\x01" \
	"0123456789abcdef0123456789abcdef"

/* One line of the world. rdata is octets; count 0 where status carries none. */
struct line {
	const char *owner;
	uint16_t type;
	enum answer_status status;
	const char *final; /* when aliased */
	struct span rdata[2];
};

static unsigned asked;

static struct answer *answer_from(const struct line *world, const struct question *q)
{
	struct name owner;

	for (; world->owner; world++) {
		assert_int_equal(name_of(world->owner, &owner), 0);
		if (world->type != q->type || !name_equal(&owner, &q->name))
			continue;
		uint16_t count = world->rdata[0].n == 0 ? 0 : world->rdata[1].n == 0 ? 1 : 2;
		bool bad = world->status == ANSWER_BOGUS || world->status == ANSWER_FAILED;
		struct answer *a =
			answer_new(world->status, world->rdata, count, bad ? "as told" : "");
		a->final = q->name;
		a->expires_ms = 1000 + world->type;
		if (world->final) {
			a->aliased = true;
			assert_int_equal(name_of(world->final, &a->final), 0);
		}
		return a;
	}
	struct answer *a = answer_new(ANSWER_DENIAL, NULL, 0, "");
	a->expires_ms = 5000;
	a->final = q->name;
	return a;
}

/* Asks until all is known; backwards answers the latest question first. */
static struct service *find(enum service_start start, const char *name, uint16_t port,
	enum tls_mode mode, const struct line *world, bool backwards)
{
	struct service_target target = { .start = start, .port = port };
	struct question open[SERVICE_QUESTIONS_MAX];
	unsigned ids[SERVICE_QUESTIONS_MAX], n = 0;
	struct service_query *q;

	asked = 0;
	assert_int_equal(name_of(name, &target.name), 0);
	assert_int_equal(service_query_new(&target, mode, &q, NULL), 0);
	for (;;) {
		while (service_query_next(q, &ids[n], &open[n])) {
			n++;
			asked++;
		}
		if (n == 0)
			break;
		assert_null(service_query_result(q));
		unsigned i = backwards ? n - 1 : 0;
		struct answer *a = answer_from(world, &open[i]);
		service_query_answer(q, ids[i], a);
		answer_drop(a);
		memmove(open + i, open + i + 1, (n - i - 1) * sizeof open[0]);
		memmove(ids + i, ids + i + 1, (n - i - 1) * sizeof ids[0]);
		n--;
	}
	assert_true(service_query_is_done(q));
	struct service *s = service_query_result(q);
	service_query_free(q);
	return s;
}

static void assert_name(const struct name *name, const char *text)
{
	char out[NAME_TEXT_MAX];

	assert_int_equal(name_write_text(name, out, sizeof out), 0);
	assert_string_equal(out, text);
}

static const struct line host_world[] = {
	{ "js.example", RR_A, ANSWER_SECURE, NULL, { bytes("\x7f\0\0\x01") } },
	{ "_8003._tcp.js.example", RR_TLSA, ANSWER_SECURE, NULL, { bytes(RECORD) } },
	{ NULL },
};

static void a_host_has_an_address_and_a_tlsa(void **state)
{
	(void)state;
	for (int back = 0; back < 2; back++) {
		struct service *s =
			find(SERVICE_HOST, "js.example", 8003, TLS_DANE, host_world, back);
		const struct service_endpoint *e = &s->endpoint[0];
		assert_int_equal(s->count, 1);
		assert_int_equal(asked, 3);
		assert_int_equal(e->proof, SERVICE_BY_DANE);
		assert_int_equal(e->address_count, 1);
		assert_memory_equal(e->address[0], "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01", 16);
		assert_name(&e->tlsa_owner, "_8003._tcp.js.example");
		assert_int_equal(e->reference_count, 1);
		assert_name(&e->reference[0], "js.example");
		assert_int_equal(e->expires_ms, 1000 + RR_TLSA);
		service_drop(s);
	}
}

static void pkix_asks_for_no_tlsa(void **state)
{
	struct service *s = find(SERVICE_HOST, "js.example", 8003, TLS_PKIX, host_world, false);

	(void)state;
	assert_int_equal(asked, 2);
	assert_int_equal(s->endpoint[0].proof, SERVICE_BY_PKIX);
	service_drop(s);
}

static void only_a_secure_no_leads_to_pkix(void **state)
{
	static const struct {
		enum answer_status tlsa;
		enum service_proof dane, dane_or_pkix;
	} cases[] = {
		{ ANSWER_SECURE, SERVICE_BY_DANE, SERVICE_BY_DANE },
		{ ANSWER_DENIAL, SERVICE_REFUSED, SERVICE_BY_PKIX },
		{ ANSWER_INSECURE, SERVICE_REFUSED, SERVICE_BY_PKIX },
		{ ANSWER_BOGUS, SERVICE_REFUSED, SERVICE_REFUSED },
		{ ANSWER_FAILED, SERVICE_REFUSED, SERVICE_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct line world[3];
		memcpy(world, host_world, sizeof world);
		world[1].status = cases[i].tlsa;
		struct service *s = find(SERVICE_HOST, "js.example", 8003, TLS_DANE, world, false);
		assert_int_equal(s->endpoint[0].proof, cases[i].dane);
		service_drop(s);
		s = find(SERVICE_HOST, "js.example", 8003, TLS_DANE_OR_PKIX, world, false);
		assert_int_equal(s->endpoint[0].proof, cases[i].dane_or_pkix);
		service_drop(s);
	}
}

static void an_unsigned_address_is_good_enough_for_a_signed_tlsa(void **state)
{
	struct line world[3];

	(void)state;
	memcpy(world, host_world, sizeof world);
	world[0].status = ANSWER_INSECURE;
	world[0].final = "elsewhere.example";
	struct service *s = find(SERVICE_HOST, "js.example", 8003, TLS_DANE, world, false);
	assert_int_equal(s->endpoint[0].proof, SERVICE_BY_DANE);
	/* The insecure alias chose nothing: RFC 7671 section 7. */
	assert_int_equal(asked, 3);
	assert_name(&s->endpoint[0].tlsa_owner, "_8003._tcp.js.example");
	service_drop(s);
}

static void bogus_addresses_are_no_addresses(void **state)
{
	struct line world[3];

	(void)state;
	memcpy(world, host_world, sizeof world);
	world[0].status = ANSWER_BOGUS;
	struct service *s = find(SERVICE_HOST, "js.example", 8003, TLS_PKIX, world, false);
	assert_int_equal(s->endpoint[0].proof, SERVICE_REFUSED);
	assert_string_equal(s->endpoint[0].why, "no address: bogus: as told");
	service_drop(s);
}

static const struct line alias_world[] = {
	{ "js.example", RR_A, ANSWER_SECURE, "real.example", { bytes("\x7f\0\0\x01") } },
	{ "_8003._tcp.real.example", RR_TLSA, ANSWER_SECURE, NULL, { bytes(RECORD) } },
	{ "_8003._tcp.js.example", RR_TLSA, ANSWER_SECURE, NULL, { bytes(RECORD) } },
	{ NULL },
};

static void a_secure_alias_is_the_first_base_domain(void **state)
{
	struct line world[4];

	(void)state;
	for (int back = 0; back < 2; back++) {
		struct service *s =
			find(SERVICE_HOST, "js.example", 8003, TLS_DANE, alias_world, back);
		const struct service_endpoint *e = &s->endpoint[0];
		assert_int_equal(e->proof, SERVICE_BY_DANE);
		assert_name(&e->tlsa_owner, "_8003._tcp.real.example");
		assert_int_equal(e->reference_count, 2);
		assert_name(&e->reference[0], "real.example");
		assert_name(&e->reference[1], "js.example");
		service_drop(s);
	}
	memcpy(world, alias_world, sizeof world);
	world[1].status = ANSWER_DENIAL;
	struct service *s = find(SERVICE_HOST, "js.example", 8003, TLS_DANE, world, false);
	assert_int_equal(s->endpoint[0].proof, SERVICE_BY_DANE);
	assert_name(&s->endpoint[0].tlsa_owner, "_8003._tcp.js.example");
	service_drop(s);
	world[1].status = ANSWER_FAILED; /* a failure is not an absence */
	s = find(SERVICE_HOST, "js.example", 8003, TLS_DANE_OR_PKIX, world, false);
	assert_int_equal(s->endpoint[0].proof, SERVICE_REFUSED);
	service_drop(s);
}

#define SRV_A                  \
	"\0\x0a\0\x01\x1f\x43" \
	"\x01"                 \
	"a"                    \
	"\x07"                 \
	"example\0"
#define SRV_B                  \
	"\0\x05\0\x01\x1f\x44" \
	"\x01"                 \
	"b"                    \
	"\x07"                 \
	"example\0"

static const struct line srv_world[] = {
	{ "_js._tcp.org.example", RR_SRV, ANSWER_SECURE, NULL, { bytes(SRV_A), bytes(SRV_B) } },
	{ "a.example", RR_A, ANSWER_SECURE, NULL, { bytes("\x7f\0\0\x01") } },
	{ "b.example", RR_A, ANSWER_SECURE, NULL, { bytes("\x7f\0\0\x02") } },
	{ "_8003._tcp.a.example", RR_TLSA, ANSWER_SECURE, NULL, { bytes(RECORD) } },
	{ "_8004._tcp.b.example", RR_TLSA, ANSWER_DENIAL, NULL, { { NULL, 0 } } },
	{ NULL },
};

static void srv_targets_are_tried_by_priority_each_with_its_own_tlsa(void **state)
{
	struct service *s = find(SERVICE_SRV, "_js._tcp.org.example", 0, TLS_DANE, srv_world, true);

	(void)state;
	assert_int_equal(s->count, 2);
	assert_name(&s->endpoint[0].host, "b.example");
	assert_int_equal(s->endpoint[0].port, 8004);
	assert_int_equal(s->endpoint[0].proof, SERVICE_REFUSED);
	assert_name(&s->endpoint[1].host, "a.example");
	assert_int_equal(s->endpoint[1].proof, SERVICE_BY_DANE);
	assert_int_equal(s->endpoint[1].reference_count, 2);
	assert_name(&s->endpoint[1].reference[1], "org.example");
	assert_int_equal(s->endpoint[1].expires_ms, 1000 + RR_SRV);
	service_drop(s);
}

static void an_insecure_srv_chooses_no_name(void **state)
{
	struct line world[6];

	(void)state;
	memcpy(world, srv_world, sizeof world);
	world[0].status = ANSWER_INSECURE;
	struct service *s = find(SERVICE_SRV, "_js._tcp.org.example", 0, TLS_DANE, world, false);
	assert_int_equal(s->count, 0);
	assert_string_equal(s->why, "SRV: insecure");
	service_drop(s);
	s = find(SERVICE_SRV, "_js._tcp.org.example", 0, TLS_DANE_OR_PKIX, world, false);
	assert_int_equal(s->count, 2);
	assert_int_equal(s->endpoint[1].proof, SERVICE_BY_PKIX);
	assert_int_equal(s->endpoint[1].reference_count, 1);
	assert_name(&s->endpoint[1].reference[0], "org.example");
	assert_null(s->endpoint[1].tlsa);
	service_drop(s);
}

#define EUI "f.2.0.joineuis.example"
#define NAPTR_S            \
	"\0\x0a\0\x0a\x01" \
	"s"                \
	"\x04"             \
	"LWNS"             \
	"\0\x03"           \
	"_js"              \
	"\x04"             \
	"_tcp"             \
	"\x03"             \
	"org"              \
	"\x07"             \
	"example\0"
#define NAPTR_U                            \
	"\0\x0a\0\x14\x01"                 \
	"U"                                \
	"\x04"                             \
	"lwns"                             \
	"\x20"                             \
	"!^.*$!https://js.example:8003/a!" \
	"\0"
#define NAPTR_A            \
	"\0\x0a\0\x0a\x01" \
	"A"                \
	"\x04"             \
	"LWNS"             \
	"\0\x02"           \
	"js"               \
	"\x07"             \
	"example\0"

static void a_join_eui_goes_by_naptr_and_srv_or_uri(void **state)
{
	struct line world[9] = { { EUI, RR_NAPTR, ANSWER_SECURE, NULL,
		{ bytes(NAPTR_U), bytes(NAPTR_S) } } };

	(void)state;
	memcpy(world + 1, srv_world, 5 * sizeof world[0]);
	memcpy(world + 6, host_world, sizeof host_world);
	struct service *s = find(SERVICE_NAPTR, EUI, 0, TLS_DANE, world, false);
	assert_int_equal(s->count, 3);
	/* The host of the "U" record is known first, but its preference is second. */
	assert_name(&s->endpoint[0].host, "b.example");
	assert_name(&s->endpoint[1].host, "a.example");
	assert_name(&s->endpoint[2].host, "js.example");
	assert_int_equal(s->endpoint[2].port, 8003);
	assert_int_equal(s->endpoint[2].proof, SERVICE_BY_DANE);
	service_drop(s);
	world[0].status = ANSWER_BOGUS;
	s = find(SERVICE_NAPTR, EUI, 0, TLS_PKIX, world, false);
	assert_int_equal(s->count, 0);
	assert_string_equal(s->why, "NAPTR: bogus: as told");
	service_drop(s);
}

static void flag_a_takes_the_port_of_the_configuration(void **state)
{
	struct line world[4] = { { EUI, RR_NAPTR, ANSWER_SECURE, NULL, { bytes(NAPTR_A) } } };

	(void)state;
	memcpy(world + 1, host_world, sizeof host_world);
	struct service *s = find(SERVICE_NAPTR, EUI, 8003, TLS_DANE, world, false);
	assert_int_equal(s->count, 1);
	assert_int_equal(s->endpoint[0].port, 8003);
	assert_int_equal(s->endpoint[0].proof, SERVICE_BY_DANE);
	service_drop(s);
}

static void a_name_without_naptr_may_have_an_address_itself(void **state)
{
	static const struct line world[] = {
		{ EUI, RR_A, ANSWER_SECURE, NULL, { bytes("\x7f\0\0\x01") } },
		{ "_8003._tcp." EUI, RR_TLSA, ANSWER_SECURE, NULL, { bytes(RECORD) } },
		{ NULL },
	};
	struct service *s = find(SERVICE_NAPTR, EUI, 8003, TLS_DANE, world, false);

	(void)state;
	assert_int_equal(s->count, 1);
	assert_int_equal(s->endpoint[0].proof, SERVICE_BY_DANE);
	service_drop(s);
	s = find(SERVICE_NAPTR, EUI, 0, TLS_DANE, world, false);
	assert_int_equal(s->count, 0);
	service_drop(s);
}

static void nothing_to_try_is_a_result_with_words(void **state)
{
	static const struct line world[] = {
		{ EUI, RR_NAPTR, ANSWER_SECURE, NULL,
			{ bytes("\0\x0a\0\x0a\x01"
				"S"
				"\x03"
				"XYZ"
				"\0\x01"
				"a\0") } },
		{ NULL },
	};
	struct service *s = find(SERVICE_NAPTR, EUI, 8003, TLS_DANE, world, false);

	(void)state;
	assert_int_equal(s->count, 0);
	assert_string_equal(s->why, "NAPTR: no record for LWN or LWNS that can be followed");
	service_drop(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_host_has_an_address_and_a_tlsa),
		TEST(pkix_asks_for_no_tlsa),
		TEST(only_a_secure_no_leads_to_pkix),
		TEST(an_unsigned_address_is_good_enough_for_a_signed_tlsa),
		TEST(bogus_addresses_are_no_addresses),
		TEST(a_secure_alias_is_the_first_base_domain),
		TEST(srv_targets_are_tried_by_priority_each_with_its_own_tlsa),
		TEST(an_insecure_srv_chooses_no_name),
		TEST(a_join_eui_goes_by_naptr_and_srv_or_uri),
		TEST(flag_a_takes_the_port_of_the_configuration),
		TEST(a_name_without_naptr_may_have_an_address_itself),
		TEST(nothing_to_try_is_a_result_with_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
