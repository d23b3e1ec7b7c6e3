/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxyback - a backend that costs little: "POST /N" is answered with N octets, again and again.
 *
 *   Prints its port, serves on loopback until killed. One thread, epoll, connections kept alive.
 *   It reads a head and the Content-Length after it, and nothing else of HTTP.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_MAX 4096

struct client {
	int fd;
	char in[HEAD_MAX];
	size_t have;
	size_t body; /* octets of a request still to come */
	char head[96];
	size_t head_n, head_sent;
	unsigned long long left; /* octets of a reply still to go */
	bool replying, writing;  /* writing: and it waits for room */
};

static char filler[256 << 10];
static int epoll;

static void watch(struct client *c, int op, unsigned events)
{
	struct epoll_event e = { .events = events, .data.ptr = c };

	epoll_ctl(epoll, op, c->fd, &e);
}

static void drop(struct client *c)
{
	close(c->fd);
	free(c);
}

/* Octets gone; 0: none now; -1: broken. */
static ssize_t give(struct client *c, const char *p, size_t n)
{
	ssize_t sent = send(c->fd, p, n, MSG_NOSIGNAL | (c->left ? MSG_MORE * (p == c->head) : 0));

	return sent >= 0 ? sent : errno == EAGAIN ? 0 : -1;
}

/* True: the reply has left; false: later, or *broken. */
static bool reply(struct client *c, bool *broken)
{
	ssize_t n = 1;

	while (n > 0 && (c->head_sent < c->head_n || c->left)) {
		bool head = c->head_sent < c->head_n;
		size_t want = head                ? c->head_n - c->head_sent
			: c->left > sizeof filler ? sizeof filler
						  : (size_t)c->left;
		n = give(c, head ? c->head + c->head_sent : filler, want);
		if (n > 0 && head)
			c->head_sent += (size_t)n;
		else if (n > 0)
			c->left -= (unsigned long long)n;
	}
	*broken = n < 0;
	return n > 0;
}

/* One request out of what is there; false: not all is here, or none. */
static bool take_request(struct client *c)
{
	char *end = memmem(c->in, c->have, "\r\n\r\n", 4), *length;
	size_t head = end ? (size_t)(end - c->in) + 4 : 0;
	const char *path = memchr(c->in, '/', c->have);

	if (!end || !path)
		return false;
	*end = '\0';
	length = strcasestr(c->in, "\r\nContent-Length:");
	c->body = length ? strtoul(length + 17, NULL, 10) : 0;
	c->left = strtoull(path + 1, NULL, 10);
	c->head_n = (size_t)snprintf(c->head, sizeof c->head,
		"HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n", c->left);
	c->head_sent = 0;
	c->have -= head;
	memmove(c->in, c->in + head, c->have);
	return true;
}

static bool has_body(struct client *c)
{
	size_t n = c->body < c->have ? c->body : c->have;

	c->body -= n;
	c->have -= n;
	memmove(c->in, c->in + n, c->have);
	return c->body == 0;
}

/* All that can be done now; false: the client is to go. */
static bool serve(struct client *c)
{
	bool broken = false;

	for (;;) {
		if (c->replying && !reply(c, &broken)) {
			if (!c->writing)
				watch(c, EPOLL_CTL_MOD, EPOLLOUT);
			c->writing = true;
			return !broken;
		}
		if (c->replying)
			c->head_n = 0;
		c->replying = false;
		if (c->writing)
			watch(c, EPOLL_CTL_MOD, EPOLLIN);
		c->writing = false;
		if (c->head_n == 0 && !take_request(c))
			return c->have < HEAD_MAX;
		if (!has_body(c))
			return true;
		c->replying = true;
	}
}

static bool readable(struct client *c)
{
	ssize_t n = recv(c->fd, c->in + c->have, sizeof c->in - c->have, 0);

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	c->have += (size_t)n;
	return serve(c);
}

static void take_all(int listener)
{
	int fd, one = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		struct client *c = calloc(1, sizeof *c);

		if (!c)
			abort();
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		c->fd = fd;
		watch(c, EPOLL_CTL_ADD, EPOLLIN);
	}
}

int main(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct epoll_event e[64] = { { .events = EPOLLIN } };

	epoll = epoll_create1(0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&a, n) || listen(listener, 4096) ||
		getsockname(listener, (struct sockaddr *)&a, &n) ||
		epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e[0]))
		return 1;
	printf("%u\n", ntohs(a.sin_port));
	fflush(stdout);
	for (;;) {
		int ready = epoll_wait(epoll, e, 64, -1);

		for (int i = 0; i < ready; i++) {
			struct client *c = e[i].data.ptr;

			if (!c)
				take_all(listener);
			else if (!(c->writing ? serve(c) : readable(c)))
				drop(c);
		}
	}
}
