/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 160
#define PAUSE_MS        20

extern char **environ;

struct child {
	const char *command;
	pid_t pid;
	int output; /* what it says; -1 when it has closed it */
	int64_t until_ms;
	char line[LINE_MAX_OCTETS]; /* the last line it said, cut short */
	size_t n;
	bool ended; /* the line is whole; more begins another */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static char **merge_variables(const char *const *variables)
{
	size_t ours = 0, all = 0, n = 0;
	char **out;

	while (variables[ours])
		ours++;
	while (environ[all])
		all++;
	out = calloc(ours + all + 1, sizeof(*out));
	if (!out)
		return NULL;
	for (; n < ours; n++)
		out[n] = (char *)variables[n];
	for (size_t i = 0; i < all; i++) {
		bool covered = false;

		for (size_t k = 0; k < ours && !covered; k++) {
			size_t name = strcspn(variables[k], "=") + 1;

			covered = strncmp(environ[i], variables[k], name) == 0;
		}
		if (!covered)
			out[n++] = environ[i];
	}
	return out;
}

static int start(struct child *c, const char *const *variables, struct err *err)
{
	const char *const argv[] = { "/bin/sh", "-c", c->command, NULL };
	char **all = merge_variables(variables);
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int ends[2], e;

	if (!all || pipe2(ends, O_CLOEXEC) != 0) {
		free(all);
		return err_set(err, ERR_SYSTEM, "'%.80s': %s", c->command, strerror(errno));
	}
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &none);
	e = posix_spawn(&c->pid, argv[0], &actions, &attributes, (char *const *)argv, all);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	free(all);
	close(ends[1]);
	c->output = ends[0];
	if (e == 0)
		return 0;
	close(ends[0]);
	return err_set(err, ERR_SYSTEM, "'%.80s': %s", c->command, strerror(e));
}

static void take_output(struct child *c)
{
	char piece[512];
	ssize_t n = read(c->output, piece, sizeof(piece));

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		close(c->output);
		c->output = -1;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (piece[i] == '\n') {
			c->ended = true;
			continue;
		}
		if (c->ended)
			c->n = 0;
		c->ended = false;
		if (c->n + 1 < sizeof(c->line))
			c->line[c->n++] = piece[i] >= ' ' ? piece[i] : ' ';
	}
	c->line[c->n] = '\0';
}

/* Its end is looked for again and again: what it left running may hold the pipe open. */
static int wait_for(struct child *c, int *status, struct err *err)
{
	bool over = false;

	for (;;) {
		struct pollfd fd = { .fd = c->output, .events = POLLIN };
		pid_t done = over ? c->pid : waitpid(c->pid, status, WNOHANG);

		if (done < 0 && errno != EINTR)
			return err_set(err, ERR_SYSTEM, "'%.80s': %s", c->command, strerror(errno));
		over = done == c->pid;
		if (poll(&fd, 1, over ? 0 : PAUSE_MS) > 0)
			take_output(c);
		else if (over)
			return 0;
		if (now_ms() >= c->until_ms)
			break;
	}
	return over ? 0 : err_set(err, ERR_TIMEOUT, "'%.80s': did not end in its time", c->command);
}

int child_run(const char *command, const char *const *variables, unsigned timeout_ms,
	struct err *err)
{
	struct child c = { .command = command, .output = -1, .until_ms = now_ms() + timeout_ms };
	int status = 0;
	int rc = start(&c, variables, err);

	if (rc != 0)
		return rc;
	rc = wait_for(&c, &status, err);
	if (rc != 0) {
		kill(-c.pid, SIGKILL);
		waitpid(c.pid, &status, 0);
	}
	if (c.output >= 0)
		close(c.output);
	if (rc != 0)
		return rc;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return err_set(err, ERR_PEER, "'%.80s': ended by signal %d", command,
			WTERMSIG(status));
	return err_set(err, ERR_PEER, "'%.80s': status %d%s%s", command, WEXITSTATUS(status),
		c.n ? ": " : "", c.line);
}
