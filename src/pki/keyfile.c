/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/keyfile.h"

#include "core/secret.h"
#include "pki/reason.h"
#include "pki/wholefile.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

OWNED_TYPE(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)
OWNED_TYPE(X509_SIG, X509_SIG_free)

static int fail_crypto(struct err *err, const char *path)
{
	return err_set(err, ERR_CRYPTO, "key '%s': %s", path, reason_take());
}

static int check_private(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return err_set(err, ERR_SYSTEM, "key '%s': %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_ARG, "key '%s': not a regular file", path);
	if ((st.st_mode & 077) != 0)
		return err_set(err, ERR_ARG, "key '%s': mode %04o lets others at it; chmod 600",
			path, (unsigned)(st.st_mode & 07777));
	return 0;
}

struct reading {
	const char *path;
	const struct password *password;
	struct err *err;
	int rc; /* of asking for the password */
	bool encrypted;
};

static int unlock(char *out, int cap, int writing, void *arg)
{
	struct reading *r = arg;
	char what[300], password[PASSWORD_MAX];
	size_t n;

	(void)writing;
	r->encrypted = true;
	snprintf(what, sizeof(what), "key '%.280s'", r->path);
	r->rc = password_get(r->password, what, false, password, r->err);
	n = r->rc == 0 ? strlen(password) : 0;
	if (n == 0 || n > (size_t)cap)
		return -1;
	memcpy(out, password, n);
	secret_wipe_octets(password, sizeof(password));
	return (int)n;
}

static int parse(struct reading *r, const struct buf *text, EVP_PKEY **out)
{
	OWNED(BIO) bio = BIO_new_mem_buf(text->p, (int)text->n);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, unlock, r) : NULL;

	ERR_clear_error();
	if (key) {
		*out = key;
		return 0;
	}
	if (r->rc != 0)
		return r->rc;
	return err_set(r->err, ERR_FORMAT,
		r->encrypted ? "key '%s': the password does not fit it"
			     : "key '%s': holds no PEM private key",
		r->path);
}

int keyfile_read(const char *path, const struct password *password, EVP_PKEY **out, struct err *err)
{
	struct reading r = { .path = path, .password = password, .err = err };
	struct buf text = { .limit = WHOLEFILE_MAX };
	int rc = check_private(path, err);

	if (rc == 0)
		rc = wholefile_read("key", path, &text, err);
	if (rc == 0)
		rc = parse(&r, &text, out);
	if (text.p)
		secret_wipe_octets(text.p, text.cap);
	buf_done(&text);
	return rc;
}

static int put_encrypted(BIO *bio, EVP_PKEY *key, const char *path, const struct password *encrypt,
	struct err *err)
{
	OWNED(PKCS8_PRIV_KEY_INFO) plain = EVP_PKEY2PKCS8(key);
	OWNED(X509_SIG) sealed = NULL;
	char what[300], password[PASSWORD_MAX];
	X509_ALGOR *scheme;
	int rc;

	snprintf(what, sizeof(what), "key '%.280s'", path);
	rc = password_get(encrypt, what, true, password, err);
	if (rc != 0)
		return rc;
	scheme = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), KEYFILE_ROUNDS, NULL, 0, NULL,
		NID_hmacWithSHA256);
	sealed = plain && scheme ? PKCS8_set0_pbe(password, (int)strlen(password), plain, scheme)
				 : NULL;
	secret_wipe_octets(password, sizeof(password));
	if (!sealed)
		X509_ALGOR_free(scheme);
	return sealed && PEM_write_bio_PKCS8(bio, sealed) == 1 ? 0 : fail_crypto(err, path);
}

static int put(EVP_PKEY *key, const char *path, const struct password *encrypt, struct buf *out,
	struct err *err)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *p;
	long n;
	int rc = bio ? 0 : err_set(err, ERR_NOMEM, "key '%s': out of memory", path);

	if (rc == 0 && encrypt)
		rc = put_encrypted(bio, key, path, encrypt, err);
	else if (rc == 0 && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
		rc = fail_crypto(err, path);
	if (rc == 0) {
		n = BIO_get_mem_data(bio, &p);
		buf_put(out, (struct span){ (const uint8_t *)p, (size_t)n });
		secret_wipe_octets(p, (size_t)n);
		if (!buf_ok(out))
			rc = err_set(err, ERR_NOMEM, "key '%s': out of memory", path);
	}
	BIO_free(bio);
	return rc;
}

int keyfile_put(EVP_PKEY *key, struct buf *out, struct err *err)
{
	return put(key, "PEM", NULL, out, err);
}

int keyfile_write(const char *path, bool replace, EVP_PKEY *key, const struct password *encrypt,
	struct err *err)
{
	struct buf text = { 0 };
	int rc = put(key, path, encrypt, &text, err);

	if (rc == 0)
		rc = pemfile_write(path, PEMFILE_PRIVATE, replace, buf_span(&text), err);
	if (text.p)
		secret_wipe_octets(text.p, text.cap);
	buf_done(&text);
	return rc;
}

void keyfile_overwrite(int folder, const char *file)
{
	static const char zeros[4096];
	int fd = openat(folder, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return;
	for (off_t left = fstat(fd, &st) == 0 ? st.st_size : 0; left > 0;) {
		size_t piece = left < (off_t)sizeof(zeros) ? (size_t)left : sizeof(zeros);
		ssize_t n = write(fd, zeros, piece);

		if (n <= 0)
			break;
		left -= n;
	}
	fsync(fd);
	close(fd);
}
