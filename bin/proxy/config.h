/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - sardane-proxy's configuration file, read and checked.
 *
 *   workers: 2, user, sandbox, token_folder, drain: 30, start_timeout: 60, stuck_timeout: 30,
 *   spin_us: 100, status: unix:/run/sardane-proxy/status, status_mode, status_group
 *   listeners:          TLS in, plain out
 *     - {name, bind, backend, identity, header_max, client_ca,
 *        allow: [{name, by, usage, spki_sha256}], sni_required,
 *        names: [{name, tls_cert, tls_key, tlsa_name, allow, backend}], program/tls_config.h}
 *   outbound:           plain in, TLS out
 *     - {name, bind, socket_mode, socket_group, insecure_bind_anywhere, to, program/tls_config.h}
 *   sni                 local_cert, local_key, targets_max, allow: [{name}]
 *   lorawan             routes: [{join_eui | net_id | as_id, url}], join_eui_suffix, net_id_suffix,
 *                       as_id_port, request_timeout, body_max,
 *                       answer_timeout, backend_tls: {name, ca_cert, certificates: [...]}
 *   more or less both   alpn: [...], connections_max, handshakes_max, per_source_max,
 *                       handshake_timeout, connect_timeout, idle_timeout, half_closed_timeout,
 *                       lifetime, grace, refusals_logged_max: proxy/unused.c says which has which
 *   resolver:           program/resolver_config.h
 *
 *   Time       seconds.
 *   Ownership  config_done frees what config_read made.
 *   Errors     ERR_FORMAT, ERR_SYSTEM with words that name the file or the key.
 */
#ifndef PROXY_CONFIG_H
#define PROXY_CONFIG_H

#include "net/dial.h"
#include "net/rights.h"
#include "program/resolver_config.h"
#include "program/tls_config.h"
#include "relay/router.h"
#include "relay/rule.h"

#define CONFIG_WORKERS_MAX 256
#define CONFIG_STATUS      "status" /* the name of its socket */

struct config_rule {
	char *name, *by, *usage, *spki_sha256;
	char *net_id, *as_id; /* identity lorawan: what the name may speak for */
};

enum config_identity {
	CONFIG_PROXY_V2,
	CONFIG_PROXY_V2_ADDRESSES,
	CONFIG_PROXY_V2_CERTIFICATE,
	CONFIG_IDENTITY_NONE,
	CONFIG_HTTP,
	CONFIG_LORAWAN
};

struct config_certificate {
	char *net_id, *tls_cert, *tls_key;
};

/* TLS to a backend that knows its clients by certificates, one for each NetID. */
struct config_backend_tls {
	char *name, *ca_cert;
	struct config_certificate *certificates;
	unsigned certificates_count;
};

/* Who asks a listener for this server name; what is not said is the listener's. */
struct config_name {
	char *name, *tls_cert, *tls_key, *tlsa_name, *backend;
	struct config_rule *allow;
	unsigned allow_count;
};

struct config_limits {
	unsigned connections_max, handshakes_max, per_source_max;
	unsigned handshake_timeout, connect_timeout, idle_timeout, half_closed_timeout;
	unsigned lifetime, grace;
	unsigned request_timeout;     /* of LoRaWAN */
	unsigned refusals_logged_max; /* lines each second */
};

/* One of listeners or of outbound. */
struct config_end {
	char *name;
	struct tls_block tls;
	struct config_limits limits;
	struct config_rule *allow; /* listeners */
	unsigned allow_count;
	char *client_ca; /* listeners: PEM; of whom rules by pkix are about, beside DANE */
	char *backend;
	char *tlsa_name; /* where our TLSA is; NULL: by port and certificate */
	enum config_identity identity;
	unsigned header_max;                   /* octets; identity http */
	struct config_backend_tls backend_tls; /* identity lorawan */
	char **alpn;                           /* the preferred first */
	unsigned alpn_count;
	char *to;                              /* outbound */
	char *local_cert, *local_key;          /* sni: towards the program beside us */
	char *join_eui_suffix, *net_id_suffix; /* lorawan; the second of a listener too */
	uint16_t as_id_port;                   /* 0: an AS-ID is found by routes alone */
	struct router_route *routes;
	unsigned routes_count;
	unsigned answer_timeout, body_max; /* lorawan; octets */
	unsigned targets_max;              /* sni */
	char *socket_mode, *socket_group;  /* of bind: unix:/path */
	bool insecure_bind_anywhere;
	struct config_name *names; /* listeners */
	unsigned names_count;
	bool sni_required;
	/* Made of names: each the listener with what the name says otherwise. */
	struct config_end *inner;
	const char *server_name; /* of such a one; NULL: of none */
};

/* The file, as it is written, defaults filled in. */
struct config_file {
	unsigned workers;
	char *user;
	bool *sandbox;
	char *token_folder; /* what a PKCS#11 module reads and writes while it signs */
	unsigned drain, start_timeout, stuck_timeout;
	unsigned *spin_us; /* NULL: as config_spin_us says */
	char *status;      /* where metrics and peers are told; NULL: nowhere */
	char *status_mode, *status_group;
	struct config_end *listeners;
	unsigned listeners_count;
	struct config_end *outbound;
	unsigned outbound_count;
	struct resolver_block resolver;
};

struct config {
	struct config_file *file;
	struct resolver_settings resolver;
	bool has_resolver; /* some end asks DNS */
};

/* Of the Unix sockets of an entry, or of the status (NULL); ERR_FORMAT with words. */
int config_rights(const struct config *c, const struct config_end *e, struct rights *out,
	struct err *err);

int config_read(const char *path, struct config *out, struct err *err);
void config_done(struct config *c);

/* For how long a worker looks for what comes next; 0: not at all. */
unsigned config_spin_us(const struct config *c);

unsigned config_ends(const struct config *c);
/* Listeners first, then outbound. */
const struct config_end *config_end_at(const struct config *c, unsigned i);
bool config_is_listener(const struct config *c, unsigned i);

/* It reads Backend Interfaces, in or out. */
bool config_is_lorawan(const struct config_end *e);
/* The rule's way to be proved: what it says, or the only one that the mode has. */
const char *config_rule_by(const struct config_end *e, const struct config_rule *r);
/* The rules of a listener; ERR_FORMAT with words. */
int config_rules(const struct config_end *e, struct rule_set **out, struct err *err);
/* Where it leads is the server name that is asked for. */
bool config_is_by_name(const struct config_end *e);
/* "host.example:8883", "srv:_mqtt._tcp.example", or "sni:8883", which says no name. */
int config_target(const struct config_end *e, struct service_target *out, struct err *err);

#endif
