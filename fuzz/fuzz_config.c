/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: every text is taken or refused with words that name the file; never a leak. */
#include <assert.h>
#include <string.h>

#include "program/config.h"
#include "program/config_keys.h"
#include "program/policy.h"
#include "program/resolver_config.h"
#include "program/tls_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct all {
	struct tls_block server;
	struct resolver_block resolver;
	struct policy_rule *clients;
	unsigned clients_count;
};

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_MAPPING("server", CYAML_FLAG_OPTIONAL, struct all, server, tls_config_fields),
	CYAML_FIELD_MAPPING("resolver", CYAML_FLAG_OPTIONAL, struct all, resolver,
		resolver_config_fields),
	CYAML_FIELD_SEQUENCE("clients", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct all,
		clients, &policy_rule_schema, 0, 16),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = CONFIG_SCHEMA(struct all, fields);

static int seen(void *arg, const struct config_key *k, struct err *err)
{
	(void)arg;
	(void)err;
	assert(k->key && k->line && k->column);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct resolver_settings settings;
	struct policy *policy = NULL;
	struct err err = { 0 };
	void *loaded = NULL;
	struct all *all;
	char text[4096];

	if (n >= sizeof(text))
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	(void)config_keys_each(text, seen, NULL, &err);
	if (config_load_text("file", text, &schema, &loaded, &err) != 0) {
		assert(!loaded && strncmp(err.msg, "file:", 5) == 0);
		return 0;
	}
	all = loaded;
	(void)tls_config_check(&all->server, "server", &err);
	/* No file of this machine is followed. */
	if (!all->resolver.file && !all->resolver.resolv_conf &&
		resolver_config_of(&all->resolver, &settings, &err) == 0)
		resolver_config_done(&settings);
	if (policy_new(all->clients, all->clients_count, &policy, &err) == 0)
		assert(all->clients_count > 0);
	policy_free(policy);
	config_free(&schema, loaded);
	return 0;
}
