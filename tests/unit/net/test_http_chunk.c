/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "net/http_chunk.h"

#include <stdio.h>
#include <string.h>

#define MOST 1000

static struct http_chunk chunk;
static struct http_head_refusal refusal;
static uint8_t octets[1 << 16];
static size_t held;

/* One body that comes step octets at a time; what follows it stays in held. */
static enum http_head_verdict of(struct span text, size_t step)
{
	enum http_head_verdict verdict = HTTP_HEAD_MORE;

	chunk = (struct http_chunk){ 0 };
	held = 0;
	for (size_t at = 0; at < text.n && verdict == HTTP_HEAD_MORE; at += step) {
		size_t n = text.n - at < step ? text.n - at : step;
		/* A copy of its own size: a read beyond it is caught. */
		uint8_t *own = malloc(held + n);
		assert_non_null(own);
		memcpy(own, octets, held);
		memcpy(own + held, text.p + at, n);
		held += n;
		verdict = http_chunk_read(&chunk, own, &held, MOST, &refusal);
		assert_true(held >= chunk.body && chunk.body <= MOST);
		memcpy(octets, own, held);
		free(own);
		if (verdict == HTTP_HEAD_MORE)
			assert_true(held - chunk.body < HTTP_CHUNK_LINE_MAX);
	}
	return verdict;
}

static struct span text_of(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

static void reads(const char *text, const char *body, const char *behind)
{
	for (size_t step = 1; step <= strlen(text); step++) {
		assert_int_equal(of(text_of(text), step), HTTP_HEAD_READY);
		assert_int_equal(chunk.body, strlen(body));
		assert_memory_equal(octets, body, strlen(body));
		/* What followed in the same step, or nothing yet. */
		assert_true(held - chunk.body <= strlen(behind));
		assert_memory_equal(octets + chunk.body, behind, held - chunk.body);
	}
	assert_int_equal(held - chunk.body, strlen(behind));
}

static void refuses(const char *text, unsigned status)
{
	for (size_t step = 1; step <= strlen(text); step++) {
		refusal.status = 0;
		if (of(text_of(text), step) != HTTP_HEAD_REFUSED || refusal.status != status)
			fail_msg("'%s' by %zu: %u, want %u", text, step, refusal.status, status);
	}
}

static void puts_chunks_together(void **state)
{
	(void)state;
	reads("5\r\nhello\r\n0\r\n\r\n", "hello", "");
	reads("2\r\nhe\r\n1\r\nl\r\n00000002\r\nlo\r\n000\r\n\r\n", "hello", "");
	reads("A\r\n0\r\n\r\n01234\r\nb\r\n0123456789a\r\n0\r\n\r\n", "0\r\n\r\n012340123456789a",
		"");
	reads("0\r\n\r\n", "", "");
}

static void leaves_what_follows(void **state)
{
	(void)state;
	reads("1\r\na\r\n0\r\n\r\nPOST / HTTP/1.1\r\n", "a", "POST / HTTP/1.1\r\n");
	reads("0\r\n\r\n0\r\n\r\n", "", "0\r\n\r\n");
}

static void waits_for_every_octet(void **state)
{
	static const char text[] = "3;a=\"b\"\r\nabc\r\n0\r\nX: y\r\n\r\n";

	(void)state;
	for (size_t n = 1; n + 1 < sizeof(text); n++)
		for (size_t step = 1; step <= n; step++)
			assert_int_equal(of((struct span){ (const uint8_t *)text, n }, step),
				HTTP_HEAD_MORE);
	reads(text, "abc", "");
}

static void passes_over_extensions_and_trailers(void **state)
{
	(void)state;
	reads("1;a\r\nx\r\n1 ; b = \"c;d\"\t\r\ny\r\n0;e\r\n\r\n", "xy", "");
	reads("1\r\nx\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: gzip\r\nHost: z\r\n\r\n", "x",
		"");
}

static void refuses_a_size_in_doubt(void **state)
{
	(void)state;
	refuses("\r\n", 400);
	refuses("x\r\n", 400);
	refuses("0x1\r\na\r\n", 400);
	refuses("+1\r\na\r\n", 400);
	refuses("-1\r\na\r\n", 400);
	refuses(" 1\r\na\r\n", 400);
	refuses("1 \r\na\r\n", 400);
	refuses("1 1\r\na\r\n", 400);
	refuses("1_0\r\na\r\n", 400);
	refuses(";a\r\n", 400);
	refuses("000000001\r\na\r\n", 400);
	refuses("100000001\r\na\r\n", 400);
	refuses("10000000000000001\r\na\r\n", 400);
	refuses("1\r\nab\r\n", 400);
	refuses("2\r\na\r\n0\r\n\r\n", 400);
	assert_int_equal(of((struct span){ (const uint8_t *)"1\0\r\na\r\n", 7 }, 7),
		HTTP_HEAD_REFUSED);
}

static void refuses_lines_two_readers_may_read_differently(void **state)
{
	(void)state;
	refuses("1\na\r\n0\r\n\r\n", 400);
	refuses("1\r\na\n0\r\n\r\n", 400);
	refuses("1\r\na\r\n0\n\n", 400);
	refuses("1\r\na\r\n0\r\n\n", 400);
	refuses("1\r\r\na\r\n", 400);
	refuses("1;a\nb\r\n0\r\n\r\n", 400);
	refuses("1;a\rb\r\nx\r\n", 400);
	refuses("1\r\na\r\n0\r\nX\r\n\r\n", 400);
	refuses("1\r\na\r\n0\r\nX : y\r\n\r\n", 400);
	refuses("1\r\na\r\n0\r\nX: y\r\n z\r\n\r\n", 400);
	refuses("1\r\na\r\n0\r\nPOST / HTTP/1.1\r\n\r\n", 400);
}

static void bounds_the_body(void **state)
{
	static char text[4 * MOST];
	size_t n = (size_t)sprintf(text, "3e8\r\n");

	(void)state;
	refuses("3e9\r\n", 413);
	refuses("ffffffff\r\n", 413);
	refuses("1\r\na\r\n3e8\r\n", 413);
	refuses("1\r\na\r\nffffffff\r\n", 413);
	memset(text + n, 'x', MOST);
	strcpy(text + n + MOST, "\r\n0\r\n\r\n");
	assert_int_equal(of(text_of(text), sizeof(text)), HTTP_HEAD_READY);
	assert_int_equal(chunk.body, MOST);
	strcpy(text + n + MOST, "\r\n1\r\n");
	assert_int_equal(of(text_of(text), sizeof(text)), HTTP_HEAD_REFUSED);
	assert_int_equal(refusal.status, 413);
}

/* front, then line as often as it takes, never its end: refused within the bound. */
static void refuses_without_end(const char *front, const char *line, size_t within)
{
	static char text[1 << 15];
	size_t n = (size_t)sprintf(text, "%s", front);

	while (n < within)
		n += (size_t)sprintf(text + n, "%s", line);
	for (size_t step = 1; step < n; step += 97) {
		refusal.status = 0;
		assert_int_equal(of((struct span){ (uint8_t *)text, n }, step), HTTP_HEAD_REFUSED);
		assert_int_equal(refusal.status, 431);
	}
}

static void bounds_extensions_and_trailers(void **state)
{
	(void)state;
	refuses_without_end("1;", "a", HTTP_CHUNK_LINE_MAX);
	refuses_without_end("1;a=\"", ";b", HTTP_CHUNK_LINE_MAX);
	refuses_without_end("0\r\nX: ", "y", HTTP_CHUNK_LINE_MAX + 8);
	refuses_without_end("", "1;abcdefghijklmno\r\nx\r\n", HTTP_CHUNK_SPENT_MAX * 22 / 16 + 22);
	refuses_without_end("0\r\n", "X: abcdefghijklm\r\n", HTTP_CHUNK_SPENT_MAX * 18 / 16 + 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(puts_chunks_together),
		TEST(leaves_what_follows),
		TEST(waits_for_every_octet),
		TEST(passes_over_extensions_and_trailers),
		TEST(refuses_a_size_in_doubt),
		TEST(refuses_lines_two_readers_may_read_differently),
		TEST(bounds_the_body),
		TEST(bounds_extensions_and_trailers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
