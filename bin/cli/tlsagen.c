/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tlsagen - "sardane tlsa generate": the record to publish for a certificate or a key.
 */
#include "cli/option.h"
#include "cli/text.h"
#include "dane/generate.h"
#include "dns/owner.h"
#include "pki/der.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	OPT_CERT = 1,
	OPT_PUBKEY,
	OPT_NAME,
	OPT_HOST,
	OPT_PORT,
	OPT_PROTO,
	OPT_USAGE,
	OPT_SELECTOR,
	OPT_MATCHING,
	OPT_TTL,
};

const char tlsa_generate_help[] =
	"usage: sardane tlsa generate --cert FILE|--pubkey FILE [OPTIONS]\n\n"
	"Prints the TLSA record of a certificate or of a bare public key, as a zone file has\n"
	"it. Without a name only the data is printed.\n\n"
	"  --cert FILE        certificate, PEM (the first of the file) or DER\n"
	"  --pubkey FILE      public key, PEM or DER; of a private key the public half is taken\n"
	"  --name OWNER       owner of the record, as a client's name\n"
	"  --host H           owner is _port._proto.H, as of a server\n"
	"  --port P           its port\n"
	"  --proto PROTO      its transport: tcp (default), udp or sctp\n"
	"  --usage U          0 to 3, or PKIX-TA, PKIX-EE, DANE-TA, DANE-EE (default 3)\n"
	"  --selector S       0 or 1, or Cert, SPKI (default 1)\n"
	"  --matching M       0 to 2, or Full, SHA2-256, SHA2-512 (default 1)\n"
	"  --ttl S            print this time to live\n"
	"  --help             this text\n";

static const struct option options[] = {
	{ "cert", required_argument, NULL, OPT_CERT },
	{ "pubkey", required_argument, NULL, OPT_PUBKEY },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "host", required_argument, NULL, OPT_HOST },
	{ "port", required_argument, NULL, OPT_PORT },
	{ "proto", required_argument, NULL, OPT_PROTO },
	{ "usage", required_argument, NULL, OPT_USAGE },
	{ "selector", required_argument, NULL, OPT_SELECTOR },
	{ "matching", required_argument, NULL, OPT_MATCHING },
	{ "ttl", required_argument, NULL, OPT_TTL },
	{ 0 },
};

struct request {
	const char *cert, *pubkey, *name, *host, *proto;
	unsigned port, usage, selector, matching, ttl_s;
	bool has_port, has_ttl;
};

/* A number up to max, or the word RFC 7218 has for one. */
static int read_field(const struct command *self, const char *option, unsigned max,
	const char *(*word)(int), unsigned *out)
{
	for (unsigned i = 0; i <= max; i++) {
		if (strcasecmp(optarg, word((int)i)) != 0)
			continue;
		*out = i;
		return 0;
	}
	return option_number(self, option, optarg, 0, max, out);
}

static int read_number(const struct command *self, int c, struct request *r)
{
	switch (c) {
	case OPT_PORT:
		r->has_port = true;
		return option_number(self, "--port", optarg, 1, 65535, &r->port);
	case OPT_TTL:
		r->has_ttl = true;
		return option_number(self, "--ttl", optarg, 0, 604800, &r->ttl_s);
	case OPT_USAGE: return read_field(self, "--usage", 3, tlsa_usage_word, &r->usage);
	case OPT_SELECTOR:
		return read_field(self, "--selector", 1, tlsa_selector_word, &r->selector);
	case OPT_MATCHING:
		return read_field(self, "--matching", 2, tlsa_matching_word, &r->matching);
	}
	return 2;
}

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;
	switch (c) {
	case OPT_CERT: r->cert = optarg; return 0;
	case OPT_PUBKEY: r->pubkey = optarg; return 0;
	case OPT_NAME: r->name = optarg; return 0;
	case OPT_HOST: r->host = optarg; return 0;
	case OPT_PROTO:
		r->proto = optarg;
		if (strcmp(optarg, "tcp") == 0 || strcmp(optarg, "udp") == 0 ||
			strcmp(optarg, "sctp") == 0)
			return 0;
		return command_fail(self, "--proto '%s': not tcp, udp or sctp", optarg);
	}
	return read_number(self, c, r);
}

static int read_request(const struct command *self, int argc, char **argv, struct request *r)
{
	if (option_all(self, argc, argv, options, read_option, r) != 0)
		return 2;
	if (argc != optind)
		return command_fail(self, "'%s': unexpected; see --help", argv[optind]);
	if (!r->cert == !r->pubkey)
		return command_fail(self, "--cert or --pubkey: give one of them");
	if (r->name && r->host)
		return command_fail(self, "--name and --host: give one of them");
	if (!r->host != !r->has_port)
		return command_fail(self, "--host and --port: give both");
	if (r->pubkey && r->selector == TLSA_CERT)
		return command_fail(self, "--selector 0: a bare key has no certificate");
	return 0;
}

static int read_owner(const struct command *self, const struct request *r, struct name *owner)
{
	const char *text = r->name ? r->name : r->host;
	struct name name;

	if (!text)
		return 0;
	if (name_of(text, &name) != 0)
		return command_fail(self, "name '%s': not a domain name", text);
	if (r->name)
		*owner = name;
	else if (owner_tlsa((uint16_t)r->port, r->proto, &name, owner) != 0)
		return command_fail(self, "name '%s': too long with a port before it", text);
	return 0;
}

static int print_record(const struct request *r, const struct name *owner, const struct tlsa *tlsa,
	struct err *err)
{
	char name[NAME_TEXT_MAX];
	size_t cap = 16 + 2 * tlsa->data.n;
	char *text = malloc(cap);
	int rc;

	if (!text)
		return err_set(err, ERR_NOMEM, "out of memory");
	rc = tlsa_write_text(tlsa, text, cap, err);
	if (rc == 0 && owner->n != 0) {
		rc = name_write_text(owner, name, sizeof(name));
		if (rc == 0 && r->has_ttl)
			printf("%s. %u IN TLSA ", name, r->ttl_s);
		else if (rc == 0)
			printf("%s. IN TLSA ", name);
	}
	if (rc == 0)
		puts(text);
	free(text);
	return rc;
}

static int generate(const struct request *r, const struct name *owner, struct err *err)
{
	struct buf der = { 0 };
	uint8_t *memory = NULL;
	struct tlsa tlsa;
	size_t cap;
	int rc = r->cert ? der_read_certificate(r->cert, &der, err)
			 : der_read_key(r->pubkey, &der, err);

	if (rc == 0) {
		cap = der.n > GENERATE_MAX ? der.n : GENERATE_MAX;
		memory = malloc(cap);
		if (!memory)
			rc = err_set(err, ERR_NOMEM, "out of memory");
		else if (r->cert)
			rc = generate_from_certificate(buf_span(&der), (enum tlsa_usage)r->usage,
				(enum tlsa_selector)r->selector, (enum tlsa_matching)r->matching,
				memory, cap, &tlsa, err);
		else
			rc = generate_from_key(buf_span(&der), (enum tlsa_usage)r->usage,
				(enum tlsa_matching)r->matching, memory, cap, &tlsa, err);
	}
	if (rc == 0)
		rc = print_record(r, owner, &tlsa, err);
	free(memory);
	buf_done(&der);
	return rc;
}

int tlsa_generate(const struct command *self, int argc, char **argv)
{
	struct request r = { .usage = 3, .selector = 1, .matching = 1, .proto = "tcp" };
	struct name owner = { 0 };
	struct err err;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, &r) != 0 || read_owner(self, &r, &owner) != 0)
		return 2;
	if (generate(&r, &owner, &err) != 0)
		return command_fail(self, "%s", err.msg);
	return 0;
}
