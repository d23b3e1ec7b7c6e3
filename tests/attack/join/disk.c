/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk - preloaded into a server: what it asks of the disk, what it tells its peers, in their
 * order; and a disk that is slow, that hangs, or that fails.
 *
 *   DISK_LOG=FILE        one line each: "sync" after fsync or fdatasync returned, "failed" when
 *                        it was made to fail, "hangs" when it was made to hang, "answer Success"
 *                        or "answer no" before the octets of a JoinAns or an XmitDataAns are handed
 *                        to the kernel, "downlink" before those of a PULL_RESP
 *   DISK_DELAY_US=N      each sync takes so much longer
 *   DISK_HANG=FILE       while FILE exists, no sync returns
 *   DISK_FAIL=FILE       while FILE exists, each sync fails with EIO
 *
 * kill -9 cannot show a missing sync, since the kernel keeps what was written; this can.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static void say(const char *words)
{
	static int fd = -1;
	static ssize_t (*real)(int, const void *, size_t);
	const char *path = getenv("DISK_LOG");
	char line[64];
	int n;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "write");
	if (fd < 0 && path)
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	n = snprintf(line, sizeof(line), "%s\n", words);
	real(fd, line, (size_t)n);
}

static void hang(const char *file)
{
	if (!file || access(file, F_OK) != 0)
		return;
	say("hangs");
	while (access(file, F_OK) == 0)
		usleep(1000);
}

static int sync_with(const char *name, int fd)
{
	int (*real)(int);
	const char *delay = getenv("DISK_DELAY_US"), *fail = getenv("DISK_FAIL");

	*(void **)&real = dlsym(RTLD_NEXT, name);
	if (delay)
		usleep((useconds_t)atoi(delay));
	hang(getenv("DISK_HANG"));
	if (fail && access(fail, F_OK) == 0) {
		say("failed");
		errno = EIO;
		return -1;
	}
	if (real(fd) != 0)
		return -1;
	say("sync");
	return 0;
}

int fsync(int fd)
{
	return sync_with("fsync", fd);
}

int fdatasync(int fd)
{
	return sync_with("fdatasync", fd);
}

static void look(const void *p, size_t n)
{
	if (!memmem(p, n, "\"JoinAns\"", 9) && !memmem(p, n, "\"XmitDataAns\"", 13))
		return;
	say(memmem(p, n, "\"Success\"", 9) ? "answer Success" : "answer no");
}

static void look_all(const struct iovec *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		look(v[i].iov_base, v[i].iov_len);
}

ssize_t write(int fd, const void *p, size_t n)
{
	ssize_t (*real)(int, const void *, size_t);

	*(void **)&real = dlsym(RTLD_NEXT, "write");
	look(p, n);
	return real(fd, p, n);
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	ssize_t (*real)(int, const void *, size_t, int);

	*(void **)&real = dlsym(RTLD_NEXT, "send");
	look(p, n);
	return real(fd, p, n, flags);
}

ssize_t sendto(int fd, const void *p, size_t n, int flags, const struct sockaddr *to, socklen_t len)
{
	ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	const unsigned char *octet = p;

	*(void **)&real = dlsym(RTLD_NEXT, "sendto");
	if (n > 4 && octet[0] == 2 && octet[3] == 3)
		say("downlink");
	return real(fd, p, n, flags, to, len);
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
	ssize_t (*real)(int, const struct iovec *, int);

	*(void **)&real = dlsym(RTLD_NEXT, "writev");
	look_all(v, (size_t)n);
	return real(fd, v, n);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	ssize_t (*real)(int, const struct msghdr *, int);

	*(void **)&real = dlsym(RTLD_NEXT, "sendmsg");
	look_all(m->msg_iov, m->msg_iovlen);
	return real(fd, m, flags);
}
