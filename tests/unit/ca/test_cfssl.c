/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cfssl.h"
#include "check.h"

#include <string.h>

static struct cfssl c;

static int empty(void **state)
{
	(void)state;
	cfssl_done(&c);
	return 0;
}

static int request(const char *text, bool root, struct err *err)
{
	cfssl_done(&c);
	return cfssl_read_request(&c, (struct span){ (const uint8_t *)text, strlen(text) }, root,
		err);
}

static int config(const char *text, const char *name, struct err *err)
{
	cfssl_done(&c);
	return cfssl_read_config(&c, (struct span){ (const uint8_t *)text, strlen(text) }, name,
		err);
}

static void a_request_gives_subject_names_and_key(void **state)
{
	(void)state;
	assert_int_equal(
		request("{\"CN\":\"JS\",\"hosts\":[\"127.0.0.1\",\"localhost\",\"\",\"localhost\","
			"\"*.joineui.example\"],\"key\":{\"algo\":\"rsa\",\"size\":2048},"
			"\"names\":[{\"C\":\"FR\",\"L\":\"SQY\"},{\"O\":\"Labs\"}]}",
			false, NULL),
		0);
	assert_string_equal(c.profile.common_name, "JS");
	assert_string_equal(c.profile.country, "FR");
	assert_string_equal(c.profile.organisation, "Labs");
	assert_int_equal(c.profile.san_count, 2);
	assert_int_equal(c.profile.address_count, 1);
	assert_string_equal(c.key_kind, "rsa2048");
	assert_true(c.profile.nameless);
}

static void a_root_takes_its_life_and_path_from_ca(void **state)
{
	(void)state;
	assert_int_equal(
		request("{\"CN\":\"R\",\"ca\":{\"expiry\":\"42720h\",\"pathlen\":1}}", true, NULL),
		0);
	assert_int_equal(c.profile.role, PROFILE_ROOT);
	assert_int_equal(c.profile.life_s, 42720u * 3600);
	assert_int_equal(c.profile.path_len, 1);
	assert_string_equal(c.key_kind, "p256");
	assert_int_equal(
		request("{\"CN\":\"R\",\"ca\":{\"pathlenzero\":true,\"expiry\":\"1h30m\"}}", true,
			NULL),
		0);
	assert_int_equal(c.profile.path_len, 0);
	assert_int_equal(c.profile.life_s, 5400);
	assert_int_equal(request("{\"CN\":\"R\"}", true, NULL), 0);
	assert_int_equal(c.profile.path_len, -1);
	assert_int_equal(c.profile.life_s, 43800u * 3600);
}

static void a_profile_gives_usages_life_and_constraint(void **state)
{
	static const char text[] =
		"{\"signing\":{\"default\":{\"expiry\":\"8760h\"},\"profiles\":{"
		"\"ca\":{\"usages\":[\"cert sign\",\"crl sign\",\"server auth\"],"
		"\"ca_constraint\":{\"is_ca\":true,\"max_path_len\":0,\"max_path_len_zero\":true}},"
		"\"client\":{\"expiry\":\"24h\",\"usages\":[\"signing\",\"client auth\"]}}}}";

	(void)state;
	assert_int_equal(config(text, "ca", NULL), 0);
	assert_int_equal(c.profile.role, PROFILE_INTERMEDIATE);
	assert_int_equal(c.profile.path_len, 0);
	assert_int_equal(c.profile.life_s, 8760u * 3600);
	assert_int_equal(c.profile.key_usage, PROFILE_KEY_CERT_SIGN | PROFILE_CRL_SIGN);
	assert_int_equal(c.profile.purposes, PROFILE_SERVER_AUTH);
	assert_int_equal(config(text, "client", NULL), 0);
	assert_int_equal(c.profile.role, PROFILE_OTHER);
	assert_int_equal(c.profile.life_s, 86400);
	assert_int_equal(c.profile.purposes, PROFILE_CLIENT_AUTH);
	assert_string_equal(c.profile.name, "client");
}

static void without_a_config_cfssls_default_holds(void **state)
{
	(void)state;
	assert_int_equal(config("", NULL, NULL), 0);
	assert_int_equal(c.profile.purposes, PROFILE_SERVER_AUTH | PROFILE_CLIENT_AUTH);
	assert_int_equal(config("", "server", NULL), ERR_ARG);
}

static void names_on_the_command_line_replace_those_of_the_request(void **state)
{
	(void)state;
	assert_int_equal(request("{\"CN\":\"x\",\"hosts\":[\"a.example\"]}", false, NULL), 0);
	assert_int_equal(cfssl_read_hosts(&c, "b.example,192.0.2.1,", NULL), 0);
	assert_int_equal(c.profile.san_count, 1);
	assert_int_equal(c.profile.address_count, 1);
}

static void what_is_wrong_or_not_supported_is_named(void **state)
{
	static const struct {
		const char *text, *words;
	} requests[] = {
		{ "{", "JSON" },
		{ "[]", "not an array" },
		{ "{\"CN\":1}", "CN" },
		{ "{\"key\":{\"algo\":\"rsa\",\"size\":1024}}", "key: 'rsa' of 1024 bits" },
		{ "{\"key\":{\"algo\":\"dsa\"}}", "key: 'dsa'" },
		{ "{\"key\":{}}", "key: algo" },
		{ "{\"hosts\":[\"a b\"]}", "hosts: name 'a b'" },
		{ "{\"hosts\":[7]}", "hosts: number 1" },
		{ "{\"names\":[{\"O\":\"a\"},{\"O\":\"b\"}]}", "names: O is given twice" },
		{ "{\"ca\":{\"expiry\":\"soon\"}}", "ca: expiry 'soon'" },
		{ "{\"ca\":{\"expiry\":\"99999999999h\"}}", "expiry" },
		{ "{\"ca\":{\"expiry\":\"5ms\"}}", "expiry" },
	}, configs[] = {
		{ "{}", "signing" },
		{ "{\"signing\":{}}", "no profile 'p'" },
		{ "{\"signing\":{\"profiles\":{\"p\":{}}}}", "profile 'p': usages: missing" },
		{ "{\"signing\":{\"profiles\":{\"p\":{\"usages\":[\"ipsec user\"]}}}}", "'ipsec user'" },
		{ "{\"signing\":{\"profiles\":{\"p\":{\"usages\":[\"any\"],\"name_whitelist\":\"^a\"}}}}",
			"profile 'p': name_whitelist: is not supported" },
		{ "{\"signing\":{\"profiles\":{\"p\":{\"usages\":[\"any\"],\"Auth_Key\":\"k\"}}}}",
			"auth_key: is not supported" },
		{ "{\"signing\":{\"profiles\":{\"p\":{\"usages\":[\"any\"],\"ca_constraint\":{\"max_path_len\":-1}}}}}",
			"ca_constraint" },
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		assert_int_not_equal(request(requests[i].text, true, &err), 0);
		if (!strstr(err.msg, requests[i].words))
			fail_msg("'%s' does not say '%s'", err.msg, requests[i].words);
	}
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		assert_int_not_equal(config(configs[i].text, "p", &err), 0);
		if (!strstr(err.msg, configs[i].words))
			fail_msg("'%s' does not say '%s'", err.msg, configs[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_gives_subject_names_and_key),
		TEST(a_root_takes_its_life_and_path_from_ca),
		TEST(a_profile_gives_usages_life_and_constraint),
		TEST(without_a_config_cfssls_default_holds),
		TEST(names_on_the_command_line_replace_those_of_the_request),
		TEST(what_is_wrong_or_not_supported_is_named),
	};

	return cmocka_run_group_tests_name("cfssl", tests, NULL, empty);
}
