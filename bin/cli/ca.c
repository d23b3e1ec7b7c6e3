/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca - "sardane ca init" and "sardane ca intermediate": an authority in a folder.
 */
#include "cli/option.h"
#include "pki/authority.h"

#include <stdio.h>

enum { OPT_NAME = 1, OPT_ORG, OPT_CA, OPT_KEY, OPT_DAYS, OPT_PATH, OPT_FORCE };

const char ca_init_help[] =
	"usage: sardane ca init DIR --name CN [OPTIONS]\n\n"
	"Makes a root certificate authority: DIR/ca.pem and DIR/ca-key.pem (mode 0600).\n\n"
	"  --name CN          common name of the authority (needed)\n"
	"  --org O            organisation in its name\n"
	"  --key KIND         p256 (default), p384, ed25519, rsa2048, rsa3072 or rsa4096\n"
	"  --days N           life of the certificate (default 3650)\n"
	"  --path-length N    authorities allowed below this one (default 1)\n"
	"  --force            replace files that are there\n"
	"  --help             this text\n";

const char ca_intermediate_help[] =
	"usage: sardane ca intermediate DIR --ca PARENT --name CN [OPTIONS]\n\n"
	"Makes an authority below the one in PARENT: DIR/ca.pem, DIR/ca-key.pem (mode 0600)\n"
	"and DIR/ca-chain.pem, which goes up to the root.\n\n"
	"  --ca PARENT        folder of the authority that issues it (needed)\n"
	"  --name CN          common name of the authority (needed)\n"
	"  --org O            organisation in its name\n"
	"  --key KIND         p256 (default), p384, ed25519, rsa2048, rsa3072 or rsa4096\n"
	"  --days N           life of the certificate (default 1825)\n"
	"  --path-length N    authorities allowed below this one (default 0)\n"
	"  --force            replace files that are there\n"
	"  --help             this text\n";

static const struct option options[] = {
	{ "name", required_argument, NULL, OPT_NAME },
	{ "org", required_argument, NULL, OPT_ORG },
	{ "ca", required_argument, NULL, OPT_CA },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "days", required_argument, NULL, OPT_DAYS },
	{ "path-length", required_argument, NULL, OPT_PATH },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ 0 },
};

struct request {
	const char *folder;
	const char *parent;
	unsigned days;
	struct profile profile;
	struct authority_order order;
};

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;
	unsigned n;

	switch (c) {
	case OPT_NAME: r->profile.common_name = optarg; return 0;
	case OPT_ORG: r->profile.organisation = optarg; return 0;
	case OPT_CA: r->parent = optarg; return 0;
	case OPT_KEY: r->order.key_kind = optarg; return 0;
	case OPT_DAYS: return option_number(self, "--days", optarg, 1, PROFILE_DAYS_MAX, &r->days);
	case OPT_PATH:
		if (option_number(self, "--path-length", optarg, 0, 16, &n) != 0)
			return 2;
		r->profile.path_len = (int)n;
		return 0;
	case OPT_FORCE: r->order.replace = true; return 0;
	}
	return 2;
}

static int read_request(const struct command *self, int argc, char **argv, struct request *r)
{
	if (option_all(self, argc, argv, options, read_option, r) != 0)
		return 2;
	if (argc - optind != 1)
		return command_fail(self, "DIR: give one folder; see --help");
	if (!r->profile.common_name)
		return command_fail(self, "--name: missing");
	if (r->days)
		r->profile.life_s = r->days * PROFILE_DAY_S;
	r->folder = argv[optind];
	r->order.profile = &r->profile;
	return 0;
}

int ca_init(const struct command *self, int argc, char **argv)
{
	struct request r = { .profile = { .role = PROFILE_ROOT,
				     .life_s = 3650 * PROFILE_DAY_S,
				     .path_len = 1,
				     .backdate_s = PROFILE_BACKDATE_S } };
	struct err err;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, &r) != 0)
		return 2;
	if (r.parent)
		return command_fail(self,
			"--ca: a root has no parent; use sardane ca intermediate");
	if (authority_init(r.folder, &r.order, &err) != 0)
		return command_fail(self, "%s", err.msg);
	printf("%s/ca.pem\n%s/ca-key.pem\n", r.folder, r.folder);
	return 0;
}

int ca_intermediate(const struct command *self, int argc, char **argv)
{
	struct request r = { .profile = { .role = PROFILE_INTERMEDIATE,
				     .life_s = 1825 * PROFILE_DAY_S,
				     .path_len = 0,
				     .backdate_s = PROFILE_BACKDATE_S } };
	struct authority *parent;
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, &r) != 0)
		return 2;
	if (!r.parent)
		return command_fail(self, "--ca: missing");
	if (authority_load(r.parent, NULL, &parent, &err) != 0)
		return command_fail(self, "%s", err.msg);
	rc = authority_extend(parent, r.folder, &r.order, &err);
	authority_free(parent);
	if (rc != 0)
		return command_fail(self, "%s", err.msg);
	printf("%s/ca.pem\n%s/ca-key.pem\n%s/ca-chain.pem\n", r.folder, r.folder, r.folder);
	return 0;
}
