/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labpublish - "sardane lab publish" and "withdraw": change the lab's DNS by signed update.
 */
#include "cli/lab.h"
#include "cli/option.h"
#include "dns/name.h"
#include "publish/update.h"

#include <stdio.h>
#include <string.h>

enum { OPT_DIR = 1, OPT_TTL, OPT_ADD };

const char lab_publish_help[] =
	"usage: sardane lab publish OWNER TYPE RDATA... [OPTIONS]\n\n"
	"Puts a record into the lab's DNS, in place of those of the same owner and type.\n\n"
	"  --add              beside them instead\n"
	"  --ttl S            seconds it may be cached (default: the lab's)\n"
	"  --dir DIR          folder of the lab (default /tmp/sardane-lab-UID)\n"
	"  --help             this text\n";

const char lab_withdraw_help[] =
	"usage: sardane lab withdraw OWNER [TYPE] [OPTIONS]\n\n"
	"Removes the records of that type, or all of that owner, from the lab's DNS.\n\n"
	"  --dir DIR          folder of the lab (default /tmp/sardane-lab-UID)\n"
	"  --help             this text\n";

static const struct option publish_options[] = {
	{ "add", no_argument, NULL, OPT_ADD },
	{ "ttl", required_argument, NULL, OPT_TTL },
	{ "dir", required_argument, NULL, OPT_DIR },
	{ 0 },
};

static const struct option withdraw_options[] = {
	{ "dir", required_argument, NULL, OPT_DIR },
	{ 0 },
};

struct request {
	const char *dir;
	const char *owner, *type;
	struct buf record;
	bool add;
	bool has_ttl;
	unsigned ttl_s;
	struct lab lab;
};

/* The deepest zone of the lab that holds the owner. */
static const char *zone_of(const struct name *owner)
{
	const char *best = NULL;
	unsigned depth = 0;
	struct name zone;

	for (size_t i = 0; i < LAB_ZONES; i++) {
		if (name_of(lab_zones[i].name, &zone) != 0 || !name_is_within(owner, &zone))
			continue;
		if (best && name_labels(&zone) <= depth)
			continue;
		best = lab_zones[i].name;
		depth = name_labels(&zone);
	}
	return best;
}

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;

	switch (c) {
	case OPT_DIR: r->dir = optarg; return 0;
	case OPT_ADD: r->add = true; return 0;
	case OPT_TTL:
		r->has_ttl = true;
		return option_number(self, "--ttl", optarg, 0, 86400, &r->ttl_s);
	}
	return 2;
}

static int read_options(const struct command *self, int argc, char **argv,
	const struct option *table, struct request *r)
{
	struct err err;

	if (option_all(self, argc, argv, table, read_option, r) != 0)
		return 2;
	if (lab_locate(&r->lab, r->dir, &err) != 0)
		return command_fail(self, "%s", err.msg);
	if (!lab_exists(&r->lab)) {
		command_fail(self, "no lab of yours in folder '%s'", r->lab.dir);
		return 1;
	}
	if (lab_load(&r->lab, &err) != 0)
		return command_fail(self, "%s", err.msg);
	return 0;
}

static int fill(struct update *u, struct request *r, struct err *err)
{
	int rc = 0;

	if (!r->type)
		return update_delete_name(u, r->owner, err);
	if (!r->add)
		rc = update_delete_rrset(u, r->owner, r->type, err);
	if (rc == 0 && r->record.n > 0)
		rc = update_add(u, buf_string(&r->record), err);
	return rc;
}

static int send_change(const struct command *self, struct request *r)
{
	char path[LAB_PATH_MAX];
	struct tsigkey key;
	struct primary server = { "127.0.0.1", (uint16_t)r->lab.port, 0, &key };
	struct update *u = NULL;
	struct name owner;
	struct err err;
	int rc;

	if (name_of(r->owner, &owner) != 0)
		return command_fail(self, "name '%s': not a domain name", r->owner);
	rc = tsigkey_load(lab_path(&r->lab, "tsig.key", path), &key, &err);
	if (rc == 0)
		rc = update_new(zone_of(&owner), &u, &err);
	if (rc == 0)
		rc = fill(u, r, &err);
	if (rc == 0)
		rc = update_send(u, &server, &err);
	update_free(u);
	tsigkey_wipe(&key);
	return rc == 0 ? 0 : command_fail(self, "%s", err.msg);
}

int lab_publish(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	rc = read_options(self, argc, argv, publish_options, &r);
	if (rc != 0)
		return rc;
	if (argc - optind < 3)
		return command_fail(self, "OWNER, TYPE and RDATA: give all three; see --help");
	r.owner = argv[optind];
	r.type = argv[optind + 1];
	buf_printf(&r.record, "%s%s %u IN %s", r.owner,
		r.owner[strlen(r.owner) - 1] == '.' ? "" : ".", r.has_ttl ? r.ttl_s : r.lab.ttl_s,
		r.type);
	for (int i = optind + 2; i < argc; i++)
		buf_printf(&r.record, " %s", argv[i]);
	rc = buf_string(&r.record) ? send_change(self, &r) : command_fail(self, "out of memory");
	buf_done(&r.record);
	return rc;
}

int lab_withdraw(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	rc = read_options(self, argc, argv, withdraw_options, &r);
	if (rc != 0)
		return rc;
	if (argc - optind < 1 || argc - optind > 2)
		return command_fail(self, "OWNER and perhaps TYPE: nothing else; see --help");
	r.owner = argv[optind];
	r.type = argc - optind == 2 ? argv[optind + 1] : NULL;
	return send_change(self, &r);
}
