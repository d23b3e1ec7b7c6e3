/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "application/delivery.h"
#include "application/engine.h"
#include "application/jobs.h"
#include "application/keys.h"
#include "core/secret.h"
#include "lorawan/crypt.h"

static void defaults(struct application_config *c)
{
	static const struct application_config usual = { .hold_ms = 3000,
		.cool_ms = 5000,
		.asking_max = 1024,
		.hold_max = 16,
		.jobs_max = 8192,
		.queue_max = 64,
		.devices_max = 200000 };

	c->hold_ms = c->hold_ms ? c->hold_ms : usual.hold_ms;
	c->cool_ms = c->cool_ms ? c->cool_ms : usual.cool_ms;
	c->asking_max = c->asking_max ? c->asking_max : usual.asking_max;
	c->hold_max = c->hold_max ? c->hold_max : usual.hold_max;
	c->jobs_max = c->jobs_max ? c->jobs_max : usual.jobs_max;
	c->queue_max = c->queue_max ? c->queue_max : usual.queue_max;
	c->devices_max = c->devices_max ? c->devices_max : usual.devices_max;
}

int application_new(const struct application_config *config, struct application **out,
	struct err *err)
{
	static const uint8_t none[16];
	struct application *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return err_set(err, ERR_NOMEM, "application: no memory");
	rc = aes_new(none, &a->aes, err);
	if (rc < 0) {
		free(a);
		return rc;
	}
	a->config = *config;
	defaults(&a->config);
	a->last = &a->first;
	*out = a;
	return 0;
}

void application_free(struct application *a)
{
	struct job *j;

	if (!a)
		return;
	keys_done(a);
	while ((j = jobs_pop(a)))
		jobs_free(a, j);
	jobs_free(a, a->in_hand);
	device_table_done(&a->devices);
	aes_free(a->aes);
	if (a->lines.p)
		secret_wipe_octets(a->lines.p, a->lines.cap);
	buf_done(&a->lines);
	secret_wipe_octets(a, sizeof(*a));
	free(a);
}

int application_add_device(struct application *a, const struct application_device *device,
	struct err *err)
{
	struct device *d = device_find(&a->devices, device->dev_eui);

	if (d && d->configured)
		return err_set(err, ERR_ARG, "device %s: given twice", d->name);
	if (!d)
		d = device_add(&a->devices, device->dev_eui);
	if (!d)
		return err_set(err, ERR_NOMEM, "device: no memory");
	d->configured = true;
	d->has_join_eui = device->has_join_eui;
	d->join_eui = device->join_eui;
	d->has_net_id = device->has_net_id;
	d->net_id = device->net_id;
	d->has_app_s_key = device->has_app_s_key;
	memcpy(d->app_s_key, device->app_s_key, sizeof(d->app_s_key));
	d->info = device->info;
	if (!d->info.device_name)
		d->info.device_name = d->name;
	return 0;
}

/* A device that no configuration names: known by an uplink, or by what the disk holds. */
static struct device *stranger(struct application *a, uint64_t dev_eui)
{
	struct device *d = device_add(&a->devices, dev_eui);

	if (!d)
		return NULL;
	d->info = a->config.unknown;
	d->info.device_name = d->name;
	return d;
}

static int restored(struct application *a, struct device *d, const struct session *s, unsigned age)
{
	struct session **place = age ? &d->before : &d->now;
	bool stale = !s->id.n && d->has_app_s_key &&
		memcmp(s->app_s_key, d->app_s_key, sizeof(d->app_s_key)) != 0;

	(void)a;
	if (age > 1 || stale || *place)
		return device_mark(d, s);
	*place = malloc(sizeof(**place));
	if (!*place)
		return ERR_NOMEM;
	**place = *s;
	return 0;
}

int application_restore_session(struct application *a, const struct session *s, unsigned age,
	struct err *err)
{
	struct device *d = device_find(&a->devices, s->dev_eui);

	if (!d)
		d = stranger(a, s->dev_eui);
	if (!d || restored(a, d, s, age) < 0)
		return err_set(err, ERR_NOMEM, "session: no memory");
	return 0;
}

int application_restore_downlink(struct application *a, const struct downlink *d, struct err *err)
{
	struct device *device = device_find(&a->devices, d->dev_eui);
	struct downlink *item;

	if (!device)
		device = stranger(a, d->dev_eui);
	item = device ? malloc(sizeof(*item)) : NULL;
	if (!item)
		return err_set(err, ERR_NOMEM, "downlink: no memory");
	*item = *d;
	device_append(device, item);
	a->stats.queued++;
	if (d->number > a->number)
		a->number = d->number;
	return 0;
}

/* To the session it belongs to, to those that wait for a key, or back. */
static void route(struct application *a, struct job *j, int64_t now_ms)
{
	const struct uplink *u = j->uplink;
	struct device *d = device_find(&a->devices, u->dev_eui);
	const struct session *s = d ? device_session(d, &u->session) : NULL;

	/* LoRaWAN 1.0.3 section 4.3.2: FPort 0 carries MAC commands under the network's key. */
	if (u->has_f_port && u->f_port == 0) {
		jobs_refuse_uplink(a, j, UPLINK_BAD_PORT);
		return;
	}
	if (!d && a->config.accept_unknown && a->devices.count < a->config.devices_max)
		d = stranger(a, u->dev_eui);
	if (!d) {
		jobs_refuse_uplink(a, j, UPLINK_UNKNOWN_DEVICE);
	} else if ((d->has_net_id && d->net_id != u->net_id) ||
		(s && (s->net_id != u->net_id || s->dev_addr != u->dev_addr))) {
		jobs_refuse_uplink(a, j, UPLINK_FOREIGN);
	} else if (device_has_retired_id(d, &u->session)) {
		jobs_refuse_uplink(a, j, UPLINK_RETIRED);
	} else {
		j->device = d;
		if (s)
			jobs_push(a, j);
		else
			keys_hold(a, j, now_ms);
	}
}

int application_uplink(struct application *a, const struct uplink *u, uint64_t ticket,
	int64_t now_ms)
{
	struct job *j = jobs_new(a, JOB_UPLINK, true, ticket);

	a->stats.uplinks++;
	if (j)
		j->uplink = malloc(sizeof(*j->uplink));
	if (!j || !j->uplink) {
		jobs_free(a, j);
		a->stats.by_verdict[UPLINK_BUSY]++;
		return ERR_NOMEM;
	}
	*j->uplink = *u;
	route(a, j, now_ms);
	return 0;
}

int application_command(struct application *a, const struct command *c, uint64_t ticket)
{
	struct job *j = jobs_new(a, JOB_COMMAND, true, ticket);

	a->stats.commands++;
	if (j)
		j->downlink = calloc(1, sizeof(*j->downlink));
	if (!j || !j->downlink) {
		jobs_free(a, j);
		return ERR_NOMEM;
	}
	j->downlink->dev_eui = c->dev_eui;
	j->downlink->confirmed = c->confirmed;
	j->downlink->f_port = c->f_port;
	j->downlink->n = c->n;
	memcpy(j->downlink->data, c->data, c->n);
	memcpy(j->downlink->id, c->id, sizeof(c->id));
	jobs_push(a, j);
	return 0;
}

int application_report(struct application *a, const struct application_report *r, uint64_t ticket)
{
	struct job *j = jobs_new(a, JOB_REPORT, true, ticket);

	if (!j)
		return ERR_NOMEM;
	j->report = *r;
	jobs_push(a, j);
	return 0;
}

void application_key(struct application *a, uint64_t dev_eui, const struct session_id *session,
	enum application_key verdict, const uint8_t key[16], int64_t now_ms)
{
	keys_answer(a, dev_eui, session, verdict, key, now_ms);
}

void application_handed(struct application *a, uint64_t dev_eui, uint64_t number,
	enum application_handed handed, const uint32_t *next, int64_t now_ms)
{
	delivery_handed(a, dev_eui, number, handed, next, now_ms);
}

static void answer_uplink(struct application_work *out, struct job *j, enum uplink_verdict verdict)
{
	j->verdict = verdict;
	out->act = APPLICATION_ANSWER_UPLINK;
	out->ticket = j->ticket;
	out->verdict = verdict;
}

/* New to its session: decrypted, told, kept; then answered. */
static void prepare_new(struct application *a, struct job *j, struct session *s, int64_t wall_ms,
	struct application_work *out)
{
	const struct uplink *u = j->uplink;
	uint8_t plain[UPLINK_PAYLOAD_MAX];
	struct block key;

	if (aes_rekey(a->aes, s->app_s_key, NULL) < 0) {
		answer_uplink(out, j, UPLINK_BUSY);
		return;
	}
	key = aes_block(a->aes);
	crypt_frm(&key, LORAWAN_UP, u->dev_addr, u->f_cnt, (struct span){ u->payload, u->n },
		plain);
	event_up(&a->lines, &j->device->info, u, (struct span){ plain, u->n }, wall_ms);
	secret_wipe_octets(plain, sizeof(plain));
	a->draft_session = *s;
	session_take(&a->draft_session, u->f_cnt, uplink_digest(u));
	out->keep_session = &a->draft_session;
	answer_uplink(out, j, UPLINK_TAKEN);
}

static void prepare_uplink(struct application *a, struct job *j, int64_t wall_ms,
	struct application_work *out)
{
	const struct uplink *u = j->uplink;
	struct session *s = device_session(j->device, &u->session);

	if (!s) {
		answer_uplink(out, j, UPLINK_RETIRED);
		return;
	}
	switch (session_see(s, u->f_cnt, uplink_digest(u))) {
	case SESSION_NEW: prepare_new(a, j, s, wall_ms, out); break;
	case SESSION_AGAIN: answer_uplink(out, j, UPLINK_AGAIN); break;
	case SESSION_REPLAY:
	case SESSION_OLD: answer_uplink(out, j, UPLINK_REPLAYED); break;
	}
}

static bool same_downlink(const struct downlink *a, const struct downlink *b)
{
	return a->confirmed == b->confirmed && a->f_port == b->f_port && a->n == b->n &&
		memcmp(a->data, b->data, a->n) == 0;
}

/* Words when the command cannot be taken; *twice when it is in the queue already. */
static const char *command_refusal(const struct application *a, struct job *j, bool *twice)
{
	const struct device *d = device_find(&a->devices, j->downlink->dev_eui);

	*twice = false;
	j->device = device_find(&a->devices, j->downlink->dev_eui);
	if (!d || (!d->configured && !d->now))
		return "devEui: no such device";
	for (const struct downlink *item = d->queue; item; item = item->next)
		if (strcmp(item->id, j->downlink->id) == 0) {
			*twice = same_downlink(item, j->downlink);
			return *twice ? NULL : "id: in the queue already, with something else";
		}
	return d->queued < a->config.queue_max ? NULL : "queue: full";
}

static void prepare_command(struct application *a, struct job *j, struct application_work *out)
{
	bool twice;

	j->words = command_refusal(a, j, &twice);
	memcpy(j->id, j->downlink->id, sizeof(j->id));
	out->act = APPLICATION_ANSWER_COMMAND;
	out->ticket = j->ticket;
	out->id = j->id;
	out->error = j->words;
	if (j->words || twice) {
		j->device = NULL;
		return;
	}
	j->downlink->number = a->number + 1;
	out->keep_downlink = j->downlink;
}

static void command_done(struct application *a, struct job *j, int64_t now_ms)
{
	a->stats.commands_refused += j->words != NULL;
	if (!j->device)
		return;
	a->number = j->downlink->number;
	a->stats.queued++;
	device_append(j->device, j->downlink);
	j->downlink = NULL;
	delivery_kick(a, j->device, now_ms);
}

static void prepare_ask(struct job *j, struct application_work *out)
{
	const struct asking *k = j->asking;

	out->act = APPLICATION_ASK_KEY;
	out->ask = (struct application_ask){ .dev_eui = j->device->dev_eui,
		.has_join_eui = k->has_join_eui,
		.join_eui = k->join_eui,
		.net_id = k->net_id,
		.session = k->session };
}

/* False: the job came to nothing. */
static bool prepare(struct application *a, struct job *j, int64_t wall_ms,
	struct application_work *out)
{
	switch (j->kind) {
	case JOB_ASK: prepare_ask(j, out); return true;
	case JOB_ADOPT: keys_prepare_adopt(a, j, wall_ms, out); return true;
	case JOB_UPLINK: prepare_uplink(a, j, wall_ms, out); return true;
	case JOB_REFUSE: answer_uplink(out, j, j->verdict); return true;
	case JOB_COMMAND: prepare_command(a, j, out); return true;
	case JOB_COMMAND_REFUSE:
		out->act = APPLICATION_ANSWER_COMMAND;
		out->ticket = j->ticket;
		out->id = j->id;
		out->error = j->words;
		return true;
	case JOB_HAND: return delivery_prepare_hand(a, j, wall_ms, out);
	case JOB_REPORT: delivery_prepare_report(a, j, wall_ms, out); return true;
	case JOB_REPORT_REFUSE:
		out->act = APPLICATION_ANSWER_REPORT;
		out->ticket = j->ticket;
		return true;
	case JOB_GIVE_UP: return delivery_prepare_give_up(a, j, wall_ms, out);
	}
	return false;
}

static void fresh_lines(struct application *a)
{
	if (a->lines.n)
		secret_wipe_octets(a->lines.p, a->lines.n);
	a->lines.n = 0;
	a->lines.bad = false;
}

bool application_next(struct application *a, int64_t now_ms, int64_t wall_ms,
	struct application_work *out)
{
	keys_tick(a, now_ms);
	delivery_tick(a, now_ms);
	while ((a->in_hand = jobs_pop(a))) {
		fresh_lines(a);
		*out = (struct application_work){ 0 };
		if (!prepare(a, a->in_hand, wall_ms, out)) {
			jobs_free(a, a->in_hand);
			continue;
		}
		if (buf_ok(&a->lines)) {
			out->lines = buf_span(&a->lines);
			return true;
		}
		trace_say(&a->config.trace, TRACE_ERROR, "event.unwritable",
			"reason=memory or text");
		application_done(a, false, now_ms);
	}
	return false;
}

static void uplink_done(struct application *a, struct job *j, int64_t now_ms)
{
	struct session *s = device_session(j->device, &j->uplink->session);

	a->stats.by_verdict[j->verdict]++;
	if (!s || j->verdict != UPLINK_TAKEN)
		return;
	*s = a->draft_session;
	delivery_heard(a, j->device, j->uplink, now_ms);
}

/* What the disk refused did not happen; whoever waits is told. */
static bool refused(struct application *a, struct job *j)
{
	if (j->kind == JOB_UPLINK) {
		j->device = NULL;
		jobs_refuse_uplink(a, j, UPLINK_NOT_KEPT);
	} else if (j->kind == JOB_COMMAND) {
		j->device = NULL;
		jobs_refuse_command(a, j, "disk: not kept");
	} else if (j->kind == JOB_REPORT && j->owed) {
		j->kind = JOB_REPORT_REFUSE;
		jobs_push(a, j);
	} else {
		return false;
	}
	return true;
}

void application_done(struct application *a, bool ok, int64_t now_ms)
{
	struct job *j = a->in_hand;

	if (!j)
		return;
	a->in_hand = NULL;
	switch (j->kind) {
	case JOB_ASK:
		if (!ok)
			keys_answer(a, j->device->dev_eui, &j->asking->session,
				APPLICATION_KEY_FAILED, NULL, now_ms);
		break;
	case JOB_ADOPT: keys_adopted(a, j, ok, now_ms); break;
	case JOB_UPLINK:
		if (ok)
			uplink_done(a, j, now_ms);
		break;
	case JOB_COMMAND:
		if (ok)
			command_done(a, j, now_ms);
		break;
	case JOB_HAND: delivery_hand_done(a, j, ok, now_ms); break;
	case JOB_REPORT: delivery_reported(a, j, ok, now_ms); break;
	case JOB_GIVE_UP: delivery_gave_up(a, j, ok, now_ms); break;
	case JOB_REFUSE: a->stats.by_verdict[j->verdict]++; break;
	case JOB_COMMAND_REFUSE: a->stats.commands_refused++; break;
	case JOB_REPORT_REFUSE: break;
	}
	if (ok || !refused(a, j))
		jobs_free(a, j);
}

int64_t application_deadline(const struct application *a)
{
	int64_t keys = keys_deadline(a), delivery = delivery_deadline(a);

	return keys < delivery ? keys : delivery;
}

size_t application_open(const struct application *a)
{
	return a->open;
}

void application_stats(const struct application *a, struct application_stats *out)
{
	*out = a->stats;
	out->devices = a->devices.count;
	out->jobs = a->jobs;
	out->asking = a->asking_count;
}
