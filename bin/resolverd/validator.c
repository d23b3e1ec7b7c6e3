/* SPDX-License-Identifier: Apache-2.0 */
#include "resolverd/validator.h"

#include "resolve/outcome.h"
#include "resolve/rootkeys.h"
#include "resolverd/anchor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unbound-event.h>
#include <unbound.h>

#define CLASS_IN 1

struct validator {
	struct ub_ctx *ctx;
	validator_done *done;
	void *arg;
	unsigned open;
	uint8_t room[WIRE_RDATA_MAX];
};

struct flight {
	struct validator *validator;
	struct wire_question asked;
};

static const struct {
	const char *option, *value, *why;
} options[] = {
	{ "verbosity:", "0", "errors only" },
	{ "do-not-query-localhost:", "no", "forwarders on loopback are usual" },
	{ "infra-cache-max-rtt:", "4000", "twice a deadline is long enough to wait" },
	{ "outbound-msg-retry:", "5", "from 50 ms on: as long as a deadline" },
	{ "infra-host-ttl:", "5", "one that was dead is asked again, not in 15 minutes" },
	{ "msg-cache-size:", "4194304", "answers are cached by our caller" },
	{ "msg-cache-slabs:", "1", "one thread" },
	{ "rrset-cache-size:", "33554432", "delegations and keys" },
	{ "rrset-cache-slabs:", "1", "one thread" },
	{ "key-cache-slabs:", "1", "one thread" },
	{ "infra-cache-slabs:", "1", "one thread" },
	{ "num-queries-per-thread:", "4096", "VALIDATOR_OPEN_MAX" },
	{ "outgoing-range:", "1024", "ports in use at a time" },
	{ "outgoing-num-tcp:", "32", "likewise" },
	{ "incoming-num-tcp:", "1", "nobody connects to us" },
	{ "edns-buffer-size:", "1232", "no fragments" },
	{ "val-bogus-ttl:", "5", "a repaired zone is back at once" },
	{ "cache-max-negative-ttl:", "3600", "RFC 2308 section 5" },
	{ "aggressive-nsec:", "no", "a record just published is found" },
	{ "harden-dnssec-stripped:", "yes", "no signature is bogus under an anchor" },
	{ "val-permissive-mode:", "no", "never" },
	{ "serve-expired:", "no", "a stale answer has no mark" },
};

/* Zones libunbound would answer by itself, wrongly when their servers are given to us. */
static const char *const special_zones[] = {
	"test.",
	"home.arpa.",
	"invalid.",
	"onion.",
	"localhost.",
	"10.in-addr.arpa.",
	"168.192.in-addr.arpa.",
	"d.f.ip6.arpa.",
};

static int check(int rc, const char *what, const char *value, struct err *err)
{
	return rc ? err_set(err, ERR_ARG, "%s %s: %s", what, value, ub_strerror(rc)) : 0;
}

static int set_option(struct ub_ctx *ctx, const char *option, const char *value, struct err *err)
{
	return check(ub_ctx_set_option(ctx, option, value), option, value, err);
}

static int set_options(struct ub_ctx *ctx, const struct wire_config *config, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]) && !rc; i++)
		rc = set_option(ctx, options[i].option, options[i].value, err);
	/* A forwarder keeps delegations for us; with a record cache of one, what is asked ahead of
	 * the end of a TTL is fetched and not repeated. Keys have their own cache. */
	if (!rc && config->forward_count && !config->stub_count)
		rc = set_option(ctx, "rrset-cache-size:", "1", err);
	if (!rc && config->val_override_date)
		rc = set_option(ctx, "val-override-date:", config->val_override_date, err);
	return rc;
}

static int add_anchors(struct ub_ctx *ctx, const struct wire_config *config, struct err *err)
{
	int rc = 0;

	if (config->anchor_builtin)
		for (const char *const *line = rootkeys_lines; *line && !rc; line++)
			rc = check(ub_ctx_add_ta(ctx, *line), "trust anchor", *line, err);
	if (!rc && config->anchor_file)
		rc = check(ub_ctx_add_ta_file(ctx, config->anchor_file), "trust_anchor_file",
			config->anchor_file, err);
	if (!rc && config->anchor_managed)
		rc = anchor_begin_managed(config->anchor_managed, err);
	if (!rc && config->anchor_managed)
		rc = check(ub_ctx_add_ta_autr(ctx, config->anchor_managed), "trust_anchor_managed",
			config->anchor_managed, err);
	return rc;
}

/* The special zones a stub is for, is in, or holds are asked for like any other. */
static int open_special_zones(struct ub_ctx *ctx, const char *stub, struct err *err)
{
	struct name zone, special;
	char value[64];
	int rc = 0;

	if (name_of(stub, &zone))
		return err_set(err, ERR_FORMAT, "stub zone '%s': not a name", stub);
	for (size_t i = 0; i < sizeof(special_zones) / sizeof(special_zones[0]) && !rc; i++) {
		if (name_of(special_zones[i], &special))
			continue;
		if (zone.n == 1 ||
			(!name_is_within(&zone, &special) && !name_is_within(&special, &zone)))
			continue;
		snprintf(value, sizeof(value), "%s nodefault", special_zones[i]);
		rc = set_option(ctx, "local-zone:", value, err);
	}
	return rc;
}

static int add_servers(struct ub_ctx *ctx, const struct wire_config *config, struct err *err)
{
	int rc = 0;

	for (uint16_t i = 0; i < config->forward_count && !rc; i++)
		rc = check(ub_ctx_set_fwd(ctx, config->forward[i]), "forward", config->forward[i],
			err);
	for (uint16_t i = 0; i < config->stub_count && !rc; i++) {
		const struct wire_stub *s = &config->stub[i];

		rc = check(ub_ctx_set_stub(ctx, s->zone, s->server, 0), "stub", s->zone, err);
		if (!rc)
			rc = open_special_zones(ctx, s->zone, err);
	}
	return rc;
}

static void on_start(void *arg, int rcode, void *packet, int n, int sec, char *why, int limited)
{
	(void)rcode;
	(void)packet;
	(void)n;
	(void)sec;
	(void)why;
	(void)limited;
	*(bool *)arg = true;
}

/* The first question makes libunbound read its anchors: asked here, of a name it knows. */
static int finalise(struct ub_ctx *ctx, struct err *err)
{
	bool answered = false;
	int rc = ub_resolve_event(ctx, "localhost.", 1, CLASS_IN, &answered, on_start, NULL);

	if (rc)
		return err_set(err, ERR_ARG, "trust anchors or options were not accepted: %s",
			ub_strerror(rc));
	return answered ? 0 : err_set(err, ERR_ARG, "libunbound did not start");
}

int validator_new(struct event_base *base, const struct wire_config *config, validator_done *done,
	void *arg, struct validator **out, struct err *err)
{
	struct validator *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return err_set(err, ERR_NOMEM, "out of memory");
	v->done = done;
	v->arg = arg;
	v->ctx = ub_ctx_create_event(base);
	if (!v->ctx) {
		free(v);
		return err_set(err, ERR_NOMEM, "libunbound: no context");
	}
	rc = set_options(v->ctx, config, err);
	if (!rc)
		rc = add_anchors(v->ctx, config, err);
	if (!rc)
		rc = add_servers(v->ctx, config, err);
	if (!rc)
		rc = finalise(v->ctx, err);
	if (rc) {
		ub_ctx_delete(v->ctx);
		free(v);
		return rc;
	}
	*out = v;
	return 0;
}

/* Words from libunbound name what a zone's owner chose: printable, and cut to fit. */
static const char *clean(const char *why, char out[ANSWER_WHY_MAX])
{
	size_t n = 0;

	for (; why && why[n] && n < ANSWER_WHY_MAX - 1; n++)
		out[n] = why[n] > ' ' - 1 && why[n] < 127 && why[n] != '"' ? why[n] : '?';
	out[n] = 0;
	return out;
}

static void on_answer(void *arg, int rcode, void *packet, int n, int sec, char *why_bogus,
	int limited)
{
	struct flight *f = arg;
	struct validator *v = f->validator;
	struct wire_answer answer = { .id = f->asked.id };
	struct sink room = sink_into(v->room, sizeof(v->room));
	const struct question *q = &f->asked.question;
	char why[ANSWER_WHY_MAX];

	(void)limited;
	v->open--;
	if (sec == OUTCOME_BOGUS) {
		outcome_of((struct span){ 0 }, q, OUTCOME_BOGUS, clean(why_bogus, why), &room,
			&answer);
	} else if (rcode != 0) {
		/* The packet is not initialised then: it is not looked at. */
		snprintf(why, sizeof(why), "the validator answered %s",
			outcome_rcode_word((uint16_t)rcode, (char[12]){ 0 }, 12));
		outcome_failed(q, (uint16_t)rcode, why, &answer);
	} else if (!packet || n <= 0 || (sec != OUTCOME_SECURE && sec != OUTCOME_INSECURE)) {
		outcome_failed(q, 0, "the validator answered without an answer", &answer);
	} else {
		outcome_of((struct span){ packet, (size_t)n }, q, (enum outcome_judgement)sec, NULL,
			&room, &answer);
		if (answer.status == ANSWER_SECURE)
			answer.signed_for_s = outcome_signed_for((struct span){ packet, (size_t)n },
				&answer.final, q->type, (uint32_t)time(NULL));
	}
	v->done(v->arg, &answer);
	free(f);
}

static void refuse(struct validator *v, const struct wire_question *q, const char *why)
{
	struct wire_answer answer = { .id = q->id };

	outcome_failed(&q->question, 0, why, &answer);
	v->done(v->arg, &answer);
}

void validator_ask(struct validator *v, const struct wire_question *q)
{
	struct flight *f = v->open < VALIDATOR_OPEN_MAX ? malloc(sizeof(*f)) : NULL;
	char name[NAME_TEXT_MAX];
	int rc;

	if (!f || name_write_text(&q->question.name, name, sizeof(name))) {
		free(f);
		refuse(v, q, "the validator is full");
		return;
	}
	*f = (struct flight){ .validator = v, .asked = *q };
	v->open++;
	rc = ub_resolve_event(v->ctx, name, q->question.type, CLASS_IN, f, on_answer, NULL);
	if (rc) {
		v->open--;
		free(f);
		refuse(v, q, ub_strerror(rc));
	}
}
