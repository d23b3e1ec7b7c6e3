/* SPDX-License-Identifier: Apache-2.0 */
#include "net/exchange.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "net/listen.h"
#include "program/log.h"

#define HEADERS_MAX (16 * 1024) /* memory of libmicrohttpd per connection */
#define TOO_LARGE   "{\"error\":\"the body is too large\"}"

/*
 * A connection of libmicrohttpd. Lives until both the link and libmicrohttpd have let it go.
 */
struct stream {
	struct exchanges *of;
	struct link *link; /* NULL: gone */
	struct exchange *now;
	bool known;   /* libmicrohttpd has it and will tell when it ends */
	bool reading; /* a request began and is not all here */
};

/* A request. Lives until it is answered and libmicrohttpd is done with it. */
struct exchange {
	struct http_exchange x; /* first: what the handler sees */
	struct exchanges *of;
	struct stream *stream;             /* NULL: the connection is no more */
	struct MHD_Connection *connection; /* likewise */
	struct peer peer;                  /* outlives the link that proved it */
	struct buf body;
	struct buf answer;
	char *method, *path, *content_type;
	char *answer_type;
	char address[64];
	unsigned status;
	bool suspended, handled, answered, finished, too_large;
};

struct exchanges {
	struct http_server_config config;
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_prepare_t prepare;
	uv_timer_t timer;
	unsigned handles, count;
	bool due, draining;
};

static void exchange_free(struct exchange *e)
{
	buf_done(&e->body);
	buf_done(&e->answer);
	free(e->method);
	free(e->path);
	free(e->content_type);
	free(e->answer_type);
	free(e);
}

static void maybe_free(struct exchange *e)
{
	if (e->finished && (e->answered || !e->handled))
		exchange_free(e);
}

static char *copy(const char *text)
{
	return strdup(text ? text : "");
}

static struct exchange *exchange_begin(struct stream *stream, struct MHD_Connection *connection,
	const char *method, const char *url)
{
	struct exchange *e = calloc(1, sizeof(*e));
	const char *length;

	if (!e)
		return NULL;
	e->of = stream->of;
	e->stream = stream;
	e->connection = connection;
	e->body.limit = e->of->config.body_max;
	e->method = copy(method);
	e->path = copy(url);
	e->content_type =
		copy(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type"));
	if (!e->method || !e->path || !e->content_type) {
		exchange_free(e);
		return NULL;
	}
	length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
	e->too_large = length && strtoull(length, NULL, 10) > e->of->config.body_max;
	stream->now = e;
	return e;
}

static enum MHD_Result respond(struct exchange *e, unsigned status, const char *type,
	struct span body)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(body.n,
		(void *)(uintptr_t)(body.n ? (const void *)body.p : ""), MHD_RESPMEM_MUST_COPY);
	enum MHD_Result rc;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", type);
	if (e->of->draining)
		MHD_add_response_header(r, "Connection", "close");
	rc = MHD_queue_response(e->connection, status, r);
	MHD_destroy_response(r);
	/* What is left is that the peer takes it. */
	if (e->stream && e->stream->link)
		link_deadline(e->stream->link, e->of->config.request_timeout_ms,
			"the peer does not take the answer");
	return rc;
}

static enum MHD_Result refuse_too_large(struct exchange *e)
{
	log_info("http.refuse", "from=%s status=413 reason=%s",
		link_address(e->stream->link, e->address, sizeof(e->address)),
		log_value("the body is too large"));
	return respond(e, 413, "application/json",
		(struct span){ (const uint8_t *)TOO_LARGE, sizeof(TOO_LARGE) - 1 });
}

static enum MHD_Result respond_answer(struct exchange *e)
{
	return respond(e, e->status, e->answer_type ? e->answer_type : "application/json",
		buf_span(&e->answer));
}

/* The whole request is here. */
static enum MHD_Result handle(struct exchange *e)
{
	struct stream *stream = e->stream;

	e->peer = *link_peer(stream->link);
	e->x = (struct http_exchange){
		.method = e->method,
		.path = e->path,
		.content_type = e->content_type,
		.body = buf_span(&e->body),
		.peer = &e->peer,
		.address = link_address(stream->link, e->address, sizeof(e->address)),
	};
	e->handled = true;
	e->of->count++;
	stream->reading = false;
	link_deadline(stream->link, 0, "");
	e->of->config.handle(e->of->config.arg, &e->x);
	/* The handler may have closed everything. */
	if (!stream->link)
		return MHD_NO;
	if (e->answered)
		return respond_answer(e);
	e->suspended = true;
	MHD_suspend_connection(e->connection);
	return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **mark)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct stream *stream = info ? info->socket_context : NULL;
	struct exchange *e = *mark;

	(void)arg;
	(void)version;
	if (!stream || !stream->link)
		return MHD_NO;
	if (!e) {
		*mark = e = exchange_begin(stream, connection, method, url);
		return !e ? MHD_NO : e->too_large ? refuse_too_large(e) : MHD_YES;
	}
	if (*size > 0) {
		buf_put(&e->body, (struct span){ (const uint8_t *)data, *size });
		*size = 0;
		return MHD_YES;
	}
	if (!buf_ok(&e->body))
		return refuse_too_large(e);
	if (!e->handled)
		return handle(e);
	return e->answered ? respond_answer(e) : MHD_NO;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **mark,
	enum MHD_RequestTerminationCode why)
{
	struct exchange *e = *mark;

	(void)arg;
	(void)connection;
	(void)why;
	if (!e)
		return;
	*mark = NULL;
	if (e->stream) {
		e->stream->now = NULL;
		e->stream->reading = false;
		if (e->stream->link)
			link_deadline(e->stream->link, e->of->config.idle_timeout_ms,
				"idle for too long");
	}
	e->stream = NULL;
	e->connection = NULL;
	e->finished = true;
	if (e->handled) {
		e->x.gone = true;
		e->of->count--;
	}
	maybe_free(e);
}

/*
 * The address given with a connection carries its stream. No peer chooses it, and a stream
 * lives at least as long as the connection does.
 */
static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *info;
	struct sockaddr_in6 address;
	struct stream *stream;

	(void)arg;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
		memcpy(&address, info->client_addr, sizeof(address));
		memcpy(&stream, &address.sin6_addr, sizeof(stream));
		stream->known = true;
		*context = stream;
		return;
	}
	stream = *context;
	stream->known = false;
	if (!stream->link)
		free(stream);
}

static void turn(uv_timer_t *timer)
{
	/* Only there so that the loop does not sleep: the work is done before it waits. */
	(void)timer;
}

static void kick(struct exchanges *s)
{
	s->due = true;
	uv_timer_start(&s->timer, turn, 0, 0);
}

/* Before each wait of the loop. An answer given inside is due at once. */
static void run(uv_prepare_t *prepare)
{
	struct exchanges *s = prepare->data;
	MHD_UNSIGNED_LONG_LONG wait;

	for (unsigned i = 0; s->due && i < 16; i++) {
		s->due = false;
		MHD_run(s->daemon);
		if (MHD_get_timeout(s->daemon, &wait) == MHD_YES && wait == 0)
			s->due = true;
	}
	if (s->due)
		kick(s);
}

static void polled(uv_poll_t *poll, int status, int events)
{
	struct exchanges *s = poll->data;

	(void)status;
	(void)events;
	s->due = true;
}

static struct MHD_Daemon *start(struct exchanges *s)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME,
		0, NULL, NULL, on_request, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)HEADERS_MAX, MHD_OPTION_CONNECTION_LIMIT, s->config.connections_max + 1,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

int exchange_open(const struct http_server_config *config, struct exchanges **out, struct err *err)
{
	struct exchanges *s = calloc(1, sizeof(*s));
	const union MHD_DaemonInfo *info;

	if (!s)
		return err_set(err, ERR_NOMEM, "HTTP: no memory");
	s->config = *config;
	s->daemon = start(s);
	info = s->daemon ? MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info || uv_poll_init(config->loop, &s->poll, info->epoll_fd) != 0) {
		if (s->daemon)
			MHD_stop_daemon(s->daemon);
		free(s);
		return err_set(err, ERR_SYSTEM, "HTTP: the engine does not start");
	}
	uv_prepare_init(config->loop, &s->prepare);
	uv_timer_init(config->loop, &s->timer);
	s->poll.data = s->prepare.data = s->timer.data = s;
	s->handles = 3;
	uv_poll_start(&s->poll, UV_READABLE, polled);
	uv_prepare_start(&s->prepare, run);
	uv_unref((uv_handle_t *)&s->poll);
	uv_unref((uv_handle_t *)&s->prepare);
	*out = s;
	return 0;
}

static void handle_closed(uv_handle_t *handle)
{
	struct exchanges *s = handle->data;

	if (--s->handles == 0)
		free(s);
}

void exchange_close(struct exchanges *s)
{
	uv_close((uv_handle_t *)&s->poll, handle_closed);
	uv_close((uv_handle_t *)&s->prepare, handle_closed);
	uv_close((uv_handle_t *)&s->timer, handle_closed);
	MHD_stop_daemon(s->daemon);
}

bool exchange_link_open(void *arg, struct link *l, int fd)
{
	struct exchanges *s = arg;
	struct stream *stream = calloc(1, sizeof(*stream));
	struct sockaddr_in6 address = { .sin6_family = AF_INET6 };

	if (!stream) {
		close(fd);
		return false;
	}
	stream->of = s;
	stream->link = l;
	memcpy(&address.sin6_addr, &stream, sizeof(stream));
	if (MHD_add_connection(s->daemon, fd, (struct sockaddr *)&address, sizeof(address)) !=
		MHD_YES) {
		free(stream);
		return false;
	}
	if (!stream->known)
		MHD_run(s->daemon);
	link_set_owner(l, stream);
	link_deadline(l, s->config.idle_timeout_ms, "no request came");
	s->due = true;
	return true;
}

void exchange_link_input(void *arg, struct link *l)
{
	struct exchanges *s = arg;
	struct stream *stream = link_owner(l);

	s->due = true;
	if (stream->reading || (stream->now && stream->now->handled))
		return;
	stream->reading = true;
	link_deadline(l, s->config.request_timeout_ms, "the request took too long");
}

void exchange_link_gone(void *arg, struct link *l)
{
	struct exchanges *s = arg;
	struct stream *stream = link_owner(l);
	struct exchange *e = stream->now;

	stream->link = NULL;
	if (e) {
		e->x.gone = true;
		if (e->suspended)
			MHD_resume_connection(e->connection);
		e->suspended = false;
	}
	kick(s);
	if (!stream->known)
		free(stream);
}

void exchange_drain(struct exchanges *s)
{
	s->draining = true;
}

unsigned exchange_count(const struct exchanges *s)
{
	return s->count;
}

void exchange_answer(struct http_exchange *x, unsigned status, const char *content_type,
	struct span body)
{
	struct exchange *e = (struct exchange *)(void *)x;

	if (e->answered)
		return;
	e->answered = true;
	if (e->finished || e->x.gone) {
		maybe_free(e);
		return;
	}
	e->status = status;
	buf_put(&e->answer, body);
	if (content_type)
		e->answer_type = strdup(content_type);
	if (!buf_ok(&e->answer) || (content_type && !e->answer_type))
		e->status = 500;
	if (!e->suspended)
		return;
	e->suspended = false;
	MHD_resume_connection(e->connection);
	kick(e->of);
}
