/* SPDX-License-Identifier: Apache-2.0 */
/* How often the loop tells of a link: uv_poll_start is the test's (--wrap), and counts. Each step
 * here takes longer than a turn may, so that a turn has one and the other links wait. */
#include "check.h"

#include <sys/socket.h>
#include <unistd.h>

#include "net/link.h"

#define LINKS   60
#define STEP_NS 1000000

static struct {
	uv_loop_t loop;
	struct links *links;
	int peer[LINKS];
	unsigned opened, heard, told;
	bool at_open; /* a step is long; else the input is */
} t;

static uv_poll_cb told_to;

static void tell(uv_poll_t *poll, int status, int events)
{
	t.told++;
	told_to(poll, status, events);
}

int __real_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb cb);
int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb cb);

int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb cb)
{
	told_to = cb;
	return __real_uv_poll_start(poll, events, tell);
}

static void take_a_turn(void)
{
	uint64_t until = uv_hrtime() + STEP_NS;

	while (uv_hrtime() < until)
		;
}

static bool opened(void *arg, struct link *l)
{
	(void)arg, (void)l;
	t.opened++;
	if (t.at_open)
		take_a_turn();
	return true;
}

static bool heard(void *arg, struct link *l, struct span octets)
{
	(void)arg, (void)l;
	t.heard += (unsigned)octets.n;
	if (!t.at_open)
		take_a_turn();
	return true;
}

static void ended(void *arg, struct link *l)
{
	(void)arg, (void)l;
	fail_msg("nobody ends");
}

static void gone(void *arg, struct link *l, const char *why)
{
	(void)arg, (void)l, (void)why;
}

/* The links are plain; with at_once they are open before the peer says anything. */
static void begin(bool at_once)
{
	const struct links_config config = { .loop = &t.loop,
		.links_max = LINKS,
		.half_open_max = LINKS,
		.per_source_max = LINKS,
		.handshake_timeout_ms = 60000,
		.open = opened,
		.input = heard,
		.ended = at_once ? ended : NULL,
		.gone = gone };
	const struct sockaddr unix_socket = { .sa_family = AF_UNIX };

	t.opened = t.heard = t.told = 0;
	t.at_open = !at_once;
	assert_int_equal(uv_loop_init(&t.loop), 0);
	assert_int_equal(link_table_new(&config, &t.links, NULL), 0);
	for (unsigned i = 0; i < LINKS; i++) {
		int fd[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
		t.peer[i] = fd[1];
		link_accept(t.links, fd[0], &unix_socket);
	}
}

static void all_say_an_octet(void)
{
	for (unsigned i = 0; i < LINKS; i++)
		assert_int_equal(send(t.peer[i], "x", 1, 0), 1);
	while (t.heard < LINKS)
		uv_run(&t.loop, UV_RUN_NOWAIT);
}

static void end(void)
{
	link_table_close(t.links, NULL, NULL);
	uv_run(&t.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&t.loop), 0);
	for (unsigned i = 0; i < LINKS; i++)
		close(t.peer[i]);
}

/* When it comes, and once more while it waits: not in each turn until then. */
static void who_waits_for_a_step_is_told_of_twice_and_no_more(void **state)
{
	(void)state;
	begin(false);
	all_say_an_octet();
	assert_int_equal(t.opened, LINKS);
	assert_in_range(t.told, LINKS, 2 * LINKS);
	end();
}

static void who_waits_for_its_share_is_told_of_twice_and_no_more(void **state)
{
	(void)state;
	begin(true);
	assert_int_equal(t.opened, LINKS);
	all_say_an_octet();
	assert_in_range(t.told, LINKS, 2 * LINKS);
	/* They are asked about again. */
	t.heard = t.told = 0;
	all_say_an_octet();
	assert_in_range(t.told, LINKS, 2 * LINKS);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_waits_for_a_step_is_told_of_twice_and_no_more),
		TEST(who_waits_for_its_share_is_told_of_twice_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
