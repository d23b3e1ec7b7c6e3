/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "dns/message.h"

#include <string.h>

/* A message under construction: header counts are set when it is read. */
struct draft {
	uint8_t octets[2048];
	struct sink s;
	uint16_t flags, answers, authority, additional;
};

static struct name of(const char *text)
{
	struct name n;

	assert_int_equal(name_of(text, &n), 0);
	return n;
}

static void begin(struct draft *d, const char *name, uint16_t type)
{
	struct name n = of(name);

	*d = (struct draft){ .flags = 0x8180 };
	d->s = sink_into(d->octets, sizeof(d->octets));
	sink_zero(&d->s, 12);
	sink_put(&d->s, (struct span){ n.wire, n.n });
	sink_u16_be(&d->s, type);
	sink_u16_be(&d->s, 1);
}

static void rr(struct draft *d, const char *owner, uint16_t type, uint32_t ttl_s, struct span rdata)
{
	struct name n = of(owner);

	sink_put(&d->s, (struct span){ n.wire, n.n });
	sink_u16_be(&d->s, type);
	sink_u16_be(&d->s, 1);
	sink_u32_be(&d->s, ttl_s);
	sink_u16_be(&d->s, (uint16_t)rdata.n);
	sink_put(&d->s, rdata);
}

static void cname(struct draft *d, const char *owner, uint32_t ttl_s, const char *target)
{
	struct name n = of(target);

	rr(d, owner, RR_CNAME, ttl_s, (struct span){ n.wire, n.n });
	d->answers++;
}

static void tlsa(struct draft *d, const char *owner, uint32_t ttl_s)
{
	rr(d, owner, RR_TLSA, ttl_s, bytes("\3\1\1"));
	d->answers++;
}

static struct span finish(struct draft *d)
{
	struct sink head = sink_into(d->octets, 12);

	sink_u16_be(&head, 77);
	sink_u16_be(&head, d->flags);
	sink_u16_be(&head, 1);
	sink_u16_be(&head, d->answers);
	sink_u16_be(&head, d->authority);
	sink_u16_be(&head, d->additional);
	assert_true(sink_fits(&d->s));
	return sink_span(&d->s);
}

static int find(struct span octets, const char *name, struct message_found *f)
{
	static uint8_t room[512];
	struct sink s = sink_into(room, sizeof(room));
	struct name n = of(name);
	struct span rdata[2];
	struct message m;

	assert_int_equal(message_read(octets, &m), 0);
	return message_find(&m, &n, RR_TLSA, &s, rdata, 2, f);
}

static void reads_header_and_question(void **state)
{
	struct name name = of("A.Example"), other = of("b.example");
	struct message m;
	struct draft d;

	(void)state;
	begin(&d, "a.example", RR_TLSA);
	d.flags = 0x83a3;
	assert_int_equal(message_read(finish(&d), &m), 0);
	assert_int_equal(m.id, 77);
	assert_true(m.response && m.truncated && m.authentic && m.recursion_available);
	assert_int_equal(m.rcode, MESSAGE_NXDOMAIN);
	assert_true(message_asks(&m, &name, RR_TLSA));
	assert_false(message_asks(&m, &name, RR_A));
	assert_false(message_asks(&m, &other, RR_TLSA));
}

static void refuses_what_is_not_whole(void **state)
{
	struct message m;
	struct draft d;
	struct span s;

	(void)state;
	begin(&d, "a.example", RR_TLSA);
	tlsa(&d, "a.example", 60);
	s = finish(&d);
	for (size_t n = 0; n < s.n; n++)
		assert_int_equal(message_read((struct span){ s.p, n }, &m), ERR_FORMAT);
	assert_int_equal(message_read(s, &m), 0);
	sink_u8(&d.s, 0);
	assert_int_equal(message_read(finish(&d), &m), ERR_FORMAT);
}

static void follows_aliases_with_the_least_ttl(void **state)
{
	struct message_found f;
	struct name end = of("c.example");
	struct draft d;

	(void)state;
	begin(&d, "a.example", RR_TLSA);
	tlsa(&d, "c.example", 300);
	cname(&d, "B.example", 20, "c.example");
	cname(&d, "a.example", 100, "b.example");
	tlsa(&d, "z.example", 1);
	assert_int_equal(find(finish(&d), "a.example", &f), 0);
	assert_true(f.aliased);
	assert_true(name_equal(&f.final, &end));
	assert_int_equal(f.count, 1);
	assert_int_equal(f.ttl_s, 20);
}

static void ends_alias_loops_and_refuses_two_aliases_of_one_name(void **state)
{
	struct message_found f;
	struct draft d;

	(void)state;
	begin(&d, "a.example", RR_TLSA);
	cname(&d, "a.example", 100, "b.example");
	cname(&d, "b.example", 100, "a.example");
	assert_int_equal(find(finish(&d), "a.example", &f), ERR_FORMAT);
	begin(&d, "a.example", RR_TLSA);
	cname(&d, "a.example", 100, "b.example");
	cname(&d, "a.example", 100, "c.example");
	assert_int_equal(find(finish(&d), "a.example", &f), ERR_FORMAT);
}

static void takes_the_denial_ttl_from_the_soa(void **state)
{
	static const uint8_t soa[] = "\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\36";
	struct message_found f;
	struct draft d;

	(void)state;
	begin(&d, "a.example", RR_TLSA);
	rr(&d, "example", RR_SOA, 900, (struct span){ soa, 22 });
	d.authority = 1;
	assert_int_equal(find(finish(&d), "a.example", &f), 0);
	assert_int_equal(f.count, 0);
	assert_int_equal(f.ttl_s, 30);
	begin(&d, "a.example", RR_TLSA);
	rr(&d, "example", RR_SOA, 10, (struct span){ soa, 22 });
	d.authority = 1;
	assert_int_equal(find(finish(&d), "a.example", &f), 0);
	assert_int_equal(f.ttl_s, 10);
	begin(&d, "a.example", RR_TLSA);
	rr(&d, "other", RR_SOA, 10, (struct span){ soa, 22 });
	d.authority = 1;
	assert_int_equal(find(finish(&d), "a.example", &f), 0);
	assert_int_equal(f.ttl_s, 0);
}

static void a_ttl_with_the_high_bit_is_zero(void **state)
{
	struct message_found f;
	struct draft d;

	(void)state;
	begin(&d, "a.example", RR_TLSA);
	tlsa(&d, "a.example", 0x80000001);
	assert_int_equal(find(finish(&d), "a.example", &f), 0);
	assert_int_equal(f.ttl_s, 0);
}

static void says_when_there_are_more_records_than_room(void **state)
{
	struct message_found f;
	struct draft d;

	(void)state;
	begin(&d, "a.example", RR_TLSA);
	for (int i = 0; i < 3; i++)
		tlsa(&d, "a.example", 60);
	assert_int_equal(find(finish(&d), "a.example", &f), ERR_SPACE);
}

static void uncompresses_names_inside_records(void **state)
{
	struct name name = of("_s.example");
	uint8_t room[64];
	struct sink s = sink_into(room, sizeof(room));
	struct message_found f;
	struct span rdata[1];
	struct rr_srv srv;
	struct message m;
	struct draft d;

	(void)state;
	begin(&d, "_s.example", RR_SRV);
	rr(&d, "_s.example", RR_SRV, 60, bytes("\0\1\0\2\0\3\2js\300\17"));
	d.answers = 1;
	assert_int_equal(message_read(finish(&d), &m), 0);
	assert_int_equal(message_find(&m, &name, RR_SRV, &s, rdata, 1, &f), 0);
	assert_int_equal(rr_read_srv(rdata[0], &srv), 0);
	name = of("js.example");
	assert_true(name_equal(&srv.target, &name));
}

static void refuses_pointers_that_do_not_lead_back(void **state)
{
	static const char *const loops[] = { "\300\14", "\300\15", "\300\377", "\1a\300\14" };
	static const size_t sizes[] = { 2, 2, 2, 4 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		uint8_t octets[32] = { 0, 0, 0x81, 0x80, 0, 1 };
		struct message m;

		memcpy(octets + 12, loops[i], sizes[i]);
		assert_int_equal(message_read((struct span){ octets, 12 + sizes[i] + 4 }, &m),
			ERR_FORMAT);
	}
}

static void joins_the_two_halves_of_an_extended_rcode(void **state)
{
	struct message m;
	struct draft d;

	(void)state;
	begin(&d, "a.example", RR_TLSA);
	rr(&d, ".", RR_OPT, 0x01000000, bytes(""));
	d.additional = 1;
	assert_int_equal(message_read(finish(&d), &m), 0);
	assert_int_equal(m.rcode, 16);
	rr(&d, ".", RR_OPT, 0, bytes(""));
	d.additional = 2;
	assert_int_equal(message_read(finish(&d), &m), ERR_FORMAT);
}

static void writes_a_question_that_it_reads(void **state)
{
	struct name name = of("a.example");
	uint8_t octets[MESSAGE_QUERY_MAX];
	struct sink s = sink_into(octets, sizeof(octets));
	struct message m;

	(void)state;
	assert_int_equal(message_write_query(0xbeef, &name, RR_TLSA, &s), 0);
	assert_int_equal(message_read(sink_span(&s), &m), 0);
	assert_int_equal(m.id, 0xbeef);
	assert_true(m.authentic && !m.response);
	assert_true(message_asks(&m, &name, RR_TLSA));
	s = sink_into(octets, 20);
	assert_int_equal(message_write_query(1, &name, RR_TLSA, &s), ERR_SPACE);
}

static void the_last_record_is_found_behind_all_others(void **state)
{
	struct draft d;
	struct message_last last;
	struct span whole;

	(void)state;
	begin(&d, "a.example", RR_TLSA);
	tlsa(&d, "a.example", 60);
	cname(&d, "b.example", 7, "c.example");
	whole = finish(&d);
	assert_int_equal(message_read_last(whole, &last), 0);
	assert_int_equal(last.type, RR_CNAME);
	assert_int_equal(last.ttl_s, 7);
	assert_true(name_equal(&last.owner, &(struct name){ 11, "\1b\7example" }));
	assert_int_equal(last.at, whole.n - 11 - 10 - last.rdata.n);
	whole.n--;
	assert_int_equal(message_read_last(whole, &last), ERR_FORMAT);
	begin(&d, "a.example", RR_TLSA);
	assert_int_equal(message_read_last(finish(&d), &last), ERR_FORMAT);
}

static void rrsig_of_ttl(struct draft *d, const char *owner, uint16_t covers, uint32_t ttl_s,
	uint32_t until_s)
{
	uint8_t rdata[20] = { 0 };
	struct sink s = sink_into(rdata, sizeof(rdata));

	sink_u16_be(&s, covers);
	sink_zero(&s, 2);
	sink_u32_be(&s, ttl_s);
	sink_u32_be(&s, until_s);
	rr(d, owner, RR_RRSIG, 60, (struct span){ rdata, sizeof(rdata) });
}

static void rrsig(struct draft *d, const char *owner, uint16_t covers, uint32_t until_s)
{
	rrsig_of_ttl(d, owner, covers, 3600, until_s);
}

static bool signed_until(struct draft *d, uint32_t *until_s)
{
	struct name owner = of("c.example");
	struct message m;

	assert_int_equal(message_read(finish(d), &m), 0);
	return message_signed_until(&m, &owner, RR_TLSA, until_s);
}

static void knows_the_first_end_of_all_signatures(void **state)
{
	uint32_t until_s = 7;
	struct draft d;

	(void)state;
	begin(&d, "a.example", RR_TLSA);
	cname(&d, "a.example", 20, "c.example");
	rrsig(&d, "a.example", RR_CNAME, 5000);
	tlsa(&d, "c.example", 300);
	d.answers++;
	/* Not one over the records asked for. */
	assert_false(signed_until(&d, &until_s));
	assert_int_equal(until_s, 7);
	rrsig(&d, "C.example", RR_TLSA, 6000);
	d.answers++;
	assert_true(signed_until(&d, &until_s));
	assert_int_equal(until_s, 5000);
	rrsig(&d, "example", RR_SOA, 4000);
	d.authority++;
	assert_true(signed_until(&d, &until_s));
	assert_int_equal(until_s, 4000);
	/* Beyond 2106 the number begins anew: 0xffffff00 is before 100. */
	rrsig(&d, "example", RR_SOA, 0xffffff00);
	d.authority++;
	assert_true(signed_until(&d, &until_s));
	assert_int_equal(until_s, 0xffffff00);
	rr(&d, "example", RR_RRSIG, 60, bytes("\0\64"));
	d.authority++;
	assert_false(signed_until(&d, &until_s));
}

static void signatures_over_what_no_cache_may_keep_hold_for_no_time(void **state)
{
	uint32_t until_s;
	struct draft d;

	(void)state;
	begin(&d, "c.example", RR_TLSA);
	tlsa(&d, "c.example", 0);
	rrsig_of_ttl(&d, "c.example", RR_TLSA, 1, 6000);
	d.answers++;
	assert_true(signed_until(&d, &until_s));
	begin(&d, "c.example", RR_TLSA);
	tlsa(&d, "c.example", 0);
	rrsig_of_ttl(&d, "c.example", RR_TLSA, 0, 6000);
	d.answers++;
	assert_false(signed_until(&d, &until_s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_header_and_question),
		TEST(refuses_what_is_not_whole),
		TEST(follows_aliases_with_the_least_ttl),
		TEST(ends_alias_loops_and_refuses_two_aliases_of_one_name),
		TEST(takes_the_denial_ttl_from_the_soa),
		TEST(a_ttl_with_the_high_bit_is_zero),
		TEST(says_when_there_are_more_records_than_room),
		TEST(uncompresses_names_inside_records),
		TEST(refuses_pointers_that_do_not_lead_back),
		TEST(joins_the_two_halves_of_an_extended_rcode),
		TEST(writes_a_question_that_it_reads),
		TEST(the_last_record_is_found_behind_all_others),
		TEST(knows_the_first_end_of_all_signatures),
		TEST(signatures_over_what_no_cache_may_keep_hold_for_no_time),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
