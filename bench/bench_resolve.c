/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_resolve - what a TLSA costs: cached, missed, kept in memory, never answered.
 *
 * A signed world (tests/lib/dnsworld.py) is set up for the run. CPU, not wall time, except
 * for the deadline. The peer is one P-256 verification, measured in the same run.
 */
#include "dns/rr.h"
#include "resolve/resolver.h"
#include "verify.h"

#include <arpa/inet.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAMES       2000
#define IN_FLIGHT   64
#define HITS        1000000
#define ROUNDS      8
#define VERIFIES    400 /* in each round */
#define STRICT_HITS 100000

struct world {
	pid_t pid;
	int quit; /* closing it ends the world */
	char directory[64], address[64], anchor[256];
};

struct run {
	struct resolver *resolver;
	const char *zone;
	enum answer_status expected;
	struct ask asks[NAMES];
	unsigned answered, right;
	int64_t longest_ns; /* one dispatch */
};

static struct run the_run = { .zone = "example", .expected = ANSWER_SECURE };

static void die(const char *what)
{
	fprintf(stderr, "bench_resolve: %s\n", what);
	exit(1);
}

static int64_t ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t cpu_ns(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * (int64_t)1000000000 +
		(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * (int64_t)1000;
}

static struct question name_number(const struct run *run, unsigned i)
{
	struct question q = { .type = RR_TLSA };
	char text[64];

	snprintf(text, sizeof(text), "d%u.%s", i, run->zone);
	if (name_of(text, &q.name))
		die("name");
	return q;
}

static void write_records(const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		die(path);
	for (unsigned i = 0; i < NAMES; i++)
		fprintf(f,
			"d%u.example. 3600 TLSA 3 1 1 %064u\n"
			"d%u.insecure.example. 3600 TLSA 3 1 1 %064u\n",
			i, i, i, i);
	fclose(f);
}

static void start_world(struct world *w)
{
	char records[96], line[1024];
	int in[2], out[2];
	FILE *told;

	strcpy(w->directory, "/tmp/bench-resolve-XXXXXX");
	if (!mkdtemp(w->directory) || chmod(w->directory, 0755) || pipe(in) || pipe(out))
		die("no directory or pipe");
	snprintf(records, sizeof(records), "%s/records", w->directory);
	write_records(records);
	w->pid = fork();
	if (w->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		execlp("python3", "python3", "tests/lib/dnsworld.py", "run", w->directory, records,
			(char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	w->quit = in[1];
	told = fdopen(out[0], "r");
	if (!told || !fgets(line, sizeof(line), told) ||
		sscanf(line, "address=%63s anchor=%255s", w->address, w->anchor) != 2)
		die("the world did not start");
	fclose(told);
}

static void end_world(struct world *w)
{
	char command[128];

	close(w->quit);
	waitpid(w->pid, NULL, 0);
	snprintf(command, sizeof(command), "rm -r %s", w->directory);
	if (system(command))
		die(command);
}

static struct resolver *open_resolver(const struct world *w, const char *forward)
{
	const char *build = getenv("SARDANE_BUILD"), *forwards[] = { forward, NULL };
	struct resolver_config config = { .trust_anchor_file = w->anchor, .forward = forwards };
	struct resolver *r = NULL;
	char helper[512];
	struct err err;

	snprintf(helper, sizeof(helper), "%s/bin/resolverd/sardane-resolverd",
		build ? build : "build");
	config.helper = helper;
	if (resolver_new(&config, &r, &err))
		die(err.msg);
	return r;
}

static void turn(struct run *run)
{
	struct pollfd fd = { .fd = resolver_fd(run->resolver), .events = POLLIN };
	int64_t before;

	poll(&fd, 1, -1);
	before = ns(CLOCK_THREAD_CPUTIME_ID);
	resolver_dispatch(run->resolver);
	before = ns(CLOCK_THREAD_CPUTIME_ID) - before;
	if (before > run->longest_ns)
		run->longest_ns = before;
}

static void answered(struct ask *ask)
{
	the_run.answered++;
	the_run.right += ask->answer->status == the_run.expected;
	ask_done(ask);
}

static void ask_all(struct run *run, unsigned first, unsigned last)
{
	run->answered = first;
	for (unsigned next = first; run->answered < last;) {
		while (next < last && next - run->answered < IN_FLIGHT) {
			struct question q = name_number(run, next);

			run->asks[next].wake = answered;
			resolver_ask(run->resolver, &q, 0, 4000, &run->asks[next]);
			if (run->asks[next].answer)
				answered(&run->asks[next]);
			next++;
		}
		if (run->answered < last)
			turn(run);
	}
}

/* What one question costs that no cache of ours or of libunbound answers. */
struct cost {
	double us, helper_us; /* all, and of it sardane-resolverd's */
	double v_us;          /* of one P-256 verification by OpenSSL, in turn with them */
	double octets;        /* of heap, for each name kept */
};

static struct cost misses(const struct world *w, struct run *run)
{
	int64_t children = cpu_ns(RUSAGE_CHILDREN), self, cold_children;
	struct cost cost = { 0 };
	size_t heap;

	/* The process and the cold chain of one name, to take away from what it costs with all. */
	run->resolver = open_resolver(w, w->address);
	ask_all(run, 0, 1);
	resolver_free(run->resolver);
	cold_children = cpu_ns(RUSAGE_CHILDREN) - children;
	children = cpu_ns(RUSAGE_CHILDREN);
	run->right = 0;
	run->resolver = open_resolver(w, w->address);
	ask_all(run, 0, 1);
	verify_us(VERIFIES);
	self = cpu_ns(RUSAGE_SELF);
	heap = mallinfo2().uordblks;
	for (unsigned i = 0; i < ROUNDS; i++) {
		cost.v_us += verify_us(VERIFIES) / ROUNDS;
		ask_all(run, i ? i * NAMES / ROUNDS : 1, (i + 1) * NAMES / ROUNDS);
	}
	if (run->right != NAMES)
		die("not every name had its DNSSEC status");
	cost.octets = (double)(mallinfo2().uordblks - heap) / (NAMES - 1);
	self = cpu_ns(RUSAGE_SELF) - self - (int64_t)(cost.v_us * 1000 * VERIFIES * ROUNDS);
	resolver_free(run->resolver);
	children = cpu_ns(RUSAGE_CHILDREN) - children - cold_children;
	cost.us = (double)(self + children) / (NAMES - 1) / 1000;
	cost.helper_us = (double)children / (NAMES - 1) / 1000;
	return cost;
}

static void bench_miss(const struct world *w, struct run *run)
{
	struct cost miss = misses(w, run), unsigned_miss;
	double longest_ms = (double)run->longest_ns / 1e6, own_us;

	run->zone = "insecure.example";
	run->expected = ANSWER_INSECURE;
	unsigned_miss = misses(w, run);
	run->zone = "example";
	run->expected = ANSWER_SECURE;
	own_us = miss.us - unsigned_miss.us;
	printf("memory per cached name\t%.0f\toctets\t<= 1024\theap of the library, TLSA 3 1 1\n",
		miss.octets);
	printf("longest dispatch\t%.2f\tms\t<= 2\tCPU time, %d answers in flight\n", longest_ms,
		IN_FLIGHT);
	printf("P-256 verification (V)\t%.1f\tus\t-\tOpenSSL, in turn with the misses\n",
		miss.v_us);
	printf("miss on a warm chain\t%.2f\tV\t<= 2.5\t%.0f us, of these %.0f in sardane-resolverd\n",
		miss.us / miss.v_us, miss.us, miss.helper_us);
	printf("what the signature adds\t%.2f\tV\t-\t%.0f us: that miss less one in an unsigned zone\n",
		own_us / miss.v_us, own_us);
	printf("miss in an unsigned zone\t%.2f\tV\t-\t%.0f us, of these %.0f in sardane-resolverd\n",
		unsigned_miss.us / unsigned_miss.v_us, unsigned_miss.us, unsigned_miss.helper_us);
}

static void bench_hit(struct run *run)
{
	static struct question questions[1024];
	unsigned found = 0;
	int64_t before;

	for (unsigned i = 0; i < 1024; i++)
		questions[i] = name_number(run, i);
	before = ns(CLOCK_THREAD_CPUTIME_ID);
	for (unsigned i = 0; i < HITS; i++)
		found += resolver_cached(run->resolver, &questions[i % 1024]) != NULL;
	before = ns(CLOCK_THREAD_CPUTIME_ID) - before;
	if (found != HITS)
		die("a cached name was not there");
	printf("cached TLSA\t%.3f\tus\t<= 2\t1,024 names in turn\n", (double)before / HITS / 1000);
}

/* Strict seccomp kills the child at the first system call but read, write and exit. */
static void bench_calls(struct run *run)
{
	struct question q = name_number(run, 7);
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		for (int i = 0; i < STRICT_HITS; i++)
			if (!resolver_cached(run->resolver, &q))
				syscall(SYS_exit, 1);
		syscall(SYS_exit, 0);
	}
	waitpid(child, &status, 0);
	printf("system calls of a cached TLSA\t%d\tany\t<= 0\t%d hits under strict seccomp\n",
		WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1, STRICT_HITS);
}

static void bench_dead(const struct world *w, struct run *run)
{
	int silent = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);
	struct question q = name_number(run, 0);
	struct ask ask = { .wake = answered };
	char address[32];
	int64_t before;

	if (bind(silent, (struct sockaddr *)&at, n) ||
		getsockname(silent, (struct sockaddr *)&at, &n))
		die("socket");
	snprintf(address, sizeof(address), "127.0.0.1@%u", ntohs(at.sin_port));
	run->resolver = open_resolver(w, address);
	run->answered = 0;
	before = ns(CLOCK_MONOTONIC);
	resolver_ask(run->resolver, &q, 0, 0, &ask);
	while (!run->answered)
		turn(run);
	printf("dead resolver is an answer after\t%.0f\tms\t<= 2100\tdeadline 2,000\n",
		(double)(ns(CLOCK_MONOTONIC) - before) / 1e6);
	resolver_free(run->resolver);
	close(silent);
}

int main(void)
{
	struct world world;

	start_world(&world);
	bench_miss(&world, &the_run);
	the_run.resolver = open_resolver(&world, world.address);
	ask_all(&the_run, 0, NAMES);
	bench_hit(&the_run);
	bench_calls(&the_run);
	resolver_free(the_run.resolver);
	bench_dead(&world, &the_run);
	end_world(&world);
	return 0;
}
