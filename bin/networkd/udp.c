/* SPDX-License-Identifier: Apache-2.0 */
#include "networkd/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/listen.h"
#include "net/pace.h"
#include "network/gwmp.h"
#include "program/log.h"

#define RECEIVE_OCTETS (8 << 20)
#define SOURCES        4096
#define SHARE_NS       250000 /* of one turn of the loop */

/* How much one address sent in the second that is running. Addresses that share a place
 * share the bound, which is why it is generous. */
struct source {
	uint64_t who;
	uint64_t second;
	unsigned count;
};

struct udp {
	int fd;
	uv_poll_t poll;
	struct pace *pace;
	struct udp_user user;
	unsigned per_source_max;
	struct udp_stats stats;
	struct source source[SOURCES];
	struct mmsghdr in[UDP_BATCH], out[UDP_BATCH];
	struct iovec in_part[UDP_BATCH], out_part[UDP_BATCH];
	struct sockaddr_storage from[UDP_BATCH];
	uint8_t ack[UDP_BATCH][GWMP_ACK_OCTETS];
	uint8_t octets[UDP_BATCH][GWMP_DATAGRAM_MAX];
};

static bool is_within_bound(struct udp *u, const struct sockaddr *from, uint64_t second)
{
	uint64_t who = listen_source(from);
	struct source *s = &u->source[(who ^ who >> 17) * 0x9e3779b97f4a7c15u >> 52];

	if (s->second != second || s->who != who)
		*s = (struct source){ .who = who, .second = second };
	return ++s->count <= u->per_source_max;
}

static void acknowledge(struct udp *u, unsigned n)
{
	unsigned acks = 0;

	for (unsigned i = 0; i < n; i++) {
		struct span d = { u->octets[i], u->in[i].msg_len };

		if (!d.n || !gwmp_acknowledge(d, u->ack[acks]))
			continue;
		u->out_part[acks] = (struct iovec){ u->ack[acks], GWMP_ACK_OCTETS };
		u->out[acks] =
			(struct mmsghdr){ .msg_hdr = { .msg_name = &u->from[i],
						  .msg_namelen = u->in[i].msg_hdr.msg_namelen,
						  .msg_iov = &u->out_part[acks],
						  .msg_iovlen = 1 } };
		acks++;
	}
	if (!acks)
		return;
	if (sendmmsg(u->fd, u->out, acks, 0) > 0)
		u->stats.acknowledged += acks;
}

static struct gateway_address address_of(const struct sockaddr_storage *from, socklen_t n)
{
	struct gateway_address a = { 0 };

	if (n <= sizeof(a.octets)) {
		a.n = (uint8_t)n;
		memcpy(a.octets, from, n);
	}
	return a;
}

/* One batch; false when the socket is empty, or the rest has to wait. */
static bool batch(struct udp *u)
{
	unsigned most = pace_is_tight(u->pace) ? UDP_BATCH_TIGHT : UDP_BATCH;
	uint64_t second = uv_hrtime() / 1000000000u;
	int n;

	for (unsigned i = 0; i < most; i++)
		u->in[i].msg_hdr.msg_namelen = sizeof(u->from[i]);
	n = recvmmsg(u->fd, u->in, most, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return false;
	u->stats.received += (unsigned)n;
	for (int i = 0; i < n; i++) {
		/* Cut off by our buffer: no gateway sends that much. */
		if (u->in[i].msg_hdr.msg_flags & MSG_TRUNC)
			u->in[i].msg_len = 0;
		if (!is_within_bound(u, (struct sockaddr *)&u->from[i], second)) {
			u->in[i].msg_len = 0;
			u->stats.dropped_source++;
		}
	}
	acknowledge(u, (unsigned)n);
	for (int i = 0; i < n; i++) {
		struct gateway_address from = address_of(&u->from[i], u->in[i].msg_hdr.msg_namelen);

		if (u->in[i].msg_len && from.n)
			u->user.take(u->user.arg, &from,
				(struct span){ u->octets[i], u->in[i].msg_len });
	}
	return u->user.batch(u->user.arg) && n == (int)most;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct udp *u = poll->data;
	uint64_t until = pace_until(u->pace, uv_hrtime(), SHARE_NS);

	(void)events;
	if (status < 0)
		return;
	for (unsigned i = 0; i < UDP_BATCHES && uv_hrtime() < until && batch(u); i++)
		;
}

static int open_socket(const char *text, int *out, struct err *err)
{
	struct sockaddr_storage at;
	int fd, on = 1, octets = RECEIVE_OCTETS, rc = listen_read_address(text, &at, err);

	if (rc < 0)
		return rc;
	fd = socket(at.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", text, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets));
	if (bind(fd, (struct sockaddr *)&at,
		    at.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					     : sizeof(struct sockaddr_in)) < 0) {
		rc = err_set(err, ERR_SYSTEM, "%s: %s", text, strerror(errno));
		close(fd);
		return rc;
	}
	*out = fd;
	return 0;
}

int udp_new(uv_loop_t *loop, const char *bind_to, unsigned per_source_max, struct udp_user user,
	struct udp **out, struct err *err)
{
	struct udp *u = calloc(1, sizeof(*u));
	int rc;

	if (!u)
		return err_set(err, ERR_NOMEM, "%s: no memory", bind_to);
	u->user = user;
	u->per_source_max = per_source_max ? per_source_max : 20000;
	rc = open_socket(bind_to, &u->fd, err);
	if (rc < 0) {
		free(u);
		return rc;
	}
	u->pace = pace_take(loop);
	if (!u->pace) {
		close(u->fd);
		free(u);
		return err_set(err, ERR_NOMEM, "%s: no memory", bind_to);
	}
	for (unsigned i = 0; i < UDP_BATCH; i++) {
		u->in_part[i] = (struct iovec){ u->octets[i], sizeof(u->octets[i]) };
		u->in[i].msg_hdr = (struct msghdr){ .msg_name = &u->from[i],
			.msg_iov = &u->in_part[i],
			.msg_iovlen = 1 };
	}
	uv_poll_init(loop, &u->poll, u->fd);
	u->poll.data = u;
	uv_poll_start(&u->poll, UV_READABLE, on_readable);
	*out = u;
	return 0;
}

static void on_closed(uv_handle_t *h)
{
	struct udp *u = h->data;

	close(u->fd);
	free(u);
}

void udp_free(struct udp *u)
{
	if (!u)
		return;
	pace_give(u->pace);
	uv_close((uv_handle_t *)&u->poll, on_closed);
}

uint16_t udp_port(const struct udp *u)
{
	struct sockaddr_storage at;
	socklen_t n = sizeof(at);

	if (getsockname(u->fd, (struct sockaddr *)&at, &n) < 0)
		return 0;
	return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
					      : ((struct sockaddr_in *)&at)->sin_port);
}

void udp_send(struct udp *u, const struct gateway_address *to, struct span datagram)
{
	struct sockaddr_storage at = { 0 };

	memcpy(&at, to->octets, to->n);
	if (sendto(u->fd, datagram.p, datagram.n, 0, (struct sockaddr *)&at, to->n) < 0)
		log_warning("gateway.send", "reason=%s", log_value(strerror(errno)));
}

const struct udp_stats *udp_stats(const struct udp *u)
{
	return &u->stats;
}
