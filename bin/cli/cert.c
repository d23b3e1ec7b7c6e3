/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert - "sardane cert issue": a key and a certificate for a server, a client or both.
 */
#include "cli/option.h"
#include "pki/authority.h"

#include <stdio.h>

enum {
	OPT_CA = 1,
	OPT_DNS,
	OPT_ROLE,
	OPT_OUT,
	OPT_NAME,
	OPT_ORG,
	OPT_KEY,
	OPT_SAME,
	OPT_DAYS,
	OPT_FORCE
};

const char cert_issue_help[] =
	"usage: sardane cert issue --ca DIR --dns NAME [--dns NAME ...] --out X [OPTIONS]\n\n"
	"Makes a key and a certificate issued by the authority in DIR, and writes\n"
	"X-key.pem (mode 0600), X.pem (the certificate), X-chain.pem (its issuers up to the\n"
	"root) and X-combined.pem (the certificate followed by the intermediate).\n\n"
	"  --ca DIR           folder of the authority (needed)\n"
	"  --dns NAME         a subjectAltName; may be given again; underscores are welcome\n"
	"  --out X            prefix of the files (needed)\n"
	"  --role ROLE        server, client or both (default both)\n"
	"  --name CN          common name in the subject (default: none)\n"
	"  --org O            organisation in the subject\n"
	"  --key KIND         p256 (default), p384, ed25519, rsa2048, rsa3072 or rsa4096\n"
	"  --key-file FILE    certify this key again: a TLSA 3 1 1 record stays true\n"
	"  --days N           life of the certificate (default 365)\n"
	"  --force            replace files that are there\n"
	"  --help             this text\n";

static const struct option options[] = {
	{ "ca", required_argument, NULL, OPT_CA },
	{ "dns", required_argument, NULL, OPT_DNS },
	{ "role", required_argument, NULL, OPT_ROLE },
	{ "out", required_argument, NULL, OPT_OUT },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "org", required_argument, NULL, OPT_ORG },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "key-file", required_argument, NULL, OPT_SAME },
	{ "days", required_argument, NULL, OPT_DAYS },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ 0 },
};

struct request {
	const char *ca;
	unsigned days;
	const char *prefix;
	struct profile profile;
	struct authority_order order;
};

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;
	struct err err;
	int rc = 0;

	switch (c) {
	case OPT_CA: r->ca = optarg; break;
	case OPT_DNS: rc = profile_add_san(&r->profile, optarg, &err); break;
	case OPT_ROLE: rc = profile_read_role(optarg, &r->profile.role, &err); break;
	case OPT_OUT: r->prefix = optarg; break;
	case OPT_NAME: r->profile.common_name = optarg; break;
	case OPT_ORG: r->profile.organisation = optarg; break;
	case OPT_KEY: r->order.key_kind = optarg; break;
	case OPT_SAME: r->order.key_file = optarg; break;
	case OPT_DAYS: return option_number(self, "--days", optarg, 1, PROFILE_DAYS_MAX, &r->days);
	case OPT_FORCE: r->order.replace = true; break;
	}
	return rc == 0 ? 0 : command_fail(self, "%s", err.msg);
}

static int read_request(const struct command *self, int argc, char **argv, struct request *r)
{
	if (option_all(self, argc, argv, options, read_option, r) != 0)
		return 2;
	if (argc != optind)
		return command_fail(self, "'%s': unexpected; see --help", argv[optind]);
	if (!r->ca)
		return command_fail(self, "--ca: missing");
	if (!r->prefix)
		return command_fail(self, "--out: missing");
	if (r->profile.san_count == 0)
		return command_fail(self, "--dns: missing");
	if (r->order.key_kind && r->order.key_file)
		return command_fail(self, "--key and --key-file: give one of them");
	if (r->days)
		r->profile.life_s = r->days * PROFILE_DAY_S;
	r->order.profile = &r->profile;
	return 0;
}

int cert_issue(const struct command *self, int argc, char **argv)
{
	struct request r = { .profile = { .role = PROFILE_BOTH,
				     .life_s = 365 * PROFILE_DAY_S,
				     .path_len = -1,
				     .backdate_s = PROFILE_BACKDATE_S } };
	struct authority *parent;
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, &r) != 0)
		return 2;
	if (authority_load(r.ca, NULL, &parent, &err) != 0)
		return command_fail(self, "%s", err.msg);
	rc = authority_issue(parent, r.prefix, &r.order, &err);
	authority_free(parent);
	if (rc != 0)
		return command_fail(self, "%s", err.msg);
	if (!r.order.key_file)
		printf("%s-key.pem\n", r.prefix);
	printf("%s.pem\n%s-chain.pem\n%s-combined.pem\n", r.prefix, r.prefix, r.prefix);
	return 0;
}
