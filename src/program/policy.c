/* SPDX-License-Identifier: Apache-2.0 */
#include "program/policy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "dns/pattern.h"

struct rule {
	struct pattern names;
	bool has_net_id;
	uint32_t net_id;
	char *as_id;
};

struct policy {
	size_t count;
	struct rule rule[];
};

static const cyaml_schema_field_t rule_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct policy_rule, name, 1, 1024),
	CYAML_FIELD_STRING_PTR("net_id", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct policy_rule, net_id, 1, 16),
	CYAML_FIELD_STRING_PTR("as_id", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct policy_rule, as_id, 1, 255),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t policy_rule_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct policy_rule, rule_fields),
};

int policy_net_id_read(const char *text, uint32_t *out)
{
	uint8_t octets[3];

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	if (hex_read_exact((struct span){ (const uint8_t *)text, strlen(text) }, octets, 3) != 0)
		return ERR_FORMAT;
	*out = (uint32_t)octets[0] << 16 | (uint32_t)octets[1] << 8 | octets[2];
	return 0;
}

static int rule_read(const struct policy_rule *from, size_t number, struct rule *out,
	struct err *err)
{
	struct rule r = { 0 };

	if (pattern_read(from->name ? from->name : "", &r.names) != 0)
		return err_set(err, ERR_FORMAT,
			"client rule %zu: '%s' is no name, subtree "
			"(.example) or one label (*.example)",
			number, from->name ? from->name : "");
	if (from->net_id) {
		if (policy_net_id_read(from->net_id, &r.net_id) != 0)
			return err_set(err, ERR_FORMAT,
				"client rule %zu: net_id '%s' is not six hex digits", number,
				from->net_id);
		r.has_net_id = true;
	}
	if (from->as_id) {
		r.as_id = strdup(from->as_id);
		if (!r.as_id)
			return err_set(err, ERR_NOMEM, "client rule %zu: no memory", number);
	}
	*out = r;
	return 0;
}

int policy_new(const struct policy_rule *rules, size_t count, struct policy **out, struct err *err)
{
	struct policy *p;

	if (count == 0)
		return err_set(err, ERR_FORMAT,
			"clients: no rule; who may connect must be said, name by name or by subtree");
	p = calloc(1, sizeof(*p) + count * sizeof(p->rule[0]));
	if (!p)
		return err_set(err, ERR_NOMEM, "clients: no memory");
	for (; p->count < count; p->count++) {
		int rc = rule_read(&rules[p->count], p->count + 1, &p->rule[p->count], err);

		if (rc != 0) {
			policy_free(p);
			return rc;
		}
	}
	*out = p;
	return 0;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++)
		free(p->rule[i].as_id);
	free(p);
}

bool policy_admits(const struct policy *p, const struct name *client)
{
	for (size_t i = 0; i < p->count; i++)
		if (pattern_matches(&p->rule[i].names, client))
			return true;
	return false;
}

bool policy_authorise(void *arg, const struct name *client)
{
	return policy_admits(arg, client);
}

bool policy_grants_net_id(const struct policy *p, const struct name *client, uint32_t net_id)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->rule[i].has_net_id && p->rule[i].net_id == net_id &&
			pattern_matches(&p->rule[i].names, client))
			return true;
	return false;
}

bool policy_grants_as_id(const struct policy *p, const struct name *client, const char *as_id)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->rule[i].as_id && strcasecmp(p->rule[i].as_id, as_id) == 0 &&
			pattern_matches(&p->rule[i].names, client))
			return true;
	return false;
}
