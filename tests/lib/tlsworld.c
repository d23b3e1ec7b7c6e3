/* SPDX-License-Identifier: Apache-2.0 */
#include "tlsworld.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(x)                                                                 \
	do {                                                                    \
		if (!(x)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
			abort();                                                \
		}                                                               \
	} while (0)

static const char *const origin[] = { "example", "plain.example", "bogus.example",
	"expired.example" };

static void run(const struct tlsworld *w, const char *fmt, ...)
{
	char command[1024];
	va_list ap;
	int n = snprintf(command, sizeof command, "cd %s && PATH=$PATH:/usr/sbin && ", w->folder);

	va_start(ap, fmt);
	vsnprintf(command + n, sizeof command - (size_t)n, fmt, ap);
	va_end(ap);
	if (system(command) != 0) {
		fprintf(stderr, "tlsworld: failed: %s\n", command);
		abort();
	}
}

static int socket_on_loopback(unsigned *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	MUST(fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0);
	MUST(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	*port = ntohs(a.sin_port);
	return fd;
}

void tlsworld_init(struct tlsworld *w)
{
	memset(w, 0, sizeof *w);
	strcpy(w->folder, "/tmp/tlsworld-XXXXXX");
	MUST(mkdtemp(w->folder));
	for (int i = 0; i < 4; i++)
		MUST((w->zone[i] = calloc(1, 1)));
	w->serial = 1;
}

void tlsworld_add(struct tlsworld *w, enum tlsworld_zone zone, const char *fmt, ...)
{
	char line[9000];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	MUST(n > 0 && (size_t)n < sizeof line);
	size_t have = strlen(w->zone[zone]);
	MUST((w->zone[zone] = realloc(w->zone[zone], have + (size_t)n + 2)));
	memcpy(w->zone[zone] + have, line, (size_t)n);
	strcpy(w->zone[zone] + have + n, "\n");
}

void tlsworld_clear(struct tlsworld *w, enum tlsworld_zone zone)
{
	w->zone[zone][0] = 0;
}

static void write_zone(const struct tlsworld *w, int zone)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s.zone", w->folder, origin[zone]);
	FILE *f = fopen(path, "w");
	MUST(f);
	fprintf(f, "$ORIGIN %s.\n$TTL 60\n@ IN SOA ns root %u 3600 600 86400 60\n@ IN NS ns\n",
		origin[zone], w->serial);
	fprintf(f, "ns IN A 127.0.0.1\n%s", w->zone[zone]);
	if (zone == TLSWORLD_SIGNED) {
		for (int i = 1; i < 4; i++)
			fprintf(f, "%s. IN NS ns.%s.\nns.%s. IN A 127.0.0.1\n", origin[i],
				origin[i], origin[i]);
		fputs("silent IN NS ns\nbroken IN NS ns\n", f);
	}
	MUST(fclose(f) == 0);
}

/* The DS of a child goes into the lines of example. */
static void add_ds(struct tlsworld *w, const char *file)
{
	char path[128], line[512];

	snprintf(path, sizeof path, "%s/%s", w->folder, file);
	FILE *f = fopen(path, "r");
	MUST(f && fgets(line, sizeof line, f));
	fclose(f);
	line[strcspn(line, "\n")] = 0;
	tlsworld_add(w, TLSWORLD_SIGNED, "%s", line);
}

static void sign(const struct tlsworld *w, int zone, const char *times)
{
	run(w, "ldns-signzone %s -o %s. -f %s.signed %s.zone key-%s >/dev/null", times,
		origin[zone], origin[zone], origin[zone], origin[zone]);
}

static void make_key(const struct tlsworld *w, const char *as, const char *zone)
{
	run(w,
		"k=$(ldns-keygen -a ECDSAP256SHA256 -k -r /dev/urandom %s.) && "
		"for e in key private ds; do mv $k.$e key-%s.$e; done",
		zone, as);
}

static void write_config(const struct tlsworld *w)
{
	char path[128];

	snprintf(path, sizeof path, "%s/knot.conf", w->folder);
	FILE *f = fopen(path, "w");
	MUST(f);
	fprintf(f,
		"server:\n    rundir: \"%s\"\n    listen: 127.0.0.1@%u\n"
		"    udp-workers: 1\n    tcp-workers: 1\n    background-workers: 1\n"
		"database:\n    storage: \"%s/db\"\n"
		"log:\n  - target: \"%s/knot.log\"\n    any: info\nzone:\n",
		w->folder, w->port, w->folder, w->folder);
	for (int i = 0; i < 4; i++)
		fprintf(f, "  - domain: %s.\n    storage: \"%s\"\n    file: \"%s.%s\"\n", origin[i],
			w->folder, origin[i], i == TLSWORLD_PLAIN ? "zone" : "signed");
	/* A zone whose file is missing: SERVFAIL. */
	fprintf(f, "  - domain: broken.example.\n    file: \"none\"\n");
	MUST(fclose(f) == 0);
}

/* It writes its number once it has its sockets: what answers before that may be another test's. */
static bool is_up(const struct tlsworld *w)
{
	char path[128];
	int pid = 0;

	snprintf(path, sizeof path, "%s/knot.pid", w->folder);
	FILE *f = fopen(path, "r");
	if (!f)
		return false;
	bool is = fscanf(f, "%d", &pid) == 1 && pid == w->pid;
	fclose(f);
	return is;
}

/* True when knotd answers for example. with this serial. */
static bool answers(const struct tlsworld *w)
{
	static const uint8_t query[] = "\x12\x34\0\0\0\x01\0\0\0\0\0\0\x07"
				       "example\0\0\x06\0\x01";
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)w->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint8_t reply[512],
		serial[4] = { (uint8_t)(w->serial >> 24), (uint8_t)(w->serial >> 16),
			(uint8_t)(w->serial >> 8), (uint8_t)w->serial };
	unsigned unused;
	int fd = socket_on_loopback(&unused);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n = 0;

	sendto(fd, query, sizeof query - 1, 0, (struct sockaddr *)&a, sizeof a);
	if (poll(&p, 1, 100) == 1)
		n = recv(fd, reply, sizeof reply, 0);
	close(fd);
	if (n > 12 && (reply[3] & 15) == 0 && memmem(reply, (size_t)n, serial, 4))
		return true;
	usleep(20000);
	return false;
}

/* False when knotd has ended: another program took the port. */
static bool wait_until_it_answers(struct tlsworld *w)
{
	for (int i = 0; i < 300; i++) {
		if (answers(w) && is_up(w))
			return true;
		if (waitpid(w->pid, NULL, WNOHANG) == w->pid) {
			w->pid = 0;
			return false;
		}
	}
	fprintf(stderr, "tlsworld: knotd does not answer\n");
	run(w, "cat knot.log >&2");
	abort();
}

static void spawn(struct tlsworld *w)
{
	char path[128];

	snprintf(path, sizeof path, "%s/knot.conf", w->folder);
	w->pid = fork();
	MUST(w->pid >= 0);
	if (w->pid == 0) {
		/* A test that crashes leaves no server behind. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)!freopen("/dev/null", "w", stdout);
		(void)!freopen("/dev/null", "w", stderr);
		execl("/usr/sbin/knotd", "knotd", "-c", path, (char *)NULL);
		_exit(127);
	}
}

void tlsworld_start(struct tlsworld *w)
{
	unsigned mute;

	w->silent = socket_on_loopback(&mute);
	make_key(w, "example", "example");
	make_key(w, "bogus.example", "bogus.example");
	make_key(w, "other", "bogus.example");
	make_key(w, "expired.example", "expired.example");
	add_ds(w, "key-other.ds");
	add_ds(w, "key-expired.example.ds");
	for (int i = 0; i < 4; i++)
		write_zone(w, i);
	sign(w, TLSWORLD_SIGNED, "");
	sign(w, TLSWORLD_BOGUS, "");
	sign(w, TLSWORLD_EXPIRED, "-i 20200101000000 -e 20200201000000");
	run(w, "mkdir db");
	for (int tries = 0; w->pid == 0; tries++) {
		MUST(tries < 10);
		close(socket_on_loopback(&w->port));
		write_config(w);
		spawn(w);
		(void)wait_until_it_answers(w);
	}
	snprintf(w->forward, sizeof w->forward, "127.0.0.1@%u", w->port);
	snprintf(w->mute, sizeof w->mute, "127.0.0.1@%u", mute);
	snprintf(w->anchor, sizeof w->anchor, "%s/key-example.key", w->folder);
}

void tlsworld_reload(struct tlsworld *w)
{
	w->serial++;
	write_zone(w, TLSWORLD_SIGNED);
	sign(w, TLSWORLD_SIGNED, "");
	kill(w->pid, SIGHUP);
	MUST(wait_until_it_answers(w));
}

void tlsworld_stop(struct tlsworld *w)
{
	if (w->pid > 0) {
		kill(w->pid, SIGTERM);
		waitpid(w->pid, NULL, 0);
	}
	close(w->silent);
	run(w, "rm -rf %s", w->folder);
	for (int i = 0; i < 4; i++)
		free(w->zone[i]);
}

struct resolver_config tlsworld_resolver(struct tlsworld *w, const char *helper)
{
	w->forwards[0] = w->forward;
	w->stubs[0] = (struct resolver_stub){ "silent.example", w->mute };
	w->stubs[1] = (struct resolver_stub){ NULL, NULL };
	return (struct resolver_config){ .backend = RESOLVER_VALIDATING,
		.helper = helper,
		.trust_anchor_file = w->anchor,
		.forward = w->forwards,
		.stub = w->stubs,
		.deadline_ms = 4000 }; /* the limit: a machine may be slow */
}
