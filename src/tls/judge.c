/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/judge.h"

#include <openssl/x509v3.h>

#include "core/own.h"
#include "crypto/digest.h"

/* Hosts of the verification become exactly the reference names. */
static bool set_reference_names(X509_VERIFY_PARAM *param, const struct judge *j)
{
	char text[NAME_TEXT_MAX];
	/* RFC 7671 section 5 and the client-id draft: subjectAltName, never the subject's CN.
	 * The draft wants the ClientName itself there, so no wildcard stands for a client. */
	unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;

	if (j->peer_is_client)
		flags |= X509_CHECK_FLAG_NO_WILDCARDS;
	X509_VERIFY_PARAM_set_hostflags(param, flags);
	if (!X509_VERIFY_PARAM_set1_host(param, NULL, 0))
		return false;
	for (size_t i = 0; i < j->reference_count; i++) {
		/* Escapes are no business of certificates: "a\.b" is not "a.b". */
		if (!name_is_plain(&j->reference[i]))
			continue;
		if (name_write_text(&j->reference[i], text, sizeof text) ||
			!X509_VERIFY_PARAM_add1_host(param, text, 0))
			return false;
	}
	return true;
}

static bool has_reference(const struct judge *j)
{
	for (size_t i = 0; i < j->reference_count; i++)
		if (name_is_plain(&j->reference[i]))
			return true;
	return false;
}

/* The records that count, loaded into OpenSSL. Its own judgement of a record that it cannot
 * use (bad DER of a Full record) is the same as ours: set aside. */
static bool load_records(SSL *ssl, const struct judge *j, struct peer *peer)
{
	bool named = has_reference(j);
	unsigned loaded = 0;

	if (SSL_dane_enable(ssl, NULL) != 1) {
		peer_refuse(peer, PEER_REFUSED_MEMORY, "OpenSSL cannot use DANE here");
		return false;
	}
	/* RFC 7671 section 5.1: DANE-EE is the name's binding; the certificate's is not read. */
	SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	for (unsigned i = 0; i < j->set->count; i++) {
		const struct tlsaset_record *r = &j->set->record[i];
		/* Without a name to demand, anybody below the anchor would be the peer. */
		if (r->why || (r->tlsa.usage != TLSA_DANE_EE && !named))
			continue;
		int rc = SSL_dane_tlsa_add(ssl, r->tlsa.usage, r->tlsa.selector, r->tlsa.matching,
			r->tlsa.data.p, r->tlsa.data.n);
		if (rc < 0) {
			peer_refuse(peer, PEER_REFUSED_MEMORY, "OpenSSL cannot load a TLSA record");
			return false;
		}
		loaded += rc > 0;
	}
	if (loaded)
		return true;
	char words[120];
	tlsaset_words(j->set, words, sizeof words);
	peer_refuse(peer, PEER_REFUSED_UNUSABLE, "no usable TLSA record: %s", words);
	return false;
}

static void refuse_by_error(struct peer *peer, int error, int depth)
{
	enum peer_refusal refusal = PEER_REFUSED_CHAIN;

	if (error == X509_V_ERR_HOSTNAME_MISMATCH)
		refusal = PEER_REFUSED_WRONG_NAME;
	else if (error == X509_V_ERR_DANE_NO_MATCH)
		refusal = PEER_REFUSED_NO_MATCH;
	else if (error == X509_V_ERR_OUT_OF_MEM)
		refusal = PEER_REFUSED_MEMORY;
	else if (error == X509_V_OK)
		error = X509_V_ERR_UNSPECIFIED;
	peer_refuse(peer, refusal, "certificate at depth %d: %s", depth,
		X509_verify_cert_error_string(error));
}

/* The words of whoever owns the SSL_CTX may not talk an error away. */
static int keep_verdict(int ok, X509_STORE_CTX *ctx)
{
	(void)ctx;
	return ok;
}

static bool hash_leaf_key(X509_STORE_CTX *ctx, struct peer *peer)
{
	X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
	unsigned char *der = NULL;
	int n = leaf ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der) : -1;
	int rc = n > 0 ? digest_sha256((struct span){ der, (size_t)n }, peer->spki_sha256, NULL)
		       : ERR_CRYPTO;

	OPENSSL_free(der);
	return rc == 0;
}

/* Its time is over, if it cannot be read. */
static int64_t end_of(const X509 *cert)
{
	struct tm tm;

	return ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) == 1 ? timegm(&tm) : 1;
}

/* RFC 7671 section 5.1: the dates of what a DANE-EE record names do not count. */
static int64_t soonest_end(X509_STORE_CTX *ctx, const struct peer *peer)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	int64_t soonest = 0;

	if (peer->usage == TLSA_DANE_EE)
		return 0;
	for (int i = 0; i < sk_X509_num(chain); i++) {
		int64_t end = end_of(sk_X509_value(chain, i));

		soonest = soonest == 0 || end < soonest ? end : soonest;
	}
	return soonest;
}

static void accept_by_dane(SSL *ssl, struct peer *peer)
{
	uint8_t usage = 255, selector = 255, matching = 255;
	int depth = SSL_get0_dane_authority(ssl, NULL, NULL);

	/* RFC 6698 section 2.1.1: no record matched, no authentication, whatever else holds. */
	if (depth < 0 || SSL_get0_dane_tlsa(ssl, &usage, &selector, &matching, NULL, NULL) < 0) {
		peer_refuse(peer, PEER_REFUSED_NO_MATCH, "no TLSA record matched");
		return;
	}
	peer->usage = usage;
	peer->selector = selector;
	peer->matching = matching;
	peer->depth = depth;
	peer->how = PEER_BY_DANE;
	peer->authenticated = true;
	snprintf(peer->reason, sizeof peer->reason,
		"TLSA %d %d %d (%s, %s, %s) matched at depth %d", usage, selector, matching,
		tlsa_usage_word(usage), tlsa_selector_word(selector), tlsa_matching_word(matching),
		depth);
}

static void accept_by_pkix(struct peer *peer)
{
	peer->how = PEER_BY_PKIX;
	peer->authenticated = true;
	snprintf(peer->reason, sizeof peer->reason, "certificate chain leads to a configured CA");
}

void judge_chain(X509_STORE_CTX *ctx, SSL *ssl, const struct judge *j, struct peer *peer)
{
	peer->authenticated = false;
	if (!set_reference_names(X509_STORE_CTX_get0_param(ctx), j) || !hash_leaf_key(ctx, peer)) {
		peer_refuse(peer, PEER_REFUSED_MEMORY, "no memory to verify");
		return;
	}
	if (!j->set && !has_reference(j)) {
		peer_refuse(peer, PEER_REFUSED_WRONG_NAME, "no name to look for in a certificate");
		return;
	}
	if (j->set && !load_records(ssl, j, peer))
		return;
	if (j->set)
		X509_STORE_CTX_set0_dane(ctx, SSL_get0_dane(ssl));
	X509_STORE_CTX_set_verify_cb(ctx, keep_verdict);
	int rc = X509_verify_cert(ctx);
	int error = X509_STORE_CTX_get_error(ctx);
	if (rc != 1 || error != X509_V_OK) {
		refuse_by_error(peer, error, X509_STORE_CTX_get_error_depth(ctx));
		return;
	}
	if (j->set)
		accept_by_dane(ssl, peer);
	else
		accept_by_pkix(peer);
	peer->ends_s = soonest_end(ctx, peer);
}
