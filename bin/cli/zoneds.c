/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zoneds - "sardane zone ds": what the parent must be told, in the forms registrars want.
 */
#include "cli/option.h"
#include "cli/text.h"
#include "publish/signer.h"
#include "resolve/address.h"
#include "json/writer.h"

#include <stdio.h>
#include <string.h>

enum { OPT_SERVER = 1, OPT_JSON };

const char zone_ds_help[] =
	"usage: sardane zone ds ZONE --server A[@PORT] [OPTIONS]\n\n"
	"Asks the primary of a signed zone for its keys and prints what the parent must be told:\n"
	"DS records, their fields one by one, the DNSKEY, and the CDS records. The answer is not\n"
	"validated, as nobody can before the DS is in place: ask by a way you trust.\n\n"
	"  --server A[@PORT]  the primary (needed)\n"
	"  --json             one JSON object\n"
	"  --help             this text\n";

static const struct option options[] = {
	{ "server", required_argument, NULL, OPT_SERVER },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

struct request {
	const char *server;
	bool json;
};

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;

	(void)self;
	if (c == OPT_SERVER)
		r->server = optarg;
	else
		r->json = true;
	return 0;
}

static const struct {
	unsigned type;
	const char *word;
} digests[] = { { 2, "SHA-256" }, { 4, "SHA-384" } };

static const char *digest_of(const struct signer_key *k, size_t i)
{
	return i == 0 ? k->sha256 : k->sha384;
}

static void tell(const char *zone, const struct signer_key *k, struct buf *t)
{
	buf_printf(t, "; the record, SHA-256: enough for every parent\n");
	buf_printf(t, "%s. IN DS %u %u 2 %s\n\n", zone, k->tag, k->algorithm, k->sha256);
	buf_text(t, "; the fields one by one, as forms ask for them\n");
	buf_printf(t, "key tag      %u\nalgorithm    %u (%s)\n", k->tag, k->algorithm,
		signer_algorithm_word(k->algorithm));
	for (size_t i = 0; i < 2; i++)
		buf_printf(t, "digest type  %u (%s)\ndigest       %s\n", digests[i].type,
			digests[i].word, digest_of(k, i));
	buf_text(t, "\n; the key, for registrars that make the DS themselves\n");
	buf_printf(t, "%s. IN DNSKEY %s\n\n", zone, k->dnskey);
	buf_text(t, "; in the zone itself, for parents that look for it (RFC 7344)\n");
	buf_printf(t, "%s. IN CDS %u %u 2 %s\n%s. IN CDNSKEY %s\n", zone, k->tag, k->algorithm,
		k->sha256, zone, k->dnskey);
}

static void write_key(const char *zone, const struct signer_key *k, struct writer *w)
{
	char line[NAME_TEXT_MAX + 200];

	writer_open(w, NULL, '{');
	writer_u64(w, "key_tag", k->tag);
	writer_u64(w, "flags", k->flags);
	writer_u64(w, "algorithm", k->algorithm);
	writer_text(w, "algorithm_name", signer_algorithm_word(k->algorithm));
	writer_open(w, "ds", '[');
	for (size_t i = 0; i < 2; i++) {
		writer_open(w, NULL, '{');
		writer_u64(w, "digest_type", digests[i].type);
		writer_text(w, "digest", digest_of(k, i));
		snprintf(line, sizeof(line), "%s. IN DS %u %u %u %s", zone, k->tag, k->algorithm,
			digests[i].type, digest_of(k, i));
		writer_text(w, "record", line);
		writer_close(w);
	}
	writer_close(w);
	writer_text(w, "dnskey", k->dnskey);
	writer_close(w);
}

static int show(const char *zone, const struct signer_key *keys, size_t count, bool json)
{
	struct buf t = { 0 };
	struct writer w = writer_into(&t);

	if (json) {
		writer_open(&w, NULL, '{');
		writer_text(&w, "zone", zone);
		writer_open(&w, "keys", '[');
	}
	for (size_t i = 0; i < count; i++) {
		if (json)
			write_key(zone, &keys[i], &w);
		else
			tell(zone, &keys[i], &t);
	}
	if (json) {
		writer_close(&w);
		writer_close(&w);
		buf_text(&t, "\n");
	}
	return text_print(&t);
}

int zone_ds(const struct command *self, int argc, char **argv)
{
	struct signer_key keys[SIGNER_KEYS_MAX];
	struct request r = { .server = NULL };
	struct primary primary = { .port = 53 };
	char where[ADDRESS_TEXT_MAX], text[NAME_TEXT_MAX];
	struct address address;
	struct name zone;
	size_t count = 0;
	struct err err;

	if (command_helped(self, argc, argv))
		return 0;
	if (option_all(self, argc, argv, options, read_option, &r) != 0)
		return 2;
	if (argc - optind != 1)
		return command_fail(self, "ZONE: give one; see --help");
	if (!r.server)
		return command_fail(self, "--server: missing");
	if (name_of(argv[optind], &zone) != 0 || name_write_text(&zone, text, sizeof(text)) != 0)
		return command_fail(self, "zone '%s': not a domain name", argv[optind]);
	if (address_read(r.server, &address, &err) != 0)
		return command_fail(self, "%s", err.msg);
	address_write(&address, where);
	where[strcspn(where, "@")] = '\0';
	primary.address = where;
	primary.port = address.port;
	if (signer_read(&primary, &zone, keys, &count, &err) != 0)
		return command_fail(self, "%s", err.msg);
	return show(text, keys, count, r.json);
}
