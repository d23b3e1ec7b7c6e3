/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca - "sardane ca init" and "sardane ca intermediate": an authority in a folder.
 */
#include "ca/issuance.h"
#include "cli/certshow.h"
#include "cli/keyoption.h"
#include "cli/profilefile.h"
#include "pki/token.h"

#include <stdio.h>
#include <string.h>

enum {
	OPT_NAME = 1,
	OPT_ORG,
	OPT_CA,
	OPT_KEY,
	OPT_DAYS,
	OPT_PATH,
	OPT_PERMIT,
	OPT_EXCLUDE,
	OPT_PROFILE,
	OPT_PROFILES,
	OPT_JSON,
	OPT_FORCE,
};

#define KEY_HELP                                                                              \
	"  --key KIND         p256 (default), p384, ed25519, rsa2048, rsa3072, rsa4096, or\n" \
	"                     the pkcs11: URI of a key in a token\n"
#define COMMON_HELP                                                                           \
	"  --permit NAME      only names at or below NAME may stand below; may be repeated\n" \
	"  --exclude NAME     names at or below NAME may not; may be repeated\n"              \
	"  --profile P        a profile for ca: its life, path length and constraints\n"      \
	"  --profiles FILE    YAML file with it\n"
#define LAST_HELP                                             \
	"  --json             the files written, as JSON\n"   \
	"  --force            replace files that are there\n" \
	"  --help             this text\n"

const char ca_init_help[] =
	"usage: sardane ca init DIR --name CN [OPTIONS]\n\n"
	"Makes a root certificate authority: DIR/ca.pem and DIR/ca-key.pem (mode 0600), and its\n"
	"records: DIR/ca.db, what it issued, and DIR/audit.log, what was done.\n\n"
	"  --name CN          common name of the authority (needed)\n"
	"  --org O            organisation in its name\n" KEY_HELP
	"  --days N           life of the certificate (default 3650)\n"
	"  --path-length N    authorities allowed below this one (default 1)\n" COMMON_HELP
	"  --password-file F  PIN of the token, with a pkcs11: URI\n" KEYOPTION_WRITE_HELP
		LAST_HELP;

const char ca_intermediate_help[] =
	"usage: sardane ca intermediate DIR --ca PARENT --name CN [OPTIONS]\n\n"
	"Makes an authority below the one in PARENT: DIR/ca.pem, DIR/ca-key.pem (mode 0600)\n"
	"and DIR/ca-chain.pem, which goes up to the root.\n\n"
	"  --ca PARENT        folder of the authority that issues it (needed)\n"
	"  --name CN          common name of the authority (needed)\n"
	"  --org O            organisation in its name\n" KEY_HELP
	"  --days N           life of the certificate (default 1825)\n"
	"  --path-length N    authorities allowed below this one (default 0)\n" //
	COMMON_HELP KEYOPTION_READ_HELP KEYOPTION_WRITE_HELP LAST_HELP;

static const struct option options[] = {
	{ "name", required_argument, NULL, OPT_NAME },
	{ "org", required_argument, NULL, OPT_ORG },
	{ "ca", required_argument, NULL, OPT_CA },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "days", required_argument, NULL, OPT_DAYS },
	{ "path-length", required_argument, NULL, OPT_PATH },
	{ "permit", required_argument, NULL, OPT_PERMIT },
	{ "exclude", required_argument, NULL, OPT_EXCLUDE },
	{ "profile", required_argument, NULL, OPT_PROFILE },
	{ "profiles", required_argument, NULL, OPT_PROFILES },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "force", no_argument, NULL, OPT_FORCE },
	KEYOPTION_READ,
	KEYOPTION_WRITE,
	{ 0 },
};

struct request {
	const char *folder;
	const char *parent;
	const char *profile_name, *profiles;
	unsigned days, path_len;
	bool has_path_len, json;
	struct keyoption keys;
	struct profilefile *file;
	struct profile profile;
	struct authority_order order;
};

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;
	struct err err;
	int rc = 0;

	switch (c) {
	case OPT_NAME: r->profile.common_name = optarg; return 0;
	case OPT_ORG: r->profile.organisation = optarg; return 0;
	case OPT_CA: r->parent = optarg; return 0;
	case OPT_KEY:
		if (token_is_uri(optarg))
			r->order.key_uri = optarg;
		else
			r->order.key_kind = optarg;
		return 0;
	case OPT_DAYS: return option_number(self, "--days", optarg, 1, PROFILE_DAYS_MAX, &r->days);
	case OPT_PATH:
		r->has_path_len = true;
		return option_number(self, "--path-length", optarg, 0, 16, &r->path_len);
	case OPT_PERMIT: rc = profile_permit(&r->profile, optarg, &err); break;
	case OPT_EXCLUDE: rc = profile_exclude(&r->profile, optarg, &err); break;
	case OPT_PROFILE: r->profile_name = optarg; return 0;
	case OPT_PROFILES: r->profiles = optarg; return 0;
	case OPT_JSON: r->json = true; return 0;
	case OPT_FORCE: r->order.replace = true; return 0;
	default: keyoption_take(&r->keys, c); return 0;
	}
	return rc == 0 ? 0 : command_fail(self, "%s", err.msg);
}

/* What a profile says, then what the command line says. */
static int read_profile(const struct command *self, struct request *r)
{
	struct err err;

	if (profilefile_open(r->profiles, &r->file, &err) != 0 ||
		(r->profile_name &&
			profilefile_apply(r->file, r->profile_name, &r->profile, &err) != 0))
		return command_fail(self, "%s", err.msg);
	if (!profile_is_authority(&r->profile))
		return command_fail(self, "--profile '%s': is not for ca", r->profile_name);
	if (r->days)
		r->profile.life_s = r->days * PROFILE_DAY_S;
	if (r->has_path_len)
		r->profile.path_len = (int)r->path_len;
	return 0;
}

static int read_request(const struct command *self, int argc, char **argv, struct request *r)
{
	if (option_all(self, argc, argv, options, read_option, r) != 0)
		return 2;
	if (argc - optind != 1)
		return command_fail(self, "DIR: give one folder; see --help");
	if (!r->profile.common_name)
		return command_fail(self, "--name: missing");
	if (read_profile(self, r) != 0)
		return 2;
	r->folder = argv[optind];
	r->order.profile = &r->profile;
	r->order.password = keyoption_read(&r->keys);
	r->order.encrypt = keyoption_write(&r->keys);
	if (r->order.encrypt && r->order.key_uri)
		return command_fail(self, "--encrypt: a key in a token is not written");
	return 0;
}

static int print_files(const struct request *r)
{
	char cert[PATH_MAX], key[PATH_MAX], chain[PATH_MAX];
	const char *const files[] = { cert, key, r->parent ? chain : NULL, NULL };

	snprintf(cert, sizeof(cert), "%s/ca.pem", r->folder);
	snprintf(key, sizeof(key), "%s/ca-key.%s", r->folder, r->order.key_uri ? "uri" : "pem");
	snprintf(chain, sizeof(chain), "%s/ca-chain.pem", r->folder);
	return certshow_files(r->json, files);
}

int ca_init(const struct command *self, int argc, char **argv)
{
	struct request r = { .profile = { .role = PROFILE_ROOT,
				     .life_s = 3650 * PROFILE_DAY_S,
				     .path_len = 1,
				     .backdate_s = PROFILE_BACKDATE_S } };
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	rc = read_request(self, argc, argv, &r);
	if (rc == 0 && r.parent)
		rc = command_fail(self, "--ca: a root has no parent; use sardane ca intermediate");
	if (rc == 0 && issuance_root(r.folder, &r.order, &err) != 0)
		rc = command_fail(self, "%s", err.msg);
	profilefile_close(r.file);
	return rc == 0 ? print_files(&r) : rc;
}

static int below(const struct command *self, struct request *r)
{
	struct state *parent = NULL;
	struct err err;
	int rc;

	if (!r->parent)
		return command_fail(self, "--ca: missing");
	rc = state_open(r->parent, r->order.password, &parent, &err);
	if (rc == 0)
		rc = issuance_below(parent, r->folder, &r->order, &err);
	state_close(parent);
	return rc == 0 ? 0 : command_fail(self, "%s", err.msg);
}

int ca_intermediate(const struct command *self, int argc, char **argv)
{
	struct request r = { .profile = { .role = PROFILE_INTERMEDIATE,
				     .life_s = 1825 * PROFILE_DAY_S,
				     .path_len = 0,
				     .backdate_s = PROFILE_BACKDATE_S } };
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	rc = read_request(self, argc, argv, &r);
	if (rc == 0)
		rc = below(self, &r);
	profilefile_close(r.file);
	return rc == 0 ? print_files(&r) : rc;
}
