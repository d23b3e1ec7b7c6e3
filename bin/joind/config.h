/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - sardane-joind's configuration file, read and checked.
 *
 *   database: /var/lib/sardane/joind.db
 *   root_key_kek_file: /etc/sardane/root.kek   hexadecimal; wraps keys at rest
 *   join_server:                               bind, tls_cert, tls_key ...: program/tls_config.h
 *     resolv_conf, strict_version, lifetime, group_max
 *     kek: {required, app_s_key, as_kek_label, set: [{label, kek, net_id, as_id}]}
 *   resolver:                                  program/resolver_config.h
 *   clients:                                   program/policy.h
 *   resolve_net_id_domain_suffix, as_id_by_name, user, sandbox
 *
 *   Ownership  config_done frees what config_read made, and wipes its keys.
 *   Errors     ERR_FORMAT, ERR_SYSTEM with words that name the file or the key.
 */
#ifndef JOIND_CONFIG_H
#define JOIND_CONFIG_H

#include "join/decide.h"
#include "program/policy.h"
#include "program/resolver_config.h"
#include "program/tls_config.h"

struct config_kek_block {
	char *label, *kek, *net_id, *as_id;
};

struct config_keks_block {
	bool required;
	int app_s_key; /* enum decide_app_s_key */
	char *as_kek_label;
	struct config_kek_block *set;
	unsigned set_count;
};

struct config_server_block {
	struct tls_block tls;
	char *resolv_conf;
	bool strict_version;
	unsigned lifetime;
	unsigned group_max;
	struct config_keks_block kek;
};

/* The file, as it is written. */
struct config_file {
	char *database;
	char *root_key_kek_file;
	struct config_server_block join_server;
	struct resolver_block resolver;
	struct policy_rule *clients;
	unsigned clients_count;
	char *resolve_net_id_domain_suffix;
	bool as_id_by_name;
	char *user;
	bool *sandbox;
};

/* The file, as it is used. */
struct config {
	struct config_file *file;
	enum tls_config_mode mode;
	struct policy *policy;
	struct resolver_settings resolver;
	bool has_resolver; /* mode dane, or a suffix to bind by */
	struct kek_set keks;
	struct decide_policy decide;
	struct secret root_kek;
};

int config_read(const char *path, struct config *out, struct err *err);
void config_done(struct config *c);

#endif
