/* SPDX-License-Identifier: Apache-2.0 */
#include "program/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define READ_FILE  LANDLOCK_ACCESS_FS_READ_FILE
#define READ_PATH  (READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define EXEC_PATH  (READ_PATH | LANDLOCK_ACCESS_FS_EXECUTE)
#define WRITE_FILE (READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE)
#define WRITE_PATH                                                                               \
	(READ_PATH | WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
		LANDLOCK_ACCESS_FS_MAKE_SOCK)
/* Everything the first version of Landlock knows is refused unless a path allows it. */
#define HANDLED ((1ULL << 13) - 1)

/* What the C library, OpenSSL and the loader open on their own. */
static const char *const always[] = { "/usr/lib", "/lib", "/lib64", "/usr/share/zoneinfo",
	"/etc/ssl", "/etc/ld.so.cache", "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf",
	"/etc/localtime", "/etc/passwd", "/dev/urandom", NULL };

static int drop_user(const char *user, struct err *err)
{
	struct passwd *pw;

	if (geteuid() != 0)
		return 0;
	errno = 0;
	pw = getpwnam(user);
	if (!pw)
		return err_set(err, ERR_SYSTEM, "user '%s': %s", user,
			errno ? strerror(errno) : "no such user");
	if (setgroups(0, NULL) != 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
		setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
		return err_set(err, ERR_SYSTEM, "user '%s': %s", user, strerror(errno));
	if (pw->pw_uid != 0 && setuid(0) == 0)
		return err_set(err, ERR_SYSTEM, "user '%s': root could be had back", user);
	return 0;
}

/* must: a path that the configuration names has to be there. */
static int allow(int ruleset, const char *path, uint64_t access, bool must, struct err *err)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access };
	struct stat st;
	int rc = 0;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0 || fstat(rule.parent_fd, &st) != 0) {
		if (must)
			rc = err_set(err, ERR_SYSTEM, "sandbox: %s: %s", path, strerror(errno));
	} else {
		if (!S_ISDIR(st.st_mode))
			rule.allowed_access &= WRITE_FILE | LANDLOCK_ACCESS_FS_EXECUTE;
		if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) !=
			0)
			rc = err_set(err, ERR_SYSTEM, "sandbox: %s: %s", path, strerror(errno));
	}
	if (rule.parent_fd >= 0)
		close(rule.parent_fd);
	return rc;
}

static int allow_all(int ruleset, const char *const *paths, uint64_t access, bool must,
	struct err *err)
{
	int rc = 0;

	for (; paths && *paths && rc == 0; paths++)
		rc = allow(ruleset, *paths, access, must, err);
	return rc;
}

static int enter_landlock(const struct sandbox *s, bool *done, struct err *err)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = HANDLED };
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	int rc;

	if (ruleset < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		return 0;
	if (ruleset < 0)
		return err_set(err, ERR_SYSTEM, "sandbox: landlock: %s", strerror(errno));
	rc = allow_all(ruleset, always, s->exec ? EXEC_PATH : READ_PATH, false, err);
	if (rc == 0)
		rc = allow(ruleset, "/dev/null", WRITE_FILE, false, err);
	if (rc == 0)
		rc = allow_all(ruleset, s->exec, EXEC_PATH, true, err);
	if (rc == 0)
		rc = allow_all(ruleset, s->read, READ_PATH, true, err);
	if (rc == 0)
		rc = allow_all(ruleset, s->write, WRITE_PATH, true, err);
	if (rc == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		rc = err_set(err, ERR_SYSTEM, "sandbox: landlock: %s", strerror(errno));
	close(ruleset);
	*done = rc == 0;
	return rc;
}

static int enter_seccomp(bool may_exec, struct err *err)
{
	static const int never[] = { SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
		SCMP_SYS(process_vm_writev), SCMP_SYS(mount), SCMP_SYS(umount2),
		SCMP_SYS(move_mount), SCMP_SYS(fsopen), SCMP_SYS(pivot_root), SCMP_SYS(chroot),
		SCMP_SYS(setns), SCMP_SYS(unshare), SCMP_SYS(init_module), SCMP_SYS(finit_module),
		SCMP_SYS(delete_module), SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load),
		SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(bpf),
		SCMP_SYS(perf_event_open), SCMP_SYS(add_key), SCMP_SYS(request_key),
		SCMP_SYS(keyctl), SCMP_SYS(userfaultfd), SCMP_SYS(settimeofday),
		SCMP_SYS(clock_settime), SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex),
		SCMP_SYS(acct), SCMP_SYS(quotactl), SCMP_SYS(personality),
		SCMP_SYS(open_by_handle_at), SCMP_SYS(kcmp) };
	static const int start[] = { SCMP_SYS(execve), SCMP_SYS(execveat) };
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int rc = ctx ? seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1) : -ENOMEM;

	for (size_t i = 0; rc == 0 && i < sizeof(never) / sizeof(never[0]); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), never[i], 0);
	for (size_t i = 0; rc == 0 && !may_exec && i < sizeof(start) / sizeof(start[0]); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), start[i], 0);
	if (rc == 0)
		rc = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	if (rc != 0)
		return err_set(err, ERR_SYSTEM, "sandbox: seccomp: %s", strerror(-rc));
	return 0;
}

int sandbox_enter(const struct sandbox *s, const char **done_words, struct err *err)
{
	static char words[64];
	bool landlocked = false;
	bool dropped = s->user && geteuid() == 0;
	int rc = s->user ? drop_user(s->user, err) : 0;

	if (rc == 0 &&
		(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
			prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0))
		rc = err_set(err, ERR_SYSTEM, "sandbox: prctl: %s", strerror(errno));
	if (rc == 0 && s->landlock)
		rc = enter_landlock(s, &landlocked, err);
	if (rc == 0 && s->seccomp)
		rc = enter_seccomp(s->exec != NULL, err);
	if (rc != 0)
		return rc;
	snprintf(words, sizeof(words), "no-new-privileges%s%s%s", dropped ? ",user" : "",
		landlocked ? ",landlock" : "", s->seccomp ? ",seccomp" : "");
	if (done_words)
		*done_words = words;
	return 0;
}
