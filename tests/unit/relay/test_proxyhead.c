/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "relay/proxyhead.h"

#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static const uint8_t spki[32] = { 0xaa, 0xbb };

static void expect(struct span got, struct span want)
{
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.p, want.p, want.n);
}

static struct proxyhead full(void)
{
	return (struct proxyhead){ .family = PROXYHEAD_IPV4,
		.from = { { 192, 0, 2, 1 }, 4660 },
		.to = { { 192, 0, 2, 2 }, 443 },
		.alpn = bytes("h2"),
		.server_name = bytes("b.example"),
		.tls = true,
		.version = bytes("TLSv1.3"),
		.cipher = bytes("TLS_AES_128_GCM_SHA256"),
		.name = bytes("a.example"),
		.certificate = bytes("\x30\0"),
		.has_dane = true,
		.dane = { .how = PROXYHEAD_BY_DANE,
			.usage = 3,
			.selector = 1,
			.matching = 1,
			.spki_sha256 = { spki, sizeof(spki) },
			.name = bytes("a.example") } };
}

/* Octet by octet, as the specification lays it out. */
static void writes_what_the_specification_says(void **state)
{
	static const char text[] = SIGNATURE "\x21\x11\0\x44"
					     "\xc0\0\2\1\xc0\0\2\2\x12\x34\1\xbb"
					     "\1\0\2h2"
					     "\2\0\x09"
					     "b.example"
					     "\x20\0\x24"
					     "\7\0\0\0\0"
					     "\x21\0\7TLSv1.3"
					     "\x22\0\x0d"
					     "b.a.example.x"
					     "\x28\0\2\x30\0";
	struct proxyhead h = full();
	uint8_t out[PROXYHEAD_MAX];
	size_t n = 0;

	(void)state;
	h.has_dane = false;
	h.cipher = (struct span){ 0 };
	h.name = bytes("b.a.example.x");
	assert_int_equal(proxyhead_write(&h, out, sizeof(out), &n), 0);
	expect((struct span){ out, n }, (struct span){ (const uint8_t *)text, sizeof(text) - 1 });
}

static void reads_back_what_it_wrote(void **state)
{
	struct proxyhead h = full(), got;
	uint8_t out[PROXYHEAD_MAX];
	size_t n = 0, read = 0;

	(void)state;
	h.resumed = true;
	h.verify = 0x01020304;
	assert_int_equal(proxyhead_write(&h, out, sizeof(out), &n), 0);
	assert_int_equal(proxyhead_read((struct span){ out, n }, &got, &read), 0);
	assert_int_equal(read, n);
	assert_int_equal(got.family, PROXYHEAD_IPV4);
	assert_memory_equal(got.from.address, h.from.address, 4);
	assert_int_equal(got.to.port, 443);
	assert_true(got.tls && got.resumed && got.has_dane && !got.local);
	assert_int_equal(got.verify, h.verify);
	expect(got.version, h.version);
	expect(got.cipher, h.cipher);
	expect(got.name, h.name);
	expect(got.certificate, h.certificate);
	expect(got.alpn, h.alpn);
	expect(got.server_name, h.server_name);
	assert_int_equal(got.dane.how, PROXYHEAD_BY_DANE);
	assert_int_equal(got.dane.usage, 3);
	expect(got.dane.spki_sha256, h.dane.spki_sha256);
	expect(got.dane.name, h.dane.name);
}

static void asks_for_more_until_it_is_whole(void **state)
{
	struct proxyhead h = full(), got;
	uint8_t out[PROXYHEAD_MAX];
	size_t n = 0, read = 1;

	(void)state;
	h.family = PROXYHEAD_IPV6;
	assert_int_equal(proxyhead_write(&h, out, sizeof(out), &n), 0);
	for (size_t i = 0; i < n; i++) {
		read = 1;
		assert_int_equal(proxyhead_read((struct span){ out, i }, &got, &read), 0);
		assert_int_equal(read, 0);
	}
	/* What follows is not the header's. */
	out[n] = 0xff;
	assert_int_equal(proxyhead_read((struct span){ out, n + 1 }, &got, &read), 0);
	assert_int_equal(read, n);
}

static void what_the_proxy_says_for_itself_is_skipped(void **state)
{
	struct proxyhead got;
	size_t n = 0;

	(void)state;
	assert_int_equal(proxyhead_read(bytes(SIGNATURE "\x20\0\0\3xyz"), &got, &n), 0);
	assert_int_equal(n, 19);
	assert_true(got.local && !got.tls);
	assert_int_equal(proxyhead_read(bytes(SIGNATURE "\x20\x11\0\0"), &got, &n), 0);
	assert_true(got.local && got.family == PROXYHEAD_UNKNOWN);
}

static void refuses_what_two_readers_may_read_differently(void **state)
{
	static const struct {
		const char *p;
		size_t n;
	} bad[] = {
#define BAD(text) { text, sizeof(text) - 1 }
		BAD("GET / HTTP/1.1\r\n\r\n"), BAD("\r\n\r\n\0\r\nQUIX"),
		BAD(SIGNATURE "\x11\x11\0\0"), /* version 1 */
		BAD(SIGNATURE "\x22\x11\0\0"), /* command 2 */
		BAD(SIGNATURE "\x21\x12\0\0"), /* UDP */
		BAD(SIGNATURE "\x21\x11\0\x0b"
			      "12345678901"), /* addresses cut short */
		BAD(SIGNATURE "\x21\0\0\4"
			      "\x04\0\2x"), /* beyond its end */
		BAD(SIGNATURE "\x21\0\0\2"
			      "\x04\0"), /* half a TLV */
		BAD(SIGNATURE "\x21\0\0\x07"
			      "\x20\0\4\1\0\0\0"), /* TLS cut short */
		BAD(SIGNATURE "\x21\0\0\x10"
			      "\x20\0\5\1\0\0\0\0"
			      "\x20\0\5\1\0\0\0\0"),
		BAD(SIGNATURE "\x21\0\0\x10"
			      "\x20\0\x0d\1\0\0\0\0\x22\0\1x\x22\0\1y"),
		BAD(SIGNATURE "\x21\0\0\x08"
			      "\2\0\1x\2\0\1y"), /* two server names */
		BAD(SIGNATURE "\x21\0\0\x08"
			      "\xe5\0\5\1\1\3\1\1"), /* no key */
#undef BAD
	};
	struct proxyhead got;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
			proxyhead_read((struct span){ (const uint8_t *)bad[i].p, bad[i].n }, &got,
				&n),
			ERR_FORMAT);
}

static void says_when_there_is_no_room(void **state)
{
	struct proxyhead h = full();
	static uint8_t large[70000], certificate[67000];
	uint8_t out[PROXYHEAD_MAX];
	size_t n = 0, whole;

	(void)state;
	assert_int_equal(proxyhead_write(&h, out, sizeof(out), &whole), 0);
	for (size_t cap = 0; cap < whole; cap++)
		assert_int_equal(proxyhead_write(&h, out, cap, &n), ERR_SPACE);
	/* Nor in a length of two octets. */
	h.certificate = (struct span){ certificate, sizeof(certificate) };
	assert_int_equal(proxyhead_write(&h, large, sizeof(large), &n), ERR_SPACE);
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_what_the_specification_says),
		TEST(reads_back_what_it_wrote),
		TEST(asks_for_more_until_it_is_whole),
		TEST(what_the_proxy_says_for_itself_is_skipped),
		TEST(refuses_what_two_readers_may_read_differently),
		TEST(says_when_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
