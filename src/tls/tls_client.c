/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/client.h"

#include <stdlib.h>

#include "core/own.h"
#include "tls/algorithms.h"
#include "tls/context.h"
#include "tls/extension.h"
#include "tls/handshake.h"
#include "tls/hook.h"
#include "tls/prove.h"
#include "tls/ticket.h"

OWNED_TYPE(SSL_CTX, SSL_CTX_free)

static int read_client_name(struct tls_client *c, const char *text)
{
	struct name name;

	if (name_of(text, &name) || name_labels(&name) == 0)
		return ERR_FORMAT;
	return clientid_write(&name, c->client_id, &c->client_id_n, NULL);
}

static int keep(struct tls_client *c, const struct tls_client_config *config, struct err *err)
{
	c->mode = config->mode;
	c->compat = config->compat;
	c->trace = config->trace;
	c->extension =
		config->client_id_extension ? config->client_id_extension : TLS_CLIENT_ID_EXTENSION;
	c->has_name = config->dane_client_name != NULL;
	if (c->has_name && read_client_name(c, config->dane_client_name))
		return err_set(err, ERR_FORMAT, "dane_client_name '%s': not a domain name",
			config->dane_client_name);
	if (c->mode != TLS_DANE && !config->ca_cert)
		return err_set(err, ERR_ARG, "TLS client: PKIX needs ca_cert");
	int rc = context_load_own(c->ssl_ctx, config->tls_cert, config->tls_key, err);
	return rc ? rc : context_load_ca(c->ssl_ctx, config->ca_cert, err);
}

static int prepare(struct tls_client *c, SSL_CTX *ctx, struct err *err)
{
	int rc = extension_add_client(c, ctx, c->extension, err);

	if (rc)
		return rc;
	/* A client that names itself does so in TLS 1.3 only (client-auth-13 section 3). */
	int version = c->has_name ? TLS1_3_VERSION : TLS1_2_VERSION;
	if (SSL_CTX_set_min_proto_version(ctx, version) != 1 || SSL_CTX_dane_enable(ctx) <= 0)
		return err_set(err, ERR_CRYPTO, "TLS client: OpenSSL has no TLS 1.3 or no DANE");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, prove_server, c);
	return ticket_forbid(ctx, err);
}

int tls_client_attach(const struct tls_client_config *config, struct ssl_ctx_st *ssl_ctx,
	struct tls_client **out, struct err *err)
{
	struct tls_client *c = calloc(1, sizeof *c);

	if (!c || SSL_CTX_up_ref(ssl_ctx) != 1) {
		free(c);
		return err_set(err, ERR_NOMEM, "TLS client: no memory");
	}
	c->ssl_ctx = ssl_ctx;
	int rc = keep(c, config, err);
	if (rc == 0)
		rc = prepare(c, ssl_ctx, err);
	if (rc) {
		tls_client_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

int tls_client_new(const struct tls_client_config *config, struct tls_client **out, struct err *err)
{
	OWNED(SSL_CTX) ctx = NULL;

	if (config->dane_client_name && !config->tls_cert)
		return err_set(err, ERR_ARG, "dane_client_name: needs tls_cert and tls_key");
	/* Who names itself speaks TLS 1.3 alone. */
	OSSL_LIB_CTX *libctx = config->dane_client_name ? algorithms_libctx() : NULL;
	int rc = context_new(libctx, TLS_client_method(), &ctx, err);
	return rc ? rc : tls_client_attach(config, ctx, out, err);
}

int tls_client_hook(struct tls_client *c, const struct service_endpoint *endpoint, void *ssl_ctx,
	struct peer *peer, struct err *err)
{
	peer_init(peer);
	int rc = hook_set(ssl_ctx, endpoint, peer, err);

	if (rc == 0)
		rc = context_share(c->ssl_ctx, ssl_ctx, err);
	return rc ? rc : prepare(c, ssl_ctx, err);
}

/* The first moment at which the SSL of a library can be seen. */
static void begins(const SSL *ssl, int where, int rc)
{
	const struct hook *h = hook_of(SSL_get_SSL_CTX(ssl));

	(void)rc;
	/* Without memory it is not cut. */
	if (where & SSL_CB_HANDSHAKE_START && h)
		(void)portion_begin((SSL *)ssl, h->more, h->more_arg);
}

int tls_client_portion(void *ssl_ctx, bool (*more)(void *arg), void *arg, struct err *err)
{
	struct hook *h = hook_of(ssl_ctx);

	if (!h)
		return err_set(err, ERR_ARG, "TLS hook: this SSL_CTX has none");
	h->more = more;
	h->more_arg = arg;
	SSL_CTX_set_info_callback(ssl_ctx, begins);
	return 0;
}

void tls_client_free(struct tls_client *c)
{
	if (!c)
		return;
	SSL_CTX_free(c->ssl_ctx);
	free(c);
}
