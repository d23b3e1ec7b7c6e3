/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cfssl - "sardane cfssl gencert", "genkey", "sign" and "json": for those who have the files and
 * the scripts of Cloudflare's cfssl and cfssljson.
 *
 *   alias cfssl='sardane cfssl' cfssljson='sardane cfssl json'
 */
#include "ca/cfssl.h"

#include "ca/issuance.h"
#include "cli/certshow.h"
#include "cli/keyoption.h"
#include "cli/text.h"
#include "core/secret.h"
#include "pki/keyfile.h"
#include "pki/keykind.h"
#include "pki/request.h"
#include "pki/wholefile.h"

#include <stdio.h>
#include <string.h>

enum { OPT_INITCA = 1, OPT_CA, OPT_CA_KEY, OPT_CONFIG, OPT_PROFILE, OPT_HOSTNAME, OPT_BARE };

#define BARE_HELP                                                                           \
	"  -bare NAME         write the files themselves, whole: NAME.pem, NAME-key.pem,\n" \
	"                     NAME.csr, and for a leaf NAME-combined.pem; else print JSON\n"
#define SIGNER_HELP                                                                    \
	"  -ca FILE           certificate of the authority (needed)\n"                 \
	"  -ca-key FILE       its key (needed)\n"                                      \
	"  -config FILE       config.json: expiry, usages, ca_constraint by profile\n" \
	"  -profile NAME      one of its profiles (default: its default)\n"            \
	"  -hostname NAMES    parted by commas, instead of \"hosts\"\n"

const char cfssl_gencert_help[] =
	"usage: sardane cfssl gencert -initca CSR.json [-bare NAME]\n"
	"       sardane cfssl gencert -ca FILE -ca-key FILE [OPTIONS] CSR.json [-bare NAME]\n\n"
	"Makes a key and a certificate as cfssl gencert does, from the same files.\n\n"
	"  -initca            a root, by its own key\n" SIGNER_HELP BARE_HELP
	"  --password-file F  password of the authority's key\n"
	"  --help             this text\n";

const char cfssl_genkey_help[] =
	"usage: sardane cfssl genkey CSR.json [-bare NAME]\n\n"
	"Makes a key and a request for a certificate (PKCS#10).\n\n" BARE_HELP
	"  --help             this text\n";

const char cfssl_sign_help[] =
	"usage: sardane cfssl sign -ca FILE -ca-key FILE [OPTIONS] FILE.csr [-bare NAME]\n\n"
	"Issues a certificate for a request: its subject, names and key, what the profile says.\n\n" SIGNER_HELP
		BARE_HELP "  --password-file F  password of the authority's key\n"
	"  --help             this text\n";

const char cfssl_json_help[] =
	"usage: sardane cfssl json -bare NAME <JSON\n\n"
	"Writes what gencert, genkey and sign print into files, as cfssljson does: NAME.pem,\n"
	"NAME-key.pem (mode 0600) and NAME.csr.\n\n"
	"  -bare NAME         prefix of the files (needed)\n"
	"  --help             this text\n";

static const struct option options[] = {
	{ "initca", no_argument, NULL, OPT_INITCA },
	{ "ca", required_argument, NULL, OPT_CA },
	{ "ca-key", required_argument, NULL, OPT_CA_KEY },
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "profile", required_argument, NULL, OPT_PROFILE },
	{ "hostname", required_argument, NULL, OPT_HOSTNAME },
	{ "bare", required_argument, NULL, OPT_BARE },
	KEYOPTION_READ,
	{ 0 },
};

struct request {
	const char *file, *ca, *ca_key, *config, *profile, *hosts, *bare;
	bool initca;
	struct keyoption keys;
	struct cfssl c;
	struct authority_order order;
};

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;

	(void)self;
	switch (c) {
	case OPT_INITCA: r->initca = true; break;
	case OPT_CA: r->ca = optarg; break;
	case OPT_CA_KEY: r->ca_key = optarg; break;
	case OPT_CONFIG: r->config = optarg; break;
	case OPT_PROFILE: r->profile = optarg; break;
	case OPT_HOSTNAME: r->hosts = optarg; break;
	case OPT_BARE: r->bare = optarg; break;
	default: keyoption_take(&r->keys, c); break;
	}
	return 0;
}

/* The one word that is no option; a "-" beside it, as some scripts have it, says nothing. */
static int read_words(const struct command *self, int argc, char **argv, struct request *r)
{
	if (option_all_one_dash(self, argc, argv, options, read_option, r) != 0)
		return 2;
	for (int i = optind; i < argc; i++) {
		if (r->file && strcmp(argv[i], "-") != 0)
			return command_fail(self, "'%s': unexpected; see --help", argv[i]);
		if (!r->file)
			r->file = argv[i];
	}
	if (!r->file)
		return command_fail(self, "a file is missing; see --help");
	return 0;
}

static int check_signer(const struct command *self, const struct request *r)
{
	if (!r->ca != !r->ca_key || r->initca == (r->ca != NULL))
		return command_fail(self, "-initca, or -ca and -ca-key: needed; see --help");
	return 0;
}

static int read_json_file(const char *what, const char *path, struct buf *out, struct err *err)
{
	return wholefile_read(what, strcmp(path, "-") == 0 ? "/dev/stdin" : path, out, err);
}

static int read_config(struct request *r, struct err *err)
{
	struct buf text = { .limit = WHOLEFILE_MAX };
	int rc = r->config ? wholefile_read("config", r->config, &text, err) : 0;

	if (rc == 0) {
		rc = cfssl_read_config(&r->c, buf_span(&text), r->profile, err);
		if (rc != 0 && r->config)
			rc = err_wrap(err, rc, "'%s'", r->config);
	}
	buf_done(&text);
	return rc;
}

static int read_request(struct request *r, struct err *err)
{
	struct buf text = { .limit = WHOLEFILE_MAX };
	int rc = read_json_file("request", r->file, &text, err);

	if (rc == 0 && cfssl_read_request(&r->c, buf_span(&text), r->initca, err) != 0)
		rc = err_wrap(err, ERR_FORMAT, "'%s'", r->file);
	buf_done(&text);
	if (rc == 0 && r->hosts)
		rc = cfssl_read_hosts(&r->c, r->hosts, err);
	r->order.profile = &r->c.profile;
	r->order.key_kind = r->c.key_kind;
	r->order.replace = true;
	return rc;
}

static int open_signer(struct request *r, struct state **out, struct err *err)
{
	struct authority_place place;
	const char *dot = strrchr(r->ca, '.');
	char prefix[PATH_MAX];
	int n = dot && !strchr(dot, '/') ? (int)(dot - r->ca) : (int)strlen(r->ca);
	int rc;

	if (snprintf(prefix, sizeof(prefix), "%.*s", n, r->ca) >= (int)sizeof(prefix))
		return err_set(err, ERR_ARG, "-ca '%.80s...': the path is too long", r->ca);
	rc = authority_locate(prefix, &place, err);
	if (rc != 0)
		return rc;
	snprintf(place.cert, sizeof(place.cert), "%s", r->ca);
	snprintf(place.key, sizeof(place.key), "%s", r->ca_key);
	return state_open_at(&place, keyoption_read(&r->keys), out, err);
}

static void wipe(struct buf *b)
{
	if (b->p)
		secret_wipe_octets(b->p, b->cap);
	buf_done(b);
}

/* PEM of whichever are there, as cfssl prints them. */
static int print_json(X509 *cert, EVP_PKEY *key, const struct buf *csr, struct err *err)
{
	struct buf t = { 0 }, cert_pem = { 0 }, key_pem = { 0 };
	struct writer w = writer_into(&t);
	int rc = cert ? pemfile_put(cert, &cert_pem, err) : 0;

	if (rc == 0 && key)
		rc = keyfile_put(key, &key_pem, err);
	writer_open(&w, NULL, '{');
	if (cert)
		writer_span(&w, "cert", buf_span(&cert_pem));
	if (csr->n > 0)
		writer_span(&w, "csr", buf_span(csr));
	if (key)
		writer_span(&w, "key", buf_span(&key_pem));
	writer_close(&w);
	buf_text(&t, "\n");
	if (rc == 0 && (!writer_ok(&w) || fwrite(t.p, 1, t.n, stdout) != t.n || fflush(stdout)))
		rc = err_set(err, ERR_SYSTEM, "output: cannot be written");
	wipe(&t);
	wipe(&key_pem);
	buf_done(&cert_pem);
	return rc;
}

static int write_csr(const struct request *r, EVP_PKEY *key, struct err *err)
{
	struct buf csr = { 0 };
	char path[PATH_MAX];
	int rc = request_write(&r->c.profile, key, &csr, err);

	snprintf(path, sizeof(path), "%s.csr", r->bare);
	if (rc == 0)
		rc = pemfile_write(path, PEMFILE_PUBLIC, true, buf_span(&csr), err);
	buf_done(&csr);
	return rc;
}

/* Everything is made and recorded as cert issue does it; the request is for the name's sake. */
static int issue_files(struct request *r, struct state *signer, struct err *err)
{
	OWNED(EVP_PKEY) key = NULL;
	char path[PATH_MAX];
	int rc = issuance_files(signer, r->bare, &r->order, err);

	if (rc != 0 || r->order.public_key)
		return rc;
	if (snprintf(path, sizeof(path), "%s-key.pem", r->bare) >= (int)sizeof(path))
		return err_set(err, ERR_ARG, "-bare '%.80s...': too long", r->bare);
	rc = keyfile_read(path, NULL, &key, err);
	return rc == 0 ? write_csr(r, key, err) : rc;
}

static int issue_json(struct request *r, struct state *signer, struct err *err)
{
	OWNED(EVP_PKEY) key = NULL;
	OWNED(X509) cert = NULL;
	struct buf csr = { 0 };
	int rc = issuance_make(signer, &r->order, &cert, &key, err);

	if (rc == 0 && !r->order.public_key)
		rc = request_write(&r->c.profile, key, &csr, err);
	if (rc == 0)
		rc = print_json(cert, r->order.public_key ? NULL : key, &csr, err);
	buf_done(&csr);
	return rc;
}

static int issue(struct request *r, struct err *err)
{
	struct state *signer = NULL;
	int rc = r->ca ? open_signer(r, &signer, err) : 0;

	if (rc == 0)
		rc = r->bare ? issue_files(r, signer, err) : issue_json(r, signer, err);
	state_close(signer);
	return rc;
}

static int end(const struct command *self, struct request *r, int rc, const struct err *err)
{
	cfssl_done(&r->c);
	EVP_PKEY_free(r->order.public_key);
	return rc == 0 ? 0 : command_fail(self, "%s", err->msg);
}

int cfssl_gencert(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_words(self, argc, argv, &r) != 0 || check_signer(self, &r) != 0)
		return 2;
	rc = r.initca ? 0 : read_config(&r, &err);
	if (rc == 0)
		rc = read_request(&r, &err);
	if (rc == 0)
		rc = issue(&r, &err);
	return end(self, &r, rc, &err);
}

/* cfssl takes the subject of the request too. */
int cfssl_sign(const struct command *self, int argc, char **argv)
{
	struct request_subject subject;
	struct request r = { 0 };
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_words(self, argc, argv, &r) != 0)
		return 2;
	if (!r.ca || !r.ca_key || r.initca)
		return command_fail(self, "-ca and -ca-key: needed; see --help");
	rc = read_config(&r, &err);
	r.c.profile.nameless = true;
	if (rc == 0)
		rc = request_load(r.file, &r.c.profile, &subject, &r.order.public_key, &err);
	if (rc == 0 && r.hosts)
		rc = cfssl_read_hosts(&r.c, r.hosts, &err);
	r.order.profile = &r.c.profile;
	r.order.replace = true;
	if (rc == 0)
		rc = issue(&r, &err);
	return end(self, &r, rc, &err);
}

static int genkey(struct request *r, struct err *err)
{
	OWNED(EVP_PKEY) key = NULL;
	struct buf csr = { 0 };
	enum keykind kind;
	char path[PATH_MAX];
	int rc = keykind_read(r->c.key_kind, &kind, err);

	if (rc == 0)
		rc = keykind_new(kind, &key, err);
	if (rc == 0)
		rc = request_write(&r->c.profile, key, &csr, err);
	if (rc == 0 && !r->bare)
		rc = print_json(NULL, key, &csr, err);
	buf_done(&csr);
	if (rc != 0 || !r->bare)
		return rc;
	if (snprintf(path, sizeof(path), "%s-key.pem", r->bare) >= (int)sizeof(path))
		return err_set(err, ERR_ARG, "-bare '%.80s...': too long", r->bare);
	rc = keyfile_write(path, true, key, NULL, err);
	return rc == 0 ? write_csr(r, key, err) : rc;
}

int cfssl_genkey(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_words(self, argc, argv, &r) != 0)
		return 2;
	rc = read_request(&r, &err);
	if (rc == 0)
		rc = genkey(&r, &err);
	return end(self, &r, rc, &err);
}

static int write_member(const struct doc *doc, const char *name, const char *prefix,
	const char *ending, unsigned mode, struct err *err)
{
	const struct doc *member = doc_member(doc, name);
	const char *text = doc_text(member);
	char path[PATH_MAX];

	if (doc_kind(member) != DOC_TEXT)
		return 0;
	if (snprintf(path, sizeof(path), "%s%s", prefix, ending) >= (int)sizeof(path))
		return err_set(err, ERR_ARG, "-bare '%.80s...': too long", prefix);
	return pemfile_write(path, mode, true, (struct span){ (const uint8_t *)text, strlen(text) },
		err);
}

int cfssl_json(const struct command *self, int argc, char **argv)
{
	struct request r = { .file = "-" };
	struct buf text = { .limit = WHOLEFILE_MAX };
	struct doc *doc = NULL;
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_words(self, argc, argv, &r) != 0)
		return 2;
	if (!r.bare)
		return command_fail(self, "-bare: missing");
	rc = read_json_file("JSON", r.file, &text, &err);
	if (rc == 0)
		rc = doc_read_long(buf_span(&text), WHOLEFILE_MAX, &doc, &err);
	if (rc == 0)
		rc = write_member(doc, "key", r.bare, "-key.pem", PEMFILE_PRIVATE, &err);
	if (rc == 0)
		rc = write_member(doc, "cert", r.bare, ".pem", PEMFILE_PUBLIC, &err);
	if (rc == 0)
		rc = write_member(doc, "csr", r.bare, ".csr", PEMFILE_PUBLIC, &err);
	doc_free(doc);
	wipe(&text);
	return rc == 0 ? 0 : command_fail(self, "%s", err.msg);
}
