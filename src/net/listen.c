/* SPDX-License-Identifier: Apache-2.0 */
#include "net/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "program/log.h"

#define ACCEPTS_PER_TURN 8
#define REST_MS          100
#define BACKLOG          4096

struct listen {
	uv_poll_t poll;
	uv_timer_t rest;
	unsigned open; /* handles not closed yet */
	int fd;
	bool resting;
	listen_accepted *accepted;
	void *arg;
	uint64_t *rests; /* NULL: nobody counts them */
};

static int port_read(const char *text, uint16_t *out)
{
	char *end;
	unsigned long v;

	if (*text < '0' || *text > '9')
		return ERR_FORMAT;
	v = strtoul(text, &end, 10);
	if (*end != '\0' || v > 65535)
		return ERR_FORMAT;
	*out = (uint16_t)v;
	return 0;
}

int listen_read_address(const char *text, struct sockaddr_storage *out, struct err *err)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	struct sockaddr_storage a = { 0 };
	struct sockaddr_in *in4 = (struct sockaddr_in *)&a;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a;
	size_t n = colon ? (size_t)(colon - text) : 0;
	uint16_t port;

	if (!colon || n >= sizeof(host) || port_read(colon + 1, &port) != 0)
		return err_set(err, ERR_FORMAT, "address '%s': is not host:port", text);
	memcpy(host, text, n);
	host[n] = '\0';
	if (n == 0) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
	} else if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		if (inet_pton(AF_INET6, host + 1, &in6->sin6_addr) != 1)
			return err_set(err, ERR_FORMAT, "address '%s': no IPv6 address", text);
	} else {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(port);
		if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
			    &in4->sin_addr) != 1)
			return err_set(err, ERR_FORMAT, "address '%s': '%s' is no IP address", text,
				host);
	}
	*out = a;
	return 0;
}

bool listen_is_unix(const char *text)
{
	return strncmp(text, LISTEN_UNIX, strlen(LISTEN_UNIX)) == 0;
}

int listen_read_unix(const char *text, struct sockaddr_un *out, struct err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const char *path = text + strlen(LISTEN_UNIX);

	if (path[0] != '/' || strlen(path) >= sizeof(a.sun_path))
		return err_set(err, ERR_FORMAT,
			"address '%s': need a path from / of at most %zu octets", text,
			sizeof(a.sun_path) - 1);
	strcpy(a.sun_path, path);
	*out = a;
	return 0;
}

/* An IPv4 address inside an IPv6 one (a dual-stack listener sees them so) is IPv4. */
static bool plain_ipv4(const struct sockaddr *address, uint32_t *out)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;

	if (address->sa_family == AF_INET) {
		*out = ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr);
		return true;
	}
	if (address->sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return false;
	memcpy(out, in6->sin6_addr.s6_addr + 12, 4);
	*out = ntohl(*out);
	return true;
}

static uint16_t port_of(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)address)->sin_port);
	if (address->sa_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
	return 0;
}

const char *listen_write_address(const struct sockaddr *address, char *out, size_t cap)
{
	char host[INET6_ADDRSTRLEN] = "?";
	uint32_t v4;

	if (address->sa_family != AF_INET && address->sa_family != AF_INET6) {
		snprintf(out, cap, "unix");
		return out;
	}
	if (plain_ipv4(address, &v4)) {
		snprintf(out, cap, "%u.%u.%u.%u:%u", v4 >> 24, v4 >> 16 & 255, v4 >> 8 & 255,
			v4 & 255, port_of(address));
		return out;
	}
	if (address->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, host,
			sizeof(host));
	snprintf(out, cap, "[%s]:%u", host, port_of(address));
	return out;
}

bool listen_is_loopback(const struct sockaddr *address)
{
	uint32_t v4;

	if (plain_ipv4(address, &v4))
		return v4 >> 24 == 127;
	return address->sa_family == AF_INET6 &&
		IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

uint64_t listen_source(const struct sockaddr *address)
{
	uint64_t prefix = 0;
	uint32_t v4;

	/* 2002::/16 and the like never collide with this: their first octet is not zero. */
	if (plain_ipv4(address, &v4))
		return 1ULL << 32 | v4;
	if (address->sa_family == AF_INET6)
		memcpy(&prefix, &((const struct sockaddr_in6 *)address)->sin6_addr, 8);
	return prefix != 0 ? prefix : 1;
}

static void acceptable(uv_poll_t *poll, int status, int events);

static void rested(uv_timer_t *timer)
{
	struct listen *l = timer->data;

	l->resting = false;
	uv_poll_start(&l->poll, UV_READABLE, acceptable);
}

/* Out of descriptors or memory: spinning on a readable listener would take the whole core. */
static void rest(struct listen *l, int error)
{
	if (l->rests)
		++*l->rests;
	uv_poll_stop(&l->poll);
	uv_timer_start(&l->rest, rested, REST_MS, 0);
	if (!l->resting)
		log_warning("listen.rest", "for_ms=%d reason=%s", REST_MS,
			log_value(strerror(error)));
	l->resting = true;
}

static void acceptable(uv_poll_t *poll, int status, int events)
{
	struct listen *l = poll->data;

	(void)status;
	(void)events;
	for (unsigned i = 0; i < ACCEPTS_PER_TURN && l->fd >= 0; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t n = sizeof(from);
		int fd = accept4(l->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			l->accepted(l->arg, fd, (const struct sockaddr *)&from);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			errno == ENOMEM) {
			rest(l, errno);
			return;
		}
		/* Everything else is the fate of that one connection: ECONNABORTED, EPERM... */
	}
}

static void closed(uv_handle_t *handle)
{
	struct listen *l = handle->data;

	if (--l->open == 0)
		free(l);
}

static int bind_to(int fd, const struct sockaddr *a, socklen_t n, const char *text, struct err *err)
{
	if (bind(fd, a, n) == 0)
		return 0;
	return err_set(err, ERR_SYSTEM, "listen on %s: %s", text, strerror(errno));
}

/* A socket file that nobody listens on any more is in the way. */
static void remove_stale(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)a, sizeof(*a)) != 0 && errno == ECONNREFUSED)
		unlink(a->sun_path);
	close(fd);
}

static int open_unix(const char *text, int *out, struct err *err)
{
	struct sockaddr_un a;
	int rc = listen_read_unix(text, &a, err), fd;

	if (rc != 0)
		return rc;
	remove_stale(&a);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "listen on %s: %s", text, strerror(errno));
	rc = bind_to(fd, (struct sockaddr *)&a, sizeof(a), text, err);
	if (rc == 0)
		*out = fd;
	else
		close(fd);
	return rc;
}

int listen_bind(const char *where, bool shared, int *out, struct err *err)
{
	struct sockaddr_storage a;
	int one = 1, rc, fd;

	if (listen_is_unix(where))
		return open_unix(where, out, err);
	rc = listen_read_address(where, &a, err);
	if (rc != 0)
		return rc;
	fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "listen on %s: %s", where, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (shared)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	rc = bind_to(fd, (struct sockaddr *)&a,
		a.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6),
		where, err);
	if (rc == 0)
		*out = fd;
	else
		close(fd);
	return rc;
}

int listen_begin(int fd, struct err *err)
{
	if (listen(fd, BACKLOG) == 0)
		return 0;
	return err_set(err, ERR_SYSTEM, "listen: %s", strerror(errno));
}

int listen_open(const char *where, bool shared, int *out, struct err *err)
{
	int fd, rc = listen_bind(where, shared, &fd, err);

	if (rc != 0)
		return rc;
	rc = listen_begin(fd, err);
	if (rc == 0) {
		*out = fd;
		return 0;
	}
	close(fd);
	return err_wrap(err, rc, "%s", where);
}

int listen_new_on(uv_loop_t *loop, int fd, listen_accepted *accepted, void *arg,
	struct listen **out, struct err *err)
{
	struct listen *l = calloc(1, sizeof(*l));

	if (!l || uv_poll_init(loop, &l->poll, fd) != 0) {
		free(l);
		close(fd);
		return err_set(err, ERR_SYSTEM, "listen: cannot be polled");
	}
	uv_timer_init(loop, &l->rest);
	l->fd = fd;
	l->open = 2;
	l->poll.data = l->rest.data = l;
	l->accepted = accepted;
	l->arg = arg;
	uv_poll_start(&l->poll, UV_READABLE, acceptable);
	*out = l;
	return 0;
}

int listen_new(uv_loop_t *loop, const char *where, listen_accepted *accepted, void *arg,
	struct listen **out, struct err *err)
{
	int fd, rc = listen_open(where, false, &fd, err);

	return rc ? rc : listen_new_on(loop, fd, accepted, arg, out, err);
}

uint16_t listen_port_of(int fd)
{
	struct sockaddr_storage a = { 0 };
	socklen_t n = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &n) != 0)
		return 0;
	return port_of((const struct sockaddr *)&a);
}

void listen_count_rests(struct listen *l, uint64_t *rests)
{
	l->rests = rests;
}

uint16_t listen_port(const struct listen *l)
{
	return listen_port_of(l->fd);
}

void listen_free(struct listen *l)
{
	if (!l)
		return;
	uv_close((uv_handle_t *)&l->poll, closed);
	uv_close((uv_handle_t *)&l->rest, closed);
	close(l->fd);
	l->fd = -1;
}
