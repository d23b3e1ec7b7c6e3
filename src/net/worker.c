/* SPDX-License-Identifier: Apache-2.0 */
#include "net/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/pace.h"
#include "program/log.h"

#define LINGER_MAX_NS 1000000
#define SHARE_NS      250000 /* of one turn of the loop, for done */

struct list {
	struct worker_job *first, **end;
	unsigned n;
};

struct worker {
	struct worker_config config;
	uv_thread_t thread;
	/* Rung when something is done. Not uv_async_t, over which the loop, already awake on the
	 * other processor, spins until the thread that sends is back from its system call. */
	int bell_fd;
	uv_poll_t bell;
	struct pace *pace;
	struct list ready; /* the loop's: taken from done, for this turn and the next ones */

	uv_mutex_t lock; /* guards what follows */
	uv_cond_t some;
	bool stopping;
	unsigned wanted; /* waiting jobs that end a linger; 0: no linger */
	struct list waiting, done;
};

static void list_init(struct list *l)
{
	*l = (struct list){ .end = &l->first };
}

static void list_put(struct list *l, struct worker_job *job)
{
	job->next = NULL;
	*l->end = job;
	l->end = &job->next;
	l->n++;
}

static struct worker_job *list_take(struct list *l)
{
	struct worker_job *job = l->first;

	if (!job)
		return NULL;
	l->first = job->next;
	if (!l->first)
		l->end = &l->first;
	l->n--;
	return job;
}

static void list_move(struct list *from, struct list *to, unsigned most)
{
	struct worker_job *job;

	while (most-- && (job = list_take(from)))
		list_put(to, job);
}

/*
 * Peers that were just answered ask again in a moment: a short wait, a quarter of what the last
 * group took, lets them share the next one. Without it two halves would take turns, each group
 * half as large as it could be. A peer that is alone is never kept waiting.
 */
static void linger(struct worker *w, unsigned expected, uint64_t took_ns)
{
	uint64_t until = uv_hrtime() + (took_ns / 4 < LINGER_MAX_NS ? took_ns / 4 : LINGER_MAX_NS);

	w->wanted = expected < w->config.group_max ? expected : w->config.group_max;
	while (w->waiting.n < w->wanted && !w->stopping) {
		uint64_t now = uv_hrtime();

		if (now >= until || uv_cond_timedwait(&w->some, &w->lock, until - now))
			break;
	}
	w->wanted = 0;
}

/* An eventfd that cannot be written to has been rung already. */
static void ring(struct worker *w)
{
	ssize_t n = write(w->bell_fd, &(uint64_t){ 1 }, sizeof(uint64_t));

	(void)n;
}

static void run(void *arg)
{
	struct worker *w = arg;
	struct list group;
	uint64_t began;
	unsigned n;

	list_init(&group);
	uv_mutex_lock(&w->lock);
	while (w->waiting.n || !w->stopping) {
		if (!w->waiting.n) {
			uv_cond_wait(&w->some, &w->lock);
			continue;
		}
		list_move(&w->waiting, &group, w->config.group_max);
		uv_mutex_unlock(&w->lock);
		began = uv_hrtime();
		n = group.n;
		w->config.work(w->config.arg, group.first, n);
		uv_mutex_lock(&w->lock);
		list_move(&group, &w->done, n);
		uv_mutex_unlock(&w->lock);
		/* Not under the lock: who wakes would go back to sleep over it. */
		ring(w);
		uv_mutex_lock(&w->lock);
		if (w->waiting.n)
			linger(w, n + w->waiting.n, uv_hrtime() - began);
	}
	uv_mutex_unlock(&w->lock);
}

/* What is done since the last time, oldest first, as long as the time is not over. */
static void deliver(struct worker *w, uint64_t until_ns)
{
	struct worker_job *job;

	uv_mutex_lock(&w->lock);
	list_move(&w->done, &w->ready, w->done.n);
	uv_mutex_unlock(&w->lock);
	log_hold();
	while (uv_hrtime() < until_ns && (job = list_take(&w->ready)))
		w->config.done(w->config.arg, job);
	log_release();
}

static void rung(uv_poll_t *bell, int status, int events)
{
	struct worker *w = bell->data;
	uint64_t count;

	(void)status;
	(void)events;
	if (read(w->bell_fd, &count, sizeof(count)) <= 0)
		return;
	deliver(w, pace_until(w->pace, uv_hrtime(), SHARE_NS));
	if (w->ready.n)
		ring(w);
}

static void release(struct worker *w)
{
	pace_give(w->pace);
	if (w->bell_fd >= 0)
		close(w->bell_fd);
	uv_mutex_destroy(&w->lock);
	uv_cond_destroy(&w->some);
	free(w);
}

static void closed(uv_handle_t *handle)
{
	release(handle->data);
}

static int start(struct worker *w, struct err *err)
{
	int rc;

	w->pace = pace_take(w->config.loop);
	w->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = !w->pace            ? UV_ENOMEM
		: w->bell_fd < 0 ? uv_translate_sys_error(errno)
				 : uv_poll_init(w->config.loop, &w->bell, w->bell_fd);
	if (rc) {
		release(w);
		return err_set(err, ERR_SYSTEM, "store thread: %s", uv_strerror(rc));
	}
	w->bell.data = w;
	rc = uv_poll_start(&w->bell, UV_READABLE, rung);
	rc = rc ? rc : uv_thread_create(&w->thread, run, w);
	if (rc)
		uv_close((uv_handle_t *)&w->bell, closed);
	return rc ? err_set(err, ERR_SYSTEM, "store thread: %s", uv_strerror(rc)) : 0;
}

int worker_new(const struct worker_config *config, struct worker **out, struct err *err)
{
	struct worker *w = calloc(1, sizeof(*w));
	int rc;

	if (!w || uv_mutex_init(&w->lock)) {
		free(w);
		return err_set(err, ERR_NOMEM, "store thread: no memory");
	}
	if (uv_cond_init(&w->some)) {
		uv_mutex_destroy(&w->lock);
		free(w);
		return err_set(err, ERR_NOMEM, "store thread: no memory");
	}
	w->config = *config;
	list_init(&w->ready);
	list_init(&w->waiting);
	list_init(&w->done);
	rc = start(w, err);
	if (!rc)
		*out = w;
	return rc;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	uv_mutex_lock(&w->lock);
	w->stopping = true;
	uv_cond_signal(&w->some);
	uv_mutex_unlock(&w->lock);
	uv_thread_join(&w->thread);
	deliver(w, UINT64_MAX);
	uv_close((uv_handle_t *)&w->bell, closed);
}

bool worker_put(struct worker *w, struct worker_job *job)
{
	bool room, wakes;

	uv_mutex_lock(&w->lock);
	room = w->waiting.n < w->config.waiting_max && !w->stopping;
	if (room)
		list_put(&w->waiting, job);
	wakes = room && (w->waiting.n == 1 || w->waiting.n == w->wanted);
	uv_mutex_unlock(&w->lock);
	/* Not under the lock: who wakes would go back to sleep over it. */
	if (wakes)
		uv_cond_signal(&w->some);
	return room;
}
