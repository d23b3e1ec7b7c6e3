/* SPDX-License-Identifier: Apache-2.0 */
/*
 * caview - "sardane ca show" and "sardane ca crl": what an authority is, and what it took back.
 */
#include "ca/crlfile.h"
#include "cli/keyoption.h"
#include "cli/text.h"
#include "json/writer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OPT_LIFE = 1, OPT_OUT, OPT_JSON };

const char ca_show_help[] =
	"usage: sardane ca show DIR [OPTIONS]\n\n"
	"Prints what the authority in DIR is, how many certificates it issued, and its last CRL.\n"
	"Needs no key.\n\n"
	"  --json             one JSON object\n"
	"  --help             this text\n";

const char ca_crl_help[] =
	"usage: sardane ca crl DIR [OPTIONS]\n\n"
	"Signs a list of what the authority in DIR has revoked, and writes it to DIR/ca-crl.pem.\n"
	"sardane agent signs the next one before it ends, with the same options.\n\n"
	"  --life TIME        until the next one: 7d (default), 12h, ...\n"
	"  --out FILE         another file\n" KEYOPTION_READ_HELP
	"  --json             one JSON object\n"
	"  --help             this text\n";

static const struct option show_options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

static const struct option crl_options[] = {
	{ "life", required_argument, NULL, OPT_LIFE },
	{ "out", required_argument, NULL, OPT_OUT },
	{ "json", no_argument, NULL, OPT_JSON },
	KEYOPTION_READ,
	{ 0 },
};

struct request {
	const char *where, *out;
	unsigned life_s;
	bool json;
	struct keyoption keys;
};

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;
	struct err err;

	switch (c) {
	case OPT_OUT: r->out = optarg; return 0;
	case OPT_JSON: r->json = true; return 0;
	case OPT_LIFE:
		if (text_read_span(optarg, &r->life_s, &err) != 0)
			return command_fail(self, "--life: %s", err.msg);
		return 0;
	default: keyoption_take(&r->keys, c); return 0;
	}
}

static int read_request(const struct command *self, int argc, char **argv,
	const struct option *table, struct request *r)
{
	if (option_all(self, argc, argv, table, read_option, r) != 0)
		return 2;
	if (argc - optind != 1)
		return command_fail(self, "DIR: give one authority; see --help");
	r->where = argv[optind];
	return 0;
}

/* What show prints. */
struct view {
	struct facts facts;
	struct ledger_counts counts;
	struct ledger_crl crl;
	bool in_token;
};

static void view_text(const struct view *v, struct buf *t)
{
	char time[TEXT_TIME_MAX];
	struct buf subject = v->facts.subject;

	buf_printf(t, "subject      %s\n", buf_string(&subject));
	buf_printf(t, "serial       %s\n", v->facts.serial);
	buf_printf(t, "kind         %s\n", v->facts.self_signed ? "root" : "intermediate");
	buf_printf(t, "key          %s, in a %s\n", v->facts.key, v->in_token ? "token" : "file");
	buf_printf(t, "not after    %s\n", text_write_time((time_t)v->facts.not_after, time));
	if (v->facts.path_len >= 0)
		buf_printf(t, "path length  %d\n", v->facts.path_len);
	buf_printf(t, "issued       %llu, of which %llu revoked and %llu expired\n",
		(unsigned long long)v->counts.issued, (unsigned long long)v->counts.revoked,
		(unsigned long long)v->counts.expired);
	if (v->crl.number)
		buf_printf(t, "CRL          number %llu of %s\n", (unsigned long long)v->crl.number,
			text_write_time((time_t)v->crl.this_update, time));
	else
		buf_text(t, "CRL          none yet\n");
}

static void view_json(const struct view *v, struct buf *t)
{
	struct writer w = writer_into(t);
	char time[TEXT_TIME_MAX];
	struct buf subject = v->facts.subject;

	writer_open(&w, NULL, '{');
	writer_text(&w, "subject", buf_string(&subject));
	writer_text(&w, "serial", v->facts.serial);
	writer_text(&w, "key_id", v->facts.own);
	writer_text(&w, "kind", v->facts.self_signed ? "root" : "intermediate");
	writer_text(&w, "key", v->facts.key);
	writer_bool(&w, "in_token", v->in_token);
	writer_text(&w, "not_before", text_write_time((time_t)v->facts.not_before, time));
	writer_text(&w, "not_after", text_write_time((time_t)v->facts.not_after, time));
	if (v->facts.path_len >= 0)
		writer_integer(&w, "path_length", v->facts.path_len);
	writer_u64(&w, "issued", v->counts.issued);
	writer_u64(&w, "revoked", v->counts.revoked);
	writer_u64(&w, "expired", v->counts.expired);
	writer_u64(&w, "crl_number", v->crl.number);
	writer_close(&w);
	buf_text(t, "\n");
}

static int look(struct state *s, struct view *v, struct err *err)
{
	int rc = facts_load(s->place.cert, &v->facts, err);

	if (rc == 0)
		rc = ledger_count(s->ledger, v->facts.own, (int64_t)time(NULL), &v->counts, err);
	if (rc == 0)
		rc = ledger_last_crl(s->ledger, v->facts.own, &v->crl, err);
	v->in_token = access(s->place.key, F_OK) != 0 && access(s->place.uri, F_OK) == 0;
	return rc;
}

int ca_show(const struct command *self, int argc, char **argv)
{
	struct request r = { 0 };
	struct view v = { 0 };
	struct state *s = NULL;
	struct buf t = { 0 };
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, show_options, &r) != 0)
		return 2;
	rc = state_open_keyless(r.where, &s, &err);
	if (rc == 0)
		rc = look(s, &v, &err);
	if (rc == 0)
		(r.json ? view_json : view_text)(&v, &t);
	state_close(s);
	facts_done(&v.facts);
	return rc == 0 ? text_print(&t) : command_fail(self, "%s", err.msg);
}

static int print_list(const struct request *r, const char *path, const struct revocation_list *list)
{
	char until[TEXT_TIME_MAX];
	struct buf t = { 0 };
	struct writer w = writer_into(&t);

	text_write_time((time_t)list->next_update, until);
	if (r->json) {
		writer_open(&w, NULL, '{');
		writer_text(&w, "file", path);
		writer_u64(&w, "number", list->number);
		writer_u64(&w, "entries", list->entries);
		writer_text(&w, "next_update", until);
		writer_close(&w);
		buf_text(&t, "\n");
	} else {
		buf_printf(&t, "%s: number %llu, %zu revoked, next by %s\n", path,
			(unsigned long long)list->number, list->entries, until);
	}
	return text_print(&t);
}

int ca_crl(const struct command *self, int argc, char **argv)
{
	struct request r = { .life_s = 7 * PROFILE_DAY_S };
	struct revocation_list list;
	char path[PATH_MAX + 16];
	struct state *s = NULL;
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, crl_options, &r) != 0)
		return 2;
	rc = state_open(r.where, keyoption_read(&r.keys), &s, &err);
	if (rc == 0) {
		snprintf(path, sizeof(path), "%s-crl.pem", s->place.prefix);
		rc = crlfile_sign(s, r.out ? r.out : path, r.keys.read.file ? r.keys.read.file : "",
			r.life_s, &list, &err);
	}
	state_close(s);
	return rc == 0 ? print_list(&r, r.out ? r.out : path, &list)
		       : command_fail(self, "%s", err.msg);
}
