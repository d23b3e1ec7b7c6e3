/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/unused.h"

#include <string.h>

#include "net/listen.h"
#include "program/config_keys.h"

/* What an entry is; a setting is for some of these. */
enum kind {
	OCTETS = 1,       /* a listener that passes on what it hears */
	HTTP = 2,         /* ... request by request */
	LORAWAN_IN = 4,   /* ... message by message */
	FIXED = 8,        /* an outbound entry to one host or service */
	BY_NAME = 16,     /* ... to the server name that is asked for */
	LORAWAN_OUT = 32, /* ... to the receiver of each message */
};

#define LISTENER (OCTETS | HTTP | LORAWAN_IN)
#define OUTBOUND (FIXED | BY_NAME | LORAWAN_OUT)
#define LORAWAN  (LORAWAN_IN | LORAWAN_OUT)
#define EVERY    (LISTENER | OUTBOUND)

/* Of the settings that one of the schemas has; those that are not here are for all it describes. */
static const struct setting {
	const char *key;
	unsigned is_for; /* enum kind */
	const char *words;
} settings[] = {
	{ "allow", EVERY & ~FIXED, "listeners, to: lorawan and to: sni:port" },
	{ "alpn", EVERY & ~LORAWAN, "all but lorawan" },
	{ "answer_timeout", LORAWAN, "lorawan" },
	{ "as_id_port", LORAWAN_OUT, "to: lorawan" },
	{ "backend_tls", LORAWAN_IN, "identity: lorawan" },
	{ "body_max", LORAWAN, "lorawan" },
	{ "connect_timeout", EVERY & ~LORAWAN, "all but lorawan, which has answer_timeout" },
	{ "dane_client_name", OUTBOUND, "outbound" },
	{ "half_closed_timeout", EVERY & ~LORAWAN, "all but lorawan" },
	{ "handshake_timeout", EVERY & ~FIXED, "what TLS or messages come in to" },
	{ "handshakes_max", EVERY & ~FIXED, "what TLS or messages come in to" },
	{ "header_max", HTTP, "identity: http" },
	{ "join_eui_suffix", LORAWAN_OUT, "to: lorawan" },
	{ "lifetime", EVERY & ~LORAWAN, "all but lorawan" },
	{ "local_cert", BY_NAME, "to: sni:port" },
	{ "local_key", BY_NAME, "to: sni:port" },
	{ "names", LISTENER & ~LORAWAN, "every identity but lorawan" },
	{ "net_id_suffix", LORAWAN, "lorawan" },
	{ "per_source_max", LISTENER, "listeners" },
	{ "request_timeout", LORAWAN, "lorawan" },
	{ "routes", LORAWAN_OUT, "to: lorawan" },
	{ "sni_required", LISTENER & ~LORAWAN, "every identity but lorawan" },
	{ "targets_max", BY_NAME, "to: sni:port" },
	{ "tickets", LISTENER, "listeners" },
};

static enum kind kind_of(const struct config_end *e, bool listener)
{
	if (!listener)
		return config_is_lorawan(e) ? LORAWAN_OUT : config_is_by_name(e) ? BY_NAME : FIXED;
	if (config_is_lorawan(e))
		return LORAWAN_IN;
	return e->identity == CONFIG_HTTP ? HTTP : OCTETS;
}

struct looking {
	const struct config *config;
	const char *path;
};

/* Both, of a socket at where: one of them is meant. */
static int check_rights(const char *key, const char *where, const char *mode, const char *group,
	struct err *err)
{
	bool is_mode = strcmp(strrchr(key, '_'), "_mode") == 0;
	struct rights rights;

	if (!where || !listen_is_unix(where))
		return err_set(err, ERR_FORMAT, "%s is for unix:/path", key);
	return rights_read(is_mode ? mode : NULL, is_mode ? NULL : group, &rights, err);
}

static bool is_one_of(const char *key, const char *one, const char *other)
{
	return strcmp(key, one) == 0 || strcmp(key, other) == 0;
}

static int check_top(const struct config_file *f, const char *key, struct err *err)
{
	if (!is_one_of(key, "status_mode", "status_group"))
		return 0;
	return check_rights(key, f->status, f->status_mode, f->status_group, err);
}

static int check_entry(const struct config_end *e, bool listener, const char *key, struct err *err)
{
	enum kind kind = kind_of(e, listener);

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (strcmp(settings[i].key, key) == 0 && !(settings[i].is_for & kind))
			return err_set(err, ERR_FORMAT, "%s is for %s", key, settings[i].words);
	if (!is_one_of(key, "socket_mode", "socket_group"))
		return 0;
	return check_rights(key, e->tls.bind, e->socket_mode, e->socket_group, err);
}

static int seen(void *arg, const struct config_key *k, struct err *err)
{
	const struct looking *l = arg;
	const struct config_file *f = l->config->file;
	bool listener = k->list && strcmp(k->list, "listeners") == 0;
	int rc;

	if (!k->list)
		rc = check_top(f, k->key, err);
	else
		rc = check_entry(listener ? &f->listeners[k->index] : &f->outbound[k->index],
			listener, k->key, err);
	if (rc != 0 && k->list)
		err_wrap(err, rc, "%s[%u]", k->list, k->index);
	return rc ? err_wrap(err, rc, "%s:%lu:%lu", l->path, k->line, k->column) : 0;
}

int unused_check(const struct config *config, const char *path, const char *text, struct err *err)
{
	return config_keys_each(text, seen, &(struct looking){ config, path }, err);
}
