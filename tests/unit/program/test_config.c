/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "program/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program/resolver_config.h"
#include "program/tls_config.h"

struct sample {
	char *bind;
	unsigned limit;
	struct tls_block tls;
	struct resolver_block resolver;
};

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_STRING_PTR("bind", CYAML_FLAG_POINTER, struct sample, bind, 1, 64),
	CYAML_FIELD_UINT("limit", CYAML_FLAG_OPTIONAL, struct sample, limit),
	CYAML_FIELD_MAPPING("tls", CYAML_FLAG_OPTIONAL, struct sample, tls, tls_config_fields),
	CYAML_FIELD_MAPPING("resolver", CYAML_FLAG_OPTIONAL, struct sample, resolver,
		resolver_config_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = CONFIG_SCHEMA(struct sample, fields);
static char path[] = "/tmp/sardane-config-XXXXXX";
static struct err err;

/* The structs that libcyaml fills hold writable strings. */
#define TEXT(s) ((char[]){ s })

static int load(const char *text, struct sample **out)
{
	FILE *f = fopen(path, "w");
	void *data = NULL;
	int rc;

	fputs(text, f);
	fclose(f);
	err = (struct err){ 0 };
	rc = config_load(path, &schema, &data, &err);
	*out = data;
	return rc;
}

/* words is what follows "FILE:". */
static void refuses(const char *text, const char *words)
{
	struct sample *s = NULL;

	assert_int_equal(load(text, &s), ERR_FORMAT);
	assert_null(s);
	assert_ptr_equal(strstr(err.msg, path), err.msg);
	assert_string_equal(err.msg + strlen(path), words);
}

static void reads_values_into_the_struct(void **state)
{
	struct sample *s;

	(void)state;
	assert_int_equal(load("bind: 0.0.0.0:8003 # all\nlimit: 12\n"
			      "tls: {tls_cert: a.pem, mode: dane-or-pkix, enable_dane: true}\n",
				 &s),
		0);
	assert_string_equal(s->bind, "0.0.0.0:8003");
	assert_int_equal(s->limit, 12);
	assert_string_equal(s->tls.tls_cert, "a.pem");
	assert_int_equal(s->tls.mode, TLS_CONFIG_DANE_OR_PKIX);
	assert_true(*s->tls.enable_dane);
	assert_null(s->resolver.file);
	config_free(&schema, s);
}

static void names_line_column_and_key_of_what_is_wrong(void **state)
{
	(void)state;
	refuses("bind: a\nlimt: 3\n", ":2:1: unknown key 'limt'");
	refuses("bind: a\nlimit: 3\nbind: b\n", ":3:1: key 'bind' is given twice");
	refuses("bind: a\ntls:\n  tls_cert: x\n  tls_crt: y\n", ":4:3: unknown key 'tls_crt'");
	refuses("bind: a\nlimit: many\n", ":2:8: limit: Invalid uint64_t value: 'many'");
	/* How libcyaml words the rest differs between its versions. */
	assert_int_equal(load("bind: a\nlimit: no\n", &(struct sample *){ NULL }), ERR_FORMAT);
	assert_ptr_equal(strstr(err.msg + strlen(path), ":2:8: limit: Invalid"),
		err.msg + strlen(path));
	refuses("limit: 3\n", ":1:8: limit: key 'bind' is missing");
	refuses("bind: a\ntls: {mode: none}\n", ":2:13: tls.mode: Invalid ENUM value: none");
}

static void never_repeats_a_value_that_may_be_a_secret(void **state)
{
	struct sample *s = NULL;
	char text[160] = "bind: ";

	(void)state;
	memset(text + 6, 's', 100);
	text[106] = '\n';
	assert_int_equal(load(text, &s), ERR_FORMAT);
	assert_null(strstr(err.msg, "sss"));
}

static void refuses_aliases_second_documents_and_nothing(void **state)
{
	struct sample *s = NULL;

	(void)state;
	assert_int_equal(load("bind: &a x\ntls: {bind: *a}\n", &s), ERR_FORMAT);
	assert_int_equal(load("bind: a\n---\nbind: b\n", &s), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "more than one document"));
	assert_int_equal(load("", &s), ERR_FORMAT);
	assert_int_equal(load("bind: [\n", &s), ERR_FORMAT);
	assert_int_equal(config_load("/nowhere/at/all", &schema, (void **)&s, &err), ERR_SYSTEM);
	assert_string_equal(err.msg, "/nowhere/at/all: No such file or directory");
}

static void hands_the_resolver_lists_with_an_end(void **state)
{
	struct resolver_settings r;
	struct sample *s;

	(void)state;
	assert_int_equal(load("bind: a\nresolver:\n  forward: ['127.0.0.1@53', '::1@53']\n"
			      "  stub:\n    - {zone: a.example, server: '127.0.0.1@5300'}\n"
			      "  deadline_ms: 1500\n  trust_anchor_file: k\n"
			      "  root_servers: ['127.0.0.1@5300']\n  authority_port: 5300\n",
				 &s),
		0);
	assert_int_equal(resolver_config_of(&s->resolver, &r, &err), 0);
	assert_string_equal(r.config.forward[1], "::1@53");
	assert_null(r.config.forward[2]);
	assert_string_equal(r.config.stub[0].zone, "a.example");
	assert_null(r.config.stub[1].zone);
	assert_int_equal(r.config.deadline_ms, 1500);
	assert_int_equal(r.root_servers_count, 1);
	assert_string_equal(r.root_servers[0], "127.0.0.1@5300");
	assert_int_equal(r.authority_port, 5300);
	s->resolver.authority_port = 65536;
	resolver_config_done(&r);
	assert_int_equal(resolver_config_of(&s->resolver, &r, &err), ERR_FORMAT);
	config_free(&schema, s);
}

static void the_limits_of_a_resolver_are_asked_when_its_block_is_read(void **state)
{
	static const char *const rows[][2] = {
		{ "deadline_ms: 4001", "resolver: deadline_ms 4001 is above 4000" },
		{ "open_max: 65536", "resolver: open_max 65536 is above 65535" },
		{ "open_per_source_max: 65536",
			"resolver: open_per_source_max 65536 is above 65535" },
		{ "ttl_max_s: 604801", "resolver: ttl_max_s 604801 is above 604800" },
		{ "negative_ttl_max_s: 604801",
			"resolver: negative_ttl_max_s 604801 is above 604800" },
		{ "ttl_min_s: 86401", "resolver: ttl_min_s 86401 is above ttl_max_s 86400" },
		{ "serve_stale_s: 86401", "resolver: serve_stale_s 86401 is above 86400" },
		{ "forward: [dns.example]", "dns.example" },
		{ "stub: [{zone: a..b, server: '::1'}]", "stub zone 'a..b': not a name" },
		{ "resolv_conf: /nonexistent", "resolv_conf '/nonexistent': No such file" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sample *s = NULL;
		char text[200];

		snprintf(text, sizeof(text), "bind: a\nresolver: {%s}\n", rows[i][0]);
		assert_int_equal(load(text, &s), 0);
		assert_int_not_equal(resolver_config_check(&s->resolver, &err), 0);
		assert_non_null(strstr(err.msg, rows[i][1]));
		config_free(&schema, s);
	}
}

static void follows_the_resolver_file_once(void **state)
{
	char text[200];
	struct resolver_settings r;
	struct resolver_block block = { .file = path };
	struct sample *s = NULL;

	(void)state;
	(void)load("resolver: {backend: ad, server: '127.0.0.1@53'}\n", &s);
	assert_int_equal(resolver_config_of(&block, &r, &err), 0);
	assert_int_equal(r.config.backend, RESOLVER_AD);
	assert_string_equal(r.config.server, "127.0.0.1@53");
	assert_null(r.root_servers);
	assert_int_equal(r.authority_port, 53);
	resolver_config_done(&r);
	block.serve_stale_s = 60;
	assert_int_equal(resolver_config_of(&block, &r, &err), ERR_FORMAT);
	block.serve_stale_s = 0;
	(void)load("resolver: {backend: ad, server: '::1@53', serve_stale_s: 60}\n", &s);
	assert_int_equal(resolver_config_of(&block, &r, &err), ERR_ARG);
	(void)load("resolver: {backend: ad}\n", &s);
	assert_int_equal(resolver_config_of(&block, &r, &err), ERR_FORMAT);
	snprintf(text, sizeof(text), "resolver: {file: %s}\n", path);
	(void)load(text, &s);
	assert_int_equal(resolver_config_of(&block, &r, &err), ERR_FORMAT);
	block.deadline_ms = 5;
	assert_int_equal(resolver_config_of(&block, &r, &err), ERR_FORMAT);
}

static void refuses_a_tls_block_that_contradicts_itself(void **state)
{
	bool yes = true, no = false;
	enum tls_config_mode mode;
	struct tls_block b = { .tls_cert = TEXT("c"), .tls_key = TEXT("k") };

	(void)state;
	assert_int_equal(tls_config_mode(&b, &mode, &err), 0);
	assert_int_equal(mode, TLS_CONFIG_DANE);
	b.enable_dane = &no;
	assert_int_equal(tls_config_mode(&b, &mode, &err), 0);
	assert_int_equal(mode, TLS_CONFIG_PKIX);
	assert_int_equal(tls_config_check(&b, "server", &err), ERR_FORMAT);
	assert_string_equal(err.msg, "server: ca_cert is missing; mode pkix needs it");
	b.ca_cert = TEXT("ca");
	assert_int_equal(tls_config_check(&b, "server", &err), 0);
	b.mode = TLS_CONFIG_DANE;
	assert_int_equal(tls_config_check(&b, "server", &err), ERR_FORMAT);
	b.enable_dane = &yes;
	assert_int_equal(tls_config_check(&b, "server", &err), 0);
	b.dane_client_name = TEXT("a..b");
	assert_int_equal(tls_config_check(&b, "server", &err), ERR_FORMAT);
	b.dane_client_name = NULL;
	b.tls_key = NULL;
	assert_int_equal(tls_config_check(&b, "server", &err), ERR_FORMAT);
}

static int make_file(void **state)
{
	(void)state;
	return close(mkstemp(path));
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_values_into_the_struct),
		TEST(names_line_column_and_key_of_what_is_wrong),
		TEST(never_repeats_a_value_that_may_be_a_secret),
		TEST(refuses_aliases_second_documents_and_nothing),
		TEST(hands_the_resolver_lists_with_an_end),
		TEST(the_limits_of_a_resolver_are_asked_when_its_block_is_read),
		TEST(follows_the_resolver_file_once),
		TEST(refuses_a_tls_block_that_contradicts_itself),
	};

	return cmocka_run_group_tests_name("config", tests, make_file, remove_file);
}
