/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)1 << 16)

extern char **environ;

int run_find(const char *program, const char *package, char *out, size_t cap, struct err *err)
{
	const char *path = getenv("PATH");
	char all[4096];
	char *rest = all;
	const char *folder;

	snprintf(all, sizeof(all), "%s:/usr/local/sbin:/usr/sbin:/sbin", path ? path : "/usr/bin");
	while ((folder = strsep(&rest, ":")) != NULL) {
		if (!*folder || snprintf(out, cap, "%s/%s", folder, program) >= (int)cap)
			continue;
		if (access(out, X_OK) == 0)
			return 0;
	}
	return err_set(err, ERR_SYSTEM, "%s: not found; install the package '%s'", program,
		package);
}

bool run_find_own(const char *place, char *out, size_t cap)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *end;

	if (n <= 0)
		return false;
	self[n] = '\0';
	end = strrchr(self, '/');
	if (!end || end - self < 4 || strncmp(end - 4, "/cli", 4) != 0)
		return false;
	end[-4] = '\0';
	return snprintf(out, cap, "%s/%s", self, place) < (int)cap && access(out, X_OK) == 0;
}

static int spawn(const char *const *argv, int in, int out, int errors, short flags, pid_t *pid,
	struct err *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int e;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, (short)(flags | POSIX_SPAWN_SETSIGMASK));
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, errors, 2);
	if (flags & POSIX_SPAWN_SETSID)
		posix_spawn_file_actions_addchdir_np(&actions, "/");
	e = posix_spawn(pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return e == 0 ? 0 : err_set(err, ERR_SYSTEM, "%s: %s", argv[0], strerror(e));
}

static void drain(int fd, struct buf *out)
{
	uint8_t piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		if (out->n < OUTPUT_MAX)
			buf_put(out, (struct span){ piece, (size_t)n });
	}
}

static int finish(const char *program, pid_t pid, const struct buf *text, struct err *err)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, ERR_SYSTEM, "%s: %s", program, strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(err, ERR_SYSTEM, "%s: failed: %.*s", program,
		(int)strcspn(text->n ? (const char *)text->p : "", "\n"),
		text->n ? (const char *)text->p : "");
}

/* Complaints go to a file without a name, so that one pipe is enough. */
int run_read(const char *const *argv, struct buf *out, struct err *err)
{
	char template[] = "/tmp/sardane-XXXXXX";
	struct buf words = { 0 };
	int pipes[2], in, errors;
	pid_t pid;
	int rc;

	if (pipe2(pipes, O_CLOEXEC) != 0)
		return err_set(err, ERR_SYSTEM, "pipe: %s", strerror(errno));
	in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	errors = mkostemp(template, O_CLOEXEC);
	if (errors >= 0)
		unlink(template);
	if (in < 0 || errors < 0)
		rc = err_set(err, ERR_SYSTEM, "%s: %s", argv[0], strerror(errno));
	else
		rc = spawn(argv, in, pipes[1], errors, 0, &pid, err);
	close(pipes[1]);
	if (rc == 0) {
		drain(pipes[0], out);
		if (lseek(errors, 0, SEEK_SET) == 0)
			drain(errors, &words);
		buf_string(&words);
		rc = finish(argv[0], pid, &words, err);
	}
	close(pipes[0]);
	if (in >= 0)
		close(in);
	if (errors >= 0)
		close(errors);
	buf_done(&words);
	return rc;
}

int run_detached(const char *const *argv, const char *output, pid_t *pid, struct err *err)
{
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int rc;

	if (in < 0 || out < 0)
		rc = err_set(err, ERR_SYSTEM, "file '%s': %s", output, strerror(errno));
	else
		rc = spawn(argv, in, out, out, POSIX_SPAWN_SETSID, pid, err);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return rc;
}
