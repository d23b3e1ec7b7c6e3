/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/mac.h"
#include "vector.h"

static void a_walk_visits_each_command_and_ends(void **state)
{
	struct mac_walk w = mac_walk_over(bytes("\x02\x03\x07\x06\xff\x3f\x0d"), LORAWAN_UP);
	struct mac_command c;
	struct mac_link_adr_ans adr;
	struct mac_dev_status_ans status;

	(void)state;
	assert_true(mac_next(&w, &c));
	assert_int_equal(c.cid, MAC_LINK_CHECK);
	assert_true(mac_next(&w, &c));
	mac_read_link_adr_ans(&c, &adr);
	assert_true(adr.power_ok && adr.data_rate_ok && adr.channels_ok);
	assert_true(mac_next(&w, &c));
	mac_read_dev_status_ans(&c, &status);
	assert_int_equal(status.battery, 255);
	assert_int_equal(status.margin, -1);
	assert_true(mac_next(&w, &c));
	assert_int_equal(c.cid, MAC_DEVICE_TIME);
	assert_false(mac_next(&w, &c));
	assert_int_equal(w.stop, MAC_END);
	assert_false(mac_next(&w, &c));
}

static void a_walk_stops_at_an_unknown_command(void **state)
{
	struct mac_walk w = mac_walk_over(bytes("\x02\x80\x02\x02"), LORAWAN_UP);
	struct mac_command c;

	(void)state;
	assert_true(mac_next(&w, &c));
	assert_false(mac_next(&w, &c));
	assert_int_equal(w.stop, MAC_UNKNOWN);
	w = mac_walk_over(bytes("\x0e\x00"), LORAWAN_UP);
	assert_false(mac_next(&w, &c));
	assert_int_equal(w.stop, MAC_UNKNOWN);
}

static void a_command_cut_short_is_not_given_out(void **state)
{
	struct mac_walk w = mac_walk_over(bytes("\x03\x50\xff\x00"), LORAWAN_DOWN);
	struct mac_command c;

	(void)state;
	assert_false(mac_next(&w, &c));
	assert_int_equal(w.stop, MAC_SHORT);
}

static void requests_and_answers_read_as_written(void **state)
{
	uint8_t p[64];
	struct sink s = sink_into(p, sizeof(p));
	struct mac_walk w;
	struct mac_command c;
	struct mac_link_check_ans check;
	struct mac_link_adr_req adr;
	struct mac_device_time_ans now;

	(void)state;
	mac_write_link_check_ans(&s, &(struct mac_link_check_ans){ 20, 3 });
	mac_write_link_adr_req(&s, &(struct mac_link_adr_req){ 5, 1, 0x00ff, 6, 2 });
	mac_write_device_time_ans(&s, &(struct mac_device_time_ans){ 1448000000, 128 });
	mac_write_bare(&s, MAC_DEV_STATUS);
	mac_write_rekey(&s, 1);
	w = mac_walk_over(sink_span(&s), LORAWAN_DOWN);
	assert_true(mac_next(&w, &c));
	mac_read_link_check_ans(&c, &check);
	assert_int_equal(check.margin, 20);
	assert_int_equal(check.gateways, 3);
	assert_true(mac_next(&w, &c));
	mac_read_link_adr_req(&c, &adr);
	assert_int_equal(adr.data_rate, 5);
	assert_int_equal(adr.tx_power, 1);
	assert_int_equal(adr.channels, 0xff);
	assert_int_equal(adr.mask_control, 6);
	assert_int_equal(adr.transmissions, 2);
	assert_true(mac_next(&w, &c));
	mac_read_device_time_ans(&c, &now);
	assert_int_equal(now.seconds, 1448000000);
	assert_int_equal(now.fraction, 128);
	assert_true(mac_next(&w, &c));
	assert_int_equal(c.cid, MAC_DEV_STATUS);
	assert_true(mac_next(&w, &c));
	assert_int_equal(mac_read_rekey(&c), 1);
	assert_false(mac_next(&w, &c));
	assert_int_equal(w.stop, MAC_END);
}

static void a_negative_margin_survives(void **state)
{
	uint8_t p[4];

	(void)state;
	for (int margin = -32; margin < 32; margin++) {
		struct sink s = sink_into(p, sizeof(p));
		struct mac_dev_status_ans back;
		struct mac_command c = { MAC_DEV_STATUS, { p + 1, 2 } };

		mac_write_dev_status_ans(&s, &(struct mac_dev_status_ans){ 1, (int8_t)margin });
		mac_read_dev_status_ans(&c, &back);
		assert_int_equal(back.margin, margin);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_walk_visits_each_command_and_ends),
		TEST(a_walk_stops_at_an_unknown_command),
		TEST(a_command_cut_short_is_not_given_out),
		TEST(requests_and_answers_read_as_written),
		TEST(a_negative_margin_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
