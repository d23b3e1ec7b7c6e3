/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/server.h"

#include <stdlib.h>

#include "core/own.h"
#include "pki/pemfile.h"
#include "tls/algorithms.h"
#include "tls/context.h"
#include "tls/extension.h"
#include "tls/prove.h"
#include "tls/sni.h"
#include "tls/ticket.h"

OWNED_TYPE(SSL_CTX, SSL_CTX_free)

static int check(const struct tls_server_config *config, struct err *err)
{
	/* No listener without a rule who may come in. */
	if (!config->authorise)
		return err_set(err, ERR_ARG, "TLS server: no rule says who may be a client");
	if (config->mode != TLS_PKIX && !config->resolver)
		return err_set(err, ERR_ARG, "TLS server: DANE needs a resolver");
	if (config->mode != TLS_DANE && !config->ca_cert)
		return err_set(err, ERR_ARG, "TLS server: PKIX needs ca_cert");
	if (!config->client_ca != !config->authorise_by_ca ||
		(config->client_ca && config->mode != TLS_DANE))
		return err_set(err, ERR_ARG,
			"TLS server: client_ca is for mode dane, and for who is allowed by it");
	return 0;
}

static int prepare(struct tls_server *s, const struct tls_server_config *config, struct err *err)
{
	unsigned number =
		config->client_id_extension ? config->client_id_extension : TLS_CLIENT_ID_EXTENSION;
	int rc = context_load_own(s->ssl_ctx, config->tls_cert, config->tls_key, err);

	if (rc == 0)
		rc = context_load_ca(s->ssl_ctx, config->ca_cert, err);
	/* Not among those of ca_cert: they vouch for nobody whom DANE judges. */
	if (rc == 0 && config->client_ca)
		rc = pemfile_read_chain(config->client_ca, &s->client_ca, err);
	if (rc == 0)
		rc = extension_add_server(s, number, err);
	if (rc)
		return rc;
	/* client-auth-13 section 3: where the client must authenticate by DANE, MUST NOT
	 * negotiate below TLS 1.3. Every listener of ours demands a client. */
	if (SSL_CTX_set_min_proto_version(s->ssl_ctx, TLS1_3_VERSION) != 1 ||
		SSL_CTX_dane_enable(s->ssl_ctx) <= 0)
		return err_set(err, ERR_CRYPTO, "TLS server: OpenSSL has no TLS 1.3 or no DANE");
	SSL_CTX_set_verify(s->ssl_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(s->ssl_ctx, prove_client, s);
	if (s->mode != TLS_PKIX)
		SSL_CTX_set_mode(s->ssl_ctx, SSL_MODE_ASYNC);
	return s->tickets ? ticket_bind(s, err) : ticket_forbid(s->ssl_ctx, err);
}

int tls_server_attach(const struct tls_server_config *config, struct ssl_ctx_st *ssl_ctx,
	struct tls_server **out, struct err *err)
{
	int rc = check(config, err);

	if (rc)
		return rc;
	struct tls_server *s = calloc(1, sizeof *s);
	if (s)
		s->leaves = calloc(1, sizeof *s->leaves);
	if (!s || !s->leaves || SSL_CTX_up_ref(ssl_ctx) != 1) {
		free(s ? s->leaves : NULL);
		free(s);
		return err_set(err, ERR_NOMEM, "TLS server: no memory");
	}
	s->ssl_ctx = ssl_ctx;
	s->mode = config->mode;
	s->resolver = config->resolver;
	s->authorise = config->authorise;
	s->authorise_arg = config->authorise_arg;
	s->admit = config->admit;
	s->admit_arg = config->admit_arg;
	s->authorise_by_ca = config->authorise_by_ca;
	s->compat = config->compat;
	s->tickets = config->tickets;
	s->dns_timeout_ms = config->dns_timeout_ms;
	s->trace = config->trace;
	rc = prepare(s, config, err);
	if (rc) {
		tls_server_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

int tls_server_new(const struct tls_server_config *config, struct tls_server **out, struct err *err)
{
	OWNED(SSL_CTX) ctx = NULL;

	if (!config->tls_cert || !config->tls_key)
		return err_set(err, ERR_ARG, "TLS server: tls_cert and tls_key are needed");
	int rc = context_new(algorithms_libctx(), TLS_server_method(), &ctx, err);
	if (rc)
		return rc;
	/* One recv for all that is there instead of two for each record. A socket that is not
	 * readable says nothing then: who reads, reads until CONN_WANT_READ. */
	SSL_CTX_set_read_ahead(ctx, 1);
	return tls_server_attach(config, ctx, out, err);
}

int tls_server_add_name(struct tls_server *s, const struct pattern *name, struct tls_server *other,
	struct err *err)
{
	struct tls_server_name *more;

	/* What the SSL took from s when it was made stays as it is. */
	if (other->number || other->names_count || other->serves || s->serves ||
		other->mode != s->mode || other->tickets != s->tickets ||
		other->compat != s->compat)
		return err_set(err, ERR_ARG, "TLS server: not one that a name may lead to");
	more = realloc(s->names, (s->names_count + 1) * sizeof *more);
	if (!more)
		return err_set(err, ERR_NOMEM, "TLS server: no memory");
	s->names = more;
	more[s->names_count++] = (struct tls_server_name){ *name, other };
	other->number = s->names_count;
	sni_hang(s->ssl_ctx, s);
	sni_hang(other->ssl_ctx, s);
	return 0;
}

void tls_server_require_name(struct tls_server *s)
{
	s->name_required = true;
	sni_hang(s->ssl_ctx, s);
}

void tls_server_free(struct tls_server *s)
{
	if (!s)
		return;
	SSL_CTX_free(s->ssl_ctx);
	free(s->names);
	buf_done(&s->alpn);
	chain_free(s->client_ca);
	leaf_done(s->leaves);
	free(s->leaves);
	free(s);
}
