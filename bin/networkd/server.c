/* SPDX-License-Identifier: Apache-2.0 */
#include "networkd/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/secret.h"
#include "crypto/random.h"
#include "net/secure.h"
#include "networkd/api.h"
#include "networkd/asking.h"
#include "networkd/handover.h"
#include "program/log.h"

#define DRAIN_MS  2000
#define UDP_BIND  "0.0.0.0:1700"
#define POSTS_MAX 8192   /* as many joins as the engine has open */
#define SHARE_NS  250000 /* of one turn of the loop, and what the event that crosses it takes */

int64_t server_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t server_unix_ms(const struct server *s)
{
	return s->unix_ms + server_now();
}

const char *server_peer_words(const struct peer *peer, char *out, size_t cap)
{
	char name[256], owner[256];

	if (!peer || !peer->authenticated)
		return peer && peer->reason[0] ? peer->reason : "none";
	if (!peer->name.n || name_write_text(&peer->name, name, sizeof(name)) < 0)
		strcpy(name, "?");
	if (!peer->tlsa_owner.n || name_write_text(&peer->tlsa_owner, owner, sizeof(owner)) < 0)
		strcpy(owner, "?");
	if (peer->how == PEER_BY_DANE)
		snprintf(out, cap, "%s by %s TLSA %d %d %d", name, owner, peer->usage,
			peer->selector, peer->matching);
	else
		snprintf(out, cap, "%s by PKIX", name);
	return out;
}

void server_know_as(struct server *s, const char *as_id)
{
	struct server_as *a;

	for (unsigned i = 0; i < s->as_count; i++)
		if (strcasecmp(s->as[i].id, as_id) == 0)
			return;
	if (!as_id[0] || strlen(as_id) >= SESSION_AS_ID_MAX)
		return;
	/* Join Servers of others name them: the oldest goes, and comes back with its next uplink.
	 */
	a = &s->as[s->as_known++ % SERVER_AS_MAX];
	if (s->as_count < SERVER_AS_MAX)
		s->as_count++;
	strcpy(a->id, as_id);
	if (name_of(as_id, &a->name) < 0)
		a->name.n = 0;
}

/* An AS-ID that is a name of at least two labels: the root or a TLD is nobody's AS. */
static bool is_below_as(const struct name *client, const struct name *as)
{
	return as->n && name_labels(as) >= 2 && name_is_within(client, as);
}

bool server_admits(void *arg, const struct name *client)
{
	const struct server *s = arg;

	if (s->policy && policy_admits(s->policy, client))
		return true;
	for (unsigned i = 0; i < s->as_count; i++)
		if (is_below_as(client, &s->as[i].name))
			return true;
	return false;
}

bool server_grants(const struct server *s, const struct peer *peer, const char *as_id)
{
	struct name as;

	if (s->settings->api.insecure_plain)
		return true;
	if (!peer->authenticated || !peer->name.n)
		return false;
	if (s->policy && policy_grants_as_id(s->policy, &peer->name, as_id))
		return true;
	return name_of(as_id, &as) == 0 && is_below_as(&peer->name, &as);
}

static struct server_batch *batch_of(struct worker_job *job)
{
	return (struct server_batch *)job; /* its first member */
}

static bool is_written(const struct network_event *ev)
{
	return ev->kind == NETWORK_SAVE || ev->kind == NETWORK_REMOVE || ev->kind == NETWORK_UPLINK;
}

/* --- the engine's events, into the batch that is filled --- */

/* A Join Server may be asked at once: that spends nothing that a disk must know of. The rest
 * keeps its order. */
static void take_event(struct server *s, struct server_batch *b)
{
	const struct network_event *ev = &b->event[b->n];

	if (ev->kind == NETWORK_ASK) {
		asking_ask(s->asking, ev);
		return;
	}
	b->message[b->n] = NULL;
	if (ev->kind == NETWORK_UPLINK || ev->kind == NETWORK_STATUS)
		b->message[b->n] = handover_make(s->handover, ev);
	b->writes |= is_written(ev);
	b->n++;
}

static bool fill(struct server *s, uint64_t until_ns)
{
	struct server_batch *b = s->filling;
	bool any = false;

	while (b->n < SERVER_EVENTS && uv_hrtime() < until_ns &&
		network_next(s->engine, server_now(), &b->event[b->n])) {
		take_event(s, b);
		any = true;
	}
	return any;
}

/* --- on the thread --- */

static int write_event(struct server *s, const struct server_batch *b, unsigned i, struct err *err)
{
	const struct network_event *ev = &b->event[i];

	if (ev->kind == NETWORK_REMOVE)
		return sessions_remove(s->sessions, ev->dev_eui, ev->save.join_eui, ev->save.slot,
			err);
	if (ev->kind == NETWORK_SAVE)
		return sessions_put(s->sessions, ev->dev_eui, ev->save.join_eui, ev->save.slot,
			(struct span){ ev->save.blob, ev->save.n }, err);
	/* An uplink goes to disk with its session's counter. */
	return b->message[i] ? handover_keep(b->message[i], err) : 0;
}

/* One transaction; what it writes is on disk when rc is 0, and none of it otherwise. */
static void write_batch(struct server *s, struct server_batch *b)
{
	int rc = sessions_begin(s->sessions, &b->err);

	for (unsigned i = 0; i < b->n && rc == 0; i++)
		rc = write_event(s, b, i, &b->err);
	if (s->handover)
		rc = rc ? rc : handover_forget(s->handover, b->ended, &b->err);
	rc = rc ? rc : sessions_commit(s->sessions, &b->err);
	if (rc)
		sessions_rollback(s->sessions);
	b->rc = rc;
}

static void work(void *arg, struct worker_job *first, unsigned n)
{
	(void)n;
	for (; first; first = first->next)
		write_batch(arg, batch_of(first));
}

/* --- on the loop again --- */

static void perform(struct server *s, struct server_batch *b, unsigned i)
{
	struct network_event *ev = &b->event[i];
	struct message *m = b->message[i];

	b->message[i] = NULL;
	switch (ev->kind) {
	case NETWORK_SEND:
		udp_send(s->udp, &ev->send.to, (struct span){ ev->send.octets, ev->send.n });
		break;
	case NETWORK_UPLINK:
	case NETWORK_STATUS:
		if (s->as_count == SERVER_AS_MAX)
			server_know_as(s, ev->as_id);
		if (m)
			handover_give(m);
		break;
	case NETWORK_SAVE:
		secret_wipe_octets(ev->save.blob, sizeof(ev->save.blob));
		log_debug("session.saved", "dev_eui=%016llx slot=%s",
			(unsigned long long)ev->dev_eui,
			ev->save.slot == SESSION_PENDING ? "pending" : "active");
		break;
	case NETWORK_NOTHING:
	case NETWORK_ASK:
	case NETWORK_REMOVE: break;
	}
}

/* The disk refused: what it should hold did not happen. */
static void lose(struct server *s, struct server_batch *b)
{
	s->lost_commits++;
	log_error("session.lost", "events=%u reason=%s", b->n, log_value(b->err.msg));
	for (unsigned i = 0; i < b->n; i++) {
		if (b->message[i])
			handover_drop(b->message[i]);
		if (b->event[i].kind == NETWORK_SAVE)
			secret_wipe_octets(b->event[i].save.blob, sizeof(b->event[i].save.blob));
	}
	b->n = 0;
}

/* What the batch says may be done now. */
static void written(struct server *s, struct server_batch *b)
{
	if (b->rc)
		lose(s, b);
	else if (s->handover)
		handover_forgot(s->handover, b->ended);
	s->performing = b;
	b->performed = 0;
}

static void perform_some(struct server *s, uint64_t until_ns)
{
	struct server_batch *b = s->performing;

	while (b->performed < b->n && uv_hrtime() < until_ns)
		perform(s, b, b->performed++);
	if (b->performed < b->n)
		return;
	b->n = 0;
	b->writes = false;
	s->performing = NULL;
}

static void done(void *arg, struct worker_job *job)
{
	struct server *s = arg;

	s->writing = NULL;
	written(s, batch_of(job));
	server_turn(s);
}

/* The batch that was filled, on its way: one at a time, so that their order is kept. */
static void submit(struct server *s)
{
	struct server_batch *b = s->filling;

	if (s->writing || s->performing || !b->n)
		return;
	s->filling = b == &s->batch[0] ? &s->batch[1] : &s->batch[0];
	b->rc = 0;
	b->ended = s->handover && b->writes ? handover_ended(s->handover) : 0;
	if (b->writes && s->worker && worker_put(s->worker, &b->job)) {
		s->writing = b;
		return;
	}
	if (b->writes)
		write_batch(s, b);
	written(s, b);
}

/* --- turns --- */

static void rung(void *arg)
{
	server_turn(arg);
}

static void set_alarm(struct server *s)
{
	int64_t at = network_deadline(s->engine);

	/* Only what is written makes room. */
	if (s->writing && s->filling->n == SERVER_EVENTS)
		at = INT64_MAX;
	if (s->performing)
		at = 0;
	alarm_set(&s->alarm, at == INT64_MAX ? ALARM_NEVER : at - server_now());
}

void server_turn(struct server *s)
{
	/* Without the thread, at the start and at the end, all of it is done here. */
	uint64_t until_ns = s->worker ? pace_until(s->pace, uv_hrtime(), SHARE_NS) : UINT64_MAX;
	bool more = true;

	if (s->turning)
		return;
	s->turning = true;
	while (more && uv_hrtime() < until_ns) {
		if (s->performing)
			perform_some(s, until_ns);
		more = fill(s, until_ns);
		submit(s);
		more |= s->performing != NULL;
	}
	s->turning = false;
	set_alarm(s);
}

void server_wake(struct server *s)
{
	if (s->closing)
		server_turn(s);
	else
		set_alarm(s);
}

static void on_datagram(void *arg, const struct gateway_address *from, struct span datagram)
{
	struct server *s = arg;

	network_datagram(s->engine, server_now(), from, datagram);
}

/* After a batch: a new frame may be due before what the alarm is set to. The next datagram full
 * of joins would be cut where the engine is crowded: it waits in the socket. */
static bool on_batch(void *arg)
{
	const struct server *s = arg;

	set_alarm(arg);
	return !network_is_crowded(s->engine);
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* What restore needs: the DevEUIs of the configuration, in order. */
struct restoring {
	struct server *server;
	uint64_t *personalised;
	size_t n;
};

static int list_personalised(struct restoring *r, struct err *err)
{
	const struct settings *c = r->server->settings;
	struct session abp;

	r->personalised = calloc(c->devices_count + 1, sizeof(*r->personalised));
	if (!r->personalised)
		return err_set(err, ERR_NOMEM, "devices: no memory");
	for (unsigned i = 0; i < c->devices_count; i++) {
		int rc = config_abp(c, &c->devices[i], &abp, err);

		if (rc < 0)
			return rc;
		r->personalised[r->n++] = abp.dev_eui;
		session_wipe(&abp);
	}
	qsort(r->personalised, r->n, sizeof(*r->personalised), by_number);
	return 0;
}

/* A personalised device lives as long as the configuration says. */
static bool is_personalised(const struct restoring *r, uint64_t dev_eui)
{
	return bsearch(&dev_eui, r->personalised, r->n, sizeof(dev_eui), by_number) != NULL;
}

static int restore(void *arg, struct span blob, struct err *err)
{
	const struct restoring *r = arg;
	struct server *s = r->server;
	struct session read;
	int rc = session_read(blob, &read, err);

	if (rc < 0)
		return rc;
	if (read.abp && !is_personalised(r, read.dev_eui)) {
		log_warning("session.left", "dev_eui=%016llx reason=\"no longer in devices\"",
			(unsigned long long)read.dev_eui);
	} else {
		server_know_as(s, read.as_id);
		rc = network_restore(s->engine, blob, err);
	}
	session_wipe(&read);
	return rc;
}

static int restore_all(struct server *s, struct err *err)
{
	struct restoring r = { .server = s };
	int rc = list_personalised(&r, err);

	rc = rc ? rc : sessions_each(s->sessions, restore, &r, err);
	free(r.personalised);
	return rc;
}

static int open_engine(struct server *s, struct err *err)
{
	struct network_config config;
	struct session abp = { 0 };
	struct timespec wall;
	int rc = config_engine(s->settings, &config, err);

	rc = rc ? rc : random_octets(&config.seed, sizeof(config.seed), err);
	if (rc < 0)
		return rc;
	clock_gettime(CLOCK_REALTIME, &wall);
	s->unix_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000 - server_now();
	config.unix_ms = s->unix_ms;
	config.trace = log_trace();
	s->net_id = config.net_id;
	rc = network_new(&config, &s->engine, err);
	rc = rc ? rc : sessions_open(s->settings->database, &s->sessions, err);
	rc = rc ? rc : restore_all(s, err);
	for (unsigned i = 0; i < s->settings->devices_count && rc == 0; i++) {
		rc = config_abp(s->settings, &s->settings->devices[i], &abp, err);
		rc = rc ? rc : network_personalise(s->engine, &abp, err);
		if (rc == 0)
			server_know_as(s, abp.as_id);
		session_wipe(&abp);
		server_turn(s);
	}
	for (unsigned i = 0; i < s->settings->application_server.servers_count; i++)
		server_know_as(s, s->settings->application_server.servers[i].as_id);
	return rc;
}

static int open_resolver(struct server *s, struct err *err)
{
	const struct settings_join_server *js = &s->settings->join_server;
	int rc;

	if (!config_asks_dns(s->settings))
		return 0;
	rc = resolver_config_of(&s->settings->resolver, &s->resolver_settings, err);
	if (rc < 0)
		return rc;
	if (!s->resolver_settings.config.resolv_conf && !s->settings->resolver.file)
		s->resolver_settings.config.resolv_conf = js->resolv_conf;
	/* Started again behind the walls, it can be nobody else any more. */
	s->resolver_settings.config.user = s->settings->user;
	rc = resolver_new(&s->resolver_settings.config, &s->resolver, err);
	return rc ? rc : resolving_new(s->loop, s->resolver, &s->resolving, err);
}

static int open_clients(struct server *s, struct err *err)
{
	const struct tls_block *js = &s->settings->join_server.tls;
	const struct tls_block *as = &s->settings->application_server.tls;
	struct http_client_config config = { .loop = s->loop,
		.resolver = s->resolver,
		.waiting_max = POSTS_MAX };
	int rc;

	if (!as->tls_cert && !as->insecure_plain)
		as = js;
	rc = secure_client_new(js, "join_server", &s->tls_js, err);
	rc = rc ? rc : secure_client_new(as, "application_server", &s->tls_as, err);
	rc = rc ? rc
		: config_duration(s->settings->join_server.timeout, 4000, &config.timeout_ms, err);
	if (rc < 0)
		return rc;
	config.tls = s->tls_js;
	config.mode = secure_mode(js);
	rc = http_client_new(&config, &s->http_js, err);
	config.tls = s->tls_as;
	config.mode = secure_mode(as);
	config.timeout_ms = 10000;
	rc = rc ? rc : http_client_new(&config, &s->http_as, err);
	rc = rc ? rc : asking_new(s, &s->asking, err);
	rc = rc ? rc : handover_new(s, &s->handover, err);
	return rc ? rc : handover_restore(s->handover, err);
}

static int open_api_tls(struct server *s, struct err *err)
{
	const struct secure_gate gate = { .authorise = server_admits, .arg = s };
	const struct tls_block *b = &s->settings->api;

	return b->insecure_plain
		? 0
		: secure_server_new_by(b, "api", &gate, s->resolver, &s->tls_api, err);
}

static int open_api(struct server *s, struct err *err)
{
	struct http_server_config config = { .loop = s->loop,
		.bind = s->settings->api.bind,
		.resolver = s->resolver,
		.handle = api_handle,
		.arg = s };
	int rc = 0;

	if (s->settings->clients_count)
		rc = policy_new(s->settings->clients, s->settings->clients_count, &s->policy, err);
	if (rc < 0 || !config.bind)
		return rc;
	rc = open_api_tls(s, err);
	config.tls = s->tls_api;
	rc = rc ? rc : http_server_new(&config, &s->api, err);
	if (rc == 0)
		log_info("api.listening", "bind=%s port=%u clients=%s", log_value(config.bind),
			http_server_port(s->api), s->policy ? "policy-and-session" : "session");
	return rc;
}

static int open_all(struct server *s, struct err *err)
{
	const struct settings_udp *u = &s->settings->semtech_udp;
	int rc = open_engine(s, err);

	rc = rc ? rc : open_resolver(s, err);
	rc = rc ? rc : open_clients(s, err);
	rc = rc ? rc : open_api(s, err);
	rc = rc ? rc
		: udp_new(s->loop, u->bind ? u->bind : UDP_BIND, u->per_source_max,
			  (struct udp_user){ on_datagram, on_batch, s }, &s->udp, err);
	return rc;
}

int server_open(uv_loop_t *loop, const struct settings *settings, struct server **out,
	struct err *err)
{
	struct server *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return err_set(err, ERR_NOMEM, "server: no memory");
	s->loop = loop;
	s->settings = settings;
	s->filling = &s->batch[0];
	alarm_init(&s->alarm, loop, rung, s);
	*out = s;
	s->pace = pace_take(loop);
	rc = s->pace ? open_all(s, err) : err_set(err, ERR_NOMEM, "server: no memory");
	if (rc < 0)
		return rc;
	set_alarm(s);
	return 0;
}

int server_start(struct server *s, struct err *err)
{
	const struct worker_config config = { .loop = s->loop,
		.waiting_max = 1,
		.group_max = 1,
		.work = work,
		.done = done,
		.arg = s };

	return worker_new(&config, &s->worker, err);
}

void server_say_ready(const struct server *s)
{
	const char *bind = s->settings->semtech_udp.bind;
	struct network_stats stats;

	network_stats(s->engine, &stats);
	log_info("networkd.ready", "port=%u bind=%s net_id=%06x sessions=%llu database=%s",
		udp_port(s->udp), log_value(bind ? bind : UDP_BIND), s->net_id,
		(unsigned long long)stats.sessions, log_value(s->settings->database));
}

static void say_totals(const struct server *s)
{
	struct network_stats n;

	if (!s->engine || !s->udp)
		return;
	network_stats(s->engine, &n);
	log_info("totals",
		"datagrams=%llu acknowledged=%llu frames=%llu copies=%llu malformed=%llu joins=%llu "
		"accepted=%llu refused=%llu uplinks=%llu repeated=%llu replayed=%llu bad_mic=%llu "
		"unknown=%llu downlinks=%llu failed=%llu lost_commits=%llu",
		(unsigned long long)n.datagrams,
		(unsigned long long)udp_stats(s->udp)->acknowledged, (unsigned long long)n.frames,
		(unsigned long long)n.copies, (unsigned long long)n.malformed,
		(unsigned long long)n.joins_asked, (unsigned long long)n.joins_accepted,
		(unsigned long long)n.joins_refused, (unsigned long long)n.uplinks,
		(unsigned long long)n.repeated, (unsigned long long)n.replayed,
		(unsigned long long)n.bad_mic, (unsigned long long)n.unknown_address,
		(unsigned long long)n.downlinks_sent, (unsigned long long)n.downlinks_failed,
		(unsigned long long)s->lost_commits);
}

/* The last uplinks are with their Application Servers, or had their time. */
static void handed_over(struct server *s)
{
	struct http_client *as = s->http_as;
	struct server_batch *b = s->filling;

	/* What was answered since the last commit. */
	b->ended = handover_ended(s->handover);
	write_batch(s, b);
	if (b->rc)
		log_warning("handover.kept", "reason=%s", log_value(b->err.msg));
	s->http_as = NULL;
	http_client_free(as);
	resolving_free(s->resolving);
}

/* Ends the thread; what it had, and what the engine has decided since, is done here. */
static void stop_writing(struct server *s)
{
	struct worker *w = s->worker;

	s->worker = NULL;
	worker_free(w);
	if (s->udp)
		server_turn(s);
}

void server_close(struct server *s)
{
	if (!s || s->closing)
		return;
	s->closing = true;
	stop_writing(s);
	say_totals(s);
	alarm_close(&s->alarm);
	pace_give(s->pace);
	udp_free(s->udp);
	if (s->api)
		http_server_close(s->api, DRAIN_MS, NULL, NULL);
	http_client_free(s->http_js);
	s->http_js = NULL;
	if (s->handover)
		handover_close(s->handover, DRAIN_MS, handed_over);
	else
		resolving_free(s->resolving);
}

void server_free(struct server *s)
{
	if (!s)
		return;
	handover_free(s->handover);
	asking_free(s->asking);
	tls_client_free(s->tls_js);
	tls_client_free(s->tls_as);
	tls_server_free(s->tls_api);
	resolver_free(s->resolver);
	resolver_config_done(&s->resolver_settings);
	policy_free(s->policy);
	sessions_close(s->sessions);
	network_free(s->engine);
	secret_wipe_octets(s->batch, sizeof(s->batch));
	free(s);
}
