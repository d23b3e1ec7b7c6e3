/* SPDX-License-Identifier: Apache-2.0 */
#include "joind/config.h"

#include <string.h>

#include "base/hex.h"
#include "store/kekfile.h"

#define TEXT(s, m, max) \
	CYAML_FIELD_STRING_PTR(#m, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, s, m, 0, max)

static const cyaml_strval_t app_s_key_words[] = {
	{ "withheld", DECIDE_APP_S_KEY_WITHHELD },
	{ "wrapped", DECIDE_APP_S_KEY_WRAPPED },
	{ "insecure-clear", DECIDE_APP_S_KEY_INSECURE_CLEAR },
};

static const cyaml_schema_field_t kek_fields[] = {
	CYAML_FIELD_STRING_PTR("label", CYAML_FLAG_POINTER, struct config_kek_block, label, 1, 64),
	CYAML_FIELD_STRING_PTR("kek", CYAML_FLAG_POINTER, struct config_kek_block, kek, 32, 64),
	TEXT(struct config_kek_block, net_id, 8),
	TEXT(struct config_kek_block, as_id, 255),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t kek_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_kek_block, kek_fields),
};

static const cyaml_schema_field_t keks_fields[] = {
	CYAML_FIELD_BOOL("required", CYAML_FLAG_OPTIONAL, struct config_keks_block, required),
	CYAML_FIELD_ENUM("app_s_key", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT,
		struct config_keks_block, app_s_key, app_s_key_words, 3),
	TEXT(struct config_keks_block, as_kek_label, 64),
	CYAML_FIELD_SEQUENCE("set", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_keks_block, set, &kek_schema, 0, KEK_SET_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t server_fields[] = {
	TLS_CONFIG_FIELDS(struct config_server_block, tls.),
	TEXT(struct config_server_block, resolv_conf, 4096),
	CYAML_FIELD_BOOL("strict_version", CYAML_FLAG_OPTIONAL, struct config_server_block,
		strict_version),
	CYAML_FIELD_UINT("lifetime", CYAML_FLAG_OPTIONAL, struct config_server_block, lifetime),
	CYAML_FIELD_UINT("group_max", CYAML_FLAG_OPTIONAL, struct config_server_block, group_max),
	CYAML_FIELD_MAPPING("kek", CYAML_FLAG_OPTIONAL, struct config_server_block, kek,
		keks_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t file_fields[] = {
	CYAML_FIELD_STRING_PTR("database", CYAML_FLAG_POINTER, struct config_file, database, 1,
		500),
	TEXT(struct config_file, root_key_kek_file, 4096),
	CYAML_FIELD_MAPPING("join_server", CYAML_FLAG_DEFAULT, struct config_file, join_server,
		server_fields),
	CYAML_FIELD_MAPPING("resolver", CYAML_FLAG_OPTIONAL, struct config_file, resolver,
		resolver_config_fields),
	CYAML_FIELD_SEQUENCE("clients", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_file, clients, &policy_rule_schema, 0, 4096),
	TEXT(struct config_file, resolve_net_id_domain_suffix, 255),
	CYAML_FIELD_BOOL("as_id_by_name", CYAML_FLAG_OPTIONAL, struct config_file, as_id_by_name),
	TEXT(struct config_file, user, 64),
	CYAML_FIELD_BOOL_PTR("sandbox", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_file, sandbox),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t file_schema = CONFIG_SCHEMA(struct config_file, file_fields);

/* Hexadecimal into a key of 16, 24 or 32 octets. */
static int read_key(const char *what, struct span digits, struct secret *out, struct err *err)
{
	size_t n = 0;

	if (hex_read(digits, out->octets, sizeof(out->octets), &n) ||
		(n != 16 && n != 24 && n != 32))
		return err_set(err, ERR_FORMAT, "%s: need 32, 48 or 64 hexadecimal digits", what);
	out->n = (uint8_t)n;
	return 0;
}

static int read_kek(const struct config_kek_block *block, struct kek *out, struct err *err)
{
	struct span digits = { (const uint8_t *)block->kek, strlen(block->kek) };

	if (strlen(block->label) >= sizeof(out->label))
		return err_set(err, ERR_FORMAT, "label: too long");
	strcpy(out->label, block->label);
	if (block->net_id && block->net_id[0]) {
		out->has_net_id = header_net_id(block->net_id, &out->net_id);
		if (!out->has_net_id)
			return err_set(err, ERR_FORMAT, "net_id: need 6 hexadecimal digits");
	}
	if (block->as_id && strlen(block->as_id) >= sizeof(out->as_id))
		return err_set(err, ERR_FORMAT, "as_id: too long");
	if (block->as_id)
		strcpy(out->as_id, block->as_id);
	return read_key("kek", digits, &out->key, err);
}

static int read_keks(const struct config_keks_block *block, struct config *c, struct err *err)
{
	const char *as_label = block->as_kek_label;

	for (unsigned i = 0; i < block->set_count; i++) {
		struct kek kek = { 0 };
		int rc = read_kek(&block->set[i], &kek, err);

		rc = rc ? rc : kek_add(&c->keks, &kek, err);
		secret_wipe(&kek.key);
		if (rc)
			return err_wrap(err, rc, "join_server.kek.set[%u]", i);
	}
	if (as_label && as_label[0] && !kek_by_label(&c->keks, as_label))
		return err_set(err, ERR_FORMAT,
			"join_server.kek.as_kek_label: no KEK '%s' in the set", as_label);
	if (block->required && block->app_s_key == DECIDE_APP_S_KEY_INSECURE_CLEAR)
		return err_set(err, ERR_FORMAT,
			"join_server.kek: required and app_s_key insecure-clear contradict");
	return 0;
}

/* "127.0.0.1:1", "[::1]:1", "localhost:1". */
static bool is_loopback(const char *bind)
{
	return strncmp(bind, "127.", 4) == 0 || strncmp(bind, "[::1]:", 6) == 0 ||
		strncmp(bind, "localhost:", 10) == 0;
}

static int check_server(const struct config *c, struct err *err)
{
	const struct tls_block *tls = &c->file->join_server.tls;
	int rc = tls_config_check(tls, "join_server", err);

	if (rc)
		return rc;
	if (tls->insecure_plain && !(tls->bind && is_loopback(tls->bind)))
		return err_set(err, ERR_FORMAT,
			"join_server.insecure_plain: bind must be a loopback address");
	if (!c->file->clients_count)
		return err_set(err, ERR_FORMAT, "clients: missing; nobody would be let in");
	return 0;
}

static int set_up_resolver(struct config *c, struct err *err)
{
	struct resolver_block *block = &c->file->resolver;
	char *mine = c->file->join_server.resolv_conf;
	bool plain = c->file->join_server.tls.insecure_plain;
	int rc;

	c->has_resolver =
		!plain && (c->mode != TLS_CONFIG_PKIX || c->file->resolve_net_id_domain_suffix);
	if (!c->has_resolver)
		return 0;
	if (mine && block->resolv_conf)
		return err_set(err, ERR_FORMAT, "join_server.resolv_conf: resolver has one too");
	/* The older place of the key; the string is freed where it was read. */
	if (mine)
		block->resolv_conf = mine;
	rc = resolver_config_of(block, &c->resolver, err);
	if (mine)
		block->resolv_conf = NULL;
	return rc;
}

int config_read(const char *path, struct config *out, struct err *err)
{
	const struct config_server_block *server;
	struct config c = { 0 };
	void *file = NULL;
	int rc = config_load(path, &file_schema, &file, err);

	if (rc)
		return rc;
	c.file = file;
	server = &c.file->join_server;
	rc = tls_config_mode(&server->tls, &c.mode, err);
	rc = rc ? rc : check_server(&c, err);
	rc = rc ? rc : policy_new(c.file->clients, c.file->clients_count, &c.policy, err);
	rc = rc ? rc : read_keks(&server->kek, &c, err);
	rc = rc ? rc : set_up_resolver(&c, err);
	if (!rc && c.file->root_key_kek_file)
		rc = kekfile_read(c.file->root_key_kek_file, &c.root_kek, err);
	if (rc) {
		config_done(&c);
		return err_wrap(err, rc, "%s", path);
	}
	c.decide = (struct decide_policy){
		.kek_required = server->kek.required,
		.app_s_key = (enum decide_app_s_key)server->kek.app_s_key,
		.as_kek_label = server->kek.as_kek_label,
		.strict_version = server->strict_version,
		.lifetime = server->lifetime,
	};
	*out = c;
	out->decide.keks = &out->keks;
	return 0;
}

void config_done(struct config *c)
{
	if (c->has_resolver)
		resolver_config_done(&c->resolver);
	policy_free(c->policy);
	kek_done(&c->keks);
	secret_wipe(&c->root_kek);
	/* The digits of the KEKs, before libcyaml frees them. */
	for (unsigned i = 0; c->file && i < c->file->join_server.kek.set_count; i++)
		if (c->file->join_server.kek.set[i].kek)
			secret_wipe_octets(c->file->join_server.kek.set[i].kek,
				strlen(c->file->join_server.kek.set[i].kek));
	if (c->file)
		config_free(&file_schema, c->file);
	*c = (struct config){ 0 };
}
