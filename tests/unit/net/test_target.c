/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "net/target.h"

#include <string.h>

static struct target t;
static char text[NAME_TEXT_MAX];

static int url(const char *from)
{
	return target_read(&(struct http_target){ .kind = HTTP_TARGET_URL, .url = from }, &t, NULL);
}

static const char *name_text(void)
{
	assert_int_equal(name_write_text(&t.service.name, text, sizeof(text)), 0);
	return text;
}

static void finds_host_port_and_path(void **state)
{
	(void)state;
	assert_int_equal(url("https://js.example:8003/a/b"), 0);
	assert_string_equal(name_text(), "js.example");
	assert_int_equal(t.service.port, 8003);
	assert_int_equal(t.service.start, SERVICE_HOST);
	assert_string_equal(t.url, "/a/b");
	assert_false(t.plain);
	assert_int_equal(url("https://js.example"), 0);
	assert_int_equal(t.service.port, 443);
	assert_string_equal(t.url, "/");
}

static void allows_clear_text_to_loopback_alone(void **state)
{
	static const char *const yes[] = { "http://127.0.0.1:80/", "http://localhost/x",
		"http://[::1]:9/", "http://[::1]/" };
	static const char *const no[] = { "http://192.0.2.1/", "http://js.example/",
		"http://localhost.example/", "http://127.0.0.1.example/", "http://[2001:db8::1]/",
		"http://127.0.0.1@evil.example/", "http://evil.example:80/127.0.0.1" };

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		assert_int_equal(url(yes[i]), 0);
		assert_true(t.plain);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_int_equal(url(no[i]), ERR_FORMAT);
}

static void refuses_other_urls(void **state)
{
	static const char *const bad[] = { "", "js.example", "ftp://a/", "https://", "https:///x",
		"https://a:b/", "https://a:0/", "https://a:70000/", "https://user@a.example/",
		"https://./", "https://a.example/x y", "https://a.example/\r\nX: y",
		"https://192.0.2.1/", "https://[::1]:8003/", "https://a..b/", "https://a.example:/",
		"https://a.example/#f", "https://a.example:+80/" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(url(bad[i]), ERR_FORMAT);
}

static void names_join_euis_and_net_ids_below_the_suffix(void **state)
{
	struct http_target from = { .kind = HTTP_TARGET_JOIN_EUI,
		.id = 0x00005e100000002f,
		.suffix = ".joineui.example" };

	(void)state;
	assert_int_equal(target_read(&from, &t, NULL), 0);
	assert_string_equal(name_text(), "f.2.0.0.0.0.0.0.0.1.e.5.0.0.0.0.joineui.example");
	assert_int_equal(t.service.port, 8003);
	assert_int_equal(t.service.start, SERVICE_NAPTR);
	from = (struct http_target){ .kind = HTTP_TARGET_NET_ID,
		.id = 0x13,
		.suffix = "n.example" };
	assert_int_equal(target_read(&from, &t, NULL), 0);
	assert_string_equal(name_text(), "000013.n.example");
	assert_int_equal(t.service.port, 443);
	from.suffix = NULL;
	assert_int_equal(target_read(&from, &t, NULL), ERR_FORMAT);
}

static void tells_targets_apart(void **state)
{
	struct http_target from = { .kind = HTTP_TARGET_NET_ID, .id = 1, .suffix = "n.example" };
	char key[TARGET_TEXT_MAX];

	(void)state;
	assert_int_equal(target_read(&from, &t, NULL), 0);
	strcpy(key, t.key);
	from.port = 8003;
	assert_int_equal(target_read(&from, &t, NULL), 0);
	assert_string_not_equal(key, t.key);
	from.port = 0;
	from.id = 2;
	assert_int_equal(target_read(&from, &t, NULL), 0);
	assert_string_not_equal(key, t.key);
	from.id = 1;
	assert_int_equal(target_read(&from, &t, NULL), 0);
	assert_string_equal(key, t.key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finds_host_port_and_path),
		TEST(allows_clear_text_to_loopback_alone),
		TEST(refuses_other_urls),
		TEST(names_join_euis_and_net_ids_below_the_suffix),
		TEST(tells_targets_apart),
	};

	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
