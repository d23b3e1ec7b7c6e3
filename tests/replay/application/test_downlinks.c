/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "check.h"
#include "world.h"

static void heard(struct world *w, uint32_t f_cnt, uint32_t next)
{
	struct uplink u = world_frame(1, 0x11, f_cnt, "x");

	u.f_cnt_down = next;
	world_uplink(w, &u, f_cnt);
	assert_int_equal(w->verdict, UPLINK_TAKEN);
}

/* A session of which the NS announced the downlink counter. */
static void joined(struct world *w, uint32_t next)
{
	struct uplink u = world_frame(1, 0x11, 1, "x");

	u.f_cnt_down = next;
	world_begin(w);
	world_uplink(w, &u, 1);
	world_key(w, 1, APPLICATION_KEY_GIVEN, 0x11);
	world_forget(w);
}

static void a_command_is_kept_answered_sent_and_acknowledged(void **state)
{
	struct world w;

	(void)state;
	joined(&w, 5);
	world_command(&w, "q1", "open", true);
	assert_int_equal(w.commands_answered, 1);
	assert_string_equal(w.error, "");
	assert_int_equal(w.sent, 1);
	assert_int_equal(w.send.f_cnt, 5);
	assert_true(w.send.confirmed);
	assert_int_equal(w.send.net_id, WORLD_NS);
	assert_string_equal(world_opened(&w, 0x11), "open");
	world_handed(&w, APPLICATION_HANDED, -1);
	world_report(&w, 5, APPLICATION_SENT);
	assert_non_null(strstr(w.said, "{\"event\":\"txack\""));
	assert_int_equal(w.dropped, 0);
	world_report(&w, 5, APPLICATION_ACKED);
	assert_non_null(
		strstr(w.said, "\"queueItemId\":\"q1\",\"acknowledged\":true,\"fCntDown\":5"));
	assert_int_equal(w.events, 2);
	assert_int_equal(w.dropped, 1);
	assert_int_equal(w.reports_answered, 2);
	world_end(&w);
}

static void one_downlink_is_under_way_at_a_time_in_order(void **state)
{
	struct world w;

	(void)state;
	joined(&w, 0);
	world_command(&w, "q1", "first", false);
	world_command(&w, "q2", "second", false);
	assert_int_equal(w.sent, 1);
	world_handed(&w, APPLICATION_HANDED, -1);
	world_report(&w, 0, APPLICATION_SENT);
	assert_int_equal(w.sent, 2);
	assert_int_equal(w.send.f_cnt, 1);
	assert_string_equal(world_opened(&w, 0x11), "second");
	world_end(&w);
}

static void before_the_first_uplink_nothing_is_encrypted(void **state)
{
	struct world w;
	struct uplink u = world_frame(1, 0x11, 1, "x");

	(void)state;
	world_begin(&w);
	world_command(&w, "q1", "early", false);
	assert_int_equal(w.sent, 0);
	u.f_cnt_down = 3;
	world_uplink(&w, &u, 1);
	world_key(&w, 1, APPLICATION_KEY_GIVEN, 0x11);
	assert_int_equal(w.sent, 1);
	assert_int_equal(w.send.f_cnt, 3);
	world_end(&w);
}

static void another_counter_means_another_ciphertext(void **state)
{
	struct world w;

	(void)state;
	joined(&w, 5);
	world_command(&w, "q1", "open", false);
	world_handed(&w, APPLICATION_HANDED_COUNTER, 9);
	assert_int_equal(w.sent, 2);
	assert_int_equal(w.send.f_cnt, 9);
	assert_string_equal(world_opened(&w, 0x11), "open");
	world_end(&w);
}

static void an_answer_that_is_lost_sends_the_same_ciphertext_again(void **state)
{
	struct world w;
	uint8_t first[4];

	(void)state;
	joined(&w, 5);
	world_command(&w, "q1", "open", false);
	memcpy(first, w.cipher, 4);
	world_handed(&w, APPLICATION_HANDED_FAILED, -1);
	assert_int_equal(w.sent, 1);
	assert_true(application_deadline(w.app) == w.now + 1000);
	w.now += 1000;
	world_turn(&w);
	assert_int_equal(w.sent, 2);
	assert_int_equal(w.send.f_cnt, 5);
	assert_memory_equal(w.cipher, first, 4);
	world_end(&w);
}

static void a_report_may_come_before_the_answer(void **state)
{
	struct world w;

	(void)state;
	joined(&w, 5);
	world_command(&w, "q1", "open", false);
	world_command(&w, "q2", "shut", false);
	world_report(&w, 5, APPLICATION_SENT);
	assert_int_equal(w.sent, 1);
	world_handed(&w, APPLICATION_HANDED, -1);
	assert_int_equal(w.sent, 2);
	assert_int_equal(w.send.f_cnt, 6);
	world_end(&w);
}

/* The NS could wish it: the same counter for another plaintext. */
static void a_counter_announced_twice_is_spent_once(void **state)
{
	struct world w;

	(void)state;
	joined(&w, 5);
	world_command(&w, "q1", "open", false);
	world_handed(&w, APPLICATION_HANDED, -1);
	world_report(&w, 5, APPLICATION_SENT);
	heard(&w, 2, 5);
	world_command(&w, "q2", "shut", false);
	assert_int_equal(w.sent, 2);
	assert_int_equal(w.send.f_cnt, 6);
	world_handed(&w, APPLICATION_HANDED_COUNTER, 5);
	assert_int_equal(w.sent, 2);
	heard(&w, 3, 0);
	assert_int_equal(w.send.f_cnt, 6);
	assert_false(w.two_time_pad);
	world_end(&w);
}

static void a_spent_counter_stays_spent_after_a_restart(void **state)
{
	struct world w, after;

	(void)state;
	joined(&w, 5);
	world_command(&w, "q1", "open", false);
	world_begin(&after);
	assert_int_equal(application_restore_session(after.app, &w.session, 0, NULL), 0);
	memcpy(after.spent, w.spent, sizeof(w.spent));
	after.spent_count = w.spent_count;
	after.session = w.session;
	heard(&after, 2, 5);
	world_command(&after, "q2", "shut", false);
	assert_int_equal(after.send.f_cnt, 6);
	world_end(&w);
	world_end(&after);
}

static void a_downlink_under_way_at_a_restart_is_sent_with_its_own_counter(void **state)
{
	struct world w, after;

	(void)state;
	joined(&w, 5);
	world_command(&w, "q1", "open", false);
	world_begin(&after);
	assert_int_equal(application_restore_session(after.app, &w.session, 0, NULL), 0);
	assert_int_equal(application_restore_downlink(after.app, &w.downlink, NULL), 0);
	memcpy(after.spent, w.spent, sizeof(w.spent));
	after.spent_count = w.spent_count;
	after.session = w.session;
	heard(&after, 2, 5);
	assert_int_equal(after.sent, 0);
	heard(&after, 3, 5);
	assert_int_equal(after.sent, 1);
	assert_int_equal(after.send.f_cnt, 5);
	assert_string_equal(world_opened(&after, 0x11), "open");
	world_report(&after, 5, APPLICATION_SENT);
	assert_int_equal(after.dropped, 1);
	world_end(&w);
	world_end(&after);
}

static void a_disk_that_refuses_sends_nothing(void **state)
{
	struct world w;

	(void)state;
	joined(&w, 5);
	w.disk_fails = true;
	world_command(&w, "q1", "open", false);
	assert_string_equal(w.error, "disk: not kept");
	w.disk_fails = false;
	world_command(&w, "q1", "open", false);
	assert_int_equal(w.sent, 1);
	world_handed(&w, APPLICATION_HANDED_FAILED, -1);
	w.disk_fails = true;
	w.now += 1000;
	world_turn(&w);
	assert_int_equal(w.sent, 1);
	w.disk_fails = false;
	w.now += 4000;
	world_turn(&w);
	assert_int_equal(w.sent, 2);
	assert_int_equal(w.send.f_cnt, 5);
	world_end(&w);
}

static void a_downlink_goes_on_in_the_next_session_under_its_key(void **state)
{
	struct uplink u = world_frame(2, 0x22, 0, "x");
	struct world w;

	(void)state;
	joined(&w, 5);
	world_command(&w, "q1", "open", false);
	world_handed(&w, APPLICATION_HANDED, -1);
	u.f_cnt_down = 0;
	world_uplink(&w, &u, 2);
	world_key(&w, 2, APPLICATION_KEY_GIVEN, 0x22);
	assert_int_equal(w.sent, 2);
	assert_int_equal(w.send.f_cnt, 0);
	assert_string_equal(world_opened(&w, 0x22), "open");
	world_end(&w);
}

static void a_confirmed_one_the_session_left_behind_was_not_acknowledged(void **state)
{
	struct uplink u = world_frame(2, 0x22, 0, "x");
	struct world w;

	(void)state;
	joined(&w, 5);
	world_command(&w, "q1", "open", true);
	world_handed(&w, APPLICATION_HANDED, -1);
	world_report(&w, 5, APPLICATION_SENT);
	world_uplink(&w, &u, 2);
	world_key(&w, 2, APPLICATION_KEY_GIVEN, 0x22);
	assert_non_null(strstr(w.said, "\"acknowledged\":false"));
	assert_int_equal(w.dropped, 1);
	world_end(&w);
}

static void a_refused_counter_is_not_tried_for_ever(void **state)
{
	struct world w;

	(void)state;
	joined(&w, 5);
	world_command(&w, "q1", "open", false);
	for (uint32_t i = 0; i < 8; i++)
		world_handed(&w, APPLICATION_HANDED_COUNTER, 6 + i);
	assert_int_equal(w.sent, 8);
	assert_int_equal(w.dropped, 1);
	assert_non_null(strstr(w.said, "{\"event\":\"log\""));
	assert_non_null(strstr(w.said, "\"queue_item_id\":\"q1\""));
	world_end(&w);
}

static void the_last_counter_is_not_passed(void **state)
{
	struct world w;

	(void)state;
	joined(&w, UINT32_MAX);
	world_command(&w, "q1", "open", false);
	assert_int_equal(w.send.f_cnt, UINT32_MAX);
	world_handed(&w, APPLICATION_HANDED, -1);
	world_report(&w, UINT32_MAX, APPLICATION_SENT);
	world_command(&w, "q2", "shut", false);
	assert_int_equal(w.sent, 1);
	assert_non_null(strstr(w.said, "no downlink counter is left"));
	world_end(&w);
}

static void a_foreign_ns_reports_nothing(void **state)
{
	struct application_report r = { .net_id = 0x99,
		.dev_eui = WORLD_DEV,
		.f_cnt = 5,
		.kind = APPLICATION_SENT };
	struct world w;

	(void)state;
	joined(&w, 5);
	world_command(&w, "q1", "open", false);
	world_handed(&w, APPLICATION_HANDED, -1);
	assert_int_equal(application_report(w.app, &r, 1), 0);
	world_turn(&w);
	assert_int_equal(w.events, 0);
	assert_int_equal(w.dropped, 0);
	world_end(&w);
}

static void a_command_that_cannot_be_taken_is_told_why(void **state)
{
	struct command c = { .dev_eui = 1, .f_port = 1 };
	struct world w;

	(void)state;
	joined(&w, 5);
	assert_int_equal(application_command(w.app, &c, 1), 0);
	world_turn(&w);
	assert_string_equal(w.error, "devEui: no such device");
	world_command(&w, "q1", "a", false);
	world_command(&w, "q1", "a", false);
	assert_string_equal(w.error, "");
	world_command(&w, "q1", "b", false);
	assert_string_equal(w.error, "id: in the queue already, with something else");
	world_command(&w, "q2", "b", false);
	world_command(&w, "q3", "c", false);
	world_command(&w, "q4", "d", false);
	assert_string_equal(w.error, "queue: full");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_command_is_kept_answered_sent_and_acknowledged),
		TEST(one_downlink_is_under_way_at_a_time_in_order),
		TEST(before_the_first_uplink_nothing_is_encrypted),
		TEST(another_counter_means_another_ciphertext),
		TEST(an_answer_that_is_lost_sends_the_same_ciphertext_again),
		TEST(a_report_may_come_before_the_answer),
		TEST(a_counter_announced_twice_is_spent_once),
		TEST(a_spent_counter_stays_spent_after_a_restart),
		TEST(a_downlink_under_way_at_a_restart_is_sent_with_its_own_counter),
		TEST(a_disk_that_refuses_sends_nothing),
		TEST(a_downlink_goes_on_in_the_next_session_under_its_key),
		TEST(a_confirmed_one_the_session_left_behind_was_not_acknowledged),
		TEST(a_refused_counter_is_not_tried_for_ever),
		TEST(the_last_counter_is_not_passed),
		TEST(a_foreign_ns_reports_nothing),
		TEST(a_command_that_cannot_be_taken_is_told_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
