/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/resume.h"

#include <openssl/err.h>
#include <string.h>
#include <time.h>

#include "base/same.h"
#include "base/sink.h"
#include "core/own.h"
#include "core/secret.h"
#include "dane/tlsaset.h"

OWNED_TYPE(SSL_SESSION, SSL_SESSION_free)

#define MAGIC 0x53524402u  /* "SRD", format 2 */
#define BOND  (4 + 32 + 8) /* what the peer was proved by */
#define HEAD  (4 + 32 + BOND)

/* The set the endpoint is held to now. False: there is none to rest a session on. */
static bool current_set(const struct handshake *h, uint8_t out[32])
{
	const struct service_endpoint *e = h->endpoint;

	return e && e->proof == SERVICE_BY_DANE && e->tlsa && e->tlsa->status == ANSWER_SECURE &&
		(!e->expires_ms || resolver_now() <= e->expires_ms) &&
		tlsaset_hash(e->tlsa->rdata, e->tlsa->count, out, NULL) == 0;
}

int resume_save(SSL *ssl, const struct handshake *h, struct buf *out, struct err *err)
{
	OWNED(SSL_SESSION) session = SSL_get1_session(ssl);
	uint8_t head[HEAD], set[32];
	struct sink s = sink_into(head, sizeof head);
	unsigned char *der = NULL;

	if (!session || !SSL_SESSION_is_resumable(session) || !h->peer.authenticated ||
		h->peer.how != PEER_BY_DANE || !current_set(h, set) ||
		!same_octets((struct span){ set, sizeof set },
			(struct span){ h->peer.tlsa_sha256, 32 }))
		return 0;
	sink_u32_be(&s, MAGIC);
	sink_put(&s, (struct span){ set, sizeof set });
	sink_u8(&s, (uint8_t)h->peer.usage);
	sink_u8(&s, (uint8_t)h->peer.selector);
	sink_u8(&s, (uint8_t)h->peer.matching);
	sink_u8(&s, (uint8_t)h->peer.depth);
	sink_put(&s, (struct span){ h->peer.spki_sha256, 32 });
	sink_u64_be(&s, (uint64_t)h->peer.ends_s);
	int n = i2d_SSL_SESSION(session, &der);
	if (n <= 0)
		return err_set(err, ERR_NOMEM, "session: no memory");
	buf_put(out, sink_span(&s));
	buf_put(out, (struct span){ der, (size_t)n });
	OPENSSL_clear_free(der, (size_t)n);
	return buf_ok(out) ? 0 : err_set(err, ERR_NOMEM, "session: no memory");
}

/* What the peer will be if the server takes the session. Without memory: nobody. */
static void promise(struct handshake *h, const uint8_t set[32], struct cursor *c)
{
	const struct service_endpoint *e = h->endpoint;
	struct peer *p = handshake_new_ticket_peer(h);
	struct span spki;

	if (!p)
		return;
	p->authenticated = true;
	p->how = PEER_BY_DANE;
	p->name = e->host;
	p->tlsa_owner = e->tlsa_owner;
	p->dnssec = ANSWER_SECURE;
	p->asked_dns = true;
	p->usage = cursor_u8(c);
	p->selector = cursor_u8(c);
	p->matching = cursor_u8(c);
	p->depth = cursor_u8(c);
	spki = cursor_take(c, 32);
	memcpy(p->spki_sha256, spki.p, spki.n);
	memcpy(p->tlsa_sha256, set, sizeof p->tlsa_sha256);
	p->ends_s = (int64_t)cursor_u64_be(c);
	p->expires_ms = e->expires_ms;
	p->resumed = true;
	snprintf(p->reason, sizeof p->reason,
		"resumed; the TLSA set is the one of the first handshake");
}

/* The certificate that the verdict rests on; 0: on none. */
static bool is_over(int64_t ends_s)
{
	return ends_s && ends_s < time(NULL);
}

int resume_offer(SSL *ssl, struct handshake *h, struct span saved, struct err *err)
{
	struct cursor c = cursor_over(saved);
	uint8_t now[32];

	if (saved.n <= HEAD || cursor_u32_be(&c) != MAGIC)
		return err_set(err, ERR_FORMAT, "session: not a session saved by us");
	struct span set = cursor_take(&c, 32);
	if (!current_set(h, now) || !same_octets(set, (struct span){ now, sizeof now }))
		return 0;
	struct cursor bond = c, ends = c;
	(void)cursor_take(&c, BOND);
	(void)cursor_take(&ends, BOND - 8);
	if (is_over((int64_t)cursor_u64_be(&ends)))
		return 0;
	struct span der = cursor_rest(&c);
	const unsigned char *p = der.p;
	OWNED(SSL_SESSION) session = d2i_SSL_SESSION(NULL, &p, (long)der.n);
	if (!session || p != der.p + der.n) {
		ERR_clear_error();
		return err_set(err, ERR_FORMAT, "session: damaged");
	}
	/* One that ran out is simply not offered. */
	if (!SSL_SESSION_is_resumable(session))
		return 0;
	if (SSL_set_session(ssl, session) != 1) {
		ERR_clear_error();
		return err_set(err, ERR_FORMAT, "session: OpenSSL does not take it");
	}
	promise(h, now, &bond);
	return 0;
}
