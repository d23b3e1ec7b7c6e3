/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair - two real conns over a socketpair, turned until both have decided.
 */
#ifndef TESTS_LIB_PAIR_H
#define TESTS_LIB_PAIR_H

#include "tls/conn.h"

struct pair {
	int fd[2];
	struct conn *server, *client;
	enum conn_event at_server, at_client; /* CONN_READY or CONN_REFUSED in the end */
};

/* False when memory was out; then the pair is closed again. */
bool pair_open(struct pair *p, struct tls_server *server, struct tls_client *client,
	const struct service_endpoint *endpoint);
void pair_close(struct pair *p);

/* The client's last word comes from reading: only then it knows what the server thinks. */
void pair_run(struct pair *p, struct resolver *r);

/* What DNS says about host and port; waits for it. NULL: memory. */
struct service *pair_find(struct resolver *r, const char *host, uint16_t port, enum tls_mode mode);

#endif
