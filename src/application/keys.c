/* SPDX-License-Identifier: Apache-2.0 */
#include "application/keys.h"

#include <stdlib.h>
#include <string.h>

#include "application/delivery.h"
#include "application/jobs.h"

#define ASKING_PER_DEVICE_MAX 4

int keys_check(struct application *a, const uint8_t key[16], uint64_t *out)
{
	uint8_t zero[BLOCK_OCTETS] = { 0 }, made[BLOCK_OCTETS];
	struct cursor c;
	struct block block;

	if (aes_rekey(a->aes, key, NULL) < 0)
		return ERR_CRYPTO;
	block = aes_block(a->aes);
	block.encrypt(block.key, zero, made);
	c = cursor_over((struct span){ made, sizeof(made) });
	*out = cursor_u64_be(&c);
	return 0;
}

static struct asking *find(struct application *a, const struct device *d,
	const struct session_id *session)
{
	struct asking *k = a->asking;

	while (k && (k->device != d || !session_id_equal(&k->session, session)))
		k = k->next;
	return k;
}

/* A device that only its uplinks brought here goes with the last of them. */
static void forget_stranger(struct application *a, struct device *d)
{
	if (d->configured || d->asking || d->now || d->queue || d->waiting)
		return;
	device_drop(&a->devices, d);
}

static void drop(struct application *a, struct asking *gone)
{
	struct asking **link = &a->asking;

	while (*link != gone)
		link = &(*link)->next;
	*link = gone->next;
	a->asking_count--;
	gone->device->asking--;
	forget_stranger(a, gone->device);
	free(gone);
}

static void refuse_held(struct application *a, struct asking *k, enum uplink_verdict verdict)
{
	while (k->held) {
		struct job *j = k->held;

		k->held = j->next;
		j->device = NULL;
		j->asking = NULL;
		jobs_refuse_uplink(a, j, verdict);
	}
	k->held_count = 0;
}

static void cool(struct application *a, struct asking *k, enum uplink_verdict verdict,
	int64_t now_ms)
{
	refuse_held(a, k, verdict);
	k->state = ASKING_COOLING;
	k->verdict = verdict;
	k->until_ms = now_ms + a->config.cool_ms;
	a->stats.keys_refused++;
}

/* The oldest that is only cooling makes room: of this device, or of any but this one. */
static void make_room(struct application *a, const struct device *d, bool own)
{
	struct asking *oldest = NULL;

	for (struct asking *k = a->asking; k; k = k->next)
		if (k->state == ASKING_COOLING && (k->device == d) == own &&
			(!oldest || k->until_ms < oldest->until_ms))
			oldest = k;
	if (oldest)
		drop(a, oldest);
}

static void hold(struct application *a, struct asking *k, struct job *j, int64_t now_ms)
{
	struct job **link = &k->held;

	while (*link)
		link = &(*link)->next;
	j->next = NULL;
	j->asking = k;
	j->until_ms = now_ms + a->config.hold_ms;
	*link = j;
	k->held_count++;
	a->stats.held++;
}

static void ask(struct application *a, struct asking *k, int64_t now_ms)
{
	struct job *j = jobs_new(a, JOB_ASK, false, 0);

	if (!j) {
		cool(a, k, UPLINK_BUSY, now_ms);
		return;
	}
	j->device = k->device;
	j->asking = k;
	k->state = ASKING_ASKED;
	a->stats.keys_asked++;
	jobs_push(a, j);
}

static struct asking *begin(struct application *a, const struct job *j)
{
	const struct uplink *u = j->uplink;
	struct asking *k;

	if (j->device->asking >= ASKING_PER_DEVICE_MAX)
		make_room(a, j->device, true);
	else if (a->asking_count >= a->config.asking_max)
		make_room(a, j->device, false);
	if (j->device->asking >= ASKING_PER_DEVICE_MAX || a->asking_count >= a->config.asking_max)
		return NULL;
	k = calloc(1, sizeof(*k));
	if (!k)
		return NULL;
	*k = (struct asking){ .next = a->asking,
		.device = j->device,
		.session = u->session,
		.net_id = u->net_id,
		.dev_addr = u->dev_addr,
		.has_join_eui = u->has_join_eui,
		.join_eui = u->join_eui };
	if (j->device->has_join_eui) {
		k->has_join_eui = true;
		k->join_eui = j->device->join_eui;
	}
	a->asking = k;
	a->asking_count++;
	j->device->asking++;
	return k;
}

/* Why j may not wait with the others of its session, or UPLINK_TAKEN when it may. */
static enum uplink_verdict may_wait(const struct application *a, const struct asking *k,
	const struct uplink *u, int64_t now_ms)
{
	if (k->net_id != u->net_id || k->dev_addr != u->dev_addr)
		return UPLINK_FOREIGN;
	if (k->state == ASKING_COOLING && now_ms < k->until_ms)
		return k->verdict;
	return k->held_count < a->config.hold_max ? UPLINK_TAKEN : UPLINK_BUSY;
}

static void refuse(struct application *a, struct job *j, enum uplink_verdict verdict)
{
	forget_stranger(a, j->device);
	j->device = NULL;
	jobs_refuse_uplink(a, j, verdict);
}

void keys_hold(struct application *a, struct job *j, int64_t now_ms)
{
	const struct uplink *u = j->uplink;
	struct device *d = j->device;
	struct asking *k = find(a, d, &u->session);
	enum uplink_verdict verdict = k ? may_wait(a, k, u, now_ms) : UPLINK_TAKEN;

	if (!u->session.n && !d->has_app_s_key)
		verdict = UPLINK_UNKNOWN_DEVICE;
	/* It does not join: its network may not name a Join Server that says it did. */
	if (u->session.n && d->has_app_s_key)
		verdict = UPLINK_FOREIGN;
	if (!k && verdict == UPLINK_TAKEN && !(k = begin(a, j)))
		verdict = UPLINK_BUSY;
	if (verdict != UPLINK_TAKEN) {
		refuse(a, j, verdict);
		return;
	}
	hold(a, k, j, now_ms);
	if (k->state == ASKING_ASKED || k->state == ASKING_GIVEN)
		return;
	if (u->session.n) {
		ask(a, k, now_ms);
		return;
	}
	/* A device activated by personalisation has its key in the configuration. */
	k->state = ASKING_ASKED;
	keys_answer(a, d->dev_eui, &u->session, APPLICATION_KEY_GIVEN, d->app_s_key, now_ms);
}

static struct session *session_of(const struct asking *k, const uint8_t key[16], uint64_t check)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->dev_eui = k->device->dev_eui;
	s->id = k->session;
	s->net_id = k->net_id;
	s->dev_addr = k->dev_addr;
	s->key_check = check;
	memcpy(s->app_s_key, key, sizeof(s->app_s_key));
	return s;
}

static void give(struct application *a, struct asking *k, const uint8_t key[16], int64_t now_ms)
{
	struct job *j;
	uint64_t check;

	if (keys_check(a, key, &check) < 0) {
		cool(a, k, UPLINK_NO_KEY, now_ms);
		return;
	}
	if (device_knows_key(k->device, check)) {
		trace_say(&a->config.trace, TRACE_ERROR, "appskey.reused",
			"dev_eui=%s reason=\"a key this device had before, under another SessionKeyID\"",
			k->device->name);
		cool(a, k, UPLINK_RETIRED, now_ms);
		return;
	}
	j = jobs_new(a, JOB_ADOPT, false, 0);
	if (j)
		j->session = session_of(k, key, check);
	if (!j || !j->session) {
		jobs_free(a, j);
		cool(a, k, UPLINK_BUSY, now_ms);
		return;
	}
	j->device = k->device;
	j->asking = k;
	k->state = ASKING_GIVEN;
	a->stats.keys_given++;
	jobs_push(a, j);
}

void keys_answer(struct application *a, uint64_t dev_eui, const struct session_id *session,
	enum application_key verdict, const uint8_t key[16], int64_t now_ms)
{
	struct device *d = device_find(&a->devices, dev_eui);
	struct asking *k = d ? find(a, d, session) : NULL;

	if (!k || k->state != ASKING_ASKED)
		return;
	switch (verdict) {
	case APPLICATION_KEY_GIVEN: give(a, k, key, now_ms); break;
	case APPLICATION_KEY_UNKNOWN: cool(a, k, UPLINK_UNKNOWN_DEVICE, now_ms); break;
	case APPLICATION_KEY_FAILED: cool(a, k, UPLINK_NO_KEY, now_ms); break;
	}
}

void keys_prepare_adopt(struct application *a, struct job *j, int64_t wall_ms,
	struct application_work *out)
{
	struct uplink named = { .dev_eui = j->session->dev_eui,
		.dev_addr = j->session->dev_addr,
		.session = j->session->id };

	if (j->session->id.n)
		event_join(&a->lines, &j->device->info, &named, wall_ms);
	a->draft_session = *j->session;
	out->keep_session = &a->draft_session;
	out->adopted = true;
}

/* The uplinks that waited go on in the order of their counters. */
static void release_held(struct application *a, struct asking *k)
{
	while (k->held) {
		struct job **first = &k->held, *j;

		for (struct job **at = &k->held; *at; at = &(*at)->next)
			if ((*at)->uplink->f_cnt < (*first)->uplink->f_cnt)
				first = at;
		j = *first;
		*first = j->next;
		j->asking = NULL;
		jobs_push(a, j);
	}
	k->held_count = 0;
}

void keys_adopted(struct application *a, struct job *j, bool ok, int64_t now_ms)
{
	struct asking *k = j->asking;

	if (!ok || device_adopt(j->device, j->session) < 0) {
		refuse_held(a, k, UPLINK_NOT_KEPT);
		drop(a, k);
		return;
	}
	j->session = NULL;
	release_held(a, k);
	delivery_rejoined(a, j->device, now_ms);
	drop(a, k);
}

void keys_tick(struct application *a, int64_t now_ms)
{
	struct asking *k = a->asking, *next;

	for (; k; k = next) {
		next = k->next;
		while (k->state == ASKING_ASKED && k->held && k->held->until_ms <= now_ms) {
			struct job *j = k->held;

			k->held = j->next;
			k->held_count--;
			a->stats.held_too_long++;
			j->device = NULL;
			j->asking = NULL;
			jobs_refuse_uplink(a, j, UPLINK_NO_KEY);
		}
		if (k->state == ASKING_COOLING && k->until_ms <= now_ms)
			drop(a, k);
	}
}

int64_t keys_deadline(const struct application *a)
{
	int64_t first = INT64_MAX;

	for (const struct asking *k = a->asking; k; k = k->next) {
		if (k->state == ASKING_ASKED && k->held && k->held->until_ms < first)
			first = k->held->until_ms;
		if (k->state == ASKING_COOLING && k->until_ms < first)
			first = k->until_ms;
	}
	return first;
}

void keys_done(struct application *a)
{
	while (a->asking) {
		struct asking *k = a->asking;

		a->asking = k->next;
		while (k->held) {
			struct job *j = k->held;

			k->held = j->next;
			jobs_free(a, j);
		}
		free(k);
	}
}
