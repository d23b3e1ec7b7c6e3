/* SPDX-License-Identifier: Apache-2.0 */
#include "servers/query.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define UDP_OCTETS 1232
#define SENDS_MAX  3

enum stage { BY_UDP, CONNECTING, WRITING, READING, ENDED };

struct flight {
	enum stage stage;
	int fd;
	unsigned sends;
	size_t moved;    /* octets written, or read */
	uint8_t head[2]; /* length before a message, RFC 1035 section 4.2.2 */
	uint8_t *octets; /* READING: the answer */
	size_t n;        /* its length */
	double began;
	double time_ms; /* there is for it */
	struct query_answer *out;
};

struct question {
	struct name name;
	uint16_t type;
	uint16_t id;
	uint8_t framed[2 + QUERY_OCTETS_MAX]; /* for TCP; the message itself begins at 2 */
	size_t n;                             /* of the message */
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

void query_write(struct sink *s, uint16_t id, const struct name *name, uint16_t type)
{
	sink_u16_be(s, id);
	sink_u16_be(s, 0); /* a query, without RD */
	sink_u16_be(s, 1);
	sink_u32_be(s, 0);
	sink_u16_be(s, 1);
	sink_put(s, (struct span){ name->wire, name->n });
	sink_u16_be(s, type);
	sink_u16_be(s, LDNS_RR_CLASS_IN);
	sink_u8(s, 0); /* OPT, RFC 6891 section 6.1.2; DO, RFC 3225 */
	sink_u16_be(s, LDNS_RR_TYPE_OPT);
	sink_u16_be(s, UDP_OCTETS);
	sink_u32_be(s, 0x8000);
	sink_u16_be(s, 0);
}

static int write_question(struct question *q, struct err *err)
{
	struct sink s = sink_into(q->framed + 2, QUERY_OCTETS_MAX);

	if (getrandom(&q->id, sizeof(q->id), 0) != sizeof(q->id))
		return err_set(err, ERR_SYSTEM, "question: no random octets");
	query_write(&s, q->id, &q->name, q->type);
	if (!sink_fits(&s))
		return err_set(err, ERR_ARG, "question: the name is no name");
	q->n = s.n;
	q->framed[0] = (uint8_t)(q->n >> 8);
	q->framed[1] = (uint8_t)q->n;
	return 0;
}

static void end(struct flight *f, enum query_outcome outcome, const char *why)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	free(f->octets);
	f->octets = NULL;
	f->stage = ENDED;
	f->out->outcome = outcome;
	f->out->ms = now_ms() - f->began;
	snprintf(f->out->why, sizeof(f->out->why), "%s", why);
}

static void end_by_errno(struct flight *f, const char *what)
{
	char why[96];

	snprintf(why, sizeof(why), "%s%s", what, strerror(errno));
	end(f, QUERY_UNREACHABLE, why);
}

static void open_flight(struct flight *f, const struct address *to, int kind)
{
	struct sockaddr_storage at;
	socklen_t n = address_socket(to, &at);

	f->fd = socket(at.ss_family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (f->fd < 0 || (connect(f->fd, (struct sockaddr *)&at, n) != 0 && errno != EINPROGRESS))
		end_by_errno(f, kind == SOCK_STREAM ? "truncated, and by TCP: " : "");
}

static void send_udp(struct flight *f, const struct question *q)
{
	f->sends++;
	if (send(f->fd, q->framed + 2, q->n, 0) < 0 && errno != EAGAIN)
		end_by_errno(f, "");
}

bool query_is_whole(const ldns_pkt *packet)
{
	const ldns_rr_list *sections[] = { ldns_pkt_answer(packet), ldns_pkt_authority(packet),
		ldns_pkt_additional(packet) };

	for (size_t s = 0; s < 3; s++) {
		for (size_t i = 0; i < ldns_rr_list_rr_count(sections[s]); i++) {
			const ldns_rr *rr = ldns_rr_list_rr(sections[s], i);

			if (ldns_rr_rd_count(rr) < ldns_rr_descriptor_minimum(ldns_rr_descript(
							   (uint16_t)ldns_rr_get_type(rr))))
				return false;
		}
	}
	return true;
}

/* The packet when it answers our question; NULL: it is something else. */
static ldns_pkt *read_packet(const struct question *q, const uint8_t *octets, size_t n)
{
	ldns_pkt *packet = NULL;
	const ldns_rr *asked;
	const ldns_rdf *owner;

	if (ldns_wire2pkt(&packet, octets, n) != LDNS_STATUS_OK)
		return NULL;
	asked = ldns_rr_list_rr_count(ldns_pkt_question(packet)) == 1
		? ldns_rr_list_rr(ldns_pkt_question(packet), 0)
		: NULL;
	owner = asked ? ldns_rr_owner(asked) : NULL;
	if (owner && ldns_pkt_qr(packet) && query_is_whole(packet) &&
		ldns_rr_get_type(asked) == q->type &&
		ldns_rr_get_class(asked) == LDNS_RR_CLASS_IN && ldns_rdf_size(owner) == q->name.n) {
		struct name said = { .n = q->name.n };

		memcpy(said.wire, ldns_rdf_data(owner), said.n);
		if (name_equal(&said, &q->name))
			return packet;
	}
	ldns_pkt_free(packet);
	return NULL;
}

static void take_answer(struct flight *f, ldns_pkt *packet, size_t octets)
{
	f->out->packet = packet;
	f->out->octets = octets;
	end(f, QUERY_ANSWERED, "");
}

/* A stray datagram, of another identifier, is passed over: the answer may still come. */
static void read_udp(struct flight *f, const struct question *q, const struct address *to)
{
	uint8_t octets[4096];
	ssize_t n = recv(f->fd, octets, sizeof(octets), 0);
	ldns_pkt *packet;

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			end_by_errno(f, "");
		return;
	}
	if (n < 12 || memcmp(octets, q->framed + 2, 2) != 0)
		return;
	packet = read_packet(q, octets, (size_t)n);
	if (packet && !ldns_pkt_tc(packet)) {
		take_answer(f, packet, (size_t)n);
		return;
	}
	/* RFC 2181 section 9: what is truncated is thrown away and asked again by TCP. */
	if (packet || (octets[2] & 0x82) == 0x82) {
		ldns_pkt_free(packet);
		close(f->fd);
		f->out->tcp = true;
		f->stage = CONNECTING;
		open_flight(f, to, SOCK_STREAM);
		return;
	}
	end(f, QUERY_BROKEN, "its answer does not parse, or answers something else");
}

static void write_tcp(struct flight *f, const struct question *q)
{
	int error = 0;
	socklen_t size = sizeof(error);
	ssize_t n;

	if (f->stage == CONNECTING) {
		getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &error, &size);
		if (error) {
			errno = error;
			end_by_errno(f, "truncated, and by TCP: ");
			return;
		}
		f->stage = WRITING;
	}
	n = send(f->fd, q->framed + f->moved, 2 + q->n - f->moved, MSG_NOSIGNAL);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			end_by_errno(f, "truncated, and by TCP: ");
		return;
	}
	f->moved += (size_t)n;
	if (f->moved == 2 + q->n) {
		f->stage = READING;
		f->moved = 0;
	}
}

/* The octets of the length first, then those of the message. */
static void read_tcp(struct flight *f, const struct question *q)
{
	bool in_head = f->moved < 2;
	size_t at = in_head ? f->moved : f->moved - 2;
	ssize_t n = in_head ? recv(f->fd, f->head + at, 2 - at, 0)
			    : recv(f->fd, f->octets + at, f->n - at, 0);
	ldns_pkt *packet;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end(f, QUERY_BROKEN, "truncated, and by TCP the connection ended early");
		return;
	}
	f->moved += (size_t)n;
	if (f->moved == 2) {
		f->n = (size_t)(f->head[0] << 8 | f->head[1]);
		f->octets = f->n >= 12 ? malloc(f->n) : NULL;
		if (!f->octets)
			end(f, QUERY_BROKEN, "truncated, and by TCP no message came");
		return;
	}
	if (f->moved < 2 || f->moved - 2 < f->n)
		return;
	packet = memcmp(f->octets, q->framed + 2, 2) == 0 ? read_packet(q, f->octets, f->n) : NULL;
	if (packet)
		take_answer(f, packet, f->n);
	else
		end(f, QUERY_BROKEN, "truncated, and its answer by TCP does not parse");
}

static void step(struct flight *f, const struct question *q, const struct address *to)
{
	switch (f->stage) {
	case BY_UDP: read_udp(f, q, to); break;
	case CONNECTING:
	case WRITING: write_tcp(f, q); break;
	case READING: read_tcp(f, q); break;
	case ENDED: break;
	}
}

/* When this flight wants attention again although nothing came. */
static double due(const struct flight *f)
{
	if (f->stage == BY_UDP && f->sends < SENDS_MAX)
		return f->began + f->time_ms * f->sends / 4;
	return f->began + f->time_ms;
}

static void look_at_time(struct flight *f, const struct question *q)
{
	if (f->stage == ENDED || now_ms() < due(f))
		return;
	if (f->stage == BY_UDP && f->sends < SENDS_MAX) {
		send_udp(f, q);
		return;
	}
	end(f, QUERY_SILENT, f->stage == BY_UDP ? "no answer" : "truncated, and no answer by TCP");
}

bool query_is_useful(const struct query_answer *a)
{
	return a->outcome == QUERY_ANSWERED &&
		(ldns_pkt_get_rcode(a->packet) == LDNS_RCODE_NOERROR ||
			ldns_pkt_get_rcode(a->packet) == LDNS_RCODE_NXDOMAIN);
}

static bool is_enough(const struct flight *f, size_t n, bool first)
{
	bool open = false;

	for (size_t i = 0; i < n; i++) {
		if (first && f[i].stage == ENDED && query_is_useful(f[i].out))
			return true;
		open = open || f[i].stage != ENDED;
	}
	return !open;
}

static void turn(struct flight *f, const struct address *to, size_t n, const struct question *q,
	bool first)
{
	struct pollfd fds[QUERY_SERVERS_MAX];

	while (!is_enough(f, n, first)) {
		double next = now_ms() + QUERY_TIMEOUT_MS;

		for (size_t i = 0; i < n; i++) {
			bool writes = f[i].stage == CONNECTING || f[i].stage == WRITING;

			fds[i] = (struct pollfd){ .fd = f[i].fd,
				.events = writes ? POLLOUT : POLLIN };
			if (f[i].stage != ENDED && due(&f[i]) < next)
				next = due(&f[i]);
		}
		next -= now_ms();
		poll(fds, n, next > 0 ? (int)next + 1 : 0);
		for (size_t i = 0; i < n; i++) {
			if (fds[i].fd >= 0 && fds[i].revents)
				step(&f[i], q, &to[i]);
			look_at_time(&f[i], q);
		}
	}
}

int query_ask(const struct address *to, size_t n, const struct name *name, uint16_t type,
	const struct query_manner *manner, struct query_answer *out, struct err *err)
{
	struct flight f[QUERY_SERVERS_MAX] = { 0 };
	const unsigned time_ms = manner->timeout_ms ? manner->timeout_ms : QUERY_TIMEOUT_MS;
	struct question q = { .name = *name, .type = type };
	int rc;

	if (n > QUERY_SERVERS_MAX)
		return err_set(err, ERR_ARG, "question: more than %d servers", QUERY_SERVERS_MAX);
	rc = write_question(&q, err);
	if (rc != 0)
		return rc;
	memset(out, 0, n * sizeof(*out));
	for (size_t i = 0; i < n; i++) {
		f[i] = (struct flight){ .fd = -1,
			.began = now_ms(),
			.time_ms = manner->hurried >> i & 1 ? time_ms / 4.0 : time_ms,
			.out = &out[i] };
		open_flight(&f[i], &to[i], SOCK_DGRAM);
		if (f[i].stage == BY_UDP)
			send_udp(&f[i], &q);
	}
	turn(f, to, n, &q, manner->first);
	for (size_t i = 0; i < n; i++)
		if (f[i].stage != ENDED)
			end(&f[i], QUERY_SILENT, "not waited for");
	return 0;
}

void query_done(struct query_answer *answer, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ldns_pkt_free(answer[i].packet);
		answer[i].packet = NULL;
	}
}
