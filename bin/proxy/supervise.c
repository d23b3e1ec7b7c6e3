/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/listen.h"
#include "program/log.h"
#include "program/notify.h"
#include "proxy/serve.h"
#include "resolve/resolver.h"

#define RESTARTS_MAX   10
#define RESTARTS_IN_MS 60000
#define FIRST_DELAY_MS 100

enum { STATUS_FINE = 0, STATUS_GAVE_UP = 1, STATUS_NO_START = 2 };

struct one {
	pid_t pid; /* 0: none */
	bool ready;
	int ready_fd;     /* the worker writes one octet; -1: known */
	int64_t begin_ms; /* to be started then; 0: it runs */
};

struct parent {
	const struct config *config;
	int *fds; /* of worker w and end e: [w * ends + e] */
	struct one *worker;
	sigset_t before; /* the signals we came with */
	int signals;
	unsigned restarts; /* since: */
	int64_t counted_ms;
	bool stopping, announced;
	int status;
};

static unsigned workers(const struct parent *p)
{
	return p->config->file->workers;
}

static unsigned ends(const struct parent *p)
{
	return config_ends(p->config);
}

/* The same place again: the port that the first socket got, or its file. */
static int open_another(int first, const char *bind, int *out, struct err *err)
{
	struct sockaddr_storage a = { 0 };
	socklen_t n = sizeof(a);
	char text[64];

	if (listen_is_unix(bind)) {
		*out = fcntl(first, F_DUPFD_CLOEXEC, 3);
		return *out >= 0 ? 0 : err_set(err, ERR_SYSTEM, "%s: %s", bind, strerror(errno));
	}
	if (getsockname(first, (struct sockaddr *)&a, &n) != 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", bind, strerror(errno));
	return listen_open(listen_write_address((struct sockaddr *)&a, text, sizeof(text)), true,
		out, err);
}

static int open_sockets(struct parent *p, struct err *err)
{
	int rc = 0;

	for (unsigned e = 0; e < ends(p) && rc == 0; e++)
		rc = listen_open(config_end_at(p->config, e)->tls.bind, true, &p->fds[e], err);
	for (unsigned i = ends(p); i < workers(p) * ends(p) && rc == 0; i++)
		rc = open_another(p->fds[i % ends(p)],
			config_end_at(p->config, i % ends(p))->tls.bind, &p->fds[i], err);
	return rc;
}

static void close_sockets(struct parent *p)
{
	for (unsigned i = 0; i < workers(p) * ends(p); i++)
		if (p->fds[i] >= 0)
			close(p->fds[i]);
}

static void tell_ready(void *arg)
{
	const int *fd = arg;

	if (write(*fd, "r", 1) != 1)
		log_error("proxy.worker", "reason=%s", log_value("the parent is gone"));
	close(*fd);
}

/* In the child; does not come back. */
static _Noreturn void work(struct parent *p, unsigned w, int ready_fd, pid_t parent)
{
	struct serve_config config = { .config = p->config,
		.fds = &p->fds[w * ends(p)],
		.ready = tell_ready,
		.arg = &ready_fd };
	struct err err = { 0 };

	/* A terminal's Ctrl-C is for the parent, who says so in order. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(STATUS_FINE);
	sigprocmask(SIG_SETMASK, &p->before, NULL);
	close(p->signals);
	for (unsigned i = 0; i < workers(p) * ends(p); i++)
		if (i / ends(p) != w)
			close(p->fds[i]);
	if (serve_run(&config, &err) == 0)
		exit(STATUS_FINE);
	log_error("proxy.worker_failed", "reason=%s", log_value(err.msg));
	exit(STATUS_NO_START);
}

static int start(struct parent *p, unsigned w, struct err *err)
{
	struct one *one = &p->worker[w];
	pid_t self = getpid();
	int ends_of_pipe[2];

	if (pipe2(ends_of_pipe, O_CLOEXEC) != 0)
		return err_set(err, ERR_SYSTEM, "worker: %s", strerror(errno));
	one->pid = fork();
	if (one->pid == 0) {
		close(ends_of_pipe[0]);
		work(p, w, ends_of_pipe[1], self);
	}
	close(ends_of_pipe[1]);
	if (one->pid < 0) {
		one->pid = 0;
		close(ends_of_pipe[0]);
		return err_set(err, ERR_SYSTEM, "worker: %s", strerror(errno));
	}
	one->ready_fd = ends_of_pipe[0];
	one->begin_ms = 0;
	one->ready = false;
	return 0;
}

static void stop(struct parent *p, int status)
{
	if (!p->stopping)
		notify_send("STOPPING=1");
	p->stopping = true;
	if (p->status == STATUS_FINE)
		p->status = status;
	for (unsigned w = 0; w < workers(p); w++)
		if (p->worker[w].pid > 0)
			kill(p->worker[w].pid, SIGTERM);
}

static void announce(struct parent *p)
{
	for (unsigned w = 0; w < workers(p); w++)
		if (!p->worker[w].ready)
			return;
	if (p->announced)
		return;
	p->announced = true;
	for (unsigned e = 0; e < ends(p); e++)
		log_info("proxy.listen", "at=%s port=%u",
			log_value(config_end_at(p->config, e)->name), listen_port_of(p->fds[e]));
	log_info("proxy.ready", "workers=%u pid=%d", workers(p), (int)getpid());
	notify_send("READY=1");
}

static void heard(struct parent *p, struct one *one)
{
	char octet;

	one->ready = read(one->ready_fd, &octet, 1) == 1;
	close(one->ready_fd);
	one->ready_fd = -1;
	announce(p);
}

/* When to start it again; gives up when that happened too often. */
static void start_later(struct parent *p, struct one *one)
{
	int64_t now = resolver_now();

	if (now - p->counted_ms > RESTARTS_IN_MS) {
		p->counted_ms = now;
		p->restarts = 0;
	}
	if (++p->restarts > RESTARTS_MAX) {
		log_error("proxy.gave_up", "restarts=%u", p->restarts - 1);
		stop(p, STATUS_GAVE_UP);
		return;
	}
	one->begin_ms = now + ((int64_t)FIRST_DELAY_MS << (p->restarts - 1));
}

/* By itself, or told to end before it could hear that. */
static bool ended_well(int status)
{
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
		(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void ended(struct parent *p, pid_t pid, int status)
{
	for (unsigned w = 0; w < workers(p); w++) {
		struct one *one = &p->worker[w];
		bool started = one->ready || p->announced;

		if (one->pid != pid)
			continue;
		one->pid = 0;
		if (one->ready_fd >= 0)
			close(one->ready_fd);
		one->ready_fd = -1;
		if (p->stopping && ended_well(status))
			return;
		log_error("proxy.worker_died", "worker=%u pid=%d status=%d signal=%d", w, (int)pid,
			WIFEXITED(status) ? WEXITSTATUS(status) : -1,
			WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		if (p->stopping)
			p->status = p->status ? p->status : STATUS_GAVE_UP;
		else if (started)
			start_later(p, one);
		else
			stop(p, STATUS_NO_START);
	}
}

static void take_signals(struct parent *p)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(p->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			stop(p, STATUS_FINE);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		ended(p, pid, status);
}

static void start_due(struct parent *p)
{
	int64_t now = resolver_now();
	struct err err;

	for (unsigned w = 0; w < workers(p) && !p->stopping; w++) {
		struct one *one = &p->worker[w];

		if (one->pid == 0 && one->begin_ms && now >= one->begin_ms &&
			start(p, w, &err) != 0) {
			log_error("proxy.worker_failed", "reason=%s", log_value(err.msg));
			start_later(p, one);
		}
	}
}

static bool anybody(const struct parent *p)
{
	for (unsigned w = 0; w < workers(p); w++)
		if (p->worker[w].pid > 0 || (p->worker[w].begin_ms && !p->stopping))
			return true;
	return false;
}

static int next_ms(const struct parent *p)
{
	int64_t next = -1, now = resolver_now();

	for (unsigned w = 0; w < workers(p); w++) {
		int64_t at = p->worker[w].pid == 0 ? p->worker[w].begin_ms : 0;
		int64_t left = at > now ? at - now : 0;

		if (at && (next < 0 || left < next))
			next = left;
	}
	return (int)next;
}

static void watch(struct parent *p, struct pollfd *fds)
{
	while (anybody(p)) {
		fds[0] = (struct pollfd){ .fd = p->signals, .events = POLLIN };
		for (unsigned w = 0; w < workers(p); w++)
			fds[w + 1] =
				(struct pollfd){ .fd = p->worker[w].ready_fd, .events = POLLIN };
		if (poll(fds, workers(p) + 1, next_ms(p)) < 0 && errno != EINTR) {
			stop(p, STATUS_GAVE_UP);
			return;
		}
		for (unsigned w = 0; w < workers(p); w++)
			if (fds[w + 1].revents && p->worker[w].ready_fd >= 0)
				heard(p, &p->worker[w]);
		take_signals(p);
		start_due(p);
	}
}

static int open_signals(struct parent *p, struct err *err)
{
	sigset_t mine;

	sigemptyset(&mine);
	sigaddset(&mine, SIGTERM);
	sigaddset(&mine, SIGINT);
	sigaddset(&mine, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mine, &p->before);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	p->signals = signalfd(-1, &mine, SFD_NONBLOCK | SFD_CLOEXEC);
	return p->signals >= 0 ? 0 : err_set(err, ERR_SYSTEM, "signals: %s", strerror(errno));
}

static int run(struct parent *p, struct pollfd *fds, struct err *err)
{
	int rc = open_signals(p, err);

	rc = rc ? rc : open_sockets(p, err);
	for (unsigned w = 0; w < workers(p) && rc == 0; w++)
		rc = start(p, w, err);
	if (rc != 0)
		stop(p, STATUS_NO_START);
	watch(p, fds);
	if (p->signals >= 0)
		close(p->signals);
	close_sockets(p);
	return rc;
}

int supervise_run(const struct config *config)
{
	struct parent p = { .config = config, .signals = -1 };
	struct pollfd *fds = calloc(workers(&p) + 1, sizeof(*fds));
	struct err err = { 0 };

	p.fds = malloc(workers(&p) * ends(&p) * sizeof(int));
	p.worker = calloc(workers(&p), sizeof(*p.worker));
	if (fds && p.fds && p.worker) {
		memset(p.fds, -1, workers(&p) * ends(&p) * sizeof(int));
		for (unsigned w = 0; w < workers(&p); w++)
			p.worker[w].ready_fd = -1;
		if (run(&p, fds, &err) != 0)
			log_error("proxy.failed", "reason=%s", log_value(err.msg));
		log_info("proxy.stop", "status=%d", p.status);
	} else {
		p.status = STATUS_NO_START;
	}
	free(fds);
	free(p.fds);
	free(p.worker);
	return p.status;
}
