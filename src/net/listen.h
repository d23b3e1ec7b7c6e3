/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen - addresses in words, and a listening TCP socket that hands out connections.
 *
 *   Bounds     at most 8 accepts per turn of the loop. When descriptors run out, waiting
 *              connections are left in the backlog and accept rests for 100 ms at a time.
 *   Errors     ERR_FORMAT (the address), ERR_SYSTEM (bind, listen).
 */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>
#include <uv.h>

#include "core/err.h"

/* "192.0.2.1:8003", "[2001:db8::1]:8003", "localhost:0", ":8003" (every address). No name
 * but localhost: a listener must not wait for DNS. */
int listen_read_address(const char *text, struct sockaddr_storage *out, struct err *err);

/* Before the path of a Unix socket, where one is allowed. */
#define LISTEN_UNIX "unix:"

bool listen_is_unix(const char *text);
int listen_read_unix(const char *text, struct sockaddr_un *out, struct err *err);

/* "unix", "192.0.2.1:8003" or "[2001:db8::1]:8003"; 56 octets are enough. */
const char *listen_write_address(const struct sockaddr *address, char *out, size_t cap);

bool listen_is_loopback(const struct sockaddr *address);

/* Who is behind an address, for budgets: the IPv4 address, or the /64 of an IPv6 one.
 * Never 0. */
uint64_t listen_source(const struct sockaddr *address);

struct listen;

/* fd is non-blocking and the callee's from then on. */
typedef void listen_accepted(void *arg, int fd, const struct sockaddr *from);

/*
 * A listening socket: of an address as above, or "unix:/path", whose file is made anew when
 * nobody listens there. shared: others may listen on the same port (SO_REUSEPORT).
 */
int listen_open(const char *bind, bool shared, int *out, struct err *err);
/* The two halves of it: a socket with its address, to which nobody can connect yet; and from now
 * on they can. A socket that listens already may be told again. */
int listen_bind(const char *bind, bool shared, int *out, struct err *err);
int listen_begin(int fd, struct err *err);
uint16_t listen_port_of(int fd);

/* fd is the listener's from then on, closed on error. */
int listen_new_on(uv_loop_t *loop, int fd, listen_accepted *accepted, void *arg,
	struct listen **out, struct err *err);
int listen_new(uv_loop_t *loop, const char *bind, listen_accepted *accepted, void *arg,
	struct listen **out, struct err *err);
/* Counts the times that accept rests for want of descriptors or memory, from now on. */
void listen_count_rests(struct listen *l, uint64_t *rests);
uint16_t listen_port(const struct listen *l);
void listen_free(struct listen *l); /* stops at once; the handles close with the loop's turn */

#endif
