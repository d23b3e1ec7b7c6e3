/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe - a resolver on a command line: flags configure it, lines on standard input ask it.
 *
 *   probe [--helper P] [--anchor F] [--managed F] [--forward A]... [--stub ZONE=A]...
 *         [--resolv-conf F] [--ad SERVER] [--override-date D] [--user U] [--deadline MS]
 *         [--open-max N] [--per-source N] [--serve-stale S]
 *   ask COUNT NAME TYPE SOURCE TIMEOUT     COUNT questions; a line per answer
 *   cached NAME TYPE | forget NAME TYPE | stats
 *   strict NAME TYPE                       1,000 cached hits where any system call kills
 *   end of input: leaves
 */
#include "dns/rr.h"
#include "resolve/resolver.h"

#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIST_MAX 8

struct asked {
	struct ask ask;
	struct question question;
};

static void print_answer(const char *event, const struct question *q, const struct answer *a)
{
	char name[NAME_TEXT_MAX] = "", final[NAME_TEXT_MAX] = "-", type[12];

	name_write_text(&q->name, name, sizeof(name));
	if (a->final.n)
		name_write_text(&a->final, final, sizeof(final));
	printf("%s name=%s type=%s status=%s records=%u ttl=%u nxdomain=%d aliased=%d final=%s "
	       "rcode=%u octets=%zu stale=%d why=%s\n",
		event, name, rr_type_word(q->type, type, sizeof(type)),
		answer_status_word(a->status), a->count, a->ttl_s, a->nxdomain, a->aliased, final,
		a->rcode, a->count ? a->rdata[0].n : 0, a->stale, a->why);
	fflush(stdout);
}

static void woken(struct ask *ask)
{
	struct asked *asked = (struct asked *)ask;

	print_answer("answer", &asked->question, ask->answer);
	ask_done(ask);
	free(asked);
}

static void ask(struct resolver *r, const struct question *q, uint64_t source, unsigned timeout_ms)
{
	struct asked *asked = calloc(1, sizeof(*asked));

	if (!asked)
		abort();
	asked->question = *q;
	asked->ask.wake = woken;
	resolver_ask(r, q, source, timeout_ms, &asked->ask);
	if (asked->ask.answer)
		woken(&asked->ask);
}

static uint16_t type_of(const char *word)
{
	for (uint16_t type = 1; type < 300; type++) {
		char out[12];

		if (strcmp(rr_type_word(type, out, sizeof(out)), word) == 0)
			return type;
	}
	return (uint16_t)atoi(word);
}

static void print_stats(const struct resolver *r)
{
	struct resolver_stats s;

	resolver_stats(r, &s);
	printf("stats asked=%lu cached=%lu coalesced=%lu sent=%lu refused=%lu timed_out=%lu "
	       "restarts=%lu prefetched=%lu open=%lu names=%lu octets=%lu stale=%lu\n",
		s.asked, s.cached, s.coalesced, s.sent, s.refused_budget, s.timed_out, s.restarts,
		s.prefetched, s.open, s.names, s.cache_octets, s.stale);
	fflush(stdout);
}

/* Strict seccomp: a system call but read, write and exit is the end of the child. */
static void hit_strictly(struct resolver *r, const struct question *q)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		for (int i = 0; i < 1000; i++)
			if (!resolver_cached(r, q))
				syscall(SYS_exit, 1);
		syscall(SYS_exit, 0);
	}
	waitpid(child, &status, 0);
	printf("strict killed=%d exit=%d\n", WIFSIGNALED(status), WEXITSTATUS(status));
	fflush(stdout);
}

static void obey(struct resolver *r, const char *line)
{
	char name[1024], type[16];
	const struct answer *cached;
	unsigned count, timeout_ms;
	struct question q = { 0 };
	unsigned long source;

	if (sscanf(line, "ask %u %1023s %15s %lu %u", &count, name, type, &source, &timeout_ms) ==
		5) {
		q.type = type_of(type);
		if (name_of(name, &q.name) == 0)
			while (count-- > 0)
				ask(r, &q, source, timeout_ms);
	} else if (sscanf(line, "cached %1023s %15s", name, type) == 2) {
		q.type = type_of(type);
		name_of(name, &q.name);
		cached = resolver_cached(r, &q);
		if (cached)
			print_answer("cached", &q, cached);
		else
			puts("cached none");
		fflush(stdout);
	} else if (sscanf(line, "forget %1023s %15s", name, type) == 2) {
		q.type = type_of(type);
		name_of(name, &q.name);
		resolver_forget(r, &q);
	} else if (sscanf(line, "strict %1023s %15s", name, type) == 2) {
		q.type = type_of(type);
		name_of(name, &q.name);
		hit_strictly(r, &q);
	} else if (strncmp(line, "stats", 5) == 0) {
		print_stats(r);
	}
}

static void turn(struct resolver *r)
{
	struct pollfd fds[] = { { .fd = 0, .events = POLLIN }, { .events = POLLIN } };
	static char lines[65536];
	size_t n = 0;

	fds[1].fd = resolver_fd(r);
	while (poll(fds, 2, -1) > 0) {
		if (fds[1].revents)
			resolver_dispatch(r);
		if (fds[0].revents) {
			ssize_t got = read(0, lines + n, sizeof(lines) - 1 - n);
			char *end;

			if (got <= 0)
				return;
			n += (size_t)got;
			lines[n] = 0;
			while ((end = strchr(lines, '\n'))) {
				*end = 0;
				obey(r, lines);
				n -= (size_t)(end + 1 - lines);
				memmove(lines, end + 1, n + 1);
			}
		}
	}
}

static void say(void *arg, enum trace_level level, const char *event, const char *fmt, va_list ap)
{
	(void)arg;
	fprintf(stderr, "%d %s ", (int)level, event);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

struct lists {
	const char *forward[LIST_MAX + 1];
	struct resolver_stub stub[LIST_MAX + 1];
	unsigned forwards, stubs;
};

static bool take_flag(struct resolver_config *c, struct lists *l, const char *flag, char *value)
{
	const struct {
		const char *flag;
		const char **to;
	} texts[] = {
		{ "--helper", &c->helper },
		{ "--anchor", &c->trust_anchor_file },
		{ "--managed", &c->trust_anchor_managed },
		{ "--resolv-conf", &c->resolv_conf },
		{ "--override-date", &c->val_override_date },
		{ "--user", &c->user },
		{ "--ad", &c->server },
	};
	const struct {
		const char *flag;
		unsigned *to;
	} numbers[] = {
		{ "--deadline", &c->deadline_ms },
		{ "--open-max", &c->open_max },
		{ "--per-source", &c->open_per_source_max },
		{ "--serve-stale", &c->serve_stale_s },
	};
	char *equals = strchr(value, '=');

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(flag, texts[i].flag) == 0)
			return *texts[i].to = value, true;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(flag, numbers[i].flag) == 0)
			return *numbers[i].to = (unsigned)atoi(value), true;
	if (strcmp(flag, "--forward") == 0 && l->forwards < LIST_MAX)
		return l->forward[l->forwards++] = value, true;
	if (strcmp(flag, "--stub") != 0 || l->stubs >= LIST_MAX || !equals)
		return false;
	*equals = 0;
	l->stub[l->stubs++] = (struct resolver_stub){ value, equals + 1 };
	return true;
}

int main(int argc, char **argv)
{
	struct resolver_config config = { .trace = { say, NULL } };
	struct resolver *r = NULL;
	struct lists lists = { 0 };
	struct err err = { 0 };

	for (int i = 1; i + 1 < argc; i += 2)
		if (!take_flag(&config, &lists, argv[i], argv[i + 1]))
			return 2;
	config.backend = config.server ? RESOLVER_AD : RESOLVER_VALIDATING;
	config.forward = lists.forward;
	config.stub = lists.stub;
	if (resolver_new(&config, &r, &err)) {
		printf("refused %s\n", err.msg);
		return 1;
	}
	puts("ready");
	fflush(stdout);
	turn(r);
	resolver_free(r);
	return 0;
}
