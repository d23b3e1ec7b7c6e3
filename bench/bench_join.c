/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_join - what a durable join costs the Join Server: the real program, asked over warm
 * mutual TLS connections, with 100,000 devices in its database.
 *
 * Its processor time is read from the kernel's books, thread by thread; so the cost of asking is
 * not in it. Three runs: one request after the other, each its own commit; 32 at a time, commits
 * shared; 32 at a time on a disk whose every sync takes 1 ms longer (a preloaded library).
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/joining.h"
#include "bare.h"
#include "core/buf.h"
#include "crypto/aes.h"
#include "join_parts.h"
#include "lorawan/joinreq.h"
#include "lorawan/mic.h"
#include "store/devices.h"
#include "verify.h"

#define DEVICES  100000u
#define SCATTER  61803u
#define ALONE    1500
#define TOGETHER 12000
#define SLOW     3000
#define WARM     6000
#define ASKERS   32
#define ROUNDS   5
#define VERIFIES 500
#define PARTS    6400
#define JOIN_EUI 0x70b3d57ed0000000u

static const uint8_t app_key[16] = "bench-join-key-";
static char folder[64], build[512];
static _Atomic unsigned next_device;

static void die(const char *words)
{
	fprintf(stderr, "bench_join: %s\n", words);
	exit(1);
}

static void shell(const char *fmt, ...)
{
	char command[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (system(command) != 0)
		die(command);
}

static void fill_database(void)
{
	static struct device d = { .join_eui = JOIN_EUI,
		.version = VERSION_1_0_3,
		.net_ids = { 0x13 },
		.net_ids_n = 1,
		.as_id = "as.bench.example",
		.application_server = "https://as.bench.example:8005",
		.dev_nonce = -1,
		.rj_count1 = -1 };
	struct devices *db;
	struct err err;
	char path[128];
	bool existed;

	memcpy(d.app_key, app_key, sizeof(app_key));
	snprintf(path, sizeof(path), "%s/js.db", folder);
	if (devices_open(path, NULL, true, &db, &err) || devices_begin(db, &err))
		die(err.msg);
	for (unsigned i = 0; i < DEVICES; i++) {
		/* Spread over the tree, as EUIs of many makers are. */
		d.dev_eui = JOIN_EUI + (uint64_t)i * 2654435761u;
		if (devices_add(db, &d, false, &existed, &err))
			die(err.msg);
	}
	if (devices_commit(db, &err))
		die(err.msg);
	devices_close(db);
}

static void write_config(unsigned group_max)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/joind.yaml", folder);
	f = fopen(path, "w");
	if (!f)
		die("cannot write the configuration");
	fprintf(f,
		"database: %s/js.db\nsandbox: false\njoin_server:\n  bind: 127.0.0.1:0\n  mode: pkix\n"
		"  tls_cert: %s/js.pem\n  tls_key: %s/js-key.pem\n  ca_cert: %s/ca/ca.pem\n"
		"  group_max: %u\nclients:\n  - {name: ns.bench.example, net_id: \"000013\"}\n",
		folder, folder, folder, folder, group_max);
	fclose(f);
}

/* Starts the server; its port. */
static unsigned start(unsigned group_max, bool slow, pid_t *pid)
{
	char config[128], program[600], preload[700], line[1024], log[128];
	unsigned port = 0;
	char err[128];
	FILE *f = NULL;

	write_config(group_max);
	snprintf(config, sizeof(config), "%s/joind.yaml", folder);
	snprintf(program, sizeof(program), "%s/bin/joind/sardane-joind", build);
	snprintf(preload, sizeof(preload), "%s/tests/attack/join/libjoin_disk.so", build);
	snprintf(log, sizeof(log), "%s/disk.log", folder);
	snprintf(err, sizeof(err), "%s/joind.log", folder);
	unlink(err);
	*pid = fork();
	if (*pid < 0)
		die("fork");
	if (!*pid) {
		dup2(open(err, O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
		if (slow) {
			setenv("LD_PRELOAD", preload, 1);
			setenv("DISK_LOG", log, 1);
			setenv("DISK_DELAY_US", "1000", 1);
		}
		execl(program, program, "-c", config, "-l", "info", (char *)NULL);
		_exit(127);
	}
	for (int tries = 0; !port && tries < 3000; tries++) {
		usleep(10000);
		f = fopen(err, "r");
		while (f && fgets(line, sizeof(line), f)) {
			const char *at = strstr(line, " joind.ready port=");

			if (at)
				port = (unsigned)atoi(at + 18);
		}
		if (f)
			fclose(f);
	}
	if (!port)
		die("the server did not start");
	return port;
}

static void stop(pid_t pid)
{
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

/* Nanoseconds on a processor of all its threads. */
static uint64_t cpu_ns(pid_t pid)
{
	char path[64];
	uint64_t sum = 0;
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		unsigned long long ns = 0;
		char file[400];
		FILE *f;

		snprintf(file, sizeof(file), "%s/%s/schedstat", path, e->d_name);
		f = e->d_name[0] == '.' ? NULL : fopen(file, "r");
		if (f && fscanf(f, "%llu", &ns) == 1)
			sum += ns;
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
	return sum;
}

static double rss_mb(pid_t pid)
{
	char path[64], line[256];
	unsigned kb = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmHWM: %u", &kb);
	if (f)
		fclose(f);
	return kb / 1024.0;
}

/* Another device each time and in no order (SCATTER shares no factor with DEVICES): the cache of
 * pages is not flattered. */
static uint64_t dev_eui_of(unsigned n)
{
	return JOIN_EUI + (uint64_t)n * SCATTER % DEVICES * 2654435761u;
}

struct asker {
	pthread_t thread;
	unsigned port;
	int joins;
	pthread_barrier_t *gate;
};

static void make_request(uint64_t dev_eui, uint16_t nonce, struct block *key, struct buf *out)
{
	struct header h = { .type = HEADER_JOIN_REQ, .sender_id = "000013", .transaction_id = 1 };
	struct joinreq frame = { .join_eui = JOIN_EUI, .dev_eui = dev_eui, .dev_nonce = nonce };
	struct joining_req r = { .mac_version = VERSION_1_0_3,
		.dev_eui = dev_eui,
		.dev_addr = 0x26000001,
		.rx_delay = 1,
		.phy_n = JOINREQ_OCTETS,
		.has_cflist = true };
	struct buf body = { 0 };

	header_put_eui(h.receiver_id, JOIN_EUI);
	joinreq_write(&frame, r.phy_payload);
	mic_of_message(key, (struct span){ r.phy_payload, JOINREQ_OCTETS - 4 }, frame.mic);
	joinreq_write(&frame, r.phy_payload);
	if (!joining_write_req(&body, &h, &r, false))
		die("request");
	out->n = 0;
	buf_printf(out,
		"POST / HTTP/1.1\r\nHost: js\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		body.n, buf_string(&body));
	buf_done(&body);
}

static SSL *connect_to(unsigned port, SSL_CTX **out)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	char cert[128], key[128], ca[128];
	SSL *ssl;

	snprintf(cert, sizeof(cert), "%s/ns.pem", folder);
	snprintf(key, sizeof(key), "%s/ns-key.pem", folder);
	snprintf(ca, sizeof(ca), "%s/ca/ca.pem", folder);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
		SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_load_verify_locations(ctx, ca, NULL) != 1)
		die("client certificate");
	ssl = SSL_new(ctx);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) || SSL_set_fd(ssl, fd) != 1 ||
		SSL_connect(ssl) != 1)
		die("handshake");
	*out = ctx;
	return ssl;
}

/* One answer; dies unless it is a Success. */
static void read_answer(SSL *ssl)
{
	char text[8192];
	size_t n = 0;

	for (;;) {
		char *end = n ? strstr(text, "\r\n\r\n") : NULL;
		char *length = end ? strcasestr(text, "content-length:") : NULL;
		int got;

		if (length && n >= (size_t)(end + 4 - text) + strtoul(length + 15, NULL, 10))
			break;
		got = SSL_read(ssl, text + n, (int)(sizeof(text) - 1 - n));
		if (got <= 0)
			die("the server hung up");
		n += (size_t)got;
		text[n] = 0;
	}
	if (!strstr(text, "\"Success\""))
		die(text);
}

static void *ask(void *arg)
{
	struct asker *a = arg;
	struct buf request = { 0 };
	struct block key;
	struct aes *aes;
	SSL_CTX *ctx;
	SSL *ssl = connect_to(a->port, &ctx);

	if (aes_new(app_key, &aes, NULL))
		die("aes");
	key = aes_block(aes);
	pthread_barrier_wait(a->gate); /* connected */
	pthread_barrier_wait(a->gate); /* measuring */
	for (int i = 0; i < a->joins; i++) {
		unsigned n = next_device++;

		make_request(dev_eui_of(n), (uint16_t)(n / DEVICES * 7 + 3), &key, &request);
		if (SSL_write(ssl, request.p, (int)request.n) <= 0)
			die("write");
		read_answer(ssl);
	}
	pthread_barrier_wait(a->gate); /* done */
	aes_free(aes);
	buf_done(&request);
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return NULL;
}

static void *ask_bare(void *arg)
{
	struct asker *a = arg;
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)a->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char octets[BARE_ANSWERED] = { 0 };

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("the floor does not listen");
	pthread_barrier_wait(a->gate); /* connected */
	pthread_barrier_wait(a->gate); /* measuring */
	for (int i = 0; i < a->joins; i++)
		if (send(fd, octets, BARE_ASKED, 0) != BARE_ASKED ||
			recv(fd, octets, BARE_ANSWERED, MSG_WAITALL) != BARE_ANSWERED)
			die("the floor hung up");
	pthread_barrier_wait(a->gate); /* done */
	close(fd);
	return NULL;
}

/* Microseconds of the server's processor per join. */
static double run(pid_t pid, unsigned port, unsigned askers, int joins, bool bare)
{
	struct asker a[ASKERS];
	pthread_barrier_t gate;
	uint64_t before, after;

	pthread_barrier_init(&gate, NULL, askers + 1);
	for (unsigned i = 0; i < askers; i++) {
		a[i] = (struct asker){ .port = port, .joins = joins / (int)askers, .gate = &gate };
		if (pthread_create(&a[i].thread, NULL, bare ? ask_bare : ask, &a[i]))
			die("thread");
	}
	pthread_barrier_wait(&gate);
	before = cpu_ns(pid);
	pthread_barrier_wait(&gate);
	pthread_barrier_wait(&gate);
	after = cpu_ns(pid);
	for (unsigned i = 0; i < askers; i++)
		pthread_join(a[i].thread, NULL);
	pthread_barrier_destroy(&gate);
	return (double)(after - before) / 1000.0 / (joins / (int)askers * (int)askers);
}

static unsigned count_syncs(void)
{
	char path[128], line[64];
	unsigned n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/disk.log", folder);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		n += strcmp(line, "sync\n") == 0;
	if (f)
		fclose(f);
	return n;
}

static void figure(const char *name, double value, const char *unit, const char *goal,
	const char *note)
{
	printf("%s\t%.3f\t%s\t%s\t%s\n", name, value, unit, goal, note);
	fflush(stdout);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Who is asked in turns: the real server, the floor below it, and the floor without its disk. */
enum { REAL, FLOOR, TALK, SERVERS };

/* The median of each. */
static void measure(unsigned askers, int joins, double out[SERVERS], double *memory)
{
	double got[SERVERS][ROUNDS];
	unsigned port[SERVERS];
	char path[128];
	pid_t pid[SERVERS];

	snprintf(path, sizeof(path), "%s/bare", folder);
	port[REAL] = start(askers == 1 ? 1 : 0, false, &pid[REAL]);
	port[FLOOR] = bare_start(path, &pid[FLOOR]);
	port[TALK] = bare_start(NULL, &pid[TALK]);
	if (!port[FLOOR] || !port[TALK])
		die("the floor does not start");
	/* Adding devices in their order fills pages to the brim, and the first join in each splits
	 * it: once in the life of a file, and not what a join costs. */
	run(pid[REAL], port[REAL], ASKERS, WARM, false);
	for (int i = 0; i < ROUNDS; i++)
		for (int which = 0; which < SERVERS; which++)
			got[which][i] =
				run(pid[which], port[which], askers, joins / ROUNDS, which != REAL);
	*memory = rss_mb(pid[REAL]);
	for (int which = 0; which < SERVERS; which++) {
		stop(pid[which]);
		qsort(got[which], ROUNDS, sizeof(double), by_size);
		out[which] = got[which][ROUNDS / 2];
	}
}

/* The libraries' part of a join, each library by itself, added up: without what is said on TCP. */
static double parts(unsigned group, const char *kind)
{
	struct join_parts_world w = { .dev_eui = dev_eui_of,
		.join_eui = JOIN_EUI,
		.app_key = app_key };
	char database[128], cert[128], key[128], note[128];
	double json, store, tls;

	snprintf(database, sizeof(database), "%s/js.db", folder);
	snprintf(cert, sizeof(cert), "%s/js.pem", folder);
	snprintf(key, sizeof(key), "%s/js-key.pem", folder);
	w.database = database;
	json = join_parts_json(&w, PARTS);
	tls = join_parts_tls(cert, key, PARTS);
	store = join_parts_store(&w, group, PARTS);
	snprintf(note, sizeof(note), "SQLite with MIC and keys %.0f, JSON %.0f, TLS %.0f", store,
		json, tls);
	printf("join_%s_libraries_us\t%.3f\tus\t-\t%s\n", kind, json + store + tls, note);
	return json + store + tls;
}

static void provision(void)
{
	shell("cd %s && %s/bin/cli/sardane ca init ca --name Bench >/dev/null", folder, build);
	shell("cd %s && %s/bin/cli/sardane cert issue --ca ca --dns js.bench.example --out js "
	      ">/dev/null",
		folder, build);
	shell("cd %s && %s/bin/cli/sardane cert issue --ca ca --dns ns.bench.example --out ns "
	      ">/dev/null",
		folder, build);
	fill_database();
}

int main(void)
{
	const char *from = getenv("SARDANE_BUILD");
	double alone[SERVERS], grouped[SERVERS], memory, libraries, v[3];
	unsigned port, syncs;
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	snprintf(build, sizeof(build), "%s", from ? from : "build");
	strcpy(folder, "/tmp/sardane-bench-XXXXXX");
	if (!mkdtemp(folder))
		die("no temporary folder");
	provision();
	v[0] = verify_us(VERIFIES);
	measure(1, ALONE, alone, &memory);
	figure("join_alone_cpu_us", alone[REAL], "us", "<= 100",
		"one after the other, a commit each");
	figure("join_alone_floor_us", alone[FLOOR], "us", "-", "the same way, nothing computed");
	libraries = parts(1, "alone");
	figure("join_alone_of_its_parts", alone[REAL] / (libraries + alone[TALK]), "ratio",
		"<= 1.25", "against the libraries and what the kernel takes to talk");
	v[1] = verify_us(VERIFIES);
	measure(ASKERS, TOGETHER, grouped, &memory);
	v[2] = verify_us(VERIFIES);
	qsort(v, 3, sizeof(double), by_size);
	figure("verify_us", v[1], "us", "-", "V: 84 on the quiet machine the goals are from");
	figure("join_alone_cpu_v", alone[REAL] / v[1], "V", "<= 1.19", "100 us where V is 84");
	figure("join_grouped_cpu_us", grouped[REAL], "us", "<= 65", "32 in flight, commits shared");
	figure("join_grouped_floor_us", grouped[FLOOR], "us", "-",
		"the same way, nothing computed");
	libraries = parts(ASKERS, "grouped");
	figure("join_grouped_of_its_parts", grouped[REAL] / (libraries + grouped[TALK]), "ratio",
		"<= 1.18", "against the libraries and what the kernel takes to talk");
	figure("join_grouped_cpu_v", grouped[REAL] / v[1], "V", "<= 0.77", "65 us where V is 84");
	figure("join_memory_mb", memory, "MB", "<= 30", "100,000 devices, 32 connections");
	port = start(0, true, &pid);
	syncs = count_syncs();
	run(pid, port, ASKERS, SLOW, false);
	syncs = count_syncs() - syncs;
	figure("join_per_sync_on_a_1_ms_disk", (double)(SLOW / ASKERS * ASKERS) / syncs, "joins",
		">= 15", "32 in flight");
	stop(pid);
	shell("rm -rf %s", folder);
	return 0;
}
