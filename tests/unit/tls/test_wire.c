/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "tls/wire.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LARGE (1 << 20)

static struct wire wire;
static BIO *bio;
static int ours, peer;
static struct buf room;

static void open_with(int type)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
	bio = wire_new(&wire, fd[0]);
	assert_non_null(bio);
	ours = fd[0];
	peer = fd[1];
}

static void close_all(void)
{
	wire_forget(&wire);
	BIO_free(bio);
	buf_done(&room);
	close(ours);
	close(peer);
}

static void say(const char *words)
{
	assert_int_equal(BIO_write(bio, words, (int)strlen(words)), (int)strlen(words));
}

static void hear(const char *words)
{
	char heard[64] = "";

	assert_int_equal(recv(peer, heard, sizeof heard - 1, 0), (int)strlen(words));
	assert_string_equal(heard, words);
}

/* More than the socket takes, each octet told from its neighbours. */
static void say_much(void)
{
	static uint8_t octets[LARGE];

	for (size_t i = 0; i < LARGE; i++)
		octets[i] = (uint8_t)(i % 251);
	wire_gather(&wire, &room);
	assert_int_equal(BIO_write(bio, octets, LARGE), LARGE);
	assert_true(wire_send(&wire));
	assert_true(wire_unsent(&wire) > 0);
}

static void what_is_gathered_leaves_in_one_piece(void **state)
{
	(void)state;
	open_with(SOCK_SEQPACKET);
	say("a");
	wire_gather(&wire, &room);
	say("b");
	say("c");
	assert_true(wire_send(&wire));
	say("d");
	hear("a");
	hear("bc");
	hear("d");
	assert_int_equal(wire_unsent(&wire), 0);
	close_all();
}

static void what_the_socket_does_not_take_is_kept_in_order(void **state)
{
	static uint8_t octets[1 << 16];
	size_t heard = 0;

	(void)state;
	open_with(SOCK_STREAM);
	say_much();
	wire_gather(&wire, &room);
	say("end");
	assert_true(wire_send(&wire));
	while (heard < LARGE + 3) {
		ssize_t n = recv(peer, octets, sizeof octets, 0);

		assert_true(n > 0);
		for (size_t i = 0; i < (size_t)n; i++, heard++)
			assert_int_equal(octets[i],
				heard < LARGE ? heard % 251 : (size_t) "end"[heard - LARGE]);
		assert_true(wire_flush(&wire));
	}
	assert_int_equal(wire_unsent(&wire), 0);
	assert_null(wire.kept.p);
	close_all();
}

static void nothing_overtakes_what_is_kept(void **state)
{
	(void)state;
	open_with(SOCK_STREAM);
	say_much();
	assert_int_equal(BIO_write(bio, "x", 1), -1);
	assert_true(BIO_should_retry(bio));
	close_all();
}

static void after_what_was_forgotten_nothing_is_said(void **state)
{
	(void)state;
	open_with(SOCK_SEQPACKET);
	wire_forget(&wire);
	say("still");
	wire_gather(&wire, &room);
	say("kept");
	buf_put(&wire.kept, bytes("kept"));
	assert_true(wire_unsent(&wire) > 0);
	wire_forget(&wire);
	assert_int_equal(wire_unsent(&wire), 0);
	assert_false(wire_send(&wire));
	assert_int_equal(BIO_write(bio, "x", 1), -1);
	assert_false(BIO_should_retry(bio));
	close_all();
}

static void a_connection_that_broke_is_told_of(void **state)
{
	(void)state;
	open_with(SOCK_STREAM);
	say_much();
	shutdown(peer, SHUT_RD);
	assert_false(wire_flush(&wire));
	wire_gather(&wire, &room);
	say("x");
	/* Behind what is kept it is not even tried. */
	assert_true(wire_send(&wire));
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_gathered_leaves_in_one_piece),
		TEST(what_the_socket_does_not_take_is_kept_in_order),
		TEST(nothing_overtakes_what_is_kept),
		TEST(after_what_was_forgotten_nothing_is_said),
		TEST(a_connection_that_broke_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
