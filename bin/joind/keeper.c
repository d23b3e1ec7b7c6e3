/* SPDX-License-Identifier: Apache-2.0 */
#include "joind/keeper.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/random.h"

#define SESSION_IDS 32 /* drawn at a time */

struct keeper {
	const struct decide_policy *policy;
	struct devices *devices;
	struct decide *decide;
	struct device device; /* the one being decided; too large for the stack */
	uint8_t ids[SESSION_IDS * DEVICE_SESSION_ID]; /* random; the store thread's */
	unsigned ids_left;
	struct worker *worker;
};

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

static struct keeper_job *job_of(struct worker_job *job)
{
	return (struct keeper_job *)job; /* its first member */
}

/* Nothing of the group is accepted: what was computed for it is forgotten. */
static void fail_group(struct keeper *k, struct worker_job *first, const struct err *err)
{
	devices_rollback(k->devices);
	for (struct worker_job *at = first; at; at = at->next) {
		struct keeper_job *job = job_of(at);

		job->failed = true;
		job->err = *err;
		joining_wipe_ans(&job->join_ans);
		envelope_wipe(&job->app_s_key_ans.app_s_key);
	}
}

/* On the thread: one transaction. */
static void do_group(void *arg, struct worker_job *first, unsigned n)
{
	struct keeper *k = arg;
	struct err err = { 0 };
	int rc = devices_begin(k->devices, &err);

	for (struct worker_job *at = first; at && !rc; at = at->next) {
		struct keeper_job *job = job_of(at);

		rc = do_job(k, job);
		if (rc)
			err = job->err;
		job->group = n;
	}
	device_wipe(&k->device);
	rc = rc ? rc : devices_commit(k->devices, &err);
	if (rc)
		fail_group(k, first, &err);
}

/* On the loop: its group is committed. */
static void job_done(void *arg, struct worker_job *job)
{
	(void)arg;
	job_of(job)->done(job_of(job));
}

static void release(struct keeper *k)
{
	devices_close(k->devices);
	decide_free(k->decide);
	free(k);
}

int keeper_new(const struct keeper_config *config, struct keeper **out, struct err *err)
{
	struct keeper *k = calloc(1, sizeof(*k));
	const struct worker_config worker = { .loop = config->loop,
		.waiting_max = KEEPER_WAITING_MAX,
		.group_max = config->group_max ? config->group_max : KEEPER_GROUP_MAX,
		.work = do_group,
		.done = job_done,
		.arg = k };
	int rc;

	if (!k)
		return err_set(err, ERR_NOMEM, "store thread: no memory");
	k->policy = config->policy;
	rc = devices_open(config->path, config->root_kek, true, &k->devices, err);
	rc = rc ? rc : devices_check(k->devices, err);
	rc = rc ? rc : decide_new(&k->decide, err);
	rc = rc ? rc : worker_new(&worker, &k->worker, err);
	if (rc)
		release(k);
	else
		*out = k;
	return rc;
}

void keeper_free(struct keeper *k)
{
	if (!k)
		return;
	worker_free(k->worker);
	release(k);
}

bool keeper_put(struct keeper *k, struct keeper_job *job)
{
	return worker_put(k->worker, &job->job);
}
