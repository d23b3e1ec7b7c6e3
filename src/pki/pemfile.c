/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/pemfile.h"

#include "pki/reason.h"
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
	return err_set(err, ERR_CRYPTO, "%s '%s': %s", what, path, reason_take());
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

int pemfile_link(const char *path, const char *target, struct err *err)
{
	char temporary[PATH_MAX];

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
		return err_set(err, ERR_ARG, "file '%s': the path is too long", path);
	if ((unlink(temporary) != 0 && errno != ENOENT) || symlink(target, temporary) != 0)
		return fail_system(err, "file", temporary);
	if (rename(temporary, path) != 0 || sync_folder(path) != 0)
		return fail_system(err, "file", path);
	return 0;
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

int pemfile_put(X509 *cert, struct buf *out, struct err *err)
{
	OWNED(BIO) bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	if (!bio || PEM_write_bio_X509(bio, cert) != 1)
		return fail_crypto(err, "certificate", "PEM");
	n = BIO_get_mem_data(bio, &p);
	buf_put(out, (struct span){ (const uint8_t *)p, (size_t)n });
	return buf_ok(out) ? 0 : err_set(err, ERR_NOMEM, "certificate: out of memory");
}

int pemfile_write_chain(const char *path, bool replace, X509 *leaf, pemfile_chain *chain, int count,
	struct err *err)
{
	struct buf text = { 0 };
	int all = chain ? sk_X509_num(chain) : 0;
	int rc = leaf ? pemfile_put(leaf, &text, err) : 0;

	if (count < 0 || count > all)
		count = all;
	for (int i = 0; rc == 0 && i < count; i++)
		rc = pemfile_put(sk_X509_value(chain, i), &text, err);
	if (rc == 0)
		rc = pemfile_write(path, PEMFILE_PUBLIC, replace, buf_span(&text), err);
	buf_done(&text);
	return rc;
}
