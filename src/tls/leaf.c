/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/leaf.h"

#include <stdbool.h>

void leaf_done(struct leaf_table *t)
{
	for (unsigned i = 0; t && i < LEAF_MAX; i++)
		X509_free(t->cert[i]);
}

/* By the key's last octet: keys are random. */
static X509 **place(struct leaf_table *t, const X509 *cert)
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(cert);
	int n = key ? ASN1_STRING_length(key) : 0;

	return &t->cert[n > 0 ? ASN1_STRING_get0_data(key)[n - 1] : 0];
}

/* X509_cmp looks at what was signed alone. */
static bool is_same(const X509 *a, const X509 *b)
{
	const ASN1_BIT_STRING *signature[2];
	const X509_ALGOR *how[2];

	X509_get0_signature(&signature[0], &how[0], a);
	X509_get0_signature(&signature[1], &how[1], b);
	return X509_cmp(a, b) == 0 && ASN1_STRING_cmp(signature[0], signature[1]) == 0 &&
		X509_ALGOR_cmp(how[0], how[1]) == 0;
}

void leaf_share(struct leaf_table *t, X509_STORE_CTX *ctx)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(ctx);
	X509 *shown = X509_STORE_CTX_get0_cert(ctx), *here = shown ? *place(t, shown) : NULL;

	/* libssl verifies its own list of what came, whose first is the leaf. */
	if (!here || here == shown || sk_X509_num(chain) < 1 || sk_X509_value(chain, 0) != shown ||
		!is_same(here, shown) || X509_up_ref(here) != 1)
		return;
	(void)sk_X509_set(chain, 0, here);
	X509_STORE_CTX_set_cert(ctx, here);
	X509_free(shown);
}

void leaf_keep(struct leaf_table *t, X509_STORE_CTX *ctx)
{
	X509 *shown = X509_STORE_CTX_get0_cert(ctx), **at = shown ? place(t, shown) : NULL;

	if (!at || *at == shown || X509_up_ref(shown) != 1)
		return;
	X509_free(*at);
	*at = shown;
}
