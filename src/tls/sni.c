/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/sni.h"

#include <openssl/x509v3.h>

#include "tls/handshake.h"

#define HOST_NAME 0 /* the only NameType there is */

enum sni_verdict sni_read(struct span extension, struct name *out)
{
	struct cursor c = cursor_over(extension);
	uint16_t list = cursor_u16_be(&c);
	uint8_t type = cursor_u8(&c);
	uint16_t octets = cursor_u16_be(&c);
	struct span text = cursor_take(&c, octets);
	struct name name;

	if (!cursor_done(&c) || list != extension.n - 2 || type != HOST_NAME ||
		name_read_text(text, &name) != 0 || name_labels(&name) == 0 ||
		!name_is_plain(&name))
		return SNI_BAD;
	*out = name;
	return SNI_NAME;
}

/* What the ClientHello asks for. False: nothing, or nothing that is a name. */
static bool asked_for(SSL *ssl, struct name *out)
{
	const unsigned char *p;
	size_t n;

	return SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n) == 1 &&
		sni_read((struct span){ p, n }, out) == SNI_NAME;
}

/* Its own certificate says that it has this name. */
static bool has_name(const struct tls_server *s, const struct name *name)
{
	char text[NAME_TEXT_MAX];

	return name_write_text(name, text, sizeof text) == 0 &&
		X509_check_host(SSL_CTX_get0_certificate(s->ssl_ctx), text, 0,
			X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
}

/* name NULL: none was asked for. NULL comes out: no server here has that name. */
static const struct tls_server *server_for(const struct tls_server *own, const struct name *name)
{
	if (own->serves)
		return name && own->serves(own->serves_arg, name) ? own : NULL;
	for (unsigned i = 0; name && i < own->names_count; i++)
		if (pattern_matches(&own->names[i].name, name))
			return own->names[i].server;
	return !own->name_required || (name && has_name(own, name)) ? own : NULL;
}

static int refuse(struct handshake *h, int alert, const char *why, const struct name *name,
	int *out)
{
	char text[NAME_TEXT_MAX] = "none";

	if (name)
		(void)name_write_text(name, text, sizeof text);
	peer_refuse(&h->peer, PEER_REFUSED_SERVER_NAME, "%s (%.100s)", why, text);
	*out = alert;
	return SSL_CLIENT_HELLO_ERROR;
}

/* Of the SSL_CTX that the SSL has now: after the first time, of the chosen one. */
static int choose(SSL *ssl, int *alert, void *arg)
{
	struct name asked, *name = asked_for(ssl, &asked) ? &asked : NULL;
	const struct tls_server *own = arg, *to = server_for(own, name);
	struct handshake *h = handshake_of(ssl);

	if (!h && !(h = handshake_of_server(ssl, own))) {
		*alert = SSL_AD_INTERNAL_ERROR;
		return SSL_CLIENT_HELLO_ERROR;
	}
	if (!to)
		return refuse(h, SSL_AD_UNRECOGNIZED_NAME, "no server here has the name asked for",
			name, alert);
	/* RFC 8446 section 4.1.2: the client MUST send the same ClientHello without modification,
	 * but for some fields of which this is none. */
	if (h->chosen && h->server != to)
		return refuse(h, SSL_AD_ILLEGAL_PARAMETER,
			"the second ClientHello asks for another", name, alert);
	h->chosen = true;
	h->server = to;
	if (to != own && SSL_set_SSL_CTX(ssl, to->ssl_ctx) != to->ssl_ctx) {
		peer_refuse(&h->peer, PEER_REFUSED_MEMORY, "no memory for the server asked for");
		*alert = SSL_AD_INTERNAL_ERROR;
		return SSL_CLIENT_HELLO_ERROR;
	}
	return SSL_CLIENT_HELLO_SUCCESS;
}

void sni_hang(SSL_CTX *ctx, const struct tls_server *own)
{
	SSL_CTX_set_client_hello_cb(ctx, choose, (void *)(uintptr_t)own);
}
