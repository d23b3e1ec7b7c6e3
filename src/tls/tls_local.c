/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/local.h"

#include <stdlib.h>

#include "core/own.h"
#include "tls/context.h"
#include "tls/sni.h"
#include "tls/ticket.h"

OWNED_TYPE(SSL_CTX, SSL_CTX_free)

static int prepare(SSL_CTX *ctx, const struct tls_local_config *config, struct err *err)
{
	int rc = context_load_own(ctx, config->tls_cert, config->tls_key, err);

	if (rc)
		return rc;
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1)
		return err_set(err, ERR_CRYPTO, "local TLS: OpenSSL has no TLS 1.2");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	/* One recv for all that is there, as of the other server: tls_server.c. */
	SSL_CTX_set_read_ahead(ctx, 1);
	return ticket_forbid(ctx, err);
}

int tls_local_new(const struct tls_local_config *config, struct tls_server **out, struct err *err)
{
	OWNED(SSL_CTX) ctx = NULL;
	struct tls_server *s;
	int rc;

	if (!config->serves || !config->tls_cert || !config->tls_key)
		return err_set(err, ERR_ARG,
			"local TLS: need certificate, key, and a rule which names are served");
	rc = context_new(NULL, TLS_server_method(), &ctx, err);
	rc = rc ? rc : prepare(ctx, config, err);
	if (rc)
		return rc;
	s = calloc(1, sizeof *s);
	if (!s)
		return err_set(err, ERR_NOMEM, "local TLS: no memory");
	s->serves = config->serves;
	s->serves_arg = config->arg;
	s->ssl_ctx = TAKE(ctx);
	sni_hang(s->ssl_ctx, s);
	*out = s;
	return 0;
}
