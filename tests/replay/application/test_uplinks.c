/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "check.h"
#include "world.h"

static void joined(struct world *w)
{
	struct uplink u = world_frame(1, 0x11, 1, "one");

	world_uplink(w, &u, 1);
	world_key(w, 1, APPLICATION_KEY_GIVEN, 0x11);
	assert_int_equal(w->verdict, UPLINK_TAKEN);
	world_forget(w);
}

static void an_uplink_before_its_key_is_held_and_then_told_decrypted(void **state)
{
	struct world w;
	struct uplink u = world_frame(1, 0x11, 5, "21.5C");

	(void)state;
	world_begin(&w);
	world_uplink(&w, &u, 42);
	assert_int_equal(w.asked, 1);
	assert_int_equal(w.answered, 0);
	assert_int_equal(w.ask.join_eui, 0x70b3d57ed0fffff1u);
	assert_true(application_deadline(w.app) == 4000);
	world_key(&w, 1, APPLICATION_KEY_GIVEN, 0x11);
	assert_int_equal(w.answered, 1);
	assert_int_equal(w.tickets[0], 42);
	assert_int_equal(w.verdict, UPLINK_TAKEN);
	assert_int_equal(w.events, 2);
	assert_non_null(strstr(w.said, "{\"event\":\"join\",\"deduplicationId\":\""));
	assert_non_null(strstr(w.said, "\"data\":\"MjEuNUM=\""));
	assert_non_null(strstr(w.said, "\"deviceName\":\"meter \\\"7\\\"\""));
	assert_non_null(strstr(w.said, "\"devEui\":\"70b3d57ed0000001\""));
	assert_non_null(strstr(w.said, "\"fCnt\":5,\"fPort\":7,\"confirmed\":false"));
	assert_non_null(strstr(w.said, "\"spreadingFactor\":7,\"codeRate\":\"CR_4_5\""));
	assert_non_null(strstr(w.said, "\"tags\":{\"floor\":\"2\"}"));
	assert_int_equal(application_open(w.app), 0);
	world_end(&w);
}

static void uplinks_that_wait_ask_once_and_go_in_the_order_of_counters(void **state)
{
	struct world w;
	struct uplink b = world_frame(1, 0x11, 6, "b"), a = world_frame(1, 0x11, 5, "a");

	(void)state;
	world_begin(&w);
	world_uplink(&w, &b, 2);
	world_uplink(&w, &a, 1);
	assert_int_equal(w.asked, 1);
	world_key(&w, 1, APPLICATION_KEY_GIVEN, 0x11);
	assert_int_equal(w.answered, 2);
	assert_int_equal(w.tickets[0], 1);
	assert_int_equal(w.tickets[1], 2);
	assert_int_equal(w.events, 3);
	world_end(&w);
}

static void too_many_held_uplinks_are_refused_busy_not_lost(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	for (uint32_t i = 0; i < 5; i++) {
		struct uplink u = world_frame(1, 0x11, i, "x");

		world_uplink(&w, &u, i);
	}
	assert_int_equal(w.answered, 1);
	assert_int_equal(w.tickets[0], 4);
	assert_int_equal(w.verdict, UPLINK_BUSY);
	assert_true(uplink_may_be_sent_again(w.verdict));
	world_end(&w);
}

static void a_refusal_of_the_js_is_told_and_not_asked_again_at_once(void **state)
{
	struct world w;
	struct uplink u = world_frame(1, 0x11, 1, "x");

	(void)state;
	world_begin(&w);
	world_uplink(&w, &u, 1);
	world_key(&w, 1, APPLICATION_KEY_UNKNOWN, 0);
	assert_int_equal(w.verdict, UPLINK_UNKNOWN_DEVICE);
	world_uplink(&w, &u, 2);
	assert_int_equal(w.answered, 2);
	assert_int_equal(w.asked, 1);
	w.now += 5000;
	world_uplink(&w, &u, 3);
	assert_int_equal(w.asked, 2);
	assert_int_equal(w.events, 0);
	assert_int_equal(w.kept, 0);
	world_end(&w);
}

static void a_late_key_serves_the_repetition_of_the_uplink(void **state)
{
	struct world w;
	struct uplink u = world_frame(1, 0x11, 1, "x");

	(void)state;
	world_begin(&w);
	world_uplink(&w, &u, 1);
	w.now += 3000;
	world_turn(&w);
	assert_int_equal(w.verdict, UPLINK_NO_KEY);
	assert_true(uplink_may_be_sent_again(w.verdict));
	world_key(&w, 1, APPLICATION_KEY_GIVEN, 0x11);
	assert_int_equal(w.events, 1); /* join */
	world_uplink(&w, &u, 2);
	assert_int_equal(w.asked, 1);
	assert_int_equal(w.verdict, UPLINK_TAKEN);
	assert_int_equal(w.events, 2);
	world_end(&w);
}

static void a_repetition_is_answered_without_a_second_event(void **state)
{
	struct world w;
	struct uplink u = world_frame(1, 0x11, 1, "one");

	(void)state;
	world_begin(&w);
	joined(&w);
	world_uplink(&w, &u, 2);
	assert_int_equal(w.verdict, UPLINK_AGAIN);
	assert_int_equal(w.events, 0);
	world_end(&w);
}

static void a_counter_taken_by_another_frame_is_a_replay(void **state)
{
	struct world w;
	struct uplink u = world_frame(1, 0x11, 1, "two"), late = world_frame(1, 0x11, 100, "l");

	(void)state;
	world_begin(&w);
	joined(&w);
	world_uplink(&w, &u, 2);
	assert_int_equal(w.verdict, UPLINK_REPLAYED);
	world_uplink(&w, &late, 3);
	assert_int_equal(w.verdict, UPLINK_TAKEN);
	u = world_frame(1, 0x11, 36, "behind the window");
	world_uplink(&w, &u, 4);
	assert_int_equal(w.verdict, UPLINK_REPLAYED);
	u = world_frame(1, 0x11, 37, "late, within it");
	world_uplink(&w, &u, 5);
	assert_int_equal(w.verdict, UPLINK_TAKEN);
	assert_int_equal(w.events, 2);
	world_end(&w);
}

static void another_net_id_does_not_speak_for_the_session(void **state)
{
	struct world w;
	struct uplink u = world_frame(1, 0x11, 2, "x");

	(void)state;
	world_begin(&w);
	joined(&w);
	u.net_id = 0x000099;
	world_uplink(&w, &u, 2);
	assert_int_equal(w.verdict, UPLINK_FOREIGN);
	u.net_id = WORLD_NS;
	u.dev_addr++;
	world_uplink(&w, &u, 3);
	assert_int_equal(w.verdict, UPLINK_FOREIGN);
	assert_int_equal(w.events, 0);
	world_end(&w);
}

static void port_zero_and_unknown_devices_are_refused_without_a_question(void **state)
{
	struct world w;
	struct uplink u = world_frame(1, 0x11, 2, "x");

	(void)state;
	world_begin(&w);
	u.f_port = 0;
	world_uplink(&w, &u, 1);
	assert_int_equal(w.verdict, UPLINK_BAD_PORT);
	u.f_port = 7;
	u.dev_eui++;
	world_uplink(&w, &u, 2);
	assert_int_equal(w.verdict, UPLINK_UNKNOWN_DEVICE);
	assert_int_equal(w.asked, 0);
	world_end(&w);
}

static void a_disk_that_refuses_makes_the_ns_send_again_and_nothing_moves(void **state)
{
	struct world w;
	struct uplink u = world_frame(1, 0x11, 2, "x");

	(void)state;
	world_begin(&w);
	joined(&w);
	w.lines_fail = true;
	world_uplink(&w, &u, 2);
	assert_int_equal(w.verdict, UPLINK_NOT_KEPT);
	w.lines_fail = false;
	w.disk_fails = true;
	world_uplink(&w, &u, 3);
	assert_int_equal(w.verdict, UPLINK_NOT_KEPT);
	w.disk_fails = false;
	world_uplink(&w, &u, 4);
	assert_int_equal(w.verdict, UPLINK_TAKEN);
	world_end(&w);
}

static void a_new_session_is_a_join_and_the_old_one_still_opens_late_uplinks(void **state)
{
	struct world w;
	struct uplink u = world_frame(2, 0x22, 0, "new"), old = world_frame(1, 0x11, 2, "old");

	(void)state;
	world_begin(&w);
	joined(&w);
	world_uplink(&w, &u, 2);
	world_key(&w, 2, APPLICATION_KEY_GIVEN, 0x22);
	assert_int_equal(w.events, 2);
	assert_non_null(strstr(w.said, "\"sessionKeyId\":\"02020202"));
	world_uplink(&w, &old, 3);
	assert_int_equal(w.verdict, UPLINK_TAKEN);
	assert_non_null(strstr(w.said, "\"data\":\"b2xk\""));
	world_end(&w);
}

static void a_session_that_was_left_behind_never_comes_back(void **state)
{
	struct world w;
	struct uplink u;

	(void)state;
	world_begin(&w);
	joined(&w);
	for (uint8_t id = 2; id <= 3; id++) {
		u = world_frame(id, (uint8_t)(id << 4), 0, "x");
		world_uplink(&w, &u, id);
		world_key(&w, id, APPLICATION_KEY_GIVEN, (uint8_t)(id << 4));
		assert_int_equal(w.verdict, UPLINK_TAKEN);
	}
	u = world_frame(1, 0x11, 9, "x");
	world_uplink(&w, &u, 9);
	assert_int_equal(w.verdict, UPLINK_RETIRED);
	assert_int_equal(w.asked, 2);
	world_end(&w);
}

static void a_key_the_device_had_under_another_session_is_refused(void **state)
{
	struct world w;
	struct uplink u = world_frame(2, 0x11, 0, "x");

	(void)state;
	world_begin(&w);
	joined(&w);
	world_uplink(&w, &u, 2);
	world_key(&w, 2, APPLICATION_KEY_GIVEN, 0x11);
	assert_int_equal(w.verdict, UPLINK_RETIRED);
	assert_int_equal(w.events, 0);
	world_end(&w);
}

static void what_the_disk_holds_is_enough_after_a_restart(void **state)
{
	struct world w, after;
	struct uplink u = world_frame(1, 0x11, 2, "two");

	(void)state;
	world_begin(&w);
	joined(&w);
	world_uplink(&w, &u, 2);
	world_begin(&after);
	assert_int_equal(application_restore_session(after.app, &w.session, 0, NULL), 0);
	world_uplink(&after, &u, 3);
	assert_int_equal(after.verdict, UPLINK_AGAIN);
	u = world_frame(1, 0x11, 3, "three");
	world_uplink(&after, &u, 4);
	assert_int_equal(after.verdict, UPLINK_TAKEN);
	assert_int_equal(after.asked, 0);
	world_end(&w);
	world_end(&after);
}

static void a_personalised_device_needs_no_join_server(void **state)
{
	struct application_device device = { .dev_eui = WORLD_DEV + 1,
		.has_app_s_key = true,
		.has_net_id = true,
		.net_id = 0x777777 };
	struct uplink u = world_frame(0, 0x33, 8, "abp");
	struct world w;

	(void)state;
	world_begin(&w);
	memset(device.app_s_key, 0x33, 16);
	assert_int_equal(application_add_device(w.app, &device, NULL), 0);
	u.session.n = 0;
	world_uplink(&w, &u, 1);
	assert_int_equal(w.verdict, UPLINK_UNKNOWN_DEVICE);
	u.dev_eui++;
	world_uplink(&w, &u, 2);
	assert_int_equal(w.verdict, UPLINK_FOREIGN);
	u.net_id = 0x777777;
	u.session.n = 4;
	world_uplink(&w, &u, 2);
	assert_int_equal(w.verdict, UPLINK_FOREIGN);
	u.session.n = 0;
	world_uplink(&w, &u, 2);
	assert_int_equal(w.verdict, UPLINK_TAKEN);
	assert_int_equal(w.asked, 0);
	assert_int_equal(w.events, 1);
	assert_non_null(strstr(w.said, "\"data\":\"YWJw\""));
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_uplink_before_its_key_is_held_and_then_told_decrypted),
		TEST(uplinks_that_wait_ask_once_and_go_in_the_order_of_counters),
		TEST(too_many_held_uplinks_are_refused_busy_not_lost),
		TEST(a_refusal_of_the_js_is_told_and_not_asked_again_at_once),
		TEST(a_late_key_serves_the_repetition_of_the_uplink),
		TEST(a_repetition_is_answered_without_a_second_event),
		TEST(a_counter_taken_by_another_frame_is_a_replay),
		TEST(another_net_id_does_not_speak_for_the_session),
		TEST(port_zero_and_unknown_devices_are_refused_without_a_question),
		TEST(a_disk_that_refuses_makes_the_ns_send_again_and_nothing_moves),
		TEST(a_new_session_is_a_join_and_the_old_one_still_opens_late_uplinks),
		TEST(a_session_that_was_left_behind_never_comes_back),
		TEST(a_key_the_device_had_under_another_session_is_refused),
		TEST(what_the_disk_holds_is_enough_after_a_restart),
		TEST(a_personalised_device_needs_no_join_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
