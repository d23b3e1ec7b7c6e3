/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "net/http_head.h"

#include <stdio.h>
#include <string.h>

#define POST "POST / HTTP/1.1\r\nHost: js\r\n"

static struct http_head head;
static struct http_head_refusal refusal;

static enum http_head_verdict of(const char *text)
{
	return http_head_read((struct span){ (const uint8_t *)text, strlen(text) }, &head,
		&refusal);
}

static bool is(struct span got, const char *want)
{
	return got.n == strlen(want) && memcmp(got.p, want, got.n) == 0;
}

static void refuses(const char *text, unsigned status)
{
	refusal.status = 0;
	if (of(text) != HTTP_HEAD_REFUSED || refusal.status != status)
		fail_msg("'%s': %u, want %u", text, refusal.status, status);
}

static void reads_what_a_server_needs(void **state)
{
	static const char text[] =
		"POST /a?b=c HTTP/1.1\r\nHOST: js\r\nContent-Length:  12 \r\n"
		"content-type:\tapplication/json; charset=utf-8\r\nX: \x80\r\n\r\n{}";

	(void)state;
	assert_int_equal(of(text), HTTP_HEAD_READY);
	assert_true(is(head.method, "POST"));
	assert_true(is(head.path, "/a"));
	assert_true(is(head.content_type, "application/json; charset=utf-8"));
	assert_int_equal(head.body, 12);
	assert_int_equal(head.octets, strlen(text) - 2);
	assert_true(head.keep_alive);
	assert_false(head.expects_continue);
}

static void waits_for_every_octet(void **state)
{
	static const char text[] = "\r\n" POST "Expect: 100-Continue\r\n\r\n";

	(void)state;
	for (size_t n = 0; n + 1 < sizeof(text); n++)
		assert_int_equal(
			http_head_read((struct span){ (const uint8_t *)text, n }, &head, &refusal),
			HTTP_HEAD_MORE);
	assert_int_equal(of(text), HTTP_HEAD_READY);
	assert_int_equal(head.octets, strlen(text));
	assert_true(head.expects_continue);
	assert_int_equal(head.body, 0);
}

static void knows_when_a_connection_ends(void **state)
{
	static const struct {
		const char *text;
		bool stays;
	} all[] = {
		{ POST "Connection: close\r\n\r\n", false },
		{ POST "Connection: upgrade, Close\r\n\r\n", false },
		{ POST "Connection: closed\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(of(all[i].text), HTTP_HEAD_READY);
		assert_int_equal(head.keep_alive, all[i].stays);
	}
}

static void reads_an_absolute_target(void **state)
{
	(void)state;
	assert_int_equal(of("GET http://js:80/x?y HTTP/1.1\r\nHost: js\r\n\r\n"), HTTP_HEAD_READY);
	assert_true(is(head.path, "/x"));
	assert_int_equal(of("GET HTTPS://js HTTP/1.1\r\nHost: js\r\n\r\n"), HTTP_HEAD_READY);
	assert_true(is(head.path, "/"));
	assert_int_equal(of("GET http://js/ HTTP/1.1\r\nHost: js\r\n\r\n"), HTTP_HEAD_READY);
	assert_true(is(head.path, "/"));
}

static void refuses_a_length_in_doubt(void **state)
{
	(void)state;
	refuses(POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400);
	refuses(POST "Content-Length: 1, 1\r\n\r\n", 400);
	refuses(POST "Content-Length: +1\r\n\r\n", 400);
	refuses(POST "Content-Length: 0x1\r\n\r\n", 400);
	refuses(POST "Content-Length:\r\n\r\n", 400);
	refuses(POST "Content-Length: 99999999999999999999\r\n\r\n", 400);
}

static void reads_that_a_body_is_chunked(void **state)
{
	(void)state;
	assert_int_equal(of(POST "Transfer-Encoding: Chunked\r\n\r\n5"), HTTP_HEAD_READY);
	assert_true(head.chunked);
	assert_int_equal(head.body, 0);
	assert_int_equal(of(POST "Content-Length: 1\r\n\r\n"), HTTP_HEAD_READY);
	assert_false(head.chunked);
}

static void refuses_a_coding_in_doubt(void **state)
{
	(void)state;
	refuses(POST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400);
	refuses(POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
	refuses(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
	refuses(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 400);
	refuses(POST "Transfer-Encoding:\r\n chunked\r\n\r\n", 400);
	refuses(POST "Transfer-Encoding : chunked\r\n\r\n", 400);
	refuses(POST "Transfer-Encoding: \x0b"
		     "chunked\r\n\r\n",
		400);
	refuses(POST "Transfer-Encoding: chunked, gzip\r\n\r\n", 400);
	refuses(POST "Transfer-Encoding: xchunked\r\n\r\n", 400);
	refuses(POST "Transfer-Encoding: identity\r\n\r\n", 400);
	refuses(POST "Transfer-Encoding:\r\n\r\n", 400);
	refuses(POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501);
	refuses(POST "Transfer-Encoding: chunked, chunked\r\n\r\n", 501);
	refuses("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
}

static void refuses_lines_two_readers_may_read_differently(void **state)
{
	(void)state;
	refuses("POST / HTTP/1.1\nHost: js\n\n", 400);
	refuses(POST "A: b\n\r\n", 400);
	refuses(POST "A: b\rC: d\r\n\r\n", 400);
	refuses(POST "A: b\r\n c\r\n\r\n", 400);
	refuses(POST "Content-Length : 1\r\n\r\n", 400);
	refuses(POST ": 1\r\n\r\n", 400);
	refuses(POST "A\r\n\r\n", 400);
	refuses("POST / HTTP/1.1\r\n\r\n", 400);
	refuses(POST "Host: as\r\n\r\n", 400);
	refuses("\r\n\r\n" POST "\r\n", 400);
}

static void refuses_what_is_no_request(void **state)
{
	(void)state;
	refuses("POST  / HTTP/1.1\r\nHost: js\r\n\r\n", 400);
	refuses("PO(ST / HTTP/1.1\r\nHost: js\r\n\r\n", 400);
	refuses("POST js HTTP/1.1\r\nHost: js\r\n\r\n", 400);
	refuses("POST /\r\nHost: js\r\n\r\n", 400);
	refuses("POST / HTTP/1.1 \r\nHost: js\r\n\r\n", 400);
	refuses("POST / http/1.1\r\nHost: js\r\n\r\n", 400);
	refuses("POST / HTTP/2.0\r\nHost: js\r\n\r\n", 505);
	refuses("ABCDEFGHIJKLMNOP / HTTP/1.1\r\nHost: js\r\n\r\n", 400);
	refuses(POST "Expect: gold\r\n\r\n", 417);
	refuses("\x16\x03\x01\x02\n", 400);
}

static void bounds_fields_and_octets(void **state)
{
	static char text[HTTP_HEAD_OCTETS_MAX + 64];
	size_t n = (size_t)sprintf(text, POST);

	(void)state;
	for (unsigned i = 0; i < HTTP_HEAD_FIELDS_MAX; i++)
		n += (size_t)sprintf(text + n, "A: b\r\n");
	strcpy(text + n, "\r\n");
	refuses(text, 431);
	strcpy(text + n - 6, "\r\n");
	assert_int_equal(of(text), HTTP_HEAD_READY);
	n = (size_t)sprintf(text, POST "A: ");
	memset(text + n, 'x', HTTP_HEAD_OCTETS_MAX - n);
	text[HTTP_HEAD_OCTETS_MAX - 1] = 0;
	assert_int_equal(of(text), HTTP_HEAD_MORE);
	text[HTTP_HEAD_OCTETS_MAX - 1] = 'x';
	text[HTTP_HEAD_OCTETS_MAX] = 0;
	refuses(text, 431);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_a_server_needs),
		cmocka_unit_test(waits_for_every_octet),
		cmocka_unit_test(knows_when_a_connection_ends),
		cmocka_unit_test(reads_an_absolute_target),
		cmocka_unit_test(refuses_a_length_in_doubt),
		cmocka_unit_test(reads_that_a_body_is_chunked),
		cmocka_unit_test(refuses_a_coding_in_doubt),
		cmocka_unit_test(refuses_lines_two_readers_may_read_differently),
		cmocka_unit_test(refuses_what_is_no_request),
		cmocka_unit_test(bounds_fields_and_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
