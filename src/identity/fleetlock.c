/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/fleetlock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void path_of(const char *state, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%.*s/devices.lock", PATH_MAX - 16, state);
}

int fleetlock_take(const char *state, int *fd, struct err *err)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[PATH_MAX];
	int lock;

	path_of(state, path);
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock >= 0 && fcntl(lock, F_OFD_SETLK, &whole) == 0) {
		*fd = lock;
		return 0;
	}
	err_set(err, ERR_SYSTEM, "%s: %s", path,
		lock >= 0 && errno == EAGAIN ? "another list is being enrolled" : strerror(errno));
	if (lock >= 0)
		close(lock);
	return ERR_SYSTEM;
}

bool fleetlock_is_busy(const char *state)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[PATH_MAX];
	bool busy;
	int fd;

	path_of(state, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	busy = fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
	close(fd);
	return busy;
}
