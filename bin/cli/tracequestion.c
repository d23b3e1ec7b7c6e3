/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tracequestion.h"

#include "cli/option.h"
#include "cli/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int tracequestion_span(const char *text, int64_t *out)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	unsigned n;
	char unit, rest;

	if (text[0] < '0' || text[0] > '9' || sscanf(text, "%6u%c%c", &n, &unit, &rest) != 2)
		return ERR_FORMAT;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].unit != unit)
			continue;
		*out = n * units[i].seconds;
		return 0;
	}
	return ERR_FORMAT;
}

/* "+30d" from now, or a moment. */
static int read_at(const struct command *self, int64_t *out)
{
	struct err err;
	time_t at;

	if (optarg[0] == '+') {
		if (tracequestion_span(optarg + 1, out) != 0)
			return command_fail(self, "--at '%s': not like +30d, +12h, +90m or +2w",
				optarg);
		*out += (int64_t)time(NULL);
		return 0;
	}
	if (text_read_time(optarg, &at, &err) != 0)
		return command_fail(self, "--at: %s", err.msg);
	*out = at;
	return 0;
}

int tracequestion_service(const struct command *self, const char *text, struct tracequestion *q)
{
	unsigned port;
	char rest;

	if (sscanf(text, "%5u/%7[a-z]%c", &port, q->proto, &rest) != 2 || port < 1 ||
		port > 65535 ||
		(strcmp(q->proto, "tcp") != 0 && strcmp(q->proto, "udp") != 0 &&
			strcmp(q->proto, "sctp") != 0))
		return command_fail(self, "service '%s': not like 8003/tcp", text);
	q->port = (uint16_t)port;
	q->has_service = true;
	return 0;
}

int tracequestion_option(const struct command *self, int c, struct tracequestion *q)
{
	switch (c) {
	case TRACEQUESTION_SERVICE: return tracequestion_service(self, optarg, q);
	case TRACEQUESTION_CLIENT: q->client = true; return 0;
	case TRACEQUESTION_CERT: q->cert = optarg; return 0;
	case TRACEQUESTION_KEY: q->key = optarg; return 0;
	case TRACEQUESTION_NO_CONNECT: q->no_connect = true; return 0;
	case TRACEQUESTION_STORE: q->store = optarg; return 0;
	case TRACEQUESTION_AT: return read_at(self, &q->at);
	case TRACEQUESTION_RESOLVER: q->work.resolver = optarg; return 0;
	case TRACEQUESTION_TIMEOUT:
		return option_number(self, "--timeout", optarg, 10, 60000, &q->work.timeout_ms);
	}
	return 2;
}

/* What the records are held against. */
static enum trace_against against(const struct tracequestion *q, const struct trace_question *t)
{
	if (q->cert)
		return TRACE_CERTIFICATE;
	if (q->key)
		return TRACE_KEY;
	if (q->no_connect || q->client || t->port == 0 || strcmp(t->proto, "tcp") != 0)
		return TRACE_DNS_ONLY;
	return TRACE_SERVICE;
}

int tracequestion_of(const struct command *self, const struct tracequestion *q, const char *name,
	struct trace_question *out)
{
	*out = (struct trace_question){ .at = q->at,
		.client = q->client,
		.store = q->store,
		.file = q->cert ? q->cert : q->key };
	if (name_of(name, &out->name) != 0)
		return command_fail(self, "'%s': not a domain name", name);
	if (q->cert && q->key)
		return command_fail(self, "--cert and --key: give one");
	if (q->client && q->has_service)
		return command_fail(self, "--client and --service: give one");
	if (q->has_service) {
		out->has_host = true;
		out->host = out->name;
		out->port = q->port;
		memcpy(out->proto, q->proto, sizeof(out->proto));
	} else if (!q->client) {
		tracework_split_owner(&out->name, out);
	}
	out->against = against(q, out);
	return 0;
}
