/* SPDX-License-Identifier: Apache-2.0 */
#include "net/binding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "dns/owner.h"
#include "dns/rr.h"

#define QUESTIONS_MAX 12 /* NAPTR, A, AAAA, and the SRV that NAPTR leads to */

/* One NetID being looked up for one client. */
struct check {
	struct check *next, **at;
	struct binding *of;
	struct name client, owner;
	char id[8];
	uint64_t source;
	unsigned asked, waiting;
	uint16_t type[QUESTIONS_MAX];
	bool judged[QUESTIONS_MAX];
	struct ask ask[QUESTIONS_MAX];
	bool granted, unproven, busy;
	char words[400];
	binding_done *done;
	void *arg;
};

struct binding {
	struct binding_config config;
	struct name suffix;
	bool has_suffix;
	struct check *checks;
};

const char *binding_verdict_word(enum binding_verdict verdict)
{
	switch (verdict) {
	case BINDING_GRANTED: return "granted";
	case BINDING_REFUSED: return "refused";
	case BINDING_UNKNOWN: return "unknown";
	}
	return "?";
}

static const char *text_of(const struct name *name, char *out, size_t cap)
{
	if (name_write_text(name, out, cap) != 0)
		snprintf(out, cap, "?");
	return out;
}

static void check_end(struct check *c, enum binding_verdict verdict)
{
	binding_done *done = c->done;
	void *arg = c->arg;
	char words[sizeof(c->words)];

	memcpy(words, c->words, sizeof(words));
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	for (unsigned i = 0; i < c->asked; i++)
		ask_done(&c->ask[i]);
	free(c);
	done(arg, verdict, words);
}

static void judge(struct check *c);

static void came(struct ask *ask)
{
	struct check *c = ask->arg;

	if (!c->busy)
		judge(c);
}

static void put(struct check *c, const struct name *name, uint16_t type)
{
	struct question q = { .name = *name, .type = type };
	struct ask *ask;

	if (c->asked == QUESTIONS_MAX)
		return;
	ask = &c->ask[c->asked];
	*ask = (struct ask){ .wake = came, .arg = c };
	c->type[c->asked++] = type;
	resolver_ask(c->of->config.resolver, &q, c->source, 0, ask);
}

/* host is what the NetID securely points to: does the client stand at or below it? */
static void point(struct check *c, const struct name *host)
{
	char a[NAME_TEXT_MAX], b[NAME_TEXT_MAX];

	if (name_labels(host) < 2 || !name_is_within(&c->client, host))
		return;
	c->granted = true;
	snprintf(c->words, sizeof(c->words), "%.180s points to %.180s",
		text_of(&c->owner, a, sizeof(a)), text_of(host, b, sizeof(b)));
}

static bool field_is(struct span field, const char *text)
{
	if (field.n != strlen(text))
		return false;
	for (size_t i = 0; i < field.n; i++)
		if ((field.p[i] | 0x20) != (text[i] | 0x20))
			return false;
	return true;
}

/* TS002 section 19: services LWN and LWNS; flag A leads to a host, S to SRV records. */
static void judge_naptr(struct check *c, const struct answer *a)
{
	for (uint16_t i = 0; i < a->count; i++) {
		struct rr_naptr n;

		if (rr_read_naptr(a->rdata[i], &n) != 0 || name_labels(&n.replacement) == 0 ||
			(!field_is(n.services, "LWN") && !field_is(n.services, "LWNS")))
			continue;
		if (field_is(n.flags, "a"))
			point(c, &n.replacement);
		else if (field_is(n.flags, "s"))
			put(c, &n.replacement, RR_SRV);
	}
}

static void judge_srv(struct check *c, const struct answer *a)
{
	struct rr_srv s;

	for (uint16_t i = 0; i < a->count; i++)
		if (rr_read_srv(a->rdata[i], &s) == 0 && name_labels(&s.target) > 0)
			point(c, &s.target);
}

static void judge_answer(struct check *c, uint16_t type, const struct answer *a)
{
	switch (a->status) {
	case ANSWER_SECURE:
		if (a->aliased && type != RR_SRV)
			point(c, &a->final);
		if (type == RR_NAPTR)
			judge_naptr(c, a);
		else if (type == RR_SRV)
			judge_srv(c, a);
		return;
	case ANSWER_DENIAL:
		/* An alias to a host without this type is an alias all the same. */
		if (a->aliased && !a->nxdomain && type != RR_SRV)
			point(c, &a->final);
		return;
	case ANSWER_FAILED:
	case ANSWER_BOGUS:
	case ANSWER_INSECURE:
		c->unproven = true;
		snprintf(c->words, sizeof(c->words), "%s%s%s", answer_status_word(a->status),
			a->why[0] ? ": " : "", a->why);
		return;
	}
}

static void judge(struct check *c)
{
	char owner[NAME_TEXT_MAX], client[NAME_TEXT_MAX], why[sizeof(c->words)];
	unsigned waiting = 0;

	c->busy = true;
	/* Answers may put more questions, which may be answered at once. */
	for (unsigned i = 0; i < c->asked && !c->granted; i++) {
		if (!c->ask[i].answer) {
			waiting++;
		} else if (!c->judged[i]) {
			c->judged[i] = true;
			judge_answer(c, c->type[i], c->ask[i].answer);
		}
	}
	c->busy = false;
	if (c->granted) {
		check_end(c, BINDING_GRANTED);
		return;
	}
	if (waiting > 0)
		return;
	text_of(&c->owner, owner, sizeof(owner));
	text_of(&c->client, client, sizeof(client));
	if (c->unproven) {
		memcpy(why, c->words, sizeof(why));
		snprintf(c->words, sizeof(c->words), "%.200s gives no proof: %.150s", owner, why);
		check_end(c, BINDING_UNKNOWN);
		return;
	}
	snprintf(c->words, sizeof(c->words), "%.180s does not point to %.180s", owner, client);
	check_end(c, BINDING_REFUSED);
}

/* FNV-1a of the lower-cased name: the peer's own share of the budget of open questions. */
static uint64_t source_of(const struct name *name)
{
	struct name lower = *name;
	uint64_t h = 0xcbf29ce484222325ULL;

	name_lower(&lower);
	for (unsigned i = 0; i < lower.n; i++)
		h = (h ^ lower.wire[i]) * 0x100000001b3ULL;
	return h | 1;
}

static void check_net_id(struct binding *b, uint32_t net_id, const struct peer *peer,
	binding_done *done, void *arg)
{
	struct name owner;
	struct check *c;

	if (!b->has_suffix || !b->config.resolver) {
		done(arg, BINDING_REFUSED, "no rule grants this NetID to this name");
		return;
	}
	if (owner_net_id(net_id, &b->suffix, &owner) != 0) {
		done(arg, BINDING_REFUSED, "the NetID's name is too long");
		return;
	}
	if (name_is_within(&peer->name, &owner)) {
		done(arg, BINDING_GRANTED, "the name stands below the NetID's own");
		return;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		done(arg, BINDING_UNKNOWN, "no memory");
		return;
	}
	c->of = b;
	c->client = peer->name;
	c->owner = owner;
	c->source = source_of(&peer->name);
	c->done = done;
	c->arg = arg;
	c->next = b->checks;
	c->at = &b->checks;
	if (c->next)
		c->next->at = &c->next;
	b->checks = c;
	put(c, &owner, RR_NAPTR);
	put(c, &owner, RR_A);
	put(c, &owner, RR_AAAA);
	judge(c);
}

static void check_as_id(struct binding *b, const char *id, const struct peer *peer,
	binding_done *done, void *arg)
{
	struct name as;

	if (policy_grants_as_id(b->config.policy, &peer->name, id)) {
		done(arg, BINDING_GRANTED, "policy");
		return;
	}
	/* One label would be a whole top-level domain. */
	if (b->config.as_id_by_name && name_of(id, &as) == 0 && name_labels(&as) >= 2 &&
		name_is_within(&peer->name, &as)) {
		done(arg, BINDING_GRANTED, "the name stands at or below the AS-ID");
		return;
	}
	done(arg, BINDING_REFUSED, "no rule grants this AS-ID to this name");
}

void binding_check(struct binding *b, enum binding_kind kind, const char *id,
	const struct peer *peer, binding_done *done, void *arg)
{
	uint32_t net_id;

	if (!peer->authenticated || peer->name.n == 0) {
		done(arg, BINDING_REFUSED, "the peer has no authenticated name");
		return;
	}
	if (kind == BINDING_AS_ID) {
		check_as_id(b, id, peer, done, arg);
		return;
	}
	if (policy_net_id_read(id, &net_id) != 0)
		done(arg, BINDING_REFUSED, "the NetID is not six hex digits");
	else if (policy_grants_net_id(b->config.policy, &peer->name, net_id))
		done(arg, BINDING_GRANTED, "policy");
	else
		check_net_id(b, net_id, peer, done, arg);
}

int binding_new(const struct binding_config *config, struct binding **out, struct err *err)
{
	const char *suffix = config->net_id_suffix;
	struct binding *b;

	if (!config->policy)
		return err_set(err, ERR_ARG, "SenderID: no policy");
	b = calloc(1, sizeof(*b));
	if (!b)
		return err_set(err, ERR_NOMEM, "SenderID: no memory");
	b->config = *config;
	b->config.net_id_suffix = NULL;
	if (suffix) {
		/* ChirpStack writes suffixes with a dot in front. */
		if (name_of(suffix + (suffix[0] == '.'), &b->suffix) != 0 ||
			name_labels(&b->suffix) == 0) {
			free(b);
			return err_set(err, ERR_FORMAT, "NetID suffix '%s': no DNS name", suffix);
		}
		b->has_suffix = true;
	}
	*out = b;
	return 0;
}

void binding_free(struct binding *b)
{
	if (!b)
		return;
	while (b->checks) {
		snprintf(b->checks->words, sizeof(b->checks->words), "closing");
		check_end(b->checks, BINDING_UNKNOWN);
	}
	free(b);
}
