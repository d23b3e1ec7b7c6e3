/* SPDX-License-Identifier: Apache-2.0 */
#include "joind/keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "crypto/random.h"
#include "program/log.h"

#define LINGER_MAX_NS 1000000
#define SESSION_IDS   32 /* drawn at a time */

struct list {
	struct keeper_job *first, **end;
	unsigned n;
};

struct keeper {
	const struct decide_policy *policy;
	unsigned group_max;
	struct devices *devices;
	struct decide *decide;
	struct device device; /* the one being decided; too large for the stack */
	uint8_t ids[SESSION_IDS * DEVICE_SESSION_ID]; /* random; the store thread's */
	unsigned ids_left;

	uv_thread_t thread;
	/* Rung when something is done. Not uv_async_t, over which the loop, already awake on the
	 * other processor, spins until the thread that sends is back from its system call. */
	int bell_fd;
	uv_poll_t bell;

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

static void list_put(struct list *l, struct keeper_job *job)
{
	job->next = NULL;
	*l->end = job;
	l->end = &job->next;
	l->n++;
}

static struct keeper_job *list_take(struct list *l)
{
	struct keeper_job *job = l->first;

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
	struct keeper_job *job;

	while (most-- && (job = list_take(from)))
		list_put(to, job);
}

/* The accepted (re)join, on its way to the disk. ERR_* fails the whole group. */
static int keep(struct keeper *k, struct keeper_job *job, const struct device_session *session,
	const struct device_session *moved)
{
	int rc = moved ? devices_save(k->devices, &k->device, moved, &job->err) : 0;

	return rc ? rc : devices_save(k->devices, &k->device, session, &job->err);
}

static struct decide_join asked_by(const struct keeper_job *job,
	const uint8_t session_id[DEVICE_SESSION_ID])
{
	return (struct decide_join){ job->join_eui, job->net_id, &job->join, session_id };
}

/* A SessionKeyID that no one was given. Many are drawn at once: each draw is a system call. */
static int draw_id(struct keeper *k, uint8_t out[DEVICE_SESSION_ID], struct err *err)
{
	int rc = k->ids_left ? 0 : random_octets(k->ids, sizeof(k->ids), err);

	if (rc)
		return rc;
	if (!k->ids_left)
		k->ids_left = SESSION_IDS;
	memcpy(out, k->ids + --k->ids_left * DEVICE_SESSION_ID, DEVICE_SESSION_ID);
	return 0;
}

/* Returns ERR_* only when something may have been written. */
static int do_join(struct keeper *k, struct keeper_job *job)
{
	uint8_t session_id[DEVICE_SESSION_ID];
	struct device_session session = { 0 };
	struct decide_join q = asked_by(job, session_id);
	int rc = 0;

	job->failed = draw_id(k, session_id, &job->err) != 0 ||
		decide_join(k->decide, k->policy, &q, &k->device, &session, &job->join_ans,
			&job->verdict, &job->err) != 0;
	if (!job->failed && job->verdict == DECIDE_ACCEPT) {
		job->nonce = session.nonce;
		rc = keep(k, job, &session, NULL);
	}
	device_wipe_session(&session);
	return rc;
}

static int do_rejoin(struct keeper *k, struct keeper_job *job)
{
	struct device_session sessions[DEVICE_SESSIONS] = { 0 }, session = { 0 };
	uint8_t session_id[DEVICE_SESSION_ID];
	struct decide_join q = asked_by(job, session_id);
	int moved = -1, rc = 0;
	size_t n = 0;

	job->failed = draw_id(k, session_id, &job->err) != 0 ||
		devices_sessions(k->devices, job->dev_eui, sessions, &n, &job->err) != 0 ||
		decide_rejoin(k->decide, k->policy, &q, &k->device, sessions, n, &session, &moved,
			&job->join_ans, &job->verdict, &job->err) != 0;
	if (!job->failed && job->verdict == DECIDE_ACCEPT) {
		job->nonce = session.nonce;
		rc = keep(k, job, &session, moved >= 0 ? &sessions[moved] : NULL);
	}
	secret_wipe_octets(sessions, sizeof(sessions));
	device_wipe_session(&session);
	return rc;
}

static void do_app_s_key(struct keeper *k, struct keeper_job *job)
{
	struct device_session sessions[DEVICE_SESSIONS] = { 0 }, *found = NULL;
	const struct joining_session *id = &job->app_s_key.session_key_id;
	size_t n = 0;

	job->failed = devices_sessions(k->devices, job->dev_eui, sessions, &n, &job->err) != 0;
	for (size_t i = 0; i < n && id->n == sizeof(sessions[i].id); i++)
		if (memcmp(sessions[i].id, id->octets, id->n) == 0)
			found = &sessions[i];
	if (!job->failed)
		job->failed = decide_app_s_key(k->policy, &k->device, found, job->as_id,
				      &job->app_s_key_ans, &job->verdict, &job->err) != 0;
	secret_wipe_octets(sessions, sizeof(sessions));
}

/* One request. ERR_* only when something may have been written: the group is lost then. */
static int do_job(struct keeper *k, struct keeper_job *job)
{
	int rc = 0;

	job->nonce = -1;
	if (devices_load(k->devices, job->dev_eui, &k->device, &job->known, &job->err)) {
		job->failed = true;
		return 0;
	}
	/* A JoinEUI that is not the device's: as if it were not here. */
	if (!job->known || k->device.join_eui != job->join_eui) {
		job->known = false;
		return 0;
	}
	switch (job->kind) {
	case KEEPER_JOIN: rc = do_join(k, job); break;
	case KEEPER_REJOIN: rc = do_rejoin(k, job); break;
	case KEEPER_APP_S_KEY: do_app_s_key(k, job); break;
	case KEEPER_HOME_NS: decide_home_ns(&k->device, &job->home_ns_ans, &job->verdict); break;
	}
	job->join_nonce = k->device.join_nonce;
	return rc;
}

/* Nothing of the group is accepted: what was computed for it is forgotten. */
static void fail_group(struct keeper *k, const struct list *group, const struct err *err)
{
	devices_rollback(k->devices);
	for (struct keeper_job *job = group->first; job; job = job->next) {
		job->failed = true;
		job->err = *err;
		joining_wipe_ans(&job->join_ans);
		envelope_wipe(&job->app_s_key_ans.app_s_key);
	}
}

static void do_group(struct keeper *k, struct list *group)
{
	struct err err = { 0 };
	int rc = devices_begin(k->devices, &err);

	for (struct keeper_job *job = group->first; job && !rc; job = job->next) {
		rc = do_job(k, job);
		if (rc)
			err = job->err;
		job->group = group->n;
	}
	device_wipe(&k->device);
	rc = rc ? rc : devices_commit(k->devices, &err);
	if (rc)
		fail_group(k, group, &err);
}

/*
 * Peers that were just answered ask again in a moment: a short wait, a quarter of what the last
 * commit took, lets them share the next one. Without it two halves would take turns, each group
 * half as large as it could be. A peer that is alone is never kept waiting.
 */
static void linger(struct keeper *k, unsigned expected, uint64_t commit_ns)
{
	uint64_t until =
		uv_hrtime() + (commit_ns / 4 < LINGER_MAX_NS ? commit_ns / 4 : LINGER_MAX_NS);

	k->wanted = expected < k->group_max ? expected : k->group_max;
	while (k->waiting.n < k->wanted && !k->stopping) {
		uint64_t now = uv_hrtime();

		if (now >= until || uv_cond_timedwait(&k->some, &k->lock, until - now))
			break;
	}
	k->wanted = 0;
}

/* An eventfd that cannot be written to has been rung already. */
static void ring(struct keeper *k)
{
	ssize_t n = write(k->bell_fd, &(uint64_t){ 1 }, sizeof(uint64_t));

	(void)n;
}

static void run(void *arg)
{
	struct keeper *k = arg;
	struct list group;
	uint64_t began;
	unsigned n;

	list_init(&group);
	uv_mutex_lock(&k->lock);
	while (k->waiting.n || !k->stopping) {
		if (!k->waiting.n) {
			uv_cond_wait(&k->some, &k->lock);
			continue;
		}
		list_move(&k->waiting, &group, k->group_max);
		uv_mutex_unlock(&k->lock);
		began = uv_hrtime();
		n = group.n;
		do_group(k, &group);
		uv_mutex_lock(&k->lock);
		list_move(&group, &k->done, n);
		uv_mutex_unlock(&k->lock);
		/* Not under the lock: who wakes would go back to sleep over it. */
		ring(k);
		uv_mutex_lock(&k->lock);
		if (k->waiting.n)
			linger(k, n + k->waiting.n, uv_hrtime() - began);
	}
	uv_mutex_unlock(&k->lock);
}

/* On the loop: everything committed since the last time. */
static void deliver(struct keeper *k)
{
	struct keeper_job *job;
	struct list done;

	list_init(&done);
	uv_mutex_lock(&k->lock);
	list_move(&k->done, &done, k->done.n);
	uv_mutex_unlock(&k->lock);
	log_hold();
	while ((job = list_take(&done)))
		job->done(job);
	log_release();
}

static void rung(uv_poll_t *bell, int status, int events)
{
	struct keeper *k = bell->data;
	uint64_t count;

	(void)status;
	(void)events;
	if (read(k->bell_fd, &count, sizeof(count)) > 0)
		deliver(k);
}

static void release(struct keeper *k)
{
	if (k->bell_fd >= 0)
		close(k->bell_fd);
	devices_close(k->devices);
	decide_free(k->decide);
	uv_mutex_destroy(&k->lock);
	uv_cond_destroy(&k->some);
	free(k);
}

static void closed(uv_handle_t *handle)
{
	release(handle->data);
}

static int start(struct keeper *k, uv_loop_t *loop, struct err *err)
{
	int rc;

	k->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = k->bell_fd < 0 ? uv_translate_sys_error(errno)
			    : uv_poll_init(loop, &k->bell, k->bell_fd);
	if (rc) {
		release(k);
		return err_set(err, ERR_SYSTEM, "store thread: %s", uv_strerror(rc));
	}
	k->bell.data = k;
	rc = uv_poll_start(&k->bell, UV_READABLE, rung);
	rc = rc ? rc : uv_thread_create(&k->thread, run, k);
	if (rc)
		uv_close((uv_handle_t *)&k->bell, closed);
	return rc ? err_set(err, ERR_SYSTEM, "store thread: %s", uv_strerror(rc)) : 0;
}

int keeper_new(const struct keeper_config *config, struct keeper **out, struct err *err)
{
	struct keeper *k = calloc(1, sizeof(*k));
	int rc;

	if (!k || uv_mutex_init(&k->lock)) {
		free(k);
		return err_set(err, ERR_NOMEM, "store thread: no memory");
	}
	if (uv_cond_init(&k->some)) {
		uv_mutex_destroy(&k->lock);
		free(k);
		return err_set(err, ERR_NOMEM, "store thread: no memory");
	}
	list_init(&k->waiting);
	list_init(&k->done);
	k->bell_fd = -1;
	k->policy = config->policy;
	k->group_max = config->group_max ? config->group_max : KEEPER_GROUP_MAX;
	rc = devices_open(config->path, config->root_kek, true, &k->devices, err);
	rc = rc ? rc : devices_check(k->devices, err);
	rc = rc ? rc : decide_new(&k->decide, err);
	if (rc) {
		release(k);
		return rc;
	}
	rc = start(k, config->loop, err);
	if (!rc)
		*out = k;
	return rc;
}

void keeper_free(struct keeper *k)
{
	if (!k)
		return;
	uv_mutex_lock(&k->lock);
	k->stopping = true;
	uv_cond_signal(&k->some);
	uv_mutex_unlock(&k->lock);
	uv_thread_join(&k->thread);
	deliver(k);
	uv_close((uv_handle_t *)&k->bell, closed);
}

bool keeper_put(struct keeper *k, struct keeper_job *job)
{
	bool room, wakes;

	uv_mutex_lock(&k->lock);
	room = k->waiting.n < KEEPER_WAITING_MAX && !k->stopping;
	if (room)
		list_put(&k->waiting, job);
	wakes = room && (k->waiting.n == 1 || k->waiting.n == k->wanted);
	uv_mutex_unlock(&k->lock);
	if (wakes) /* likewise not under the lock */
		uv_cond_signal(&k->some);
	return room;
}
