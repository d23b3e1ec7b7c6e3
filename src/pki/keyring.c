/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/keyring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/credential.h"
#include "pki/der.h"
#include "pki/keyfile.h"
#include "pki/pemfile.h"

#define LINK "current"

void keyring_word(unsigned generation, char out[KEYRING_GENERATION_MAX])
{
	snprintf(out, KEYRING_GENERATION_MAX, "g%u", generation);
}

static int path_of(const char *dir, const char *name, const char *file, char out[PATH_MAX],
	struct err *err)
{
	int n = snprintf(out, PATH_MAX, "%s/%s%s%s", dir, name, file[0] ? "/" : "", file);

	if (n >= PATH_MAX)
		return err_set(err, ERR_ARG, "folder '%.80s...': the path is too long", dir);
	return 0;
}

static int fail(struct err *err, const char *path)
{
	return err_set(err, ERR_SYSTEM, "'%s': %s", path, strerror(errno));
}

static int sync_folder(const char *dir, struct err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd >= 0 && fsync(fd) == 0 ? 0 : fail(err, dir);

	if (fd >= 0)
		close(fd);
	return rc;
}

/* A folder of ours, one level deep; nothing when it is not there. */
static int remove_folder(const char *path, struct err *err)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int rc = 0;

	if (!d)
		return errno == ENOENT ? 0 : fail(err, path);
	keyfile_overwrite(dirfd(d), "key.pem");
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
			unlinkat(dirfd(d), e->d_name, 0) != 0)
			rc = fail(err, path);
	closedir(d);
	if (rc == 0 && rmdir(path) != 0)
		rc = fail(err, path);
	return rc;
}

/* Credentials have names of their own. What presents a leaf that signs itself presents it alone. */
static int rename_issued(const char *made, struct err *err)
{
	static const char *const names[][2] = {
		{ "leaf-key.pem", "key.pem" },
		{ "leaf.pem", "cert.pem" },
		{ "leaf-chain.pem", "chain.pem" },
		{ "leaf-combined.pem", "combined.pem" },
	};
	char from[PATH_MAX], to[PATH_MAX], cert[PATH_MAX];
	int rc = path_of(made, "cert.pem", "", cert, err);

	for (size_t i = 0; rc == 0 && i < sizeof(names) / sizeof(names[0]); i++) {
		rc = path_of(made, names[i][0], "", from, err);
		if (rc == 0)
			rc = path_of(made, names[i][1], "", to, err);
		if (rc == 0 && rename(from, to) != 0 && errno != ENOENT)
			rc = fail(err, from);
	}
	if (rc == 0 && link(cert, to) != 0 && errno != EEXIST)
		rc = fail(err, to);
	return rc;
}

static int issue(const char *made, const struct keyring_order *o, struct err *err)
{
	char prefix[PATH_MAX];
	int rc = path_of(made, "leaf", "", prefix, err);

	if (rc == 0)
		rc = credential_make_key(prefix, o->key_kind, err);
	if (rc == 0)
		rc = o->issue ? o->issue(o->issue_arg, prefix, o->profile, err)
			      : credential_sign_itself(prefix, o->profile, err);
	return rc == 0 ? rename_issued(made, err) : rc;
}

static int write_pair(const char *made, EVP_PKEY *key, X509 *cert, pemfile_chain *chain,
	struct err *err)
{
	char path[PATH_MAX];
	int rc = path_of(made, "key.pem", "", path, err);

	if (rc == 0)
		rc = keyfile_write(path, false, key, NULL, err);
	if (rc == 0)
		rc = path_of(made, "cert.pem", "", path, err);
	if (rc == 0)
		rc = pemfile_write_chain(path, false, cert, NULL, 0, err);
	if (rc == 0)
		rc = path_of(made, "combined.pem", "", path, err);
	return rc == 0 ? pemfile_write_chain(path, false, cert, chain, -1, err) : rc;
}

/* Empty, beside the place where the generation is going to be. */
static int begin(const char *dir, const char *generation, char made[PATH_MAX], struct err *err)
{
	char name[KEYRING_GENERATION_MAX + sizeof(".making")];
	int rc;

	snprintf(name, sizeof(name), "%s.making", generation);
	rc = path_of(dir, name, "", made, err);
	if (rc == 0 && mkdir(dir, 0700) != 0 && errno != EEXIST)
		rc = fail(err, dir);
	if (rc == 0)
		rc = remove_folder(made, err);
	if (rc == 0 && mkdir(made, 0700) != 0)
		rc = fail(err, made);
	return rc;
}

/* rc says how the making went; what was made in vain does not stay. */
static int finish(int rc, const char *dir, const char *made, const char *place, struct err *err)
{
	if (rc == 0)
		rc = sync_folder(made, err);
	if (rc == 0 && rename(made, place) != 0)
		rc = fail(err, place);
	if (rc == 0)
		return sync_folder(dir, err);
	remove_folder(made, NULL);
	return rc;
}

static int place_of(const char *dir, const char *generation, char out[PATH_MAX], bool *there,
	struct err *err)
{
	int rc = path_of(dir, generation, "", out, err);

	*there = rc == 0 && access(out, F_OK) == 0;
	return rc;
}

static int copy_pair(const char *made, const char *cert_file, const char *key_file, struct err *err)
{
	OWNED(pemfile_chain) chain = NULL;
	OWNED(EVP_PKEY) key = NULL;
	OWNED(X509) leaf = NULL;
	int rc = pemfile_read_chain(cert_file, &chain, err);

	if (rc == 0)
		rc = keyfile_read(key_file, NULL, &key, err);
	if (rc != 0)
		return rc;
	leaf = sk_X509_shift(chain);
	if (X509_check_private_key(leaf, key) != 1)
		return err_set(err, ERR_FORMAT, "key '%s': does not fit certificate '%s'", key_file,
			cert_file);
	return write_pair(made, key, leaf, chain, err);
}

/* By an order, or from files that are elsewhere. */
static int put_generation(const char *dir, const char *generation,
	const struct keyring_order *order, const char *cert, const char *key, struct err *err)
{
	char made[PATH_MAX], place[PATH_MAX];
	bool there;
	int rc = place_of(dir, generation, place, &there, err);

	if (rc != 0 || there)
		return rc;
	rc = begin(dir, generation, made, err);
	if (rc != 0)
		return rc;
	rc = order ? issue(made, order, err) : copy_pair(made, cert, key, err);
	return finish(rc, dir, made, place, err);
}

int keyring_make(const char *dir, const char *generation, const struct keyring_order *order,
	struct err *err)
{
	return put_generation(dir, generation, order, NULL, NULL, err);
}

int keyring_adopt(const char *dir, const char *generation, const char *cert, const char *key,
	struct err *err)
{
	return put_generation(dir, generation, NULL, cert, key, err);
}

/* A link to target takes the place of DIR/name. */
static int put_link(const char *dir, const char *name, const char *target, struct err *err)
{
	char link[PATH_MAX];
	int rc = path_of(dir, name, "", link, err);

	return rc == 0 ? pemfile_link(link, target, err) : rc;
}

int keyring_point(const char *dir, const char *generation, struct err *err)
{
	char place[PATH_MAX];
	bool there;
	int rc = place_of(dir, generation, place, &there, err);

	if (rc == 0 && !there)
		rc = err_set(err, ERR_ARG, "'%s': is not there", place);
	return rc == 0 ? put_link(dir, LINK, generation, err) : rc;
}

int keyring_follow(const char *dir, const char *name, const char *file, struct err *err)
{
	char target[64];

	snprintf(target, sizeof(target), LINK "/%s", file);
	return put_link(dir, name, target, err);
}

int keyring_current(const char *dir, char out[KEYRING_GENERATION_MAX], struct err *err)
{
	char link[PATH_MAX], target[KEYRING_GENERATION_MAX + 1];
	int rc = path_of(dir, LINK, "", link, err);
	ssize_t n = rc == 0 ? readlink(link, target, sizeof(target) - 1) : -1;

	if (rc != 0)
		return rc;
	if (n < 0 && errno != ENOENT)
		return fail(err, link);
	target[n < 0 ? 0 : n] = '\0';
	if (n >= KEYRING_GENERATION_MAX || strchr(target, '/'))
		return err_set(err, ERR_FORMAT, "'%s': leads elsewhere", link);
	snprintf(out, KEYRING_GENERATION_MAX, "%s", target);
	return 0;
}

int keyring_certificate(const char *dir, const char *generation, struct buf *der, struct err *err)
{
	char path[PATH_MAX];
	int rc = path_of(dir, generation, "cert.pem", path, err);

	return rc == 0 ? der_read_certificate(path, der, err) : rc;
}

static int add_names(const char *path, X509 *cert, struct profile *p, struct err *err)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	int rc = 0;

	for (int i = 0; rc == 0 && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
		char text[NAME_TEXT_MAX];

		if (n->type != GEN_DNS || n->d.dNSName->length >= (int)sizeof(text)) {
			rc = err_set(err, ERR_FORMAT, "a subjectAltName that is no dNSName");
			break;
		}
		snprintf(text, sizeof(text), "%.*s", n->d.dNSName->length,
			(const char *)n->d.dNSName->data);
		rc = profile_add_san(p, text, err);
	}
	GENERAL_NAMES_free(names);
	return rc == 0 ? 0 : err_wrap(err, rc, "certificate '%s'", path);
}

/* Without an extended key usage it is for anything. */
static enum profile_role role_of(X509 *cert)
{
	uint32_t usage = X509_get_extended_key_usage(cert);
	bool server = usage & XKU_SSL_SERVER, client = usage & XKU_SSL_CLIENT;

	if (server == client)
		return PROFILE_BOTH;
	return server ? PROFILE_SERVER : PROFILE_CLIENT;
}

int keyring_profile(const char *dir, const char *generation, struct profile *out, bool *self_signed,
	struct err *err)
{
	struct profile p = { .path_len = -1, .backdate_s = PROFILE_BACKDATE_S };
	OWNED(pemfile_chain) chain = NULL;
	char path[PATH_MAX];
	X509 *cert;
	int rc = path_of(dir, generation, "cert.pem", path, err);

	if (rc == 0)
		rc = pemfile_read_chain(path, &chain, err);
	if (rc != 0)
		return rc;
	cert = sk_X509_value(chain, 0);
	p.role = role_of(cert);
	rc = add_names(path, cert, &p, err);
	if (rc != 0)
		return rc;
	*self_signed = X509_verify(cert, X509_get0_pubkey(cert)) == 1;
	ERR_clear_error();
	*out = p;
	return 0;
}

int keyring_erase(const char *dir, const char *generation, struct err *err)
{
	char current[KEYRING_GENERATION_MAX], path[PATH_MAX];
	int rc = keyring_current(dir, current, err);

	if (rc == 0 && strcmp(current, generation) == 0)
		rc = err_set(err, ERR_ARG, "'%s/%s': is in use", dir, generation);
	if (rc == 0)
		rc = path_of(dir, generation, "", path, err);
	if (rc == 0)
		rc = remove_folder(path, err);
	return rc == 0 ? sync_folder(dir, err) : rc;
}

/* "g" and a number, perhaps half made. */
static bool is_generation(const char *name)
{
	const char *end = name + 1 + strspn(name + 1, "0123456789");

	return name[0] == 'g' && end > name + 1 && (!*end || strcmp(end, ".making") == 0);
}

int keyring_clear(const char *dir, struct err *err)
{
	char path[PATH_MAX];
	DIR *d = opendir(dir);
	struct dirent *e;
	int rc = 0;

	if (!d)
		return errno == ENOENT ? 0 : fail(err, dir);
	if (unlinkat(dirfd(d), LINK, 0) != 0 && errno != ENOENT)
		rc = fail(err, dir);
	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (!is_generation(e->d_name))
			continue;
		rc = path_of(dir, e->d_name, "", path, err);
		if (rc == 0)
			rc = remove_folder(path, err);
	}
	closedir(d);
	return rc == 0 ? sync_folder(dir, err) : rc;
}
