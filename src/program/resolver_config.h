/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolver_config - the "resolver:" block, the same in every program and in a file of its own.
 *
 *   resolver:
 *     file: /path/resolver.yaml     (instead of all other keys: a file with this block)
 *     backend: validating | ad
 *     trust_anchor_file, trust_anchor_managed, trust_anchor_builtin
 *     forward: ["127.0.0.1@5353"]
 *     stub: [{zone: a.example, server: "127.0.0.1@5353"}]
 *     resolv_conf, server, helper, deadline_ms, open_max, open_per_source_max,
 *     cache_names_max, ttl_min_s, ttl_max_s, negative_ttl_max_s, serve_stale_s,
 *     val_override_date
 *     root_servers: ["127.0.0.1@5353"], authority_port   (what asks authoritative servers itself)
 *
 *   In a schema  CYAML_FIELD_MAPPING("resolver", CYAML_FLAG_OPTIONAL, struct my_config,
 *                resolver, resolver_config_fields)
 *   Ownership    settings own what config points at until resolver_config_done; the block
 *                they were made from must outlive them.
 *   Errors       ERR_FORMAT, ERR_SYSTEM, ERR_NOMEM.
 */
#ifndef PROGRAM_RESOLVER_CONFIG_H
#define PROGRAM_RESOLVER_CONFIG_H

#include <stdbool.h>

#include "program/config.h"
#include "resolve/resolver.h"

struct resolver_stub_block {
	char *zone;
	char *server;
};

struct resolver_block {
	char *file;
	enum resolver_backend backend;
	char *helper;
	char *trust_anchor_file;
	char *trust_anchor_managed;
	bool trust_anchor_builtin;
	char *resolv_conf;
	char **forward;
	unsigned forward_count;
	struct resolver_stub_block *stub;
	unsigned stub_count;
	char *server;
	unsigned deadline_ms;
	unsigned open_max;
	unsigned open_per_source_max;
	unsigned cache_names_max;
	unsigned ttl_min_s;
	unsigned ttl_max_s;
	unsigned negative_ttl_max_s;
	unsigned serve_stale_s;
	char *val_override_date;
	char **root_servers;
	unsigned root_servers_count;
	unsigned authority_port;
};

extern const cyaml_schema_field_t resolver_config_fields[];

struct resolver_settings {
	struct resolver_config config; /* ready for resolver_new; trace is the log's */
	char *const *root_servers; /* "addr@port", of authorities; NULL: those of the Internet */
	unsigned root_servers_count;
	uint16_t authority_port; /* of all other name servers; 53 when none is given */
	/* private */
	void *file;
	const char **forward;
	struct resolver_stub *stub;
};

/* From the block of a program's own file; follows "file:" once. */
int resolver_config_of(const struct resolver_block *block, struct resolver_settings *out,
	struct err *err);

/* From a file whose only top key is "resolver:". */
int resolver_config_load(const char *path, struct resolver_settings *out, struct err *err);

/* What is wrong with it, before anything is opened: of --check. */
int resolver_config_check(const struct resolver_block *block, struct err *err);

void resolver_config_done(struct resolver_settings *s);

#endif
