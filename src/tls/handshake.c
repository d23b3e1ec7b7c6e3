/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/handshake.h"

#include <openssl/async.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>

#include "dns/rr.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int slot = -1;

static void drop(void *parent, void *p, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
	struct handshake *h = p;

	(void)parent, (void)ad, (void)index, (void)argl, (void)argp;
	if (!h)
		return;
	ask_done(&h->ask);
	free(h->ticket_peer);
	free(h);
}

static void take_slot(void)
{
	slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, drop);
}

struct handshake *handshake_of(const SSL *ssl)
{
	return slot < 0 ? NULL : SSL_get_ex_data(ssl, slot);
}

static void tell(struct ask *ask)
{
	struct handshake *h = ask->arg;

	if (h->wake)
		h->wake(h->wake_arg);
}

static struct handshake *of(SSL *ssl)
{
	if (pthread_once(&once, take_slot) || slot < 0)
		return NULL;
	struct handshake *h = SSL_get_ex_data(ssl, slot);
	if (h)
		return h;
	h = calloc(1, sizeof *h);
	if (!h)
		return NULL;
	peer_init(&h->peer);
	h->ask.wake = tell;
	h->ask.arg = h;
	if (SSL_set_ex_data(ssl, slot, h) != 1) {
		free(h);
		return NULL;
	}
	return h;
}

struct handshake *handshake_of_server(SSL *ssl, const struct tls_server *server)
{
	struct handshake *h = of(ssl);

	if (h)
		h->server = server;
	return h;
}

struct peer *handshake_new_ticket_peer(struct handshake *h)
{
	free(h->ticket_peer);
	h->ticket_peer = malloc(sizeof *h->ticket_peer);
	if (h->ticket_peer)
		peer_init(h->ticket_peer);
	return h->ticket_peer;
}

struct handshake *handshake_of_client(SSL *ssl, const struct tls_client *client)
{
	struct handshake *h = of(ssl);

	if (h)
		h->client = client;
	return h;
}

/* RFC 7671 section 5.1 and RFC 6698: the name sent is the TLSA base domain. */
static bool set_server_name(SSL *ssl, const struct service_endpoint *endpoint)
{
	struct name name = endpoint->host, parent;
	char text[NAME_TEXT_MAX];

	if (endpoint->proof == SERVICE_BY_DANE && name_parent(&endpoint->tlsa_owner, &parent) &&
		name_labels(&parent) > 1)
		(void)name_parent(&parent, &name);
	if (name.n == 0 || !name_is_plain(&name))
		return true;
	return name_write_text(&name, text, sizeof text) == 0 &&
		SSL_set_tlsext_host_name(ssl, text) == 1;
}

struct handshake *handshake_begin_client(SSL *ssl, const struct tls_client *client,
	const struct service_endpoint *endpoint)
{
	struct handshake *h = handshake_of_client(ssl, client);

	if (!h || !set_server_name(ssl, endpoint))
		return NULL;
	h->endpoint = endpoint;
	return h;
}

static struct answer *taken(struct handshake *h)
{
	struct answer *a = answer_keep(h->ask.answer);

	ask_done(&h->ask);
	return a;
}

struct answer *handshake_lookup(struct handshake *h, const struct name *name)
{
	const struct tls_server *s = h->server;
	struct question q = { .name = *name, .type = RR_TLSA };

	h->peer.tlsa_owner = *name;
	h->peer.asked_dns = true;
	resolver_ask(s->resolver, &q, h->source, s->dns_timeout_ms, &h->ask);
	while (!h->ask.answer) {
		if (!ASYNC_get_current_job()) {
			peer_refuse(&h->peer, PEER_REFUSED_DNS,
				"TLSA is not cached, and this connection cannot wait "
				"(SSL_MODE_ASYNC is off)");
			break;
		}
		h->waiting = true;
		int rc = ASYNC_pause_job();
		h->waiting = false;
		if (h->abandoned || rc != 1) {
			peer_refuse(&h->peer, PEER_REFUSED_ABANDONED,
				"closed while waiting for DNS");
			break;
		}
	}
	if (h->ask.answer)
		return taken(h);
	ask_done(&h->ask);
	return NULL;
}

void handshake_abandon(SSL *ssl)
{
	struct handshake *h = handshake_of(ssl);

	if (!h || !h->waiting)
		return;
	h->abandoned = true;
	ERR_clear_error();
	(void)SSL_do_handshake(ssl);
	ERR_clear_error();
}

void handshake_admit(struct handshake *h)
{
	const struct tls_server *s = h->server;

	if (s && s->admit && h->peer.authenticated && !s->admit(s->admit_arg, &h->peer))
		peer_refuse(&h->peer, PEER_REFUSED_POLICY,
			"no rule allows this key, or this kind of proof");
}

/* No callback of ours ran: OpenSSL itself refused, and its queue says why. */
static void take_openssl_reason(SSL *ssl, struct handshake *h)
{
	unsigned long code = ERR_peek_last_error();
	char words[120];

	if (SSL_is_server(ssl) && ERR_GET_REASON(code) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
		peer_refuse(&h->peer, PEER_REFUSED_NO_CERTIFICATE,
			"the client sent no certificate");
		ERR_clear_error();
		return;
	}
	enum peer_refusal refusal = ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE
		? PEER_REFUSED_MEMORY
		: PEER_REFUSED_PROTOCOL;
	context_openssl_words(words, sizeof words);
	peer_refuse(&h->peer, refusal, "TLS: %s", words[0] ? words : "the connection was cut");
}

/* Nobody is asked for a proof. */
static bool is_local(const struct handshake *h)
{
	return h->server && h->server->serves;
}

bool handshake_finish(SSL *ssl, bool finished)
{
	struct handshake *h = handshake_of(ssl);

	if (!h)
		return false;
	if (!finished) {
		take_openssl_reason(ssl, h);
	} else if (is_local(h)) {
		return true;
	} else if (SSL_session_reused(ssl)) {
		/* No certificate was shown and no callback ran: only a ticket that was bound
		 * to the TLSA and found good speaks for the peer. */
		if (h->ticket_peer)
			h->peer = *h->ticket_peer;
		else
			peer_refuse(&h->peer, PEER_REFUSED_PROTOCOL,
				"resumed without a bound ticket");
		handshake_admit(h);
	} else if (!h->peer.authenticated || SSL_get_verify_result(ssl) != X509_V_OK) {
		peer_refuse(&h->peer, PEER_REFUSED_PROTOCOL, "the handshake proved nothing");
	}
	free(h->ticket_peer);
	h->ticket_peer = NULL;
	if (h->report)
		*h->report = h->peer;
	return h->peer.authenticated;
}
