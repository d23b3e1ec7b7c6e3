/* SPDX-License-Identifier: Apache-2.0 */
#include "net/transfer.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "net/verdict.h"
#include "program/log.h"

#define FRESH_MAX  2      /* connections being made at once: a handshake is a millisecond */
#define PORTION_NS 100000 /* of one turn: no record of a handshake is begun after it */

/* A TCP connection of libcurl's, from the socket to its end. */
struct line {
	struct line *next;
	int fd;
	unsigned refs; /* the list's, and those of attempts that look at it */
	bool shaken;   /* a TLS handshake was begun: peer says what came of it */
	bool made;     /* requests may go over it */
	struct peer peer;
	struct service *service; /* what its SSL_CTX is hooked to */
	struct transfers *of;
	struct watch *watch; /* NULL: not watched */
};

/* A socket that libcurl wants watched. */
struct watch {
	uv_poll_t poll;
	struct pace_job job;
	struct transfers *of;
	curl_socket_t fd;
	int flags; /* what libcurl has to be told */
};

struct attempt {
	struct transfers *of;
	struct attempt *next, **at;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	struct line *line; /* opened by this attempt; NULL: it went over an open one */
	struct buf answer;
	struct service *service;
	const struct service_endpoint *endpoint;
	unsigned address;
	bool fresh; /* there was no idle connection when it started */
	char words[CURL_ERROR_SIZE];
	transfer_done *done;
	void *arg;
};

struct transfers {
	struct transfer_config config;
	CURLM *multi;
	uv_timer_t timer;
	struct pace_job timeout;
	struct line *lines;
	struct attempt *attempts;
	unsigned count, line_count, fresh_count;
	uint64_t until_ns; /* the end of the portion that libcurl works now */
};

static void line_drop(struct line *line)
{
	if (!line || --line->refs != 0)
		return;
	if (line->service)
		service_drop(line->service);
	free(line);
}

static void report_done(struct transfers *t);
static struct line *line_find(struct transfers *t, int fd);

/* --- the loop for libcurl --- */

static void tell(struct transfers *t, curl_socket_t fd, int flags)
{
	int running;

	t->until_ns = uv_hrtime() + PORTION_NS;
	curl_multi_socket_action(t->multi, fd, flags, &running);
	report_done(t);
}

static void watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void watch_tell(void *arg)
{
	struct watch *w = arg;
	int flags = w->flags;

	w->flags = 0;
	tell(w->of, w->fd, flags);
}

static void watch_ready(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	const struct line *line = line_find(w->of, w->fd);

	w->flags |= status < 0 ? CURL_CSELECT_ERR : 0;
	w->flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
	w->flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
	/* What is open does not wait behind handshakes. */
	if (line && line->made)
		pace_now(w->of->config.pace, &w->job);
	else
		pace_add(w->of->config.pace, &w->job);
}

static struct watch *watch_new(struct transfers *t, curl_socket_t fd)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w || uv_poll_init(t->config.loop, &w->poll, fd) != 0) {
		free(w);
		return NULL;
	}
	w->poll.data = w;
	w->job = (struct pace_job){ .run = watch_tell, .arg = w };
	w->of = t;
	w->fd = fd;
	curl_multi_assign(t->multi, fd, w);
	return w;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *mark)
{
	struct transfers *t = arg;
	struct watch *w = mark;
	struct line *line = line_find(t, fd);
	int events =
		(what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w) {
			pace_remove(&w->job);
			uv_close((uv_handle_t *)&w->poll, watch_closed);
		}
		if (line)
			line->watch = NULL;
		curl_multi_assign(t->multi, fd, NULL);
		return 0;
	}
	if (!w)
		w = watch_new(t, fd);
	if (!w)
		return -1;
	if (line)
		line->watch = w;
	uv_poll_start(&w->poll, events, watch_ready);
	return 0;
}

static void tell_time(void *arg)
{
	tell(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* New transfers begin by a timer of no time. */
static void timed_out(uv_timer_t *timer)
{
	struct transfers *t = timer->data;

	pace_add(t->config.pace, &t->timeout);
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
	struct transfers *t = arg;

	(void)multi;
	if (ms < 0)
		uv_timer_stop(&t->timer);
	else
		uv_timer_start(&t->timer, timed_out, (uint64_t)ms, 0);
	return 0;
}

/* --- connections --- */

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct attempt *a = arg;
	struct line *line = calloc(1, sizeof(*line));

	(void)purpose;
	if (!line)
		return CURL_SOCKET_BAD;
	line->fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (line->fd < 0) {
		free(line);
		return CURL_SOCKET_BAD;
	}
	line_drop(a->line);
	line->refs = 2;
	line->of = a->of;
	line->next = a->of->lines;
	a->of->lines = line;
	a->of->line_count++;
	a->line = line;
	peer_init(&line->peer);
	return line->fd;
}

static struct line *line_find(struct transfers *t, int fd)
{
	struct line *line = t->lines;

	while (line && line->fd != fd)
		line = line->next;
	return line;
}

static int on_close(void *arg, curl_socket_t fd)
{
	struct transfers *t = arg;
	struct line **at = &t->lines, *line;

	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	line = *at;
	if (line) {
		*at = line->next;
		t->line_count--;
		line_drop(line);
	}
	return close(fd);
}

/* May another record of a handshake be read in this portion? If not, there is a next one. */
static bool on_record(void *arg)
{
	struct line *line = arg;
	struct watch *w = line->watch;

	if (uv_hrtime() < line->of->until_ns || !w)
		return true;
	w->flags |= CURL_CSELECT_IN;
	pace_add(line->of->config.pace, &w->job);
	return false;
}

/* libcurl's SSL_CTX of a new connection becomes ours: the endpoint's TLSA, our own name. */
static CURLcode on_ssl_ctx(CURL *easy, void *ssl_ctx, void *arg)
{
	struct attempt *a = arg;
	struct err err = { 0 };

	(void)easy;
	if (!a->line || !a->endpoint || !a->of->config.tls)
		return CURLE_ABORTED_BY_CALLBACK;
	if (!a->line->service)
		a->line->service = service_keep(a->service);
	if (tls_client_hook(a->of->config.tls, a->endpoint, ssl_ctx, &a->line->peer, &err) != 0 ||
		tls_client_portion(ssl_ctx, on_record, a->line, &err) != 0) {
		log_warning("tls.reject", "reason=%s", log_value(err.msg));
		return CURLE_ABORTED_BY_CALLBACK;
	}
	a->line->shaken = true;
	return CURLE_OK;
}

/* The connection stands and the request is about to go. */
static int on_ready(void *arg, char *ip, char *own_ip, int port, int own_port)
{
	struct attempt *a = arg;

	(void)ip;
	(void)own_ip;
	(void)port;
	(void)own_port;
	if (a->line)
		a->line->made = true;
	if (a->fresh) {
		a->fresh = false;
		a->of->fresh_count--;
		a->of->config.made(a->of->config.arg);
	}
	return CURL_PREREQFUNC_OK;
}

/* --- attempts --- */

static size_t on_answer(char *octets, size_t one, size_t n, void *arg)
{
	struct attempt *a = arg;

	(void)one;
	buf_put(&a->answer, (struct span){ (const uint8_t *)octets, n });
	return buf_ok(&a->answer) ? n : 0;
}

static void attempt_free(struct attempt *a)
{
	if (a->at) {
		*a->at = a->next;
		if (a->next)
			a->next->at = a->at;
		a->of->count--;
		a->of->fresh_count -= a->fresh;
	}
	curl_easy_cleanup(a->easy);
	curl_slist_free_all(a->headers);
	curl_slist_free_all(a->connect_to);
	line_drop(a->line);
	if (a->service)
		service_drop(a->service);
	buf_done(&a->answer);
	free(a);
}

static const char *address_text(const uint8_t *address, char *out)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char inner[INET6_ADDRSTRLEN];

	if (memcmp(address, mapped, sizeof(mapped)) == 0)
		return inet_ntop(AF_INET, address + 12, out, INET6_ADDRSTRLEN + 2);
	inet_ntop(AF_INET6, address, inner, sizeof(inner));
	sprintf(out, "[%s]", inner);
	return out;
}

/*
 * RFC 7671 section 7: SNI is the TLSA base domain, which a secure CNAME may have changed from
 * the name asked for. The owner has two labels before it.
 */
static void base_domain(const struct service_endpoint *e, char *out, size_t cap)
{
	struct name proto, base;

	if (e->proof != SERVICE_BY_DANE || !name_parent(&e->tlsa_owner, &proto) ||
		!name_parent(&proto, &base) || name_labels(&base) == 0)
		base = e->host;
	if (name_write_text(&base, out, cap) != 0)
		out[0] = '\0';
}

/* Where to, by name for TLS and HTTP, and by address for TCP. */
static bool set_target(struct attempt *a, const struct transfer_attempt *from)
{
	const struct service_endpoint *e = from->endpoint;
	char host[NAME_TEXT_MAX], ip[INET6_ADDRSTRLEN + 2], *text = NULL;
	bool ok;

	if (!e)
		return curl_easy_setopt(a->easy, CURLOPT_URL, from->url) == CURLE_OK;
	base_domain(e, host, sizeof(host));
	if (asprintf(&text, "%s:%u:%s:%u", host, e->port,
		    address_text(e->address[from->address], ip), e->port) < 0)
		return false;
	a->connect_to = curl_slist_append(NULL, text);
	free(text);
	if (!a->connect_to || asprintf(&text, "https://%s:%u%s", host, e->port, from->url) < 0)
		return false;
	ok = curl_easy_setopt(a->easy, CURLOPT_URL, text) == CURLE_OK &&
		curl_easy_setopt(a->easy, CURLOPT_CONNECT_TO, a->connect_to) == CURLE_OK;
	free(text);
	return ok;
}

static bool set_headers(struct attempt *a)
{
	static const char *const text[] = { "Content-Type: application/json",
		"Accept: application/json", "Expect:", NULL };

	for (unsigned i = 0; text[i]; i++) {
		struct curl_slist *more = curl_slist_append(a->headers, text[i]);

		if (!more)
			return false;
		a->headers = more;
	}
	return curl_easy_setopt(a->easy, CURLOPT_HTTPHEADER, a->headers) == CURLE_OK;
}

/* What a redirect, a proxy, an environment or another protocol could change is switched off. */
static bool set_safe(struct attempt *a)
{
	CURL *e = a->easy;
	const char *protocol = a->endpoint ? "https" : "http";

	return curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, protocol) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_NOPROXY, "*") == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ==
		CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK;
}

/*
 * The verify callback that the hook sets decides, with the reference names of the endpoint:
 * libcurl's own comparison of names and its CA bundle have no say. VERIFYPEER stays on: a
 * handshake that the callback did not end with X509_V_OK is an error for libcurl too.
 */
static bool set_tls(struct attempt *a)
{
	CURL *e = a->easy;

	return curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_CAINFO, NULL) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_SSL_ENABLE_ALPN, 0L) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, a) == CURLE_OK;
}

static bool set_rest(struct attempt *a, const struct transfer_attempt *from)
{
	CURL *e = a->easy;

	return curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)from->body.n) ==
		CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_POSTFIELDS,
			from->body.n ? from->body.p : (const void *)"") == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_answer) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_WRITEDATA, a) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, a) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, on_close) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, a->of) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_ready) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_PREREQDATA, a) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_ERRORBUFFER, a->words) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_PRIVATE, a) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, 100L) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)from->timeout_ms) == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)from->connect_timeout_ms) ==
		CURLE_OK;
}

static void say_verdict(const struct attempt *a, unsigned connect_ms)
{
	const struct service_endpoint *e = a->endpoint;
	char host[NAME_TEXT_MAX], ip[INET6_ADDRSTRLEN + 2];

	if (!e || !a->line || !a->line->shaken)
		return;
	if (name_write_text(&e->host, host, sizeof(host)) != 0)
		host[0] = '\0';
	if (a->line->peer.authenticated)
		log_info("tls.verify", "server=%s:%u %s took_ms=%u address=%s", log_value(host),
			e->port, verdict_proof(&a->line->peer), connect_ms,
			address_text(e->address[a->address], ip));
	else
		log_warning("tls.reject", "server=%s:%u %s address=%s refusal=%s reason=%s",
			log_value(host), e->port, verdict_proof(&a->line->peer),
			address_text(e->address[a->address], ip),
			peer_refusal_word(a->line->peer.refusal),
			log_value(a->line->peer.reason[0] ? a->line->peer.reason : a->words));
}

/* Why it failed, in the truest words there are. */
static const char *words_of(const struct attempt *a, CURLcode rc)
{
	if (rc == CURLE_WRITE_ERROR && !buf_ok(&a->answer))
		return "the answer is too large";
	if (a->line && a->line->shaken && !a->line->peer.authenticated && a->line->peer.reason[0])
		return a->line->peer.reason;
	if (strstr(a->words, "alert"))
		return "the server refused this client, without a reason as it must; its log "
		       "has one";
	return a->words[0] ? a->words : curl_easy_strerror(rc);
}

static void finish(struct attempt *a, CURLcode rc)
{
	struct transfer_result r = { .ok = rc == CURLE_OK };
	long status = 0, connects = 0, sent = 0;
	curl_socket_t fd = CURL_SOCKET_BAD;
	curl_off_t tcp_us = 0, tls_us = 0;
	struct line *line = a->line;
	struct peer peer;

	curl_easy_getinfo(a->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(a->easy, CURLINFO_NUM_CONNECTS, &connects);
	curl_easy_getinfo(a->easy, CURLINFO_REQUEST_SIZE, &sent);
	curl_easy_getinfo(a->easy, CURLINFO_ACTIVESOCKET, &fd);
	curl_easy_getinfo(a->easy, CURLINFO_CONNECT_TIME_T, &tcp_us);
	curl_easy_getinfo(a->easy, CURLINFO_APPCONNECT_TIME_T, &tls_us);
	if (!line && fd != CURL_SOCKET_BAD)
		line = line_find(a->of, (int)fd);
	if (line && line->shaken) {
		peer = line->peer;
		r.peer = &peer;
	}
	/* libcurl asks our callback; should that ever not have been asked, nothing is believed. */
	if (r.ok && a->endpoint && (!r.peer || !r.peer->authenticated)) {
		r.ok = false;
		snprintf(a->words, sizeof(a->words), "the peer was not authenticated");
	}
	r.reused = connects == 0;
	r.connect_ms = r.reused ? 0 : (unsigned)((tls_us ? tls_us : tcp_us) / 1000);
	r.unsent = !r.ok && sent == 0;
	r.status = (unsigned)status;
	r.body = buf_span(&a->answer);
	r.why = r.ok ? "" : words_of(a, rc);
	say_verdict(a, r.connect_ms);
	curl_multi_remove_handle(a->of->multi, a->easy);
	a->done(a->arg, &r);
	attempt_free(a);
}

static void report_done(struct transfers *t)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(t->multi, &left))) {
		struct attempt *a = NULL;
		CURLcode rc = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&a);
		finish(a, rc);
	}
}

void transfer_start(struct transfers *t, const struct transfer_attempt *from, transfer_done *done,
	void *arg)
{
	static const struct transfer_result no_memory = { .unsent = true, .why = "no memory" };
	struct attempt *a = calloc(1, sizeof(*a));

	if (!a) {
		done(arg, &no_memory);
		return;
	}
	a->of = t;
	if (from->service)
		a->service = service_keep(from->service);
	a->endpoint = from->endpoint;
	a->address = from->address;
	a->done = done;
	a->arg = arg;
	a->answer.limit = t->config.body_max;
	a->easy = curl_easy_init();
	if (!a->easy || !set_target(a, from) || !set_headers(a) || !set_safe(a) ||
		(a->endpoint && !set_tls(a)) || !set_rest(a, from) ||
		curl_multi_add_handle(t->multi, a->easy) != CURLM_OK) {
		attempt_free(a);
		done(arg, &no_memory);
		return;
	}
	a->next = t->attempts;
	a->at = &t->attempts;
	if (a->next)
		a->next->at = &a->next;
	t->attempts = a;
	a->fresh = t->count >= t->line_count;
	t->count++;
	t->fresh_count += a->fresh;
}

bool transfer_may_start(const struct transfers *t)
{
	return t->count < t->line_count || t->fresh_count < FRESH_MAX;
}

unsigned transfer_count(const struct transfers *t)
{
	return t->count;
}

int transfer_open(const struct transfer_config *config, struct transfers **out, struct err *err)
{
	struct transfers *t = calloc(1, sizeof(*t));

	if (!t || !(t->multi = curl_multi_init())) {
		free(t);
		return err_set(err, ERR_NOMEM, "HTTP client: no memory");
	}
	t->config = *config;
	if (config->service)
		service_keep(config->service);
	uv_timer_init(config->loop, &t->timer);
	t->timer.data = t;
	t->timeout = (struct pace_job){ .run = tell_time, .arg = t };
	curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t);
	curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(t->multi, CURLMOPT_TIMERDATA, t);
	curl_multi_setopt(t->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, (long)config->connections_max);
	*out = t;
	return 0;
}

static void timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void transfer_close(struct transfers *t)
{
	if (!t)
		return;
	while (t->attempts) {
		struct attempt *a = t->attempts;

		snprintf(a->words, sizeof(a->words), "closing");
		finish(a, CURLE_ABORTED_BY_CALLBACK);
	}
	curl_multi_cleanup(t->multi);
	if (t->config.service)
		service_drop(t->config.service);
	pace_remove(&t->timeout);
	uv_close((uv_handle_t *)&t->timer, timer_closed);
}
