/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tracework.h"

#include "cli/connect.h"
#include "cli/run.h"
#include "dns/owner.h"
#include "pki/wholefile.h"
#include "program/resolver_config.h"
#include "resolve/rootkeys.h"
#include "trace/anchors.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE_MS      10000
#define ROOT_SERVERS_MAX QUERY_SERVERS_MAX

struct tracework {
	struct delegation_walk *walk;
	struct resolver *resolver; /* NULL: its opinion is not wanted */
	ldns_rr_list *anchors;
	struct trust_world *world;
	int64_t opened; /* seconds; one moment for all names, so that zones are judged once */
	unsigned timeout_ms;
};

int tracework_anchors(const struct resolver_config *config, ldns_rr_list **out, struct err *err)
{
	const char *const files[] = { config->trust_anchor_file, config->trust_anchor_managed };
	bool any = false;
	struct buf text = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < 2; i++) {
		if (!files[i])
			continue;
		any = true;
		rc = wholefile_read("trust anchors", files[i], &text, err);
		buf_text(&text, "\n");
	}
	for (size_t i = 0; (!any || config->trust_anchor_builtin) && rootkeys_lines[i]; i++)
		buf_printf(&text, "%s\n", rootkeys_lines[i]);
	if (rc == 0)
		rc = buf_ok(&text) ? anchors_read(buf_span(&text), out, err)
				   : err_set(err, ERR_NOMEM, "trust anchors: no memory");
	buf_done(&text);
	return rc;
}

static int open_walk(const struct resolver_settings *s, struct tracework *w, struct err *err)
{
	struct address root[ROOT_SERVERS_MAX];
	struct delegation_config config = { .port = s->authority_port,
		.timeout_ms = w->timeout_ms };

	if (s->root_servers_count > ROOT_SERVERS_MAX)
		return err_set(err, ERR_ARG, "root_servers: more than %d", ROOT_SERVERS_MAX);
	for (unsigned i = 0; i < s->root_servers_count; i++) {
		int rc = address_read(s->root_servers[i], &root[i], err);

		if (rc != 0)
			return err_wrap(err, rc, "root_servers");
	}
	if (s->root_servers) {
		config.root = root;
		config.root_count = s->root_servers_count;
	}
	return delegation_open(&config, &w->walk, err);
}

static int open_parts(const struct tracework_config *config, struct resolver_settings *s,
	struct tracework *w, struct err *err)
{
	char helper[PATH_MAX];
	int rc = open_walk(s, w, err);

	if (rc == 0)
		rc = tracework_anchors(&s->config, &w->anchors, err);
	if (rc == 0)
		rc = trust_open(w->anchors, &w->world, err);
	if (rc != 0 || config->no_resolver)
		return rc;
	s->config.trace = (struct trace){ 0 };
	if (!s->config.helper &&
		run_find_own("resolverd/sardane-resolverd", helper, sizeof(helper)))
		s->config.helper = helper;
	return resolver_new(&s->config, &w->resolver, err);
}

int tracework_open(const struct tracework_config *config, struct tracework **out, struct err *err)
{
	struct resolver_settings settings = { .config = { .trust_anchor_builtin = true,
						      .resolv_conf = "/etc/resolv.conf" } };
	struct tracework *w = calloc(1, sizeof(*w));
	int rc = w ? 0 : err_set(err, ERR_NOMEM, "out of memory");

	if (rc == 0 && config->resolver)
		rc = resolver_config_load(config->resolver, &settings, err);
	if (rc != 0) {
		free(w);
		return rc;
	}
	w->timeout_ms = config->timeout_ms;
	w->opened = (int64_t)time(NULL);
	rc = open_parts(config, &settings, w, err);
	if (config->resolver)
		resolver_config_done(&settings);
	if (rc != 0)
		tracework_close(w);
	else
		*out = w;
	return rc;
}

void tracework_close(struct tracework *w)
{
	if (!w)
		return;
	resolver_free(w->resolver);
	trust_close(w->world);
	delegation_close(w->walk);
	ldns_rr_list_deep_free(w->anchors);
	free(w);
}

static int look(struct tracework *w, const struct name *name, uint16_t type, int64_t now,
	struct evidence *e, struct trust_report **r, struct err *err)
{
	int rc = evidence_collect(w->walk, name, type, e, err);

	return rc == 0 ? trust_judge(w->world, e, now, r, err) : rc;
}

static void woken(struct ask *ask)
{
	(void)ask;
}

static bool agrees(const struct trust_report *r, enum answer_status status)
{
	switch (status) {
	case ANSWER_SECURE: return r->trust == TRUST_SECURE && r->kind == TRUST_RECORDS;
	case ANSWER_DENIAL: return r->trust == TRUST_SECURE && r->kind == TRUST_DENIAL;
	case ANSWER_INSECURE: return r->trust == TRUST_INSECURE;
	case ANSWER_BOGUS:
	case ANSWER_FAILED: return r->trust == TRUST_BOGUS || r->trust == TRUST_UNKNOWN;
	}
	return false;
}

/* Put before we ask ourselves, so that it works meanwhile. */
static void ask_resolver(struct tracework *w, const struct name *owner, struct ask *ask)
{
	const struct question q = { *owner, RR_TLSA };

	*ask = (struct ask){ .wake = woken };
	if (w->resolver)
		resolver_ask(w->resolver, &q, RESOLVER_SOURCE_SELF, 0, ask);
}

/* What libunbound makes of the same question, now. */
static void hear_resolver(struct tracework *w, struct ask *ask, struct traced *t)
{
	const double end = connect_now() + PATIENCE_MS;
	struct pollfd fd = { .fd = resolver_fd(w->resolver), .events = POLLIN };

	while (!ask->answer && connect_now() < end)
		if (poll(&fd, 1, PATIENCE_MS) > 0)
			resolver_dispatch(w->resolver);
	if (!ask->answer)
		return;
	t->resolver_asked = true;
	t->resolver_status = ask->answer->status;
	snprintf(t->resolver_why, sizeof(t->resolver_why), "%s", ask->answer->why);
	t->resolver_agrees = agrees(t->trust, ask->answer->status);
}

bool tracework_split_owner(const struct name *owner, struct trace_question *q)
{
	char text[NAME_TEXT_MAX], rest[NAME_TEXT_MAX];
	unsigned port;

	if (name_write_text(owner, text, sizeof(text)) != 0 ||
		sscanf(text, "_%5u._%7[a-z].%1023s", &port, q->proto, rest) != 3 || port < 1 ||
		port > 65535 || name_of(rest, &q->host) != 0)
		return false;
	q->port = (uint16_t)port;
	return true;
}

static void forget_look(struct evidence *e, struct trust_report **r)
{
	evidence_done(e);
	trust_free(*r);
	*r = NULL;
}

/* RFC 7671 section 7: where a host is a secure alias, the TLSA at its end comes first. */
static int look_at_end(struct tracework *w, struct traced *t, struct err *err)
{
	const struct trust_report *a = t->trust_a;
	const struct name *end = &a->step[a->step_count - 1]->set.owner;
	int rc;

	if (a->step_count < 2 || a->trust != TRUST_SECURE ||
		owner_tlsa(t->question.port, t->question.proto, end, &t->owner) != 0)
		return 0;
	rc = look(w, &t->owner, RR_TLSA, t->now, &t->evidence, &t->trust, err);
	if (rc == 0 && t->trust->trust == TRUST_SECURE && t->trust->kind == TRUST_RECORDS)
		return 0;
	forget_look(&t->evidence, &t->trust);
	return rc;
}

static int look_for_all(struct tracework *w, struct traced *t, struct err *err)
{
	const struct trace_question *q = &t->question;
	int rc = 0;

	if (q->against == TRACE_SERVICE || q->has_host)
		rc = look(w, &q->host, RR_A, t->now, &t->evidence_a, &t->trust_a, err);
	if (rc == 0 && q->against == TRACE_SERVICE)
		rc = look(w, &q->host, RR_AAAA, t->now, &t->evidence_aaaa, &t->trust_aaaa, err);
	if (rc == 0 && q->has_host)
		rc = look_at_end(w, t, err);
	if (rc != 0 || t->trust)
		return rc;
	t->owner = q->name;
	return look(w, &t->owner, RR_TLSA, t->now, &t->evidence, &t->trust, err);
}

static const char *date(int64_t at, char out[SIGNATURE_TIME_MAX])
{
	signature_time_text(at, out);
	return out;
}

static void holds_not(struct traced *t, const char *fmt, const char *a, const char *b)
{
	t->verdict = TRACE_HOLDS_NOT;
	snprintf(t->sentence, sizeof(t->sentence), "does not hold: ");
	snprintf(t->sentence + strlen(t->sentence), sizeof(t->sentence) - strlen(t->sentence), fmt,
		a, b);
}

/* The first address that is not proved; NULL: all are that we can get to, and one is. */
static const struct trace_presented *unproved(const struct traced *t)
{
	const struct trace_presented *skipped = NULL;
	bool any = false;

	for (size_t i = 0; i < t->presented_count; i++) {
		const struct trace_presented *p = &t->presented[i];

		if (!p->proved && !p->skipped)
			return p;
		if (p->skipped)
			skipped = p;
		any |= p->proved;
	}
	return any ? NULL : skipped;
}

/* The first thing to expire, of all that it rests on. */
static void find_end(struct traced *t)
{
	const struct trust_report *r = t->trust;

	/* the owner was found by the alias of the host, so it rests on that as well */
	if (!name_equal(&t->owner, &t->question.name) && t->trust_a->until < r->until)
		r = t->trust_a;
	t->until = r->until;
	memcpy(t->until_why, r->until_why, sizeof(t->until_why));
	for (size_t i = 0; i < t->presented_count; i++) {
		if (t->presented[i].until >= t->until)
			continue;
		t->until = t->presented[i].until;
		snprintf(t->until_why, sizeof(t->until_why), "a certificate expires");
	}
}

static void sum_up(struct traced *t)
{
	char owner[NAME_TEXT_MAX] = "", where[ADDRESS_TEXT_MAX] = "", when[SIGNATURE_TIME_MAX];
	const struct trace_presented *bad = unproved(t);

	name_write_text(&t->owner, owner, sizeof(owner));
	find_end(t);
	if (t->trust->trust != TRUST_SECURE) {
		holds_not(t, "%.12s: %.300s", trust_word(t->trust->trust), t->trust->why);
	} else if (t->trust->kind != TRUST_RECORDS) {
		holds_not(t, "DNS proves that there is no TLSA at %s%s", owner, "");
	} else if (t->question.against == TRACE_SERVICE && t->presented_count == 0) {
		holds_not(t, "%s%s", "the host has no address", "");
	} else if (bad) {
		address_write(&bad->address, where);
		holds_not(t, "%.80s: %.300s",
			t->question.against == TRACE_SERVICE ? where : t->question.file, bad->why);
	} else {
		snprintf(t->sentence, sizeof(t->sentence),
			"holds: the TLSA of %s is secure%s, until %s, when %s", owner,
			t->question.against == TRACE_DNS_ONLY          ? ""
				: t->question.against == TRACE_SERVICE ? " and proves every address"
								       : " and proves the file",
			date(t->until, when), t->until_why);
	}
	if (t->verdict == TRACE_HOLDS_NOT)
		t->until = 0;
}

int tracework_run(struct tracework *w, const struct trace_question *q, struct traced *out,
	struct err *err)
{
	const double start = connect_now();
	struct ask ask;
	int rc;

	memset(out, 0, sizeof(*out));
	out->question = *q;
	out->now = q->at ? q->at : w->opened;
	if (q->has_host && owner_tlsa(q->port, q->proto, &q->host, &out->question.name) != 0)
		return err_set(err, ERR_FORMAT, "the name of its TLSA would be too long");
	ask_resolver(w, &out->question.name, &ask);
	rc = look_for_all(w, out, err);
	if (rc == 0)
		rc = harvest_take(&out->evidence, out->trust, &out->harvest, err);
	if (rc == 0 && q->against != TRACE_DNS_ONLY)
		rc = tracework_hold(out, w->timeout_ms, err);
	if (rc == 0 && !name_equal(&out->owner, &out->question.name)) {
		ask_done(&ask);
		ask_resolver(w, &out->owner, &ask);
	}
	if (rc == 0 && w->resolver)
		hear_resolver(w, &ask, out);
	ask_done(&ask);
	if (rc == 0)
		sum_up(out);
	else
		tracework_forget(out);
	out->ms = connect_now() - start;
	return rc;
}

void tracework_forget(struct traced *t)
{
	for (size_t i = 0; i < t->presented_count; i++)
		free(t->presented[i].result);
	harvest_done(&t->harvest);
	forget_look(&t->evidence, &t->trust);
	forget_look(&t->evidence_a, &t->trust_a);
	forget_look(&t->evidence_aaaa, &t->trust_aaaa);
	t->presented_count = 0;
}
