/* SPDX-License-Identifier: Apache-2.0 */
#include "networkd/config.h"

#include <stdlib.h>
#include <string.h>

#include "backend/prefix.h"
#include "base/hex.h"

#define TEXT(s, key) \
	CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, s, key, 1, 4096)
#define MUST(s, key)   CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER, s, key, 1, 4096)
#define NUMBER(s, key) CYAML_FIELD_UINT(#key, CYAML_FLAG_OPTIONAL, s, key)
#define YES_NO(s, key) CYAML_FIELD_BOOL_PTR(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, s, key)
#define LIST(s, key, schema, most)                                                                 \
	CYAML_FIELD_SEQUENCE(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, s, key, &(schema), 0, \
		most)
#define BLOCK(s, key, fields) CYAML_FIELD_MAPPING(#key, CYAML_FLAG_OPTIONAL, s, key, fields)
#define ITEM(name, type, fields)                                                                 \
	static const cyaml_schema_value_t name = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, type, \
		fields) }

static const cyaml_schema_field_t udp_fields[] = {
	TEXT(struct settings_udp, bind),
	NUMBER(struct settings_udp, per_source_max),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t network_fields[] = {
	TEXT(struct settings_network, region),
	TEXT(struct settings_network, deduplication_delay),
	TEXT(struct settings_network, get_downlink_data_delay),
	TEXT(struct settings_network, device_status_interval),
	TEXT(struct settings_network, downlink_ttl),
	NUMBER(struct settings_network, rx1_delay),
	NUMBER(struct settings_network, rx1_dr_offset),
	YES_NO(struct settings_network, adr),
	NUMBER(struct settings_network, adr_margin),
	NUMBER(struct settings_network, sessions_max),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t join_fields[] = {
	TEXT(struct settings_join, join_eui_prefix),
	MUST(struct settings_join, server),
	TEXT(struct settings_join, mac_version),
	CYAML_FIELD_BOOL("short_version", CYAML_FLAG_OPTIONAL, struct settings_join, short_version),
	CYAML_FIELD_END,
};
ITEM(join_schema, struct settings_join, join_fields);

/* The default has a server only when one is configured: DNS may find them all. */
static const cyaml_schema_field_t default_fields[] = {
	TEXT(struct settings_join, server),
	TEXT(struct settings_join, mac_version),
	CYAML_FIELD_BOOL("short_version", CYAML_FLAG_OPTIONAL, struct settings_join, short_version),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t join_server_fields[] = {
	TLS_CONFIG_FIELDS(struct settings_join_server, tls.),
	TEXT(struct settings_join_server, resolve_join_eui_domain_suffix),
	TEXT(struct settings_join_server, resolve_domain_suffix),
	YES_NO(struct settings_join_server, resolve_join_eui),
	TEXT(struct settings_join_server, resolv_conf),
	TEXT(struct settings_join_server, timeout),
	CYAML_FIELD_MAPPING("default", CYAML_FLAG_OPTIONAL, struct settings_join_server, def,
		default_fields),
	LIST(struct settings_join_server, servers, join_schema, 4096),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t as_fields[] = {
	TEXT(struct settings_as, join_eui_prefix),
	MUST(struct settings_as, as_id),
	MUST(struct settings_as, server),
	CYAML_FIELD_END,
};
ITEM(as_schema, struct settings_as, as_fields);

static const cyaml_schema_field_t application_server_fields[] = {
	TLS_CONFIG_FIELDS(struct settings_application_server, tls.),
	TEXT(struct settings_application_server, retry_for),
	NUMBER(struct settings_application_server, queue_max),
	YES_NO(struct settings_application_server, accept_from_join_server),
	LIST(struct settings_application_server, servers, as_schema, 4096),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t kek_fields[] = {
	MUST(struct settings_kek, label),
	MUST(struct settings_kek, kek),
	CYAML_FIELD_END,
};
ITEM(kek_schema, struct settings_kek, kek_fields);

static const cyaml_schema_field_t abp_fields[] = {
	MUST(struct settings_abp, dev_eui),
	MUST(struct settings_abp, dev_addr),
	TEXT(struct settings_abp, nwk_s_key),
	TEXT(struct settings_abp, f_nwk_s_int_key),
	TEXT(struct settings_abp, s_nwk_s_int_key),
	TEXT(struct settings_abp, nwk_s_enc_key),
	TEXT(struct settings_abp, as_id),
	TEXT(struct settings_abp, server),
	CYAML_FIELD_END,
};
ITEM(abp_schema, struct settings_abp, abp_fields);

static const cyaml_schema_field_t fields[] = {
	MUST(struct settings, net_id),
	MUST(struct settings, database),
	TEXT(struct settings, user),
	YES_NO(struct settings, sandbox),
	BLOCK(struct settings, semtech_udp, udp_fields),
	BLOCK(struct settings, network, network_fields),
	BLOCK(struct settings, join_server, join_server_fields),
	BLOCK(struct settings, application_server, application_server_fields),
	BLOCK(struct settings, api, tls_config_fields),
	LIST(struct settings, clients, policy_rule_schema, 4096),
	LIST(struct settings, keks, kek_schema, 256),
	LIST(struct settings, devices, abp_schema, 100000),
	BLOCK(struct settings, resolver, resolver_config_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = CONFIG_SCHEMA(struct settings, fields);

static struct span text_span(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

/* A number of n octets in hexadecimal, 0x allowed. */
static int read_id(const char *what, const char *text, unsigned n, uint64_t *out, struct err *err)
{
	uint8_t octets[8];
	uint64_t v = 0;

	if (text[0] == '0' && (text[1] | 0x20) == 'x')
		text += 2;
	if (hex_read_exact(text_span(text), octets, n) < 0)
		return err_set(err, ERR_FORMAT, "%s '%s': need %u hexadecimal digits", what, text,
			2 * n);
	for (unsigned i = 0; i < n; i++)
		v = v << 8 | octets[i];
	*out = v;
	return 0;
}

int config_duration(const char *text, unsigned fallback_ms, unsigned *out, struct err *err)
{
	static const struct {
		const char *unit;
		unsigned ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	unsigned long v;
	char *end;

	if (!text) {
		*out = fallback_ms;
		return 0;
	}
	v = strtoul(text, &end, 10);
	for (unsigned i = 0; i < 4; i++)
		if (end != text && text[0] != '-' && v <= 1000000 &&
			strcmp(end, units[i].unit) == 0 && v * units[i].ms <= 0x7fffffff) {
			*out = (unsigned)(v * units[i].ms);
			return 0;
		}
	return err_set(err, ERR_FORMAT, "duration '%s': need a number and ms, s, m or h", text);
}

static int check_prefix(const char *where, const char *text, struct err *err)
{
	struct prefix p;

	if (text && prefix_read(text, &p) < 0)
		return err_set(err, ERR_FORMAT, "%s: join_eui_prefix '%s': need 16 digits/bits",
			where, text);
	return 0;
}

static int check_tables(const struct settings *s, struct err *err)
{
	const struct settings_join_server *js = &s->join_server;
	const struct settings_application_server *as = &s->application_server;
	int rc = 0;

	for (unsigned i = 0; i < js->servers_count && rc == 0; i++)
		rc = check_prefix("join_server.servers", js->servers[i].join_eui_prefix, err);
	for (unsigned i = 0; i < as->servers_count && rc == 0; i++) {
		rc = check_prefix("application_server.servers", as->servers[i].join_eui_prefix,
			err);
		if (rc == 0 &&
			(strlen(as->servers[i].as_id) >= SESSION_AS_ID_MAX ||
				strlen(as->servers[i].server) >= SESSION_AS_URL_MAX))
			rc = err_set(err, ERR_FORMAT,
				"application_server.servers: as_id or server too long");
	}
	for (unsigned i = 0; i < s->keks_count && rc == 0; i++) {
		size_t n = strlen(s->keks[i].kek);

		if (n != 32 && n != 48 && n != 64)
			rc = err_set(err, ERR_FORMAT, "keks: '%s' has not 16, 24 or 32 octets",
				s->keks[i].label);
	}
	return rc;
}

static int check(const struct settings *s, struct err *err)
{
	struct network_config engine;
	struct session abp = { 0 };
	int rc = config_engine(s, &engine, err);

	rc = rc ? rc : tls_config_check(&s->join_server.tls, "join_server", err);
	rc = rc ? rc : tls_config_check(&s->application_server.tls, "application_server", err);
	rc = rc ? rc : tls_config_check(&s->api, "api", err);
	rc = rc ? rc : check_tables(s, err);
	for (unsigned i = 0; i < s->devices_count && rc == 0; i++)
		rc = config_abp(s, &s->devices[i], &abp, err);
	session_wipe(&abp);
	return rc;
}

int config_settings_load(const char *path, struct settings **out, struct err *err)
{
	void *read = NULL;
	int rc = config_load(path, &schema, &read, err);

	if (rc < 0)
		return rc;
	rc = check(read, err);
	if (rc < 0) {
		config_settings_free(read);
		return err_wrap(err, rc, "%s", path);
	}
	*out = read;
	return 0;
}

void config_settings_free(struct settings *s)
{
	config_free(&schema, s);
}

/* What is in the clear is on loopback, and said by its address. */
bool config_asks_dns(const struct settings *s)
{
	const struct tls_block *as = &s->application_server.tls;
	enum tls_config_mode mode = TLS_CONFIG_DANE;

	/* Without a certificate of its own it is spoken to as a Join Server is. */
	if (!s->join_server.tls.insecure_plain || (as->tls_cert && !as->insecure_plain))
		return true;
	if (!s->api.bind || s->api.insecure_plain)
		return false;
	return tls_config_mode(&s->api, &mode, NULL) != 0 || mode != TLS_CONFIG_PKIX;
}

static int network_times(const struct settings_network *n, struct network_config *c,
	struct err *err)
{
	unsigned ms;
	int rc = config_duration(n->deduplication_delay, 200, &c->deduplication_ms, err);

	rc = rc ? rc : config_duration(n->get_downlink_data_delay, 100, &c->downlink_wait_ms, err);
	rc = rc ? rc : config_duration(n->device_status_interval, 86400000, &ms, err);
	if (rc == 0)
		c->status_interval_s = ms / 1000;
	rc = rc ? rc : config_duration(n->downlink_ttl, 86400000, &ms, err);
	if (rc == 0)
		c->downlink_ttl_s = ms / 1000;
	return rc;
}

int config_engine(const struct settings *s, struct network_config *out, struct err *err)
{
	const struct settings_network *n = &s->network;
	const char *region = n->region ? n->region : "EU868";
	struct network_config c = { .mac_version = VERSION_1_1_0 };
	uint64_t net_id = 0;
	int rc = read_id("net_id", s->net_id, 3, &net_id, err);

	rc = rc ? rc : network_times(n, &c, err);
	rc = rc ? rc : config_duration(s->join_server.timeout, 4000, &c.join_timeout_ms, err);
	if (rc < 0)
		return rc;
	c.net_id = (uint32_t)net_id;
	c.region = region_find(text_span(region));
	if (!c.region)
		return err_set(err, ERR_FORMAT, "network.region '%s' is not known", region);
	if (n->rx1_delay > 15 || n->rx1_dr_offset > c.region->max_rx1_offset)
		return err_set(err, ERR_FORMAT,
			"network: rx1_delay above 15 or rx1_dr_offset above %u",
			c.region->max_rx1_offset);
	/* RX1 of an answer must lie behind both waits. */
	if (c.deduplication_ms + c.downlink_wait_ms >=
		(n->rx1_delay ? n->rx1_delay : 1) * 1000 - 100)
		return err_set(err, ERR_FORMAT,
			"network: deduplication_delay and get_downlink_data_delay leave no time for RX1");
	c.rx1_delay = (uint8_t)n->rx1_delay;
	c.rx1_offset = (uint8_t)n->rx1_dr_offset;
	c.adr = !n->adr || *n->adr;
	c.adr_margin = (int16_t)((n->adr_margin < 100 ? n->adr_margin : 100) * 10);
	c.sessions_max = n->sessions_max;
	*out = c;
	return 0;
}

static int read_key(const char *what, const char *text, uint8_t out[LORAWAN_KEY_OCTETS],
	struct err *err)
{
	if (!text || hex_read_exact(text_span(text), out, LORAWAN_KEY_OCTETS) < 0)
		return err_set(err, ERR_FORMAT, "%s: need 32 hexadecimal digits", what);
	return 0;
}

static int abp_keys(const struct settings_abp *from, struct session *s, struct err *err)
{
	int rc;

	s->lw11 = !from->nwk_s_key;
	if (s->lw11) {
		rc = read_key("f_nwk_s_int_key", from->f_nwk_s_int_key, s->f_nwk_s_int, err);
		rc = rc ? rc
			: read_key("s_nwk_s_int_key", from->s_nwk_s_int_key, s->s_nwk_s_int, err);
		return rc ? rc : read_key("nwk_s_enc_key", from->nwk_s_enc_key, s->nwk_s_enc, err);
	}
	rc = read_key("nwk_s_key", from->nwk_s_key, s->f_nwk_s_int, err);
	memcpy(s->s_nwk_s_int, s->f_nwk_s_int, LORAWAN_KEY_OCTETS);
	memcpy(s->nwk_s_enc, s->f_nwk_s_int, LORAWAN_KEY_OCTETS);
	return rc;
}

int config_abp(const struct settings *s, const struct settings_abp *from, struct session *out,
	struct err *err)
{
	struct network_config c;
	struct session abp = { .abp = true,
		.slot = SESSION_ACTIVE,
		.transmissions = 1,
		.battery = 255 };
	uint64_t addr = 0;
	int rc = config_engine(s, &c, err);

	rc = rc ? rc : read_id("dev_eui", from->dev_eui, 8, &abp.dev_eui, err);
	rc = rc ? rc : read_id("dev_addr", from->dev_addr, 4, &addr, err);
	rc = rc ? rc : abp_keys(from, &abp, err);
	if (rc == 0 && !from->as_id != !from->server)
		rc = err_set(err, ERR_FORMAT, "as_id and server go together");
	if (rc == 0 && from->server &&
		(strlen(from->as_id) >= SESSION_AS_ID_MAX ||
			strlen(from->server) >= SESSION_AS_URL_MAX))
		rc = err_set(err, ERR_FORMAT, "as_id or server too long");
	if (rc < 0) {
		session_wipe(&abp);
		return err_wrap(err, rc, "devices: %s", from->dev_eui);
	}
	abp.dev_addr = (uint32_t)addr;
	abp.rx_delay = c.rx1_delay;
	abp.rx1_offset = c.rx1_offset;
	abp.rx2_rate = c.region->rx2_rate;
	abp.rx2_hz = c.region->rx2_hz;
	if (from->server) {
		strcpy(abp.as_id, from->as_id);
		strcpy(abp.as_url, from->server);
	}
	*out = abp;
	session_wipe(&abp);
	return 0;
}
