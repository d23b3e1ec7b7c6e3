/* SPDX-License-Identifier: Apache-2.0 */
#include "application/delivery.h"

#include "application/jobs.h"
#include "lorawan/crypt.h"

#define TRIES_MAX       8    /* counters refused, before a downlink is given up */
#define BACKOFF_MS      1000 /* doubled with each failure */
#define BACKOFF_MOST_MS 64000
#define UPLINKS_LOST    2 /* without a word of the NS: it lost the downlink */
#define UPLINKS_NO_ACK  8 /* without a word of the device */

static const char counter_words[] = "the network server refuses every counter";
static const char spent_words[] = "no downlink counter is left in this session";
static const char refused_words[] = "the network server refuses port or size";

static void wait_until(struct application *a, struct device *d, int64_t when_ms)
{
	d->queue->not_before = when_ms;
	if (d->waiting || when_ms == INT64_MAX)
		return;
	d->waiting = true;
	d->next_waiting = a->waiting;
	a->waiting = d;
}

static void back_off(struct application *a, struct device *d, int64_t now_ms)
{
	int64_t wait = BACKOFF_MS;

	for (uint8_t i = 0; i < d->queue->failures && wait < BACKOFF_MOST_MS; i++)
		wait *= 2;
	if (d->queue->failures < UINT8_MAX)
		d->queue->failures++;
	wait_until(a, d, now_ms + wait);
}

static void push(struct application *a, struct device *d, enum job_kind kind, const char *words,
	int64_t now_ms)
{
	struct job *j = jobs_new(a, kind, false, 0);

	if (!j) {
		wait_until(a, d, now_ms + BACKOFF_MS);
		return;
	}
	j->device = d;
	j->words = words;
	j->number = d->queue->number;
	d->handing = true;
	jobs_push(a, j);
}

void delivery_kick(struct application *a, struct device *d, int64_t now_ms)
{
	if (d->handing || !d->queue || !d->now || !d->announced ||
		d->queue->state != DOWNLINK_QUEUED)
		return;
	if (d->queue->not_before > now_ms) {
		wait_until(a, d, d->queue->not_before);
		return;
	}
	push(a, d, JOB_HAND, NULL, now_ms);
}

static void again(struct application *a, struct device *d, bool soon, int64_t now_ms)
{
	struct downlink *item = d->queue;

	item->state = DOWNLINK_QUEUED;
	item->not_before = soon ? 0 : INT64_MAX;
	item->tries++;
	if (item->tries >= TRIES_MAX)
		push(a, d, JOB_GIVE_UP, counter_words, now_ms);
	else
		delivery_kick(a, d, now_ms);
}

static void internal_report(struct application *a, struct device *d,
	enum application_report_kind kind)
{
	struct job *j = jobs_new(a, JOB_REPORT, false, 0);

	if (!j)
		return;
	j->report = (struct application_report){ .dev_eui = d->dev_eui,
		.f_cnt = d->queue->f_cnt,
		.kind = kind };
	jobs_push(a, j);
}

void delivery_heard(struct application *a, struct device *d, const struct uplink *u, int64_t now_ms)
{
	struct downlink *item = d->queue;

	if (!d->now || !session_id_equal(&d->now->id, &u->session))
		return;
	if (u->has_f_cnt_down) {
		d->announced = true;
		d->next_f_cnt = u->f_cnt_down;
	}
	if (!item)
		return;
	if (item->uplinks < UINT8_MAX)
		item->uplinks++;
	if (item->state == DOWNLINK_QUEUED && item->not_before == INT64_MAX)
		item->not_before = 0;
	if (item->state == DOWNLINK_HANDED && item->uplinks >= UPLINKS_LOST && !d->handing)
		again(a, d, true, now_ms);
	else if (item->state == DOWNLINK_SENT && item->uplinks == UPLINKS_NO_ACK)
		internal_report(a, d, APPLICATION_NOT_ACKED);
	delivery_kick(a, d, now_ms);
}

/* What was under way in the session before is not any more. */
void delivery_rejoined(struct application *a, struct device *d, int64_t now_ms)
{
	struct downlink *item = d->queue;

	if (!item)
		return;
	if (item->state == DOWNLINK_SENT) {
		internal_report(a, d, APPLICATION_NOT_ACKED);
		return;
	}
	item->state = DOWNLINK_QUEUED;
	item->not_before = 0;
	item->tries = 0;
	delivery_kick(a, d, now_ms);
}

static void trace_hand(const struct application *a, const struct device *d, uint32_t f_cnt,
	bool same)
{
	trace_say(&a->config.trace, TRACE_DEBUG, "downlink.spend", "dev_eui=%s id=%s f_cnt=%u %s",
		d->name, d->queue->id, f_cnt, same ? "same=1" : "new=1");
}

bool delivery_prepare_hand(struct application *a, struct job *j, int64_t wall_ms,
	struct application_work *out)
{
	struct device *d = j->device;
	struct downlink *item = d->queue;
	enum downlink_spending spending;
	struct block key;
	uint32_t f_cnt = 0;

	if (!item || !d->now || item->state != DOWNLINK_QUEUED) {
		d->handing = false;
		return false;
	}
	spending = downlink_spend(d->now, item, d->next_f_cnt, &f_cnt);
	if (spending == DOWNLINK_SPEND_NONE || aes_rekey(a->aes, d->now->app_s_key, NULL) < 0) {
		j->kind = JOB_GIVE_UP;
		j->words = spent_words;
		j->number = item->number;
		return delivery_prepare_give_up(a, j, wall_ms, out);
	}
	trace_hand(a, d, f_cnt, spending == DOWNLINK_SPEND_SAME);
	a->draft_session = *d->now;
	a->draft_downlink = *item;
	if (spending == DOWNLINK_SPEND_NEW)
		a->draft_session.down_floor = (uint64_t)f_cnt + 1;
	a->draft_downlink.bound = true;
	a->draft_downlink.session = d->now->id;
	a->draft_downlink.f_cnt = f_cnt;
	a->draft_downlink.state = DOWNLINK_HANDED;
	a->draft_downlink.uplinks = 0;
	key = aes_block(a->aes);
	crypt_frm(&key, LORAWAN_DOWN, d->now->dev_addr, f_cnt, (struct span){ item->data, item->n },
		a->cipher);
	out->keep_session = &a->draft_session;
	out->keep_downlink = &a->draft_downlink;
	out->act = APPLICATION_SEND;
	out->send = (struct application_send){ .net_id = d->now->net_id,
		.dev_eui = d->dev_eui,
		.number = item->number,
		.session = d->now->id,
		.dev_addr = d->now->dev_addr,
		.f_cnt = f_cnt,
		.f_port = item->f_port,
		.confirmed = item->confirmed,
		.payload = { a->cipher, item->n } };
	return true;
}

/* The counter is spent in memory whatever the disk said: skipping one is harmless. */
void delivery_hand_done(struct application *a, struct job *j, bool ok, int64_t now_ms)
{
	struct device *d = j->device;

	*d->now = a->draft_session;
	*d->queue = a->draft_downlink;
	if (ok) {
		a->stats.handed++;
		return;
	}
	d->handing = false;
	d->queue->state = DOWNLINK_QUEUED;
	back_off(a, d, now_ms);
}

static void counter_refused(struct application *a, struct device *d, const uint32_t *next,
	int64_t now_ms)
{
	struct downlink *item = d->queue;
	bool lost = item->failures > 0;
	uint32_t f_cnt;

	if (next)
		d->next_f_cnt = *next;
	/* With nothing new to try, or when an earlier answer was lost and this downlink may be
	 * out already, the next uplink tells. */
	if (downlink_spend(d->now, item, d->next_f_cnt, &f_cnt) == DOWNLINK_SPEND_SAME)
		lost = true;
	again(a, d, !lost, now_ms);
}

void delivery_handed(struct application *a, uint64_t dev_eui, uint64_t number,
	enum application_handed handed, const uint32_t *next, int64_t now_ms)
{
	struct device *d = device_find(&a->devices, dev_eui);

	if (!d)
		return;
	d->handing = false;
	if (!d->queue || d->queue->number != number || d->queue->state != DOWNLINK_HANDED) {
		delivery_kick(a, d, now_ms);
		return;
	}
	switch (handed) {
	case APPLICATION_HANDED: d->queue->failures = 0; break;
	case APPLICATION_HANDED_COUNTER: counter_refused(a, d, next, now_ms); break;
	case APPLICATION_HANDED_REFUSED: push(a, d, JOB_GIVE_UP, refused_words, now_ms); break;
	case APPLICATION_HANDED_FAILED:
		d->queue->state = DOWNLINK_QUEUED;
		back_off(a, d, now_ms);
		break;
	}
}

/* The downlink a report is about, when it is the one under way; ours need no NetID. */
static struct downlink *reported(const struct device *d, const struct application_report *r,
	bool ours)
{
	struct downlink *item = d ? d->queue : NULL;
	const struct session *s;

	if (!item || !item->bound || item->f_cnt != r->f_cnt)
		return NULL;
	if (ours)
		return item;
	s = device_session(d, &item->session);
	return s && s->net_id == r->net_id ? item : NULL;
}

void delivery_prepare_report(struct application *a, struct job *j, int64_t wall_ms,
	struct application_work *out)
{
	struct device *d = device_find(&a->devices, j->report.dev_eui);
	struct downlink *item = reported(d, &j->report, !j->owed);

	j->device = item ? d : NULL;
	if (j->owed) {
		out->act = APPLICATION_ANSWER_REPORT;
		out->ticket = j->ticket;
		out->kept = true;
	}
	if (!item || j->report.kind == APPLICATION_NOT_SENT)
		return;
	if (j->report.kind == APPLICATION_SENT && item->state == DOWNLINK_SENT)
		return;
	if (item->state != DOWNLINK_SENT && j->report.kind != APPLICATION_NOT_ACKED)
		event_txack(&a->lines, &d->info, item, wall_ms);
	if (item->confirmed && j->report.kind != APPLICATION_SENT)
		event_ack(&a->lines, &d->info, item, j->report.kind == APPLICATION_ACKED, wall_ms);
	if (item->confirmed && j->report.kind == APPLICATION_SENT) {
		a->draft_downlink = *item;
		a->draft_downlink.state = DOWNLINK_SENT;
		a->draft_downlink.uplinks = 0;
		out->keep_downlink = &a->draft_downlink;
	} else {
		out->drop_downlink = item;
	}
}

void delivery_reported(struct application *a, struct job *j, bool ok, int64_t now_ms)
{
	struct device *d = j->device;

	if (!d)
		return;
	if (!ok) {
		d->queue->uplinks = 0;
		return;
	}
	switch (j->report.kind) {
	case APPLICATION_SENT:
		a->stats.sent += d->queue->state != DOWNLINK_SENT;
		if (d->queue->confirmed) {
			d->queue->state = DOWNLINK_SENT;
			d->queue->uplinks = 0;
			return;
		}
		break;
	case APPLICATION_ACKED: a->stats.acked++; break;
	case APPLICATION_NOT_ACKED: a->stats.not_acked++; break;
	case APPLICATION_NOT_SENT:
		if (j->report.has_next)
			d->next_f_cnt = j->report.next;
		if (d->queue->state == DOWNLINK_HANDED && !d->handing)
			again(a, d, true, now_ms);
		return;
	}
	a->stats.queued--;
	device_shift(d);
	delivery_kick(a, d, now_ms);
}

bool delivery_prepare_give_up(struct application *a, struct job *j, int64_t wall_ms,
	struct application_work *out)
{
	struct device *d = j->device;

	if (!d->queue || d->queue->number != j->number) {
		d->handing = false;
		return false;
	}
	event_log(&a->lines, &d->info, d->dev_eui, "ERROR", "DOWNLINK_GATEWAY", j->words, d->queue,
		wall_ms);
	out->drop_downlink = d->queue;
	return true;
}

void delivery_gave_up(struct application *a, struct job *j, bool ok, int64_t now_ms)
{
	struct device *d = j->device;

	d->handing = false;
	if (!ok) {
		d->queue->state = DOWNLINK_QUEUED;
		back_off(a, d, now_ms);
		return;
	}
	a->stats.given_up++;
	a->stats.queued--;
	device_shift(d);
	delivery_kick(a, d, now_ms);
}

void delivery_tick(struct application *a, int64_t now_ms)
{
	struct device **link = &a->waiting;

	while (*link) {
		struct device *d = *link;

		if (d->queue && d->queue->not_before > now_ms &&
			d->queue->not_before != INT64_MAX) {
			link = &d->next_waiting;
			continue;
		}
		*link = d->next_waiting;
		d->waiting = false;
		delivery_kick(a, d, now_ms);
	}
}

int64_t delivery_deadline(const struct application *a)
{
	int64_t first = INT64_MAX;

	for (const struct device *d = a->waiting; d; d = d->next_waiting)
		if (d->queue && d->queue->not_before < first)
			first = d->queue->not_before;
	return first;
}
