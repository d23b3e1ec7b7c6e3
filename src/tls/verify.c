/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/verify.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "core/own.h"
#include "tls/context.h"
#include "tls/judge.h"

typedef STACK_OF(X509) chain;

static void free_chain(chain *c)
{
	sk_X509_pop_free(c, X509_free);
}

OWNED_TYPE(SSL_CTX, SSL_CTX_free)
OWNED_TYPE(SSL, SSL_free)
OWNED_TYPE(BIO, BIO_free)
OWNED_TYPE(X509_STORE_CTX, X509_STORE_CTX_free)
OWNED_TYPE(chain, free_chain)

#define CHAIN_MAX 16

static int read_chain(struct span pem, chain **out, struct err *err)
{
	OWNED(chain) all = sk_X509_new_null();
	OWNED(BIO) bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *one;

	if (!all || !bio)
		return err_set(err, ERR_NOMEM, "chain: no memory");
	while ((one = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		if (sk_X509_num(all) == CHAIN_MAX || sk_X509_push(all, one) <= 0) {
			X509_free(one);
			return err_set(err, ERR_FORMAT, "chain: more than %d certificates",
				CHAIN_MAX);
		}
	}
	unsigned long code = ERR_peek_last_error();
	bool ended = ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
	ERR_clear_error();
	if (sk_X509_num(all) == 0)
		return err_set(err, ERR_FORMAT, "chain: no certificate in it");
	if (!ended)
		return err_set(err, ERR_FORMAT, "chain: certificate %d is damaged",
			sk_X509_num(all) + 1);
	*out = TAKE(all);
	return 0;
}

/* What OpenSSL's handshake sets before it verifies a chain. */
static int prepare(X509_STORE_CTX *store, SSL_CTX *ctx, const struct verify_config *config,
	chain *all, struct err *err)
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
static int judge_once(const struct verify_config *config, SSL_CTX *ctx, chain *all,
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

static int judge_records(const struct verify_config *config, SSL_CTX *ctx, chain *all,
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
	OWNED(chain) all = NULL;
	struct tlsaset set;

	ERR_clear_error();
	int rc = read_chain(config->chain_pem, &all, err);
	if (rc == 0)
		rc = context_new(TLS_method(), &ctx, err);
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
