/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert - "sardane cert issue", "request" and "sign": a key and a certificate for a server, a
 * client or both; or the two apart, so that the key stays where it was made.
 */
#include "ca/issuance.h"
#include "cli/certshow.h"
#include "cli/keyoption.h"
#include "cli/profilefile.h"
#include "pki/keyfile.h"
#include "pki/keykind.h"
#include "pki/request.h"

#include <stdio.h>
#include <string.h>

enum {
	OPT_CA = 1,
	OPT_DNS,
	OPT_IP,
	OPT_ROLE,
	OPT_PROFILE,
	OPT_PROFILES,
	OPT_OUT,
	OPT_CSR,
	OPT_NAME,
	OPT_ORG,
	OPT_KEY,
	OPT_SAME,
	OPT_DAYS,
	OPT_JSON,
	OPT_FORCE
};

#define NAMES_HELP                                                                             \
	"  --dns NAME         a subjectAltName; may be given again; underscores are welcome\n" \
	"  --ip ADDRESS       an address as subjectAltName; may be given again\n"
#define SUBJECT_HELP                                                        \
	"  --name CN          common name in the subject (default: none)\n" \
	"  --org O            organisation in the subject\n"
#define KEY_HELP "  --key KIND         p256 (default), p384, ed25519, rsa2048, rsa3072 or rsa4096\n"
#define PROFILE_HELP                                                        \
	"  --role ROLE        server, client or both (default both)\n"      \
	"  --profile P        a profile of --profiles, instead of --role\n" \
	"  --profiles FILE    YAML file of profiles\n"                      \
	"  --days N           life of the certificate (default 365; at most the profile's)\n"
#define LAST_HELP                                             \
	"  --json             the files written, as JSON\n"   \
	"  --force            replace files that are there\n" \
	"  --help             this text\n"

const char cert_issue_help[] =
	"usage: sardane cert issue --ca DIR --dns NAME [--dns NAME ...] --out X [OPTIONS]\n\n"
	"Makes a key and a certificate issued by the authority in DIR, and writes\n"
	"X-key.pem (mode 0600), X.pem (the certificate), X-chain.pem (its issuers up to the\n"
	"root) and X-combined.pem (the certificate followed by the intermediate).\n\n"
	"  --ca DIR           folder of the authority (needed)\n" NAMES_HELP
	"  --out X            prefix of the files (needed)\n" //
	PROFILE_HELP SUBJECT_HELP KEY_HELP
	"  --key-file FILE    certify this key again: a TLSA 3 1 1 record stays true\n" //
	KEYOPTION_READ_HELP KEYOPTION_WRITE_HELP LAST_HELP;

const char cert_request_help[] =
	"usage: sardane cert request --dns NAME [--dns NAME ...] --out X [OPTIONS]\n\n"
	"Makes a key, X-key.pem (mode 0600), and a PKCS#10 request for a certificate, X.csr. The\n"
	"key stays here; the authority gets the request: sardane cert sign.\n\n" NAMES_HELP
	"  --out X            prefix of the files (needed)\n" SUBJECT_HELP KEY_HELP
	"  --key-file FILE    ask for this key\n"
	"  --password-file F  password of the key in --key-file\n" //
	KEYOPTION_WRITE_HELP LAST_HELP;

const char cert_sign_help[] =
	"usage: sardane cert sign --ca DIR --csr FILE --out X [OPTIONS]\n\n"
	"Issues a certificate for a PKCS#10 request. Its signature is checked, and of what it says\n"
	"only its names and its public key are taken; the profile decides the rest. Writes X.pem,\n"
	"X-chain.pem and X-combined.pem.\n\n"
	"  --ca DIR           folder of the authority (needed)\n"
	"  --csr FILE         the request, PEM or DER (needed)\n"
	"  --out X            prefix of the files (needed)\n" //
	PROFILE_HELP SUBJECT_HELP KEYOPTION_READ_HELP LAST_HELP;

#define OPTION_SUBJECT                                  \
	{ "name", required_argument, NULL, OPT_NAME },  \
	{                                               \
		"org", required_argument, NULL, OPT_ORG \
	}
#define OPTION_NAMES                                  \
	{ "dns", required_argument, NULL, OPT_DNS },  \
	{                                             \
		"ip", required_argument, NULL, OPT_IP \
	}
#define OPTION_KEY                                            \
	{ "key", required_argument, NULL, OPT_KEY },          \
	{                                                     \
		"key-file", required_argument, NULL, OPT_SAME \
	}
#define OPTION_PROFILE                                                 \
	{ "role", required_argument, NULL, OPT_ROLE },                 \
		{ "profile", required_argument, NULL, OPT_PROFILE },   \
		{ "profiles", required_argument, NULL, OPT_PROFILES }, \
	{                                                              \
		"days", required_argument, NULL, OPT_DAYS              \
	}
#define OPTION_LAST                                                                           \
	{ "out", required_argument, NULL, OPT_OUT }, { "json", no_argument, NULL, OPT_JSON }, \
	{                                                                                     \
		"force", no_argument, NULL, OPT_FORCE                                         \
	}

static const struct option issue_options[] = {
	{ "ca", required_argument, NULL, OPT_CA },
	OPTION_NAMES,
	OPTION_SUBJECT,
	OPTION_KEY,
	OPTION_PROFILE,
	KEYOPTION_READ,
	KEYOPTION_WRITE,
	OPTION_LAST,
	{ 0 },
};

static const struct option request_options[] = {
	OPTION_NAMES,
	OPTION_SUBJECT,
	OPTION_KEY,
	KEYOPTION_READ,
	KEYOPTION_WRITE,
	OPTION_LAST,
	{ 0 },
};

static const struct option sign_options[] = {
	{ "ca", required_argument, NULL, OPT_CA },
	{ "csr", required_argument, NULL, OPT_CSR },
	OPTION_SUBJECT,
	OPTION_PROFILE,
	KEYOPTION_READ,
	OPTION_LAST,
	{ 0 },
};

struct request {
	const char *ca, *csr;
	const char *prefix;
	const char *role, *profile_name, *profiles;
	unsigned days;
	bool json;
	struct keyoption keys;
	struct profilefile *file;
	struct profile profile;
	struct authority_order order;
};

static int add_address(struct request *r, struct err *err)
{
	bool taken;
	int rc = profile_add_address(&r->profile, optarg, &taken, err);

	return rc == 0 && !taken ? err_set(err, ERR_FORMAT, "--ip '%s': not an address", optarg)
				 : rc;
}

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;
	struct err err;
	int rc = 0;

	switch (c) {
	case OPT_CA: r->ca = optarg; break;
	case OPT_DNS: rc = profile_add_san(&r->profile, optarg, &err); break;
	case OPT_IP: rc = add_address(r, &err); break;
	case OPT_ROLE: r->role = optarg; break;
	case OPT_PROFILE: r->profile_name = optarg; break;
	case OPT_PROFILES: r->profiles = optarg; break;
	case OPT_OUT: r->prefix = optarg; break;
	case OPT_CSR: r->csr = optarg; break;
	case OPT_NAME: r->profile.common_name = optarg; break;
	case OPT_ORG: r->profile.organisation = optarg; break;
	case OPT_KEY: r->order.key_kind = optarg; break;
	case OPT_SAME: r->order.key_file = optarg; break;
	case OPT_DAYS: return option_number(self, "--days", optarg, 1, PROFILE_DAYS_MAX, &r->days);
	case OPT_JSON: r->json = true; break;
	case OPT_FORCE: r->order.replace = true; break;
	default: keyoption_take(&r->keys, c); break;
	}
	return rc == 0 ? 0 : command_fail(self, "%s", err.msg);
}

/* The command line may only shorten what a profile of a file allows. */
static int read_life(const struct command *self, struct request *r)
{
	unsigned life_s = r->days * PROFILE_DAY_S;

	if (r->profile_name && life_s > r->profile.life_s)
		return command_fail(self, "--days %u: the profile '%s' allows %u s", r->days,
			r->profile_name, r->profile.life_s);
	if (r->days)
		r->profile.life_s = life_s;
	return 0;
}

static int read_profile(const struct command *self, struct request *r)
{
	const char *name = r->profile_name ? r->profile_name : r->role ? r->role : "both";
	enum profile_role role;
	struct err err;

	if (r->profile_name && r->role)
		return command_fail(self, "--role and --profile: give one of them");
	if (r->role && profile_read_role(r->role, &role, &err) != 0)
		return command_fail(self, "%s", err.msg);
	if (profilefile_open(r->profiles, &r->file, &err) != 0 ||
		profilefile_apply(r->file, name, &r->profile, &err) != 0)
		return command_fail(self, "%s", err.msg);
	if (profile_is_authority(&r->profile))
		return command_fail(self, "--profile '%s': is for ca; use sardane ca intermediate",
			name);
	return read_life(self, r);
}

static int read_request(const struct command *self, int argc, char **argv,
	const struct option *table, struct request *r)
{
	if (option_all(self, argc, argv, table, read_option, r) != 0)
		return 2;
	if (argc != optind)
		return command_fail(self, "'%s': unexpected; see --help", argv[optind]);
	if (!r->ca && table != request_options)
		return command_fail(self, "--ca: missing");
	if (!r->csr && table == sign_options)
		return command_fail(self, "--csr: missing");
	if (!r->prefix)
		return command_fail(self, "--out: missing");
	if (r->profile.san_count == 0 && r->profile.address_count == 0 && table != sign_options)
		return command_fail(self, "--dns: missing");
	if (r->order.key_kind && r->order.key_file)
		return command_fail(self, "--key and --key-file: give one of them");
	r->order.profile = &r->profile;
	r->order.password = keyoption_read(&r->keys);
	r->order.encrypt = keyoption_write(&r->keys);
	if (r->order.encrypt && r->order.key_file)
		return command_fail(self, "--encrypt: the key in --key-file stays as it is");
	return read_profile(self, r);
}

static int print_files(const struct request *r, bool key, bool certificate, bool csr)
{
	static const char *const endings[] = { "-key.pem", ".pem", "-chain.pem", "-combined.pem",
		".csr" };
	const bool wanted[] = { key, certificate, certificate, certificate, csr };
	char path[5][PATH_MAX];
	const char *files[6] = { NULL };
	size_t n = 0;

	for (size_t i = 0; i < 5; i++) {
		if (!wanted[i])
			continue;
		snprintf(path[n], sizeof(path[n]), "%s%s", r->prefix, endings[i]);
		files[n] = path[n];
		n++;
	}
	return certshow_files(r->json, files);
}

static int issue(struct request *r, struct err *err)
{
	struct state *state = NULL;
	int rc = state_open(r->ca, r->order.password, &state, err);

	if (rc == 0)
		rc = issuance_files(state, r->prefix, &r->order, err);
	state_close(state);
	return rc;
}

int cert_issue(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	rc = read_request(self, argc, argv, issue_options, &r);
	if (rc == 0 && issue(&r, &err) != 0)
		rc = command_fail(self, "%s", err.msg);
	profilefile_close(r.file);
	return rc == 0 ? print_files(&r, !r.order.key_file, true, false) : rc;
}

int cert_sign(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	rc = read_request(self, argc, argv, sign_options, &r);
	if (rc == 0 &&
		(request_load(r.csr, &r.profile, NULL, &r.order.public_key, &err) != 0 ||
			issue(&r, &err) != 0))
		rc = command_fail(self, "%s", err.msg);
	EVP_PKEY_free(r.order.public_key);
	profilefile_close(r.file);
	return rc == 0 ? print_files(&r, false, true, false) : rc;
}

/* The key first: a request whose key was lost is worth nothing. */
static int request(struct request *r, struct err *err)
{
	OWNED(EVP_PKEY) key = NULL;
	struct buf text = { 0 };
	char csr[PATH_MAX], path[PATH_MAX];
	enum keykind kind = KEYKIND_P256;
	int rc = 0;

	if (snprintf(csr, sizeof(csr), "%s.csr", r->prefix) >= (int)sizeof(csr) ||
		snprintf(path, sizeof(path), "%s-key.pem", r->prefix) >= (int)sizeof(path))
		return err_set(err, ERR_ARG, "--out '%.80s...': the path is too long", r->prefix);
	if (r->order.key_kind)
		rc = keykind_read(r->order.key_kind, &kind, err);
	if (rc == 0)
		rc = pemfile_check_new(csr, r->order.replace, err);
	if (rc == 0)
		rc = r->order.key_file
			? keyfile_read(r->order.key_file, r->order.password, &key, err)
			: keykind_new(kind, &key, err);
	if (rc == 0)
		rc = request_write(&r->profile, key, &text, err);
	if (rc == 0 && !r->order.key_file)
		rc = keyfile_write(path, r->order.replace, key, r->order.encrypt, err);
	if (rc == 0)
		rc = pemfile_write(csr, PEMFILE_PUBLIC, r->order.replace, buf_span(&text), err);
	buf_done(&text);
	return rc;
}

int cert_request(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	rc = read_request(self, argc, argv, request_options, &r);
	if (rc == 0 && request(&r, &err) != 0)
		rc = command_fail(self, "%s", err.msg);
	profilefile_close(r.file);
	return rc == 0 ? print_files(&r, !r.order.key_file, false, true) : rc;
}
