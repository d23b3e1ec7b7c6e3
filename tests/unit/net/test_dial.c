/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/dial.h"
#include "net/listen.h"
#include "net/loop.h"

static uv_loop_t loop;
static struct {
	bool done;
	int fd;
	unsigned index;
	char why[80];
} got;

static void done(void *arg, int fd, unsigned index, const char *why)
{
	assert_false(got.done);
	got.done = true;
	got.fd = fd;
	got.index = index;
	snprintf(got.why, sizeof(got.why), "%s", why);
	assert_ptr_equal(arg, &got);
}

static union dial_address of(const char *text)
{
	union dial_address a;

	assert_int_equal(dial_read_address(text, &a, NULL), 0);
	return a;
}

static union dial_address of_port(uint16_t port)
{
	char text[32];

	snprintf(text, sizeof(text), "127.0.0.1:%u", port);
	return of(text);
}

/* A port that nobody listens on, and stays so while it is held. */
static int nobody(uint16_t *port)
{
	union dial_address a = of("127.0.0.1:0");
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, &a.any, dial_octets(&a)), 0);
	*port = listen_port_of(fd);
	return fd;
}

static void dial(const struct dial_list *list, unsigned first)
{
	const struct dial_config c = { .loop = &loop,
		.list = list,
		.first = first,
		.timeout_ms = 20000,
		.done = done,
		.arg = &got };
	struct dial *d;

	memset(&got, 0, sizeof(got));
	assert_int_equal(dial_new(&c, &d, NULL), 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_true(got.done);
}

static void goes_on_to_the_first_address_that_answers(void **state)
{
	struct dial_list list = { .count = 6 };
	int server, closed;
	uint16_t port;

	(void)state;
	closed = nobody(&port);
	assert_int_equal(listen_open("127.0.0.1:0", false, &server, NULL), 0);
	for (unsigned i = 0; i < 6; i++)
		list.address[i] = of_port(port);
	list.address[5] = of_port(listen_port_of(server));
	dial(&list, 0);
	assert_true(got.fd >= 0);
	assert_int_equal(got.index, 5);
	close(got.fd);
	/* Those before the first are passed over. */
	list.address[0] = list.address[5];
	dial(&list, 1);
	assert_int_equal(got.index, 5);
	close(got.fd);
	close(server);
	close(closed);
}

static void says_why_when_none_does(void **state)
{
	struct dial_list list = { .count = 6 };
	uint16_t port;
	int closed;

	(void)state;
	closed = nobody(&port);
	for (unsigned i = 0; i < 6; i++)
		list.address[i] = of_port(port);
	dial(&list, 0);
	assert_int_equal(got.fd, -1);
	assert_string_equal(got.why, "Connection refused");
	dial(&list, 6);
	assert_int_equal(got.fd, -1);
	assert_string_equal(got.why, "no address");
	close(closed);
}

static void gives_up_when_the_time_is_over(void **state)
{
	/* Its backlog is full: a SYN more is not answered. */
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), held[2];
	union dial_address a = of("127.0.0.1:0");
	struct dial_list list = { .count = 2 };
	const struct dial_config c = { .loop = &loop,
		.list = &list,
		.timeout_ms = 300,
		.done = done,
		.arg = &got };
	struct dial *d;

	(void)state;
	assert_int_equal(bind(server, &a.any, dial_octets(&a)), 0);
	assert_int_equal(listen(server, 0), 0);
	list.address[0] = list.address[1] = of_port(listen_port_of(server));
	for (unsigned i = 0; i < 2; i++) {
		held[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(held[i], &list.address[0].any, dial_octets(&list.address[0]));
	}
	memset(&got, 0, sizeof(got));
	assert_int_equal(dial_new(&c, &d, NULL), 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(got.fd, -1);
	assert_string_equal(got.why, "no address answered in time");
	for (unsigned i = 0; i < 2; i++)
		close(held[i]);
	close(server);
}

static void may_be_given_up_at_any_time(void **state)
{
	struct dial_list list = { .count = 1 };
	const struct dial_config c = { .loop = &loop,
		.list = &list,
		.timeout_ms = 20000,
		.done = done,
		.arg = &got };
	struct dial *d;
	int server;

	(void)state;
	assert_int_equal(listen_open("127.0.0.1:0", false, &server, NULL), 0);
	list.address[0] = of_port(listen_port_of(server));
	memset(&got, 0, sizeof(got));
	assert_int_equal(dial_new(&c, &d, NULL), 0);
	dial_free(d);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_true(!d || !got.done);
	if (got.done)
		close(got.fd);
	close(server);
}

static void families_take_turns_six_first(void **state)
{
	static struct service s = { .refs = 1, .count = 2 };
	static const uint8_t four[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 }, six[16] = { 0x20, 1 };
	struct dial_list list;

	(void)state;
	s.endpoint[0].proof = SERVICE_REFUSED;
	s.endpoint[0].address_count = 1;
	s.endpoint[1].proof = SERVICE_BY_DANE;
	s.endpoint[1].port = 443;
	s.endpoint[1].address_count = 5;
	for (unsigned i = 0; i < 5; i++)
		memcpy(s.endpoint[1].address[i], i < 3 ? four : six, 16);
	dial_list_of(&s, &list);
	assert_int_equal(list.count, 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(list.endpoint[i], 1);
		assert_int_equal(list.address[i].any.sa_family,
			i == 0 || i == 2 ? AF_INET6 : AF_INET);
	}
	assert_int_equal(list.address[0].in6.sin6_port, htons(443));
	assert_memory_equal(&list.address[1].in4.sin_addr, four + 12, 4);
}

static void reads_addresses_and_paths(void **state)
{
	union dial_address a = of("unix:/run/x.sock");

	(void)state;
	assert_int_equal(a.any.sa_family, AF_UNIX);
	assert_string_equal(a.un.sun_path, "/run/x.sock");
	assert_int_equal(of("[::1]:80").any.sa_family, AF_INET6);
	assert_int_equal(dial_read_address("unix:x", &a, NULL), ERR_FORMAT);
	assert_int_equal(dial_read_address("host.example:80", &a, NULL), ERR_FORMAT);
}

static int start(void **state)
{
	(void)state;
	return uv_loop_init(&loop);
}

static int stop(void **state)
{
	(void)state;
	return loop_close(&loop, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(goes_on_to_the_first_address_that_answers),
		TEST(says_why_when_none_does),
		TEST(gives_up_when_the_time_is_over),
		TEST(may_be_given_up_at_any_time),
		TEST(families_take_turns_six_first),
		TEST(reads_addresses_and_paths),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
