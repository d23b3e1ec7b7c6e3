/* SPDX-License-Identifier: Apache-2.0 */
#include "resolverd/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* By number: the headers of an older kernel lack the later ones. */
#define FS_WRITE_FILE  (1ULL << 1)
#define FS_READ_FILE   (1ULL << 2)
#define FS_READ_DIR    (1ULL << 3)
#define FS_REMOVE_FILE (1ULL << 5)
#define FS_MAKE_REG    (1ULL << 8)
#define FS_TRUNCATE    (1ULL << 14)
#define FS_ALL_ABI_1   ((1ULL << 13) - 1)
#define FS_ALL_ABI_2   ((1ULL << 14) - 1)
#define FS_ALL_ABI_3   ((1ULL << 15) - 1)

static int writable_fd = -1;

int confine_writable(const char *directory, struct err *err)
{
	writable_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (writable_fd < 0)
		return err_set(err, ERR_SYSTEM, "'%s': %s", directory, strerror(errno));
	return 0;
}

static uint64_t rights_of(int abi)
{
	if (abi >= 3)
		return FS_ALL_ABI_3;
	return abi == 2 ? FS_ALL_ABI_2 : FS_ALL_ABI_1;
}

int confine_files(int *abi, struct err *err)
{
	uint64_t handled, allowed;
	int version, ruleset;

	version =
		(int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	*abi = version > 0 ? version : 0;
	if (version <= 0)
		return 0;
	handled = rights_of(version);
	allowed = handled &
		(FS_WRITE_FILE | FS_READ_FILE | FS_READ_DIR | FS_REMOVE_FILE | FS_MAKE_REG |
			FS_TRUNCATE);
	/* The first field is the file rights, in every version of the structure. */
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
	if (ruleset < 0)
		return err_set(err, ERR_SYSTEM, "landlock: %s", strerror(errno));
	if (writable_fd >= 0) {
		struct landlock_path_beneath_attr beneath = { allowed, writable_fd };

		if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath,
			    0))
			return err_set(err, ERR_SYSTEM, "landlock: %s", strerror(errno));
		close(writable_fd);
	}
	if (syscall(SYS_landlock_restrict_self, ruleset, 0))
		return err_set(err, ERR_SYSTEM, "landlock: %s", strerror(errno));
	close(ruleset);
	return 0;
}

static const int calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recv),
	SCMP_SYS(send),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(connect),
	SCMP_SYS(bind),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(shutdown),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(fcntl),
	SCMP_SYS(fcntl64),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_gettime64),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getrandom),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(brk),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(lseek),
	SCMP_SYS(timerfd_settime),
};

static const int file_calls[] = {
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(fsync),
	SCMP_SYS(stat),
};

static int allow_list(scmp_filter_ctx filter, const int *list, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, list[i], 0);
	return rc;
}

/* Memory, but never code; sockets, but only of the internet. */
static int allow_narrowly(scmp_filter_ctx filter)
{
	static const int families[] = { AF_INET, AF_INET6 };
	static const int maps[] = { SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect) };
	int rc = 0;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]) && !rc; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
			SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]) && !rc; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, maps[i], 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return rc;
}

int confine_calls(bool files, struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc;

	if (!filter)
		return err_set(err, ERR_NOMEM, "seccomp: out of memory");
	rc = allow_list(filter, calls, sizeof(calls) / sizeof(calls[0]));
	if (!rc)
		rc = allow_narrowly(filter);
	if (!rc && files)
		rc = allow_list(filter, file_calls, sizeof(file_calls) / sizeof(file_calls[0]));
	if (!rc)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc ? err_set(err, ERR_SYSTEM, "seccomp: %s", strerror(-rc)) : 0;
}
