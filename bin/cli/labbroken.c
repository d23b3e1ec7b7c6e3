/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labbroken - zones below broken.example, each broken in its own way, and a few that are whole
 * in ways that are easily got wrong. They are signed once by ldns-signzone and served as files;
 * the breakage is done to the files.
 */
#include "cli/lab.h"
#include "cli/run.h"
#include "publish/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define DAY 86400
/* Last octets of the addresses of the other name server and of the mute one. */
#define OTHER_OCTET 201
#define MUTE_OCTET  202
#define KEY_MAX     128
#define PROBE_MS    1000

enum how {
	UNSIGNED = 1,
	NO_DS = 2,
	BAD_DS = 4,
	ALIEN = 8,    /* DS and DNSKEY of an algorithm nobody knows */
	SPOILED = 16, /* its NSEC records are changed after they were signed */
	NSEC3 = 32,
	ON_OTHER = 64,  /* the other server has it as well */
	NOT_MAIN = 128, /* and the main one has not */
	LAME = 256,     /* the other is named but does not have it */
	NO_FILE = 512,
	ON_MUTE = 1024,
	OTHER_OLD = 2048, /* what the other has was signed long ago */
	REAL = 4096,      /* the main one has the record of a key that is there, A's NS client */
};

struct recipe {
	struct lab_broken told;
	unsigned how;
	int from_days, to_days; /* of its signatures, from today; both 0: 30 days */
	unsigned iterations;
	const char *records; /* beside SOA, NS and _client TLSA */
};

#define CLIENT "_client"

static const struct recipe recipes[] = {
	{ { "good", CLIENT, "nothing is wrong" }, .how = 0 },
	{ { "bad-digest", CLIENT, "the DS has a wrong digest" }, BAD_DS },
	{ { "expired", CLIENT, "the signatures have expired" }, 0, -60, -30 },
	{ { "clock-skew", CLIENT, "the signatures begin in two days" }, 0, 2, 30 },
	{ { "missing-ds", CLIENT, "signed, but the parent has no DS" }, NO_DS },
	{ { "unsigned", CLIENT, "not signed, and no DS" }, UNSIGNED | NO_DS },
	{ { "stripped", CLIENT, "not signed, although there is a DS" }, UNSIGNED },
	{ { "bogus-denial", "_nothing", "NSEC records whose signatures do not fit" }, SPOILED },
	{ { "denial", "_nothing", "a name that is not there, proved by NSEC" }, .how = 0 },
	{ { "nsec3", "_nothing", "the same by NSEC3" }, NSEC3 },
	{ { "iterations", "_nothing", "the same by NSEC3 with 500 iterations" }, NSEC3,
		.iterations = 500 },
	{ { "cname", "_alias", "an alias inside signed space" },
		.records = "_alias CNAME _client.good.broken.example.\n" },
	{ { "cname-out", "_alias", "an alias from signed to unsigned space" },
		.records = "_alias CNAME _client.unsigned.broken.example.\n" },
	{ { "cname-in", "_alias", "an alias from unsigned to signed space" }, UNSIGNED | NO_DS,
		.records = "_alias CNAME _client.good.broken.example.\n" },
	{ { "loop", "_alias", "aliases that lead round" },
		.records = "_alias CNAME _again\n_again CNAME _alias\n" },
	{ { "dname", "_client.all", "a DNAME into a signed zone" },
		.records = "all DNAME good.broken.example.\n" },
	{ { "wildcard", "_any.dev", "a wildcard" },
		.records = "*.dev TLSA 3 1 1 "
			   "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd\n" },
	{ { "huge", "_many", "a set too large for UDP" }, .how = 0 },
	{ { "unknown-algorithm", CLIENT, "signed by an algorithm nobody knows" }, ALIEN },
	{ { "servfail", CLIENT, "the server cannot load it" }, ON_OTHER | NOT_MAIN | NO_FILE },
	{ { "mute", CLIENT, "its server never answers" }, ON_MUTE | NOT_MAIN },
	{ { "lame", CLIENT, "one of its servers does not have it" }, LAME },
	{ { "disagree", CLIENT, "its servers have different records" }, ON_OTHER | REAL },
	{ { "lagging", CLIENT, "one of its servers has expired signatures" },
		ON_OTHER | OTHER_OLD },
};

#define RECIPES (sizeof(recipes) / sizeof(recipes[0]))

static char keygen[LAB_PATH_MAX], signzone[LAB_PATH_MAX], env[LAB_PATH_MAX];

size_t lab_broken_count(void)
{
	return RECIPES;
}

void lab_broken(size_t i, struct lab_broken *out)
{
	*out = recipes[i].told;
}

int lab_broken_find_programs(struct err *err)
{
	int rc = run_find("ldns-keygen", "ldnsutils", keygen, sizeof(keygen), err);

	if (rc == 0)
		rc = run_find("ldns-signzone", "ldnsutils", signzone, sizeof(signzone), err);
	return rc == 0 ? run_find("env", "coreutils", env, sizeof(env), err) : rc;
}

static void address_of(const struct lab *lab, unsigned last, char out[16])
{
	snprintf(out, 16, "127.%u.%u.%u", lab->port >> 8 & 255, lab->port & 255, last);
}

/* A key in DIR/broken; its base name, and its DS line. */
static int make_key(const struct lab *lab, const char *zone, char key[KEY_MAX], struct buf *ds,
	struct err *err)
{
	char folder[LAB_PATH_MAX], path[LAB_PATH_MAX + KEY_MAX + 4], line[512];
	const char *argv[] = { env, "-C", lab_path(lab, "broken", folder), keygen, "-a",
		"ECDSAP256SHA256", "-k", zone, NULL };
	struct buf said = { 0 };
	int rc = run_read(argv, &said, err);
	FILE *f = NULL;

	if (rc == 0) {
		snprintf(key, KEY_MAX, "%s", said.n ? buf_string(&said) : "");
		key[strcspn(key, "\n")] = '\0';
		snprintf(path, sizeof(path), "%s/%s.ds", folder, key);
		f = fopen(path, "re");
		if (!f || !fgets(line, sizeof(line), f))
			rc = err_set(err, ERR_SYSTEM, "ldns-keygen: made no '%s'", path);
		else
			buf_text(ds, line);
	}
	if (f)
		fclose(f);
	buf_done(&said);
	return rc;
}

static int sign(const struct lab *lab, const struct recipe *r, bool old, const char *zone,
	const char *key, const char *file, struct err *err)
{
	char folder[LAB_PATH_MAX], from[24], to[24], turns[16];
	const char *argv[24] = { env, "-C", lab_path(lab, "broken", folder), signzone, "-o", zone,
		"-f", file, "-i", from, "-e", to };
	const long long now = (long long)time(NULL);
	struct buf said = { 0 };
	size_t n = 12;
	int rc;

	snprintf(from, sizeof(from), "%lld",
		now +
			(old                         ? -60 * DAY
					: r->to_days ? r->from_days * DAY
						     : -3600));
	snprintf(to, sizeof(to), "%lld", now + (old ? -30 : r->to_days ? r->to_days : 30) * DAY);
	snprintf(turns, sizeof(turns), "%u", r->iterations);
	if (r->how & NSEC3) {
		argv[n++] = "-n";
		argv[n++] = "-t";
		argv[n++] = turns;
	}
	argv[n++] = "zone.in";
	argv[n++] = key;
	rc = run_read(argv, &said, err);
	buf_done(&said);
	return rc == 0 ? 0 : err_wrap(err, rc, "zone '%s'", zone);
}

/* Changes what the NSEC records say, and leaves their signatures. */
static int spoil(const struct lab *lab, const char *file, struct err *err)
{
	static const char says[] = "RRSIG NSEC";
	char path[LAB_PATH_MAX], line[4096];
	struct buf text = { 0 };
	FILE *f = fopen(lab_path(lab, file, path), "re");

	if (!f)
		return err_set(err, ERR_SYSTEM, "file '%s': %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		char *at = strstr(line, says);

		if (at && strstr(line, "\tNSEC\t"))
			buf_printf(&text, "%.*s%s TYPE65280%s", (int)(at - line), line, says,
				at + strlen(says));
		else
			buf_text(&text, line);
	}
	fclose(f);
	return lab_write(lab, file, &text, err);
}

static void put_servers(const struct recipe *r, const char *zone, unsigned ttl_s, struct buf *t)
{
	if (!(r->how & NOT_MAIN))
		buf_printf(t, "%s. %u NS " LAB_DNS_HOST ".\n", zone, ttl_s);
	if (r->how & (ON_OTHER | LAME))
		buf_printf(t, "%s. %u NS other.broken.example.\n", zone, ttl_s);
	if (r->how & ON_MUTE)
		buf_printf(t, "%s. %u NS mute.broken.example.\n", zone, ttl_s);
}

static int put_zone(const struct lab *lab, const struct recipe *r, const char *zone, bool other,
	struct buf *t, struct err *err)
{
	char owner[LAB_NAME_MAX];

	buf_printf(t,
		"$ORIGIN %s.\n$TTL %u\n@ SOA " LAB_DNS_HOST
		". hostmaster.example. %d 3600 600 86400 %u\n",
		zone, lab->ttl_s, other ? 1 : 2, lab->ttl_s);
	put_servers(r, zone, lab->ttl_s, t);
	for (int i = 0; strcmp(r->told.name, "huge") == 0 && i < 60; i++) {
		buf_printf(t, "_many TLSA 3 1 1 %02x", i);
		for (int k = 1; k < 32; k++)
			buf_text(t, "ef");
		buf_text(t, "\n");
	}
	if (r->how & ALIEN)
		buf_text(t, "@ DNSKEY 257 3 123 c29tZXRoaW5nIGZyb20gdGhlIGZ1dHVyZQ==\n");
	if (r->records)
		buf_text(t, r->records);
	snprintf(owner, sizeof(owner), CLIENT ".%s", zone);
	if ((r->how & REAL) && !other)
		return lab_put_tlsa(lab, owner, "a/ns-client.pem", t, err);
	buf_text(t, CLIENT " TLSA 3 1 1 ");
	for (int i = 0; i < 32; i++)
		buf_text(t, other ? "cd" : "ab");
	buf_text(t, "\n");
	return 0;
}

/* The file that a server serves, broken/NAME.zone or broken/NAME.other. */
static int make_file(const struct lab *lab, const struct recipe *r, const char *zone,
	const char *key, bool other, struct err *err)
{
	char plain[KEY_MAX], file[KEY_MAX + 8];
	struct buf text = { 0 };
	int rc = put_zone(lab, r, zone, other, &text, err);

	if (rc != 0) {
		buf_done(&text);
		return rc;
	}
	snprintf(plain, sizeof(plain), "%s.%s", r->told.name, other ? "other" : "zone");
	snprintf(file, sizeof(file), "broken/%s", plain);
	if (r->how & (UNSIGNED | ALIEN))
		return lab_write(lab, file, &text, err);
	rc = lab_write(lab, "broken/zone.in", &text, err);
	if (rc == 0)
		rc = sign(lab, r, other && (r->how & OTHER_OLD), zone, key, plain, err);
	return rc == 0 && (r->how & SPOILED) ? spoil(lab, file, err) : rc;
}

/* The delegation, as it stands in broken.example. */
static void put_delegation(const struct lab *lab, const struct recipe *r, const char *zone,
	struct buf *ds, struct buf *parent)
{
	const char *line = ds->n ? buf_string(ds) : "";
	const char *type = strstr(line, "DS");
	size_t n = strlen(line);

	put_servers(r, zone, lab->ttl_s, parent);
	if (r->how & NO_DS || !type)
		return;
	n -= n && line[n - 1] == '\n';
	if (r->how & ALIEN)
		buf_printf(parent, "%s. DS 4711 123 2 %.64s\n", zone, line + n - 64);
	else if (r->how & BAD_DS)
		buf_printf(parent, "%s. %.*s%c\n", zone, (int)(line + n - 1 - type), type,
			line[n - 1] == '0' ? '1' : '0');
	else
		buf_printf(parent, "%s. %.*s\n", zone, (int)(line + n - type), type);
}

static int make_zone(const struct lab *lab, const struct recipe *r, struct buf *parent,
	struct err *err)
{
	char zone[LAB_NAME_MAX], key[KEY_MAX];
	struct buf ds = { 0 };
	int rc;

	snprintf(zone, sizeof(zone), "%s.broken.example", r->told.name);
	rc = make_key(lab, zone, key, &ds, err);
	if (rc == 0)
		put_delegation(lab, r, zone, &ds, parent);
	if (rc == 0 && !(r->how & NOT_MAIN))
		rc = make_file(lab, r, zone, key, false, err);
	if (rc == 0 && (r->how & ON_OTHER) && !(r->how & NO_FILE))
		rc = make_file(lab, r, zone, key, true, err);
	buf_done(&ds);
	return rc;
}

static int make_parent(const struct lab *lab, struct buf *delegations, struct buf *ds,
	struct err *err)
{
	static const struct recipe plain = { { "broken", NULL, NULL } };
	struct buf text = { 0 };
	char other[16], mute[16], key[KEY_MAX];
	int rc = make_key(lab, "broken.example", key, ds, err);

	address_of(lab, OTHER_OCTET, other);
	address_of(lab, MUTE_OCTET, mute);
	if (rc == 0)
		rc = put_zone(lab, &plain, "broken.example", false, &text, err);
	buf_printf(&text, "other A %s\nmute A %s\n%s", other, mute, buf_string(delegations));
	if (rc == 0)
		rc = lab_write(lab, "broken/zone.in", &text, err);
	else
		buf_done(&text);
	return rc == 0 ? sign(lab, &plain, false, "broken.example", key, "broken.zone", err) : rc;
}

/* A name server at an address of its own, without keys and updates. */
static int write_conf(const struct lab *lab, enum lab_server server, const char *word,
	const char *address, struct err *err)
{
	char file[32];
	struct buf t = { 0 };

	buf_printf(&t, "server:\n    rundir: \"%s\"\n    pidfile: \"%s/%s.pid\"\n", lab->dir,
		lab->dir, word);
	buf_printf(&t, "    listen: %s@%u\n    udp-workers: 1\n    tcp-workers: 1\n", address,
		lab->port);
	buf_printf(&t, "    background-workers: 1\ncontrol:\n    listen: \"%s/%c.sock\"\n",
		lab->dir, word[0]);
	buf_printf(&t, "database:\n    storage: \"%s/db-%s\"\n", lab->dir, word);
	buf_text(&t, "    journal-db-max-size: 16M\n    kasp-db-max-size: 16M\n");
	buf_printf(&t, "template:\n  - id: default\n    storage: \"%s/broken\"\n", lab->dir);
	buf_text(&t, "    zonefile-sync: -1\nzone:\n");
	lab_broken_conf(lab, server, &t);
	snprintf(file, sizeof(file), "%s.conf", word);
	return lab_write(lab, file, &t, err);
}

void lab_broken_conf(const struct lab *lab, enum lab_server server, struct buf *text)
{
	if (server == LAB_MAIN)
		buf_printf(text,
			"  - domain: broken.example\n    file: \"%s/broken/broken.zone\"\n",
			lab->dir);
	for (size_t i = 0; i < RECIPES; i++) {
		const struct recipe *r = &recipes[i];
		bool has = server == LAB_MAIN ? !(r->how & NOT_MAIN)
					      : server == LAB_OTHER && (r->how & ON_OTHER);

		if (has)
			buf_printf(text,
				"  - domain: %s.broken.example\n    file: \"%s/broken/%s.%s\"\n",
				r->told.name, lab->dir, r->told.name,
				server == LAB_MAIN ? "zone" : "other");
	}
}

int lab_broken_make(const struct lab *lab, struct buf *ds, struct err *err)
{
	char path[LAB_PATH_MAX], other[16], mute[16];
	struct buf delegations = { 0 };
	int rc = 0;

	address_of(lab, OTHER_OCTET, other);
	address_of(lab, MUTE_OCTET, mute);
	if (mkdir(lab_path(lab, "broken", path), 0700) != 0)
		return err_set(err, ERR_SYSTEM, "folder '%s': %s", path, strerror(errno));
	for (size_t i = 0; rc == 0 && i < RECIPES && !lab_interrupted; i++)
		rc = make_zone(lab, &recipes[i], &delegations, err);
	if (rc == 0)
		rc = make_parent(lab, &delegations, ds, err);
	buf_done(&delegations);
	if (rc == 0)
		rc = write_conf(lab, LAB_OTHER, "other", other, err);
	return rc == 0 ? write_conf(lab, LAB_MUTE, "mute", mute, err) : rc;
}

int lab_broken_start(const struct lab *lab, struct err *err)
{
	char address[16];
	int rc;

	address_of(lab, OTHER_OCTET, address);
	rc = lab_start_other(lab, LAB_OTHER, address, err);
	address_of(lab, MUTE_OCTET, address);
	if (rc == 0)
		rc = lab_start_other(lab, LAB_MUTE, address, err);
	/* From here on it takes what comes and says nothing. */
	if (rc == 0)
		kill(lab_server_pid(lab, LAB_MUTE), SIGSTOP);
	return rc;
}

bool lab_broken_is_served(const struct lab *lab, size_t i)
{
	const unsigned how = recipes[i].how;
	char zone[LAB_NAME_MAX], other[16];
	struct probe_zone found = { 0 };

	snprintf(zone, sizeof(zone), "%s.broken.example", recipes[i].told.name);
	address_of(lab, OTHER_OCTET, other);
	if (!(how & NOT_MAIN) &&
		(probe_ask("127.0.0.1", (uint16_t)lab->port, PROBE_MS, zone, &found, NULL) != 0 ||
			!found.served))
		return false;
	return !(how & ON_OTHER) || (how & NO_FILE) ||
		(probe_ask(other, (uint16_t)lab->port, PROBE_MS, zone, &found, NULL) == 0 &&
			found.served);
}
