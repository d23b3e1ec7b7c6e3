/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/stub.h"

#include "dns/message.h"
#include "resolve/address.h"
#include "resolve/outcome.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FRAME_HEAD      2
#define EVENTS_PER_TURN 64

struct flight {
	struct wire_question asked;
	uint16_t dns_id;
	int fd;
	bool stream, trial;
	bool proven;    /* the trial answered last before it was sent had AD */
	uint64_t waits; /* its answer is here, for the trial of this number; 0: it is not */
	uint8_t query[FRAME_HEAD + MESSAGE_QUERY_MAX]; /* with its length before it */
	size_t query_n, written;
	uint8_t *frame; /* with its length before it; streams, and answers that wait */
	size_t got;
	int64_t retry_ms;
	unsigned slot;
};

struct stub {
	struct upstream up;
	struct sockaddr_storage server;
	socklen_t server_n;
	struct flight *flights[STUB_OPEN_MAX + 1]; /* one more for a trial */
	unsigned open;
	bool validates;    /* the last trial said so */
	bool tried;        /* one has been answered */
	bool trying;       /* one is under way */
	uint64_t trial_no; /* of the last one begun: the first is 1 */
	int64_t trial_ms;  /* when the next one is due */
	uint8_t datagram[MESSAGE_OCTETS_MAX];
	uint8_t room[WIRE_RDATA_MAX];
};

static void hang_up(struct flight *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

static void land(struct stub *s, struct flight *f)
{
	if (f->trial)
		s->trying = false;
	hang_up(f);
	s->open--;
	s->flights[f->slot] = s->flights[s->open];
	s->flights[f->slot]->slot = f->slot;
	s->flights[s->open] = NULL;
	free(f->frame);
	free(f);
}

static void end_trial(struct stub *s, struct flight *f, int64_t now_ms, bool validates);

static void fail(struct stub *s, struct flight *f, int64_t now_ms, const char *why)
{
	struct wire_answer answer = { .id = f->asked.id };

	if (f->trial) {
		end_trial(s, f, now_ms, false);
		return;
	}
	outcome_failed(&f->asked.question, 0, why, &answer);
	engine_answer(s->up.engine, now_ms, &answer);
	land(s, f);
}

static void watch(struct stub *s, struct flight *f, uint32_t events)
{
	struct epoll_event event = { .events = events };

	event.data.ptr = f;
	if (epoll_ctl(s->up.epoll_fd, EPOLL_CTL_MOD, f->fd, &event) && errno == ENOENT)
		epoll_ctl(s->up.epoll_fd, EPOLL_CTL_ADD, f->fd, &event);
}

/* Connected, so that only the server's own answers come in; the kernel picks a random port. */
static bool reach(struct stub *s, struct flight *f)
{
	f->written = f->got = 0;
	if (f->stream && !f->frame)
		f->frame = malloc(FRAME_HEAD + MESSAGE_OCTETS_MAX);
	if (f->stream && !f->frame)
		return false;
	f->fd = socket(s->server.ss_family,
		(f->stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (f->fd < 0)
		return false;
	if (connect(f->fd, (struct sockaddr *)&s->server, s->server_n) && errno != EINPROGRESS) {
		hang_up(f);
		return false;
	}
	watch(s, f, f->stream ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return true;
}

/* The resolver may be another one now, or configured anew: the next trial is due. */
static void doubt(struct stub *s)
{
	s->trial_ms = 0;
}

/* What cannot be sent now is tried again by the timer, until the askers' deadlines. */
static void try(struct stub *s, struct flight *f)
{
	if (f->fd < 0 && !reach(s, f)) {
		doubt(s);
		trace_say(&s->up.trace, TRACE_WARNING, "resolver.unreachable", "reason=\"%s\"",
			strerror(errno));
		return;
	}
	if (!f->stream)
		(void)!send(f->fd, f->query + FRAME_HEAD, f->query_n - FRAME_HEAD, MSG_NOSIGNAL);
}

static int write_query(struct flight *f)
{
	struct sink s = sink_into(f->query + FRAME_HEAD, sizeof(f->query) - FRAME_HEAD);

	if (getrandom(&f->dns_id, sizeof(f->dns_id), 0) != sizeof(f->dns_id))
		return ERR_SYSTEM;
	if (message_write_query(f->dns_id, &f->asked.question.name, f->asked.question.type, &s))
		return ERR_FORMAT;
	f->query[0] = (uint8_t)(s.n >> 8);
	f->query[1] = (uint8_t)s.n;
	f->query_n = FRAME_HEAD + s.n;
	return 0;
}

static int take_off(struct stub *s, const struct wire_question *q, bool trial, int64_t now_ms)
{
	struct flight *f = calloc(1, sizeof(*f));

	if (!f)
		return ERR_NOMEM;
	f->asked = *q;
	f->trial = trial;
	f->proven = s->validates;
	f->fd = -1;
	f->retry_ms = now_ms + STUB_RETRY_MS;
	f->slot = s->open;
	f->stream = s->server.ss_family == AF_UNIX;
	s->flights[s->open++] = f;
	if (write_query(f))
		fail(s, f, now_ms, "no random octets");
	else
		try(s, f);
	return 0;
}

static void begin_trial(struct stub *s, int64_t now_ms)
{
	struct wire_question q = { .question = { .name = { .n = 1 }, .type = RR_SOA } };

	if (s->trying)
		return;
	s->trying = true;
	s->trial_no++;
	if (take_off(s, &q, true, now_ms))
		s->trying = false;
}

static void stub_pump(struct upstream *u, int64_t now_ms)
{
	struct stub *s = (struct stub *)u;
	struct wire_question q;

	if (now_ms >= s->trial_ms && (engine_waits(u->engine) || s->open))
		begin_trial(s, now_ms);
	while (s->tried && s->open - s->trying < STUB_OPEN_MAX && engine_send(u->engine, &q)) {
		if (take_off(s, &q, false, now_ms)) {
			engine_unsend(u->engine, q.id);
			return;
		}
	}
}

/* RFC 5452 section 9.1: what does not match is not an answer at all. */
static bool matches(const struct flight *f, struct span octets, struct message *m)
{
	return message_read(octets, m) == 0 && m->response && m->id == f->dns_id &&
		message_asks(m, &f->asked.question.name, f->asked.question.type);
}

/*
 * Unsigned, or a resolver that has stopped to validate? The answer waits for a trial that is sent
 * after it came.
 */
static void wait_for_trial(struct stub *s, struct flight *f, int64_t now_ms, struct span octets)
{
	uint8_t *kept = malloc(FRAME_HEAD + octets.n);

	if (!kept) {
		fail(s, f, now_ms, "out of memory");
		return;
	}
	memcpy(kept + FRAME_HEAD, octets.p, octets.n);
	free(f->frame);
	f->frame = kept;
	f->got = FRAME_HEAD + octets.n;
	f->waits = s->trial_no + 1;
	hang_up(f);
	begin_trial(s, now_ms);
}

static void settle(struct stub *s, struct flight *f, int64_t now_ms)
{
	struct sink room = sink_into(s->room, sizeof(s->room));
	struct wire_answer answer = { .id = f->asked.id };

	if (!s->validates) {
		fail(s, f, now_ms, "the resolver does not validate any more: no AD for the root");
		return;
	}
	outcome_of((struct span){ f->frame + FRAME_HEAD, f->got - FRAME_HEAD }, &f->asked.question,
		OUTCOME_INSECURE, NULL, &room, &answer);
	engine_answer(s->up.engine, now_ms, &answer);
	land(s, f);
}

/* Those that came before it was sent have their answer; those that came since need another. */
static void end_trial(struct stub *s, struct flight *f, int64_t now_ms, bool validates)
{
	enum trace_level level = validates == s->validates ? TRACE_DEBUG : TRACE_INFO;
	bool more = false;

	s->validates = validates;
	s->tried = true;
	s->trial_ms = now_ms + (validates ? STUB_TRUST_MS : STUB_TRIAL_MS);
	trace_say(&s->up.trace, validates ? level : TRACE_WARNING, "resolver.trial", "validates=%s",
		validates ? "yes" : "no");
	land(s, f);
	for (unsigned i = s->open; i-- > 0;) {
		if (s->flights[i]->waits && s->flights[i]->waits <= s->trial_no)
			settle(s, s->flights[i], now_ms);
		else if (s->flights[i]->waits)
			more = true;
	}
	if (more)
		begin_trial(s, now_ms);
}

static void judge(struct stub *s, struct flight *f, int64_t now_ms, const struct message *m)
{
	struct wire_answer answer = { .id = f->asked.id };
	struct sink room = sink_into(s->room, sizeof(s->room));

	if (f->trial) {
		end_trial(s, f, now_ms,
			m->recursion_available && m->authentic && m->rcode == MESSAGE_NOERROR);
		return;
	}
	if (!m->recursion_available) {
		fail(s, f, now_ms, "the server does not recurse, so it does not validate");
		return;
	}
	outcome_of(m->octets, &f->asked.question, m->authentic ? OUTCOME_SECURE : OUTCOME_INSECURE,
		NULL, &room, &answer);
	if (answer.status == ANSWER_INSECURE && !f->proven) {
		fail(s, f, now_ms, "the resolver does not validate: no AD for the root either");
		return;
	}
	if (answer.status == ANSWER_INSECURE) {
		wait_for_trial(s, f, now_ms, m->octets);
		return;
	}
	engine_answer(s->up.engine, now_ms, &answer);
	land(s, f);
}

static void read_datagram(struct stub *s, struct flight *f, int64_t now_ms)
{
	ssize_t n = recv(f->fd, s->datagram, sizeof(s->datagram), 0);
	struct message m;

	/* Nobody there (ECONNREFUSED) may change before the deadline: sent again by the timer. */
	if (n < 0 && errno != EAGAIN)
		doubt(s);
	if (n < 0 || !matches(f, (struct span){ s->datagram, (size_t)n }, &m))
		return;
	if (!m.truncated) {
		judge(s, f, now_ms, &m);
		return;
	}
	hang_up(f);
	f->stream = true;
	try(s, f);
}

/* More of the frame; false when the stream has ended or broken. */
static bool read_frame(struct flight *f, bool *whole)
{
	size_t want = FRAME_HEAD;
	ssize_t n;

	*whole = false;
	for (;;) {
		if (f->got >= FRAME_HEAD)
			want = FRAME_HEAD + ((size_t)f->frame[0] << 8 | f->frame[1]);
		if (f->got >= FRAME_HEAD && f->got == want)
			break;
		n = recv(f->fd, f->frame + f->got, want - f->got, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
		f->got += (size_t)n;
	}
	*whole = true;
	return true;
}

static bool write_stream(struct stub *s, struct flight *f)
{
	ssize_t n;

	if (f->written == f->query_n)
		return true;
	n = send(f->fd, f->query + f->written, f->query_n - f->written, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
	f->written += (size_t)n;
	if (f->written == f->query_n)
		watch(s, f, EPOLLIN);
	return true;
}

static void turn_stream(struct stub *s, struct flight *f, int64_t now_ms)
{
	struct message m;
	bool whole;

	if (!write_stream(s, f) || (f->written == f->query_n && !read_frame(f, &whole))) {
		/* Closed under us: a new connection at the next retry. */
		doubt(s);
		hang_up(f);
		return;
	}
	if (f->written < f->query_n || !whole)
		return;
	if (matches(f, (struct span){ f->frame + FRAME_HEAD, f->got - FRAME_HEAD }, &m) &&
		!m.truncated)
		judge(s, f, now_ms, &m);
	else
		fail(s, f, now_ms, "answer to another question");
}

/* A flight nobody waits for any more ends; the others are sent again. */
static void retry(struct stub *s, int64_t now_ms)
{
	for (unsigned i = s->open; i-- > 0;) {
		struct flight *f = s->flights[i];

		if (f->trial ? engine_deadline(s->up.engine) == INT64_MAX
			     : !engine_is_open(s->up.engine, f->asked.id)) {
			land(s, f);
			continue;
		}
		if (f->waits || now_ms < f->retry_ms)
			continue;
		doubt(s);
		f->retry_ms = now_ms + STUB_RETRY_MS;
		if (!f->stream || f->fd < 0)
			try(s, f);
	}
}

static void stub_dispatch(struct upstream *u, int64_t now_ms)
{
	struct stub *s = (struct stub *)u;
	struct epoll_event events[EVENTS_PER_TURN];
	int n = epoll_wait(u->epoll_fd, events, EVENTS_PER_TURN, 0);

	for (int i = 0; i < n; i++) {
		struct flight *f = events[i].data.ptr;

		if (!f)
			continue;
		if (f->stream)
			turn_stream(s, f, now_ms);
		else
			read_datagram(s, f, now_ms);
	}
	retry(s, now_ms);
}

static int64_t stub_deadline(const struct upstream *u)
{
	const struct stub *s = (const struct stub *)u;
	int64_t at_ms = INT64_MAX;

	for (unsigned i = 0; i < s->open; i++)
		if (!s->flights[i]->waits && s->flights[i]->retry_ms < at_ms)
			at_ms = s->flights[i]->retry_ms;
	return at_ms;
}

static void stub_free(struct upstream *u)
{
	struct stub *s = (struct stub *)u;

	while (s->open)
		land(s, s->flights[0]);
	free(s);
}

static const struct upstream_kind kind = {
	.dispatch = stub_dispatch,
	.pump = stub_pump,
	.deadline = stub_deadline,
	.free = stub_free,
};

static int read_server(const char *text, struct stub *s, struct err *err)
{
	struct sockaddr_un *unix_socket = (struct sockaddr_un *)&s->server;
	struct address address;
	int rc;

	if (!text || !text[0])
		return err_set(err, ERR_ARG, "resolver: no server given for the AD back end");
	if (text[0] == '/') {
		if (strlen(text) >= sizeof(unix_socket->sun_path))
			return err_set(err, ERR_ARG, "'%s': too long for a Unix socket", text);
		unix_socket->sun_family = AF_UNIX;
		strcpy(unix_socket->sun_path, text);
		s->server_n = sizeof(*unix_socket);
		return 0;
	}
	rc = address_read(text, &address, err);
	if (rc)
		return err_wrap(err, rc, "resolver");
	if (!address_is_loopback(&address))
		return err_set(err, ERR_ARG,
			"resolver: '%s' is not on this host, so its AD bit proves nothing", text);
	s->server_n = address_socket(&address, &s->server);
	return 0;
}

int stub_new(const char *server, struct engine *engine, int epoll_fd, const struct trace *trace,
	struct upstream **out, struct err *err)
{
	struct stub *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return err_set(err, ERR_NOMEM, "resolver: out of memory");
	s->up = (struct upstream){ .kind = &kind,
		.engine = engine,
		.epoll_fd = epoll_fd,
		.trace = *trace };
	rc = read_server(server, s, err);
	if (rc) {
		free(s);
		return rc;
	}
	*out = &s->up;
	return 0;
}
