/* SPDX-License-Identifier: Apache-2.0 */
#include "resolverd/sandbox.h"

#include "resolverd/confine.h"
#include "resolverd/memory.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX   ((rlim_t)1 << 20)
#define OPEN_FILES ((rlim_t)4096)

static int own_managed_file(const char *path, const struct passwd *pw, struct err *err)
{
	struct stat st;

	if (!path)
		return 0;
	/* A file just begun by root, in a directory the user may write. */
	if (lstat(path, &st) == 0 && st.st_uid == 0 && st.st_nlink == 1 && S_ISREG(st.st_mode) &&
		lchown(path, pw->pw_uid, pw->pw_gid))
		return err_set(err, ERR_SYSTEM, "'%s': %s", path, strerror(errno));
	return 0;
}

static int become_user(const struct sandbox *s, struct err *err)
{
	const char *name = s->user ? s->user : "nobody";
	const struct passwd *pw;

	if (geteuid() != 0)
		return 0;
	pw = getpwnam(name);
	if (!pw)
		return err_set(err, ERR_ARG, "user '%s': no such user", name);
	if (own_managed_file(s->writable, pw, err))
		return ERR_SYSTEM;
	if (setgroups(0, NULL) || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
		setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid))
		return err_set(err, ERR_SYSTEM, "cannot become user '%s': %s", name,
			strerror(errno));
	if (pw->pw_uid != 0 && (setuid(0) == 0 || geteuid() == 0))
		return err_set(err, ERR_SYSTEM, "still root after becoming '%s'", name);
	return 0;
}

static int limit(int what, rlim_t most, struct err *err)
{
	struct rlimit now;

	if (getrlimit(what, &now))
		return err_set(err, ERR_SYSTEM, "getrlimit: %s", strerror(errno));
	if (now.rlim_max != RLIM_INFINITY && now.rlim_max < most)
		most = now.rlim_max;
	now = (struct rlimit){ most, most };
	if (setrlimit(what, &now))
		return err_set(err, ERR_SYSTEM, "setrlimit: %s", strerror(errno));
	return 0;
}

static int limit_all(struct err *err)
{
	if (limit(RLIMIT_CORE, 0, err) || limit(RLIMIT_NPROC, 0, err) ||
		limit(RLIMIT_FSIZE, FILE_MAX, err) || limit(RLIMIT_NOFILE, OPEN_FILES, err) ||
		limit(RLIMIT_AS, memory_most(), err))
		return ERR_SYSTEM;
	return 0;
}

/* A managed anchor is written beside and renamed over: directory and file must allow that. */
static int check_writable(const char *path, struct err *err)
{
	char directory[PATH_MAX];
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (!path)
		return 0;
	snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		slash ? path : ".");
	if (access(path, R_OK | W_OK) || access(directory, W_OK | X_OK))
		return err_set(err, ERR_SYSTEM,
			"trust_anchor_managed '%s': it and its directory must be writable: %s",
			path, strerror(errno));
	return confine_writable(directory, err);
}

int sandbox_enter(const struct sandbox *s, char *words, size_t cap, struct err *err)
{
	unsigned uid;
	int abi = 0;

	if (become_user(s, err) || limit_all(err))
		return ERR_SYSTEM;
	uid = (unsigned)geteuid();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return err_set(err, ERR_SYSTEM, "prctl: %s", strerror(errno));
	if (check_writable(s->writable, err) || confine_files(&abi, err) ||
		confine_calls(s->writable != NULL, err))
		return ERR_SYSTEM;
	snprintf(words, cap, "uid=%u landlock=%d seccomp=yes", uid, abi);
	return 0;
}
