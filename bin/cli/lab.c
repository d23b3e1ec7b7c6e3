/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab - "sardane lab up", "status" and "down".
 */
#include "cli/lab.h"
#include "cli/option.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define TRIES_MAX 8

enum {
	OPT_DIR = 1,
	OPT_PORT,
	OPT_TTL,
	OPT_ADDRESS,
	OPT_NS_PORT,
	OPT_JS_PORT,
	OPT_AS_PORT,
	OPT_BROKEN,
	OPT_JSON
};

const char lab_up_help[] =
	"usage: sardane lab up [OPTIONS]\n\n"
	"Starts a private, signed DNS world on loopback with two organisations in it, each\n"
	"with its own authorities, credentials and TLSA records. Needs Knot DNS, no root.\n\n"
	"  --dir DIR          its folder, made and removed by us (default /tmp/sardane-lab-UID)\n"
	"  --port P           port of the name server (default: one that is free)\n"
	"  --ttl S            seconds a record may be cached (default 5)\n"
	"  --address A        IPv4 address of every host (default: one in 127/8 for each)\n"
	"  --ns-port P        port of the Network Servers (default 8000)\n"
	"  --js-port P        port of the Join Servers (default 8003)\n"
	"  --as-port P        port of the Application Servers (default 8005)\n"
	"  --broken           and zones below broken.example, each broken in its own way, for\n"
	"                     sardane trace; needs the package ldnsutils too\n"
	"  --json             print what status --json prints\n"
	"  --help             this text\n";

const char lab_status_help[] =
	"usage: sardane lab status [OPTIONS]\n\n"
	"Says what runs, the names, ports and files, and commands to try. Exit 1 when it does\n"
	"not run.\n\n"
	"  --dir DIR          folder of the lab (default /tmp/sardane-lab-UID)\n"
	"  --json             one JSON object\n"
	"  --help             this text\n";

const char lab_down_help[] =
	"usage: sardane lab down [OPTIONS]\n\n"
	"Stops the name server and removes the folder with all that is in it. Exit 1 when\n"
	"there was nothing.\n\n"
	"  --dir DIR          folder of the lab (default /tmp/sardane-lab-UID)\n"
	"  --help             this text\n";

static const struct option up_options[] = {
	{ "dir", required_argument, NULL, OPT_DIR },
	{ "port", required_argument, NULL, OPT_PORT },
	{ "ttl", required_argument, NULL, OPT_TTL },
	{ "address", required_argument, NULL, OPT_ADDRESS },
	{ "ns-port", required_argument, NULL, OPT_NS_PORT },
	{ "js-port", required_argument, NULL, OPT_JS_PORT },
	{ "as-port", required_argument, NULL, OPT_AS_PORT },
	{ "broken", no_argument, NULL, OPT_BROKEN },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

static const struct option status_options[] = {
	{ "dir", required_argument, NULL, OPT_DIR },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

static const struct option down_options[] = {
	{ "dir", required_argument, NULL, OPT_DIR },
	{ 0 },
};

volatile sig_atomic_t lab_interrupted;

struct request {
	const char *dir;
	bool json;
	struct lab lab;
};

static int read_address(const struct command *self, struct lab *lab)
{
	struct in_addr a;

	if (inet_pton(AF_INET, optarg, &a) != 1 || strlen(optarg) >= sizeof(lab->address))
		return command_fail(self, "--address '%s': not an IPv4 address", optarg);
	snprintf(lab->address, sizeof(lab->address), "%s", optarg);
	return 0;
}

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;
	switch (c) {
	case OPT_DIR: r->dir = optarg; return 0;
	case OPT_JSON: r->json = true; return 0;
	case OPT_BROKEN: r->lab.broken = true; return 0;
	case OPT_PORT: return option_number(self, "--port", optarg, 1024, 65535, &r->lab.port);
	case OPT_TTL: return option_number(self, "--ttl", optarg, 0, 86400, &r->lab.ttl_s);
	case OPT_ADDRESS: return read_address(self, &r->lab);
	case OPT_NS_PORT:
		return option_number(self, "--ns-port", optarg, 1, 65535, &r->lab.role_port[0]);
	case OPT_JS_PORT:
		return option_number(self, "--js-port", optarg, 1, 65535, &r->lab.role_port[1]);
	case OPT_AS_PORT:
		return option_number(self, "--as-port", optarg, 1, 65535, &r->lab.role_port[2]);
	}
	return 2;
}

static int read_request(const struct command *self, int argc, char **argv,
	const struct option *table, struct request *r)
{
	struct err err;

	if (option_all(self, argc, argv, table, read_option, r) != 0)
		return 2;
	if (argc != optind)
		return command_fail(self, "'%s': unexpected; see --help", argv[optind]);
	if (lab_locate(&r->lab, r->dir, &err) != 0)
		return command_fail(self, "%s", err.msg);
	return 0;
}

static void interrupt(int number)
{
	(void)number;
	lab_interrupted = 1;
}

/* Children that keymgr and knotd are do not inherit it: a handler becomes the default. */
static void catch_signals(void)
{
	struct sigaction act = { .sa_handler = interrupt };

	sigemptyset(&act.sa_mask);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
}

static int build(const struct lab *lab, struct err *err)
{
	struct buf ds[LAB_ZONES] = { 0 }, broken_ds = { 0 };
	int rc = lab_prepare_knot(lab, err);

	if (rc == 0)
		rc = lab_make_credentials(lab, err);
	if (rc == 0)
		rc = lab_make_keys(lab, ds, err);
	if (rc == 0 && lab->broken)
		rc = lab_broken_make(lab, &broken_ds, err);
	if (rc == 0)
		rc = lab_write_zones(lab, ds, &broken_ds, err);
	buf_done(&broken_ds);
	for (size_t i = 0; i < LAB_ZONES; i++)
		buf_done(&ds[i]);
	if (rc == 0)
		rc = lab_write_settings(lab, err);
	if (rc == 0 && lab_interrupted)
		rc = err_set(err, ERR_SYSTEM, "interrupted");
	if (rc == 0 && lab->broken)
		rc = lab_broken_start(lab, err);
	return rc == 0 ? lab_start_knot(lab, err) : rc;
}

static int bring_up_once(struct lab *lab, struct err *err)
{
	struct err ignored;
	int rc = lab_choose_port(&lab->port, err);

	if (rc == 0)
		rc = lab_make_folder(lab, err);
	if (rc != 0)
		return rc;
	rc = lab_save(lab, err);
	if (rc == 0)
		rc = build(lab, err);
	if (rc != 0) {
		lab_stop_knot(lab, &ignored);
		lab_remove_folder(lab, &ignored);
	}
	return rc;
}

/* A port that was free may be another's by the time that knotd is there: then with the next. */
static int bring_up(struct lab *lab, struct err *err)
{
	const unsigned wanted = lab->port;
	int rc = lab_find_programs(err);

	if (rc == 0 && lab->broken)
		rc = lab_broken_find_programs(err);
	if (rc != 0)
		return rc;
	for (int tries = 0; tries < TRIES_MAX; tries++) {
		lab->port = wanted;
		rc = bring_up_once(lab, err);
		if (rc == 0 || wanted != 0 || lab_interrupted || lab_port_is_free(lab->port))
			break;
	}
	return rc;
}

int lab_up(const struct command *self, int argc, char **argv)
{
	struct request r = { .lab = { .ttl_s = 5, .role_port = { 8000, 8003, 8005 } } };
	struct err err;
	int pid;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, up_options, &r) != 0)
		return 2;
	if (lab_exists(&r.lab)) {
		pid = lab_knot_pid(&r.lab);
		if (pid == 0)
			return command_fail(self,
				"folder '%s': left by a lab that no longer runs; sardane lab down "
				"removes it",
				r.lab.dir);
		fprintf(stderr, "sardane lab up: it is up already, folder '%s', process %d\n",
			r.lab.dir, pid);
		return 1;
	}
	umask(077);
	catch_signals();
	if (bring_up(&r.lab, &err) != 0)
		return command_fail(self, "%s", err.msg);
	lab_show(&r.lab, lab_knot_pid(&r.lab), r.json);
	return 0;
}

static int absent(const struct command *self, const struct lab *lab)
{
	fprintf(stderr, "sardane lab %s: no lab of yours in folder '%s'\n", self->verb, lab->dir);
	return 1;
}

int lab_status(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	struct err err;
	int pid;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, status_options, &r) != 0)
		return 2;
	if (!lab_exists(&r.lab)) {
		if (r.json)
			puts("{\"running\": false}");
		return absent(self, &r.lab);
	}
	if (lab_load(&r.lab, &err) != 0)
		return command_fail(self, "%s", err.msg);
	pid = lab_knot_pid(&r.lab);
	lab_show(&r.lab, pid, r.json);
	return pid != 0 ? 0 : 1;
}

int lab_down(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	struct err err;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, down_options, &r) != 0)
		return 2;
	if (!lab_exists(&r.lab))
		return absent(self, &r.lab);
	if (lab_stop_knot(&r.lab, &err) != 0 || lab_remove_folder(&r.lab, &err) != 0)
		return command_fail(self, "%s", err.msg);
	return 0;
}
