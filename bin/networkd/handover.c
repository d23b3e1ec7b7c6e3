/* SPDX-License-Identifier: Apache-2.0 */
#include "networkd/handover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/random.h"
#include "program/log.h"
#include "json/doc.h"

#define BACKOFF_MS     500
#define BACKOFF_MAX_MS 8000
#define TICK_MS        250

struct message {
	struct message *next;
	struct handover *handover;
	struct as_queue *queue;
	struct buf body;
	uint64_t dev_eui;
	uint32_t f_cnt;
	bool uplink;
	bool flying;
	unsigned backoff_ms;
	int64_t retry_ms; /* not before: the AS answered that it cannot take it yet */
	int64_t expires_ms;
	int64_t row; /* of its uplink on disk; 0: none */
};

struct as_queue {
	char url[SESSION_AS_URL_MAX];
	char id[SESSION_AS_ID_MAX];
	struct message *oldest, **end;
	unsigned count, flying, backoff_ms;
	unsigned made;    /* not given yet */
	int64_t retry_ms; /* not before; 0: now */
};

struct handover {
	struct server *server;
	struct as_queue queue[HANDOVER_SERVERS];
	unsigned queues, queue_max, keep_ms;
	uint64_t dropped;
	int64_t ended[HANDOVER_ENDED]; /* rows whose uplinks are done */
	unsigned ended_n;
	bool closing;
	int64_t drained_ms; /* closing: not after */
	void (*closed)(struct server *s);
	uv_timer_t timer;
};

static void fly(struct handover *h, struct as_queue *q);

static unsigned waiting(const struct handover *h)
{
	unsigned n = 0;

	for (unsigned i = 0; i < h->queues; i++)
		n += h->queue[i].count;
	return n;
}

/* Nothing waits any more, or it has waited long enough. */
static void finish(struct handover *h)
{
	void (*closed)(struct server * s) = h->closed;

	if (!closed)
		return;
	h->closed = NULL;
	if (waiting(h))
		log_warning("handover.left",
			"messages=%u reason=\"no Application Server took them\"", waiting(h));
	uv_close((uv_handle_t *)&h->timer, NULL);
	closed(h->server);
}

static void on_tick(uv_timer_t *t)
{
	struct handover *h = t->data;

	if (h->closing && (!waiting(h) || server_now() >= h->drained_ms)) {
		finish(h);
		return;
	}
	for (unsigned i = 0; i < h->queues; i++)
		fly(h, &h->queue[i]);
}

int handover_new(struct server *s, struct handover **out, struct err *err)
{
	const struct settings_application_server *c = &s->settings->application_server;
	struct handover *h = calloc(1, sizeof(*h));
	int rc;

	if (!h)
		return err_set(err, ERR_NOMEM, "application_server: no memory");
	h->server = s;
	h->queue_max = c->queue_max ? c->queue_max : 1000;
	rc = config_duration(c->retry_for, 300000, &h->keep_ms, err);
	if (rc < 0) {
		free(h);
		return rc;
	}
	uv_timer_init(s->loop, &h->timer);
	h->timer.data = h;
	uv_timer_start(&h->timer, on_tick, TICK_MS, TICK_MS);
	*out = h;
	return 0;
}

void handover_close(struct handover *h, unsigned drain_ms, void (*closed)(struct server *s))
{
	if (!h || h->closing)
		return;
	h->closing = true;
	h->closed = closed;
	h->drained_ms = server_now() + drain_ms;
	if (!waiting(h))
		finish(h);
}

static void unlink_message(struct as_queue *q, struct message *m)
{
	struct message **link = &q->oldest;

	while (*link != m)
		link = &(*link)->next;
	*link = m->next;
	if (!m->next)
		q->end = link;
	q->count--;
}

static void free_message(struct message *m)
{
	buf_done(&m->body);
	free(m);
}

void handover_free(struct handover *h)
{
	if (!h)
		return;
	for (unsigned i = 0; i < h->queues; i++)
		while (h->queue[i].oldest) {
			struct message *m = h->queue[i].oldest;

			unlink_message(&h->queue[i], m);
			free_message(m);
		}
	free(h);
}

/* Join Servers of others name Application Servers: those long gone may not keep a place. */
static struct as_queue *idle_queue(struct handover *h)
{
	for (unsigned i = 0; i < h->queues; i++)
		if (!h->queue[i].count && !h->queue[i].made)
			return &h->queue[i];
	return NULL;
}

static struct as_queue *queue_of(struct handover *h, const char *url, const char *id)
{
	struct as_queue *q;

	for (unsigned i = 0; i < h->queues; i++)
		if (strcmp(h->queue[i].url, url) == 0 && strcmp(h->queue[i].id, id) == 0)
			return &h->queue[i];
	q = h->queues < HANDOVER_SERVERS ? &h->queue[h->queues++] : idle_queue(h);
	if (!q)
		return NULL;
	*q = (struct as_queue){ 0 };
	strcpy(q->url, url);
	strcpy(q->id, id);
	q->end = &q->oldest;
	return q;
}

/* Answered, or given up: its row may go. More than fit are sent again after a restart. */
static void end_message(struct message *m)
{
	struct handover *h = m->handover;

	if (m->row && h->ended_n < HANDOVER_ENDED)
		h->ended[h->ended_n++] = m->row;
	unlink_message(m->queue, m);
	free_message(m);
}

static void give_up(struct handover *h, struct message *m, const char *why)
{
	h->dropped++;
	log_warning("handover.dropped",
		"as_id=%s dev_eui=%016llx %s=%u dropped_total=%llu reason=%s",
		log_value(m->queue->id), (unsigned long long)m->dev_eui,
		m->uplink ? "f_cnt_up" : "f_cnt_down", m->f_cnt, (unsigned long long)h->dropped,
		log_value(why));
	end_message(m);
}

/* The Result of the answer; RESULT_OTHER with words, and not *answered, when none counts. */
static enum result_code read_result(const struct message *m, const struct http_result *r,
	bool *answered, char *why, size_t cap)
{
	struct doc *root = NULL;
	struct result result;
	struct header h;
	struct err err;
	int rc;

	*answered = false;
	if (!r->ok) {
		snprintf(why, cap, "%s", r->why);
		return RESULT_OTHER;
	}
	rc = doc_read(r->body, &root, &err);
	rc = rc ? rc : header_read(root, &h, &err);
	rc = rc ? rc : dlstatus_read_ans(root, &result, &err);
	doc_free(root);
	if (rc < 0 || h.type != (m->uplink ? HEADER_XMIT_DATA_ANS : HEADER_DL_STATUS_ANS)) {
		snprintf(why, cap, "HTTP status %u: %s", r->status,
			rc < 0 ? err.msg : "another message");
		return RESULT_OTHER;
	}
	*answered = true;
	snprintf(why, cap, "%s", result.description);
	return result.code;
}

static int64_t back_off(unsigned *backoff_ms)
{
	*backoff_ms = *backoff_ms ? *backoff_ms * 2 : BACKOFF_MS;
	if (*backoff_ms > BACKOFF_MAX_MS)
		*backoff_ms = BACKOFF_MAX_MS;
	return server_now() + *backoff_ms;
}

static void on_answer(void *arg, const struct http_result *r)
{
	struct message *m = arg;
	struct handover *h = m->handover;
	struct as_queue *q = m->queue;
	char why[300], peer[512];
	bool answered;
	enum result_code code = read_result(m, r, &answered, why, sizeof(why));

	m->flying = false;
	q->flying--;
	log_info("backend.finished",
		"message_type=%s receiver_id=%s dev_eui=%016llx %s=%u result_code=%s peer=%s reused=%d "
		"took_ms=%u%s%s",
		header_type_word(m->uplink ? HEADER_XMIT_DATA_REQ : HEADER_DL_STATUS_REQ),
		log_value(q->id), (unsigned long long)m->dev_eui,
		m->uplink ? "f_cnt_up" : "f_cnt_down", m->f_cnt, result_word(code, true),
		log_value(server_peer_words(r->peer, peer, sizeof(peer))), r->reused, r->total_ms,
		why[0] ? " reason=" : "", why[0] ? log_value(why) : "");
	if (answered)
		q->backoff_ms = q->retry_ms = 0;
	if (code == RESULT_SUCCESS) {
		end_message(m);
	} else if (code != RESULT_OTHER && code != RESULT_DEFERRED) {
		give_up(h, m, result_word(code, true));
	} else if (answered) {
		/* One device's key may be missing: the others go on. */
		m->retry_ms = back_off(&m->backoff_ms);
	} else {
		q->retry_ms = back_off(&q->backoff_ms);
	}
	fly(h, q);
}

/* Is an older one of the same device on its way? They shall arrive in order. */
static bool is_behind(const struct as_queue *q, const struct message *m)
{
	for (const struct message *older = q->oldest; older != m; older = older->next)
		if (older->flying && older->dev_eui == m->dev_eui)
			return true;
	return false;
}

/* What may be posted now, or NULL; drops what is too old. */
static struct message *next_of(struct handover *h, struct as_queue *q)
{
	int64_t now = server_now();
	struct message *m = q->oldest, *next;

	for (; m; m = next) {
		next = m->next;
		if (m->flying)
			continue;
		if (m->expires_ms <= now)
			give_up(h, m, "kept as long as retry_for says");
		else if (q->retry_ms > now || q->flying >= HANDOVER_POSTS)
			return NULL;
		else if (m->retry_ms <= now && !is_behind(q, m))
			return m;
	}
	return NULL;
}

static void fly(struct handover *h, struct as_queue *q)
{
	struct http_target to = { .kind = HTTP_TARGET_URL, .url = q->url };
	struct message *m;

	while (h->server->http_as && (m = next_of(h, q))) {
		m->flying = true;
		q->flying++;
		http_client_post(h->server->http_as, &to, buf_span(&m->body), on_answer, m);
	}
}

static bool write_body(struct handover *h, const struct network_event *ev, struct message *m)
{
	struct header head = { .version = HEADER_1_0,
		.type = m->uplink ? HEADER_XMIT_DATA_REQ : HEADER_DL_STATUS_REQ };
	uint32_t transaction = 0;

	if (random_octets(&transaction, sizeof(transaction), NULL) < 0)
		return false;
	head.transaction_id = transaction;
	header_put_net_id(head.sender_id, h->server->net_id);
	snprintf(head.receiver_id, sizeof(head.receiver_id), "%s", ev->as_id);
	m->body.limit = SERVER_BODY_MAX;
	return m->uplink ? xmit_write_req(&m->body, &head, &ev->uplink)
			 : dlstatus_write_req(&m->body, &head, &ev->status);
}

/* The oldest message that is not on its way makes place. */
static void make_place(struct handover *h, struct as_queue *q)
{
	struct message *m = q->oldest;

	while (m && m->flying)
		m = m->next;
	if (m)
		give_up(h, m, "the queue of this Application Server is full");
}

static void enqueue(struct message *m)
{
	struct handover *h = m->handover;
	struct as_queue *q = m->queue;

	if (q->count >= h->queue_max)
		make_place(h, q);
	*q->end = m;
	q->end = &m->next;
	q->count++;
}

struct message *handover_make(struct handover *h, const struct network_event *ev)
{
	struct as_queue *q = queue_of(h, ev->as_url, ev->as_id);
	struct message *m = q ? calloc(1, sizeof(*m)) : NULL;
	const char *why = q ? "\"no memory\"" : "\"too many Application Servers\"";

	if (m) {
		*m = (struct message){ .handover = h,
			.queue = q,
			.dev_eui = ev->dev_eui,
			.uplink = ev->kind == NETWORK_UPLINK,
			.expires_ms = server_now() + h->keep_ms };
		m->f_cnt = m->uplink ? ev->uplink.up.f_cnt_up : ev->status.f_cnt_down;
		why = "\"cannot be written\"";
	}
	if (m && write_body(h, ev, m)) {
		q->made++;
		return m;
	}
	h->dropped++;
	log_error("handover.dropped", "as_id=%s dev_eui=%016llx reason=%s", log_value(ev->as_id),
		(unsigned long long)ev->dev_eui, why);
	if (m)
		free_message(m);
	return NULL;
}

int handover_keep(struct message *m, struct err *err)
{
	const struct sessions_message kept = { .dev_eui = m->dev_eui,
		.f_cnt = m->f_cnt,
		.as_url = m->queue->url,
		.as_id = m->queue->id,
		.expires_ms = server_unix_ms(m->handover->server) + m->handover->keep_ms,
		.body = buf_span(&m->body) };

	return m->uplink ? sessions_keep(m->handover->server->sessions, &kept, &m->row, err) : 0;
}

void handover_give(struct message *m)
{
	struct as_queue *q = m->queue;

	q->made--;
	enqueue(m);
	fly(m->handover, q);
}

void handover_drop(struct message *m)
{
	m->queue->made--;
	free_message(m);
}

unsigned handover_ended(const struct handover *h)
{
	return h->ended_n;
}

int handover_forget(struct handover *h, unsigned n, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; i < n && rc == 0; i++)
		rc = sessions_done(h->server->sessions, h->ended[i], err);
	return rc;
}

void handover_forgot(struct handover *h, unsigned n)
{
	h->ended_n -= n;
	memmove(h->ended, h->ended + n, h->ended_n * sizeof(h->ended[0]));
}

/* What the last run could not hand over. */
static int restore(void *arg, const struct sessions_message *kept, struct err *err)
{
	struct handover *h = arg;
	struct as_queue *q;
	struct message *m;

	if (strlen(kept->as_url) >= SESSION_AS_URL_MAX || strlen(kept->as_id) >= SESSION_AS_ID_MAX)
		return err_set(err, ERR_FORMAT, "an uplink that waits makes no sense");
	q = queue_of(h, kept->as_url, kept->as_id);
	m = q ? calloc(1, sizeof(*m)) : NULL;
	if (!m)
		return err_set(err, ERR_NOMEM, "uplinks that wait: no memory");
	*m = (struct message){ .handover = h,
		.queue = q,
		.dev_eui = kept->dev_eui,
		.f_cnt = kept->f_cnt,
		.uplink = true,
		.expires_ms = server_now() + kept->expires_ms - server_unix_ms(h->server),
		.row = kept->id };
	m->body.limit = SERVER_BODY_MAX;
	buf_put(&m->body, kept->body);
	if (!buf_ok(&m->body)) {
		free_message(m);
		return err_set(err, ERR_NOMEM, "uplinks that wait: no memory");
	}
	enqueue(m);
	return 0;
}

int handover_restore(struct handover *h, struct err *err)
{
	int rc = sessions_waiting(h->server->sessions, restore, h, err);

	if (rc == 0 && waiting(h))
		log_info("handover.restored", "messages=%u", waiting(h));
	return rc;
}
