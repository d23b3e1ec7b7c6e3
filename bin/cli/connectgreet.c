/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/connect.h"
#include "core/secret.h"
#include "pki/pemfile.h"
#include "pki/wholefile.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TCP_MS 5000
#define TLS_MS 10000

static int remaining(double end_ms)
{
	double left = end_ms - connect_now();

	return left <= 0 ? 0 : (int)left + 1;
}

static void name_address(const struct sockaddr_in6 *a, char *out, size_t cap)
{
	struct in_addr v4;

	memcpy(&v4, &a->sin6_addr.s6_addr[12], sizeof(v4));
	if (!inet_ntop(IN6_IS_ADDR_V4MAPPED(&a->sin6_addr) ? AF_INET : AF_INET6,
		    IN6_IS_ADDR_V4MAPPED(&a->sin6_addr) ? (void *)&v4 : (void *)&a->sin6_addr, out,
		    (socklen_t)cap))
		snprintf(out, cap, "?");
}

/* A socket of family IPv6 without IPv6 in the kernel fails; IPv4 then has its own. */
static int open_socket(const struct sockaddr_in6 *a, struct sockaddr_storage *to, socklen_t *n)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;

	memset(to, 0, sizeof(*to));
	if (!IN6_IS_ADDR_V4MAPPED(&a->sin6_addr)) {
		memcpy(to, a, sizeof(*a));
		*n = sizeof(*a);
		return socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = a->sin6_port;
	memcpy(&v4->sin_addr, &a->sin6_addr.s6_addr[12], 4);
	*n = sizeof(*v4);
	return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* 0 and *fd, or the errno of why not. */
static int connect_tcp(const struct sockaddr_in6 *a, int *fd)
{
	struct sockaddr_storage to;
	struct pollfd p = { .events = POLLOUT };
	socklen_t n = 0;
	int e = 0;

	p.fd = open_socket(a, &to, &n);
	if (p.fd < 0)
		return errno;
	if (connect(p.fd, (struct sockaddr *)&to, n) != 0 && errno != EINPROGRESS)
		e = errno;
	else if (poll(&p, 1, TCP_MS) != 1)
		e = ETIMEDOUT;
	else if (getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &e, &(socklen_t){ sizeof(e) }) != 0)
		e = errno;
	if (e != 0)
		close(p.fd);
	else
		*fd = p.fd;
	return e;
}

static int connect_endpoint(struct connect *c, const struct service_endpoint *e, int *fd)
{
	double start;
	int error;

	c->endpoint = e;
	for (unsigned i = 0; i < e->address_count; i++) {
		struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(e->port) };

		memcpy(&a.sin6_addr, e->address[i], 16);
		name_address(&a, c->address, sizeof(c->address));
		start = connect_now();
		error = connect_tcp(&a, fd);
		c->tcp_ms = connect_now() - start;
		if (error == 0)
			return 0;
		snprintf(c->trouble, sizeof(c->trouble), "%s port %u: %s", c->address, e->port,
			strerror(error));
	}
	return -1;
}

/* Steps the connection until it is done or the time is up; false then. */
static bool step(struct conn *n, int fd, double end_ms, enum conn_event (*act)(struct conn *n),
	enum conn_event *out)
{
	for (;;) {
		enum conn_event event = act(n);
		struct pollfd p = { .fd = fd };

		*out = event;
		if (event == CONN_WANT_READ)
			p.events = POLLIN;
		else if (event == CONN_WANT_WRITE)
			p.events = POLLOUT;
		else
			return true;
		if (poll(&p, 1, remaining(end_ms)) <= 0 && remaining(end_ms) == 0)
			return false;
	}
}

/* What the octets say is of no interest; that there are some is. */
static enum conn_event listen_to(struct conn *n)
{
	char ignored[512];
	size_t count;

	return conn_read(n, ignored, sizeof(ignored), &count);
}

/*
 * RFC 8446 section 4.4.4: we may be done while the server still decides about us, perhaps
 * waiting for DNS. Its refusal is an alert that comes later; its consent is silence.
 */
static void await_welcome(struct connect *c, struct conn *n, int fd, unsigned wait_ms)
{
	enum conn_event event = CONN_READY;

	if (!step(n, fd, connect_now() + wait_ms, listen_to, &event))
		c->welcome = CONNECT_SILENT;
	else if (event == CONN_READY)
		c->welcome = CONNECT_SPOKEN_TO;
	else
		c->welcome = event == CONN_CLOSED ? CONNECT_DROPPED : CONNECT_REFUSED;
	if (c->welcome == CONNECT_REFUSED)
		snprintf(c->why, sizeof(c->why), "the server refused us: %s", conn_peer(n)->reason);
	if (c->welcome == CONNECT_DROPPED)
		snprintf(c->why, sizeof(c->why), "the server closed the connection at once");
}

/* An absent file is no session yet. */
static int offer_session(struct conn *n, const char *path, struct err *err)
{
	struct buf saved = { 0 };
	int rc = 0;

	if (!path || access(path, F_OK) != 0)
		return 0;
	rc = wholefile_read("session", path, &saved, err);
	if (rc == 0)
		rc = conn_session_offer(n, buf_span(&saved), err);
	if (saved.p)
		secret_wipe_octets(saved.p, saved.n);
	buf_done(&saved);
	return rc ? err_wrap(err, rc, "'%s'", path) : 0;
}

static int keep_session(struct conn *n, const char *path, struct err *err)
{
	struct buf saved = { 0 };
	int rc = path ? conn_session_save(n, &saved, err) : 0;

	if (rc == 0 && saved.n)
		rc = pemfile_write(path, 0600, true, buf_span(&saved), err);
	if (saved.p)
		secret_wipe_octets(saved.p, saved.n);
	buf_done(&saved);
	return rc;
}

static void keep_times(struct connect *c)
{
	if (c->times_count < CONNECT_TIMES_MAX)
		c->times[c->times_count++] = (struct connect_times){ .dns_ms = c->dns_ms,
			.tcp_ms = c->tcp_ms,
			.tls_ms = c->tls_ms,
			.resumed = c->peer.resumed };
}

static void shake_hands(struct connect *c, struct conn *n, int fd, unsigned wait_ms)
{
	const double start = connect_now();
	enum conn_event event = CONN_READY;
	bool ended = step(n, fd, start + TLS_MS, conn_handshake, &event);

	c->tls_ms = connect_now() - start;
	c->greeted = true;
	c->peer = *conn_peer(n);
	snprintf(c->version, sizeof(c->version), "%s", conn_version(n));
	if (!ended)
		peer_refuse(&c->peer, PEER_REFUSED_PROTOCOL, "no handshake within %d s",
			TLS_MS / 1000);
	keep_times(c);
	if (ended && event == CONN_READY)
		await_welcome(c, n, fd, wait_ms);
}

int connect_greet(struct connect *c, const struct tls_client_config *config,
	const struct connect_manner *manner, struct err *err)
{
	struct tls_client *client = NULL;
	struct conn *n = NULL;
	int fd = -1;
	int rc = tls_client_new(config, &client, err);

	if (rc != 0)
		return rc;
	for (unsigned i = 0; fd < 0 && i < c->service->count; i++)
		if (c->service->endpoint[i].proof != SERVICE_REFUSED)
			connect_endpoint(c, &c->service->endpoint[i], &fd);
	c->connected = fd >= 0;
	if (c->connected) {
		rc = conn_new_client(client, c->endpoint, fd, &n, err);
		if (rc == 0)
			rc = offer_session(n, manner->session, err);
		if (rc == 0)
			shake_hands(c, n, fd, manner->wait_ms);
		if (rc == 0 && connect_is_authenticated(c))
			rc = keep_session(n, manner->session, err);
		conn_free(n);
		close(fd);
	}
	tls_client_free(client);
	return rc;
}
