/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certbook - "sardane cert list", "show", "renew" and "revoke": what an authority has issued.
 */
#include "ca/issuance.h"
#include "ca/revocation.h"
#include "cli/certshow.h"
#include "cli/keyoption.h"
#include "cli/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	OPT_CA = 1,
	OPT_NAME,
	OPT_WITHIN,
	OPT_REVOKED,
	OPT_REASON,
	OPT_NEW,
	OPT_KEY,
	OPT_DAYS,
	OPT_JSON
};

#define WHICH_HELP "SERIAL is hexadecimal, with or without colons; FILE is the certificate's.\n"

const char cert_list_help[] =
	"usage: sardane cert list --ca DIR [OPTIONS]\n\n"
	"Prints the certificates that the authority in DIR issued, by the end of their life:\n"
	"serial, status, end, profile, names. Needs no key.\n\n"
	"  --ca DIR              folder of the authority (needed)\n"
	"  --name PATTERN        only with such a name: * and ? stand for anything\n"
	"  --expires-within TIME only those that end by then: 30d, 12h, ...; not the revoked\n"
	"  --revoked             only those that are revoked\n"
	"  --json                an array of objects\n"
	"  --help                this text\n";

const char cert_show_help[] =
	"usage: sardane cert show SERIAL|FILE --ca DIR [OPTIONS]\n\n"
	"Prints all that is recorded of one certificate. Exit status 1 when there is none.\n" //
	WHICH_HELP "\n"
	"  --ca DIR              folder of the authority (needed)\n"
	"  --json                one JSON object, with the certificate\n"
	"  --help                this text\n";

const char cert_renew_help[] =
	"usage: sardane cert renew X --ca DIR [OPTIONS]\n\n"
	"Issues the certificate in X.pem again: same subject, names, usages and length of life.\n"
	"Extensions that we do not write are not kept, and are named.\n"
	"By the same key, X-key.pem, so that a TLSA 3 1 1 record stays true; or by a new one.\n\n"
	"  --ca DIR              folder of the authority (needed)\n"
	"  --new-key             make a new key: publish its TLSA record first\n"
	"  --key KIND            of a new key: p256, p384, ... (default: as the old one)\n"
	"  --days N              another length of life\n"
	"  --password-file F     password of the authority's key and of X-key.pem\n" //
	KEYOPTION_WRITE_HELP "  --json                the files written, as JSON\n"
	"  --help                this text\n";

const char cert_revoke_help[] =
	"usage: sardane cert revoke SERIAL|FILE --ca DIR [OPTIONS]\n\n"
	"Records that a certificate is revoked. Those who read CRLs learn it from the next one:\n"
	"sardane ca crl. Exit status 1 when there is no such certificate, or it was revoked before.\n" WHICH_HELP
	"\n"
	"  --ca DIR              folder of the authority (needed)\n"
	"  --reason REASON       unspecified (default), keyCompromise, cACompromise,\n"
	"                        affiliationChanged, superseded, cessationOfOperation or\n"
	"                        privilegeWithdrawn\n"
	"  --json                one JSON object\n"
	"  --help                this text\n";

static const struct option list_options[] = {
	{ "ca", required_argument, NULL, OPT_CA },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "expires-within", required_argument, NULL, OPT_WITHIN },
	{ "revoked", no_argument, NULL, OPT_REVOKED },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

static const struct option show_options[] = {
	{ "ca", required_argument, NULL, OPT_CA },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

static const struct option renew_options[] = {
	{ "ca", required_argument, NULL, OPT_CA },
	{ "new-key", no_argument, NULL, OPT_NEW },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "days", required_argument, NULL, OPT_DAYS },
	KEYOPTION_READ,
	KEYOPTION_WRITE,
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

static const struct option revoke_options[] = {
	{ "ca", required_argument, NULL, OPT_CA },
	{ "reason", required_argument, NULL, OPT_REASON },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

struct request {
	const char *ca, *which;
	char name[256];
	unsigned within_s, days;
	bool revoked, json;
	int reason;
	struct keyoption keys;
	struct issuance_renewal renewal;
	char serial[FACTS_SERIAL_MAX];
};

/* Names in the ledger are in lower case. */
static int read_pattern(const struct command *self, struct request *r)
{
	size_t n = strlen(optarg);

	if (n == 0 || n >= sizeof(r->name))
		return command_fail(self, "--name '%.60s': not 1 to %zu octets", optarg,
			sizeof(r->name) - 1);
	for (size_t i = 0; i <= n; i++)
		r->name[i] =
			optarg[i] >= 'A' && optarg[i] <= 'Z' ? (char)(optarg[i] | 0x20) : optarg[i];
	return 0;
}

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;
	struct err err;
	int rc = 0;

	switch (c) {
	case OPT_CA: r->ca = optarg; break;
	case OPT_NAME: return read_pattern(self, r);
	case OPT_WITHIN: rc = text_read_span(optarg, &r->within_s, &err); break;
	case OPT_REVOKED: r->revoked = true; break;
	case OPT_REASON: rc = facts_read_reason(optarg, &r->reason, &err); break;
	case OPT_NEW: r->renewal.new_key = true; break;
	case OPT_KEY: r->renewal.key_kind = optarg; break;
	case OPT_DAYS: return option_number(self, "--days", optarg, 1, PROFILE_DAYS_MAX, &r->days);
	case OPT_JSON: r->json = true; break;
	default: keyoption_take(&r->keys, c); break;
	}
	return rc == 0 ? 0 : command_fail(self, "%s", err.msg);
}

static int read_request(const struct command *self, int argc, char **argv,
	const struct option *table, struct request *r)
{
	bool one = table != list_options;

	if (option_all(self, argc, argv, table, read_option, r) != 0)
		return 2;
	if (argc - optind != one)
		return command_fail(self,
			one ? "give one certificate; see --help" : "only options; see --help");
	if (!r->ca)
		return command_fail(self, "--ca: missing");
	r->which = argv[optind];
	return 0;
}

static bool is_file(const char *which)
{
	return strpbrk(which, "./") != NULL;
}

/* SERIAL, or the serial of the certificate in FILE. */
static int find_serial(struct request *r, struct err *err)
{
	struct facts f = { 0 };
	int rc;

	if (!is_file(r->which))
		return facts_serial(r->which, r->serial, err);
	rc = facts_load(r->which, &f, err);
	memcpy(r->serial, f.serial, sizeof(r->serial));
	facts_done(&f);
	return rc;
}

struct showing {
	const struct request *r;
	struct writer w;
	struct buf out;
	time_t now;
	size_t count;
};

static bool show_row(void *arg, const struct ledger_entry *e)
{
	struct showing *s = arg;

	if (s->r->within_s && e->revoked_at)
		return true;
	s->count++;
	if (s->r->json)
		certshow_json(e, s->now, false, &s->w);
	else
		certshow_line(e, s->now, &s->out);
	return buf_ok(&s->out);
}

int cert_list(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	struct showing s = { .r = &r, .w = writer_into(&s.out), .now = time(NULL) };
	struct state *state = NULL;
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, list_options, &r) != 0)
		return 2;
	rc = state_open_keyless(r.ca, &state, &err);
	if (r.json)
		writer_open(&s.w, NULL, '[');
	if (rc == 0) {
		const struct ledger_filter filter = { .name = r.name[0] ? r.name : NULL,
			.expires_before = r.within_s ? (int64_t)s.now + r.within_s : 0,
			.revoked = r.revoked };

		rc = ledger_each(state->ledger, &filter, show_row, &s, &err);
	}
	if (r.json) {
		writer_close(&s.w);
		buf_text(&s.out, "\n");
	}
	state_close(state);
	if (rc == 0 && r.json && !writer_ok(&s.w))
		rc = err_set(&err, ERR_FORMAT, "a path that is not UTF-8 cannot be JSON");
	if (rc == 0)
		return text_print(&s.out);
	buf_done(&s.out);
	return command_fail(self, "%s", err.msg);
}

static bool show_whole(void *arg, const struct ledger_entry *e)
{
	struct showing *s = arg;

	s->count++;
	if (s->r->json) {
		certshow_json(e, s->now, true, &s->w);
		buf_text(&s->out, "\n");
	} else {
		certshow_page(e, s->now, &s->out);
	}
	return true;
}

static int unknown(const struct command *self, const struct request *r)
{
	command_fail(self, "certificate '%s': not in the ledger of '%s'", r->which, r->ca);
	return 1;
}

int cert_show(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	struct showing s = { .r = &r, .w = writer_into(&s.out), .now = time(NULL) };
	const struct ledger_filter filter = { .serial = r.serial };
	struct state *state = NULL;
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, show_options, &r) != 0)
		return 2;
	rc = find_serial(&r, &err);
	if (rc == 0)
		rc = state_open_keyless(r.ca, &state, &err);
	if (rc == 0)
		rc = ledger_each(state->ledger, &filter, show_whole, &s, &err);
	state_close(state);
	if (rc != 0)
		return command_fail(self, "%s", err.msg);
	return s.count ? text_print(&s.out) : unknown(self, &r);
}

int cert_renew(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	struct state *state = NULL;
	struct buf dropped = { 0 };
	char path[4][PATH_MAX];
	const char *files[5] = { NULL };
	static const char *const endings[] = { ".pem", "-chain.pem", "-combined.pem", "-key.pem" };
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, renew_options, &r) != 0)
		return 2;
	if (r.renewal.key_kind && !r.renewal.new_key)
		return command_fail(self, "--key: goes with --new-key");
	r.renewal.password = keyoption_read(&r.keys);
	r.renewal.encrypt = keyoption_write(&r.keys);
	if (r.renewal.encrypt && !r.renewal.new_key)
		return command_fail(self, "--encrypt: goes with --new-key");
	r.renewal.life_s = r.days * PROFILE_DAY_S;
	rc = state_open(r.ca, r.renewal.password, &state, &err);
	if (rc == 0)
		rc = issuance_renew(state, r.which, &r.renewal, &dropped, &err);
	state_close(state);
	if (rc == 0 && dropped.n)
		fprintf(stderr, "not kept: %s\n", buf_string(&dropped));
	buf_done(&dropped);
	if (rc != 0)
		return command_fail(self, "%s", err.msg);
	for (size_t i = 0; i < (r.renewal.new_key ? 4 : 3); i++) {
		snprintf(path[i], sizeof(path[i]), "%s%s", r.which, endings[i]);
		files[i] = path[i];
	}
	return certshow_files(r.json, files);
}

static int print_revoked(const struct request *r)
{
	struct buf t = { 0 };
	struct writer w = writer_into(&t);

	if (r->json) {
		writer_open(&w, NULL, '{');
		writer_text(&w, "serial", r->serial);
		writer_text(&w, "reason", facts_reason_word(r->reason));
		writer_close(&w);
		buf_text(&t, "\n");
	} else {
		buf_printf(&t, "%s: revoked, %s\n", r->serial, facts_reason_word(r->reason));
	}
	return text_print(&t);
}

int cert_revoke(const struct command *self, int argc, char **argv)
{
	enum ledger_answer answer = LEDGER_UNKNOWN;
	struct request r = { 0 };
	struct state *state = NULL;
	bool ours = true;
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, revoke_options, &r) != 0)
		return 2;
	rc = state_open_keyless(r.ca, &state, &err);
	if (rc == 0)
		rc = is_file(r.which) ? revocation_adopt(state, r.which, r.serial, &ours, &err)
				      : facts_serial(r.which, r.serial, &err);
	if (rc == 0 && !ours)
		rc = err_set(&err, ERR_ARG, "certificate '%s': was not issued by '%s'", r.which,
			state->place.cert);
	if (rc == 0)
		rc = revocation_add(state, r.serial, r.reason, &answer, &err);
	state_close(state);
	if (rc != 0)
		return command_fail(self, "%s", err.msg);
	switch (answer) {
	case LEDGER_REVOKED: return print_revoked(&r);
	case LEDGER_UNKNOWN: return unknown(self, &r);
	case LEDGER_ALREADY: break;
	}
	command_fail(self, "certificate '%s': was revoked before", r.which);
	return 1;
}
