/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/prove.h"

#include <openssl/x509v3.h>

#include "core/own.h"
#include "tls/handshake.h"
#include "tls/hook.h"
#include "tls/judge.h"

/* From the lookup to the end of a handshake; a TTL of zero must not refuse everybody. */
#define GRACE_MS 10000

static void free_names(GENERAL_NAMES *names)
{
	GENERAL_NAMES_free(names);
}

OWNED_TYPE(GENERAL_NAMES, free_names)

static SSL *connection_of(X509_STORE_CTX *store)
{
	return X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
}

static bool is_allowed(const struct tls_server *s, const struct name *name)
{
	return s->authorise(s->authorise_arg, name);
}

/* Beside DANE: who sends no name, where authorities may speak for some. */
static bool is_by_client_ca(const struct handshake *h)
{
	return !h->named && h->server->client_ca;
}

static bool is_allowed_unnamed(const struct tls_server *s, const struct name *name)
{
	return s->client_ca ? s->authorise_by_ca(s->authorise_arg, name) : is_allowed(s, name);
}

/* The first subjectAltName that policy allows; verified later, with the chain. */
static bool name_from_certificate(const struct tls_server *s, X509_STORE_CTX *store,
	struct name *out)
{
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	OWNED(GENERAL_NAMES)
	names = leaf ? X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL) : NULL;

	for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && i < 32; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
		if (g->type != GEN_DNS)
			continue;
		struct span text = { ASN1_STRING_get0_data(g->d.dNSName),
			(size_t)ASN1_STRING_length(g->d.dNSName) };
		if (name_read_text(text, out) == 0 && name_is_plain(out) &&
			is_allowed_unnamed(s, out))
			return true;
	}
	return false;
}

/* Who the client says it is, and whether that may be a client here. No DNS yet. */
static bool find_client_name(struct handshake *h, X509_STORE_CTX *store)
{
	const struct tls_server *s = h->server;
	char text[NAME_TEXT_MAX] = "?";

	if (h->named) {
		if (is_allowed(s, &h->peer.name))
			return true;
		name_write_text(&h->peer.name, text, sizeof text);
		peer_refuse(&h->peer, PEER_REFUSED_POLICY, "no policy allows '%.120s'", text);
		return false;
	}
	if (s->mode == TLS_DANE && !s->client_ca) {
		/* client-auth-13: where DANE is required, no extension MUST abort. */
		peer_refuse(&h->peer, PEER_REFUSED_NO_NAME, "the client sent no dane_clientid");
		return false;
	}
	if (name_from_certificate(s, store, &h->peer.name))
		return true;
	h->peer.name.n = 0;
	peer_refuse(&h->peer, PEER_REFUSED_POLICY, "no policy allows a name in the certificate");
	return false;
}

/* What an answer lets a peer be judged by. False: refused. */
static bool weigh_answer(const struct answer *a, enum tls_mode mode, struct peer *peer,
	bool *by_records)
{
	bool or_pkix = mode == TLS_DANE_OR_PKIX;

	peer->dnssec = a->status;
	peer->stale = a->stale;
	peer->expires_ms = a->expires_ms;
	*by_records = false;
	switch (a->status) {
	case ANSWER_SECURE: *by_records = true; return true;
	case ANSWER_DENIAL:
		if (!or_pkix)
			peer_refuse(peer, PEER_REFUSED_NO_TLSA, "DNS denies the TLSA, securely");
		return or_pkix;
	case ANSWER_INSECURE:
		if (!or_pkix)
			peer_refuse(peer, PEER_REFUSED_INSECURE, "the TLSA's zone is not signed");
		return or_pkix;
	case ANSWER_BOGUS:
		peer_refuse(peer, PEER_REFUSED_BOGUS, "DNSSEC: %s", a->why);
		return false;
	case ANSWER_FAILED: break;
	}
	peer_refuse(peer, PEER_REFUSED_DNS, "DNS: %s", a->why[0] ? a->why : "no answer");
	return false;
}

static void judge_by_answer(X509_STORE_CTX *store, SSL *ssl, const struct answer *a,
	struct judge *j, struct peer *peer)
{
	struct tlsaset set;

	/* What rests on this verdict (a ticket, an open connection) rests on this very set, which
	 * a client may let the cache forget before it finishes. */
	if (tlsaset_hash(a->rdata, a->count, peer->tlsa_sha256, NULL)) {
		peer_refuse(peer, PEER_REFUSED_MEMORY, "no memory to verify");
		return;
	}
	tlsaset_read(a->rdata, a->count, &set);
	j->set = &set;
	judge_chain(store, ssl, j, peer);
	j->set = NULL;
}

static void decide_client(struct handshake *h, X509_STORE_CTX *store, SSL *ssl)
{
	struct judge j = { .peer_is_client = true,
		.reference = &h->peer.name,
		.reference_count = 1 };
	bool by_records = false;

	if (h->peer.refusal != PEER_REFUSED_NOT || !find_client_name(h, store))
		return;
	if (is_by_client_ca(h))
		X509_STORE_CTX_set0_trusted_stack(store, h->server->client_ca);
	if (h->server->mode == TLS_PKIX || is_by_client_ca(h)) {
		judge_chain(store, ssl, &j, &h->peer);
		return;
	}
	struct answer *a = handshake_lookup(h, &h->peer.name);
	if (a && weigh_answer(a, h->server->mode, &h->peer, &by_records)) {
		leaf_share(h->server->leaves, store);
		if (by_records)
			judge_by_answer(store, ssl, a, &j, &h->peer);
		else
			judge_chain(store, ssl, &j, &h->peer);
		if (h->peer.authenticated)
			leaf_keep(h->server->leaves, store);
	}
	answer_drop(a);
}

static void decide_server(struct handshake *h, X509_STORE_CTX *store, SSL *ssl)
{
	const struct service_endpoint *e = h->endpoint;
	struct peer *peer = &h->peer;
	bool by_records = false;

	if (peer->refusal != PEER_REFUSED_NOT)
		return;
	if (!e || e->proof == SERVICE_REFUSED) {
		peer_refuse(peer, PEER_REFUSED_DNS, "%s", e ? e->why : "no endpoint");
		return;
	}
	struct judge j = { .reference = e->reference, .reference_count = e->reference_count };
	peer->name = e->host;
	peer->tlsa_owner = e->tlsa_owner;
	peer->asked_dns = e->tlsa != NULL;
	if (e->expires_ms && resolver_now() > e->expires_ms + GRACE_MS) {
		peer_refuse(peer, PEER_REFUSED_STALE, "what DNS said about the server has expired");
		return;
	}
	if (e->proof == SERVICE_BY_PKIX && h->client->mode != TLS_DANE) {
		peer->dnssec = e->tlsa ? e->tlsa->status : ANSWER_FAILED;
		peer->expires_ms = e->expires_ms;
		judge_chain(store, ssl, &j, peer);
		return;
	}
	if (!e->tlsa) {
		peer_refuse(peer, PEER_REFUSED_NO_TLSA, "no TLSA was looked up");
		return;
	}
	if (!weigh_answer(e->tlsa, TLS_DANE, peer, &by_records))
		return;
	peer->expires_ms = e->expires_ms;
	judge_by_answer(store, ssl, e->tlsa, &j, peer);
}

static void say(const struct trace *trace, const char *who, const struct peer *p)
{
	char name[NAME_TEXT_MAX] = "-", owner[NAME_TEXT_MAX] = "-";

	if (p->name.n)
		name_write_text(&p->name, name, sizeof name);
	if (p->tlsa_owner.n)
		name_write_text(&p->tlsa_owner, owner, sizeof owner);
	if (p->authenticated)
		trace_say(trace, TRACE_INFO, "tls.verified",
			"peer=%s name=%s tlsa=%s dnssec=%s reason=\"%s\"", who, name, owner,
			peer_dnssec_word(p), p->reason);
	else
		trace_say(trace, TRACE_WARNING, "tls.refused",
			"peer=%s name=%s tlsa=%s refusal=%s reason=\"%s\"", who, name, owner,
			peer_refusal_word(p->refusal), p->reason);
}

/* RFC 8446 section 6.2 and client-auth-13: one alert for all, handshake_failure; OpenSSL
 * makes it from this one error alone. */
static int verdict(X509_STORE_CTX *store, bool ok)
{
	X509_STORE_CTX_set_error(store, ok ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
	return ok ? 1 : 0;
}

int prove_client(X509_STORE_CTX *store, void *arg)
{
	const struct tls_server *s = arg;
	SSL *ssl = connection_of(store);
	struct handshake *h = ssl ? handshake_of_server(ssl, s) : NULL;

	if (!h)
		return verdict(store, false);
	decide_client(h, store, ssl);
	handshake_admit(h);
	/* There is nothing to wait for after this, and a job per read costs. */
	SSL_clear_mode(ssl, SSL_MODE_ASYNC);
	say(&s->trace, "client", &h->peer);
	return verdict(store, h->peer.authenticated);
}

int prove_server(X509_STORE_CTX *store, void *arg)
{
	const struct tls_client *c = arg;
	SSL *ssl = connection_of(store);
	struct handshake *h = ssl ? handshake_of_client(ssl, c) : NULL;

	if (!h)
		return verdict(store, false);
	const struct hook *hook = hook_of(SSL_get_SSL_CTX(ssl));
	if (hook) {
		h->endpoint = hook->endpoint;
		h->report = hook->peer;
	}
	decide_server(h, store, ssl);
	say(&c->trace, "server", &h->peer);
	if (h->report)
		*h->report = h->peer;
	return verdict(store, h->peer.authenticated);
}
