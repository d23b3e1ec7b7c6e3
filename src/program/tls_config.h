/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_config - one end of TLS as the configuration files say it, in the words of the
 * paper's set-up.
 *
 *   bind: 0.0.0.0:8003               listening end
 *   server: https://js.example:8003  connecting end: a fixed target instead of DNS
 *   tls_cert, tls_key                PEM files
 *   ca_cert                          PEM file; modes pkix and dane-or-pkix
 *   mode: dane | pkix | dane-or-pkix
 *   enable_dane: true | false        older word: false is mode pkix; against mode: refused
 *   dane_client_name                 connecting end: complete owner name of our TLSA
 *   client_id_extension: 65280       TLS extension number, both ends alike
 *   compat: false                    tolerate the empty extension of older drafts
 *   tickets: false                   listening end
 *   insecure_plain: false            plain HTTP, loopback only
 *
 *   In a schema  CYAML_FIELD_MAPPING("join_server", CYAML_FLAG_OPTIONAL, struct my_config,
 *                tls, tls_config_fields), or TLS_CONFIG_FIELDS(struct my_config, tls) to
 *                lay the keys out among others.
 */
#ifndef PROGRAM_TLS_CONFIG_H
#define PROGRAM_TLS_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "program/config.h"

/* As enum tls_mode of tls/server.h, with "not said" before it. */
enum tls_config_mode {
	TLS_CONFIG_UNSAID,
	TLS_CONFIG_DANE,
	TLS_CONFIG_PKIX,
	TLS_CONFIG_DANE_OR_PKIX,
};

struct tls_block {
	char *bind;
	char *server;
	char *tls_cert;
	char *tls_key;
	char *ca_cert;
	enum tls_config_mode mode;
	bool *enable_dane;
	char *dane_client_name;
	uint16_t client_id_extension;
	bool compat;
	bool tickets;
	bool insecure_plain;
};

extern const cyaml_strval_t tls_config_modes[3];
extern const cyaml_schema_field_t tls_config_fields[];

#define TLS_CONFIG_STRING(s, m, key) \
	CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, s, m key, 1, 4096)

/* m is the member with its dot ("tls."), or empty when s is struct tls_block itself. */
#define TLS_CONFIG_FIELDS(s, m)                                                                  \
	TLS_CONFIG_STRING(s, m, bind), TLS_CONFIG_STRING(s, m, server),                          \
		TLS_CONFIG_STRING(s, m, tls_cert), TLS_CONFIG_STRING(s, m, tls_key),             \
		TLS_CONFIG_STRING(s, m, ca_cert), TLS_CONFIG_STRING(s, m, dane_client_name),     \
		CYAML_FIELD_ENUM("mode", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, s, m mode,     \
			tls_config_modes, 3),                                                    \
		CYAML_FIELD_BOOL_PTR("enable_dane", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, s, \
			m enable_dane),                                                          \
		CYAML_FIELD_UINT("client_id_extension", CYAML_FLAG_OPTIONAL, s,                  \
			m client_id_extension),                                                  \
		CYAML_FIELD_BOOL("compat", CYAML_FLAG_OPTIONAL, s, m compat),                    \
		CYAML_FIELD_BOOL("tickets", CYAML_FLAG_OPTIONAL, s, m tickets),                  \
		CYAML_FIELD_BOOL("insecure_plain", CYAML_FLAG_OPTIONAL, s, m insecure_plain)

/* The mode meant by mode and enable_dane together; DANE when neither is said. */
int tls_config_mode(const struct tls_block *block, enum tls_config_mode *out, struct err *err);

/* Everything that can be said before a file is opened: both of cert and key, a CA file for
 * PKIX, a name that is a name. where is the block's key, for the words. */
int tls_config_check(const struct tls_block *block, const char *where, struct err *err);

#endif
