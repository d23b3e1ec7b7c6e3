/* SPDX-License-Identifier: Apache-2.0 */
#include "applicationd/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "backend/prefix.h"
#include "base/hex.h"
#include "core/secret.h"

#define TEXT(s, key) \
	CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, s, key, 0, 4096)
#define MUST(s, key) CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER, s, key, 1, 4096)
#define LIST(s, key, schema, most)                                                                 \
	CYAML_FIELD_SEQUENCE(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, s, key, &(schema), 0, \
		most)
#define NUMBER(s, key) CYAML_FIELD_UINT(#key, CYAML_FLAG_OPTIONAL, s, key)
#define YES_NO(s, key) CYAML_FIELD_BOOL_PTR(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, s, key)

static const cyaml_schema_field_t server_fields[] = {
	TEXT(struct settings_server, join_eui_prefix),
	TEXT(struct settings_server, net_id),
	MUST(struct settings_server, server),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t server_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT,
	struct settings_server, server_fields) };

static const cyaml_schema_field_t peers_fields[] = {
	TLS_CONFIG_FIELDS(struct settings_peers, tls.),
	TEXT(struct settings_peers, resolve_join_eui_domain_suffix),
	TEXT(struct settings_peers, resolve_net_id_domain_suffix),
	NUMBER(struct settings_peers, port),
	LIST(struct settings_peers, servers, server_schema, 4096),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t kek_fields[] = {
	MUST(struct settings_kek, label),
	MUST(struct settings_kek, kek),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t kek_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT,
	struct settings_kek, kek_fields) };

static const cyaml_schema_field_t tag_fields[] = {
	MUST(struct settings_tag, key),
	MUST(struct settings_tag, value),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t tag_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT,
	struct settings_tag, tag_fields) };

static const cyaml_schema_field_t device_fields[] = {
	MUST(struct settings_device, dev_eui),
	TEXT(struct settings_device, join_eui),
	TEXT(struct settings_device, name),
	TEXT(struct settings_device, app_s_key),
	TEXT(struct settings_device, net_id),
	LIST(struct settings_device, tags, tag_schema, 64),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t device_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT,
	struct settings_device, device_fields) };

static const cyaml_schema_field_t application_fields[] = {
	MUST(struct settings_application, id),
	TEXT(struct settings_application, name),
	TEXT(struct settings_application, tenant_id),
	TEXT(struct settings_application, tenant_name),
	TEXT(struct settings_application, device_profile_id),
	TEXT(struct settings_application, device_profile_name),
	CYAML_FIELD_BOOL("accept_unknown", CYAML_FLAG_OPTIONAL, struct settings_application,
		accept_unknown),
	LIST(struct settings_application, devices, device_schema, 1000000),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t application_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT,
	struct settings_application, application_fields) };

static const cyaml_schema_field_t fields[] = {
	MUST(struct settings, as_id),
	MUST(struct settings, database),
	MUST(struct settings, events),
	TEXT(struct settings, command_socket),
	TEXT(struct settings, session_key_kek_file),
	TEXT(struct settings, user),
	YES_NO(struct settings, fsync),
	YES_NO(struct settings, sandbox),
	CYAML_FIELD_MAPPING("backend_interfaces", CYAML_FLAG_DEFAULT, struct settings,
		backend_interfaces, tls_config_fields),
	LIST(struct settings, clients, policy_rule_schema, 4096),
	CYAML_FIELD_MAPPING("join_server", CYAML_FLAG_OPTIONAL, struct settings, join_server,
		peers_fields),
	CYAML_FIELD_MAPPING("network_server", CYAML_FLAG_OPTIONAL, struct settings, network_server,
		peers_fields),
	LIST(struct settings, keks, kek_schema, 256),
	LIST(struct settings, applications, application_schema, 4096),
	CYAML_FIELD_MAPPING("resolver", CYAML_FLAG_OPTIONAL, struct settings, resolver,
		resolver_config_fields),
	NUMBER(struct settings, hold_ms),
	NUMBER(struct settings, timeout_ms),
	NUMBER(struct settings, queue_max),
	NUMBER(struct settings, devices_max),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = CONFIG_SCHEMA(struct settings, fields);

static struct span text_span(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

static int eui_of(const char *text, uint64_t *out)
{
	uint8_t p[8];
	struct cursor c;

	if (hex_read_exact(text_span(text), p, sizeof(p)) < 0)
		return ERR_FORMAT;
	c = cursor_over((struct span){ p, sizeof(p) });
	*out = cursor_u64_be(&c);
	return 0;
}

static int check_servers(const struct settings_peers *p, const char *where, bool joins,
	struct err *err)
{
	uint8_t net_id[3];
	struct prefix prefix;

	for (unsigned i = 0; i < p->servers_count; i++) {
		const struct settings_server *s = &p->servers[i];

		if (joins && (!s->join_eui_prefix || prefix_read(s->join_eui_prefix, &prefix) < 0))
			return err_set(err, ERR_FORMAT,
				"%s: servers %u: join_eui_prefix: need 16 digits, or 16/BITS",
				where, i + 1);
		if (!joins &&
			(!s->net_id ||
				hex_read_exact(text_span(s->net_id), net_id, sizeof(net_id)) < 0))
			return err_set(err, ERR_FORMAT, "%s: servers %u: net_id: need 6 digits",
				where, i + 1);
	}
	return 0;
}

static int check_peers(const struct settings *s, struct err *err)
{
	const struct settings_peers *js = &s->join_server, *ns = &s->network_server;
	int rc = tls_config_check(&js->tls, "join_server", err);

	if (rc == 0)
		rc = tls_config_check(&ns->tls, "network_server", err);
	if (rc == 0)
		rc = check_servers(js, "join_server", true, err);
	if (rc == 0)
		rc = check_servers(ns, "network_server", false, err);
	return rc;
}

/* Who speaks for a network chooses the SessionKeyID, and may choose the JoinEUI it names. */
static int check_device(const struct settings_device *d, bool by_dns, struct err *err)
{
	if (d->app_s_key && !d->net_id)
		return err_set(err, ERR_FORMAT,
			"device %s: net_id: missing; any network could speak for it", d->dev_eui);
	if (!d->app_s_key && !d->join_eui && by_dns)
		return err_set(err, ERR_FORMAT,
			"device %s: join_eui: missing; a network could name a Join Server of its "
			"own",
			d->dev_eui);
	return 0;
}

static int check_devices(const struct settings *s, struct err *err)
{
	bool by_dns = s->join_server.resolve_join_eui_domain_suffix && !s->join_server.tls.server;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < s->applications_count; i++)
		for (unsigned k = 0; rc == 0 && k < s->applications[i].devices_count; k++)
			rc = check_device(&s->applications[i].devices[k], by_dns, err);
	return rc;
}

static int check(const struct settings *s, struct err *err)
{
	int rc = tls_config_check(&s->backend_interfaces, "backend_interfaces", err);

	if (rc < 0)
		return rc;
	if (!s->backend_interfaces.bind)
		return err_set(err, ERR_FORMAT, "backend_interfaces: bind is missing");
	if (!s->clients_count && !s->backend_interfaces.insecure_plain)
		return err_set(err, ERR_FORMAT, "clients: no rule, so nobody could speak to us");
	if (strlen(s->as_id) >= HEADER_ID_MAX)
		return err_set(err, ERR_FORMAT, "as_id: too long");
	rc = check_peers(s, err);
	return rc ? rc : check_devices(s, err);
}

/* What needs the engine, or the policy, to be found wrong: the same code as at the start. */
static int check_parts(const struct settings *s, struct err *err)
{
	struct application_config config = { 0 };
	struct application *engine = NULL;
	struct talk_kek *keks = NULL;
	struct policy *policy = NULL;
	int rc = 0;

	if (s->clients_count)
		rc = policy_new(s->clients, s->clients_count, &policy, err);
	policy_free(policy);
	if (rc == 0)
		rc = config_keks(s, &keks, err);
	if (keks)
		secret_wipe_octets(keks, s->keks_count * sizeof(*keks));
	free(keks);
	if (rc == 0)
		rc = application_new(&config, &engine, err);
	if (rc == 0)
		rc = config_devices(s, engine, err);
	application_free(engine);
	return rc;
}

int config_read(const char *path, struct settings **out, struct err *err)
{
	struct settings *s;
	void *data;
	int rc = config_load(path, &schema, &data, err);

	if (rc < 0)
		return rc;
	s = data;
	rc = check(s, err);
	if (rc == 0)
		rc = check_parts(s, err);
	if (rc < 0) {
		config_drop(s);
		return err_wrap(err, rc, "%s", path);
	}
	*out = s;
	return 0;
}

void config_drop(struct settings *s)
{
	for (unsigned i = 0; s && i < s->keks_count; i++)
		secret_wipe_octets(s->keks[i].kek, strlen(s->keks[i].kek));
	config_free(&schema, s);
}

static void info_of(const struct settings_application *a, struct event_device *out)
{
	*out = (struct event_device){ .tenant_id = a->tenant_id,
		.tenant_name = a->tenant_name,
		.application_id = a->id,
		.application_name = a->name,
		.device_profile_id = a->device_profile_id,
		.device_profile_name = a->device_profile_name };
}

/* A settings_tag has the shape of an event_tag; only its constness differs. */
static_assert(sizeof(struct settings_tag) == sizeof(struct event_tag), "tags are handed over");

static int add_device(const struct settings_application *app, const struct settings_device *d,
	struct application *a, struct err *err)
{
	struct application_device device = { 0 };
	int rc;

	if (eui_of(d->dev_eui, &device.dev_eui) < 0)
		return err_set(err, ERR_FORMAT, "device '%s': dev_eui: need 16 digits", d->dev_eui);
	device.has_join_eui = d->join_eui != NULL;
	if (d->join_eui && eui_of(d->join_eui, &device.join_eui) < 0)
		return err_set(err, ERR_FORMAT, "device %s: join_eui: need 16 digits", d->dev_eui);
	device.has_app_s_key = d->app_s_key != NULL;
	if (d->app_s_key && hex_read_exact(text_span(d->app_s_key), device.app_s_key, 16) < 0)
		return err_set(err, ERR_FORMAT, "device %s: app_s_key: need 32 digits", d->dev_eui);
	device.has_net_id = d->net_id != NULL;
	if (d->net_id && !header_net_id(d->net_id, &device.net_id))
		return err_set(err, ERR_FORMAT, "device %s: net_id: need 6 digits", d->dev_eui);
	info_of(app, &device.info);
	device.info.device_name = d->name;
	device.info.tags = (const struct event_tag *)(const void *)d->tags;
	device.info.tag_count = d->tags_count;
	rc = application_add_device(a, &device, err);
	secret_wipe_octets(&device, sizeof(device));
	return rc;
}

int config_devices(const struct settings *s, struct application *a, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < s->applications_count; i++)
		for (unsigned k = 0; rc == 0 && k < s->applications[i].devices_count; k++)
			rc = add_device(&s->applications[i], &s->applications[i].devices[k], a,
				err);
	return rc;
}

/* What is in the clear is on loopback, and said by its address. */
bool config_asks_dns(const struct settings *s)
{
	const struct tls_block *ns = &s->network_server.tls;

	/* Without a certificate of its own it is spoken to as a Join Server is. */
	return !s->backend_interfaces.insecure_plain || !s->join_server.tls.insecure_plain ||
		(ns->tls_cert && !ns->insecure_plain);
}

void config_unknown(const struct settings *s, struct application_config *out)
{
	for (unsigned i = 0; i < s->applications_count && !out->accept_unknown; i++)
		if (s->applications[i].accept_unknown) {
			out->accept_unknown = true;
			info_of(&s->applications[i], &out->unknown);
		}
}

int config_keks(const struct settings *s, struct talk_kek **out, struct err *err)
{
	struct talk_kek *keks = calloc(s->keks_count ? s->keks_count : 1, sizeof(*keks));

	if (!keks)
		return err_set(err, ERR_NOMEM, "keks: no memory");
	for (unsigned i = 0; i < s->keks_count; i++) {
		size_t n = 0;

		if (strlen(s->keks[i].label) >= sizeof(keks[i].label) ||
			hex_read(text_span(s->keks[i].kek), keks[i].key.octets, SECRET_MAX, &n) <
				0 ||
			(n != 16 && n != 24 && n != 32)) {
			free(keks);
			return err_set(err, ERR_FORMAT,
				"keks %u: need a short label and 32, 48 or 64 digits", i + 1);
		}
		strcpy(keks[i].label, s->keks[i].label);
		keks[i].key.n = (uint8_t)n;
	}
	*out = keks;
	return 0;
}
