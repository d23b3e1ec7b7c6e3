/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "network/frame.h"

static struct frame_table t;

static enum frame_verdict hear(uint8_t what, uint64_t gateway, int16_t lsnr, int64_t now,
	uint8_t host, struct frame **out)
{
	uint8_t phy[12] = { 0x40, what };
	struct frame_copy copy = { .gateway = gateway, .lsnr = lsnr, .at_ms = now };
	struct gateway_address from = { .n = 16, .octets = { [4] = host } };

	return frame_collect(&t, (struct span){ phy, sizeof(phy) }, &copy, &from, now, 200, out);
}

static void collects_copies_until_the_window_ends(void **state)
{
	struct frame *f, *g;

	(void)state;
	assert_int_equal(frame_table_init(&t, 16, 99, NULL), 0);
	assert_int_equal(hear(1, 1, 10, 0, 1, &f), FRAME_NEW);
	assert_int_equal(hear(1, 2, 50, 150, 2, &g), FRAME_COPY);
	assert_ptr_equal(f, g);
	assert_int_equal(hear(1, 2, 60, 160, 2, &g), FRAME_LATE);
	assert_int_equal(frame_deadline(&t), 200);
	assert_null(frame_due(&t, 199, 1000));
	f = frame_due(&t, 200, 1000);
	assert_int_equal(f->heard, 2);
	assert_int_equal(f->copy[0].gateway, 2);
	assert_int_equal(hear(1, 3, 90, 300, 3, &g), FRAME_LATE);
	frame_sweep(&t, 1199);
	assert_int_equal(hear(1, 3, 90, 1199, 3, &g), FRAME_LATE);
	frame_sweep(&t, 1200);
	assert_int_equal(hear(1, 3, 90, 1200, 3, &g), FRAME_NEW);
	frame_table_done(&t);
}

static void keeps_the_best_of_more_copies_than_fit(void **state)
{
	struct frame *f;

	(void)state;
	assert_int_equal(frame_table_init(&t, 16, 99, NULL), 0);
	for (int i = 0; i < 40; i++)
		hear(1, (uint64_t)i + 1, (int16_t)i, 0, 1, &f);
	f = frame_due(&t, 200, 1000);
	assert_int_equal(f->heard, 40);
	assert_int_equal(f->copies, FRAME_COPIES_MAX);
	assert_int_equal(f->copy[0].lsnr, 39);
	assert_int_equal(f->copy[FRAME_COPIES_MAX - 1].lsnr, 40 - FRAME_COPIES_MAX);
	frame_table_done(&t);
}

static void leaves_one_address_a_quarter(void **state)
{
	struct frame *f;
	unsigned taken = 0;

	(void)state;
	assert_int_equal(frame_table_init(&t, 16, 99, NULL), 0);
	for (uint8_t i = 0; i < 16; i++)
		taken += hear(i, 1, 0, 0, 1, &f) == FRAME_NEW;
	assert_int_equal(taken, 4);
	assert_int_equal(hear(100, 1, 0, 0, 2, &f), FRAME_NEW);
	while (frame_due(&t, 200, 0))
		;
	frame_sweep(&t, 200);
	assert_int_equal(hear(1, 1, 0, 201, 1, &f), FRAME_NEW);
	frame_table_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(collects_copies_until_the_window_ends),
		TEST(keeps_the_best_of_more_copies_than_fit),
		TEST(leaves_one_address_a_quarter),
	};

	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
