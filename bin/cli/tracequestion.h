/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracequestion - the options that say what to trace: "sardane trace" and "sardane check" share
 * them.
 *
 *   Errors  one line on standard error, 2.
 */
#ifndef CLI_TRACEQUESTION_H
#define CLI_TRACEQUESTION_H

#include "cli/command.h"
#include "cli/tracework.h"

enum {
	TRACEQUESTION_SERVICE = 1,
	TRACEQUESTION_CLIENT,
	TRACEQUESTION_CERT,
	TRACEQUESTION_KEY,
	TRACEQUESTION_NO_CONNECT,
	TRACEQUESTION_STORE,
	TRACEQUESTION_AT,
	TRACEQUESTION_RESOLVER,
	TRACEQUESTION_TIMEOUT,
	TRACEQUESTION_OPTIONS_END,
};

#define TRACEQUESTION_OPTIONS                                                    \
	{ "service", required_argument, NULL, TRACEQUESTION_SERVICE },           \
		{ "client", no_argument, NULL, TRACEQUESTION_CLIENT },           \
		{ "cert", required_argument, NULL, TRACEQUESTION_CERT },         \
		{ "key", required_argument, NULL, TRACEQUESTION_KEY },           \
		{ "no-connect", no_argument, NULL, TRACEQUESTION_NO_CONNECT },   \
		{ "store", required_argument, NULL, TRACEQUESTION_STORE },       \
		{ "at", required_argument, NULL, TRACEQUESTION_AT },             \
		{ "resolver", required_argument, NULL, TRACEQUESTION_RESOLVER }, \
	{                                                                        \
		"timeout", required_argument, NULL, TRACEQUESTION_TIMEOUT        \
	}

struct tracequestion {
	const char *cert, *key, *store;
	bool has_service, client, no_connect;
	uint16_t port;
	char proto[8];
	int64_t at;
	struct tracework_config work;
};

int tracequestion_option(const struct command *self, int c, struct tracequestion *q);

/* "8003/tcp" */
int tracequestion_service(const struct command *self, const char *text, struct tracequestion *q);

/* "30d", "12h", "90m", "5s", "2w": seconds. ERR_FORMAT. */
int tracequestion_span(const char *text, int64_t *out);

/* The question for one name. */
int tracequestion_of(const struct command *self, const struct tracequestion *q, const char *name,
	struct trace_question *out);

#endif
