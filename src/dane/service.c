/* SPDX-License-Identifier: Apache-2.0 */
#include "dane/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dane/redirect.h"
#include "dns/owner.h"
#include "dns/rr.h"

#define ADDRESSES_MAX 8

enum purpose { WANT_NAPTR, WANT_SRV, WANT_A, WANT_AAAA, WANT_TLSA, WANT_ALIAS_TLSA };

struct slot {
	struct question question;
	enum purpose purpose;
	uint8_t endpoint; /* of WANT_SRV: the rank of its NAPTR record */
	bool asked;
	struct answer *answer;
};

/* What the way to an endpoint was, beside what the endpoint itself says. */
struct way {
	bool secure;        /* every redirection so far was */
	int64_t expires_ms; /* of the redirections; 0: none */
	unsigned rank;      /* of the NAPTR record that led here */
};

struct service_query {
	struct service_target target;
	enum tls_mode mode;
	struct service *result;
	struct way way[SERVICE_ENDPOINTS_MAX];
	struct way naptr; /* what SRV answers start from */
	struct slot slot[SERVICE_QUESTIONS_MAX];
	unsigned slots, open; /* open: not answered yet */
	bool done;
};

struct service *service_keep(struct service *s)
{
	s->refs++;
	return s;
}

void service_drop(struct service *s)
{
	if (!s || --s->refs)
		return;
	for (unsigned i = 0; i < s->count; i++)
		answer_drop(s->endpoint[i].tlsa);
	free(s);
}

/* False when the bound on questions is reached. */
static bool want(struct service_query *q, enum purpose purpose, const struct name *name,
	uint16_t type, unsigned endpoint)
{
	if (q->slots == SERVICE_QUESTIONS_MAX)
		return false;
	q->slot[q->slots++] = (struct slot){ .question = { .name = *name, .type = type },
		.purpose = purpose,
		.endpoint = (uint8_t)endpoint };
	q->open++;
	return true;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static void say_why(struct service_query *q, const char *what, const struct answer *a)
{
	q->result->absent = a->status == ANSWER_DENIAL;
	snprintf(q->result->why, sizeof q->result->why, "%s: %s%s%.100s", what,
		answer_status_word(a->status), a->why[0] ? ": " : "", a->why);
}

static void want_tlsa(struct service_query *q, unsigned i, enum purpose purpose,
	const struct name *host)
{
	struct service_endpoint *e = &q->result->endpoint[i];
	struct name owner;

	if (owner_tlsa(e->port, "tcp", host, &owner) == 0)
		(void)want(q, purpose, &owner, RR_TLSA, i);
}

static void add_endpoint(struct service_query *q, const struct name *host, uint16_t port,
	const struct way *way)
{
	struct service *s = q->result;

	if (s->count == SERVICE_ENDPOINTS_MAX)
		return;
	unsigned i = s->count++;
	struct service_endpoint *e = &s->endpoint[i];
	e->host = *host;
	e->port = port;
	e->proof = SERVICE_REFUSED;
	q->way[i] = *way;
	if (q->target.has_address) {
		e->address_count = 1;
		memcpy(e->address[0], q->target.address, sizeof e->address[0]);
	} else {
		(void)want(q, WANT_A, host, RR_A, i);
		(void)want(q, WANT_AAAA, host, RR_AAAA, i);
	}
	/* RFC 7673 section 3.3: behind an insecure redirection TLSA records prove nothing. */
	if (q->mode != TLS_PKIX && way->secure)
		want_tlsa(q, i, WANT_TLSA, host);
}

/* May a redirection in this answer be followed at all? */
static bool may_follow(struct service_query *q, const char *what, const struct answer *a)
{
	bool follow =
		a->status == ANSWER_SECURE || (a->status == ANSWER_INSECURE && q->mode != TLS_DANE);

	if (!follow)
		say_why(q, what, a);
	return follow;
}

static struct way way_of(const struct answer *a, const struct way *before)
{
	return (struct way){ .secure = before->secure && a->status == ANSWER_SECURE,
		.expires_ms = sooner(before->expires_ms, a->expires_ms),
		.rank = before->rank };
}

static void take_naptr(struct service_query *q, const struct answer *a)
{
	struct redirect to[SERVICE_ENDPOINTS_MAX];
	bool nothing = a->status == ANSWER_DENIAL ||
		(a->status == ANSWER_INSECURE && a->count == 0 && q->mode != TLS_DANE);
	struct way way = { .secure = a->status == ANSWER_DENIAL, .expires_ms = a->expires_ms };

	if (nothing && q->target.port) {
		add_endpoint(q, &q->target.name, q->target.port, &way);
		return;
	}
	if (!may_follow(q, "NAPTR", a))
		return;
	q->naptr = way_of(a, &q->naptr);
	size_t n = redirect_read_naptr(a, q->target.port, to, SERVICE_ENDPOINTS_MAX);
	for (size_t i = 0; i < n; i++) {
		q->naptr.rank = (unsigned)i;
		if (to[i].to_srv)
			(void)want(q, WANT_SRV, &to[i].name, RR_SRV, (unsigned)i);
		else
			add_endpoint(q, &to[i].name, to[i].port, &q->naptr);
	}
	if (n == 0)
		snprintf(q->result->why, sizeof q->result->why,
			"NAPTR: no record for LWN or LWNS that can be followed");
}

static void take_srv(struct service_query *q, const struct answer *a, unsigned rank)
{
	struct redirect to[SERVICE_ENDPOINTS_MAX];

	if (!may_follow(q, "SRV", a))
		return;
	struct way way = way_of(a, &q->naptr);
	way.rank = rank;
	size_t n = redirect_read_srv(a, to, SERVICE_ENDPOINTS_MAX);
	for (size_t i = 0; i < n; i++)
		add_endpoint(q, &to[i].name, to[i].port, &way);
	if (n == 0)
		snprintf(q->result->why, sizeof q->result->why, "SRV: no such service");
}

static void take_addresses(struct service_query *q, unsigned i, const struct answer *a, bool six)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct service_endpoint *e = &q->result->endpoint[i];
	size_t octets = six ? 16 : 4;

	if (a->status != ANSWER_SECURE && a->status != ANSWER_INSECURE)
		return;
	for (unsigned n = 0; n < a->count && e->address_count < ADDRESSES_MAX; n++) {
		if (a->rdata[n].n != octets)
			continue;
		uint8_t *to = e->address[e->address_count++];
		memcpy(to, mapped, sizeof mapped);
		memcpy(to + 16 - octets, a->rdata[n].p, octets);
	}
	/* RFC 7671 section 7: a chain of aliases that is secure from end to end makes its end
	 * the first base domain; one that is not is as if there were no alias. */
	if (a->status != ANSWER_SECURE || !a->aliased || e->tlsa_owner.n || q->mode == TLS_PKIX ||
		!q->way[i].secure)
		return;
	e->tlsa_owner = a->final; /* until concluded: the alias whose TLSA is asked */
	q->way[i].expires_ms = sooner(q->way[i].expires_ms, a->expires_ms);
	want_tlsa(q, i, WANT_ALIAS_TLSA, &a->final);
}

static const struct slot *find(const struct service_query *q, unsigned endpoint, enum purpose p)
{
	for (unsigned i = 0; i < q->slots; i++)
		if (q->slot[i].purpose == p && q->slot[i].endpoint == endpoint)
			return &q->slot[i];
	return NULL;
}

static void add_reference(struct service_endpoint *e, const struct name *name)
{
	for (unsigned i = 0; i < e->reference_count; i++)
		if (name_equal(&e->reference[i], name))
			return;
	if (e->reference_count < 3)
		e->reference[e->reference_count++] = *name;
}

/* RFC 7673 section 3.4: the service's own domain, "_service._proto." taken off. */
static void add_service_domain(const struct service_query *q, struct service_endpoint *e)
{
	struct name once, twice;

	if (q->target.start == SERVICE_SRV && name_parent(&q->target.name, &once) &&
		name_parent(&once, &twice) && name_labels(&twice) > 0)
		add_reference(e, &twice);
}

static void refuse(struct service_endpoint *e, const char *what, const struct answer *a)
{
	e->proof = SERVICE_REFUSED;
	snprintf(e->why, sizeof e->why, "%s: %s%s%.100s", what, answer_status_word(a->status),
		a->why[0] ? ": " : "", a->why);
}

/* The TLSA that decides, or NULL: nowhere asked. */
static const struct slot *deciding(const struct service_query *q, unsigned i)
{
	const struct slot *alias = find(q, i, WANT_ALIAS_TLSA);

	/* A failure at the alias is not an absence: no falling back from it. */
	if (alias && alias->answer->status != ANSWER_DENIAL &&
		alias->answer->status != ANSWER_INSECURE)
		return alias;
	return find(q, i, WANT_TLSA);
}

static void by_dane(struct service_query *q, unsigned i, const struct slot *s)
{
	struct service_endpoint *e = &q->result->endpoint[i];
	struct name once, base;

	e->proof = SERVICE_BY_DANE;
	if (name_parent(&s->question.name, &once) && name_parent(&once, &base))
		add_reference(e, &base);
	add_reference(e, &e->host);
	add_service_domain(q, e);
	snprintf(e->why, sizeof e->why, "TLSA: secure, %u record%s", s->answer->count,
		s->answer->count == 1 ? "" : "s");
}

static void by_pkix(struct service_query *q, unsigned i, const char *why)
{
	struct service_endpoint *e = &q->result->endpoint[i];

	e->proof = SERVICE_BY_PKIX;
	/* RFC 6125 section 6.2.1: a name that came by an insecure SRV is not to be believed;
	 * by an insecure NAPTR it is all that TS002 has. */
	if (q->target.start != SERVICE_SRV || q->way[i].secure)
		add_reference(e, &e->host);
	add_service_domain(q, e);
	snprintf(e->why, sizeof e->why, "%s", why);
}

static void say_no_address(const struct service_query *q, unsigned i)
{
	struct service_endpoint *e = &q->result->endpoint[i];
	const struct slot *a = find(q, i, WANT_A), *aaaa = find(q, i, WANT_AAAA);
	const struct slot *worse = a && a->answer->status != ANSWER_DENIAL ? a : aaaa;

	if (worse)
		refuse(e, "no address", worse->answer);
	else
		snprintf(e->why, sizeof e->why, "no address: too many questions");
	e->absent = worse && worse->answer->status == ANSWER_DENIAL;
	e->proof = SERVICE_REFUSED;
}

static void conclude(struct service_query *q, unsigned i)
{
	struct service_endpoint *e = &q->result->endpoint[i];
	const struct slot *s = deciding(q, i);

	e->expires_ms = q->way[i].expires_ms;
	e->tlsa_owner.n = 0;
	if (s) {
		e->tlsa_owner = s->question.name;
		e->tlsa = answer_keep(s->answer);
		e->expires_ms = sooner(e->expires_ms, s->answer->expires_ms);
	}
	if (e->address_count == 0) {
		say_no_address(q, i);
		return;
	}
	if (q->mode == TLS_PKIX) {
		by_pkix(q, i, "PKIX by configuration");
		return;
	}
	if (!s) {
		if (q->mode == TLS_DANE_OR_PKIX && !q->way[i].secure)
			by_pkix(q, i, "PKIX: the redirection is not signed");
		else
			snprintf(e->why, sizeof e->why, "TLSA: could not be asked");
		return;
	}
	switch (s->answer->status) {
	case ANSWER_SECURE: by_dane(q, i, s); return;
	case ANSWER_DENIAL:
	case ANSWER_INSECURE:
		if (q->mode == TLS_DANE_OR_PKIX) {
			by_pkix(q, i,
				s->answer->status == ANSWER_DENIAL
					? "PKIX: DNS denies a TLSA, securely"
					: "PKIX: the zone is not signed");
			return;
		}
		break;
	case ANSWER_BOGUS:
	case ANSWER_FAILED: break;
	}
	refuse(e, "TLSA", s->answer);
}

/* Answers come in any order; what is tried first is for NAPTR and SRV to say. */
static void sort_by_rank(struct service_query *q)
{
	struct service *s = q->result;

	for (unsigned i = 1; i < s->count; i++)
		for (unsigned j = i; j > 0 && q->way[j - 1].rank > q->way[j].rank; j--) {
			struct service_endpoint e = s->endpoint[j];
			struct way w = q->way[j];
			s->endpoint[j] = s->endpoint[j - 1];
			q->way[j] = q->way[j - 1];
			s->endpoint[j - 1] = e;
			q->way[j - 1] = w;
		}
}

static void finish_if_done(struct service_query *q)
{
	if (q->open || q->done)
		return;
	q->done = true;
	for (unsigned i = 0; i < q->result->count; i++)
		conclude(q, i);
	sort_by_rank(q);
}

static bool is_valid(const struct service_target *target)
{
	if (target->name.n == 0 || name_labels(&target->name) == 0)
		return false;
	return target->start != SERVICE_HOST || target->port != 0;
}

int service_query_new(const struct service_target *target, enum tls_mode mode,
	struct service_query **out, struct err *err)
{
	const struct way direct = { .secure = true };

	if (!is_valid(target))
		return err_set(err, ERR_ARG, "service: needs a name, and a host needs a port");
	struct service_query *q = calloc(1, sizeof *q);
	if (!q || !(q->result = calloc(1, sizeof *q->result))) {
		free(q);
		return err_set(err, ERR_NOMEM, "service: no memory");
	}
	q->target = *target;
	q->mode = mode;
	q->result->refs = 1;
	q->naptr = direct;
	switch (target->start) {
	case SERVICE_HOST: add_endpoint(q, &target->name, target->port, &direct); break;
	case SERVICE_SRV: (void)want(q, WANT_SRV, &target->name, RR_SRV, 0); break;
	case SERVICE_NAPTR: (void)want(q, WANT_NAPTR, &target->name, RR_NAPTR, 0); break;
	}
	finish_if_done(q);
	*out = q;
	return 0;
}

void service_query_free(struct service_query *q)
{
	if (!q)
		return;
	for (unsigned i = 0; i < q->slots; i++)
		answer_drop(q->slot[i].answer);
	service_drop(q->result);
	free(q);
}

bool service_query_next(struct service_query *q, unsigned *id, struct question *question)
{
	for (unsigned i = 0; i < q->slots; i++) {
		if (q->slot[i].asked)
			continue;
		q->slot[i].asked = true;
		*id = i;
		*question = q->slot[i].question;
		return true;
	}
	return false;
}

void service_query_answer(struct service_query *q, unsigned id, struct answer *answer)
{
	if (id >= q->slots || !q->slot[id].asked || q->slot[id].answer)
		return;
	struct slot *s = &q->slot[id];
	s->answer = answer_keep(answer);
	switch (s->purpose) {
	case WANT_NAPTR: take_naptr(q, answer); break;
	case WANT_SRV: take_srv(q, answer, s->endpoint); break;
	case WANT_A: take_addresses(q, s->endpoint, answer, false); break;
	case WANT_AAAA: take_addresses(q, s->endpoint, answer, true); break;
	case WANT_TLSA:
	case WANT_ALIAS_TLSA: break;
	}
	q->open--;
	finish_if_done(q);
}

bool service_query_is_done(const struct service_query *q)
{
	return q->done;
}

struct service *service_query_result(struct service_query *q)
{
	return q->done ? service_keep(q->result) : NULL;
}
