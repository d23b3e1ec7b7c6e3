/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/helper.h"

#include "core/machine.h"
#include "dns/rr.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELPER_FD        3 /* where the helper finds its end of the pair */
#define START_MAX_MS     10000
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS   2000
#define HEALTHY_MS       5000
#define EXIT_MAX_MS      500
#define PING_MS          1000
#define HANG_MS          5000
#define PING_ID          UINT32_MAX /* no slot has it, so its answer answers nobody */
#define PACKETS_PER_TURN 32

enum { DOWN, STARTING, UP };

static const struct machine_state states[] = {
	[DOWN] = { "DOWN", 1 << STARTING },
	[STARTING] = { "STARTING", 1 << UP | 1 << DOWN },
	[UP] = { "UP", 1 << DOWN },
};

struct helper {
	struct upstream up;
	struct machine machine;
	char *path;
	uint8_t *config;
	size_t config_n;
	pid_t pid;
	int fd;        /* -1 when DOWN */
	bool blocked;  /* the pair is full, or this turn has had its share */
	bool watching; /* ... and epoll tells when it is not */
	int64_t started_ms;
	int64_t asked_ms; /* of the first question since it was heard last; 0: none */
	bool pinged;
	int64_t next_start_ms;
	int64_t backoff_ms;       /* before the next start but one */
	char why[ANSWER_WHY_MAX]; /* the last start failed; "": it did not */
	uint8_t packet[WIRE_PACKET_MAX];
};

static void trace_move(void *arg, const char *machine, const char *from, const char *to)
{
	const struct helper *h = arg;

	trace_say(&h->up.trace, TRACE_DEBUG, "resolver.state", "machine=%s from=%s to=%s pid=%d",
		machine, from, to, (int)h->pid);
}

static int file_actions(posix_spawn_file_actions_t *actions, int child_fd)
{
	return posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0) ||
		posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0) ||
		posix_spawn_file_actions_adddup2(actions, child_fd, HELPER_FD) ||
		posix_spawn_file_actions_addclosefrom_np(actions, HELPER_FD + 1);
}

static int spawn_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	return posix_spawnattr_setsigmask(attr, &none) ||
		posix_spawnattr_setsigdefault(attr, &all) ||
		posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* The environment is not handed on: nothing in it may steer the validator. */
static int spawn(const char *path, int child_fd, pid_t *pid)
{
	char *argv[] = { (char *)"sardane-resolverd", NULL }, *envp[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int rc;

	if (posix_spawn_file_actions_init(&actions))
		return ENOMEM;
	if (posix_spawnattr_init(&attr)) {
		posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	if (file_actions(&actions, child_fd) || spawn_attributes(&attr))
		rc = ENOMEM;
	else
		rc = posix_spawn(pid, path, &actions, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static void watch(struct helper *h)
{
	struct epoll_event event = { .events = EPOLLIN | (h->blocked ? (uint32_t)EPOLLOUT : 0u) };

	event.data.fd = h->fd;
	h->watching = h->blocked;
	if (epoll_ctl(h->up.epoll_fd, EPOLL_CTL_MOD, h->fd, &event) && errno == ENOENT)
		epoll_ctl(h->up.epoll_fd, EPOLL_CTL_ADD, h->fd, &event);
}

static int start(struct helper *h, int64_t now_ms, struct err *err)
{
	int pair[2], rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
		return err_set(err, ERR_SYSTEM, "socketpair: %s", strerror(errno));
	rc = spawn(h->path, pair[1], &h->pid);
	close(pair[1]);
	if (rc) {
		close(pair[0]);
		return err_set(err, ERR_SYSTEM, "%s: %s", h->path, strerror(rc));
	}
	h->fd = pair[0];
	h->blocked = h->pinged = false;
	h->asked_ms = 0;
	h->started_ms = now_ms;
	machine_go(&h->machine, STARTING);
	watch(h);
	/* The pair is empty and holds any packet: less than all of it is a failure. */
	if (send(h->fd, h->config, h->config_n, MSG_NOSIGNAL) != (ssize_t)h->config_n)
		return err_set(err, ERR_SYSTEM, "%s: %s", h->path, strerror(errno));
	return 0;
}

static void reap_killed(struct helper *h)
{
	kill(h->pid, SIGKILL);
	while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* It leaves by itself when its end closes; if it does not, it is made to. */
static void reap(struct helper *h)
{
	for (int waited_ms = 0; waited_ms < EXIT_MAX_MS; waited_ms += 5) {
		pid_t gone = waitpid(h->pid, NULL, WNOHANG);

		if (gone == h->pid || (gone < 0 && errno == ECHILD))
			return;
		poll(NULL, 0, 5);
	}
	reap_killed(h);
}

static void stop(struct helper *h, bool at_once)
{
	if (h->fd < 0)
		return;
	epoll_ctl(h->up.epoll_fd, EPOLL_CTL_DEL, h->fd, NULL);
	close(h->fd);
	h->fd = -1;
	if (at_once)
		reap_killed(h);
	else
		reap(h);
	machine_go(&h->machine, DOWN);
}

/*
 * One that refuses does so at each start, until somebody does what it says: whoever asks
 * hears it, the log once.
 */
static enum trace_level blame(struct helper *h, const char *why)
{
	bool again = strncmp(h->why, why, sizeof(h->why) - 1) == 0;

	snprintf(h->why, sizeof(h->why), "%s", why);
	engine_blame(h->up.engine, h->why);
	return again ? TRACE_DEBUG : TRACE_WARNING;
}

static void fall(struct helper *h, int64_t now_ms, const char *why)
{
	bool healthy = h->machine.at == UP && now_ms - h->started_ms >= HEALTHY_MS;
	enum trace_level level = h->machine.at == STARTING ? blame(h, why) : TRACE_WARNING;

	if (healthy)
		h->backoff_ms = 0;
	h->next_start_ms = now_ms + h->backoff_ms;
	trace_say(&h->up.trace, level, "resolver.lost", "pid=%d reason=\"%s\" restart_in_ms=%lld",
		(int)h->pid, why, (long long)h->backoff_ms);
	h->backoff_ms = h->backoff_ms == 0 ? BACKOFF_FIRST_MS : 2 * h->backoff_ms;
	if (h->backoff_ms > BACKOFF_MAX_MS)
		h->backoff_ms = BACKOFF_MAX_MS;
	h->up.restarts++;
	stop(h, true);
	engine_lost(h->up.engine, now_ms);
}

/* 1 when a packet came, 0 when none is there, ERR_PEER when the helper is gone. */
static int receive(struct helper *h, struct span *packet)
{
	struct iovec iov = { h->packet, sizeof(h->packet) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	do
		n = recvmsg(h->fd, &msg, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n <= 0 || msg.msg_flags & MSG_TRUNC)
		return ERR_PEER;
	*packet = (struct span){ h->packet, (size_t)n };
	return 1;
}

static int take_ready(struct helper *h, struct span packet, struct err *err)
{
	struct wire_ready ready;

	if (wire_read_ready(packet, &ready))
		return err_set(err, ERR_PEER, "%s: not a sardane-resolverd", h->path);
	if (!ready.ok)
		return err_set(err, ERR_ARG, "sardane-resolverd: %s", ready.words);
	h->why[0] = '\0';
	engine_blame(h->up.engine, NULL);
	machine_go(&h->machine, UP);
	trace_say(&h->up.trace, TRACE_INFO, "resolver.ready", "pid=%d %s", (int)h->pid,
		ready.words);
	return 0;
}

static int take_packet(struct helper *h, int64_t now_ms, struct span packet, struct err *err)
{
	struct wire_answer answer;

	if (h->machine.at == STARTING)
		return take_ready(h, packet, err);
	if (wire_read_answer(packet, &answer))
		return err_set(err, ERR_PEER, "broke its protocol");
	engine_answer(h->up.engine, now_ms, &answer);
	return 0;
}

static void helper_read(struct helper *h, int64_t now_ms)
{
	struct err err = { .msg = "it ended" };

	for (int i = 0; i < PACKETS_PER_TURN; i++) {
		struct span packet;
		int rc = receive(h, &packet);

		if (rc == 0)
			return;
		h->asked_ms = 0;
		h->pinged = false;
		if (rc < 0 || take_packet(h, now_ms, packet, &err)) {
			fall(h, now_ms, err.msg);
			return;
		}
	}
}

static void restart(struct helper *h, int64_t now_ms)
{
	struct err err = { 0 };

	if (start(h, now_ms, &err) == 0)
		return;
	if (h->machine.at == STARTING) {
		fall(h, now_ms, err.msg);
		return;
	}
	if (h->backoff_ms == 0)
		h->backoff_ms = BACKOFF_FIRST_MS;
	h->next_start_ms = now_ms + h->backoff_ms;
	h->backoff_ms = h->backoff_ms < BACKOFF_MAX_MS / 2 ? 2 * h->backoff_ms : BACKOFF_MAX_MS;
	trace_say(&h->up.trace, blame(h, err.msg) == TRACE_DEBUG ? TRACE_DEBUG : TRACE_ERROR,
		"resolver.start", "reason=\"%s\"", err.msg);
}

/* libunbound knows localhost by itself: a process that does not answer that hangs. */
static void ping(struct helper *h)
{
	struct wire_question q = { .id = PING_ID, .question.type = RR_A };
	uint8_t packet[8 + NAME_WIRE_MAX];
	struct sink s = sink_into(packet, sizeof(packet));

	h->pinged = true;
	if (name_of("localhost", &q.question.name) == 0 && wire_write_question(&q, &s) == 0)
		(void)!send(h->fd, s.p, s.n, MSG_NOSIGNAL);
}

static void watch_over(struct helper *h, int64_t now_ms)
{
	if (h->machine.at != UP || !h->asked_ms)
		return;
	if (now_ms >= h->asked_ms + HANG_MS)
		fall(h, now_ms, "it hangs");
	else if (!h->pinged && now_ms >= h->asked_ms + PING_MS)
		ping(h);
}

static void helper_dispatch(struct upstream *u, int64_t now_ms)
{
	struct helper *h = (struct helper *)u;

	switch (h->machine.at) {
	case DOWN:
		if (now_ms >= h->next_start_ms)
			restart(h, now_ms);
		break;
	case STARTING:
		if (now_ms >= h->started_ms + START_MAX_MS) {
			fall(h, now_ms, "it did not get ready");
			break;
		}
		helper_read(h, now_ms);
		break;
	case UP:
		h->blocked = false;
		helper_read(h, now_ms);
		watch_over(h, now_ms);
		break;
	}
}

static void helper_pump(struct upstream *u, int64_t now_ms)
{
	struct helper *h = (struct helper *)u;
	uint8_t packet[8 + NAME_WIRE_MAX];
	struct wire_question q;
	unsigned room = PACKETS_PER_TURN;

	if (h->machine.at == DOWN)
		helper_dispatch(u, now_ms);
	if (h->machine.at != UP || h->blocked)
		return;
	while (!h->blocked && engine_send(h->up.engine, &q)) {
		struct sink s = sink_into(packet, sizeof(packet));

		wire_write_question(&q, &s);
		if (!h->asked_ms)
			h->asked_ms = now_ms;
		if (send(h->fd, s.p, s.n, MSG_NOSIGNAL) == (ssize_t)s.n) {
			/* The rest in the next turn: the pair will say that it can be written. */
			h->blocked = --room == 0;
			continue;
		}
		/* A pair that broke says so when it is read. */
		engine_unsend(h->up.engine, q.id);
		h->blocked = true;
	}
	if (h->blocked != h->watching)
		watch(h);
}

static int64_t helper_deadline(const struct upstream *u)
{
	const struct helper *h = (const struct helper *)u;

	switch (h->machine.at) {
	case DOWN: return h->next_start_ms;
	case STARTING: return h->started_ms + START_MAX_MS;
	case UP:
		if (h->asked_ms)
			return h->asked_ms + (h->pinged ? HANG_MS : PING_MS);
		break;
	}
	return INT64_MAX;
}

static void helper_free(struct upstream *u)
{
	struct helper *h = (struct helper *)u;

	stop(h, false);
	free(h->path);
	free(h->config);
	free(h);
}

static const struct upstream_kind kind = {
	.dispatch = helper_dispatch,
	.pump = helper_pump,
	.deadline = helper_deadline,
	.free = helper_free,
};

static int wait_ready(struct helper *h, struct err *err)
{
	struct pollfd poll_fd = { .fd = h->fd, .events = POLLIN };
	struct span packet;
	int n;

	do
		n = poll(&poll_fd, 1, START_MAX_MS);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return err_set(err, ERR_TIMEOUT, "%s: did not get ready", h->path);
	if (receive(h, &packet) != 1)
		return err_set(err, ERR_PEER, "%s: ended before it was ready", h->path);
	return take_ready(h, packet, err);
}

int helper_new(const char *path, struct span packet, struct engine *engine, int epoll_fd,
	const struct trace *trace, struct upstream **out, struct err *err)
{
	struct helper *h = calloc(1, sizeof(*h));
	int rc;

	if (!h)
		return err_set(err, ERR_NOMEM, "resolver: out of memory");
	h->up = (struct upstream){ .kind = &kind,
		.engine = engine,
		.epoll_fd = epoll_fd,
		.trace = *trace };
	h->machine = (struct machine){ "helper", states, DOWN, trace_move, h };
	h->fd = -1;
	h->path = strdup(path);
	h->config = malloc(packet.n);
	h->config_n = packet.n;
	if (!h->path || !h->config) {
		helper_free(&h->up);
		return err_set(err, ERR_NOMEM, "resolver: out of memory");
	}
	memcpy(h->config, packet.p, packet.n);
	rc = start(h, resolver_now(), err);
	if (!rc)
		rc = wait_ready(h, err);
	if (rc) {
		helper_free(&h->up);
		return rc;
	}
	*out = &h->up;
	return 0;
}
