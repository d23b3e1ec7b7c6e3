/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "resolve/answer.h"

#include <string.h>

static void copies_records_and_words_into_one_allocation(void **state)
{
	char why[] = "signature expired";
	uint8_t octets[] = { 3, 1, 1 };
	struct span rdata[] = { { octets, 3 }, { NULL, 0 } };
	struct answer *a = answer_new(ANSWER_SECURE, rdata, 2, why);

	(void)state;
	assert_non_null(a);
	memset(octets, 0, sizeof(octets));
	memset(why, 0, sizeof(why));
	assert_int_equal(a->count, 2);
	assert_memory_equal(a->rdata[0].p, "\3\1\1", 3);
	assert_int_equal(a->rdata[1].n, 0);
	assert_string_equal(a->why, "signature expired");
	answer_drop(a);
}

static void is_counted_and_has_words_always(void **state)
{
	struct answer *a = answer_new(ANSWER_DENIAL, NULL, 0, NULL);

	(void)state;
	assert_ptr_equal(answer_keep(a), a);
	answer_drop(a);
	assert_string_equal(a->why, "");
	assert_string_equal(answer_status_word(a->status), "secure-denial");
	answer_drop(a);
	answer_drop(NULL);
}

static void cuts_long_words(void **state)
{
	char why[4 * ANSWER_WHY_MAX];
	struct answer *a;

	(void)state;
	memset(why, 'w', sizeof(why) - 1);
	why[sizeof(why) - 1] = 0;
	a = answer_new(ANSWER_BOGUS, NULL, 0, why);
	assert_int_equal(strlen(a->why), ANSWER_WHY_MAX - 1);
	answer_drop(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(copies_records_and_words_into_one_allocation),
		TEST(is_counted_and_has_words_always),
		TEST(cuts_long_words),
	};

	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
