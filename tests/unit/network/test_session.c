/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "network/session.h"

#include <string.h>

static struct session example(uint64_t dev_eui, uint32_t dev_addr, enum session_slot slot)
{
	return (struct session){ .dev_eui = dev_eui,
		.join_eui = 7,
		.dev_addr = dev_addr,
		.slot = slot,
		.lw11 = true,
		.f_nwk_s_int = { 1 },
		.s_nwk_s_int = { 2 },
		.nwk_s_enc = { 3 },
		.key_id = { .octets = { 9, 8 }, .n = 2 },
		.as_url = "https://as.example:8005",
		.as_id = "as.example",
		.up_any = true,
		.f_cnt_up_next = 0x12345,
		.last_mic = { 4, 3, 2, 1 },
		.repeats = 2,
		.n_f_cnt_down = 5,
		.a_f_cnt_down = 6,
		.conf_down = true,
		.conf_f_cnt_down = 4,
		.rx_delay = 5,
		.rx2_hz = 869525000,
		.rate = 3,
		.power = 1,
		.transmissions = 1,
		.battery = 200,
		.margin = -7 };
}

static void reads_back_what_it_writes(void **state)
{
	struct session in = example(1, 2, SESSION_PENDING), out;
	uint8_t blob[SESSION_BLOB_MAX], again[SESSION_BLOB_MAX];
	size_t n, m;

	(void)state;
	assert_int_equal(session_write(&in, blob, sizeof(blob), &n), 0);
	assert_int_equal(session_read((struct span){ blob, n }, &out, NULL), 0);
	/* Not the structs, whose padding is nobody's. */
	assert_int_equal(session_write(&out, again, sizeof(again), &m), 0);
	assert_int_equal(n, m);
	assert_memory_equal(blob, again, n);
	assert_int_equal(out.dev_addr, in.dev_addr);
	assert_true(out.dev_eui == in.dev_eui);
}

static void holds_the_longest_names(void **state)
{
	struct session in = example(1, 2, SESSION_ACTIVE);
	uint8_t blob[SESSION_BLOB_MAX];
	size_t n;

	(void)state;
	memset(in.as_url, 'u', sizeof(in.as_url) - 1);
	memset(in.as_id, 'i', sizeof(in.as_id) - 1);
	in.key_id.n = sizeof(in.key_id.octets);
	assert_int_equal(session_write(&in, blob, sizeof(blob), &n), 0);
}

static void refuses_a_blob_that_is_cut_or_longer(void **state)
{
	struct session in = example(1, 2, SESSION_ACTIVE), out;
	uint8_t blob[SESSION_BLOB_MAX];
	size_t n;

	(void)state;
	assert_int_equal(session_write(&in, blob, sizeof(blob), &n), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(session_read((struct span){ blob, i }, &out, NULL), ERR_FORMAT);
	assert_int_equal(session_read((struct span){ blob, n + 1 }, &out, NULL), ERR_FORMAT);
	blob[0] = 2;
	assert_int_equal(session_read((struct span){ blob, n }, &out, NULL), ERR_FORMAT);
}

static void finds_every_session_with_an_address(void **state)
{
	struct session a = example(1, 42, SESSION_ACTIVE), b = example(2, 42, SESSION_ACTIVE),
		       c = example(3, 43, SESSION_ACTIVE);
	struct session_table t;
	struct session *s = NULL;
	unsigned found = 0;

	(void)state;
	assert_int_equal(session_table_init(&t, 4, NULL), 0);
	assert_int_equal(session_add(&t, &a, &s, NULL), 0);
	assert_int_equal(session_add(&t, &b, &s, NULL), 0);
	assert_int_equal(session_add(&t, &c, &s, NULL), 0);
	for (s = NULL; (s = session_by_addr(&t, 42, s)); found++)
		assert_int_equal(s->dev_addr, 42);
	assert_int_equal(found, 2);
	session_remove(&t, session_of_device(&t, 1, 7, SESSION_ACTIVE));
	s = session_by_addr(&t, 42, NULL);
	assert_int_equal(s->dev_eui, 2);
	assert_null(session_by_addr(&t, 42, s));
	session_table_done(&t);
}

static void replaces_the_one_in_the_same_slot(void **state)
{
	struct session a = example(1, 42, SESSION_ACTIVE), b = example(1, 43, SESSION_PENDING),
		       c = example(1, 44, SESSION_PENDING), *s;
	struct session_table t;

	(void)state;
	assert_int_equal(session_table_init(&t, 2, NULL), 0);
	assert_int_equal(session_add(&t, &a, &s, NULL), 0);
	assert_int_equal(session_add(&t, &b, &s, NULL), 0);
	assert_int_equal(session_add(&t, &c, &s, NULL), 0);
	assert_int_equal(t.count, 2);
	assert_null(session_by_addr(&t, 43, NULL));
	session_confirm(&t, s);
	assert_int_equal(t.count, 1);
	assert_int_equal(session_of_device(&t, 1, 7, SESSION_ACTIVE)->dev_addr, 44);
	assert_null(session_of_device(&t, 1, 7, SESSION_PENDING));
	session_table_done(&t);
}

static void keeps_devices_of_other_join_servers_apart(void **state)
{
	struct session a = example(1, 42, SESSION_ACTIVE), b = example(1, 43, SESSION_PENDING), *s;
	struct session_table t;

	(void)state;
	b.join_eui = 8;
	assert_int_equal(session_table_init(&t, 4, NULL), 0);
	assert_int_equal(session_add(&t, &a, &s, NULL), 0);
	assert_int_equal(session_add(&t, &b, &s, NULL), 0);
	session_confirm(&t, s);
	assert_int_equal(t.count, 2);
	assert_int_equal(session_of_device(&t, 1, 7, SESSION_ACTIVE)->dev_addr, 42);
	assert_int_equal(session_of_device(&t, 1, 8, SESSION_ACTIVE)->dev_addr, 43);
	session_table_done(&t);
}

static void refuses_more_than_it_may_hold(void **state)
{
	struct session a = example(1, 42, SESSION_ACTIVE), b = example(2, 42, SESSION_ACTIVE), *s;
	struct session_table t;

	(void)state;
	assert_int_equal(session_table_init(&t, 1, NULL), 0);
	assert_int_equal(session_add(&t, &a, &s, NULL), 0);
	assert_int_equal(session_add(&t, &b, &s, NULL), ERR_SPACE);
	session_table_done(&t);
}

static void expects_the_counter_behind_the_queue(void **state)
{
	struct session s = example(1, 2, SESSION_ACTIVE);
	struct session_item item = { .f_cnt = 9 };

	(void)state;
	assert_int_equal(session_down_expected(&s), 6);
	assert_int_equal(session_push(&s, &item), 0);
	assert_int_equal(session_down_expected(&s), 10);
	session_pop(&s);
	assert_int_equal(session_down_expected(&s), 6);
	for (unsigned i = 0; i < SESSION_QUEUE_MAX; i++)
		assert_int_equal(session_push(&s, &item), 0);
	assert_int_equal(session_push(&s, &item), ERR_SPACE);
	while (s.queued)
		session_pop(&s);
}

static void compares_as_ids_without_case(void **state)
{
	struct session s = example(1, 2, SESSION_ACTIVE);

	(void)state;
	assert_true(session_as_is(&s, "AS.Example"));
	assert_false(session_as_is(&s, "as.exampl"));
	assert_false(session_as_is(&s, "as.example.org"));
	s.as_id[0] = 0;
	assert_false(session_as_is(&s, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_back_what_it_writes),
		TEST(holds_the_longest_names),
		TEST(refuses_a_blob_that_is_cut_or_longer),
		TEST(finds_every_session_with_an_address),
		TEST(replaces_the_one_in_the_same_slot),
		TEST(keeps_devices_of_other_join_servers_apart),
		TEST(refuses_more_than_it_may_hold),
		TEST(expects_the_counter_behind_the_queue),
		TEST(compares_as_ids_without_case),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
