/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect - one connection, and everything that was learned on the way.
 *
 *   find (connectfind.c) --> greet (connectgreet.c) --> show (connectshow.c)
 *
 *   Time       ms with fractions, each step by itself.
 *   Ownership  struct connect holds what it found until connect_done.
 */
#ifndef CLI_CONNECT_H
#define CLI_CONNECT_H

#include "core/err.h"
#include "dane/service.h"
#include "resolve/resolver.h"
#include "tls/conn.h"

struct connect_question {
	struct question question;
	struct answer *answer;
	double ms;
};

/* What the server made of us: in TLS 1.3 our handshake ends before it has decided. */
enum connect_welcome {
	CONNECT_NOT_ASKED, /* we did not come so far */
	CONNECT_SPOKEN_TO, /* it sent octets of its own: it took us */
	CONNECT_SILENT,    /* no objection while we waited */
	CONNECT_REFUSED,   /* it sent an alert; why has the words */
	CONNECT_DROPPED,   /* it closed the connection without one */
};

#define CONNECT_TIMES_MAX 100

struct connect_times {
	double dns_ms, tcp_ms, tls_ms;
	bool resumed;
};

/* How to greet. */
struct connect_manner {
	unsigned wait_ms;    /* to listen whether the server objects */
	const char *session; /* file of a session to resume, and to keep; NULL: none */
};

struct connect {
	size_t times_count; /* this connection, and those that were added */
	struct connect_times times[CONNECT_TIMES_MAX];
	size_t question_count;
	struct connect_question question[SERVICE_QUESTIONS_MAX];
	double dns_ms;
	struct service *service;
	const struct service_endpoint *endpoint; /* the one tried last; NULL: none */
	char address[64];                        /* of it */
	char trouble[200];                       /* of connecting by TCP; "": none */
	bool connected;
	double tcp_ms, tls_ms;
	bool greeted; /* peer and version are set */
	struct peer peer;
	char version[16];
	enum connect_welcome welcome;
	char why[200];
};

/* Asks what must be asked; c->service is there on success. */
int connect_find(struct connect *c, struct resolver *r, const struct service_target *target,
	enum tls_mode mode, struct err *err);

/* Connects to the first endpoint that lets itself be connected to, shakes hands, and listens
 * whether the server objects. */
int connect_greet(struct connect *c, const struct tls_client_config *config,
	const struct connect_manner *manner, struct err *err);

/* Adds the times of another connection to those of c, as many as there is room for. */
void connect_take_times(struct connect *c, const struct connect *other);

bool connect_is_authenticated(const struct connect *c);
void connect_show(const struct connect *c, const struct tls_client_config *config, bool json);
void connect_done(struct connect *c);

/* Milliseconds of a clock that does not jump. */
double connect_now(void);

#endif
