/* SPDX-License-Identifier: Apache-2.0 */
#include "applicationd/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIFO_WAIT_MS 1000

static int fail(const struct outlet *o, struct err *err)
{
	return err_set(err, ERR_SYSTEM, "events '%s': %s", o->path, strerror(errno));
}

static int open_path(struct outlet *o, int *fd, bool *regular, struct err *err)
{
	struct stat st;

	if (strcmp(o->path, "-") == 0) {
		*fd = dup(STDOUT_FILENO);
	} else if (stat(o->path, &st) == 0 && S_ISFIFO(st.st_mode)) {
		*fd = open(o->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	} else {
		*fd = open(o->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
	}
	if (*fd < 0)
		return fail(o, err);
	if (fstat(*fd, &st) < 0) {
		close(*fd);
		return fail(o, err);
	}
	*regular = S_ISREG(st.st_mode);
	return 0;
}

int outlet_open(struct outlet *o, const char *path, bool sync, struct err *err)
{
	*o = (struct outlet){ .path = path, .sync = sync, .fd = -1 };
	return open_path(o, &o->fd, &o->regular, err);
}

int outlet_reopen(struct outlet *o, struct err *err)
{
	bool regular;
	int fd, rc = open_path(o, &fd, &regular, err);

	if (rc < 0)
		return rc;
	close(o->fd);
	o->fd = fd;
	o->regular = regular;
	return 0;
}

void outlet_close(struct outlet *o)
{
	if (o->path && o->fd >= 0)
		close(o->fd);
	o->fd = -1;
}

/* A part of a line must not stay: the next line would be glued to it. */
static int came_short(struct outlet *o, off_t before, struct err *err)
{
	int failure = errno;

	if (o->regular && before >= 0 && ftruncate(o->fd, before) < 0)
		return err_set(err, ERR_SYSTEM, "events '%s': half a line is left: %s", o->path,
			strerror(errno));
	errno = failure;
	return fail(o, err);
}

/* Of a FIFO whose reader is slow, once a part is in it: the rest, within a second. */
static ssize_t write_rest(int fd, struct span lines, ssize_t n)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

	while (n > 0 && (size_t)n < lines.n && poll(&poll_fd, 1, FIFO_WAIT_MS) > 0) {
		ssize_t more = write(fd, lines.p + n, lines.n - (size_t)n);

		if (more < 0 && errno != EINTR && errno != EAGAIN)
			break;
		n += more > 0 ? more : 0;
	}
	return n;
}

int outlet_write(struct outlet *o, struct span lines, struct err *err)
{
	struct stat st = { 0 };
	off_t before = -1;
	ssize_t n;

	if (o->regular && fstat(o->fd, &st) == 0)
		before = st.st_size;
	do
		n = write(o->fd, lines.p, lines.n);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail(o, err);
	if (!o->regular)
		n = write_rest(o->fd, lines, n);
	if ((size_t)n != lines.n) {
		errno = ENOSPC;
		return came_short(o, before, err);
	}
	if (o->sync && o->regular && fsync(o->fd) < 0)
		return fail(o, err);
	return 0;
}
