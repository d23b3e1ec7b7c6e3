/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deviceimport - "sardane device import": many devices from a CSV file, all or none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/device.h"

#define COLUMNS_MAX 64
#define LINE_OCTETS 8192

enum { OPT_WORD = 256, OPT_REPLACE = OPT_WORD + DEVICE_WORDS };

const char device_import_help[] =
	"usage: sardane device import FILE [OPTIONS]\n\n"
	"Adds the devices of a CSV file: all of them, or, when a line is wrong, none.\n"
	"FILE - is standard input. The first line names the columns, in any order:\n"
	"  dev_eui, join_eui, name, lorawan_version, app_key, nwk_key, net_id,\n"
	"  application_server, as_id, ns_kek_label, as_kek_label, nonces\n"
	"as The Things Stack calls them; other columns are passed over. Columns are parted by\n"
	"commas or semicolons. lorawan_version is 1.0.3 or MAC_V1_0_3.\n\n"
	"  --net-id ID                for lines that name no network; may be repeated\n"
	"  --version V                for lines that name no version (default 1.0.3)\n"
	"  --application-server URL   likewise\n"
	"  --as-id ID                 likewise\n"
	"  --replace                  change devices that are there; their nonces stay\n" //
	DEVICE_OPTIONS_HELP "  --help                     this text\n";

static const struct option options[] = {
	{ "version", required_argument, NULL, OPT_WORD + DEVICE_VERSION },
	{ "net-id", required_argument, NULL, OPT_WORD + DEVICE_NET_ID },
	{ "application-server", required_argument, NULL, OPT_WORD + DEVICE_APPLICATION_SERVER },
	{ "as-id", required_argument, NULL, OPT_WORD + DEVICE_AS_ID },
	{ "replace", no_argument, NULL, OPT_REPLACE },
	DEVICE_OPTIONS,
	{ 0 },
};

struct import {
	FILE *file;
	unsigned line;
	char parted_by;           /* ',' or ';' */
	int columns[COLUMNS_MAX]; /* enum device_word, or -1 */
	unsigned columns_n;
	struct device_database from;
	struct device defaults;
	bool replace;
	struct devices *db;
	unsigned added, changed;
	char text[LINE_OCTETS];
};

/* The next line that is not empty, without its end; *end when there is none. */
static int next_line(struct import *in, bool *end, struct err *err)
{
	for (;;) {
		size_t n;

		if (!fgets(in->text, sizeof(in->text), in->file)) {
			*end = true;
			return ferror(in->file) ? err_set(err, ERR_SYSTEM, "%s", strerror(errno))
						: 0;
		}
		in->line++;
		n = strlen(in->text);
		if (n + 1 == sizeof(in->text) && in->text[n - 1] != '\n')
			return err_set(err, ERR_FORMAT, "longer than %d octets", LINE_OCTETS - 2);
		while (n && strchr("\r\n", in->text[n - 1]))
			in->text[--n] = 0;
		if (n)
			return 0;
	}
}

/* RFC 4180: one field, unquoted in place; *at moves behind it, NULL after the last. */
static int next_field(struct import *in, char **at, char **out, struct err *err)
{
	char *p = *at, *to = p;

	*out = p;
	if (*p == '"') {
		p++;
		while (*p && (*p != '"' || p[1] == '"')) {
			p += *p == '"';
			*to++ = *p++;
		}
		if (*p++ != '"')
			return err_set(err, ERR_FORMAT, "a quote is not closed");
		if (*p && *p != in->parted_by)
			return err_set(err, ERR_FORMAT, "text behind a closing quote");
	} else {
		p += strcspn(p, (char[]){ in->parted_by, 0 });
		to = p;
	}
	*at = *p ? p + 1 : NULL;
	*to = 0;
	return 0;
}

static int read_head(struct import *in, struct err *err)
{
	bool seen[DEVICE_WORDS] = { false }, end = false;
	char *at = in->text, *field;
	int rc = next_line(in, &end, err);

	if (rc || end)
		return rc ? rc : err_set(err, ERR_FORMAT, "empty");
	if (strncmp(in->text, "\xef\xbb\xbf", 3) == 0) /* some spreadsheets begin so */
		at += 3;
	in->parted_by = strchr(at, ';') ? ';' : ',';
	while (at) {
		rc = next_field(in, &at, &field, err);
		if (rc)
			return rc;
		if (in->columns_n == COLUMNS_MAX)
			return err_set(err, ERR_FORMAT, "more than %d columns", COLUMNS_MAX);
		int word = device_word_find(field);
		if (word >= 0 && seen[word])
			return err_set(err, ERR_FORMAT, "column '%s' is there twice", field);
		if (word >= 0)
			seen[word] = true;
		in->columns[in->columns_n++] = word;
	}
	if (!seen[DEVICE_DEV_EUI] || !seen[DEVICE_JOIN_EUI])
		return err_set(err, ERR_FORMAT, "columns dev_eui and join_eui are needed");
	return 0;
}

/* One line into a device. */
static int read_device(struct import *in, struct device *d, struct err *err)
{
	bool eui = false, join_eui = false;
	char *at = in->text, *field;
	unsigned i = 0;

	*d = in->defaults;
	for (; at; i++) {
		int rc = next_field(in, &at, &field, err), word;

		if (rc)
			return rc;
		if (i == in->columns_n)
			return err_set(err, ERR_FORMAT, "more fields than columns");
		word = in->columns[i];
		if (word < 0 || !field[0])
			continue;
		if (word == DEVICE_NET_ID)
			d->net_ids_n = 0;
		rc = device_word_set(d, (enum device_word)word, field, err);
		if (rc)
			return rc;
		eui |= word == DEVICE_DEV_EUI;
		join_eui |= word == DEVICE_JOIN_EUI;
	}
	if (!eui || !join_eui)
		return err_set(err, ERR_FORMAT, "%s: missing", eui ? "join_eui" : "dev_eui");
	return device_end(d, err);
}

static int add(struct import *in, const struct device *d, struct err *err)
{
	bool existed = false;
	int rc = devices_add(in->db, d, in->replace, &existed, err);

	if (rc)
		return rc;
	if (existed && !in->replace)
		return err_set(err, ERR_FORMAT, "%016llx: there already; --replace changes it",
			(unsigned long long)d->dev_eui);
	in->changed += existed;
	in->added += !existed;
	return 0;
}

static int import_all(struct import *in, struct err *err)
{
	struct device d = { 0 };
	bool end = false;
	int rc = read_head(in, err);

	rc = rc ? rc : devices_begin(in->db, err);
	while (!rc && !(rc = next_line(in, &end, err)) && !end) {
		rc = read_device(in, &d, err);
		rc = rc ? rc : add(in, &d, err);
	}
	rc = rc ? rc : devices_commit(in->db, err);
	if (rc)
		devices_rollback(in->db);
	device_wipe(&d);
	secret_wipe_octets(in->text, sizeof(in->text));
	return rc;
}

static int run(const struct command *self, struct import *in, const char *path)
{
	struct err err = { 0 };
	int rc;

	in->file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	if (!in->file)
		return command_fail(self, "%s: %s", path, strerror(errno));
	rc = device_open(self, &in->from, true, &in->db);
	if (!rc && import_all(in, &err))
		rc = command_fail(self, "%s:%u: %s; nothing was added", path, in->line, err.msg);
	if (!rc)
		printf("%u added, %u changed\n", in->added, in->changed);
	devices_close(in->db);
	if (in->file != stdin)
		fclose(in->file);
	return rc;
}

static int read_option(const struct command *self, int c, void *arg)
{
	struct import *in = arg;
	struct err err;

	if (c == OPT_REPLACE)
		in->replace = true;
	else if (c < OPT_WORD || c >= OPT_WORD + DEVICE_WORDS)
		device_option(&in->from, c, optarg);
	else if (device_word_set(&in->defaults, (enum device_word)(c - OPT_WORD), optarg, &err))
		return command_fail(self, "%s", err.msg);
	return 0;
}

int device_import(const struct command *self, int argc, char **argv)
{
	struct import *in;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	in = calloc(1, sizeof(*in));
	if (!in)
		return command_fail(self, "no memory");
	device_begin(&in->defaults);
	rc = option_all(self, argc, argv, options, read_option, in);
	if (!rc && optind + 1 != argc)
		rc = command_fail(self, "one FILE is needed; see --help");
	rc = rc ? rc : run(self, in, argv[optind]);
	free(in);
	return rc;
}
