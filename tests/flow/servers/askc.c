/* SPDX-License-Identifier: Apache-2.0 */
/*
 * askc - what src/servers sees, as lines for a test.
 *   askc ask NAME TYPE MS ADDRESS...   a line per server: outcome rcode octets udp|tcp words
 *   askc zone NAME ROOT PORT           the zone that holds the name, and its servers
 *   askc stream COUNT TYPE MS BELOW ADDRESS...   about n0.BELOW, n1.BELOW, ... by TCP; a line
 *                                      per server: how many answered, with records, unanswered,
 *                                      twice; and the last words
 */
#include "servers/evidence.h"
#include "servers/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int ask(int argc, char **argv)
{
	static const char *const words[] = { "answered", "silent", "unreachable", "broken" };
	const struct query_manner manner = { .timeout_ms = (unsigned)atoi(argv[4]) };
	struct query_answer answers[QUERY_SERVERS_MAX];
	struct address to[QUERY_SERVERS_MAX];
	size_t n = (size_t)argc - 5;
	struct name name;
	struct err err = { 0 };

	for (size_t i = 0; i < n && i < QUERY_SERVERS_MAX; i++)
		if (address_read(argv[5 + i], &to[i], &err) != 0)
			return 2;
	if (name_of(argv[2], &name) != 0 ||
		query_ask(to, n, &name, (uint16_t)atoi(argv[3]), &manner, answers, &err) != 0) {
		printf("error %s\n", err.msg);
		return 2;
	}
	for (size_t i = 0; i < n; i++)
		printf("%s %d %zu %s %s\n", words[answers[i].outcome],
			answers[i].packet ? (int)ldns_pkt_get_rcode(answers[i].packet) : -1,
			answers[i].octets, answers[i].tcp ? "tcp" : "udp", answers[i].why);
	query_done(answers, n);
	return 0;
}

static int zone(char **argv)
{
	struct address root;
	struct delegation_config config = { .root = &root,
		.root_count = 1,
		.port = (uint16_t)atoi(argv[4]),
		.timeout_ms = 1000 };
	char text[ASKED_SERVER_TEXT_MAX];
	struct delegation_walk *w;
	struct delegation *d;
	struct name name;
	struct err err;

	if (name_of(argv[2], &name) != 0 || address_read(argv[3], &root, &err) != 0 ||
		delegation_open(&config, &w, &err) != 0)
		return 2;
	if (delegation_of(w, &name, &d, &err) != 0) {
		printf("error %s\n", err.msg);
		delegation_close(w);
		return 2;
	}
	for (const struct delegation *at = d; at; at = at->parent) {
		name_write_text(&at->zone, text, sizeof(text));
		printf("zone %s\n", text);
	}
	for (size_t i = 0; i < d->count; i++) {
		asked_server_text(&d->server[i].host, &d->server[i].address, text);
		printf("server %s%s%s\n", text, d->server[i].by_parent ? " parent" : "",
			d->server[i].by_child ? " child" : "");
	}
	for (size_t i = 0; i < d->lost; i++) {
		name_write_text(&d->lost_host[i], text, sizeof(text));
		printf("lost %s\n", text);
	}
	delegation_close(w);
	return 0;
}

struct heard {
	size_t answered, with, silent, twice;
	const char *why;
	bool *seen;
};

static int hear(void *arg, size_t server, size_t name, const struct stream_answer *a,
	struct err *err)
{
	struct heard *h = (struct heard *)arg + server;

	(void)err;
	h->twice += h->seen[name];
	h->seen[name] = true;
	h->answered += a->outcome == QUERY_ANSWERED;
	h->with += a->outcome == QUERY_ANSWERED && a->message.answers > 0;
	h->silent += a->outcome != QUERY_ANSWERED;
	if (a->outcome != QUERY_ANSWERED)
		h->why = a->why;
	return 0;
}

static int stream(int argc, char **argv)
{
	struct address to[QUERY_SERVERS_MAX];
	struct heard heard[QUERY_SERVERS_MAX] = { 0 };
	struct stream_order o = { .to = to,
		.servers = (size_t)argc - 6,
		.count = (size_t)atoi(argv[2]),
		.type = (uint16_t)atoi(argv[3]),
		.timeout_ms = (unsigned)atoi(argv[4]),
		.take = hear,
		.arg = heard };
	struct name *names = calloc(o.count + 1, sizeof(*names));
	struct err err = { 0 };
	char text[200];
	int rc = names ? 0 : 1;

	for (size_t i = 0; rc == 0 && i < o.count; i++) {
		snprintf(text, sizeof(text), "n%zu.%.100s", i, argv[5]);
		rc = name_of(text, &names[i]);
	}
	for (size_t i = 0; rc == 0 && i < o.servers; i++) {
		heard[i].seen = calloc(o.count + 1, 1);
		rc = heard[i].seen ? address_read(argv[6 + i], &to[i], &err) : 1;
	}
	o.names = names;
	if (rc == 0)
		rc = stream_run(&o, &err);
	for (size_t i = 0; rc == 0 && i < o.servers; i++)
		printf("%zu %zu %zu %zu %s\n", heard[i].answered, heard[i].with, heard[i].silent,
			heard[i].twice, heard[i].why ? heard[i].why : "");
	if (rc != 0)
		printf("error %s\n", err.msg);
	for (size_t i = 0; i < o.servers; i++)
		free(heard[i].seen);
	free(names);
	return rc ? 2 : 0;
}

int main(int argc, char **argv)
{
	if (argc > 6 && argc <= 6 + QUERY_SERVERS_MAX && strcmp(argv[1], "stream") == 0)
		return stream(argc, argv);
	if (argc > 5 && strcmp(argv[1], "ask") == 0)
		return ask(argc, argv);
	if (argc == 5 && strcmp(argv[1], "zone") == 0)
		return zone(argv);
	return 2;
}
