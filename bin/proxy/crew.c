/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/listen.h"
#include "program/log.h"
#include "proxy/serve.h"
#include "proxy/status.h"
#include "resolve/resolver.h"

#define RESTARTS_IN_MS 60000
#define FIRST_DELAY_MS 100
#define STOPPED_MS     5000 /* without a look: we did not run either */

enum { ENDED_WELL = 0, ENDED_BADLY = 2 };

static bool is_status(const struct crew *c, unsigned w)
{
	return w == c->config.file->workers;
}

int crew_new(struct config *config, struct crew **out, struct err *err)
{
	struct crew *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return err_set(err, ERR_NOMEM, "no memory");
	c->config = *config;
	*config = (struct config){ 0 };
	c->turn_fd = memfd_create("turn", MFD_CLOEXEC);
	c->count = c->config.file->workers + (c->config.file->status != NULL);
	c->worker = calloc(c->count, sizeof(*c->worker));
	rc = c->worker ? board_new(&c->config, &c->board, err)
		       : err_set(err, ERR_NOMEM, "no memory");
	for (unsigned w = 0; c->worker && w < c->count; w++)
		c->worker[w].ready_fd = -1;
	if (rc == 0 && c->turn_fd < 0)
		rc = err_set(err, ERR_SYSTEM, "memfd: %s", strerror(errno));
	if (rc == 0)
		*out = c;
	else
		crew_free(c);
	return rc;
}

void crew_free(struct crew *c)
{
	if (!c)
		return;
	for (unsigned w = 0; c->worker && w < c->count; w++)
		if (c->worker[w].ready_fd >= 0)
			close(c->worker[w].ready_fd);
	if (c->turn_fd >= 0)
		close(c->turn_fd);
	free(c->worker);
	board_free(c->board);
	config_done(&c->config);
	free(c);
}

int crew_open(const struct crew *c, struct err *err)
{
	const struct config_file *f = c->config.file;
	struct rights rights;
	int rc = 0;

	for (unsigned e = 0; e < config_ends(&c->config) && rc == 0; e++) {
		const struct config_end *end = config_end_at(&c->config, e);

		rc = config_rights(&c->config, end, &rights, err);
		rc = rc ? rc
			: sockets_open(c->how.sockets, end->name, end->tls.bind, f->workers,
				  &rights, err);
	}
	if (rc == 0 && f->status) {
		rc = config_rights(&c->config, NULL, &rights, err);
		rc = rc ? rc
			: sockets_open(c->how.sockets, CONFIG_STATUS, f->status, 1, &rights, err);
	}
	return rc;
}

void crew_keep(const struct crew *c)
{
	for (unsigned e = 0; e < config_ends(&c->config); e++)
		sockets_keep(c->how.sockets, config_end_at(&c->config, e)->name,
			config_end_at(&c->config, e)->tls.bind);
	if (c->config.file->status)
		sockets_keep(c->how.sockets, CONFIG_STATUS, c->config.file->status);
}

/* e NULL: of the status. */
static void settle_rights(const struct crew *c, const struct config_end *e, const char *bind)
{
	struct rights rights;
	struct err err;
	int rc;

	if (!bind || !listen_is_unix(bind))
		return;
	rc = config_rights(&c->config, e, &rights, &err);
	rc = rc ? rc : rights_set(bind, &rights, &err);
	if (rc != 0)
		log_error("proxy.rights", "reason=%s", log_value(err.msg));
}

void crew_settle(const struct crew *c)
{
	for (unsigned e = 0; e < config_ends(&c->config); e++)
		settle_rights(c, config_end_at(&c->config, e),
			config_end_at(&c->config, e)->tls.bind);
	settle_rights(c, NULL, c->config.file->status);
}

static void tell_ready(void *arg)
{
	const int *fd = arg;

	if (write(*fd, "r", 1) != 1)
		log_error("proxy.worker", "reason=%s", log_value("the parent is gone"));
	close(*fd);
}

/* The sockets of worker w at an end, its own from now on. */
static int take_sockets(struct crew *c, unsigned w, unsigned end, struct serve_config *out)
{
	const struct config_end *e = config_end_at(&c->config, end);
	int fd;

	for (unsigned k = 0; (fd = sockets_of(c->how.sockets, e->name, e->tls.bind, w,
				      c->config.file->workers, k)) >= 0;
		k++) {
		struct serve_socket *more =
			realloc(out->sockets, (out->sockets_count + 1) * sizeof(*more));

		if (!more)
			return ERR_NOMEM;
		out->sockets = more;
		more[out->sockets_count++] =
			(struct serve_socket){ end, fcntl(fd, F_DUPFD_CLOEXEC, 3) };
	}
	return 0;
}

/* What this worker does not use stays open nowhere but in the parent. */
static int work_serve(struct crew *c, unsigned w, struct serve_config *how, struct err *err)
{
	int rc = 0;

	how->slot = &c->board->slot[w];
	how->turn_fd = c->turn_fd;
	for (unsigned e = 0; e < config_ends(&c->config) && rc == 0; e++)
		rc = take_sockets(c, w, e, how);
	sockets_free(c->how.sockets);
	rc = rc ? err_set(err, rc, "no memory") : serve_run(how, err);
	free(how->sockets);
	return rc;
}

static int work_status(struct crew *c, struct serve_config *how, struct err *err)
{
	struct status_config s = { .config = &c->config,
		.view = c->how.view,
		.fd = fcntl(
			sockets_of(c->how.sockets, CONFIG_STATUS, c->config.file->status, 0, 1, 0),
			F_DUPFD_CLOEXEC, 3),
		.ready = how->ready,
		.arg = how->arg };

	sockets_free(c->how.sockets);
	return status_run(&s, err);
}

/* In the child; does not come back. */
static _Noreturn void work(struct crew *c, unsigned w, int ready_fd, pid_t parent)
{
	struct serve_config how = { .config = &c->config, .ready = tell_ready, .arg = &ready_fd };
	struct err err = { 0 };
	int rc;

	/* A terminal's Ctrl-C is for the parent, who says so in order. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(ENDED_WELL);
	sigprocmask(SIG_SETMASK, c->how.signals, NULL);
	rc = is_status(c, w) ? work_status(c, &how, &err) : work_serve(c, w, &how, &err);
	if (rc == 0)
		exit(ENDED_WELL);
	log_error("proxy.worker_failed", "reason=%s", log_value(err.msg));
	exit(ENDED_BADLY);
}

static int start(struct crew *c, unsigned w, struct err *err)
{
	struct crew_worker *one = &c->worker[w];
	pid_t self = getpid();
	int ends_of_pipe[2];

	if (pipe2(ends_of_pipe, O_CLOEXEC) != 0)
		return err_set(err, ERR_SYSTEM, "worker: %s", strerror(errno));
	one->pid = fork();
	if (one->pid == 0) {
		close(ends_of_pipe[0]);
		work(c, w, ends_of_pipe[1], self);
	}
	close(ends_of_pipe[1]);
	if (one->pid < 0) {
		one->pid = 0;
		close(ends_of_pipe[0]);
		return err_set(err, ERR_SYSTEM, "worker: %s", strerror(errno));
	}
	one->ready_fd = ends_of_pipe[0];
	one->begin_ms = 0;
	one->began_ms = resolver_now();
	one->ready = false;
	return 0;
}

int crew_begin(struct crew *c, const struct crew_start *how, struct err *err)
{
	int rc;

	c->how = *how;
	rc = crew_open(c, err);
	for (unsigned w = 0; w < c->count && rc == 0; w++)
		rc = start(c, w, err);
	if (rc != 0)
		c->failed = true;
	return rc;
}

static void tell(const struct crew *c, int number)
{
	for (unsigned w = 0; w < c->count; w++)
		if (c->worker[w].pid > 0)
			kill(c->worker[w].pid, number);
}

/* A worker that is not ready yet knows no SIGHUP: it has accepted nobody. */
void crew_retire(struct crew *c)
{
	if (c->state >= CREW_RETIRING)
		return;
	c->state = CREW_RETIRING;
	for (unsigned w = 0; w < c->count; w++)
		if (c->worker[w].pid > 0)
			kill(c->worker[w].pid, c->worker[w].ready ? SIGHUP : SIGTERM);
}

void crew_stop(struct crew *c)
{
	c->state = CREW_STOPPING;
	tell(c, SIGTERM);
}

bool crew_is_ready(const struct crew *c)
{
	for (unsigned w = 0; w < c->count; w++)
		if (!c->worker[w].ready)
			return false;
	return true;
}

bool crew_is_gone(const struct crew *c)
{
	for (unsigned w = 0; w < c->count; w++)
		if (c->worker[w].pid > 0 || (c->worker[w].begin_ms && c->state == CREW_SERVING))
			return false;
	return true;
}

unsigned crew_fds(const struct crew *c)
{
	return c->count;
}

unsigned crew_poll(const struct crew *c, struct pollfd *fds)
{
	unsigned n = 0;

	for (unsigned w = 0; w < c->count; w++)
		if (c->worker[w].ready_fd >= 0)
			fds[n++] = (struct pollfd){ .fd = c->worker[w].ready_fd, .events = POLLIN };
	return n;
}

static void forget_pipe(struct crew_worker *one)
{
	if (one->ready_fd >= 0)
		close(one->ready_fd);
	one->ready_fd = -1;
}

void crew_hear(struct crew *c, const struct pollfd *fds, unsigned n)
{
	char octet;

	for (unsigned i = 0; i < n; i++)
		for (unsigned w = 0; w < c->count && fds[i].revents; w++) {
			struct crew_worker *one = &c->worker[w];

			if (one->ready_fd != fds[i].fd)
				continue;
			one->ready = read(one->ready_fd, &octet, 1) == 1;
			forget_pipe(one);
		}
	if (c->state == CREW_STARTING && crew_is_ready(c))
		c->state = CREW_SERVING;
}

/* When to start it again; gives up when that happened too often. */
static void start_later(struct crew *c, struct crew_worker *one)
{
	int64_t now = resolver_now();

	if (now - c->counted_ms > RESTARTS_IN_MS) {
		c->counted_ms = now;
		c->restarts = 0;
	}
	if (++c->restarts > CREW_RESTARTS_MAX) {
		log_error("proxy.gave_up", "restarts=%u", c->restarts - 1);
		c->failed = true;
		return;
	}
	c->how.view->tally->restarts++;
	one->begin_ms = now + ((int64_t)FIRST_DELAY_MS << (c->restarts - 1));
}

/* By itself, or told to end before it could hear that. */
static bool ended_well(int status)
{
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
		(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void one_ended(struct crew *c, unsigned w, int status)
{
	struct crew_worker *one = &c->worker[w];
	bool told = c->state >= CREW_RETIRING;
	pid_t pid = one->pid;

	one->pid = 0;
	one->ready = false;
	forget_pipe(one);
	if (!is_status(c, w))
		atomic_store(&c->board->slot[w].beat_ms, 0);
	if (told && ended_well(status))
		return;
	log_error("proxy.worker_died", "worker=%u pid=%d status=%d signal=%d", w, (int)pid,
		WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	if (told)
		c->unhappy = true;
	else if (c->state == CREW_SERVING)
		start_later(c, one);
	else
		c->failed = true;
}

bool crew_ended(struct crew *c, pid_t pid, int status)
{
	for (unsigned w = 0; w < c->count; w++)
		if (c->worker[w].pid == pid) {
			one_ended(c, w, status);
			return true;
		}
	return false;
}

/* For how long it has shown no sign of life, in quarters of what it may; 4: it is stuck. */
static int64_t quarters(const struct crew *c, unsigned w, int64_t now)
{
	const struct crew_worker *one = &c->worker[w];
	const struct config_file *f = c->config.file;
	int64_t seen = one->began_ms > c->calm_ms ? one->began_ms : c->calm_ms;
	int64_t beat = is_status(c, w) ? now : atomic_load(&c->board->slot[w].beat_ms);

	if (one->pid <= 0)
		return 0;
	if (!one->ready && c->state <= CREW_SERVING)
		return (now - seen) / (250 * (int64_t)f->start_timeout);
	return (now - (beat > seen ? beat : seen)) / (250 * (int64_t)f->stuck_timeout);
}

/* A loop that does not turn serves nobody. */
static void look_at(struct crew *c, unsigned w, int64_t now)
{
	struct crew_worker *one = &c->worker[w];

	if (quarters(c, w, now) < 4)
		return;
	log_error("proxy.worker_stuck", "worker=%u pid=%d ready=%d", w, (int)one->pid, one->ready);
	c->how.view->tally->stuck++;
	c->late = !one->ready;
	kill(one->pid, SIGKILL);
}

bool crew_turns(const struct crew *c)
{
	int64_t now = resolver_now();

	for (unsigned w = 0; w < c->count; w++)
		if (quarters(c, w, now) >= 2)
			return false;
	return true;
}

int crew_tick(struct crew *c)
{
	int64_t now = resolver_now(), next = CREW_LOOK_MS;
	struct err err;

	if (now - c->looked_ms > STOPPED_MS)
		c->calm_ms = now;
	c->looked_ms = now;
	for (unsigned w = 0; w < c->count; w++) {
		struct crew_worker *one = &c->worker[w];

		look_at(c, w, now);
		if (one->pid != 0 || !one->begin_ms || c->state != CREW_SERVING)
			continue;
		if (now >= one->begin_ms && start(c, w, &err) != 0) {
			log_error("proxy.worker_failed", "reason=%s", log_value(err.msg));
			start_later(c, one);
		}
		if (one->begin_ms && one->begin_ms - now < next)
			next = one->begin_ms > now ? one->begin_ms - now : 0;
	}
	return (int)next;
}
