/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tlsaverify - "sardane tlsa verify": would a handshake accept this chain? No network needed.
 */
#include "base/hex.h"
#include "cli/option.h"
#include "cli/text.h"
#include "pki/wholefile.h"
#include "tls/verify.h"
#include "json/writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPT_CHAIN = 1, OPT_NAME, OPT_TLSA, OPT_STORE, OPT_AT, OPT_AS, OPT_JSON };

#define NAMES_MAX    3
#define SHOWN_OCTETS 8

const char tlsa_verify_help[] =
	"usage: sardane tlsa verify --chain FILE --name NAME --tlsa \"U S M HEX\" [OPTIONS]\n\n"
	"Decides, by the code of the handshake but without one, whether TLSA records prove\n"
	"that the chain belongs to the name. Says which record matched at which depth, or why\n"
	"each did not. Exit 0: proved; 1: not; 2: bad input.\n\n"
	"  --chain FILE       PEM, the leaf first, as the peer would send it (needed)\n"
	"  --name NAME        a server's host or a client's name (needed); a server may have\n"
	"                     up to three, give the option again\n"
	"  --tlsa RECORD      usage, selector, matching type and hex, or the whole line that\n"
	"                     generate prints (needed; may be repeated)\n"
	"  --store FILE       PEM of trusted authorities, for usages 0 and 1\n"
	"  --at TIME          pretend it is then: seconds since 1970, 2026-11-22 or\n"
	"                     2026-11-22T04:33:26Z\n"
	"  --as WHO           who presents the chain: server (default) or client\n"
	"  --json             one JSON object\n"
	"  --help             this text\n";

static const struct option options[] = {
	{ "chain", required_argument, NULL, OPT_CHAIN },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "tlsa", required_argument, NULL, OPT_TLSA },
	{ "store", required_argument, NULL, OPT_STORE },
	{ "at", required_argument, NULL, OPT_AT },
	{ "as", required_argument, NULL, OPT_AS },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

struct request {
	const char *chain;
	struct name name[NAMES_MAX];
	struct buf memory[TLSASET_MAX]; /* of the RDATA below */
	struct span rdata[TLSASET_MAX];
	bool json;
	struct verify_config config;
};

static int read_name(const struct command *self, struct request *r)
{
	if (r->config.reference_count == NAMES_MAX)
		return command_fail(self, "--name '%s': more than %d names", optarg, NAMES_MAX);
	if (name_of(optarg, &r->name[r->config.reference_count]) != 0)
		return command_fail(self, "--name '%s': not a domain name", optarg);
	r->config.reference_count++;
	return 0;
}

/* Text to RDATA: the same octets a resolver would hand over. */
static int read_record(const struct command *self, struct request *r)
{
	const char *type = strstr(optarg, " TLSA "); /* a whole line of a zone file */
	const char *text = type ? type + strlen(" TLSA ") : optarg;
	size_t i = r->config.rdata_count, n = 0, cap = strlen(text) + 4;
	uint8_t *octets, *rdata;
	struct tlsa tlsa;
	struct err err;
	int rc;

	if (i == TLSASET_MAX)
		return command_fail(self, "--tlsa: more than %d records", TLSASET_MAX);
	octets = malloc(cap);
	rdata = malloc(cap);
	rc = octets && rdata ? tlsa_read_text((struct span){ (const uint8_t *)text, strlen(text) },
				       octets, cap, &tlsa, &err)
			     : err_set(&err, ERR_NOMEM, "out of memory");
	if (rc == 0)
		rc = tlsa_write(&tlsa, rdata, cap, &n, &err);
	if (rc == 0) {
		buf_put(&r->memory[i], (struct span){ rdata, n });
		r->rdata[i] = buf_span(&r->memory[i]);
		r->config.rdata_count++;
	}
	free(octets);
	free(rdata);
	return rc == 0 ? 0 : command_fail(self, "--tlsa '%.60s': %s", optarg, err.msg);
}

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;
	struct err err;

	switch (c) {
	case OPT_CHAIN: r->chain = optarg; return 0;
	case OPT_NAME: return read_name(self, r);
	case OPT_TLSA: return read_record(self, r);
	case OPT_STORE: r->config.ca_cert = optarg; return 0;
	case OPT_AT:
		if (text_read_time(optarg, &r->config.at, &err) != 0)
			return command_fail(self, "--at: %s", err.msg);
		return 0;
	case OPT_AS:
		r->config.role = strcmp(optarg, "client") == 0 ? VERIFY_CLIENT : VERIFY_SERVER;
		if (r->config.role == VERIFY_CLIENT || strcmp(optarg, "server") == 0)
			return 0;
		return command_fail(self, "--as '%s': not server or client", optarg);
	case OPT_JSON: r->json = true; return 0;
	}
	return 2;
}

static int read_request(const struct command *self, int argc, char **argv, struct request *r)
{
	if (option_all(self, argc, argv, options, read_option, r) != 0)
		return 2;
	if (argc != optind)
		return command_fail(self, "'%s': unexpected; see --help", argv[optind]);
	if (!r->chain)
		return command_fail(self, "--chain: missing");
	if (r->config.reference_count == 0)
		return command_fail(self, "--name: missing");
	if (r->config.rdata_count == 0)
		return command_fail(self, "--tlsa: missing");
	if (r->config.role == VERIFY_CLIENT && r->config.reference_count > 1)
		return command_fail(self, "--name: a client has one");
	if (r->config.ca_cert && access(r->config.ca_cert, R_OK) != 0)
		return command_fail(self, "--store '%s': %s", r->config.ca_cert, strerror(errno));
	return 0;
}

static void show_record(const struct verify_record *v, size_t i, struct buf *t)
{
	struct span head = v->tlsa.data;
	char hex[2 * SHOWN_OCTETS + 1];

	if (head.n > SHOWN_OCTETS)
		head.n = SHOWN_OCTETS;
	hex_write(head, hex, sizeof(hex));
	buf_printf(t, "record %zu  %u %u %u %s... (%s %s %s)\n", i + 1, v->tlsa.usage,
		v->tlsa.selector, v->tlsa.matching, hex, tlsa_usage_word(v->tlsa.usage),
		tlsa_selector_word(v->tlsa.selector), tlsa_matching_word(v->tlsa.matching));
	if (!v->counts)
		buf_printf(t, "          set aside: %s\n", v->why);
	else if (v->matched)
		buf_printf(t, "          matches at depth %d\n", v->depth);
	else
		buf_printf(t, "          does not match: %s\n", v->why);
}

static void show_text(const struct request *r, const struct verify_result *v)
{
	char name[NAME_TEXT_MAX] = "";
	struct buf t = { 0 };

	name_write_text(&r->name[0], name, sizeof(name));
	buf_printf(&t, "name      %s, a %s\n", name,
		r->config.role == VERIFY_CLIENT ? "client" : "server");
	for (size_t i = 0; i < v->count; i++)
		show_record(&v->record[i], i, &t);
	buf_printf(&t, "verdict   %s: %s\n", v->peer.authenticated ? "proved" : "not proved",
		v->peer.reason);
	text_print(&t);
}

static void show_json(const struct request *r, const struct verify_result *v)
{
	char name[NAME_TEXT_MAX] = "";
	struct buf t = { 0 };
	struct writer w = writer_into(&t);

	name_write_text(&r->name[0], name, sizeof(name));
	writer_open(&w, NULL, '{');
	writer_bool(&w, "authenticated", v->peer.authenticated);
	writer_text(&w, "name", name);
	writer_text(&w, "as", r->config.role == VERIFY_CLIENT ? "client" : "server");
	writer_text(&w, "reason", v->peer.reason);
	writer_text(&w, "refusal", peer_refusal_word(v->peer.refusal));
	writer_integer(&w, "usage", v->peer.usage);
	writer_integer(&w, "selector", v->peer.selector);
	writer_integer(&w, "matching", v->peer.matching);
	writer_integer(&w, "depth", v->peer.depth);
	writer_open(&w, "records", '[');
	for (size_t i = 0; i < v->count; i++) {
		const struct verify_record *one = &v->record[i];

		writer_open(&w, NULL, '{');
		writer_u64(&w, "usage", one->tlsa.usage);
		writer_u64(&w, "selector", one->tlsa.selector);
		writer_u64(&w, "matching", one->tlsa.matching);
		writer_hex(&w, "data", one->tlsa.data);
		writer_bool(&w, "counts", one->counts);
		writer_bool(&w, "matched", one->matched);
		writer_integer(&w, "depth", one->depth);
		writer_text(&w, "why", one->why);
		writer_close(&w);
	}
	writer_close(&w);
	writer_close(&w);
	buf_text(&t, "\n");
	text_print(&t);
}

static int decide(const struct command *self, struct request *r)
{
	struct buf chain = { 0 };
	struct verify_result *v = calloc(1, sizeof(*v));
	struct err err;
	int rc = v ? wholefile_read("chain", r->chain, &chain, &err)
		   : err_set(&err, ERR_NOMEM, "out of memory");

	if (rc == 0) {
		r->config.chain_pem = buf_span(&chain);
		rc = verify_chain(&r->config, v, &err);
		if (rc != 0)
			err_wrap(&err, rc, "'%s'", r->chain);
	}
	if (rc != 0)
		rc = command_fail(self, "%s", err.msg);
	else if (r->json)
		show_json(r, v);
	else
		show_text(r, v);
	if (rc == 0 && !v->peer.authenticated)
		rc = 1;
	free(v);
	buf_done(&chain);
	return rc;
}

int tlsa_verify(const struct command *self, int argc, char **argv)
{
	struct request *r;
	int rc = 2;

	if (command_helped(self, argc, argv))
		return 0;
	r = calloc(1, sizeof(*r));
	if (!r)
		return command_fail(self, "out of memory");
	r->config.mode = TLS_DANE;
	r->config.role = VERIFY_SERVER;
	r->config.rdata = r->rdata;
	r->config.reference = r->name;
	if (read_request(self, argc, argv, r) == 0)
		rc = decide(self, r);
	for (size_t i = 0; i < TLSASET_MAX; i++)
		buf_done(&r->memory[i]);
	free(r);
	return rc;
}
