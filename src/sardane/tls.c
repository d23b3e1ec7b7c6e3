/* SPDX-License-Identifier: Apache-2.0 */
#include "sardane/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sardane/convert.h"
#include "sardane/find.h"
#include "tls/handshake.h"

static_assert(SARDANE_MODE_DANE == (int)TLS_DANE && SARDANE_MODE_PKIX == (int)TLS_PKIX &&
		SARDANE_MODE_DANE_OR_PKIX == (int)TLS_DANE_OR_PKIX,
	"modes");

struct sardane_server {
	struct tls_server *tls;
	bool (*authorise)(void *arg, const struct sardane_name *client);
	void *arg;
};

static bool authorise(void *arg, const struct name *client)
{
	const struct sardane_server *s = arg;

	return s->authorise(s->arg, (const struct sardane_name *)client);
}

int sardane_server_attach(SSL_CTX *ctx, const struct sardane_server_config *config,
	struct sardane_server **out, struct sardane_err *err)
{
	struct sardane_server *s = calloc(1, sizeof *s);

	if (!s)
		return err_set(convert_err(err), ERR_NOMEM, "server: no memory");
	s->authorise = config->authorise;
	s->arg = config->arg;
	struct tls_server_config inside = {
		.mode = (enum tls_mode)config->mode,
		.ca_cert = config->ca_cert,
		.resolver = convert_resolver(config->resolver),
		.authorise = config->authorise ? authorise : NULL,
		.authorise_arg = s,
		.client_id_extension = config->client_id_extension,
		.compat = config->compat,
		.tickets = config->tickets,
	};
	int rc = tls_server_attach(&inside, ctx, &s->tls, convert_err(err));
	if (rc) {
		free(s);
		return rc;
	}
	*out = s;
	return 0;
}

void sardane_server_free(struct sardane_server *s)
{
	if (!s)
		return;
	tls_server_free(s->tls);
	free(s);
}

int sardane_server_begin(SSL *ssl, struct sardane_server *s, uint64_t source,
	void (*wake)(void *arg), void *arg, struct sardane_err *err)
{
	struct handshake *h = handshake_of_server(ssl, s->tls);

	if (!h)
		return err_set(convert_err(err), ERR_NOMEM, "server: no memory");
	h->source = source;
	h->wake = wake;
	h->wake_arg = arg;
	return 0;
}

int sardane_client_attach(SSL_CTX *ctx, const struct sardane_client_config *config,
	struct sardane_client **out, struct sardane_err *err)
{
	struct tls_client *c = NULL;
	struct tls_client_config inside = {
		.mode = (enum tls_mode)config->mode,
		.dane_client_name = config->client_name,
		.ca_cert = config->ca_cert,
		.client_id_extension = config->client_id_extension,
		.compat = config->compat,
	};
	int rc = tls_client_attach(&inside, ctx, &c, convert_err(err));

	if (rc == 0)
		*out = (struct sardane_client *)c;
	return rc;
}

void sardane_client_free(struct sardane_client *c)
{
	tls_client_free((struct tls_client *)c);
}

int sardane_client_begin(SSL *ssl, struct sardane_client *c, const struct sardane_find *find,
	struct sardane_err *err)
{
	const struct service_endpoint *e = sardane_find_inside(find);

	if (!e || e->proof == SERVICE_REFUSED)
		return err_set(convert_err(err), ERR_ARG, "client: %s",
			e ? e->why : "the service was not found");
	if (!handshake_begin_client(ssl, (const struct tls_client *)c, e))
		return err_set(convert_err(err), ERR_NOMEM, "client: no memory");
	return 0;
}

void sardane_abandon(SSL *ssl)
{
	handshake_abandon(ssl);
}

void sardane_outcome(SSL *ssl, struct sardane_outcome *out)
{
	struct handshake *h = handshake_of(ssl);
	struct peer none;

	peer_init(&none);
	if (!h)
		peer_refuse(&none, PEER_REFUSED_PROTOCOL, "no handshake was begun");
	else if (!h->waiting)
		(void)handshake_finish(ssl, SSL_is_init_finished(ssl) == 1);
	const struct peer *p = h && !h->waiting ? &h->peer : &none;
	memset(out, 0, sizeof *out);
	out->authenticated = p->authenticated;
	out->by_dane = p->how == PEER_BY_DANE;
	out->resumed = p->resumed;
	if (p->name.n)
		(void)name_write_text(&p->name, out->name, sizeof out->name);
	out->usage = p->usage;
	out->selector = p->selector;
	out->matching = p->matching;
	out->depth = p->depth;
	out->dnssec = (enum sardane_dnssec)p->dnssec;
	int64_t left = p->expires_ms - resolver_now();
	out->expires_in_ms = p->expires_ms == 0 ? -1 : left > 0 ? left : 0;
	snprintf(out->refusal, sizeof out->refusal, "%s", peer_refusal_word(p->refusal));
	snprintf(out->reason, sizeof out->reason, "%s", p->reason);
}
