/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "network/adr.h"

static struct session heard(uint8_t rate, uint8_t power, int16_t lsnr, unsigned times)
{
	struct session s = { .rate = rate, .power = power };

	for (unsigned i = 0; i < times; i++)
		adr_note(&s, lsnr);
	return s;
}

static void waits_for_enough_uplinks_unless_the_device_asks(void **state)
{
	struct session few = heard(0, 0, 100, 19), enough = heard(0, 0, 100, 20);
	struct mac_link_adr_req r;

	(void)state;
	assert_false(adr_decide(&few, region_eu868(), 100, false, &r));
	assert_true(adr_decide(&few, region_eu868(), 100, true, &r));
	assert_true(adr_decide(&enough, region_eu868(), 100, false, &r));
}

static void goes_faster_first_and_quieter_after(void **state)
{
	struct session s = heard(0, 0, -100, 20); /* DR0 needs -20 dB: no margin left */
	struct mac_link_adr_req r;

	(void)state;
	assert_false(adr_decide(&s, region_eu868(), 100, false, &r));
	s = heard(0, 0, -10, 20); /* 9 dB above: 3 steps */
	assert_true(adr_decide(&s, region_eu868(), 100, false, &r));
	assert_int_equal(r.data_rate, 3);
	assert_int_equal(r.tx_power, 0);
	s = heard(5, 0, 90, 20); /* 9.0 + 7.5 - 10: 2 steps */
	assert_true(adr_decide(&s, region_eu868(), 100, false, &r));
	assert_int_equal(r.data_rate, 5);
	assert_int_equal(r.tx_power, 2);
	assert_int_equal(r.channels, 0xff);
	assert_int_equal(r.transmissions, 1);
	s.abp = true;
	assert_true(adr_decide(&s, region_eu868(), 100, false, &r));
	assert_int_equal(r.channels, 0x07);
}

static void goes_louder_when_the_margin_is_gone(void **state)
{
	struct session s = heard(5, 4, -40, 20); /* -4.0 + 7.5 - 10 = -6.5: 2 steps back */
	struct mac_link_adr_req r;

	(void)state;
	assert_true(adr_decide(&s, region_eu868(), 100, false, &r));
	assert_int_equal(r.tx_power, 2);
	assert_int_equal(r.data_rate, 5);
}

static void leaves_a_device_that_refused_alone(void **state)
{
	struct session s = heard(0, 0, 100, 20);
	struct mac_link_adr_ans no = { .power_ok = true,
		.data_rate_ok = false,
		.channels_ok = true };
	struct mac_link_adr_ans yes = { true, true, true };
	struct mac_link_adr_req r;

	(void)state;
	assert_true(adr_decide(&s, region_eu868(), 100, false, &r));
	s.adr_asked = r;
	s.adr_pending = true;
	adr_answered(&s, &no);
	assert_int_equal(s.rate, 0);
	assert_false(adr_decide(&s, region_eu868(), 100, false, &r));
	adr_answered(&s, &yes); /* nothing was asked */
	assert_int_equal(s.rate, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(waits_for_enough_uplinks_unless_the_device_asks),
		TEST(goes_faster_first_and_quieter_after),
		TEST(goes_louder_when_the_margin_is_gone),
		TEST(leaves_a_device_that_refused_alone),
	};

	return cmocka_run_group_tests_name("adr", tests, NULL, NULL);
}
