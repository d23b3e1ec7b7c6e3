/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/wholefile.h"

#include "core/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int fail(struct err *err, const char *what, const char *path)
{
	return err_set(err, ERR_SYSTEM, "%s '%s': %s", what, path, strerror(errno));
}

int wholefile_read(const char *what, const char *path, struct buf *out, struct err *err)
{
	char piece[4096];
	size_t total = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(err, what, path);
	while ((n = read(fd, piece, sizeof(piece))) != 0 && total <= WHOLEFILE_MAX) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		total += (size_t)n;
		buf_put(out, (struct span){ (const uint8_t *)piece, (size_t)n });
	}
	secret_wipe_octets(piece, sizeof(piece));
	if (n < 0)
		fail(err, what, path);
	close(fd);
	if (n < 0)
		return ERR_SYSTEM;
	if (total > WHOLEFILE_MAX)
		return err_set(err, ERR_FORMAT, "%s '%s': larger than %zu octets", what, path,
			WHOLEFILE_MAX);
	return buf_ok(out) ? 0 : err_set(err, ERR_NOMEM, "%s '%s': out of memory", what, path);
}
