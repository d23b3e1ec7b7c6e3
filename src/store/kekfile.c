/* SPDX-License-Identifier: Apache-2.0 */
#include "store/kekfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int parse(const char *path, struct span text, struct secret *out, struct err *err)
{
	struct secret kek = { 0 };
	size_t n = 0;

	while (text.n && is_blank((char)text.p[text.n - 1]))
		text.n--;
	if (hex_read(text, kek.octets, sizeof(kek.octets), &n) || (n != 16 && n != 24 && n != 32))
		return err_set(err, ERR_FORMAT, "%s: need 32, 48 or 64 hexadecimal digits", path);
	kek.n = (uint8_t)n;
	*out = kek;
	secret_wipe(&kek);
	return 0;
}

int kekfile_read(const char *path, struct secret *out, struct err *err)
{
	char text[2 * SECRET_MAX + 16];
	struct stat st;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd >= 0 && fstat(fd, &st) == 0)
		n = read(fd, text, sizeof(text));
	if (n < 0)
		rc = err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	else if (st.st_mode & 077)
		rc = err_set(err, ERR_FORMAT, "%s: others may read it; need mode 0600", path);
	else
		rc = parse(path, (struct span){ (uint8_t *)text, (size_t)n }, out, err);
	if (fd >= 0)
		close(fd);
	secret_wipe_octets(text, sizeof(text));
	return rc;
}
