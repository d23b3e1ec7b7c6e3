/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zoneinit - "sardane zone init": a starting zone, and how Knot and BIND shall sign it and let
 * us publish in it.
 */
#include "cli/option.h"
#include "cli/publishing.h"
#include "core/secret.h"
#include "pki/pemfile.h"
#include "publish/tsigkey.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SECONDARIES_MAX 12

enum { OPT_DIR = 1, OPT_ADDRESS, OPT_PORT, OPT_NS, OPT_SECONDARY, OPT_CONTACT, OPT_TTL };

const char zone_init_help[] =
	"usage: sardane zone init ZONE --address A [OPTIONS]\n\n"
	"Writes a starting zone, whole configurations for Knot and for BIND that sign it and take\n"
	"updates of TLSA records by a TSIG key, the key, and the file for --via of the commands\n"
	"that publish. Nothing that is there is replaced.\n\n"
	"  --address A        of the primary name server, IPv4 or IPv6 (needed)\n"
	"  --port P           it listens at (default 53)\n"
	"  --dir DIR          where to write (default: a folder ZONE here)\n"
	"  --ns NAME          of the primary (default ns1.ZONE)\n"
	"  --secondary N=A    another name server: its name and address; may be given again\n"
	"  --contact NAME     mailbox of the zone, its @ a dot (default hostmaster.ZONE)\n"
	"  --ttl S            of the TLSA records to come (default 3600)\n"
	"  --help             this text\n";

static const struct option options[] = {
	{ "dir", required_argument, NULL, OPT_DIR },
	{ "address", required_argument, NULL, OPT_ADDRESS },
	{ "port", required_argument, NULL, OPT_PORT },
	{ "ns", required_argument, NULL, OPT_NS },
	{ "secondary", required_argument, NULL, OPT_SECONDARY },
	{ "contact", required_argument, NULL, OPT_CONTACT },
	{ "ttl", required_argument, NULL, OPT_TTL },
	{ 0 },
};

struct server {
	char name[NAME_TEXT_MAX], address[64];
};

struct plan {
	const char *dir;
	char zone[NAME_TEXT_MAX], contact[NAME_TEXT_MAX], folder[PATH_MAX];
	unsigned port, ttl_s;
	struct server primary, secondary[SECONDARIES_MAX];
	size_t secondaries;
	struct tsigkey key;
};

static int read_name(const struct command *self, const char *what, const char *text,
	char out[NAME_TEXT_MAX])
{
	struct name name;

	if (name_of(text, &name) != 0 || !name_is_plain(&name) || name.n < 2)
		return command_fail(self,
			"%s '%s': not a domain name of letters, digits, hyphens and underscores",
			what, text);
	name_lower(&name);
	return name_write_text(&name, out, NAME_TEXT_MAX) == 0
		? 0
		: command_fail(self, "%s '%s': cannot be written", what, text);
}

static bool is_v6(const char *address)
{
	return strchr(address, ':') != NULL;
}

static int read_address(const struct command *self, const char *option, const char *text,
	char out[64])
{
	uint8_t octets[16];

	if (strlen(text) >= 64 || inet_pton(is_v6(text) ? AF_INET6 : AF_INET, text, octets) != 1)
		return command_fail(self, "%s '%s': not an IPv4 or IPv6 address", option, text);
	strcpy(out, text);
	return 0;
}

static int read_secondary(const struct command *self, struct plan *p)
{
	struct server *s = &p->secondary[p->secondaries];
	char *equals = strchr(optarg, '=');

	if (p->secondaries == SECONDARIES_MAX)
		return command_fail(self, "--secondary: more than %d", SECONDARIES_MAX);
	if (!equals)
		return command_fail(self, "--secondary '%s': not NAME=ADDRESS", optarg);
	*equals = '\0';
	if (read_name(self, "--secondary", optarg, s->name) != 0 ||
		read_address(self, "--secondary", equals + 1, s->address) != 0)
		return 2;
	p->secondaries++;
	return 0;
}

static int read_option(const struct command *self, int c, void *arg)
{
	struct plan *p = arg;

	switch (c) {
	case OPT_DIR: p->dir = optarg; return 0;
	case OPT_ADDRESS: return read_address(self, "--address", optarg, p->primary.address);
	case OPT_PORT: return option_number(self, "--port", optarg, 1, 65535, &p->port);
	case OPT_NS: return read_name(self, "--ns", optarg, p->primary.name);
	case OPT_SECONDARY: return read_secondary(self, p);
	case OPT_CONTACT: return read_name(self, "--contact", optarg, p->contact);
	case OPT_TTL: return option_number(self, "--ttl", optarg, 1, 604800, &p->ttl_s);
	}
	return 2;
}

static bool is_in_zone(const struct plan *p, const char *name)
{
	struct name a, b;

	return name_of(name, &a) == 0 && name_of(p->zone, &b) == 0 && name_is_within(&a, &b);
}

static void put_server(const struct plan *p, const struct server *s, struct buf *out)
{
	buf_printf(out, "%s. 3600 IN NS %s.\n", p->zone, s->name);
	if (is_in_zone(p, s->name))
		buf_printf(out, "%s. 3600 IN %s %s\n", s->name, is_v6(s->address) ? "AAAA" : "A",
			s->address);
}

/* RFC 2308: the last number of the SOA is how long "there is none" is believed: short, so that
 * a name that was asked for too early is not refused for long. */
static void put_zone(const struct plan *p, struct buf *out)
{
	buf_printf(out,
		"; A starting zone of sardane zone init. Its signer keeps the serial and the keys.\n"
		"%s. 3600 IN SOA %s. %s. 1 3600 600 1209600 300\n",
		p->zone, p->primary.name, p->contact);
	put_server(p, &p->primary, out);
	for (size_t i = 0; i < p->secondaries; i++)
		put_server(p, &p->secondary[i], out);
}

static void put_knot(const struct plan *p, struct buf *out)
{
	buf_printf(out,
		"# Whole for a knotd of its own: knotd -c knot.conf. For one that runs, take the\n"
		"# sections from key on into its configuration.\n"
		"server:\n    listen: %s@%u\n    rundir: \"%s\"\n"
		"control:\n    listen: \"%s/knot.sock\"\n"
		"database:\n    storage: \"%s/knot\"\n"
		"log:\n  - target: syslog\n    any: info\n",
		p->primary.address, p->port, p->folder, p->folder, p->folder);
	buf_printf(out, "key:\n  - id: %s\n    algorithm: %s\n    secret: \"%s\"\n", p->key.name,
		tsigkey_algorithm(&p->key), p->key.secret);
	if (p->secondaries)
		buf_text(out, "remote:\n");
	for (size_t i = 0; i < p->secondaries; i++)
		buf_printf(out, "  - id: \"%s\"\n    address: %s@%u\n", p->secondary[i].name,
			p->secondary[i].address, p->port);
	buf_printf(out,
		"acl:\n  # we may change TLSA records, and nothing else\n"
		"  - id: sardane\n    key: %s\n    action: update\n    update-type: [TLSA]\n",
		p->key.name);
	for (size_t i = 0; i < p->secondaries; i++)
		buf_printf(out, "  - id: \"transfer-%s\"\n    address: %s\n    action: transfer\n",
			p->secondary[i].name, p->secondary[i].address);
	buf_text(out,
		"policy:\n  - id: sardane\n    algorithm: ecdsap256sha256\n    nsec3: off\n"
		"    ksk-lifetime: 0\n    zsk-lifetime: 30d\n    rrsig-lifetime: 14d\n"
		"    rrsig-refresh: 7d\n    cds-cdnskey-publish: rollover\n");
	buf_printf(out,
		"zone:\n  - domain: \"%s\"\n    storage: \"%s/knot\"\n    file: \"%s.zone\"\n"
		"    dnssec-signing: on\n    dnssec-policy: sardane\n"
		"    # the server keeps what it was told by updates in the file too\n"
		"    zonefile-load: whole\n    zonefile-sync: 0\n",
		p->zone, p->folder, p->zone);
	buf_text(out, "    acl: [sardane");
	for (size_t i = 0; i < p->secondaries; i++)
		buf_printf(out, ", \"transfer-%s\"", p->secondary[i].name);
	buf_text(out, "]\n");
	if (p->secondaries)
		buf_text(out, "    notify: [");
	for (size_t i = 0; i < p->secondaries; i++)
		buf_printf(out, "%s\"%s\"", i ? ", " : "", p->secondary[i].name);
	if (p->secondaries)
		buf_text(out, "]\n");
}

static void put_named_options(const struct plan *p, struct buf *out)
{
	buf_printf(out,
		"// Whole for a named of its own: named -c named.conf. For one that runs, take what\n"
		"// follows the options into its configuration.\n"
		"options {\n\tdirectory \"%s/named\";\n\tpid-file \"%s/named/named.pid\";\n"
		"\tsession-keyfile \"%s/named/session.key\";\n\tkey-directory \"%s/named\";\n"
		"\tmanaged-keys-directory \"%s/named\";\n\trecursion no;\n",
		p->folder, p->folder, p->folder, p->folder, p->folder);
	buf_printf(out, "\tlisten-on%s port %u { %s; };\n\tlisten-on%s { none; };\n};\n",
		is_v6(p->primary.address) ? "-v6" : "", p->port, p->primary.address,
		is_v6(p->primary.address) ? "" : "-v6");
}

static void put_named(const struct plan *p, struct buf *out)
{
	put_named_options(p, out);
	buf_printf(out, "key \"%s\" {\n\talgorithm %s;\n\tsecret \"%s\";\n};\n", p->key.name,
		tsigkey_algorithm(&p->key), p->key.secret);
	buf_text(out,
		"dnssec-policy \"sardane\" {\n\tkeys {\n"
		"\t\tksk lifetime unlimited algorithm ecdsap256sha256;\n"
		"\t\tzsk lifetime 30d algorithm ecdsap256sha256;\n\t};\n"
		"\tsignatures-validity 14d;\n\tsignatures-validity-dnskey 14d;\n"
		"\tsignatures-refresh 7d;\n};\n");
	buf_printf(out,
		"zone \"%s\" {\n\ttype primary;\n\tfile \"%s.zone\";\n\tdnssec-policy sardane;\n"
		"\tinline-signing no;\n\t// we may change TLSA records, and nothing else\n"
		"\tupdate-policy { grant \"%s\" zonesub TLSA; };\n",
		p->zone, p->zone, p->key.name);
	if (p->secondaries)
		buf_text(out, "\tallow-transfer {");
	for (size_t i = 0; i < p->secondaries; i++)
		buf_printf(out, " %s;", p->secondary[i].address);
	buf_text(out, p->secondaries ? " };\n\talso-notify {" : "\tallow-transfer { none; };\n");
	for (size_t i = 0; i < p->secondaries; i++)
		buf_printf(out, " %s port %u;", p->secondary[i].address, p->port);
	buf_text(out, p->secondaries ? " };\n};\n" : "};\n");
}

static void put_via(const struct plan *p, struct buf *out)
{
	buf_printf(out,
		"publish:\n  backend: update\n  zone: %s\n  server: \"%s@%u\"\n"
		"  key_file: \"%s/tsig.key\"\n  state: \"%s/state\"\n  ttl_s: %u\n",
		p->zone, p->primary.address, p->port, p->folder, p->folder, p->ttl_s);
}

static void put_key(const struct plan *p, struct buf *out)
{
	buf_printf(out, "%s:%s:%s\n", tsigkey_algorithm(&p->key), p->key.name, p->key.secret);
}

static int write_file(const struct plan *p, const char *name, unsigned mode,
	void (*put)(const struct plan *p, struct buf *out), struct err *err)
{
	struct buf text = { 0 };
	char path[PATH_MAX];
	int rc;

	if (snprintf(path, sizeof(path), "%s/%s", p->folder, name) >= (int)sizeof(path))
		return err_set(err, ERR_ARG, "folder '%.80s...': the path is too long", p->folder);
	put(p, &text);
	rc = buf_ok(&text) ? pemfile_write(path, mode, false, buf_span(&text), err)
			   : err_set(err, ERR_NOMEM, "out of memory");
	if (text.p)
		secret_wipe_octets(text.p, text.cap);
	buf_done(&text);
	if (rc == 0)
		printf("%s\n", path);
	return rc;
}

static int make_folder(const char *path, struct err *err)
{
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return 0;
	return err_set(err, ERR_SYSTEM, "folder '%s': %s", path, strerror(errno));
}

static int make_folders(struct plan *p, struct err *err)
{
	static const char *const below[] = { "named", "knot" };
	char path[PATH_MAX];
	int rc = make_folder(p->dir, err);

	if (rc == 0 && !realpath(p->dir, p->folder))
		rc = err_set(err, ERR_SYSTEM, "folder '%s': %s", p->dir, strerror(errno));
	for (size_t i = 0; rc == 0 && i < sizeof(below) / sizeof(below[0]); i++) {
		if (snprintf(path, sizeof(path), "%s/%s", p->folder, below[i]) >= (int)sizeof(path))
			return err_set(err, ERR_ARG, "folder '%.80s...': the path is too long",
				p->folder);
		rc = make_folder(path, err);
	}
	return rc;
}

static int write_all(struct plan *p, struct err *err)
{
	char key[NAME_TEXT_MAX + 16], file[NAME_TEXT_MAX + 16];
	int rc = make_folders(p, err);

	snprintf(key, sizeof(key), "sardane.%s", p->zone);
	if (rc == 0 && strlen(key) >= sizeof(p->key.name))
		rc = err_set(err, ERR_ARG, "zone '%s': too long", p->zone);
	if (rc == 0)
		rc = tsigkey_new(key, &p->key, err);
	/* each server writes its own: with its signatures, and what it was told by updates */
	snprintf(file, sizeof(file), "knot/%s.zone", p->zone);
	if (rc == 0)
		rc = write_file(p, file, PEMFILE_PUBLIC, put_zone, err);
	snprintf(file, sizeof(file), "named/%s.zone", p->zone);
	if (rc == 0)
		rc = write_file(p, file, PEMFILE_PUBLIC, put_zone, err);
	if (rc == 0)
		rc = write_file(p, "tsig.key", PEMFILE_PRIVATE, put_key, err);
	if (rc == 0)
		rc = write_file(p, "knot.conf", PEMFILE_PRIVATE, put_knot, err);
	if (rc == 0)
		rc = write_file(p, "named.conf", PEMFILE_PRIVATE, put_named, err);
	if (rc == 0)
		rc = write_file(p, "publish.yaml", PEMFILE_PUBLIC, put_via, err);
	tsigkey_wipe(&p->key);
	return rc;
}

int zone_init(const struct command *self, int argc, char **argv)
{
	struct plan p = { .port = 53, .ttl_s = PUBLISHING_TTL_S };
	struct err err;

	if (command_helped(self, argc, argv))
		return 0;
	if (option_all(self, argc, argv, options, read_option, &p) != 0)
		return 2;
	if (argc - optind != 1)
		return command_fail(self, "ZONE: give one; see --help");
	if (!p.primary.address[0])
		return command_fail(self, "--address: missing");
	if (read_name(self, "zone", argv[optind], p.zone) != 0)
		return 2;
	if (strlen(p.zone) > 200)
		return command_fail(self, "zone '%s': too long", p.zone);
	if (!p.primary.name[0])
		snprintf(p.primary.name, sizeof(p.primary.name), "ns1.%.200s", p.zone);
	if (!p.contact[0])
		snprintf(p.contact, sizeof(p.contact), "hostmaster.%.200s", p.zone);
	if (!p.dir)
		p.dir = p.zone;
	if (write_all(&p, &err) != 0)
		return command_fail(self, "%s", err.msg);
	printf("\nStart the server, then ask for the DS of the parent:\n"
	       "  sardane zone ds %s --server %s@%u\n",
		p.zone, p.primary.address, p.port);
	return 0;
}
