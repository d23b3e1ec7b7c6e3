/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/shelf.h"

#include "core/secret.h"
#include "pki/der.h"
#include "pki/keyfile.h"
#include "pki/keykind.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DAY_S 86400

struct shelf {
	char dir[PATH_MAX];
	int fd;
	struct buf chain; /* PEM of the issuers a device presents, once it was asked for */
	const pemfile_chain *issuers;
};

int shelf_open(const char *dir, struct shelf **out, struct err *err)
{
	struct shelf *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, ERR_NOMEM, "folder '%s': out of memory", dir);
	s->fd = -1;
	if (snprintf(s->dir, sizeof(s->dir), "%s", dir) < (int)sizeof(s->dir) &&
		(mkdir(dir, 0700) == 0 || errno == EEXIST))
		s->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0) {
		int rc = err_set(err, ERR_SYSTEM, "folder '%s': %s", dir, strerror(errno));

		shelf_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void shelf_close(struct shelf *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	buf_done(&s->chain);
	free(s);
}

int shelf_prefix(const struct shelf *s, const char *owner, char out[PATH_MAX], struct err *err)
{
	static const char *const ends[] = { "-key", "-combined", "-chain" };
	const size_t n = strlen(owner);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (n >= strlen(ends[i]) && strcmp(owner + n - strlen(ends[i]), ends[i]) == 0)
			return err_set(err, ERR_ARG, "name '%.80s': no file can have it", owner);
	/* room for -combined.pem and what a writer adds */
	if (snprintf(out, PATH_MAX, "%s/%s", s->dir, owner) >= PATH_MAX - 32)
		return err_set(err, ERR_ARG, "folder '%.80s...': the path is too long", s->dir);
	return 0;
}

static int path_of(const struct shelf *s, const char *owner, const char *end, char out[PATH_MAX],
	struct err *err)
{
	int rc = shelf_prefix(s, owner, out, err);

	if (rc == 0)
		strcat(out, end);
	return rc;
}

/* As pemfile_write, but for the syncs. */
static int put_file(const struct shelf *s, const char *owner, const char *end, unsigned mode,
	struct span octets, struct err *err)
{
	char path[PATH_MAX], temporary[PATH_MAX];
	int fd, rc = path_of(s, owner, end, path, err);

	if (rc != 0)
		return rc;
	snprintf(temporary, sizeof(temporary), "%.*s.new", PATH_MAX - 8, path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "file '%s': %s", path, strerror(errno));
	while (rc == 0 && octets.n > 0) {
		ssize_t n = write(fd, octets.p, octets.n);

		if (n < 0 && errno != EINTR)
			rc = err_set(err, ERR_SYSTEM, "file '%s': %s", path, strerror(errno));
		octets.p += n > 0 ? n : 0;
		octets.n -= n > 0 ? (size_t)n : 0;
	}
	close(fd);
	if (rc == 0 && rename(temporary, path) != 0)
		rc = err_set(err, ERR_SYSTEM, "file '%s': %s", path, strerror(errno));
	return rc;
}

static int make_key(struct shelf *s, const char *owner, const char *word, EVP_PKEY **out,
	struct err *err)
{
	struct buf pem = { 0 };
	OWNED(EVP_PKEY) key = NULL;
	enum keykind kind;
	int rc = keykind_read(word, &kind, err);

	if (rc == 0)
		rc = keykind_new(kind, &key, err);
	if (rc == 0)
		rc = keyfile_put(key, &pem, err);
	if (rc == 0)
		rc = put_file(s, owner, "-key.pem", PEMFILE_PRIVATE, buf_span(&pem), err);
	if (pem.p)
		secret_wipe_octets(pem.p, pem.cap);
	buf_done(&pem);
	if (rc == 0)
		*out = TAKE(key);
	return rc;
}

int shelf_key(struct shelf *s, const char *owner, const char *kind, struct buf *spki,
	struct err *err)
{
	OWNED(EVP_PKEY) key = NULL;
	const char *has = "";
	char path[PATH_MAX];
	int rc = path_of(s, owner, "-key.pem", path, err);

	if (rc != 0)
		return rc;
	/* what a crash of the machine left half is nobody's key: nothing was told of it yet */
	if (access(path, F_OK) == 0 && keyfile_read(path, NULL, &key, NULL) == 0 &&
		(keykind_of(key, &has, NULL) != 0 || strcmp(has, kind) != 0)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	if (!key)
		rc = make_key(s, owner, kind, &key, err);
	return rc == 0 ? der_put_key(key, spki, err) : rc;
}

int shelf_no_key(struct shelf *s, const char *owner, struct err *err)
{
	char path[PATH_MAX];
	int rc = path_of(s, owner, "-key.pem", path, err);

	if (rc == 0 && unlink(path) != 0 && errno != ENOENT)
		rc = err_set(err, ERR_SYSTEM, "file '%s': %s", path, strerror(errno));
	return rc;
}

/* As authority_issue does it: intermediates, or the root where there are none. */
static int prepare_chain(struct shelf *s, pemfile_chain *issuers, struct err *err)
{
	int n = sk_X509_num(issuers), rc = 0;

	if (s->issuers == issuers)
		return 0;
	s->chain.n = 0;
	for (int i = 0; rc == 0 && i < (n > 1 ? n - 1 : 1); i++)
		rc = pemfile_put(sk_X509_value(issuers, i), &s->chain, err);
	s->issuers = rc == 0 ? issuers : NULL;
	return rc;
}

static int put_pem(struct span der, struct buf *out, struct err *err)
{
	OWNED(BIO) bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	if (!bio || PEM_write_bio(bio, PEM_STRING_X509, "", der.p, (long)der.n) <= 0)
		return err_set(err, ERR_NOMEM, "certificate: out of memory");
	n = BIO_get_mem_data(bio, &p);
	buf_put(out, (struct span){ (const uint8_t *)p, (size_t)n });
	return 0;
}

int shelf_certificate(struct shelf *s, const char *owner, struct span der, pemfile_chain *issuers,
	struct err *err)
{
	struct buf pem = { 0 };
	int rc = prepare_chain(s, issuers, err);

	if (rc == 0)
		rc = put_pem(der, &pem, err);
	if (rc == 0)
		rc = put_file(s, owner, ".pem", PEMFILE_PUBLIC, buf_span(&pem), err);
	buf_put(&pem, buf_span(&s->chain));
	if (rc == 0 && !buf_ok(&pem))
		rc = err_set(err, ERR_NOMEM, "certificate: out of memory");
	if (rc == 0)
		rc = put_file(s, owner, "-combined.pem", PEMFILE_PUBLIC, buf_span(&pem), err);
	buf_done(&pem);
	return rc;
}

static bool has_key(X509 *cert, struct span spki)
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	bool same = n > 0 && (size_t)n == spki.n && memcmp(der, spki.p, spki.n) == 0;

	OPENSSL_free(der);
	return same;
}

int shelf_find(struct shelf *s, const char *owner, struct span spki, X509 *issuer, bool *fits,
	char serial[FACTS_SERIAL_MAX], struct err *err)
{
	OWNED(pemfile_chain) chain = NULL;
	struct facts f = { 0 };
	char path[PATH_MAX];
	X509 *cert;
	int rc = path_of(s, owner, ".pem", path, err);

	*fits = false;
	if (rc != 0 || access(path, F_OK) != 0 || pemfile_read_chain(path, &chain, NULL) != 0)
		return rc;
	cert = sk_X509_value(chain, 0);
	rc = facts_read(cert, &f, err);
	*fits = rc == 0 && has_key(cert, spki) && strcmp(buf_string(&f.names), owner) == 0 &&
		f.not_after > (int64_t)time(NULL) + DAY_S &&
		X509_verify(cert, X509_get0_pubkey(issuer)) == 1;
	ERR_clear_error();
	if (*fits)
		memcpy(serial, f.serial, sizeof(f.serial));
	facts_done(&f);
	return rc;
}

int shelf_sync(struct shelf *s, struct err *err)
{
	return syncfs(s->fd) == 0
		? 0
		: err_set(err, ERR_SYSTEM, "folder '%s': %s", s->dir, strerror(errno));
}
