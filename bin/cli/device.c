/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/device.h"

#include <cyaml/cyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "store/kekfile.h"

bool device_option(struct device_database *from, int c, const char *value)
{
	switch (c) {
	case 'd': from->db = value; return true;
	case 'c': from->config = value; return true;
	case 'k': from->kek_file = value; return true;
	default: return false;
	}
}

/* The two keys of sardane-joind's configuration that matter here. */
struct server_config {
	char *database;
	char *root_key_kek_file;
};

static const cyaml_schema_field_t server_fields[] = {
	CYAML_FIELD_STRING_PTR("database", CYAML_FLAG_POINTER, struct server_config, database, 1,
		500),
	CYAML_FIELD_STRING_PTR("root_key_kek_file", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct server_config, root_key_kek_file, 1, 4096),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t server_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct server_config, server_fields),
};

static const cyaml_config_t reading = {
	.mem_fn = cyaml_mem,
	.flags = CYAML_CFG_IGNORE_UNKNOWN_KEYS | CYAML_CFG_NO_ALIAS,
};

static int open_database(const struct command *self, const char *path, const char *kek_file,
	bool create, struct devices **out)
{
	struct err err = { 0 };
	SECRET kek = { .n = 0 };
	int rc = 0;

	if (kek_file)
		rc = kekfile_read(kek_file, &kek, &err);
	rc = rc ? rc : devices_open(path, &kek, create, out, &err);
	return rc ? command_fail(self, "%s", err.msg) : 0;
}

int device_open(const struct command *self, const struct device_database *from, bool create,
	struct devices **out)
{
	struct server_config *config = NULL;
	cyaml_err_t bad;
	int rc;

	if (from->db && from->config)
		return command_fail(self, "--db and --config exclude each other");
	if (from->db)
		return open_database(self, from->db, from->kek_file, create, out);
	if (!from->config)
		return command_fail(self, "--db FILE or --config FILE is needed; see --help");
	bad = cyaml_load_file(from->config, &reading, &server_schema, (cyaml_data_t **)&config,
		NULL);
	if (bad != CYAML_OK)
		return command_fail(self, "%s: %s", from->config, cyaml_strerror(bad));
	rc = open_database(self, config->database,
		from->kek_file ? from->kek_file : config->root_key_kek_file, create, out);
	cyaml_free(&reading, &server_schema, config, 0);
	return rc;
}

/* Hexadecimal with or without 0x, and with - or : or blanks between octets. */
static int read_octets(const char *what, const char *text, uint8_t *out, size_t n, struct err *err)
{
	char digits[80];
	size_t used = 0;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	for (; *text && used < sizeof(digits); text++)
		if (!strchr("-: ", *text))
			digits[used++] = *text;
	if (used != 2 * n)
		return err_set(err, ERR_FORMAT, "%s: %zu digits, need %zu", what, used, 2 * n);
	if (hex_read_exact((struct span){ (uint8_t *)digits, used }, out, n))
		return err_set(err, ERR_FORMAT, "%s: not hexadecimal", what);
	return 0;
}

static int read_number(const char *what, const char *text, size_t octets, uint64_t *out,
	struct err *err)
{
	uint8_t p[8];
	uint64_t v = 0;
	int rc = read_octets(what, text, p, octets, err);

	for (size_t i = 0; i < octets && !rc; i++)
		v = v << 8 | p[i];
	if (!rc)
		*out = v;
	return rc;
}

int device_read_eui(const struct command *self, const char *what, const char *text, uint64_t *out)
{
	struct err err;

	return read_number(what, text, 8, out, &err) ? command_fail(self, "%s", err.msg) : 0;
}

static const char *const word_names[DEVICE_WORDS] = {
	[DEVICE_DEV_EUI] = "dev_eui",
	[DEVICE_JOIN_EUI] = "join_eui",
	[DEVICE_VERSION] = "lorawan_version",
	[DEVICE_NAME] = "name",
	[DEVICE_APP_KEY] = "app_key",
	[DEVICE_NWK_KEY] = "nwk_key",
	[DEVICE_NET_ID] = "net_id",
	[DEVICE_APPLICATION_SERVER] = "application_server",
	[DEVICE_AS_ID] = "as_id",
	[DEVICE_NS_KEK_LABEL] = "ns_kek_label",
	[DEVICE_AS_KEK_LABEL] = "as_kek_label",
	[DEVICE_NONCES] = "nonces",
};

const char *device_word_name(enum device_word word)
{
	return word_names[word];
}

int device_word_find(const char *column)
{
	for (int w = 0; w < DEVICE_WORDS; w++)
		if (strcmp(column, word_names[w]) == 0)
			return w;
	return -1;
}

/* "1.0.3", and "MAC_V1_0_3" as The Things Stack writes it. */
static int read_version(const char *text, enum version *out, struct err *err)
{
	char plain[16];
	size_t n = 0;
	const char *p = strncmp(text, "MAC_V", 5) == 0 ? text + 5 : text;

	for (; *p && n < sizeof(plain); p++)
		plain[n++] = *p == '_' ? '.' : *p;
	if (version_read((struct span){ (uint8_t *)plain, n }, out))
		return err_set(err, ERR_FORMAT, "lorawan_version '%s': need 1.0.0 to 1.0.4 or 1.1",
			text);
	return 0;
}

static int read_net_ids(struct device *d, const char *text, struct err *err)
{
	char part[16];

	while (*(text += strspn(text, " ,"))) {
		size_t n = strcspn(text, " ,");
		uint64_t id = 0;
		int rc;

		if (n >= sizeof(part))
			return err_set(err, ERR_FORMAT, "net_id: %zu digits, need 6", n);
		memcpy(part, text, n);
		part[n] = 0;
		text += n;
		rc = read_number("net_id", part, 3, &id, err);
		if (rc)
			return rc;
		if (d->net_ids_n == DEVICE_NET_IDS_MAX)
			return err_set(err, ERR_FORMAT, "net_id: at most %d", DEVICE_NET_IDS_MAX);
		if (!device_allows_net_id(d, (uint32_t)id))
			d->net_ids[d->net_ids_n++] = (uint32_t)id;
	}
	return 0;
}

static int read_copy(const char *what, const char *text, char *out, size_t cap, struct err *err)
{
	if (strlen(text) >= cap)
		return err_set(err, ERR_FORMAT, "%s: %zu octets, at most %zu", what, strlen(text),
			cap - 1);
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return err_set(err, ERR_FORMAT, "%s: unprintable character", what);
	strcpy(out, text);
	return 0;
}

static int read_url(const char *text, char *out, size_t cap, struct err *err)
{
	if (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://127.0.0.1:", 17) != 0 &&
		strncmp(text, "http://[::1]:", 13) != 0)
		return err_set(err, ERR_FORMAT,
			"application_server: need https://, or http:// on loopback");
	return read_copy("application_server", text, out, cap, err);
}

int device_word_set(struct device *d, enum device_word word, const char *text, struct err *err)
{
	const char *what = word_names[word];

	if (!text[0])
		return 0;
	switch (word) {
	case DEVICE_DEV_EUI: return read_number(what, text, 8, &d->dev_eui, err);
	case DEVICE_JOIN_EUI: return read_number(what, text, 8, &d->join_eui, err);
	case DEVICE_VERSION: return read_version(text, &d->version, err);
	case DEVICE_NAME: return read_copy(what, text, d->name, sizeof(d->name), err);
	case DEVICE_APP_KEY: return read_octets(what, text, d->app_key, sizeof(d->app_key), err);
	case DEVICE_NWK_KEY: return read_octets(what, text, d->nwk_key, sizeof(d->nwk_key), err);
	case DEVICE_NET_ID: return read_net_ids(d, text, err);
	case DEVICE_APPLICATION_SERVER:
		return read_url(text, d->application_server, sizeof(d->application_server), err);
	case DEVICE_AS_ID: return read_copy(what, text, d->as_id, sizeof(d->as_id), err);
	case DEVICE_NS_KEK_LABEL:
		return read_copy(what, text, d->ns_kek_label, sizeof(d->ns_kek_label), err);
	case DEVICE_AS_KEK_LABEL:
		return read_copy(what, text, d->as_kek_label, sizeof(d->as_kek_label), err);
	case DEVICE_NONCES:
		if (device_nonce_rule_read(text, &d->nonce_rule))
			return err_set(err, ERR_FORMAT,
				"nonces '%s': need by-version, unused, "
				"rising or insecure-any",
				text);
		return 0;
	case DEVICE_WORDS: break;
	}
	return err_set(err, ERR_ARG, "no such word");
}

void device_begin(struct device *d)
{
	memset(d, 0, sizeof(*d));
	d->version = VERSION_1_0_3;
	d->dev_nonce = -1;
	d->rj_count1 = -1;
}

/*
 * A 1.0.x device has one root key, the AppKey; ChirpStack keeps it in its field nwk_key, so
 * that word alone is taken for it too.
 */
static int settle_one_key(struct device *d, struct err *err)
{
	static const uint8_t none[LORAWAN_KEY_OCTETS];
	bool app = memcmp(d->app_key, none, sizeof(none)) != 0;
	bool nwk = memcmp(d->nwk_key, none, sizeof(none)) != 0;

	if (version_has_two_keys(d->version) || !nwk)
		return 0;
	if (app && memcmp(d->app_key, d->nwk_key, sizeof(none)) != 0)
		return err_set(err, ERR_ARG,
			"nwk_key: LoRaWAN %s has one key, and app_key says another",
			version_text(d->version));
	memcpy(d->app_key, d->nwk_key, sizeof(none));
	secret_wipe_octets(d->nwk_key, sizeof(d->nwk_key));
	return 0;
}

int device_end(struct device *d, struct err *err)
{
	int rc = settle_one_key(d, err);

	return rc ? rc : device_check(d, err);
}

static void print_key(const char *name, const uint8_t key[LORAWAN_KEY_OCTETS], bool show)
{
	char text[2 * LORAWAN_KEY_OCTETS + 1] = "(not shown)";

	if (show)
		hex_write((struct span){ key, LORAWAN_KEY_OCTETS }, text, sizeof(text));
	printf("%-20s %s\n", name, text);
	secret_wipe_octets(text, sizeof(text));
}

static void print_unless_empty(const char *name, const char *text)
{
	if (text[0])
		printf("%-20s %s\n", name, text);
}

void device_print(const struct device *d, bool show_keys)
{
	printf("%-20s %016llx\n", "dev_eui", (unsigned long long)d->dev_eui);
	printf("%-20s %016llx\n", "join_eui", (unsigned long long)d->join_eui);
	print_unless_empty("name", d->name);
	print_unless_empty("lorawan_version", version_text(d->version));
	print_key("app_key", d->app_key, show_keys);
	if (version_has_two_keys(d->version))
		print_key("nwk_key", d->nwk_key, show_keys);
	printf("%-20s", "net_id");
	for (unsigned i = 0; i < d->net_ids_n; i++)
		printf(" %06x", d->net_ids[i]);
	printf("\n");
	print_unless_empty("application_server", d->application_server);
	print_unless_empty("as_id", d->as_id);
	print_unless_empty("ns_kek_label", d->ns_kek_label);
	print_unless_empty("as_kek_label", d->as_kek_label);
	print_unless_empty("nonces", device_nonce_rule_word(d->nonce_rule));
	printf("%-20s %u\n", "join_nonce", d->join_nonce);
	if (d->dev_nonce >= 0)
		printf("%-20s %d\n", "last_dev_nonce", d->dev_nonce);
	if (d->used.n)
		printf("%-20s %u\n", "used_dev_nonces", nonces_count(&d->used));
	if (d->rj_count1 >= 0)
		printf("%-20s %d\n", "last_rj_count1", d->rj_count1);
}
