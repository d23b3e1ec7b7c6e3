/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/authority.h"

#include "core/secret.h"
#include "pki/constraint.h"
#include "pki/issue.h"
#include "pki/keyfile.h"
#include "pki/keykind.h"
#include "pki/token.h"
#include "pki/wholefile.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A key, and the token it is in, if it is. */
struct keyed {
	EVP_PKEY *key;
	struct token *token;
	bool fresh; /* just made: to be written */
};

struct authority {
	struct keyed own;
	pemfile_chain *chain; /* its own certificate first, the root last */
};

/* The files of one order: all are looked at before the first is written. */
struct files {
	char key[PATH_MAX];
	char uri[PATH_MAX];
	char cert[PATH_MAX];
	char chain[PATH_MAX];
	char combined[PATH_MAX];
};

static int files_name(struct files *f, const char *prefix, struct err *err)
{
	if (strlen(prefix) + sizeof("-combined.pem") > PATH_MAX)
		return err_set(err, ERR_ARG, "file '%.80s...': the path is too long", prefix);
	snprintf(f->key, sizeof(f->key), "%s-key.pem", prefix);
	snprintf(f->uri, sizeof(f->uri), "%s-key.uri", prefix);
	snprintf(f->cert, sizeof(f->cert), "%s.pem", prefix);
	snprintf(f->chain, sizeof(f->chain), "%s-chain.pem", prefix);
	snprintf(f->combined, sizeof(f->combined), "%s-combined.pem", prefix);
	return 0;
}

static void keyed_done(struct keyed *k)
{
	EVP_PKEY_free(k->key);
	token_close(k->token);
	*k = (struct keyed){ 0 };
}

static int keyed_from_token(struct keyed *k, const char *uri, const struct password *password,
	struct err *err)
{
	int rc = token_open(uri, password, &k->token, err);

	if (rc == 0 && EVP_PKEY_up_ref(token_key(k->token)) == 1)
		k->key = token_key(k->token);
	return rc;
}

/* The URI is the first line of the file. */
static int keyed_from_uri_file(struct keyed *k, const char *path, const struct password *password,
	struct err *err)
{
	struct buf text = { .limit = TOKEN_URI_MAX };
	int rc = wholefile_read("key", path, &text, err);

	if (rc == 0 && text.n > 0)
		text.p[strcspn(buf_string(&text), "\r\n")] = '\0';
	if (rc == 0)
		rc = keyed_from_token(k, text.p ? (const char *)text.p : "", password, err);
	buf_done(&text);
	return rc;
}

/* PREFIX.pem may be a link to another certificate of the folder: then that is meant. */
static int follow(char prefix[PATH_MAX], const char *folder, struct err *err)
{
	char link[PATH_MAX + 8], target[NAME_MAX + 1];
	ssize_t n;

	snprintf(link, sizeof(link), "%s.pem", prefix);
	n = readlink(link, target, sizeof(target) - 1);
	if (n < 0)
		return 0;
	target[n] = '\0';
	if (n <= 4 || strchr(target, '/') || strcmp(target + n - 4, ".pem") != 0)
		return 0;
	if (snprintf(prefix, PATH_MAX, "%s/%.*s", folder, (int)n - 4, target) >= PATH_MAX)
		return err_set(err, ERR_ARG, "folder '%.80s...': the path is too long", folder);
	return 0;
}

int authority_locate(const char *where, struct authority_place *out, struct err *err)
{
	struct authority_place p;
	struct files f;
	struct stat st;
	bool folder = stat(where, &st) == 0 && S_ISDIR(st.st_mode);
	const char *slash = strrchr(where, '/');
	int rc;

	if (snprintf(p.prefix, sizeof(p.prefix), "%s.pem", where) >= (int)sizeof(p.prefix))
		return err_set(err, ERR_ARG, "folder '%.80s...': the path is too long", where);
	if (!folder && access(p.prefix, F_OK) == 0) {
		snprintf(p.prefix, sizeof(p.prefix), "%s", where);
		snprintf(p.folder, sizeof(p.folder), "%.*s", slash ? (int)(slash - where) : 1,
			slash ? where : ".");
		if (slash == where)
			strcpy(p.folder, "/");
	} else {
		snprintf(p.prefix, sizeof(p.prefix), "%s/ca", where);
		snprintf(p.folder, sizeof(p.folder), "%s", where);
	}
	rc = follow(p.prefix, p.folder, err);
	if (rc == 0)
		rc = files_name(&f, p.prefix, err);
	if (rc != 0)
		return rc;
	memcpy(p.cert, f.cert, sizeof(p.cert));
	memcpy(p.key, f.key, sizeof(p.key));
	memcpy(p.uri, f.uri, sizeof(p.uri));
	memcpy(p.chain, f.chain, sizeof(p.chain));
	*out = p;
	return 0;
}

static int make_folder(const char *folder, bool *made, struct err *err)
{
	*made = mkdir(folder, 0700) == 0;
	if (*made || errno == EEXIST)
		return 0;
	return err_set(err, ERR_SYSTEM, "folder '%s': %s", folder, strerror(errno));
}

void authority_free(struct authority *a)
{
	if (!a)
		return;
	keyed_done(&a->own);
	chain_free(a->chain);
	free(a);
}

X509 *authority_certificate(const struct authority *a)
{
	return sk_X509_value(a->chain, 0);
}

EVP_PKEY *authority_key(const struct authority *a)
{
	return a->own.key;
}

pemfile_chain *authority_chain(const struct authority *a)
{
	return a->chain;
}

static int load(struct authority *a, const struct authority_place *f,
	const struct password *password, struct err *err)
{
	OWNED(pemfile_chain) own = NULL;
	bool below_root = access(f->chain, F_OK) == 0;
	bool in_token = access(f->key, F_OK) != 0 && access(f->uri, F_OK) == 0;
	int rc = pemfile_read_chain(f->cert, &own, err);

	if (rc == 0 && X509_check_ca(sk_X509_value(own, 0)) != 1)
		rc = err_set(err, ERR_FORMAT, "certificate '%s': is not an authority's", f->cert);
	if (rc == 0)
		rc = pemfile_read_chain(below_root ? f->chain : f->cert, &a->chain, err);
	if (rc == 0 && X509_cmp(sk_X509_value(a->chain, 0), sk_X509_value(own, 0)) != 0)
		rc = err_set(err, ERR_FORMAT, "certificate '%s': does not begin with '%s'",
			f->chain, f->cert);
	if (rc == 0)
		rc = in_token ? keyed_from_uri_file(&a->own, f->uri, password, err)
			      : keyfile_read(f->key, password, &a->own.key, err);
	if (rc == 0 && X509_check_private_key(sk_X509_value(own, 0), a->own.key) != 1) {
		ERR_clear_error();
		rc = err_set(err, ERR_FORMAT, "key '%s': does not fit certificate '%s'",
			in_token ? f->uri : f->key, f->cert);
	}
	return rc;
}

int authority_open(const struct authority_place *place, const struct password *password,
	struct authority **out, struct err *err)
{
	struct authority *a = calloc(1, sizeof(*a));
	int rc = a ? load(a, place, password, err)
		   : err_set(err, ERR_NOMEM, "authority '%s': out of memory", place->prefix);

	if (rc == 0)
		*out = a;
	else
		authority_free(a);
	return rc;
}

int authority_load(const char *where, const struct password *password, struct authority **out,
	struct err *err)
{
	struct authority_place place;
	int rc = authority_locate(where, &place, err);

	return rc == 0 ? authority_open(&place, password, out, err) : rc;
}

static int check_files(const struct files *f, const struct authority_order *order, bool combined,
	struct err *err)
{
	int rc = pemfile_check_new(f->cert, order->replace, err);

	if (rc == 0 && !order->key_file && !order->public_key)
		rc = pemfile_check_new(f->key, order->replace, err);
	if (rc == 0 && order->key_uri)
		rc = pemfile_check_new(f->uri, order->replace, err);
	if (rc == 0)
		rc = pemfile_check_new(f->chain, order->replace, err);
	if (rc == 0 && combined)
		rc = pemfile_check_new(f->combined, order->replace, err);
	return rc;
}

static int get_key(const struct authority_order *order, struct keyed *out, struct err *err)
{
	enum keykind kind = KEYKIND_P256;
	int rc = 0;

	if (order->public_key) {
		out->key = order->public_key;
		return EVP_PKEY_up_ref(out->key) == 1
			? 0
			: err_set(err, ERR_CRYPTO, "key: cannot be held");
	}
	if (order->key_uri)
		return keyed_from_token(out, order->key_uri, order->password, err);
	if (order->key_file)
		return keyfile_read(order->key_file, order->password, &out->key, err);
	if (order->key_kind)
		rc = keykind_read(order->key_kind, &kind, err);
	out->fresh = true;
	return rc == 0 ? keykind_new(kind, &out->key, err) : rc;
}

static int write_key(const struct keyed *k, const struct files *f,
	const struct authority_order *order, struct err *err)
{
	struct buf line = { 0 };
	int rc = 0;

	if (k->fresh)
		rc = keyfile_write(f->key, order->replace, k->key, order->encrypt, err);
	if (!order->key_uri)
		return rc;
	buf_printf(&line, "%s\n", order->key_uri);
	rc = buf_ok(&line)
		? pemfile_write(f->uri, PEMFILE_PRIVATE, order->replace, buf_span(&line), err)
		: err_set(err, ERR_NOMEM, "key: out of memory");
	buf_done(&line);
	/* a key file left there would be taken for the one in the token */
	if (rc == 0 && unlink(f->key) != 0 && errno != ENOENT)
		rc = err_set(err, ERR_SYSTEM, "file '%s': %s", f->key, strerror(errno));
	return rc;
}

/* Signed and recorded; nothing is written yet. */
static int sign(const struct authority *parent, const char *prefix,
	const struct authority_order *order, struct keyed *k, X509 **out, struct err *err)
{
	OWNED(X509) cert = NULL;
	int rc = parent ? constraint_check(order->profile, parent->chain, err) : 0;

	if (rc == 0)
		rc = get_key(order, k, err);
	if (rc == 0)
		rc = issue_certificate(order->profile, k->key,
			parent ? sk_X509_value(parent->chain, 0) : NULL,
			parent ? parent->own.key : k->key, time(NULL), &cert, err);
	if (rc == 0 && order->record)
		rc = order->record(order->record_arg, cert, prefix, err);
	if (rc == 0)
		*out = TAKE(cert);
	return rc;
}

/* Makes the certificate and writes it and its key; *out gets the certificate. */
static int make(const struct authority *parent, const char *prefix, const struct files *f,
	const struct authority_order *order, X509 **out, struct err *err)
{
	struct keyed k = { 0 };
	OWNED(X509) cert = NULL;
	int rc = sign(parent, prefix, order, &k, &cert, err);

	if (rc == 0)
		rc = write_key(&k, f, order, err);
	if (rc == 0)
		rc = pemfile_write_chain(f->cert, order->replace, cert, NULL, 0, err);
	if (rc == 0)
		*out = TAKE(cert);
	keyed_done(&k);
	return rc;
}

int authority_make(const struct authority *parent, const struct authority_order *order, X509 **cert,
	EVP_PKEY **key, struct err *err)
{
	struct keyed k = { 0 };
	int rc = profile_check(order->profile, err);

	if (rc == 0)
		rc = sign(parent, "", order, &k, cert, err);
	if (rc == 0)
		*key = TAKE(k.key);
	keyed_done(&k);
	return rc;
}

int authority_found(const struct authority *parent, const char *prefix,
	const struct authority_order *order, struct err *err)
{
	OWNED(X509) cert = NULL;
	struct files f;
	int rc = profile_check(order->profile, err);

	if (rc == 0)
		rc = files_name(&f, prefix, err);
	/* of a root too: a chain left there by an intermediate would be taken for ours */
	if (rc == 0)
		rc = check_files(&f, order, false, err);
	if (rc == 0)
		rc = make(parent, prefix, &f, order, &cert, err);
	if (rc == 0 && parent)
		rc = pemfile_write_chain(f.chain, order->replace, cert, parent->chain, -1, err);
	if (rc == 0 && !parent && unlink(f.chain) != 0 && errno != ENOENT)
		rc = err_set(err, ERR_SYSTEM, "file '%s': %s", f.chain, strerror(errno));
	return rc;
}

static int found_in_folder(const struct authority *parent, const char *folder,
	const struct authority_order *order, struct err *err)
{
	char prefix[PATH_MAX];
	bool made = false;
	int rc;

	if (snprintf(prefix, sizeof(prefix), "%s/ca", folder) >= (int)sizeof(prefix))
		return err_set(err, ERR_ARG, "folder '%.80s...': the path is too long", folder);
	rc = make_folder(folder, &made, err);
	if (rc == 0)
		rc = authority_found(parent, prefix, order, err);
	if (rc != 0 && made)
		rmdir(folder);
	return rc;
}

int authority_init(const char *folder, const struct authority_order *order, struct err *err)
{
	return found_in_folder(NULL, folder, order, err);
}

int authority_extend(const struct authority *parent, const char *folder,
	const struct authority_order *order, struct err *err)
{
	return found_in_folder(parent, folder, order, err);
}

/* What stands beside the certificate of a leaf. */
static int write_chains(const struct authority *parent, const struct files *f, X509 *leaf,
	bool replace, struct err *err)
{
	int issuers = sk_X509_num(parent->chain);
	int rc = pemfile_write_chain(f->chain, replace, NULL, parent->chain, -1, err);

	if (rc == 0)
		rc = pemfile_write_chain(f->combined, replace, leaf, parent->chain,
			issuers > 1 ? issuers - 1 : 1, err);
	return rc;
}

int authority_issue(const struct authority *parent, const char *prefix,
	const struct authority_order *order, struct err *err)
{
	OWNED(X509) leaf = NULL;
	struct files f;
	int rc = profile_check(order->profile, err);

	if (rc == 0)
		rc = files_name(&f, prefix, err);
	if (rc == 0)
		rc = check_files(&f, order, true, err);
	if (rc == 0)
		rc = make(parent, prefix, &f, order, &leaf, err);
	return rc == 0 ? write_chains(parent, &f, leaf, order->replace, err) : rc;
}

int authority_complete(const struct authority *parent, const char *prefix, X509 *cert,
	struct err *err)
{
	struct files f;
	int rc = files_name(&f, prefix, err);

	if (rc == 0)
		rc = pemfile_write_chain(f.cert, true, cert, NULL, 0, err);
	if (rc == 0 && X509_check_ca(cert) == 1)
		return X509_self_signed(cert, 0) == 1
			? 0 /* a root has no chain */
			: pemfile_write_chain(f.chain, true, cert, parent->chain, -1, err);
	return rc == 0 ? write_chains(parent, &f, cert, true, err) : rc;
}
