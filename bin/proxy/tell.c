/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/tell.h"

#include <stdlib.h>
#include <string.h>

#include "relay/httphead.h"
#include "relay/proxyhead.h"

/* What a header borrows. */
struct words {
	char name[NAME_TEXT_MAX], server_name[NAME_TEXT_MAX];
	struct buf certificate;
};

static struct span text_span(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

/* A dual-stack socket shows an IPv4 address inside an IPv6 one. */
static void set_end(const struct sockaddr *a, bool four, struct proxyhead_end *out)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)a;
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)a;

	if (a->sa_family == AF_INET) {
		memcpy(out->address, &in4->sin_addr, 4);
		out->port = ntohs(in4->sin_port);
		return;
	}
	memcpy(out->address, in6->sin6_addr.s6_addr + (four ? 12 : 0), four ? 4 : 16);
	out->port = ntohs(in6->sin6_port);
}

static void set_addresses(struct proxyhead *h, const struct link *front)
{
	const struct sockaddr *from = link_from(front);
	struct sockaddr_storage to;
	bool four;

	if ((from->sa_family != AF_INET && from->sa_family != AF_INET6) || !link_to(front, &to))
		return;
	four = from->sa_family == AF_INET ||
		IN6_IS_ADDR_V4MAPPED(&((const struct sockaddr_in6 *)from)->sin6_addr);
	h->family = four ? PROXYHEAD_IPV4 : PROXYHEAD_IPV6;
	set_end(from, four, &h->from);
	set_end((const struct sockaddr *)&to, four, &h->to);
}

static uint8_t octet_of(int v)
{
	return v < 0 ? UINT8_MAX : (uint8_t)v;
}

/* False: the name has no text. */
static bool set_proof(struct proxyhead *h, const struct link *front, struct words *words)
{
	const struct peer *peer = link_peer(front);
	const struct conn *conn = link_conn(front);
	struct name asked;

	if (name_write_text(&peer->name, words->name, sizeof(words->name)) != 0)
		return false;
	if (conn_server_name(conn, &asked) &&
		name_write_text(&asked, words->server_name, sizeof(words->server_name)) == 0)
		h->server_name = text_span(words->server_name);
	h->alpn = conn_alpn(conn);
	h->name = text_span(words->name);
	h->tls = h->has_dane = true;
	h->resumed = peer->resumed;
	h->version = text_span(conn_version(conn));
	h->cipher = text_span(conn_cipher(conn));
	h->dane = (struct proxyhead_dane){
		.how = peer->how == PEER_BY_DANE ? PROXYHEAD_BY_DANE : PROXYHEAD_BY_PKIX,
		.usage = octet_of(peer->usage),
		.selector = octet_of(peer->selector),
		.matching = octet_of(peer->matching),
		.spki_sha256 = { peer->spki_sha256, sizeof(peer->spki_sha256) },
		.name = h->name,
	};
	return true;
}

/* False: not all of it is known. */
static bool describe(enum config_identity identity, const struct link *front, struct proxyhead *h,
	struct words *words)
{
	set_addresses(h, front);
	if (identity == CONFIG_PROXY_V2_ADDRESSES)
		return true;
	if (identity == CONFIG_PROXY_V2_CERTIFICATE)
		conn_peer_certificate(link_conn(front), &words->certificate);
	h->certificate = buf_span(&words->certificate);
	return set_proof(h, front, words) && buf_ok(&words->certificate);
}

static bool write_head(const struct proxyhead *h, struct buf *out)
{
	size_t cap = PROXYHEAD_MAX + h->certificate.n, n = 0;
	uint8_t *head = malloc(cap);
	bool written = head && proxyhead_write(h, head, cap, &n) == 0;

	if (written)
		buf_put(out, (struct span){ head, n });
	free(head);
	return written;
}

bool tell_is_proxy(enum config_identity identity)
{
	return identity == CONFIG_PROXY_V2 || identity == CONFIG_PROXY_V2_ADDRESSES ||
		identity == CONFIG_PROXY_V2_CERTIFICATE;
}

void tell_proxy(enum config_identity identity, const struct link *front, struct buf *out)
{
	struct words words = { 0 };
	struct proxyhead h = { 0 };

	if (!describe(identity, front, &h, &words) || !write_head(&h, out))
		out->bad = true;
	buf_done(&words.certificate);
}

void tell_http(const struct link *front, struct buf *out)
{
	const struct peer *peer = link_peer(front);
	char name[NAME_TEXT_MAX] = "", from[64];

	if (name_write_text(&peer->name, name, sizeof(name)) != 0)
		out->bad = true;
	httphead_write(&(struct httphead){ .name = name,
			       .by_dane = peer->how == PEER_BY_DANE,
			       .usage = peer->usage,
			       .selector = peer->selector,
			       .matching = peer->matching,
			       .spki_sha256 = peer->spki_sha256,
			       .from = link_address(front, from, sizeof(from)) },
		out);
}
