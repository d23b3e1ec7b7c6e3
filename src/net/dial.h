/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial - connect to the first of some addresses that answers.
 *
 *   next address --refused, or 250 ms--> next address ... > the first that answers; the others
 *                                                           are dropped
 *
 *   Source     RFC 8305 section 5 (connection attempts); the order is the list's, see
 *              dial_list_sort for section 4.
 *   Bounds     DIAL_AT_ONCE attempts at a time, DIAL_MAX addresses, one deadline.
 *   Cost       an address that answers at once (a Unix socket) takes no memory and no timer.
 *   Ownership  the list is borrowed until done; a connected socket is the callee's of done.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <netinet/in.h>
#include <sys/un.h>
#include <uv.h>

#include "core/err.h"
#include "dane/service.h"

#define DIAL_MAX     32
#define DIAL_AT_ONCE 4

union dial_address {
	struct sockaddr any;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

struct dial_list {
	unsigned count;
	union dial_address address[DIAL_MAX];
	uint8_t endpoint[DIAL_MAX]; /* of a service: whose address this is */
};

/* "127.0.0.1:1883", "[::1]:80", "unix:/run/x.sock". ERR_FORMAT with words. */
int dial_read_address(const char *text, union dial_address *out, struct err *err);
socklen_t dial_octets(const union dial_address *a);
/* Those of the endpoints that may be connected to, in their order; of one endpoint IPv6 and IPv4
 * by turns, IPv6 first. */
void dial_list_of(const struct service *service, struct dial_list *out);

struct dial;

/* fd is connected to address index; or -1, and why says what the last one said. */
typedef void dial_done(void *arg, int fd, unsigned index, const char *why);

struct dial_config {
	uv_loop_t *loop;
	const struct dial_list *list;
	unsigned first; /* addresses before it are passed over */
	unsigned timeout_ms;
	dial_done *done;
	void *arg;
};

/* done is called once, maybe before this returns: then *out is NULL. ERR_NOMEM. */
int dial_new(const struct dial_config *config, struct dial **out, struct err *err);
void dial_free(struct dial *d); /* done is not called any more; NULL: nothing */

#endif
