/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "application/event.h"
#include "check.h"
#include "json/doc.h"

static const struct event_device device = { .device_name = "pump", .application_id = "b" };

static struct uplink frame(void)
{
	return (struct uplink){ .dev_eui = 1, .f_cnt = 7, .session = { 2, { 1, 2 } } };
}

static const char *member(const struct buf *line, const char *name, char *out, size_t cap)
{
	struct doc *d = NULL;

	assert_int_equal(doc_read((struct span){ line->p, line->n - 1 }, &d, NULL), 0);
	assert_true(strlen(doc_text(doc_member(d, name))) < cap);
	strcpy(out, doc_text(doc_member(d, name)));
	doc_free(d);
	return out;
}

static void a_line_is_one_json_object_that_says_its_event(void **state)
{
	struct downlink d = { .id = "q" };
	struct uplink u = frame();
	struct buf out = { 0 };
	char text[64];

	(void)state;
	event_up(&out, &device, &u, bytes("\xff\x00"), 0);
	assert_string_equal(member(&out, "event", text, sizeof(text)), "up");
	assert_string_equal(member(&out, "data", text, sizeof(text)), "/wA=");
	assert_string_equal(member(&out, "devAddr", text, sizeof(text)), "00000000");
	out.n = 0;
	event_log(&out, &device, 1, "ERROR", "X", "a \"word\"\n", &d, 0);
	assert_string_equal(member(&out, "description", text, sizeof(text)), "a \"word\"\n");
	assert_int_equal(out.p[out.n - 1], '\n');
	assert_null(memchr(out.p, '\n', out.n - 1));
	buf_done(&out);
}

static void the_same_frame_has_the_same_deduplication_id(void **state)
{
	struct buf a = { 0 }, b = { 0 };
	struct uplink u = frame();
	char first[64], second[64];

	(void)state;
	event_up(&a, &device, &u, bytes("x"), 0);
	event_up(&b, &device, &u, bytes("x"), 99999);
	assert_string_equal(member(&a, "deduplicationId", first, sizeof(first)),
		member(&b, "deduplicationId", second, sizeof(second)));
	b.n = 0;
	u.f_cnt++;
	event_up(&b, &device, &u, bytes("x"), 0);
	assert_string_not_equal(first, member(&b, "deduplicationId", second, sizeof(second)));
	assert_int_equal(first[14], '8');
	buf_done(&a);
	buf_done(&b);
}

static void the_time_of_the_ns_counts_before_ours(void **state)
{
	struct uplink u = frame();
	struct buf out = { 0 };
	char text[64];

	(void)state;
	event_up(&out, &device, &u, bytes(""), 1763785865123);
	assert_string_equal(member(&out, "time", text, sizeof(text)),
		"2025-11-22T04:31:05.123+00:00");
	out.n = 0;
	strcpy(u.time, "2026-01-01T00:00:00Z");
	event_up(&out, &device, &u, bytes(""), 1763785865123);
	assert_string_equal(member(&out, "time", text, sizeof(text)), "2026-01-01T00:00:00Z");
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_is_one_json_object_that_says_its_event),
		TEST(the_same_frame_has_the_same_deduplication_id),
		TEST(the_time_of_the_ns_counts_before_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
