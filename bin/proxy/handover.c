/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program/log.h"

#define READY        "SARDANE_PROXY_READY"
#define FIRST        3 /* sd_listen_fds(3) */
#define NAMES_OCTETS 65536

static char program[PATH_MAX];
static char **arguments;
static int waiting = -1; /* an older program's pipe */

void handover_remember(char **argv)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	const char *text = getenv(READY);

	program[n > 0 ? n : 0] = '\0';
	arguments = argv;
	waiting = text ? (int)strtol(text, NULL, 10) : -1;
	if (waiting >= FIRST)
		fcntl(waiting, F_SETFD, FD_CLOEXEC);
	unsetenv(READY);
}

/* The descriptors that go along, while they are counted and named. */
struct bundle {
	int fd[4096];
	unsigned count;
	char names[NAMES_OCTETS];
	size_t n;
	bool full;
};

static void put(void *arg, int fd, const char *name)
{
	struct bundle *b = arg;
	size_t n = strlen(name);

	if (b->count == sizeof(b->fd) / sizeof(b->fd[0]) || b->n + n + 2 > sizeof(b->names)) {
		b->full = true;
		return;
	}
	if (b->count > 0)
		b->names[b->n++] = ':';
	memcpy(b->names + b->n, name, n + 1);
	b->n += n;
	b->fd[b->count++] = fd;
}

/* Above all places that are about to be filled, so that none is overwritten before it moved. */
static int move_up(struct bundle *b, int *ready)
{
	int above = FIRST + (int)b->count + 1;

	for (unsigned i = 0; i < b->count; i++)
		if ((b->fd[i] = fcntl(b->fd[i], F_DUPFD_CLOEXEC, above)) < 0)
			return -1;
	*ready = fcntl(*ready, F_DUPFD_CLOEXEC, above);
	return *ready < 0 ? -1 : 0;
}

/* dup2 clears close-on-exec. */
static int move_down(const struct bundle *b, int ready)
{
	for (unsigned i = 0; i < b->count; i++)
		if (dup2(b->fd[i], FIRST + (int)i) < 0)
			return -1;
	return dup2(ready, FIRST + (int)b->count) < 0 ? -1 : 0;
}

static void set_number(const char *name, long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", value);
	setenv(name, text, 1);
}

static _Noreturn void become(struct bundle *b, int ready, const sigset_t *signals)
{
	if (move_up(b, &ready) != 0 || move_down(b, ready) != 0)
		_exit(2);
	set_number("LISTEN_PID", getpid());
	set_number("LISTEN_FDS", b->count);
	setenv("LISTEN_FDNAMES", b->names, 1);
	set_number(READY, FIRST + (long)b->count);
	if (getenv("WATCHDOG_PID"))
		set_number("WATCHDOG_PID", getpid());
	sigprocmask(SIG_SETMASK, signals, NULL);
	execv(program, arguments);
	_exit(2);
}

int handover_begin(const struct sockets *sockets, const sigset_t *signals, pid_t *pid,
	int *ready_fd, struct err *err)
{
	struct bundle *b = calloc(1, sizeof(*b));
	int ends_of_pipe[2];

	if (!b)
		return err_set(err, ERR_NOMEM, "hand-over: no memory");
	sockets_each(sockets, put, b);
	if (b->full || pipe2(ends_of_pipe, O_CLOEXEC) != 0) {
		free(b);
		return err_set(err, ERR_SYSTEM, "hand-over: too many sockets");
	}
	*pid = fork();
	if (*pid == 0)
		become(b, ends_of_pipe[1], signals);
	free(b);
	close(ends_of_pipe[1]);
	if (*pid > 0) {
		*ready_fd = ends_of_pipe[0];
		return 0;
	}
	close(ends_of_pipe[0]);
	*pid = 0;
	return err_set(err, ERR_SYSTEM, "hand-over: %s", strerror(errno));
}

void handover_tell_ready(void)
{
	if (waiting < FIRST)
		return;
	if (write(waiting, "r", 1) != 1)
		log_warning("proxy.handover", "reason=%s", log_value("the older one is gone"));
	close(waiting);
	waiting = -1;
}
