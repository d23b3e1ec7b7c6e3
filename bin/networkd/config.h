/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - networkd.yaml, read and checked.
 *
 *   Words      those of ChirpStack and of the paper's set-up where there is one.
 *   Durations  "200ms", "4s", "10m", "24h".
 *   Ownership  config_settings_free takes back what config_settings_load gave.
 *   Errors     ERR_FORMAT, ERR_SYSTEM with words.
 */
#ifndef NETWORKD_CONFIG_H
#define NETWORKD_CONFIG_H

#include "network/network.h"
#include "program/policy.h"
#include "program/resolver_config.h"
#include "program/tls_config.h"

struct settings_udp {
	char *bind;
	unsigned per_source_max; /* datagrams a second of one address; 0: 20000 */
};

struct settings_network {
	char *region;
	char *deduplication_delay, *get_downlink_data_delay, *device_status_interval, *downlink_ttl;
	unsigned rx1_delay, rx1_dr_offset;
	bool *adr;
	unsigned adr_margin; /* dB */
	unsigned sessions_max;
};

struct settings_join {
	char *join_eui_prefix; /* "70b3d57ed0000000/36"; NULL in join_server.default */
	char *server;
	char *mac_version;  /* to say in JoinReq; default 1.1.0 */
	bool short_version; /* "1.1" instead of "1.1.0" */
};

struct settings_join_server {
	struct tls_block tls;
	char *resolve_join_eui_domain_suffix; /* switches resolution by DNS on */
	char *resolve_domain_suffix;          /* older word for the same */
	bool *resolve_join_eui;               /* false: no DNS whatever the suffix */
	char *resolv_conf;
	char *timeout;
	struct settings_join def; /* "default" */
	struct settings_join *servers;
	unsigned servers_count;
};

struct settings_as {
	char *join_eui_prefix, *as_id, *server;
};

struct settings_application_server {
	struct tls_block tls; /* connecting end; join_server's when it names no certificate */
	char *retry_for;      /* how long an uplink is kept for an AS that is away; default 5m */
	unsigned queue_max;   /* messages waiting for one AS; default 1000 */
	bool *accept_from_join_server; /* take the AS that an authenticated JoinAns names */
	struct settings_as *servers;
	unsigned servers_count;
};

struct settings_kek {
	char *label, *kek;
};

struct settings_abp {
	char *dev_eui, *dev_addr;
	char *nwk_s_key;                                         /* 1.0 */
	char *f_nwk_s_int_key, *s_nwk_s_int_key, *nwk_s_enc_key; /* 1.1 */
	char *as_id, *server;
};

struct settings {
	char *net_id;
	char *database;
	char *user;
	bool *sandbox;
	struct settings_udp semtech_udp;
	struct settings_network network;
	struct settings_join_server join_server;
	struct settings_application_server application_server;
	struct tls_block api; /* listening end, for downlinks of Application Servers */
	struct policy_rule *clients;
	unsigned clients_count;
	struct settings_kek *keks;
	unsigned keks_count;
	struct settings_abp *devices;
	unsigned devices_count;
	struct resolver_block resolver;
};

int config_settings_load(const char *path, struct settings **out, struct err *err);
void config_settings_free(struct settings *s);

/* The engine's part; seed and clock are left to the caller. */
int config_engine(const struct settings *s, struct network_config *out, struct err *err);
int config_abp(const struct settings *s, const struct settings_abp *from, struct session *out,
	struct err *err);

/* Something it connects to, or lets in, is found or proved by DNS. */
bool config_asks_dns(const struct settings *s);

/* ms; fallback when text is NULL. ERR_FORMAT. */
int config_duration(const char *text, unsigned fallback_ms, unsigned *out, struct err *err);

#endif
