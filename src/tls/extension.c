/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/extension.h"

#include "tls/handshake.h"

#define WHERE (SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_CERTIFICATE)

/* Every alert of this extension is handshake_failure: nothing more is told to the peer. */
static int refuse(int *alert)
{
	*alert = SSL_AD_HANDSHAKE_FAILURE;
	return 0;
}

static int ask_for_name(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
	size_t *n, X509 *x, size_t chain_index, int *al, void *arg)
{
	const struct tls_server *s = arg;

	(void)type, (void)x, (void)chain_index;
	*al = SSL_AD_INTERNAL_ERROR;
	if (!SSL_is_server(ssl) || !(context & SSL_EXT_TLS1_3_CERTIFICATE_REQUEST))
		return 0;
	struct handshake *h = handshake_of_server(ssl, s);
	if (!h)
		return -1;
	h->solicited = true;
	*out = s->client_id;
	*n = s->client_id_n;
	return 1;
}

static int hear_name(SSL *ssl, unsigned type, unsigned context, const unsigned char *in, size_t n,
	X509 *x, size_t chain_index, int *al, void *arg)
{
	const struct tls_server *s = arg;
	struct handshake *h = handshake_of_server(ssl, s);
	const char *why = "";

	(void)type, (void)x;
	*al = SSL_AD_HANDSHAKE_FAILURE;
	if (!h)
		return refuse(al);
	/* OpenSSL lets an extension through that was not asked for. */
	if (!(context & SSL_EXT_TLS1_3_CERTIFICATE) || !h->solicited || chain_index != 0 ||
		h->named) {
		peer_refuse(&h->peer, PEER_REFUSED_BAD_NAME,
			"dane_clientid where it may not be (certificate %zu)", chain_index);
		return refuse(al);
	}
	switch (clientid_read(CLIENTID_CERTIFICATE, (struct span){ in, n }, s->compat,
		&h->peer.name, &why)) {
	case CLIENTID_NAME: h->named = true; return 1;
	case CLIENTID_EMPTY:
		/* client-auth-13: a zero-length ClientName from a client MUST abort. */
		peer_refuse(&h->peer, PEER_REFUSED_EMPTY_NAME, "dane_clientid is empty");
		return refuse(al);
	case CLIENTID_SIGNAL:
	case CLIENTID_OVERLONG:
	case CLIENTID_LENGTH:
	case CLIENTID_SYNTAX: break;
	}
	peer_refuse(&h->peer, PEER_REFUSED_BAD_NAME, "dane_clientid: %s", why);
	return refuse(al);
}

/* OpenSSL calls this only when the CertificateRequest had the extension. */
static int offer_name(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
	size_t *n, X509 *x, size_t chain_index, int *al, void *arg)
{
	const struct tls_client *c = arg;

	(void)type, (void)x;
	*al = SSL_AD_INTERNAL_ERROR;
	if (SSL_is_server(ssl) || !(context & SSL_EXT_TLS1_3_CERTIFICATE) || chain_index != 0 ||
		!c->has_name)
		return 0;
	struct handshake *h = handshake_of_client(ssl, c);
	if (!h)
		return -1;
	*out = c->client_id;
	*n = c->client_id_n;
	return h->solicited;
}

static int hear_signal(SSL *ssl, unsigned type, unsigned context, const unsigned char *in, size_t n,
	X509 *x, size_t chain_index, int *al, void *arg)
{
	const struct tls_client *c = arg;
	struct handshake *h = handshake_of_client(ssl, c);
	const char *why = "";
	struct name unused;

	(void)type, (void)x, (void)chain_index;
	*al = SSL_AD_HANDSHAKE_FAILURE;
	if (!h)
		return refuse(al);
	if ((context & SSL_EXT_TLS1_3_CERTIFICATE_REQUEST) &&
		clientid_read(CLIENTID_CERTIFICATE_REQUEST, (struct span){ in, n }, c->compat,
			&unused, &why) == CLIENTID_SIGNAL) {
		h->solicited = true;
		return 1;
	}
	peer_refuse(&h->peer, PEER_REFUSED_PROTOCOL, "dane_clientid from the server: %s",
		why[0] ? why : "not in a CertificateRequest");
	return refuse(al);
}

int extension_add_server(struct tls_server *s, unsigned number, struct err *err)
{
	if (clientid_write(NULL, s->client_id, &s->client_id_n, err) ||
		SSL_CTX_add_custom_ext(s->ssl_ctx, number, WHERE, ask_for_name, NULL, s, hear_name,
			s) != 1)
		return err_set(err, ERR_ARG, "client_id_extension %u: OpenSSL refuses it", number);
	return 0;
}

int extension_add_client(struct tls_client *c, SSL_CTX *ctx, unsigned number, struct err *err)
{
	if (SSL_CTX_add_custom_ext(ctx, number, WHERE, offer_name, NULL, c, hear_signal, c) != 1)
		return err_set(err, ERR_ARG, "client_id_extension %u: OpenSSL refuses it", number);
	return 0;
}
