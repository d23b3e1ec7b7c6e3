/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/ticket.h"

#include <string.h>
#include <time.h>

#include "base/same.h"
#include "dane/tlsaset.h"
#include "dns/rr.h"
#include "tls/handshake.h"

/* What a ticket carries; lives only as long as the keys of its SSL_CTX, so no version. */
struct bond {
	uint32_t server; /* its number */
	struct name name;
	uint8_t set[32];
	int64_t expires_ms, ends_s;
	int32_t usage, selector, matching, depth;
	uint8_t spki_sha256[32];
};

static const unsigned char session_context[] = "sardane";

int ticket_forbid(SSL_CTX *ctx, struct err *err)
{
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	if (SSL_CTX_set_num_tickets(ctx, 0) != 1)
		return err_set(err, ERR_CRYPTO, "TLS: OpenSSL cannot switch tickets off");
	return 0;
}

/* The cached set of the name, secure and not expired. */
static const struct answer *current(const struct tls_server *s, const struct name *name)
{
	struct question q = { .name = *name, .type = RR_TLSA };
	const struct answer *a = resolver_cached(s->resolver, &q);

	/* What is used beyond its time is for handshakes that are judged and told as such. */
	return a && a->status == ANSWER_SECURE && !a->stale && a->expires_ms > resolver_now()
		? a
		: NULL;
}

/* Without a bond the ticket is worthless, so when none can be made it is simply empty. */
static int bind_ticket(SSL *ssl, void *arg)
{
	const struct handshake *h = handshake_of(ssl);
	SSL_SESSION *session = SSL_get_session(ssl);
	struct bond b;

	(void)arg;
	if (!h || !session || !h->peer.authenticated || h->peer.how != PEER_BY_DANE)
		return 1;
	memset(&b, 0, sizeof b);
	b.server = h->server->number;
	memcpy(b.set, h->peer.tlsa_sha256, sizeof b.set);
	b.name = h->peer.name;
	b.expires_ms = h->peer.expires_ms;
	b.ends_s = h->peer.ends_s;
	b.usage = h->peer.usage;
	b.selector = h->peer.selector;
	b.matching = h->peer.matching;
	b.depth = h->peer.depth;
	memcpy(b.spki_sha256, h->peer.spki_sha256, sizeof b.spki_sha256);
	return SSL_SESSION_set1_ticket_appdata(session, &b, sizeof b);
}

static bool is_still_good(const struct tls_server *s, const struct bond *b)
{
	uint8_t now[32];

	/* The keys of tickets are those of the listener, whatever name led to s. */
	if (b->server != s->number)
		return false;
	if (b->expires_ms <= resolver_now() || !s->authorise(s->authorise_arg, &b->name))
		return false;
	if (b->ends_s && b->ends_s < time(NULL))
		return false;
	const struct answer *a = current(s, &b->name);
	if (!a || tlsaset_hash(a->rdata, a->count, now, NULL))
		return false;
	return same_octets((struct span){ now, 32 }, (struct span){ b->set, 32 });
}

static SSL_TICKET_RETURN take_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *key_name,
	size_t key_name_n, SSL_TICKET_STATUS status, void *arg)
{
	struct handshake *h = handshake_of(ssl);
	/* The one that the client asked for; arg is the one that accepted. */
	const struct tls_server *s = h ? h->server : arg;
	struct bond b;
	void *data = NULL;
	size_t n = 0;

	(void)key_name, (void)key_name_n;
	if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	if (!session || SSL_SESSION_get0_ticket_appdata(session, &data, &n) != 1 || n != sizeof b)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	memcpy(&b, data, sizeof b);
	h = is_still_good(s, &b) ? handshake_of_server(ssl, s) : NULL;
	struct peer *peer = h ? handshake_new_ticket_peer(h) : NULL;
	if (!peer)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	*peer = (struct peer){ .authenticated = true,
		.how = PEER_BY_DANE,
		.name = b.name,
		.tlsa_owner = b.name,
		.dnssec = ANSWER_SECURE,
		.asked_dns = true,
		.usage = b.usage,
		.selector = b.selector,
		.matching = b.matching,
		.depth = b.depth,
		.expires_ms = b.expires_ms,
		.ends_s = b.ends_s,
		.resumed = true,
		.reason = "resumed; the TLSA set is the one of the first handshake" };
	memcpy(peer->spki_sha256, b.spki_sha256, sizeof b.spki_sha256);
	memcpy(peer->tlsa_sha256, b.set, sizeof b.set);
	return SSL_TICKET_RETURN_USE;
}

int ticket_bind(struct tls_server *s, struct err *err)
{
	/* Stateless tickets only: a server-side cache would outlive a removed TLSA. With
	 * VERIFY_PEER OpenSSL demands a session id context, or resumption is fatal. */
	SSL_CTX_set_session_cache_mode(s->ssl_ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_clear_options(s->ssl_ctx, SSL_OP_NO_TICKET);
	if (s->mode == TLS_PKIX)
		return ticket_forbid(s->ssl_ctx, err);
	if (SSL_CTX_set_session_id_context(s->ssl_ctx, session_context,
		    sizeof session_context - 1) != 1 ||
		SSL_CTX_set_num_tickets(s->ssl_ctx, 1) != 1 ||
		SSL_CTX_set_session_ticket_cb(s->ssl_ctx, bind_ticket, take_ticket, s) != 1)
		return err_set(err, ERR_CRYPTO, "TLS: OpenSSL cannot bind tickets");
	return 0;
}
