/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net/listen.h"
#include "program/log.h"
#include "program/notify.h"
#include "proxy/crew.h"
#include "proxy/handover.h"
#include "resolve/resolver.h"

enum { STATUS_FINE = 0, STATUS_GAVE_UP = 1, STATUS_NO_START = 2 };

struct parent {
	const char *path;
	struct sockets *sockets;
	struct crew *serving; /* NULL: there is none yet, or all go */
	struct crew *coming;  /* to take its place */
	struct crew *going;   /* those before, the newest first */
	struct board_view view;
	sigset_t before; /* the signals we came with */
	int signals;
	struct pollfd *fds;
	unsigned fds_room;
	pid_t heir; /* 0: none */
	int heir_fd;
	bool reload_again, stopping, leaving;
	int64_t watchdog_ms, fed_ms; /* 0: nobody wants to be told */
	int status;
};

static unsigned going_count(const struct parent *p)
{
	unsigned n = 0;

	for (const struct crew *c = p->going; c; c = c->next)
		n++;
	return n;
}

/* For the next status process: who serves, the newest first. */
static void set_view(struct parent *p)
{
	struct board_view *v = &p->view;

	v->count = 0;
	if (p->coming)
		v->board[v->count++] = p->coming->board;
	if (p->serving)
		v->board[v->count++] = p->serving->board;
	for (const struct crew *c = p->going; c && v->count < BOARD_CREWS_MAX; c = c->next)
		v->board[v->count++] = c->board;
}

static int begin(struct parent *p, struct config *config, struct err *err)
{
	const struct crew_start how = { p->sockets, &p->before, &p->view };
	int rc = crew_new(config, &p->coming, err);

	p->view.loaded_s = (int64_t)time(NULL);
	set_view(p);
	return rc ? rc : crew_begin(p->coming, &how, err);
}

static void gone(struct parent *p, struct crew *c)
{
	if (c->unhappy && p->status == STATUS_FINE && p->stopping)
		p->status = STATUS_GAVE_UP;
	if (board_retire(&p->view.past, c->board) != 0)
		log_warning("proxy.counts_lost", "reason=%s", log_value("no memory"));
	crew_free(c);
	set_view(p);
}

static void stop(struct parent *p, int status)
{
	/* Asked twice: whoever asks does not want to wait for the drain. */
	bool again = p->stopping;

	if (!again)
		notify_send("STOPPING=1");
	p->stopping = true;
	if (p->status == STATUS_FINE)
		p->status = status;
	for (struct crew *c = p->going; c; c = c->next)
		if (again || c->state != CREW_STOPPING)
			crew_stop(c);
	if (p->coming)
		crew_stop(p->coming);
	if (p->serving)
		crew_stop(p->serving);
}

static void say_ready(const struct crew *c)
{
	const struct config *config = &c->config;
	char words[96];

	for (unsigned e = 0; e < config_ends(config); e++) {
		const struct config_end *end = config_end_at(config, e);
		int fd = sockets_of(c->how.sockets, end->name, end->tls.bind, 0,
			config->file->workers, 0);

		log_info("proxy.listen", "at=%s port=%u", log_value(end->name), listen_port_of(fd));
	}
	if (config->file->status)
		log_info("proxy.status", "at=%s port=%u", log_value(config->file->status),
			listen_port_of(sockets_of(c->how.sockets, CONFIG_STATUS,
				config->file->status, 0, 1, 0)));
	snprintf(words, sizeof(words), "READY=1\nSTATUS=%u listeners and outbound, %u workers",
		config_ends(config), config->file->workers);
	notify_send(words);
}

static void reload(struct parent *p);

static void reload_done(struct parent *p)
{
	bool again = p->reload_again;

	p->reload_again = false;
	if (again && !p->stopping)
		reload(p);
}

/* What comes is there: who was before retires. */
static void came(struct parent *p)
{
	struct crew *before = p->serving;

	p->serving = p->coming;
	p->coming = NULL;
	sockets_sweep(p->sockets);
	crew_settle(p->serving);
	say_ready(p->serving);
	if (before) {
		log_info("proxy.reloaded", "workers=%u", p->serving->config.file->workers);
		crew_retire(before);
		before->next = p->going;
		p->going = before;
	} else {
		log_info("proxy.ready", "workers=%u pid=%d", p->serving->config.file->workers,
			(int)getpid());
		handover_tell_ready();
	}
	reload_done(p);
}

/* What was to come cannot: all stays as it is. */
static void came_not(struct parent *p, const char *why)
{
	struct crew *c = p->coming;

	p->coming = NULL;
	if (c) {
		crew_stop(c);
		c->next = p->going;
		p->going = c;
	}
	set_view(p);
	if (!p->serving) {
		stop(p, STATUS_NO_START);
		return;
	}
	/* The places of what serves; not those that were new. */
	sockets_unwant(p->sockets);
	crew_keep(p->serving);
	sockets_sweep(p->sockets);
	p->view.tally->reloads_failed++;
	log_error("proxy.reload_failed", "reason=%s", log_value(why));
	notify_send("READY=1\nSTATUS=the last reload failed; the configuration before it serves");
	reload_done(p);
}

static void tell_reloading(void)
{
	struct timespec now;
	char words[64];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(words, sizeof(words), "RELOADING=1\nMONOTONIC_USEC=%lld",
		(long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	notify_send(words);
}

/* Room for one more crew: whoever has lasted longest has drain seconds. */
static void make_room(struct parent *p)
{
	struct crew *oldest = p->going;

	if (going_count(p) + 2 < BOARD_CREWS_MAX)
		return;
	while (oldest && oldest->next)
		oldest = oldest->next;
	if (oldest && oldest->state != CREW_STOPPING)
		crew_stop(oldest);
	p->reload_again = true;
}

static void reload(struct parent *p)
{
	struct config config = { 0 };
	struct err err = { 0 };

	if (p->stopping || p->leaving || p->heir)
		return;
	if (p->coming || !p->serving) {
		p->reload_again = true;
		return;
	}
	make_room(p);
	if (p->reload_again)
		return;
	tell_reloading();
	p->view.tally->reloads++;
	if (config_read(p->path, &config, &err) != 0 || begin(p, &config, &err) != 0)
		came_not(p, err.msg);
	config_done(&config);
}

static void take_over(struct parent *p)
{
	struct err err = { 0 };

	if (p->stopping || p->leaving || p->heir || p->coming || !p->serving) {
		log_warning("proxy.handover", "reason=%s", log_value("not now"));
		return;
	}
	tell_reloading();
	if (handover_begin(p->sockets, &p->before, &p->heir, &p->heir_fd, &err) == 0) {
		log_info("proxy.handover", "to=%d", (int)p->heir);
		return;
	}
	log_error("proxy.handover_failed", "reason=%s", log_value(err.msg));
	notify_send("READY=1");
}

static void heard_heir(struct parent *p)
{
	char words[64], octet;
	bool ready = read(p->heir_fd, &octet, 1) == 1;

	close(p->heir_fd);
	p->heir_fd = -1;
	if (!ready) {
		log_error("proxy.handover_failed", "reason=%s", log_value("it did not start"));
		p->heir = 0;
		notify_send("READY=1");
		return;
	}
	p->leaving = true;
	snprintf(words, sizeof(words), "MAINPID=%d\nREADY=1", (int)p->heir);
	notify_send(words);
	log_info("proxy.leave", "for=%d", (int)p->heir);
	crew_retire(p->serving);
	p->serving->next = p->going;
	p->going = p->serving;
	p->serving = NULL;
	/* Who is new listens; nobody is to wait in a backlog of ours. */
	sockets_free(p->sockets);
	p->sockets = NULL;
}

static void ended(struct parent *p, pid_t pid, int status)
{
	struct crew *c;

	if ((p->coming && crew_ended(p->coming, pid, status)) ||
		(p->serving && crew_ended(p->serving, pid, status)))
		return;
	for (c = p->going; c; c = c->next)
		if (crew_ended(c, pid, status))
			return;
}

static void take_signals(struct parent *p)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(p->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload(p);
		else if (info.ssi_signo == SIGUSR2)
			take_over(p);
		else if (info.ssi_signo != SIGCHLD)
			stop(p, STATUS_FINE);
	}
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		ended(p, pid, status);
}

static void sweep(struct parent *p)
{
	for (struct crew **at = &p->going; *at;) {
		struct crew *c = *at;

		if (!crew_is_gone(c)) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		gone(p, c);
		/* A reload may have waited for its room. */
		if (!p->coming && p->serving)
			reload_done(p);
	}
}

/* What the crews have come to. */
static void look(struct parent *p)
{
	if (p->coming && p->coming->failed)
		came_not(p,
			p->coming->late ? "a worker was not ready within start_timeout"
					: "a worker could not start; its own line says why");
	if (p->coming && p->coming->state == CREW_SERVING)
		came(p);
	if (p->serving && p->serving->failed && !p->stopping)
		stop(p, STATUS_GAVE_UP);
	if (p->stopping && p->serving) {
		p->serving->next = p->going;
		p->going = p->serving;
		p->serving = NULL;
	}
	if (p->stopping && p->coming) {
		p->coming->next = p->going;
		p->going = p->coming;
		p->coming = NULL;
	}
	sweep(p);
}

static void feed(struct parent *p)
{
	int64_t now = resolver_now();

	if (p->watchdog_ms == 0 || now - p->fed_ms < p->watchdog_ms / 2)
		return;
	if (p->serving && !crew_turns(p->serving))
		return;
	p->fed_ms = now;
	notify_send("WATCHDOG=1");
}

static int tick(struct parent *p)
{
	int next = p->serving ? crew_tick(p->serving) : CREW_LOOK_MS;

	if (p->coming)
		crew_tick(p->coming);
	for (struct crew *c = p->going; c; c = c->next)
		crew_tick(c);
	feed(p);
	if (p->watchdog_ms > 0 && next > p->watchdog_ms / 4)
		next = (int)(p->watchdog_ms / 4);
	return next;
}

static bool make_fds(struct parent *p)
{
	unsigned wanted =
		2 + (p->coming ? crew_fds(p->coming) : 0) + (p->serving ? crew_fds(p->serving) : 0);
	struct pollfd *more;

	if (wanted <= p->fds_room)
		return true;
	more = realloc(p->fds, wanted * sizeof(*more));
	if (!more)
		return false;
	p->fds = more;
	p->fds_room = wanted;
	return true;
}

/* Until something happens, or next_ms are over. */
static bool wait_for(struct parent *p, int next_ms)
{
	unsigned n = 2, coming, serving;

	if (!make_fds(p))
		return false;
	p->fds[0] = (struct pollfd){ .fd = p->signals, .events = POLLIN };
	p->fds[1] = (struct pollfd){ .fd = p->heir_fd, .events = POLLIN };
	coming = p->coming ? crew_poll(p->coming, p->fds + n) : 0;
	serving = p->serving ? crew_poll(p->serving, p->fds + n + coming) : 0;
	if (poll(p->fds, n + coming + serving, next_ms) < 0)
		return errno == EINTR;
	if (p->coming)
		crew_hear(p->coming, p->fds + n, coming);
	if (p->serving)
		crew_hear(p->serving, p->fds + n + coming, serving);
	if (p->heir_fd >= 0 && p->fds[1].revents)
		heard_heir(p);
	return true;
}

static void watch(struct parent *p)
{
	while (p->coming || p->serving || p->going) {
		if (!wait_for(p, tick(p))) {
			stop(p, STATUS_GAVE_UP);
			return;
		}
		take_signals(p);
		look(p);
	}
}

static int open_signals(struct parent *p, struct err *err)
{
	static const int wanted[] = { SIGTERM, SIGINT, SIGCHLD, SIGHUP, SIGUSR2 };
	sigset_t mine;

	sigemptyset(&mine);
	for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		sigaddset(&mine, wanted[i]);
	sigprocmask(SIG_BLOCK, &mine, &p->before);
	signal(SIGPIPE, SIG_IGN);
	p->signals = signalfd(-1, &mine, SFD_NONBLOCK | SFD_CLOEXEC);
	return p->signals >= 0 ? 0 : err_set(err, ERR_SYSTEM, "signals: %s", strerror(errno));
}

/* sd_watchdog_enabled(3). */
static void open_watchdog(struct parent *p)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (usec && (!pid || strtol(pid, NULL, 10) == (long)getpid()))
		p->watchdog_ms = strtoll(usec, NULL, 10) / 1000;
}

int supervise_run(const char *path, struct config *config)
{
	struct parent p = { .path = path, .signals = -1, .heir_fd = -1 };
	struct err err = { 0 };
	int rc = open_signals(&p, &err);

	open_watchdog(&p);
	rc = rc ? rc : board_tally_new(&p.view.tally, &err);
	rc = rc ? rc : sockets_new(&p.sockets, &err);
	rc = rc ? rc : begin(&p, config, &err);
	if (rc != 0) {
		log_error("proxy.failed", "reason=%s", log_value(err.msg));
		stop(&p, STATUS_NO_START);
		look(&p);
	}
	watch(&p);
	log_info("proxy.stop", "status=%d", p.status);
	if (p.signals >= 0)
		close(p.signals);
	sockets_free(p.sockets);
	board_past_done(&p.view.past);
	board_tally_free(p.view.tally);
	free(p.fds);
	return p.status;
}
