/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "net/reaches.h"

#include <stdio.h>

#include "net/find.h"

static unsigned finds; /* that were begun; none of them ends */

int __wrap_find_new(struct pace *pace, struct resolver *r, const struct service_target *target,
	enum tls_mode mode, find_done *done, void *arg, struct find **out, struct err *err);

int __wrap_find_new(struct pace *pace, struct resolver *r, const struct service_target *target,
	enum tls_mode mode, find_done *done, void *arg, struct find **out, struct err *err)
{
	(void)pace, (void)r, (void)mode, (void)done, (void)arg, (void)err;
	assert_int_equal(target->port, 8883);
	assert_int_equal(name_labels(&target->name), 3);
	finds++;
	*out = NULL;
	return 0;
}

struct world {
	uv_loop_t loop;
	struct reaches *t;
};

static void begin(struct world *w)
{
	struct reach_config config = { .loop = &w->loop, .target = { .port = 8883 } };

	finds = 0;
	assert_int_equal(uv_loop_init(&w->loop), 0);
	assert_int_equal(reaches_new(&config, REACHES_USUAL, &w->t, NULL), 0);
}

static void end(struct world *w)
{
	reaches_free(w->t);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w->loop), 0);
}

static struct reach *host(struct world *w, unsigned i)
{
	char text[32];
	struct name name;

	snprintf(text, sizeof(text), "h%u.b.example", i);
	assert_int_equal(name_of(text, &name), 0);
	return reaches_find(w->t, &name);
}

static void told(struct reach_wait *wait, struct reach_found *found)
{
	(void)wait, (void)found;
}

static void one_host_is_one_target_however_it_is_written(void **state)
{
	struct world w;
	struct name name;
	struct reach *first;

	(void)state;
	begin(&w);
	first = host(&w, 1);
	assert_non_null(first);
	assert_ptr_not_equal(host(&w, 2), first);
	assert_int_equal(name_of("H1.B.example.", &name), 0);
	assert_ptr_equal(reaches_find(w.t, &name), first);
	end(&w);
}

static void the_host_that_was_asked_for_the_longest_ago_gives_way(void **state)
{
	struct reach_wait wait = { .done = told };
	struct reach *second;
	struct world w;

	(void)state;
	begin(&w);
	assert_non_null(host(&w, 0));
	second = host(&w, 1);
	reach_ask(second, &wait);
	for (unsigned i = 2; i < 3 * REACHES_USUAL; i++)
		assert_non_null(host(&w, i));
	/* Somebody waits for it. */
	assert_ptr_equal(host(&w, 1), second);
	assert_int_equal(finds, 1);
	reach_forget(&wait);
	end(&w);
}

static void none_is_left_when_all_are_waited_for(void **state)
{
	static struct reach_wait wait[REACHES_USUAL];
	struct world w;

	(void)state;
	begin(&w);
	for (unsigned i = 0; i < REACHES_USUAL; i++) {
		wait[i] = (struct reach_wait){ .done = told };
		reach_ask(host(&w, i), &wait[i]);
	}
	assert_null(host(&w, REACHES_USUAL));
	assert_non_null(host(&w, 0));
	reach_forget(&wait[7]);
	assert_non_null(host(&w, REACHES_USUAL));
	for (unsigned i = 0; i < REACHES_USUAL; i++)
		reach_forget(&wait[i]);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_host_is_one_target_however_it_is_written),
		TEST(the_host_that_was_asked_for_the_longest_ago_gives_way),
		TEST(none_is_left_when_all_are_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
