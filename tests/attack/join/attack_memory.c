/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out at any point of a join, from the octets of its request to those of its
 * answer, and of reading the configuration.
 *
 *   socket > link, HTTP, JSON, keeper, decision, SQLite > answer        all in this process
 *
 * Success is said only of what is on the disk, what is there is whole, the next device joins, and
 * nothing leaks. Allocations of ours, of jansson, SQLite, libcyaml and OpenSSL are counted in one
 * row; run n makes the n-th fail, and a second run all from the n-th on.
 */
#include "check.h"
#include "scarce.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "crypto/aes.h"
#include "joind/serve.h"
#include "lorawan/joinreq.h"
#include "lorawan/mic.h"
#include "net/loop.h"

#define DEV      0x0102030405060708u
#define JOIN_EUI 0x0807060504030201u
#define WAIT_MS  30000

static const uint8_t key[16] = "attack-memory-k";
static const char yaml[] =
	"database: %s/js.db\n"
	"root_key_kek_file: %s/kek\n"
	"join_server:\n"
	"  bind: 127.0.0.1:0\n"
	"  %s\n"
	"  kek: {set: [{label: \"000013\", kek: 000102030405060708090a0b0c0d0e0f}]}\n"
	"clients:\n"
	"  - {name: ns.a.example, net_id: \"000013\"}\n"
	"  - {name: as.b.example, as_id: as.b.example}\n"
	"resolver: {forward: [\"127.0.0.1@53\"], stub: [{zone: example, server: \"127.0.0.1@5353\"}]}\n";

static struct {
	char folder[64];
	uv_loop_t loop;
	struct config config;
	struct serve serve;
	struct http_server *http;
	struct devices *seen; /* the database through a second pair of eyes */
	uint16_t dev_nonce;
} js;

/* In the folder of the test; good until the next call. */
static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", js.folder, name);
	return path;
}

/* What the disk says of the device. */
struct record {
	uint32_t join_nonce;
	bool used; /* the DevNonce asked with last */
	uint32_t session;
	size_t sessions;
};

static struct record look(void)
{
	static struct device device;
	struct device_session sessions[DEVICE_SESSIONS];
	struct record r = { 0 };
	bool found;

	assert_int_equal(devices_load(js.seen, DEV, &device, &found, NULL), 0);
	assert_true(found);
	assert_int_equal(devices_sessions(js.seen, DEV, sessions, &r.sessions, NULL), 0);
	r.join_nonce = device.join_nonce;
	r.used = nonces_has(&device.used, js.dev_nonce);
	r.session = r.sessions ? sessions[0].join_nonce : 0;
	return r;
}

/* POST of a JoinReq with the next DevNonce, whole. */
static void write_request(struct buf *out)
{
	struct header h = { .type = HEADER_JOIN_REQ, .sender_id = "000013", .transaction_id = 1 };
	struct joinreq frame = { JOIN_EUI, DEV, ++js.dev_nonce, { 0 }, 0 };
	struct joining_req r = { .mac_version = VERSION_1_0_3,
		.dev_eui = DEV,
		.dev_addr = 0x26000001,
		.rx_delay = 1,
		.phy_n = JOINREQ_OCTETS };
	struct buf body = { 0 };
	struct aes *aes;
	struct block block;

	header_put_eui(h.receiver_id, JOIN_EUI);
	joinreq_write(&frame, r.phy_payload);
	assert_int_equal(aes_new(key, &aes, NULL), 0);
	block = aes_block(aes);
	mic_of_message(&block, (struct span){ r.phy_payload, JOINREQ_OCTETS - 4 }, frame.mic);
	aes_free(aes);
	joinreq_write(&frame, r.phy_payload);
	assert_true(joining_write_req(&body, &h, &r, false));
	buf_printf(out,
		"POST / HTTP/1.1\r\nHost: js\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
		body.n);
	buf_put(out, buf_span(&body));
	buf_done(&body);
}

static int connected(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(http_server_port(js.http)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* All that comes until the server hangs up, as text; turns its loop meanwhile. */
static void hear(int fd, char *out, size_t cap)
{
	struct pollfd both[2] = { { fd, POLLIN, 0 }, { uv_backend_fd(&js.loop), POLLIN, 0 } };
	uint64_t until = uv_hrtime() + WAIT_MS * 1000000ull;
	ssize_t n = -1;
	size_t held = 0;

	while (n != 0 && uv_hrtime() < until) {
		uv_run(&js.loop, UV_RUN_NOWAIT);
		n = recv(fd, out + held, cap - 1 - held, MSG_DONTWAIT);
		if (n > 0)
			held += (size_t)n;
		else if (n < 0 && errno != EAGAIN)
			n = 0; /* reset: it was refused */
		else if (n < 0)
			poll(both, 2, 20);
	}
	assert_int_equal(n, 0);
	out[held] = 0;
}

/* A whole answer that accepts. */
static bool is_success(const char *text)
{
	return strncmp(text, "HTTP/1.1 200 OK\r\n", 17) == 0 && strstr(text, "\"Success\"") &&
		strstr(text, "\"PHYPayload\"") && strstr(text, "https://as.b.example:8005") &&
		text[strlen(text) - 1] == '}';
}

/* Nothing, or "not now": the fault is ours, and a good request is not called a bad one. */
static bool is_excuse(const char *text)
{
	return !text[0] || strncmp(text, "HTTP/1.1 50", 11) == 0 ||
		(strncmp(text, "HTTP/1.1 200 OK\r\n", 17) == 0 && strstr(text, "\"Other\""));
}

/* One join whose nth allocation fails. True: the answer said Success. */
static bool ask(long nth, bool onwards)
{
	static char text[16384];
	struct buf request = { 0 };
	int fd;

	write_request(&request);
	fd = connected();
	assert_int_equal(write(fd, request.p, request.n), (ssize_t)request.n);
	buf_done(&request);
	scarce_fail(nth, onwards);
	hear(fd, text, sizeof(text));
	scarce_end();
	close(fd);
	/* What it still closes. */
	for (int i = 0; i < 3; i++)
		uv_run(&js.loop, UV_RUN_NOWAIT);
	assert_int_equal(js.serve.open, 0);
	if (!is_success(text) && !is_excuse(text))
		fail_msg("allocation %ld: %s", nth, text);
	return is_success(text);
}

/* The row below: a join that is refused, or accepted, with no more and no less on the disk. */
static void fail_one(long nth, bool onwards, long *refused, long *unheard)
{
	struct record before = look(), after;
	bool success = ask(nth, onwards);

	after = look();
	before.used = false; /* that was of the last one's */
	*refused += !success;
	/* Moved and kept together, or neither. */
	assert_int_equal(after.used, after.join_nonce == before.join_nonce + 1);
	assert_int_equal(after.session, after.join_nonce);
	if (success)
		assert_true(after.used);
	else if (!after.used)
		assert_memory_equal(&after, &before, sizeof(after));
	else
		++*unheard;
}

static void of_a_join(void **state)
{
	(void)state;
	/* Caches are filled by the first few; the tenth session is the last that adds one. */
	for (int i = 0; i < DEVICE_SESSIONS + 3; i++)
		assert_true(ask(0, false));
	for (int onwards = 0; onwards < 2; onwards++) {
		assert_true(ask(0, false));
		long all = scarce_counted(), before = scarce_live(), refused = 0, unheard = 0;
		assert_true(all > 50);
		for (long n = 1; n <= all; n++) {
			fail_one(n, onwards, &refused, &unheard);
			assert_true(ask(0, false));
		}
		print_message("# %ld allocations, %ld refused, %ld of them kept, %ld more live\n",
			all, refused, unheard, scarce_live() - before);
		assert_true(refused > all / 10);
		assert_true(scarce_live() - before < 40);
	}
}

static bool load(long nth, bool onwards)
{
	struct config config = { 0 };
	struct err err = { 0 };
	int rc;

	scarce_fail(nth, onwards);
	rc = config_read(path_of("dane.yaml"), &config, &err);
	if (rc) {
		assert_true(err.msg[0]);
	} else {
		assert_int_equal(config.file->clients_count, 2);
		assert_true(config.policy && config.root_kek.n == 16 && config.has_resolver);
		config_done(&config);
	}
	scarce_end();
	return rc == 0;
}

static void of_reading_the_configuration(void **state)
{
	struct scarce_tally t = scarce_each(load);

	(void)state;
	print_message("# %ld allocations, %ld times refused\n", t.all, t.refused);
	assert_true(t.all > 20 && t.refused >= t.all && t.more_live == 0);
}

static void put_file(const char *path, const char *fmt, ...)
{
	va_list ap;
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fclose(f);
	chmod(path, 0600);
}

static void add_device(void)
{
	struct device d = { .dev_eui = DEV,
		.join_eui = JOIN_EUI,
		.version = VERSION_1_0_3,
		.net_ids = { 0x13 },
		.net_ids_n = 1,
		.as_id = "as.b.example",
		.application_server = "https://as.b.example:8005",
		.dev_nonce = -1,
		.rj_count1 = -1 };
	bool existed;

	memcpy(d.app_key, key, sizeof(key));
	assert_int_equal(devices_open(path_of("js.db"), &js.config.root_kek, true, &js.seen, NULL),
		0);
	assert_int_equal(devices_add(js.seen, &d, false, &existed, NULL), 0);
}

static int start(void **state)
{
	struct keeper_config keeper = { .loop = &js.loop };
	struct http_server_config http = { .loop = &js.loop,
		.bind = "127.0.0.1:0",
		.handle = serve_handle,
		.arg = &js.serve };

	(void)state;
	strcpy(js.folder, "/tmp/sardane-memory-XXXXXX");
	assert_non_null(mkdtemp(js.folder));
	put_file(path_of("kek"), "%s\n", "0f0e0d0c0b0a09080706050403020100");
	put_file(path_of("plain.yaml"), yaml, js.folder, js.folder, "insecure_plain: true");
	put_file(path_of("dane.yaml"), yaml, js.folder, js.folder,
		"tls_cert: a.pem\n  tls_key: b.pem");
	assert_int_equal(config_read(path_of("plain.yaml"), &js.config, NULL), 0);
	add_device();
	assert_int_equal(uv_loop_init(&js.loop), 0);
	keeper.path = js.config.file->database;
	keeper.root_kek = &js.config.root_kek;
	keeper.policy = &js.config.decide;
	js.serve.config = &js.config;
	assert_int_equal(keeper_new(&keeper, &js.serve.keeper, NULL), 0);
	return http_server_new(&http, &js.http, NULL);
}

static void closed(void *arg)
{
	(void)arg;
	keeper_free(js.serve.keeper);
}

static int stop(void **state)
{
	static const char *const files[] = { "js.db", "js.db-wal", "js.db-shm", "kek", "plain.yaml",
		"dane.yaml" };

	(void)state;
	http_server_close(js.http, 0, closed, NULL);
	uv_run(&js.loop, UV_RUN_DEFAULT);
	loop_close(&js.loop, NULL);
	devices_close(js.seen);
	config_done(&js.config);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(path_of(files[i]));
	return rmdir(js.folder);
}

/* SQLite wants to know how large its pieces are: said in front of each. */
#define SIZED 16

static void *sqlite_realloc(void *p, int n)
{
	char *piece = scarce_realloc(p ? (char *)p - SIZED : NULL, (size_t)n + SIZED);

	if (!piece)
		return NULL;
	memcpy(piece, &n, sizeof(n));
	return piece + SIZED;
}

static void *sqlite_malloc(int n)
{
	return sqlite_realloc(NULL, n);
}

static void sqlite_free(void *p)
{
	scarce_free(p ? (char *)p - SIZED : NULL);
}

static int sqlite_size(void *p)
{
	int n = 0;

	if (p)
		memcpy(&n, (char *)p - SIZED, sizeof(n));
	return n;
}

static int sqlite_roundup(int n)
{
	return (n + 7) & ~7;
}

static int sqlite_init(void *arg)
{
	(void)arg;
	return SQLITE_OK;
}

static void sqlite_shutdown(void *arg)
{
	(void)arg;
}

static bool scarce_sqlite(void)
{
	static const sqlite3_mem_methods methods = { sqlite_malloc, sqlite_free, sqlite_realloc,
		sqlite_size, sqlite_roundup, sqlite_init, sqlite_shutdown, NULL };

	/* No lookaside: every allocation is one. */
	return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK &&
		sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) == SQLITE_OK;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_reading_the_configuration),
		TEST(of_a_join),
	};

	if (!scarce_openssl() || !scarce_sqlite())
		return 1;
	return cmocka_run_group_tests(tests, start, stop);
}
