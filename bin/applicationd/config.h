/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - applicationd.yaml: where to listen, whom to ask, what the devices are called.
 *
 *   Words      ChirpStack v4's and the paper's where there is one: backend_interfaces, join_server,
 *              servers, join_eui_prefix, keks, resolve_..._domain_suffix, tls_cert, tls_key,
 *              dane_client_name. man/sardane-applicationd.8.scd tells each.
 *   Ownership  config_read gives, settings_free takes back.
 *   Errors     ERR_FORMAT and ERR_SYSTEM with words: "FILE:LINE: key: reason".
 */
#ifndef APPLICATIOND_CONFIG_H
#define APPLICATIOND_CONFIG_H

#include "application/application.h"
#include "application/talk.h"
#include "program/policy.h"
#include "program/resolver_config.h"
#include "program/tls_config.h"

struct settings_server {
	char *join_eui_prefix; /* "00005e1000000000/40"; the first that matches counts */
	char *net_id;
	char *server; /* https://host:port/path */
};

struct settings_peers {
	struct tls_block tls; /* server: for all, instead of DNS */
	char *resolve_join_eui_domain_suffix;
	char *resolve_net_id_domain_suffix;
	uint16_t port; /* when DNS names none */
	struct settings_server *servers;
	unsigned servers_count;
};

struct settings_kek {
	char *label, *kek;
};

struct settings_tag {
	char *key, *value;
};

struct settings_device {
	char *dev_eui, *join_eui, *net_id, *name, *app_s_key;
	struct settings_tag *tags;
	unsigned tags_count;
};

struct settings_application {
	char *id, *name, *tenant_id, *tenant_name, *device_profile_id, *device_profile_name;
	bool accept_unknown;
	struct settings_device *devices;
	unsigned devices_count;
};

struct settings {
	char *as_id;
	char *database, *events, *command_socket;
	char *session_key_kek_file; /* store/kekfile.h; wraps AppSKeys at rest */
	char *user;
	bool *fsync;   /* of the events; yes unless said otherwise */
	bool *sandbox; /* likewise */
	struct tls_block backend_interfaces;
	struct policy_rule *clients;
	unsigned clients_count;
	struct settings_peers join_server, network_server;
	struct settings_kek *keks;
	unsigned keks_count;
	struct settings_application *applications;
	unsigned applications_count;
	struct resolver_block resolver;
	unsigned hold_ms, timeout_ms, queue_max, devices_max;
};

int config_read(const char *path, struct settings **out, struct err *err);
void config_drop(struct settings *s);

/* Something it connects to, or lets in, is found or proved by DNS. */
bool config_asks_dns(const struct settings *s);

/* The devices and the one application for unknown ones, into the engine. */
int config_devices(const struct settings *s, struct application *a, struct err *err);
void config_unknown(const struct settings *s, struct application_config *out);

/* *out is the caller's array to wipe and free. */
int config_keks(const struct settings *s, struct talk_kek **out, struct err *err);

#endif
