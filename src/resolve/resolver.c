/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/resolver.h"

#include "resolve/helper.h"
#include "resolve/settings.h"
#include "resolve/stub.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NEVER    INT64_MAX
#define MOVED_MS 100 /* a sleep, and not the ticks of two clocks */

struct resolver {
	int epoll_fd, timer_fd;
	int bell_fd;      /* readable: there are questions to send */
	bool rung;        /* ... since the last dispatch */
	bool dispatching; /* which sends, once, at its end */
	int64_t armed_ms; /* when timer_fd fires; NEVER when it does not */
	int64_t slept_ms; /* the machine, until now */
	int64_t wall_ms;  /* the wall clock's lead when that was read */
	struct engine *engine;
	struct upstream *upstream;
};

static int64_t clock_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Goes on while the machine sleeps, as TTLs and signatures do. */
int64_t resolver_now(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

/* Never a system call, at most one tick (4 ms) behind resolver_now. A machine that slept shows in
 * its wall clock, which went on; then, or when somebody has set that, it is asked for how long. */
static int64_t coarse_now(struct resolver *r)
{
	int64_t now_ms = clock_ms(CLOCK_MONOTONIC_COARSE);
	int64_t wall_ms = clock_ms(CLOCK_REALTIME_COARSE) - now_ms;

	if (wall_ms - r->wall_ms > MOVED_MS || r->wall_ms - wall_ms > MOVED_MS) {
		const int64_t awake_ms = clock_ms(CLOCK_MONOTONIC);

		r->wall_ms = wall_ms;
		r->slept_ms = resolver_now() - awake_ms;
	}
	return now_ms + r->slept_ms;
}

static void arm(struct resolver *r)
{
	int64_t engine_ms = engine_deadline(r->engine);
	int64_t upstream_ms = r->upstream->kind->deadline(r->upstream);
	int64_t at_ms = engine_ms < upstream_ms ? engine_ms : upstream_ms;
	struct itimerspec when = { 0 };

	/* A timer that fires early costs one wake-up; setting it later costs a system call each. */
	if (at_ms >= r->armed_ms)
		return;
	if (at_ms < 1)
		at_ms = 1;
	when.it_value.tv_sec = at_ms / 1000;
	when.it_value.tv_nsec = at_ms % 1000 * 1000000;
	if (timerfd_settime(r->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) == 0)
		r->armed_ms = at_ms;
}

static void pump(struct resolver *r, int64_t now_ms)
{
	r->upstream->kind->pump(r->upstream, now_ms);
	arm(r);
}

/*
 * Waking sardane-resolverd costs as much as a third of a P-256 verification: what one turn of
 * the caller's loop asks is sent together, by the dispatch that follows.
 */
static void send_soon(struct resolver *r)
{
	uint64_t one = 1;

	if (r->dispatching || r->rung)
		return;
	r->rung = write(r->bell_fd, &one, sizeof(one)) == sizeof(one);
	if (!r->rung)
		pump(r, resolver_now());
}

static int open_loop(struct resolver *r, struct err *err)
{
	struct epoll_event event = { .events = EPOLLIN };

	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	r->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	r->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	event.data.ptr = NULL;
	if (r->epoll_fd < 0 || r->timer_fd < 0 || r->bell_fd < 0 ||
		epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, r->timer_fd, &event) ||
		epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, r->bell_fd, &event))
		return err_set(err, ERR_SYSTEM, "resolver: %s", strerror(errno));
	return 0;
}

const char *resolver_helper(const struct resolver_config *config)
{
	if (config->backend != RESOLVER_VALIDATING)
		return NULL;
	return config->helper ? config->helper : RESOLVERD_PATH;
}

static int open_helper(const struct resolver_config *config, struct resolver *r, struct err *err)
{
	struct sink s = { 0 };
	uint8_t *packet = malloc(WIRE_PACKET_MAX);
	int rc;

	if (!packet)
		return err_set(err, ERR_NOMEM, "resolver: out of memory");
	s = sink_into(packet, WIRE_PACKET_MAX);
	rc = settings_packet(config, &s, err);
	if (!rc)
		rc = helper_new(resolver_helper(config), sink_span(&s), r->engine, r->epoll_fd,
			&config->trace, &r->upstream, err);
	free(packet);
	return rc;
}

static int open_all(const struct resolver_config *config, struct resolver *r, struct err *err)
{
	struct engine_config engine;
	int rc = settings_engine(config, &engine, err);

	if (!rc)
		rc = engine_new(&engine, &r->engine, err);
	if (!rc)
		rc = open_loop(r, err);
	if (rc)
		return rc;
	switch (config->backend) {
	case RESOLVER_VALIDATING: return open_helper(config, r, err);
	case RESOLVER_AD:
		return stub_new(config->server, r->engine, r->epoll_fd, &config->trace,
			&r->upstream, err);
	}
	return err_set(err, ERR_ARG, "resolver: no such back end");
}

int resolver_new(const struct resolver_config *config, struct resolver **out, struct err *err)
{
	struct resolver *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return err_set(err, ERR_NOMEM, "resolver: out of memory");
	r->epoll_fd = r->timer_fd = r->bell_fd = -1;
	r->armed_ms = NEVER;
	rc = open_all(config, r, err);
	if (rc) {
		resolver_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

static void wake_all(struct resolver *r)
{
	struct ask *ask;

	while ((ask = engine_pop(r->engine)))
		if (ask->wake)
			ask->wake(ask);
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	if (r->engine) {
		engine_close(r->engine);
		wake_all(r);
	}
	if (r->upstream)
		r->upstream->kind->free(r->upstream);
	engine_free(r->engine);
	if (r->bell_fd >= 0)
		close(r->bell_fd);
	if (r->timer_fd >= 0)
		close(r->timer_fd);
	if (r->epoll_fd >= 0)
		close(r->epoll_fd);
	free(r);
}

int resolver_fd(const struct resolver *r)
{
	return r->epoll_fd;
}

static void take_timer(struct resolver *r)
{
	uint64_t times;

	if (read(r->timer_fd, &times, sizeof(times)) == sizeof(times))
		r->armed_ms = NEVER;
}

static void take_bell(struct resolver *r)
{
	uint64_t times;

	if (r->rung && read(r->bell_fd, &times, sizeof(times)) == sizeof(times))
		r->rung = false;
}

void resolver_dispatch(struct resolver *r)
{
	int64_t now_ms = resolver_now();

	r->dispatching = true;
	take_timer(r);
	take_bell(r);
	r->upstream->kind->dispatch(r->upstream, now_ms);
	engine_expire(r->engine, now_ms);
	wake_all(r);
	r->dispatching = false;
	pump(r, now_ms);
}

void resolver_ask(struct resolver *r, const struct question *q, uint64_t source,
	unsigned timeout_ms, struct ask *ask)
{
	int64_t now_ms = coarse_now(r);

	engine_ask(r->engine, now_ms, q, source, timeout_ms, ask);
	if (engine_waits(r->engine))
		send_soon(r);
	else if (!ask->answer)
		arm(r);
}

const struct answer *resolver_cached(struct resolver *r, const struct question *q)
{
	int64_t now_ms = coarse_now(r);
	bool fetching;
	const struct answer *a = engine_cached(r->engine, now_ms, q, &fetching);

	if (fetching)
		send_soon(r);
	return a;
}

void resolver_forget(struct resolver *r, const struct question *q)
{
	engine_forget(r->engine, q);
}

void resolver_stats(const struct resolver *r, struct resolver_stats *out)
{
	engine_stats(r->engine, out);
	out->restarts = r->upstream->restarts;
}
