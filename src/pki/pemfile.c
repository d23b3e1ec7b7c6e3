/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/pemfile.h"

#include "core/secret.h"
#include "pki/wholefile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail_system(struct err *err, const char *what, const char *path)
{
	return err_set(err, ERR_SYSTEM, "%s '%s': %s", what, path, strerror(errno));
}

static int fail_crypto(struct err *err, const char *what, const char *path)
{
	unsigned long e = ERR_peek_last_error();
	const char *why = e ? ERR_reason_error_string(e) : NULL;

	ERR_clear_error();
	return err_set(err, ERR_CRYPTO, "%s '%s': %s", what, path, why ? why : "failed");
}

static int write_all(int fd, struct span octets)
{
	while (octets.n > 0) {
		ssize_t n = write(fd, octets.p, octets.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		octets.p += n;
		octets.n -= (size_t)n;
	}
	return 0;
}

/* The folder's entry must be durable too, else a crash may lose the new name. */
static int sync_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int n = slash ? (int)(slash - path) : 0;
	int fd, rc;

	snprintf(folder, sizeof(folder), "%.*s", n > 0 ? n : 1, slash ? (n > 0 ? path : "/") : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

int pemfile_check_new(const char *path, bool replace, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : fail_system(err, "file", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_ARG, "file '%s': exists and is not a regular file", path);
	if (!replace)
		return err_set(err, ERR_ARG, "file '%s': exists already; --force replaces it",
			path);
	return 0;
}

/* Gives the finished temporary file its name; without replace both ways fail on an existing
 * one. link is for file systems that cannot rename so. */
static int settle(const char *temporary, const char *path, bool replace)
{
	if (replace)
		return rename(temporary, path);
	if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (link(temporary, path) != 0)
		return -1;
	unlink(temporary);
	return 0;
}

int pemfile_write(const char *path, unsigned mode, bool replace, struct span octets,
	struct err *err)
{
	char temporary[PATH_MAX];
	int fd, rc;

	rc = pemfile_check_new(path, replace, err);
	if (rc != 0)
		return rc;
	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return err_set(err, ERR_ARG, "file '%s': the path is too long", path);
	fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 from the first moment */
	if (fd < 0)
		return fail_system(err, "file", path);
	rc = fchmod(fd, mode) != 0 || write_all(fd, octets) != 0 || fsync(fd) != 0;
	if (rc != 0)
		rc = fail_system(err, "file", path);
	close(fd);
	if (rc == 0 && settle(temporary, path, replace) != 0)
		rc = fail_system(err, "file", path);
	if (rc != 0) {
		unlink(temporary);
		return rc;
	}
	return sync_folder(path) == 0 ? 0 : fail_system(err, "folder of", path);
}

/* Never ask a terminal: an encrypted key is refused with words. */
static int no_passphrase(char *out, int cap, int writing, void *arg)
{
	(void)out;
	(void)cap;
	(void)writing;
	*(bool *)arg = true;
	return -1;
}

static int check_private(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return fail_system(err, "key", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_ARG, "key '%s': not a regular file", path);
	if ((st.st_mode & 077) != 0)
		return err_set(err, ERR_ARG, "key '%s': mode %04o lets others at it; chmod 600",
			path, (unsigned)(st.st_mode & 07777));
	return 0;
}

int pemfile_read_key(const char *path, EVP_PKEY **out, struct err *err)
{
	struct buf text = { .limit = WHOLEFILE_MAX };
	OWNED(BIO) bio = NULL;
	EVP_PKEY *key = NULL;
	bool encrypted = false;
	int rc = check_private(path, err);

	if (rc == 0)
		rc = wholefile_read("key", path, &text, err);
	if (rc == 0) {
		bio = BIO_new_mem_buf(text.p, (int)text.n);
		key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &encrypted) : NULL;
		if (!key && encrypted)
			rc = err_set(err, ERR_FORMAT, "key '%s': is encrypted", path);
		else if (!key)
			rc = err_set(err, ERR_FORMAT, "key '%s': holds no PEM private key", path);
		ERR_clear_error();
	}
	if (text.p)
		secret_wipe_octets(text.p, text.cap);
	buf_done(&text);
	if (rc == 0)
		*out = key;
	return rc;
}

int pemfile_write_key(const char *path, bool replace, EVP_PKEY *key, struct err *err)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *p;
	long n;
	int rc;

	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
		BIO_free(bio);
		return fail_crypto(err, "key", path);
	}
	n = BIO_get_mem_data(bio, &p);
	rc = pemfile_write(path, PEMFILE_PRIVATE, replace,
		(struct span){ (const uint8_t *)p, (size_t)n }, err);
	secret_wipe_octets(p, (size_t)n);
	BIO_free(bio);
	return rc;
}

int pemfile_read_chain(const char *path, pemfile_chain **out, struct err *err)
{
	struct buf text = { .limit = WHOLEFILE_MAX };
	char what[PATH_MAX + 16];
	int rc = wholefile_read("certificate", path, &text, err);

	snprintf(what, sizeof(what), "certificate '%s'", path);
	rc = rc ? rc : chain_read(what, buf_span(&text), out, err);
	buf_done(&text);
	return rc;
}

int pemfile_write_chain(const char *path, bool replace, X509 *leaf, pemfile_chain *chain, int count,
	struct err *err)
{
	OWNED(BIO) bio = BIO_new(BIO_s_mem());
	int all = chain ? sk_X509_num(chain) : 0;
	bool good = bio && (!leaf || PEM_write_bio_X509(bio, leaf) == 1);
	char *p;
	long n;

	if (count < 0 || count > all)
		count = all;
	for (int i = 0; good && i < count; i++)
		good = PEM_write_bio_X509(bio, sk_X509_value(chain, i)) == 1;
	if (!good)
		return fail_crypto(err, "certificate", path);
	n = BIO_get_mem_data(bio, &p);
	return pemfile_write(path, PEMFILE_PUBLIC, replace,
		(struct span){ (const uint8_t *)p, (size_t)n }, err);
}
