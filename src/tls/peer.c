/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/peer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *peer_refusal_word(enum peer_refusal refusal)
{
	switch (refusal) {
	case PEER_REFUSED_NOT: return "not-refused";
	case PEER_REFUSED_NO_CERTIFICATE: return "no-certificate";
	case PEER_REFUSED_NO_NAME: return "no-name";
	case PEER_REFUSED_EMPTY_NAME: return "empty-name";
	case PEER_REFUSED_BAD_NAME: return "bad-name";
	case PEER_REFUSED_POLICY: return "policy";
	case PEER_REFUSED_NO_TLSA: return "no-tlsa";
	case PEER_REFUSED_INSECURE: return "insecure";
	case PEER_REFUSED_BOGUS: return "bogus";
	case PEER_REFUSED_DNS: return "dns";
	case PEER_REFUSED_UNUSABLE: return "unusable";
	case PEER_REFUSED_NO_MATCH: return "no-match";
	case PEER_REFUSED_WRONG_NAME: return "wrong-name";
	case PEER_REFUSED_CHAIN: return "chain";
	case PEER_REFUSED_STALE: return "stale";
	case PEER_REFUSED_PROTOCOL: return "protocol";
	case PEER_REFUSED_SERVER_NAME: return "server-name";
	case PEER_REFUSED_MEMORY: return "memory";
	case PEER_REFUSED_ABANDONED: return "abandoned";
	}
	return "?";
}

const char *peer_dnssec_word(const struct peer *p)
{
	if (!p->asked_dns)
		return "-";
	return p->stale ? "secure-stale" : answer_status_word(p->dnssec);
}

void peer_init(struct peer *p)
{
	memset(p, 0, sizeof *p);
	p->usage = p->selector = p->matching = p->depth = -1;
}

void peer_refuse(struct peer *p, enum peer_refusal refusal, const char *fmt, ...)
{
	va_list ap;

	p->authenticated = false;
	p->how = PEER_NOT;
	if (p->refusal != PEER_REFUSED_NOT)
		return;
	p->refusal = refusal;
	va_start(ap, fmt);
	vsnprintf(p->reason, sizeof p->reason, fmt, ap);
	va_end(ap);
}
