/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postc - posts to a target and prints what came of it, for the tests of net/.
 *
 *   postc CONFIG TARGET [POSTS [IN-FLIGHT [BODY [GAP-MS]]]]
 *
 *   CONFIG  YAML: client (tls block), resolver, limits
 *   TARGET  an URL, join:EUI@SUFFIX, or net:ID@SUFFIX
 *   Prints one line per post: "ok 200 reused=1 octets=5 dns_ms=0 connect_ms=0 total_ms=1
 *   body=hello" or "failed WORDS"; at the end "done N ok=N us=N" and the longest turn.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "net/http_client.h"
#include "net/loop.h"
#include "net/resolving.h"
#include "net/secure.h"
#include "net/stall.h"
#include "program/log.h"
#include "program/resolver_config.h"

struct postc_config {
	struct tls_block client;
	struct resolver_block resolver;
	unsigned timeout_ms, waiting_max, connections_max, body_max;
};

#define NUMBER(key) CYAML_FIELD_UINT(#key, CYAML_FLAG_OPTIONAL, struct postc_config, key)

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_MAPPING("client", CYAML_FLAG_DEFAULT, struct postc_config, client,
		tls_config_fields),
	CYAML_FIELD_MAPPING("resolver", CYAML_FLAG_OPTIONAL, struct postc_config, resolver,
		resolver_config_fields),
	NUMBER(timeout_ms),
	NUMBER(waiting_max),
	NUMBER(connections_max),
	NUMBER(body_max),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = CONFIG_SCHEMA(struct postc_config, fields);

struct postc {
	uv_loop_t loop;
	uv_timer_t gap;
	struct http_client *http;
	struct http_target target;
	struct resolver *resolver;
	struct resolving *resolving;
	struct tls_client *tls;
	struct stall *stall;
	struct buf_of_body {
		uint8_t *p;
		size_t n;
	} body;
	unsigned left, open, in_flight, done, ok, gap_ms;
	uint64_t began_ns;
};

static void more(struct postc *c);

static void gap_over(uv_timer_t *timer)
{
	more(timer->data);
}

static void end(struct postc *c)
{
	struct stall_report r;
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	stall_report(c->stall, &r);
	printf("done %u ok=%u us=%" PRIu64 " cpu_us=%ld longest_turn_us=%" PRIu64
	       " longest_turn_cpu_us=%" PRIu64 "\n",
		c->done, c->ok, (uv_hrtime() - c->began_ns) / 1000,
		(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000L +
			usage.ru_utime.tv_usec + usage.ru_stime.tv_usec,
		r.longest_us, r.longest_cpu_us);
	http_client_free(c->http);
	resolving_free(c->resolving);
	stall_free(c->stall);
	uv_close((uv_handle_t *)&c->gap, NULL);
}

static void ended(uv_timer_t *timer)
{
	end(timer->data);
}

static void answered(void *arg, const struct http_result *r)
{
	struct postc *c = arg;

	c->open--;
	c->done++;
	c->ok += r->ok;
	if (r->ok)
		printf("ok %u reused=%d octets=%zu dns_ms=%u connect_ms=%u total_ms=%u peer=%d "
		       "body=%.*s\n",
			r->status, r->reused, r->body.n, r->dns_ms, r->connect_ms, r->total_ms,
			r->peer && r->peer->authenticated, r->body.n < 4096 ? (int)r->body.n : 0,
			(const char *)r->body.p);
	else
		printf("failed total_ms=%u %s\n", r->total_ms, r->why);
	fflush(stdout);
	if (c->left == 0 && c->open == 0)
		uv_timer_start(&c->gap, ended, 0, 0);
	else if (c->gap_ms)
		uv_timer_start(&c->gap, gap_over, c->gap_ms, 0);
	else
		more(c);
}

static void more(struct postc *c)
{
	while (c->left > 0 && c->open < c->in_flight) {
		c->left--;
		c->open++;
		http_client_post(c->http, &c->target, (struct span){ c->body.p, c->body.n },
			answered, c);
	}
}

static void target_of(const char *text, struct http_target *out)
{
	const char *at = strchr(text, '@');

	if (strncmp(text, "join:", 5) == 0 || strncmp(text, "net:", 4) == 0)
		*out = (struct http_target){
			.kind = text[0] == 'j' ? HTTP_TARGET_JOIN_EUI : HTTP_TARGET_NET_ID,
			.id = strtoull(strchr(text, ':') + 1, NULL, 16),
			.suffix = at ? at + 1 : "",
		};
	else
		*out = (struct http_target){ .kind = HTTP_TARGET_URL, .url = text };
}

static int open_all(struct postc *c, struct postc_config *config,
	struct resolver_settings *settings, struct err *err)
{
	struct http_client_config http = {
		.loop = &c->loop,
		.mode = secure_mode(&config->client),
		.timeout_ms = config->timeout_ms,
		.waiting_max = config->waiting_max,
		.connections_max = config->connections_max,
		.body_max = config->body_max,
	};
	int rc = 0;

	if (!config->client.insecure_plain) {
		rc = resolver_config_of(&config->resolver, settings, err);
		if (rc == 0)
			rc = resolver_new(&settings->config, &c->resolver, err);
		if (rc == 0)
			rc = resolving_new(&c->loop, c->resolver, &c->resolving, err);
	}
	if (rc == 0)
		rc = secure_client_new(&config->client, "client", &c->tls, err);
	http.tls = c->tls;
	http.resolver = c->resolver;
	if (rc == 0)
		rc = stall_new(&c->loop, 2000, &c->stall, err);
	if (rc == 0)
		rc = http_client_new(&http, &c->http, err);
	return rc;
}

static int body_of(struct postc *c, const char *text)
{
	/* "@N" is N octets of x. */
	c->body.n = text[0] == '@' ? strtoul(text + 1, NULL, 10) : strlen(text);
	c->body.p = malloc(c->body.n + 1);
	if (!c->body.p)
		return -1;
	memset(c->body.p, 'x', c->body.n);
	if (text[0] != '@')
		memcpy(c->body.p, text, c->body.n);
	return 0;
}

int main(int argc, char **argv)
{
	struct postc c = { .in_flight = 1 };
	struct resolver_settings settings = { .file = NULL };
	struct err err = { 0 };
	void *loaded = NULL;

	log_open("postc", getenv("POSTC_DEBUG") ? TRACE_DEBUG : TRACE_INFO, 0);
	if (argc < 3 || config_load(argv[1], &schema, &loaded, &err) != 0) {
		fprintf(stderr, "postc: %s\n", argc >= 3 ? err.msg : "usage: postc CONFIG TARGET");
		return 2;
	}
	target_of(argv[2], &c.target);
	c.left = argc > 3 ? (unsigned)atoi(argv[3]) : 1;
	c.in_flight = argc > 4 ? (unsigned)atoi(argv[4]) : 1;
	c.gap_ms = argc > 6 ? (unsigned)atoi(argv[6]) : 0;
	uv_loop_init(&c.loop);
	uv_timer_init(&c.loop, &c.gap);
	c.gap.data = &c;
	if (body_of(&c, argc > 5 ? argv[5] : "{}") != 0 ||
		open_all(&c, loaded, &settings, &err) != 0) {
		fprintf(stderr, "postc: %s\n", err.msg);
		return 2;
	}
	c.began_ns = uv_hrtime();
	more(&c);
	uv_run(&c.loop, UV_RUN_DEFAULT);
	if (loop_close(&c.loop, &err) != 0)
		fprintf(stderr, "postc: %s\n", err.msg);
	tls_client_free(c.tls);
	resolver_free(c.resolver);
	resolver_config_done(&settings);
	config_free(&schema, loaded);
	free(c.body.p);
	return err.code != 0 ? 1 : 0;
}
