/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/verify.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "crypto/chain.h"
#include "tls/context.h"
#include "tls/judge.h"

OWNED_TYPE(SSL_CTX, SSL_CTX_free)
OWNED_TYPE(SSL, SSL_free)
OWNED_TYPE(X509_STORE_CTX, X509_STORE_CTX_free)

/* What OpenSSL's handshake sets before it verifies a chain. */
static int prepare(X509_STORE_CTX *store, SSL_CTX *ctx, const struct verify_config *config,
	x509_chain *all, struct err *err)
{
	if (X509_STORE_CTX_init(store, SSL_CTX_get_cert_store(ctx), sk_X509_value(all, 0), all) !=
		1)
		return err_set(err, ERR_NOMEM, "verify: no memory");
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(store);
	X509_VERIFY_PARAM_set_auth_level(param, SSL_CTX_get_security_level(ctx));
	X509_STORE_CTX_set_default(store,
		config->role == VERIFY_CLIENT ? "ssl_client" : "ssl_server");
	if (X509_VERIFY_PARAM_set1(param, SSL_CTX_get0_param(ctx)) != 1)
		return err_set(err, ERR_NOMEM, "verify: no memory");
	if (config->at)
		X509_VERIFY_PARAM_set_time(param, config->at);
	return 0;
}

/* One verdict, with a connection object that will never connect: OpenSSL keeps its DANE
 * state there. set NULL: by the store. */
static int judge_once(const struct verify_config *config, SSL_CTX *ctx, x509_chain *all,
	const struct tlsaset *set, struct peer *peer, struct err *err)
{
	OWNED(SSL) ssl = SSL_new(ctx);
	OWNED(X509_STORE_CTX) store = X509_STORE_CTX_new();
	struct judge j = { .peer_is_client = config->role == VERIFY_CLIENT,
		.set = set,
		.reference = config->reference,
		.reference_count = config->reference_count };

	if (!ssl || !store)
		return err_set(err, ERR_NOMEM, "verify: no memory");
	int rc = prepare(store, ctx, config, all, err);
	if (rc)
		return rc;
	peer_init(peer);
	judge_chain(store, ssl, &j, peer);
	ERR_clear_error();
	if (peer->refusal == PEER_REFUSED_MEMORY)
		return err_set(err, ERR_NOMEM, "verify: %s", peer->reason);
	return 0;
}

static int judge_records(const struct verify_config *config, SSL_CTX *ctx, x509_chain *all,
	const struct tlsaset *set, struct verify_result *out, struct err *err)
{
	struct peer alone;

	for (unsigned i = 0; i < set->count; i++) {
		const struct tlsaset_record *r = &set->record[i];
		struct verify_record *to = &out->record[i];
		struct tlsaset one = { .count = 1, .usable = 1 };
		one.record[0] = *r;
		*to = (struct verify_record){ .tlsa = r->tlsa, .counts = !r->why, .depth = -1 };
		out->count = i + 1;
		if (r->why) {
			snprintf(to->why, sizeof to->why, "%s", r->why);
			continue;
		}
		int rc = judge_once(config, ctx, all, &one, &alone, err);
		if (rc)
			return rc;
		to->matched = alone.authenticated;
		to->depth = alone.depth;
		snprintf(to->why, sizeof to->why, "%.*s", (int)sizeof to->why - 1, alone.reason);
	}
	return 0;
}

int verify_chain(const struct verify_config *config, struct verify_result *out, struct err *err)
{
	OWNED(SSL_CTX) ctx = NULL;
	OWNED(x509_chain) all = NULL;
	struct tlsaset set;

	ERR_clear_error();
	int rc = chain_read("chain", config->chain_pem, &all, err);
	if (rc == 0)
		rc = context_new(NULL, TLS_method(), &ctx, err);
	if (rc == 0)
		rc = context_load_ca(ctx, config->ca_cert, err);
	if (rc)
		return rc;
	if (SSL_CTX_dane_enable(ctx) <= 0)
		return err_set(err, ERR_NOMEM, "verify: no memory");
	memset(out, 0, sizeof *out);
	tlsaset_read(config->rdata, config->rdata_count, &set);
	bool by_records = config->mode == TLS_DANE ||
		(config->mode == TLS_DANE_OR_PKIX && config->rdata_count > 0);
	rc = judge_once(config, ctx, all, by_records ? &set : NULL, &out->peer, err);
	if (rc == 0)
		rc = judge_records(config, ctx, all, &set, out, err);
	if (rc == 0 && config->reference_count)
		out->peer.name = config->reference[0];
	return rc;
}
