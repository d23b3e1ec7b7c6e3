/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/lab.h"
#include "cli/run.h"
#include "crypto/random.h"
#include "publish/probe.h"
#include "publish/tsigkey.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_MS  60000 /* on a busy machine; a knotd that ends is noticed at once */
#define STOP_MS   5000
#define PAUSE_MS  20
#define PROBE_MS  1000
#define CONF_NAME "knot.conf"

static const struct {
	const char *conf, *pid, *output;
} servers[] = {
	[LAB_MAIN] = { CONF_NAME, "knotd.pid", "knotd.out" },
	[LAB_OTHER] = { "other.conf", "other.pid", "other.out" },
	[LAB_MUTE] = { "mute.conf", "mute.pid", "mute.out" },
};

static char knotd[LAB_PATH_MAX], keymgr[LAB_PATH_MAX];

int lab_find_programs(struct err *err)
{
	int rc = run_find("knotd", "knot", knotd, sizeof(knotd), err);

	return rc == 0 ? run_find("keymgr", "knot", keymgr, sizeof(keymgr), err) : rc;
}

static int bind_one(int type, unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		int why = errno;

		close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

/* Below those that the system gives to whoever connects: one of them would be taken before
 * knotd is there. */
static int random_port(unsigned *port, struct err *err)
{
	uint8_t octets[2];
	int rc = random_octets(octets, sizeof(octets), err);

	*port = 16384 + (((unsigned)octets[0] << 8 | octets[1]) & 16383);
	return rc;
}

bool lab_port_is_free(unsigned port)
{
	int tcp = bind_one(SOCK_STREAM, port), udp = bind_one(SOCK_DGRAM, port);
	bool free = tcp >= 0 && udp >= 0;
	int why = errno;

	if (tcp >= 0)
		close(tcp);
	if (udp >= 0)
		close(udp);
	errno = why;
	return free;
}

/* A port that is free for TCP and for UDP; *port 0: any. */
int lab_choose_port(unsigned *port, struct err *err)
{
	unsigned chosen = 0;

	if (*port != 0)
		return lab_port_is_free(*port)
			? 0
			: err_set(err, ERR_SYSTEM, "port %u on 127.0.0.1: %s", *port,
				  strerror(errno));
	for (int attempt = 0; attempt < 64; attempt++) {
		int rc = random_port(&chosen, err);

		if (rc != 0)
			return rc;
		if (lab_port_is_free(chosen)) {
			*port = chosen;
			return 0;
		}
	}
	return err_set(err, ERR_SYSTEM, "no port on 127.0.0.1 is free for TCP and UDP");
}

static void put_server(const struct lab *lab, const struct tsigkey *key, struct buf *t)
{
	buf_printf(t, "server:\n    rundir: \"%s\"\n    pidfile: \"%s/knotd.pid\"\n", lab->dir,
		lab->dir);
	buf_printf(t, "    listen: 127.0.0.1@%u\n    udp-workers: 1\n    tcp-workers: 2\n",
		lab->port);
	buf_printf(t, "    background-workers: 2\ncontrol:\n    listen: \"%s/k.sock\"\n", lab->dir);
	buf_printf(t, "database:\n    storage: \"%s/db\"\n", lab->dir);
	buf_text(t, "    journal-db-max-size: 1G\n    kasp-db-max-size: 16M\n");
	buf_printf(t, "log:\n  - target: \"%s/knotd.log\"\n    any: info\n", lab->dir);
	buf_printf(t, "key:\n  - id: %s\n    algorithm: hmac-sha256\n    secret: \"%s\"\n",
		key->name, key->secret);
	buf_printf(t, "acl:\n  - id: update\n    key: %s\n    action: update\n", key->name);
	buf_text(t, "policy:\n  - id: lab\n    algorithm: ecdsap256sha256\n");
	buf_text(t, "    single-type-signing: on\n    cds-cdnskey-publish: none\n    nsec3: off\n");
	buf_printf(t, "    dnskey-ttl: %u\n    zone-max-ttl: %u\n", lab->ttl_s, lab->ttl_s);
}

static void put_zones(const struct lab *lab, struct buf *t)
{
	buf_printf(t, "template:\n  - id: default\n    storage: \"%s/zones\"\n", lab->dir);
	buf_text(t, "    acl: update\n    zonefile-sync: -1\n    serial-policy: increment\n");
	/* a fleet of 100,000: all changes since the start stay in the journal */
	buf_text(t, "    journal-max-usage: 400M\n");
	buf_text(t, "zone:\n");
	if (lab->broken)
		lab_broken_conf(lab, LAB_MAIN, t);
	for (size_t i = 0; i < LAB_ZONES; i++) {
		buf_printf(t, "  - domain: \"%s\"\n    file: \"%s\"\n", lab_zones[i].name,
			lab_zones[i].file);
		if (lab_zones[i].signing != LAB_UNSIGNED)
			buf_text(t, "    dnssec-signing: on\n    dnssec-policy: lab\n");
	}
}

static int make_folders(const struct lab *lab, struct err *err)
{
	static const char *const folders[] = { "zones", "db" };
	char path[LAB_PATH_MAX];

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdir(lab_path(lab, folders[i], path), 0700) != 0)
			return err_set(err, ERR_SYSTEM, "folder '%s': %s", path, strerror(errno));
	return 0;
}

int lab_prepare_knot(const struct lab *lab, struct err *err)
{
	struct tsigkey key;
	struct buf text = { 0 }, line = { 0 };
	int rc = make_folders(lab, err);

	if (rc == 0)
		rc = tsigkey_new(LAB_TSIG_NAME, &key, err);
	if (rc != 0)
		return rc;
	put_server(lab, &key, &text);
	put_zones(lab, &text);
	buf_printf(&line, "hmac-sha256:%s:%s\n", key.name, key.secret);
	tsigkey_wipe(&key);
	rc = lab_write(lab, CONF_NAME, &text, err);
	if (rc == 0)
		return lab_write(lab, "tsig.key", &line, err);
	buf_done(&line);
	return rc;
}

static int ask_keymgr(const struct lab *lab, const char *zone, const char *const *words,
	struct buf *out, struct err *err)
{
	char conf[LAB_PATH_MAX];
	const char *argv[10] = { keymgr, "-c", lab_path(lab, CONF_NAME, conf), zone };
	int rc;

	for (size_t i = 0; words[i]; i++)
		argv[4 + i] = words[i];
	rc = run_read(argv, out, err);
	return rc == 0 ? 0 : err_wrap(err, rc, "zone '%s'", zone);
}

/* One key per zone; its DS for the parent, and the root's DNSKEY as trust anchor. */
int lab_make_keys(const struct lab *lab, struct buf ds[LAB_ZONES], struct err *err)
{
	static const char *const generate[] = { "generate", "algorithm=13", "ksk=yes", "zsk=yes",
		NULL };
	static const char *const digest[] = { "ds", NULL };
	static const char *const dnskey[] = { "dnskey", NULL };
	struct buf id = { 0 }, anchor = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < LAB_ZONES && !lab_interrupted; i++) {
		if (lab_zones[i].signing == LAB_UNSIGNED)
			continue;
		rc = ask_keymgr(lab, lab_zones[i].name, generate, &id, err);
		if (rc == 0)
			rc = ask_keymgr(lab, lab_zones[i].name, i ? digest : dnskey,
				i ? &ds[i] : &anchor, err);
	}
	buf_done(&id);
	if (rc == 0 && lab_interrupted)
		rc = err_set(err, ERR_SYSTEM, "interrupted");
	if (rc == 0)
		return lab_write(lab, "root.key", &anchor, err);
	buf_done(&anchor);
	return rc;
}

static void last_error(const struct lab *lab, char *out, size_t cap)
{
	char path[LAB_PATH_MAX], line[256];
	FILE *f = fopen(lab_path(lab, "knotd.log", path), "re");
	const char *at;

	snprintf(out, cap, "it said nothing");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		at = strstr(line, "error: ");
		if (at)
			snprintf(out, cap, "%s", at + strlen("error: "));
	}
	if (f)
		fclose(f);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool zone_is_ready(const struct lab *lab, const struct lab_zone *z)
{
	struct probe_zone found;

	if (probe_ask("127.0.0.1", (uint16_t)lab->port, PROBE_MS, z->name, &found, NULL) != 0)
		return false;
	return found.served && (found.is_signed || z->signing == LAB_UNSIGNED);
}

/* Zone i of all there are, the broken ones behind the others. */
static bool is_ready(const struct lab *lab, size_t i)
{
	return i < LAB_ZONES ? zone_is_ready(lab, &lab_zones[i])
			     : lab_broken_is_served(lab, i - LAB_ZONES);
}

/* Until every zone is answered for, and signed, by the one that has written its number: before
 * that another's lab may answer at the port. */
static int await_ready(const struct lab *lab, pid_t pid, struct err *err)
{
	const int64_t end = now_ms() + READY_MS;
	const size_t zones = LAB_ZONES + (lab->broken ? lab_broken_count() : 0);
	char words[200];
	size_t ready = 0;
	int status;

	while (ready < zones) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			last_error(lab, words, sizeof(words));
			return err_set(err, ERR_SYSTEM, "knotd: stopped at once: %s", words);
		}
		if (lab_interrupted)
			return err_set(err, ERR_SYSTEM, "interrupted");
		if (lab_knot_pid(lab) == pid && is_ready(lab, ready)) {
			ready++;
			continue;
		}
		if (now_ms() > end)
			return err_set(err, ERR_TIMEOUT,
				"zone '%s': not served and signed after %d s",
				ready < LAB_ZONES ? lab_zones[ready].name : "broken.example",
				READY_MS / 1000);
		poll(NULL, 0, PAUSE_MS);
	}
	return 0;
}

static int run_server(const struct lab *lab, enum lab_server server, pid_t *pid, struct err *err)
{
	char conf[LAB_PATH_MAX], out[LAB_PATH_MAX];
	const char *argv[] = { knotd, "-c", lab_path(lab, servers[server].conf, conf), NULL };

	return run_detached(argv, lab_path(lab, servers[server].output, out), pid, err);
}

static void give_up(pid_t pid)
{
	if (waitpid(pid, NULL, WNOHANG) != 0)
		return;
	kill(pid, SIGTERM);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

int lab_start_knot(const struct lab *lab, struct err *err)
{
	pid_t pid;
	int rc = run_server(lab, LAB_MAIN, &pid, err);

	if (rc != 0)
		return rc;
	rc = await_ready(lab, pid, err);
	if (rc != 0)
		give_up(pid);
	return rc;
}

/* Until it answers, whatever it says, and has written its number. */
int lab_start_other(const struct lab *lab, enum lab_server server, const char *address,
	struct err *err)
{
	const int64_t end = now_ms() + READY_MS;
	struct probe_zone ignored;
	pid_t pid;
	int rc = run_server(lab, server, &pid, err);

	while (rc == 0 &&
		(probe_ask(address, (uint16_t)lab->port, PROBE_MS, ".", &ignored, NULL) != 0 ||
			lab_server_pid(lab, server) == 0)) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return err_set(err, ERR_SYSTEM, "knotd at %s: stopped at once", address);
		if (now_ms() > end || lab_interrupted)
			rc = err_set(err, ERR_TIMEOUT, "knotd at %s: does not answer", address);
		poll(NULL, 0, PAUSE_MS);
	}
	if (rc != 0)
		give_up(pid);
	return rc;
}

/* A pid file may be stale and the number another's: the command line must name our file. */
static bool is_ours(const struct lab *lab, enum lab_server server, int pid)
{
	char path[64], conf[LAB_PATH_MAX], words[1024];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = fread(words, 1, sizeof(words) - 1, f);
	fclose(f);
	words[n] = '\0';
	lab_path(lab, servers[server].conf, conf);
	for (size_t i = 0; i < n; i += strlen(words + i) + 1)
		if (strcmp(words + i, conf) == 0)
			return strstr(words, "knotd") != NULL;
	return false;
}

int lab_knot_pid(const struct lab *lab)
{
	return lab_server_pid(lab, LAB_MAIN);
}

int lab_server_pid(const struct lab *lab, enum lab_server server)
{
	char path[LAB_PATH_MAX];
	FILE *f = fopen(lab_path(lab, servers[server].pid, path), "re");
	int pid = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%d", &pid) != 1 || pid <= 1 || !is_ours(lab, server, pid))
		pid = 0;
	fclose(f);
	return pid;
}

/* Where the kernel has no descriptors of processes: looked at again and again. */
static int stop_watching(const struct lab *lab, enum lab_server server, int pid, struct err *err)
{
	const int64_t start = now_ms();

	kill(pid, SIGTERM);
	kill(pid, SIGCONT);
	while (is_ours(lab, server, pid)) {
		if (now_ms() > start + 2 * STOP_MS)
			return err_set(err, ERR_TIMEOUT, "knotd: process %d does not end", pid);
		if (now_ms() > start + STOP_MS)
			kill(pid, SIGKILL);
		poll(NULL, 0, PAUSE_MS);
	}
	return 0;
}

/* The mute one is stopped in another sense, and has to go on to end. */
static int stop_server(const struct lab *lab, enum lab_server server, struct err *err)
{
	int pid = lab_server_pid(lab, server);
	struct pollfd gone = { .fd = -1, .events = POLLIN };
	int rc = 0;

	if (pid == 0)
		return 0;
	gone.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (gone.fd < 0 && errno == ENOSYS)
		return stop_watching(lab, server, pid, err);
	if (gone.fd < 0 && errno == ESRCH)
		return 0;
	if (gone.fd < 0)
		return err_set(err, ERR_SYSTEM, "knotd: process %d: %s", pid, strerror(errno));
	/* asked again, now that the number cannot become another's */
	if (is_ours(lab, server, pid)) {
		syscall(SYS_pidfd_send_signal, gone.fd, SIGTERM, NULL, 0);
		syscall(SYS_pidfd_send_signal, gone.fd, SIGCONT, NULL, 0);
		if (poll(&gone, 1, STOP_MS) == 0)
			syscall(SYS_pidfd_send_signal, gone.fd, SIGKILL, NULL, 0);
		if (poll(&gone, 1, STOP_MS) != 1)
			rc = err_set(err, ERR_TIMEOUT, "knotd: process %d does not end", pid);
	}
	close(gone.fd);
	return rc;
}

int lab_stop_knot(const struct lab *lab, struct err *err)
{
	int rc = stop_server(lab, LAB_MAIN, err);

	for (enum lab_server s = LAB_OTHER; rc == 0 && s <= LAB_MUTE; s++)
		rc = stop_server(lab, s, err);
	return rc;
}
