/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "network/due.h"

#define NODES 200

static void gives_the_earliest_first_whatever_moved(void **state)
{
	static struct due_node node[NODES];
	unsigned r = 1, left = 0;
	int64_t last = -1;
	struct due d;

	(void)state;
	assert_int_equal(due_init(&d, NODES, NULL), 0);
	for (unsigned round = 0; round < 20; round++)
		for (unsigned i = 0; i < NODES; i++) {
			r = r * 1103515245 + 12345;
			if (r >> 16 & 3)
				due_set(&d, &node[i], r >> 8 & 0xffff);
			else
				due_clear(&d, &node[i]);
		}
	for (unsigned i = 0; i < NODES; i++)
		left += node[i].place != 0;
	assert_int_equal(d.count, left);
	for (; due_first(&d); left--) {
		assert_true(due_first(&d)->at_ms >= last);
		last = due_first(&d)->at_ms;
		due_clear(&d, due_first(&d));
	}
	assert_int_equal(left, 0);
	due_done(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(gives_the_earliest_first_whatever_moved) };

	return cmocka_run_group_tests_name("due", tests, NULL, NULL);
}
