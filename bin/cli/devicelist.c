/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devicelist - "sardane device list", "show", "remove" and "flush-nonces".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/device.h"
#include "cli/text.h"
#include "json/writer.h"

enum { OPT_JSON = 256, OPT_KEYS, OPT_FORGET };

const char device_list_help[] =
	"usage: sardane device list [OPTIONS]\n\n"
	"Prints one line per device: DevEUI, JoinEUI, version, home network, name.\n\n"
	"  --json                     an array of objects, without keys\n" //
	DEVICE_OPTIONS_HELP "  --help                     this text\n";

const char device_show_help[] =
	"usage: sardane device show DEV_EUI [OPTIONS]\n\n"
	"Prints all that is known of one device. Exit status 1 when there is none.\n\n"
	"  --insecure-show-keys       its root keys too\n" //
	DEVICE_OPTIONS_HELP "  --help                     this text\n";

const char device_remove_help[] =
	"usage: sardane device remove DEV_EUI [OPTIONS]\n\n"
	"Removes a device and its sessions. Its nonces are remembered, so that adding it again\n"
	"cannot repeat a JoinNonce or take an old join-request. Exit status 1 when there is\n"
	"none.\n\n"
	"  --forget                   its nonces too; only if its keys are never used again\n" //
	DEVICE_OPTIONS_HELP "  --help                     this text\n";

const char device_flush_nonces_help[] =
	"usage: sardane device flush-nonces DEV_EUI [OPTIONS]\n\n"
	"Forgets the DevNonces and RJcount1 of a device that has lost its own count. Old\n"
	"join-requests of it, if somebody kept them, are taken again; the keys they give are\n"
	"new ones, since JoinNonce goes on. Exit status 1 when there is no such device.\n\n" //
	DEVICE_OPTIONS_HELP "  --help                     this text\n";

static const struct option options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "insecure-show-keys", no_argument, NULL, OPT_KEYS },
	{ "forget", no_argument, NULL, OPT_FORGET },
	DEVICE_OPTIONS,
	{ 0 },
};

/* What all four read: the database, one flag of their own, and a DevEUI or none. */
struct asked {
	struct device_database from;
	int knows; /* the option this command knows, or 0 */
	bool flag;
	uint64_t dev_eui;
	struct devices *db;
};

static int read_option(const struct command *self, int c, void *arg)
{
	struct asked *out = arg;

	if (c == out->knows)
		out->flag = true;
	else if (!device_option(&out->from, c, optarg))
		return command_fail(self, "this command has no such option; see --help");
	return 0;
}

/* flag is the option this command knows, or 0. -1 to go on, else the exit status. */
static int read_asked(const struct command *self, int argc, char **argv, int flag, bool eui,
	struct asked *out)
{
	if (command_helped(self, argc, argv))
		return 0;
	out->knows = flag;
	if (option_all(self, argc, argv, options, read_option, out) != 0)
		return 2;
	if (optind + eui != argc)
		return command_fail(self,
			eui ? "one DEV_EUI is needed; see --help"
			    : "nothing more is needed; see --help");
	if (eui && device_read_eui(self, "DEV_EUI", argv[optind], &out->dev_eui))
		return 2;
	return device_open(self, &out->from, false, &out->db) ? 2 : -1;
}

/* The end of the three that change or show one device. */
static int finish(const struct command *self, struct asked *a, int rc, bool found,
	const struct err *err)
{
	devices_close(a->db);
	if (rc)
		return command_fail(self, "%s", err->msg);
	if (!found)
		fprintf(stderr, "sardane device %s: %016llx: no such device\n", self->verb,
			(unsigned long long)a->dev_eui);
	return found ? 0 : 1;
}

static bool print_line(void *arg, const struct device *d)
{
	(void)arg;
	return printf("%016llx %016llx %s %06x %s\n", (unsigned long long)d->dev_eui,
		       (unsigned long long)d->join_eui, version_text(d->version), d->net_ids[0],
		       d->name) > 0;
}

static bool write_json(void *arg, const struct device *d)
{
	struct writer *w = arg;

	writer_open(w, NULL, '{');
	writer_id(w, "dev_eui", 8, d->dev_eui);
	writer_id(w, "join_eui", 8, d->join_eui);
	writer_text(w, "lorawan_version", version_text(d->version));
	writer_text(w, "name", d->name);
	writer_open(w, "net_id", '[');
	for (unsigned i = 0; i < d->net_ids_n; i++)
		writer_id(w, NULL, 3, d->net_ids[i]);
	writer_close(w);
	writer_text(w, "application_server", d->application_server);
	writer_text(w, "as_id", d->as_id);
	writer_u64(w, "join_nonce", d->join_nonce);
	writer_close(w);
	return true;
}

int device_list(const struct command *self, int argc, char **argv)
{
	struct asked a = { 0 };
	struct buf out = { 0 };
	struct writer w = writer_into(&out);
	struct err err = { 0 };
	int rc = read_asked(self, argc, argv, OPT_JSON, false, &a);

	if (rc >= 0)
		return rc;
	if (a.flag)
		writer_open(&w, NULL, '[');
	rc = devices_list(a.db, 0, a.flag ? write_json : print_line, &w, &err);
	devices_close(a.db);
	if (a.flag)
		writer_close(&w);
	if (rc)
		rc = command_fail(self, "%s", err.msg);
	if (rc || !a.flag) {
		buf_done(&out);
		return rc;
	}
	buf_text(&out, "\n");
	return text_print(&out);
}

int device_show(const struct command *self, int argc, char **argv)
{
	struct asked a = { 0 };
	struct device d = { 0 };
	struct err err = { 0 };
	bool found = false;
	int rc = read_asked(self, argc, argv, OPT_KEYS, true, &a);

	if (rc >= 0)
		return rc;
	rc = devices_load(a.db, a.dev_eui, &d, &found, &err);
	if (!rc && found)
		device_print(&d, a.flag);
	device_wipe(&d);
	return finish(self, &a, rc, found, &err);
}

int device_remove(const struct command *self, int argc, char **argv)
{
	struct asked a = { 0 };
	struct err err = { 0 };
	bool found = false;
	int rc = read_asked(self, argc, argv, OPT_FORGET, true, &a);

	if (rc >= 0)
		return rc;
	rc = devices_begin(a.db, &err);
	rc = rc ? rc : devices_remove(a.db, a.dev_eui, a.flag, &found, &err);
	rc = rc ? rc : devices_commit(a.db, &err);
	return finish(self, &a, rc, found, &err);
}

int device_flush_nonces(const struct command *self, int argc, char **argv)
{
	struct asked a = { 0 };
	struct err err = { 0 };
	bool found = false;
	int rc = read_asked(self, argc, argv, 0, true, &a);

	if (rc >= 0)
		return rc;
	rc = devices_flush_nonces(a.db, a.dev_eui, &found, &err);
	return finish(self, &a, rc, found, &err);
}
