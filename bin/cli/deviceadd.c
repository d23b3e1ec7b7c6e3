/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deviceadd - "sardane device add": one device into the Join Server's database.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/device.h"

enum { OPT_WORD = 256, OPT_REPLACE = OPT_WORD + DEVICE_WORDS };

const char device_add_help[] =
	"usage: sardane device add DEV_EUI --join-eui EUI --app-key KEY --net-id ID [OPTIONS]\n\n"
	"Adds a device to the Join Server's database; sardane-joind may be running.\n\n"
	"  --join-eui EUI             its JoinEUI (AppEUI in 1.0.x)\n"
	"  --version V                LoRaWAN version, 1.0.0 to 1.0.4 or 1.1 (default 1.0.3)\n"
	"  --app-key KEY              the AppKey. A 1.0.x device has this one key alone, and\n"
	"                             ChirpStack calls it nwk_key: either option takes it\n"
	"  --nwk-key KEY              the NwkKey; LoRaWAN 1.1 has both\n"
	"  --net-id ID                network that may ask for it; the first is its home;\n"
	"                             may be repeated\n"
	"  --name TEXT                for people\n"
	"  --application-server URL   told to its network in the join answer\n"
	"  --as-id ID                 who may fetch its AppSKey\n"
	"  --ns-kek-label LABEL       KEK for its network keys, instead of the network's own\n"
	"  --as-kek-label LABEL       KEK for its AppSKey, instead of the AS's own\n"
	"  --nonces RULE              by-version (default), unused, rising or insecure-any\n"
	"  --replace                  change a device that is there; its nonces stay\n" //
	DEVICE_OPTIONS_HELP "  --help                     this text\n\n"
	"KEY is 32 hexadecimal digits, or @FILE, or - for standard input. Digits on the\n"
	"command line can be seen by every user of this machine while the command runs.\n";

static const struct option options[] = {
	{ "join-eui", required_argument, NULL, OPT_WORD + DEVICE_JOIN_EUI },
	{ "version", required_argument, NULL, OPT_WORD + DEVICE_VERSION },
	{ "app-key", required_argument, NULL, OPT_WORD + DEVICE_APP_KEY },
	{ "nwk-key", required_argument, NULL, OPT_WORD + DEVICE_NWK_KEY },
	{ "net-id", required_argument, NULL, OPT_WORD + DEVICE_NET_ID },
	{ "name", required_argument, NULL, OPT_WORD + DEVICE_NAME },
	{ "application-server", required_argument, NULL, OPT_WORD + DEVICE_APPLICATION_SERVER },
	{ "as-id", required_argument, NULL, OPT_WORD + DEVICE_AS_ID },
	{ "ns-kek-label", required_argument, NULL, OPT_WORD + DEVICE_NS_KEK_LABEL },
	{ "as-kek-label", required_argument, NULL, OPT_WORD + DEVICE_AS_KEK_LABEL },
	{ "nonces", required_argument, NULL, OPT_WORD + DEVICE_NONCES },
	{ "replace", no_argument, NULL, OPT_REPLACE },
	DEVICE_OPTIONS,
	{ 0 },
};

/* The first line of a descriptor. */
static int read_line(const char *what, int fd, char *out, size_t cap, struct err *err)
{
	size_t n = 0;
	ssize_t got = 0;

	while (n + 1 < cap && (got = read(fd, out + n, 1)) == 1 && out[n] != '\n')
		n++;
	if (got < 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", what, strerror(errno));
	while (n && (out[n - 1] == '\r' || out[n - 1] == ' '))
		n--;
	out[n] = 0;
	return 0;
}

/* KEY: digits, @FILE or -. */
static int read_key(const char *value, char *out, size_t cap, struct err *err)
{
	int fd, rc;

	if (strcmp(value, "-") == 0)
		return read_line("standard input", STDIN_FILENO, out, cap, err);
	if (value[0] != '@') {
		snprintf(out, cap, "%s", value);
		return 0;
	}
	fd = open(value + 1, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", value + 1, strerror(errno));
	rc = read_line(value + 1, fd, out, cap, err);
	close(fd);
	return rc;
}

static int set_word(struct device *d, enum device_word word, const char *value, struct err *err)
{
	char key[128];
	int rc;

	if (word != DEVICE_APP_KEY && word != DEVICE_NWK_KEY)
		return device_word_set(d, word, value, err);
	rc = read_key(value, key, sizeof(key), err);
	rc = rc ? rc : device_word_set(d, word, key, err);
	secret_wipe_octets(key, sizeof(key));
	return rc;
}

static int store(const struct command *self, const struct device_database *from,
	const struct device *d, bool replace)
{
	struct devices *db = NULL;
	struct err err = { 0 };
	bool existed = false;
	int rc = device_open(self, from, true, &db);

	if (rc)
		return rc;
	rc = devices_begin(db, &err);
	rc = rc ? rc : devices_add(db, d, replace, &existed, &err);
	rc = rc ? rc : devices_commit(db, &err);
	devices_close(db);
	if (rc)
		return command_fail(self, "%s", err.msg);
	if (existed && !replace)
		return command_fail(self, "%016llx: there already; --replace changes it",
			(unsigned long long)d->dev_eui);
	printf("%016llx: %s\n", (unsigned long long)d->dev_eui, existed ? "changed" : "added");
	return 0;
}

struct request {
	struct device_database from;
	struct device device;
	bool replace, join_eui;
};

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;
	struct err err;

	if (c == OPT_REPLACE)
		r->replace = true;
	else if (c < OPT_WORD || c >= OPT_WORD + DEVICE_WORDS)
		device_option(&r->from, c, optarg);
	else if (set_word(&r->device, (enum device_word)(c - OPT_WORD), optarg, &err) != 0)
		return command_fail(self, "%s", err.msg);
	r->join_eui |= c == OPT_WORD + DEVICE_JOIN_EUI;
	return 0;
}

static int read_request(const struct command *self, int argc, char **argv, struct request *r)
{
	struct err err = { 0 };
	int rc;

	if (option_all(self, argc, argv, options, read_option, r) != 0)
		return 2;
	if (optind + 1 != argc)
		return command_fail(self, "one DEV_EUI is needed; see --help");
	rc = device_word_set(&r->device, DEVICE_DEV_EUI, argv[optind], &err);
	if (!rc && !r->join_eui)
		rc = err_set(&err, ERR_ARG, "--join-eui is needed");
	rc = rc ? rc : device_end(&r->device, &err);
	return rc ? command_fail(self, "%s", err.msg) : 0;
}

int device_add(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	device_begin(&r.device);
	rc = read_request(self, argc, argv, &r);
	rc = rc ? rc : store(self, &r.from, &r.device, r.replace);
	device_wipe(&r.device);
	return rc;
}
