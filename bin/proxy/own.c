/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dane/generate.h"
#include "dane/tlsaset.h"
#include "dns/rr.h"
#include "net/listen.h"
#include "pki/facts.h"
#include "pki/pemfile.h"

#define RETRY_MS   10000
#define AGAIN_MS   60000 /* also while the TTL lasts: is there still somebody to ask? */
#define REFRESH_MS 1000  /* not more often, however short the TTL */

struct own_list {
	struct resolver *resolver;
	struct own *own;
	unsigned count;
};

static int add(struct own_list *l, const struct own *o, const char *owner, struct err *err)
{
	struct own *more = realloc(l->own, (l->count + 1) * sizeof(*more));

	if (!more)
		return err_set(err, ERR_NOMEM, "no memory");
	l->own = more;
	more[l->count] = *o;
	if (snprintf(more[l->count].owner, sizeof(more->owner), "%s", owner) >= NAME_TEXT_MAX)
		return err_set(err, ERR_SPACE, "'%s': too long for a name", owner);
	l->count++;
	return pemfile_read_chain(o->cert, &more[l->count - 1].chain, err);
}

static unsigned port_of(const char *bind)
{
	struct sockaddr_storage a;

	if (listen_is_unix(bind) || listen_read_address(bind, &a, NULL) != 0)
		return 0;
	return ntohs(a.ss_family == AF_INET ? ((struct sockaddr_in *)&a)->sin_port
					    : ((struct sockaddr_in6 *)&a)->sin6_port);
}

/* Who asks for this name is shown another certificate. */
static bool leads_elsewhere(const struct config_end *e, const char *text)
{
	struct pattern p;
	struct name name;

	for (unsigned i = 0; i < e->names_count; i++)
		if (name_of(text, &name) == 0 && pattern_read(e->names[i].name, &p) == 0 &&
			pattern_matches(&p, &name))
			return true;
	return false;
}

/* The one name that clients look for. False: they look for many, or the port is not known. */
static bool one_owner(const struct config_end *e, char *out, size_t cap)
{
	unsigned port = port_of(e->tls.bind);
	struct pattern p;

	if (!e->server_name || !port || pattern_read(e->server_name, &p) != 0 ||
		p.shape != PATTERN_EXACT)
		return false;
	return snprintf(out, cap, "_%u._tcp.%s", port, e->server_name) < (int)cap;
}

/* Each host name in the certificate may be what clients look for. */
static int add_hosts(struct own_list *l, const struct own *o, struct facts *facts, struct err *err)
{
	unsigned port = port_of(o->end->tls.bind), before = l->count;
	char *names = strdup(buf_string(&facts->names) ? buf_string(&facts->names) : "");
	int rc = names ? 0 : err_set(err, ERR_NOMEM, "no memory");

	for (char *at = names, *name; rc == 0 && port && (name = strsep(&at, " "));) {
		char owner[NAME_TEXT_MAX + 16];
		struct name n;

		snprintf(owner, sizeof(owner), "_%u._tcp.%s", port, name);
		if (strchr(name, '.') && !strchr(name, '*') && !strchr(name, ':') &&
			!strchr(name, '@') && name_of(owner, &n) == 0 &&
			!leads_elsewhere(o->end, name))
			rc = add(l, o, owner, err);
	}
	free(names);
	return rc == 0 && l->count == before ? add(l, o, "", err) : rc;
}

static int add_end(struct own_list *l, const struct config_end *e, bool listener, struct err *err)
{
	struct own o = { .of = l, .end = e, .cert = e->tls.tls_cert, .listener = listener };
	char owner[NAME_TEXT_MAX];
	enum tls_config_mode mode = TLS_CONFIG_DANE;
	struct facts facts = { 0 };
	int rc;

	if (!o.cert)
		return 0;
	rc = tls_config_mode(&e->tls, &mode, err);
	rc = rc ? rc : facts_load(o.cert, &facts, err);
	o.not_after_s = facts.not_after;
	if (rc != 0 || (o.listener && mode == TLS_CONFIG_PKIX))
		rc = rc ? rc : add(l, &o, "", err);
	else if (!o.listener)
		rc = add(l, &o, e->tls.dane_client_name ? e->tls.dane_client_name : "", err);
	else if (e->tlsa_name)
		rc = add(l, &o, e->tlsa_name, err);
	else if (one_owner(e, owner, sizeof(owner)))
		rc = add(l, &o, owner, err);
	else
		rc = add_hosts(l, &o, &facts, err);
	facts_done(&facts);
	for (unsigned i = 0; i < e->names_count && rc == 0; i++)
		rc = add_end(l, &e->inner[i], listener, err);
	return rc;
}

/* What a program beside us is shown; it may expire as any other. */
static int add_local(struct own_list *l, const struct config_end *e, struct err *err)
{
	struct own o = { .of = l, .end = e, .cert = e->local_cert };
	struct facts facts = { 0 };
	int rc = facts_load(o.cert, &facts, err);

	o.not_after_s = facts.not_after;
	facts_done(&facts);
	return rc ? rc : add(l, &o, "", err);
}

int own_list_new(const struct config *config, struct resolver *r, struct own_list **out,
	struct err *err)
{
	struct own_list *l = calloc(1, sizeof(*l));
	int rc = l ? 0 : err_set(err, ERR_NOMEM, "no memory");

	for (unsigned i = 0; i < config_ends(config) && rc == 0; i++)
		rc = add_end(l, config_end_at(config, i), config_is_listener(config, i), err);
	for (unsigned i = 0; i < config_ends(config) && rc == 0; i++)
		if (config_end_at(config, i)->local_cert)
			rc = add_local(l, config_end_at(config, i), err);
	if (rc != 0) {
		own_list_free(l);
		return rc;
	}
	l->resolver = r;
	*out = l;
	return 0;
}

void own_list_free(struct own_list *l)
{
	if (!l)
		return;
	for (unsigned i = 0; i < l->count; i++) {
		if (l->own[i].asked)
			ask_done(&l->own[i].ask);
		chain_free(l->own[i].chain);
	}
	free(l->own);
	free(l);
}

/* One that names a key or certificate of the chain that we send. */
static bool record_matches(const struct tlsa *t, pemfile_chain *chain)
{
	bool issuer = t->usage == TLSA_DANE_TA || t->usage == TLSA_PKIX_TA;
	int first = issuer ? 1 : 0, last = issuer ? sk_X509_num(chain) - 1 : 0;
	bool same = false;

	for (int i = first; i <= last && !same; i++) {
		uint8_t *der = NULL, *memory;
		int n = i2d_X509(sk_X509_value(chain, i), &der);
		size_t cap = n > GENERATE_MAX ? (size_t)n : GENERATE_MAX;
		struct tlsa ours;

		memory = malloc(cap);
		same = n > 0 && memory &&
			generate_from_certificate((struct span){ der, (size_t)n },
				(enum tlsa_usage)t->usage, (enum tlsa_selector)t->selector,
				(enum tlsa_matching)t->matching, memory, cap, &ours, NULL) == 0 &&
			ours.data.n == t->data.n && memcmp(ours.data.p, t->data.p, t->data.n) == 0;
		free(memory);
		OPENSSL_free(der);
	}
	return same;
}

static void judge_records(struct own *o, const struct answer *a)
{
	struct tlsaset set;

	tlsaset_read(a->rdata, a->count, &set);
	for (unsigned i = 0; i < set.count; i++)
		if (!set.record[i].why && record_matches(&set.record[i].tlsa, o->chain)) {
			o->state = OWN_GOOD;
			o->why[0] = '\0';
			return;
		}
	o->state = OWN_BAD;
	snprintf(o->why, sizeof(o->why), "none of the %u TLSA records matches '%.100s'", a->count,
		o->cert);
}

static void judge(struct own *o, const struct answer *a)
{
	o->expires_ms = a->expires_ms;
	switch (a->status) {
	case ANSWER_SECURE: judge_records(o, a); return;
	case ANSWER_FAILED: o->state = OWN_NO_DNS; break;
	case ANSWER_DENIAL:
	case ANSWER_INSECURE:
	case ANSWER_BOGUS: o->state = OWN_BAD; break;
	}
	snprintf(o->why, sizeof(o->why), "TLSA: %s%s%.150s", answer_status_word(a->status),
		a->why[0] ? ": " : "", a->why);
}

static void answered(struct own *o)
{
	int64_t now = resolver_now();
	int64_t left = o->ask.answer->expires_ms - now;

	judge(o, o->ask.answer);
	if (o->state == OWN_NO_DNS)
		left = RETRY_MS;
	else if (left > AGAIN_MS)
		left = AGAIN_MS;
	o->next_ms = now + (left > REFRESH_MS ? left : REFRESH_MS);
	ask_done(&o->ask);
	o->asked = false;
}

static void wake(struct ask *ask)
{
	answered(ask->arg);
}

static void ask_now(struct own *o)
{
	struct question q = { .type = RR_TLSA };

	if (name_of(o->owner, &q.name) != 0) {
		o->state = OWN_BAD;
		snprintf(o->why, sizeof(o->why), "no DNS name");
		o->next_ms = INT64_MAX;
		return;
	}
	o->asked = true;
	o->ask = (struct ask){ .wake = wake, .arg = o };
	resolver_forget(o->of->resolver, &q);
	resolver_ask(o->of->resolver, &q, RESOLVER_SOURCE_SELF, 0, &o->ask);
	if (o->ask.answer)
		answered(o);
}

void own_list_tick(struct own_list *l, int64_t now_ms)
{
	for (unsigned i = 0; i < l->count && l->resolver; i++)
		if (l->own[i].owner[0] && !l->own[i].asked && now_ms >= l->own[i].next_ms)
			ask_now(&l->own[i]);
}

unsigned own_list_count(const struct own_list *l)
{
	return l->count;
}

const struct own *own_list_at(const struct own_list *l, unsigned i)
{
	return &l->own[i];
}

bool own_list_is_known(const struct own_list *l)
{
	for (unsigned i = 0; i < l->count && l->resolver; i++)
		if (l->own[i].owner[0] && l->own[i].state == OWN_UNKNOWN)
			return false;
	return true;
}
