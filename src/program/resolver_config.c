/* SPDX-License-Identifier: Apache-2.0 */
#include "program/resolver_config.h"

#include <stdlib.h>

#include "program/log.h"
#include "resolve/settings.h"

#define TEXT(key)                                                              \
	CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, \
		struct resolver_block, key, 1, 4096)
#define NUMBER(key) CYAML_FIELD_UINT(#key, CYAML_FLAG_OPTIONAL, struct resolver_block, key)
#define LIST_MAX    256

static const cyaml_strval_t backends[] = {
	{ "validating", RESOLVER_VALIDATING },
	{ "ad", RESOLVER_AD },
};

static const cyaml_schema_value_t text_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 4096),
};

static const cyaml_schema_field_t stub_fields[] = {
	CYAML_FIELD_STRING_PTR("zone", CYAML_FLAG_POINTER, struct resolver_stub_block, zone, 1,
		1024),
	CYAML_FIELD_STRING_PTR("server", CYAML_FLAG_POINTER, struct resolver_stub_block, server, 1,
		256),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t stub_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct resolver_stub_block, stub_fields),
};

const cyaml_schema_field_t resolver_config_fields[] = {
	TEXT(file),
	CYAML_FIELD_ENUM("backend", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct resolver_block,
		backend, backends, 2),
	TEXT(helper),
	TEXT(trust_anchor_file),
	TEXT(trust_anchor_managed),
	CYAML_FIELD_BOOL("trust_anchor_builtin", CYAML_FLAG_OPTIONAL, struct resolver_block,
		trust_anchor_builtin),
	TEXT(resolv_conf),
	CYAML_FIELD_SEQUENCE("forward", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct resolver_block, forward, &text_schema, 0, LIST_MAX),
	CYAML_FIELD_SEQUENCE("stub", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct resolver_block, stub, &stub_schema, 0, LIST_MAX),
	TEXT(server),
	NUMBER(deadline_ms),
	NUMBER(open_max),
	NUMBER(open_per_source_max),
	NUMBER(cache_names_max),
	NUMBER(ttl_min_s),
	NUMBER(ttl_max_s),
	NUMBER(negative_ttl_max_s),
	NUMBER(serve_stale_s),
	TEXT(val_override_date),
	CYAML_FIELD_SEQUENCE("root_servers", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct resolver_block, root_servers, &text_schema, 0, LIST_MAX),
	NUMBER(authority_port),
	CYAML_FIELD_END,
};

struct file {
	struct resolver_block resolver;
};

static const cyaml_schema_field_t file_fields[] = {
	CYAML_FIELD_MAPPING("resolver", CYAML_FLAG_DEFAULT, struct file, resolver,
		resolver_config_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t file_schema = CONFIG_SCHEMA(struct file, file_fields);

/* The lists of libcyaml know their length; those of the resolver know their end. */
static int lists_of(const struct resolver_block *b, struct resolver_settings *s, struct err *err)
{
	s->forward = calloc(b->forward_count + 1, sizeof(*s->forward));
	s->stub = calloc(b->stub_count + 1, sizeof(*s->stub));
	if (!s->forward || !s->stub)
		return err_set(err, ERR_NOMEM, "resolver: no memory");
	for (unsigned i = 0; i < b->forward_count; i++)
		s->forward[i] = b->forward[i];
	for (unsigned i = 0; i < b->stub_count; i++)
		s->stub[i] = (struct resolver_stub){ b->stub[i].zone, b->stub[i].server };
	return 0;
}

static int fill(const struct resolver_block *b, struct resolver_settings *s, struct err *err)
{
	int rc = lists_of(b, s, err);

	if (rc != 0)
		return rc;
	s->config = (struct resolver_config){
		.backend = b->backend,
		.helper = b->helper,
		.trust_anchor_file = b->trust_anchor_file,
		.trust_anchor_managed = b->trust_anchor_managed,
		.trust_anchor_builtin = b->trust_anchor_builtin,
		.resolv_conf = b->resolv_conf,
		.forward = b->forward_count ? s->forward : NULL,
		.stub = b->stub_count ? s->stub : NULL,
		.server = b->server,
		.deadline_ms = b->deadline_ms,
		.open_max = b->open_max,
		.open_per_source_max = b->open_per_source_max,
		.cache_names_max = b->cache_names_max,
		.ttl_min_s = b->ttl_min_s,
		.ttl_max_s = b->ttl_max_s,
		.negative_ttl_max_s = b->negative_ttl_max_s,
		.serve_stale_s = b->serve_stale_s,
		.val_override_date = b->val_override_date,
		.trace = log_trace(),
	};
	s->root_servers = b->root_servers_count ? b->root_servers : NULL;
	s->root_servers_count = b->root_servers_count;
	s->authority_port = b->authority_port ? (uint16_t)b->authority_port : 53;
	if (b->authority_port > 65535)
		return err_set(err, ERR_FORMAT, "resolver: authority_port is above 65535");
	if (b->backend == RESOLVER_AD && !b->server)
		return err_set(err, ERR_FORMAT, "resolver: backend ad needs server");
	return settings_check(&s->config, err);
}

static bool block_says_more(const struct resolver_block *b)
{
	return b->backend != RESOLVER_VALIDATING || b->helper || b->trust_anchor_file ||
		b->trust_anchor_managed || b->trust_anchor_builtin || b->resolv_conf ||
		b->forward_count || b->stub_count || b->server || b->deadline_ms || b->open_max ||
		b->open_per_source_max || b->cache_names_max || b->ttl_min_s || b->ttl_max_s ||
		b->negative_ttl_max_s || b->serve_stale_s || b->val_override_date ||
		b->root_servers_count || b->authority_port;
}

int resolver_config_load(const char *path, struct resolver_settings *out, struct err *err)
{
	struct resolver_settings s = { .file = NULL };
	struct file *file;
	int rc = config_load(path, &file_schema, &s.file, err);

	if (rc != 0)
		return rc;
	file = s.file;
	if (file->resolver.file)
		rc = err_set(err, ERR_FORMAT, "%s: resolver: file: leads to another file", path);
	else
		rc = fill(&file->resolver, &s, err);
	if (rc != 0)
		resolver_config_done(&s);
	else
		*out = s;
	return rc;
}

int resolver_config_of(const struct resolver_block *block, struct resolver_settings *out,
	struct err *err)
{
	struct resolver_settings s = { .file = NULL };
	int rc;

	if (block->file) {
		if (block_says_more(block))
			return err_set(err, ERR_FORMAT,
				"resolver: file and other keys exclude each other");
		return resolver_config_load(block->file, out, err);
	}
	rc = fill(block, &s, err);
	if (rc != 0)
		resolver_config_done(&s);
	else
		*out = s;
	return rc;
}

int resolver_config_check(const struct resolver_block *block, struct err *err)
{
	struct resolver_settings s;
	int rc = resolver_config_of(block, &s, err);

	if (rc == 0)
		resolver_config_done(&s);
	return rc;
}

void resolver_config_done(struct resolver_settings *s)
{
	if (s->file)
		config_free(&file_schema, s->file);
	free(s->forward);
	free(s->stub);
	*s = (struct resolver_settings){ .file = NULL };
}
