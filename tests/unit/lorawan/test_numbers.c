/* SPDX-License-Identifier: Apache-2.0 */
/* Counters, addresses, versions, rates, the EU868 table, time on air. */
#include "lorawan/airtime.h"
#include "lorawan/devaddr.h"
#include "lorawan/fcnt.h"
#include "lorawan/region.h"
#include "lorawan/version.h"
#include "vector.h"

static void a_counter_goes_on_past_16_bits(void **state)
{
	uint32_t out = 0;

	(void)state;
	assert_int_equal(fcnt_widen(0, 0, 0, &out), FCNT_FRESH);
	assert_int_equal(out, 0);
	assert_int_equal(fcnt_widen(0x1fffe, 0xffff, 0, &out), FCNT_FRESH);
	assert_int_equal(out, 0x1ffff);
	assert_int_equal(fcnt_widen(0x1fffe, 0x0003, 0, &out), FCNT_FRESH);
	assert_int_equal(out, 0x20003);
	assert_int_equal(fcnt_widen(0x20000, 0xffff, 0, &out), FCNT_REPEAT);
	assert_int_equal(out, 0x1ffff);
}

static void an_old_counter_is_too_far_or_another_epoch(void **state)
{
	uint32_t out = 42;

	(void)state;
	assert_int_equal(fcnt_widen(10, 3, FCNT_MAX_GAP, &out), FCNT_TOO_FAR);
	assert_int_equal(out, 42);
	assert_int_equal(fcnt_widen(10, 10 + 16383, FCNT_MAX_GAP, &out), FCNT_FRESH);
	assert_int_equal(fcnt_widen(10, 10 + 16384, FCNT_MAX_GAP, &out), FCNT_TOO_FAR);
	assert_int_equal(fcnt_widen(10, 3, 0, &out), FCNT_FRESH);
	assert_int_equal(out, 0x10003);
}

static void a_counter_does_not_wrap_at_32_bits(void **state)
{
	uint32_t out = 42;

	(void)state;
	assert_int_equal(fcnt_widen(0xffffffff, 0xffff, 0, &out), FCNT_FRESH);
	assert_int_equal(out, 0xffffffff);
	assert_int_equal(fcnt_widen(0xffffffff, 0x0000, 0, &out), FCNT_EXHAUSTED);
	assert_int_equal(fcnt_widen(0xffff0001, 0x0000, 0, &out), FCNT_REPEAT);
	assert_int_equal(fcnt_widen(0xffff0002, 0x0000, 0, &out), FCNT_EXHAUSTED);
}

struct address {
	uint32_t net_id;
	uint32_t first;
	uint32_t last;
};

static void each_netid_type_has_its_addresses(void **state)
{
	/* Computed by hand from the layout table of Backend Interfaces 1.0 section 8.1.1. */
	static const struct address table[] = {
		{ 0x000000, 0x00000000, 0x01ffffff },
		{ 0x000013, 0x26000000, 0x27ffffff },
		{ 0x200001, 0x81000000, 0x81ffffff },
		{ 0x400001, 0xc0100000, 0xc01fffff },
		{ 0x600002, 0xe0040000, 0xe005ffff },
		{ 0x800001, 0xf0008000, 0xf000ffff },
		{ 0xa00001, 0xf8002000, 0xf8003fff },
		{ 0xc00053, 0xfc014c00, 0xfc014fff },
		{ 0xe00001, 0xfe000080, 0xfe0000ff },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct address *a = &table[i];

		assert_int_equal(devaddr_make(a->net_id, 0), a->first);
		assert_int_equal(devaddr_make(a->net_id, 0xffffffff), a->last);
		assert_true(devaddr_belongs(a->first, a->net_id));
		assert_true(devaddr_belongs(a->last, a->net_id));
		assert_false(devaddr_belongs(a->first - 1, a->net_id));
		assert_false(devaddr_belongs(a->last + 1, a->net_id));
		assert_int_equal(devaddr_netid_type(a->net_id), a->net_id >> 21);
	}
	assert_int_equal(devaddr_nwk_addr_bits(0), 25);
	assert_int_equal(devaddr_nwk_addr_bits(0xe00000), 7);
}

static void versions_are_read_long_and_short(void **state)
{
	enum version v;

	(void)state;
	assert_int_equal(version_read(bytes("1.1"), &v), 0);
	assert_int_equal(v, VERSION_1_1_0);
	assert_string_equal(version_text(v), "1.1.0");
	assert_string_equal(version_text_short(v), "1.1");
	assert_int_equal(version_read(bytes("1.0.4"), &v), 0);
	assert_string_equal(version_text_short(v), "1.0.4");
	assert_true(version_counts_dev_nonce(v));
	assert_false(version_has_two_keys(v));
	assert_int_equal(version_read(bytes("1.0"), &v), 0);
	assert_int_equal(v, VERSION_1_0_0);
	assert_false(version_counts_dev_nonce(v));
	assert_int_equal(version_read(bytes("1.0."), &v), ERR_FORMAT);
	assert_int_equal(version_read(bytes("1.2.0"), &v), ERR_FORMAT);
	assert_int_equal(version_read(bytes(""), &v), ERR_FORMAT);
}

static void rates_read_as_written(void **state)
{
	struct rate r;
	char text[RATE_TEXT_MAX];

	(void)state;
	assert_int_equal(rate_read(bytes("SF12BW125"), &r), 0);
	assert_int_equal(r.sf, 12);
	assert_int_equal(rate_write(&r, text, sizeof(text)), 0);
	assert_string_equal(text, "SF12BW125");
	assert_int_equal(rate_write(&r, text, 9), ERR_SPACE);
	assert_int_equal(rate_read(bytes("SF13BW125"), &r), ERR_FORMAT);
	assert_int_equal(rate_read(bytes("SF7BW12"), &r), ERR_FORMAT);
	assert_int_equal(rate_read(bytes("SF07BW125"), &r), ERR_FORMAT);
	assert_int_equal(rate_read(bytes("SF7BW1250"), &r), ERR_FORMAT);
	assert_int_equal(rate_read(bytes("SF7BW125 "), &r), ERR_FORMAT);
	assert_int_equal(rate_read(bytes("SF"), &r), ERR_FORMAT);
}

static void eu868_has_its_channels_and_windows(void **state)
{
	const struct region *r = region_find(bytes("eu868"));
	struct cflist l;

	(void)state;
	assert_non_null(r);
	assert_ptr_equal(r, region_find(bytes("EU863-870")));
	assert_null(region_find(bytes("EU8")));
	assert_null(region_find(bytes("US915")));
	assert_int_equal(region_channel_index(r, 868300000), 1);
	assert_int_equal(region_channel_index(r, 869525000), -1);
	assert_int_equal(region_rx1_rate(r, 5, 0), 5);
	assert_int_equal(region_rx1_rate(r, 5, 5), 0);
	assert_int_equal(region_rx1_rate(r, 2, 5), 0);
	assert_int_equal(region_rx1_rate(r, 5, 6), -1);
	assert_int_equal(region_rate_index(r, &(struct rate){ 7, 250, 0 }), 6);
	assert_int_equal(region_rate_index(r, &(struct rate){ .bits_s = 50000 }), 7);
	assert_int_equal(region_rate_index(r, &(struct rate){ 7, 500, 0 }), -1);
	assert_int_equal(region_max_payload(r, 0), 51);
	assert_int_equal(region_max_payload(r, 5), 242);
	assert_int_equal(region_max_payload(r, 8), 0);
	assert_int_equal(region_rx1_delay_us(0), 1000000);
	assert_int_equal(region_rx1_delay_us(15), 15000000);
	region_cflist(r, &l);
	assert_int_equal(l.hz[0], 867100000);
	assert_int_equal(l.hz[4], 867900000);
}

static void time_on_air_follows_the_data_sheet(void **state)
{
	(void)state;
	/* A join-request of 23 octets: the well-known 61.696 ms at SF7 and 1482.752 ms at SF12. */
	assert_int_equal(airtime_us(&(struct rate){ 7, 125, 0 }, 23, true), 61696);
	assert_int_equal(airtime_us(&(struct rate){ 12, 125, 0 }, 23, true), 1482752);
	assert_int_equal(airtime_us(&(struct rate){ .bits_s = 50000 }, 23, true), 5440);
	assert_int_equal(airtime_us(&(struct rate){ 0 }, 23, true), 0);
	assert_int_equal(airtime_us(&(struct rate){ 7, 0, 0 }, 23, true), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_counter_goes_on_past_16_bits),
		TEST(an_old_counter_is_too_far_or_another_epoch),
		TEST(a_counter_does_not_wrap_at_32_bits),
		TEST(each_netid_type_has_its_addresses),
		TEST(versions_are_read_long_and_short),
		TEST(rates_read_as_written),
		TEST(eu868_has_its_channels_and_windows),
		TEST(time_on_air_follows_the_data_sheet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
