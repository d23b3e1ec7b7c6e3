/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/authority.h"

#include "pki/issue.h"
#include "pki/keykind.h"
#include "pki/pemfile.h"

#include <errno.h>
#include <limits.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct authority {
	EVP_PKEY *key;
	pemfile_chain *chain; /* its own certificate first, the root last */
};

/* The files of one order: all are looked at before the first is written. */
struct files {
	char key[PATH_MAX];
	char cert[PATH_MAX];
	char chain[PATH_MAX];
	char combined[PATH_MAX];
};

static int files_name(struct files *f, const char *prefix, struct err *err)
{
	if (strlen(prefix) + sizeof("-combined.pem") > PATH_MAX)
		return err_set(err, ERR_ARG, "file '%.80s...': the path is too long", prefix);
	snprintf(f->key, sizeof(f->key), "%s-key.pem", prefix);
	snprintf(f->cert, sizeof(f->cert), "%s.pem", prefix);
	snprintf(f->chain, sizeof(f->chain), "%s-chain.pem", prefix);
	snprintf(f->combined, sizeof(f->combined), "%s-combined.pem", prefix);
	return 0;
}

static int files_of_folder(struct files *f, const char *folder, struct err *err)
{
	char prefix[PATH_MAX];

	if (snprintf(prefix, sizeof(prefix), "%s/ca", folder) >= (int)sizeof(prefix))
		return err_set(err, ERR_ARG, "folder '%.80s...': the path is too long", folder);
	return files_name(f, prefix, err);
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
	EVP_PKEY_free(a->key);
	chain_free(a->chain);
	free(a);
}

static int load(struct authority *a, const struct files *f, struct err *err)
{
	OWNED(pemfile_chain) own = NULL;
	bool below_root = access(f->chain, F_OK) == 0;
	int rc = pemfile_read_chain(f->cert, &own, err);

	if (rc == 0)
		rc = pemfile_read_chain(below_root ? f->chain : f->cert, &a->chain, err);
	if (rc == 0)
		rc = pemfile_read_key(f->key, &a->key, err);
	if (rc != 0)
		return rc;
	if (X509_cmp(sk_X509_value(a->chain, 0), sk_X509_value(own, 0)) != 0)
		return err_set(err, ERR_FORMAT, "certificate '%s': does not begin with '%s'",
			f->chain, f->cert);
	if (X509_check_private_key(sk_X509_value(own, 0), a->key) != 1)
		return err_set(err, ERR_FORMAT, "key '%s': does not fit certificate '%s'", f->key,
			f->cert);
	if (X509_check_ca(sk_X509_value(own, 0)) != 1)
		return err_set(err, ERR_FORMAT, "certificate '%s': is not an authority's", f->cert);
	return 0;
}

int authority_load(const char *folder, struct authority **out, struct err *err)
{
	struct authority *a = calloc(1, sizeof(*a));
	struct files f;
	int rc;

	if (!a)
		return err_set(err, ERR_NOMEM, "authority '%s': out of memory", folder);
	rc = files_of_folder(&f, folder, err);
	if (rc == 0)
		rc = load(a, &f, err);
	if (rc != 0) {
		authority_free(a);
		return rc;
	}
	*out = a;
	return 0;
}

static int check_files(const struct files *f, const struct authority_order *order, bool combined,
	struct err *err)
{
	int rc = pemfile_check_new(f->cert, order->replace, err);

	if (rc == 0 && !order->key_file)
		rc = pemfile_check_new(f->key, order->replace, err);
	if (rc == 0)
		rc = pemfile_check_new(f->chain, order->replace, err);
	if (rc == 0 && combined)
		rc = pemfile_check_new(f->combined, order->replace, err);
	return rc;
}

static int get_key(const struct authority_order *order, EVP_PKEY **out, struct err *err)
{
	enum keykind kind = KEYKIND_P256;
	int rc = 0;

	if (order->key_file)
		return pemfile_read_key(order->key_file, out, err);
	if (order->key_kind)
		rc = keykind_read(order->key_kind, &kind, err);
	return rc == 0 ? keykind_new(kind, out, err) : rc;
}

/* Makes the certificate and writes it and its key; *out gets the certificate. */
static int make(const struct authority *parent, const struct files *f,
	const struct authority_order *order, X509 **out, struct err *err)
{
	OWNED(EVP_PKEY) key = NULL;
	OWNED(X509) cert = NULL;
	int rc = get_key(order, &key, err);

	if (rc == 0)
		rc = issue_certificate(order->profile, key,
			parent ? sk_X509_value(parent->chain, 0) : NULL, parent ? parent->key : key,
			time(NULL), &cert, err);
	if (rc == 0 && !order->key_file)
		rc = pemfile_write_key(f->key, order->replace, key, err);
	if (rc == 0)
		rc = pemfile_write_chain(f->cert, order->replace, cert, NULL, 0, err);
	if (rc == 0)
		*out = TAKE(cert);
	return rc;
}

/* An authority in its folder; parent NULL: a root. */
static int found(const struct authority *parent, const char *folder,
	const struct authority_order *order, struct err *err)
{
	OWNED(X509) cert = NULL;
	struct files f;
	bool made = false;
	int rc = profile_check(order->profile, err);

	if (rc == 0)
		rc = files_of_folder(&f, folder, err);
	if (rc == 0)
		rc = make_folder(folder, &made, err);
	/* of a root too: a chain left there by an intermediate would be taken for ours */
	if (rc == 0)
		rc = check_files(&f, order, false, err);
	if (rc == 0)
		rc = make(parent, &f, order, &cert, err);
	if (rc == 0 && parent)
		rc = pemfile_write_chain(f.chain, order->replace, cert, parent->chain, -1, err);
	if (rc == 0 && !parent && unlink(f.chain) != 0 && errno != ENOENT)
		rc = err_set(err, ERR_SYSTEM, "file '%s': %s", f.chain, strerror(errno));
	if (rc != 0 && made)
		rmdir(folder);
	return rc;
}

int authority_init(const char *folder, const struct authority_order *order, struct err *err)
{
	return found(NULL, folder, order, err);
}

int authority_extend(const struct authority *parent, const char *folder,
	const struct authority_order *order, struct err *err)
{
	return found(parent, folder, order, err);
}

int authority_issue(const struct authority *parent, const char *prefix,
	const struct authority_order *order, struct err *err)
{
	OWNED(X509) leaf = NULL;
	struct files f;
	int issuers = sk_X509_num(parent->chain);
	int rc = profile_check(order->profile, err);

	if (rc == 0)
		rc = files_name(&f, prefix, err);
	if (rc == 0)
		rc = check_files(&f, order, true, err);
	if (rc == 0)
		rc = make(parent, &f, order, &leaf, err);
	if (rc == 0)
		rc = pemfile_write_chain(f.chain, order->replace, NULL, parent->chain, -1, err);
	if (rc == 0)
		rc = pemfile_write_chain(f.combined, order->replace, leaf, parent->chain,
			issuers > 1 ? issuers - 1 : 1, err);
	return rc;
}
