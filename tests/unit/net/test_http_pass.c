/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "net/http_pass.h"

#include <string.h>

#define OURS "X-Sardane-Name: proved\r\n"
#define HOST "Host: b\r\n"

static bool is_ours(struct span name)
{
	return name.n > 3 && http_head_is_word((struct span){ name.p, 4 }, "x-sa");
}

static const struct http_pass_config config = { 512, is_ours };
static struct http_head_refusal refusal;
static struct http_pass *pass;
static struct buf went;

static struct span text_of(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

static void begin(void)
{
	http_pass_free(pass);
	pass = http_pass_new(&config, text_of(OURS));
	assert_non_null(pass);
	went.n = 0;
}

static enum http_head_verdict forth(struct span octets)
{
	enum http_head_verdict verdict;
	struct buf out = { 0 };
	struct span go = { 0 };

	verdict = http_pass_forth(pass, octets, &out, &go, &refusal);
	buf_put(&went, go);
	buf_done(&out);
	return verdict;
}

/* All of a connection, step octets at a time, each step of its own size; what went is in went. */
static enum http_head_verdict all(const char *text, size_t step)
{
	enum http_head_verdict verdict = HTTP_HEAD_READY;
	size_t n = strlen(text);

	begin();
	for (size_t at = 0; at < n && verdict != HTTP_HEAD_REFUSED; at += step) {
		size_t some = n - at < step ? n - at : step;
		uint8_t *own = malloc(some);

		assert_non_null(own);
		memcpy(own, text + at, some);
		verdict = forth((struct span){ own, some });
		free(own);
	}
	return verdict;
}

static void passes(const char *text, const char *as)
{
	for (size_t step = 1; step <= strlen(text); step++) {
		assert_int_not_equal(all(text, step), HTTP_HEAD_REFUSED);
		assert_string_equal(buf_string(&went), as);
	}
}

static void refuses(const char *text, unsigned status, const char *as)
{
	for (size_t step = 1; step <= strlen(text); step++) {
		assert_int_equal(all(text, step), HTTP_HEAD_REFUSED);
		assert_int_equal(refusal.status, status);
		assert_string_equal(buf_string(&went), as);
		/* And for ever. */
		assert_int_equal(forth(text_of("GET / HTTP/1.1\r\n" HOST "\r\n")), HTTP_HEAD_READY);
		assert_string_equal(buf_string(&went), as);
	}
}

static void each_request_is_told_who_sent_it(void **state)
{
	(void)state;
	passes("GET /a HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "\r\n",
		"GET /a HTTP/1.1\r\n" HOST OURS "\r\nGET /b HTTP/1.1\r\n" HOST OURS "\r\n");
	passes("POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n" HOST
	       "\r\n",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n" OURS
		"\r\nabcGET / HTTP/1.1\r\n" HOST OURS "\r\n");
}

static void a_field_of_ours_from_the_client_is_taken_out(void **state)
{
	(void)state;
	passes("GET / HTTP/1.1\r\nX-Sardane-Name: me\r\n" HOST
	       "x-SARDANE_name:me\r\nX-Other: 1\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "X-Other: 1\r\n" OURS "\r\n");
}

static void what_connection_names_stays_and_is_not_named(void **state)
{
	(void)state;
	passes("GET / HTTP/1.1\r\n" HOST
	       "Connection: X-Sardane-Name, keep-alive\r\nTE: trailers\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\n" OURS "\r\n");
}

static void chunks_are_written_anew(void **state)
{
	(void)state;
	begin();
	(void)forth(text_of("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
			    "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Sardane-Name: me\r\n\r\n"));
	assert_string_equal(buf_string(&went),
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n" OURS
		"\r\n5\r\nabcde\r\n0\r\n\r\n");
	/* Octet by octet nothing is lost, and the request behind it is seen. */
	assert_int_equal(all("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
			     "2\r\nab\r\n0\r\nT: 1\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
				 1),
		HTTP_HEAD_READY);
	assert_string_equal(buf_string(&went),
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n" OURS
		"\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\nGET / HTTP/1.1\r\n" HOST OURS "\r\n");
}

static void a_large_body_is_not_kept(void **state)
{
	static uint8_t octets[100000];
	struct buf out = { 0 };
	struct span go;

	(void)state;
	begin();
	(void)forth(text_of("POST / HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\n"));
	for (int i = 0; i < 10; i++) {
		assert_int_equal(http_pass_forth(pass, (struct span){ octets, sizeof(octets) },
					 &out, &go, &refusal),
			HTTP_HEAD_READY);
		/* Not even copied. */
		assert_ptr_equal(go.p, octets);
		assert_int_equal(go.n, sizeof(octets));
	}
	assert_null(out.p);
	went.n = 0;
	assert_int_equal(forth(text_of("GET / HTTP/1.1\r\n" HOST "\r\n")), HTTP_HEAD_READY);
	assert_string_equal(buf_string(&went), "GET / HTTP/1.1\r\n" HOST OURS "\r\n");
}

static void what_can_be_read_two_ways_does_not_go_on(void **state)
{
	(void)state;
	refuses("POST / HTTP/1.1\r\n" HOST
		"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
		400, "");
	refuses("POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400,
		"");
	refuses("POST / HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\n", 400, "");
	refuses("GET / HTTP/1.1\n" HOST "\n", 400, "");
	refuses("GET / HTTP/1.1\r\n" HOST "X: 1\r\n X-Sardane-Name: me\r\n\r\n", 400, "");
	refuses("GET / HTTP/1.1\r\n" HOST "X-Sardane-Name : me\r\n\r\n", 400, "");
	refuses("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n", 400, "");
	refuses("PRI * HTTP/2.0\r\n\r\n", 400, "");
}

static void what_went_before_a_refusal_is_whole(void **state)
{
	(void)state;
	refuses("GET /a HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\n\n", 400,
		"GET /a HTTP/1.1\r\n" HOST OURS "\r\n");
	refuses("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400,
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n" OURS "\r\n");
}

static void a_head_is_bounded(void **state)
{
	char text[1024] = "GET / HTTP/1.1\r\n" HOST "X: ";

	(void)state;
	memset(text + strlen(text), 'x', 600);
	strcat(text, "\r\n\r\n");
	assert_int_equal(all(text, sizeof(text)), HTTP_HEAD_REFUSED);
	assert_int_equal(refusal.status, 431);
	assert_int_equal(all(text, 7), HTTP_HEAD_REFUSED);
	assert_int_equal(refusal.status, 431);
}

static void after_close_nothing_is_a_request(void **state)
{
	(void)state;
	passes("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\nGET /b HTTP/1.1\r\n" HOST "\r\n",
		"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n" OURS "\r\n");
	passes("GET / HTTP/1.0\r\n\r\nGET /b HTTP/1.1\r\n" HOST "\r\n",
		"GET / HTTP/1.0\r\n" OURS "\r\n");
}

#define ASK \
	"GET /ws HTTP/1.1\r\n" HOST "Upgrade: WebSocket\r\nConnection: Upgrade, keep-alive\r\n\r\n"
#define ASKED \
	"GET /ws HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: websocket\r\n" OURS "\r\n"

static void answer(const char *text, size_t step, bool known)
{
	bool got = false;

	for (size_t at = 0; at < strlen(text) && !got; at += step)
		got = http_pass_back(pass,
			(struct span){ (const uint8_t *)text + at,
				strlen(text) - at < step ? strlen(text) - at : step });
	assert_int_equal(got, known);
}

static void after_101_octets_are_octets(void **state)
{
	static const char yes[] =
		"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 101 Switching\r\n\r\n";

	(void)state;
	for (size_t step = 1; step < sizeof(yes); step++) {
		begin();
		assert_int_equal(forth(text_of(ASK)), HTTP_HEAD_READY);
		assert_true(http_pass_waits(pass));
		assert_int_equal(forth(text_of("raw\n")), HTTP_HEAD_MORE);
		assert_string_equal(buf_string(&went), ASKED);
		answer(yes, step, true);
		assert_int_equal(forth((struct span){ 0 }), HTTP_HEAD_READY);
		assert_int_equal(forth(text_of("X-Sardane: \n")), HTTP_HEAD_READY);
		assert_string_equal(buf_string(&went), ASKED "raw\nX-Sardane: \n");
	}
}

static void without_101_what_follows_is_a_request(void **state)
{
	static const char no[] =
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 426 Upgrade Required\r\n\r\n";

	(void)state;
	for (size_t step = 1; step < sizeof(no); step++) {
		begin();
		(void)forth(text_of(ASK "GET / HTTP/1.1\r\nX-Sardane-Name: me\r\n" HOST "\r\n"));
		assert_string_equal(buf_string(&went), ASKED);
		answer(no, step, true);
		assert_int_equal(forth((struct span){ 0 }), HTTP_HEAD_READY);
		assert_string_equal(buf_string(&went), ASKED "GET / HTTP/1.1\r\n" HOST OURS "\r\n");
	}
}

static void an_upgrade_is_for_websocket_and_for_the_first_request(void **state)
{
	(void)state;
	passes("GET / HTTP/1.1\r\n" HOST
	       "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST OURS "\r\n");
	begin();
	(void)forth(text_of("GET / HTTP/1.1\r\n" HOST "\r\n" ASK));
	assert_false(http_pass_waits(pass));
	begin();
	(void)forth(
		text_of("GET /ws HTTP/1.1\r\n" HOST
			"Content-Length: 1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nx"));
	assert_false(http_pass_waits(pass));
}

static void what_waits_for_an_upgrade_is_bounded(void **state)
{
	static uint8_t octets[HTTP_PASS_HELD_MAX];

	(void)state;
	begin();
	(void)forth(text_of(ASK));
	assert_int_equal(forth((struct span){ octets, sizeof(octets) }), HTTP_HEAD_MORE);
	assert_int_equal(forth((struct span){ octets, 1 }), HTTP_HEAD_REFUSED);
	assert_int_equal(refusal.status, 503);
}

static int end(void **state)
{
	(void)state;
	http_pass_free(pass);
	buf_done(&went);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_is_told_who_sent_it),
		cmocka_unit_test(a_field_of_ours_from_the_client_is_taken_out),
		cmocka_unit_test(what_connection_names_stays_and_is_not_named),
		cmocka_unit_test(chunks_are_written_anew),
		cmocka_unit_test(a_large_body_is_not_kept),
		cmocka_unit_test(what_can_be_read_two_ways_does_not_go_on),
		cmocka_unit_test(what_went_before_a_refusal_is_whole),
		cmocka_unit_test(a_head_is_bounded),
		cmocka_unit_test(after_close_nothing_is_a_request),
		cmocka_unit_test(after_101_octets_are_octets),
		cmocka_unit_test(without_101_what_follows_is_a_request),
		cmocka_unit_test(an_upgrade_is_for_websocket_and_for_the_first_request),
		cmocka_unit_test(what_waits_for_an_upgrade_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
