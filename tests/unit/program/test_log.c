/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "program/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/code.h"

static char text[8192];
static int kept = -1, ends[2];

static void catch (void)
{
	fflush(stderr);
	assert_int_equal(pipe(ends), 0);
	kept = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
}

static const char *caught(void)
{
	ssize_t n;

	dup2(kept, STDERR_FILENO);
	close(kept);
	close(ends[1]);
	n = read(ends[0], text, sizeof(text) - 1);
	close(ends[0]);
	text[n > 0 ? n : 0] = '\0';
	/* The time has its own form and is not the same twice. */
	return strchr(text, ' ') ? strchr(text, ' ') + 1 : text;
}

static void writes_event_first_then_pairs(void **state)
{
	(void)state;
	log_open("test", TRACE_INFO, 0);
	catch ();
	log_info("join.accept", "dev=%s took_ms=%d", "70b3d5", 8);
	log_debug("join.move", "from=a to=b");
	assert_string_equal(caught(), "info join.accept dev=70b3d5 took_ms=8\n");
	assert_int_equal(text[10], 'T');
	assert_int_equal(text[23], 'Z');
}

static void lets_no_peer_begin_a_line(void **state)
{
	(void)state;
	catch ();
	log_warning("a", "name=%s", "x\n2026 info join.accept\x1b[2J\xff");
	assert_string_equal(caught(), "warning a name=x\\x0a2026 info join.accept\\x1b[2J\\xff\n");
}

static void quotes_what_would_be_read_as_more_pairs(void **state)
{
	(void)state;
	assert_string_equal(log_value("plain-1.2"), "plain-1.2");
	assert_string_equal(log_value(""), "\"\"");
	assert_string_equal(log_value("a b=c"), "\"a b=c\"");
	assert_string_equal(log_value("say \"x\""), "\"say \\\"x\\\"\"");
	assert_string_equal(log_value("a\nb"), "\"a\\\\x0ab\"");
}

static void keeps_values_apart_in_one_line(void **state)
{
	const char *a = log_value("one two"), *b = log_value("three four");

	(void)state;
	assert_string_equal(a, "\"one two\"");
	assert_string_equal(b, "\"three four\"");
}

static void writes_json_that_a_peer_cannot_break(void **state)
{
	(void)state;
	log_open("te\"st", TRACE_DEBUG, 1);
	catch ();
	log_debug("tls.refuse", "peer=%s reason=%s", "a.example", log_value("no \"TLSA\", {x}"));
	assert_non_null(strstr(caught(), ""));
	assert_non_null(strstr(text,
		"\"program\":\"te\\\"st\",\"event\":\"tls.refuse\","
		"\"peer\":\"a.example\",\"reason\":\"no \\\"TLSA\\\", {x}\"}\n"));
	log_open("test", TRACE_INFO, 0);
}

static void cuts_a_line_that_is_too_long(void **state)
{
	static char big[6000];

	(void)state;
	memset(big, 1, sizeof(big) - 1);
	catch ();
	log_info("big", "v=%s", big);
	caught();
	assert_true(strlen(text) <= 2048);
	assert_int_equal(text[strlen(text) - 1], '\n');
	log_open("test", TRACE_INFO, 1);
	catch ();
	log_info("big", "v=%s and more %s", log_value(big), big);
	caught();
	assert_true(strlen(text) <= 2048);
	assert_string_equal(text + strlen(text) - 2, "}\n");
	log_open("test", TRACE_INFO, 0);
}

static void reads_levels_by_word(void **state)
{
	enum trace_level level;

	(void)state;
	assert_int_equal(log_level_read("debug", &level), 0);
	assert_int_equal(level, TRACE_DEBUG);
	assert_int_equal(log_level_read("loud", &level), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_event_first_then_pairs),
		TEST(lets_no_peer_begin_a_line),
		TEST(quotes_what_would_be_read_as_more_pairs),
		TEST(keeps_values_apart_in_one_line),
		TEST(writes_json_that_a_peer_cannot_break),
		TEST(cuts_a_line_that_is_too_long),
		TEST(reads_levels_by_word),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
