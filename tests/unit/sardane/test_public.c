/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the public face that need no network, through the installed headers alone. */
#include "check.h"

#include <sardane/sardane.h>
#include <string.h>

static void names_are_read_compared_and_built(void **state)
{
	struct sardane_name host, other, owner;
	char text[SARDANE_NAME_TEXT_MAX];
	struct sardane_err err;

	(void)state;
	assert_int_equal(sardane_name_read("JS.Org-A.example.", &host, &err), 0);
	assert_int_equal(sardane_name_read("js.org-a.example", &other, &err), 0);
	assert_true(sardane_name_equal(&host, &other));
	assert_int_equal(sardane_name_read("example", &other, &err), 0);
	assert_true(sardane_name_is_within(&host, &other));
	assert_false(sardane_name_is_within(&other, &host));
	assert_int_equal(sardane_name_of_tlsa(8003, "tcp", &host, &owner, &err), 0);
	assert_int_equal(sardane_name_write(&owner, text, sizeof(text), &err), 0);
	assert_string_equal(text, "_8003._tcp.JS.Org-A.example");
	assert_int_equal(sardane_name_of_join_eui(0x00005e100000002f, &other, &owner, &err), 0);
	assert_int_equal(sardane_name_write(&owner, text, sizeof(text), &err), 0);
	assert_string_equal(text, "f.2.0.0.0.0.0.0.0.1.e.5.0.0.0.0.example");
	assert_int_equal(sardane_name_read("a..b", &host, &err), SARDANE_FORMAT);
	assert_string_equal(err.msg, "'a..b': not a domain name");
}

static void records_are_read_and_written(void **state)
{
	struct sardane_tlsa t;
	struct sardane_err err;
	uint8_t memory[64], wire[64];
	char text[200];
	size_t n;

	(void)state;
	assert_int_equal(sardane_tlsa_read_text("3 1 2 abcd", memory, sizeof(memory), &t, &err), 0);
	assert_string_equal(sardane_tlsa_unusable(&t), "SHA2-512 digest is not 64 octets");
	assert_int_equal(sardane_tlsa_write(&t, wire, sizeof(wire), &n, &err), 0);
	assert_int_equal(n, 5);
	assert_int_equal(sardane_tlsa_read(wire, n, &t, &err), 0);
	assert_int_equal(sardane_tlsa_write_text(&t, text, sizeof(text), &err), 0);
	assert_string_equal(text, "3 1 2 abcd");
	assert_int_equal(sardane_tlsa_read(wire, 3, &t, &err), SARDANE_FORMAT);
	assert_int_equal(
		sardane_tlsa_of_certificate(wire, n, 3, 1, 1, memory, sizeof(memory), &t, &err),
		SARDANE_FORMAT);
	assert_int_equal(sardane_tlsa_of_key(wire, n, 3, 1, memory, sizeof(memory), &t, NULL),
		SARDANE_FORMAT);
}

static void a_server_without_a_rule_does_not_start(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	struct sardane_server_config config = { .mode = SARDANE_MODE_DANE };
	struct sardane_server *server = NULL;
	struct sardane_err err;

	(void)state;
	assert_int_equal(sardane_server_attach(ctx, &config, &server, &err), SARDANE_ARG);
	assert_string_equal(err.msg, "TLS server: no rule says who may be a client");
	SSL_CTX_free(ctx);
}

static void nothing_is_authenticated_before_a_handshake(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct sardane_client_config config = { .client_name = "_ns.org.example" };
	struct sardane_client *client = NULL;
	struct sardane_outcome outcome;
	struct sardane_err err;

	(void)state;
	assert_int_equal(sardane_client_attach(ctx, &config, &client, &err), 0);
	SSL *ssl = SSL_new(ctx);
	sardane_abandon(ssl);
	sardane_outcome(ssl, &outcome);
	assert_false(outcome.authenticated);
	assert_string_equal(outcome.refusal, "protocol");
	assert_int_equal(outcome.usage, -1);
	SSL_free(ssl);
	sardane_client_free(client);
	SSL_CTX_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_are_read_compared_and_built),
		TEST(records_are_read_and_written),
		TEST(a_server_without_a_rule_does_not_start),
		TEST(nothing_is_authenticated_before_a_handshake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
