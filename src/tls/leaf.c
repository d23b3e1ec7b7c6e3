/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/leaf.h"

#include <stdbool.h>
#include <string.h>

/* The octets of a certificate end with its signature. Of Ed25519's the last few are not random. */
#define FROM_END 5

static _Thread_local struct leaf_table *in_use;

void leaf_done(struct leaf_table *t)
{
	for (unsigned i = 0; t && i < LEAF_MAX; i++) {
		X509_free(t->kept[i].cert);
		buf_done(&t->kept[i].der);
	}
}

void leaf_use(struct leaf_table *t)
{
	in_use = t;
}

static struct leaf_kept *place(struct leaf_table *t, struct span octets)
{
	return &t->kept[octets.n >= FROM_END ? octets.p[octets.n - FROM_END] : 0];
}

static struct leaf_kept *place_of(struct leaf_table *t, const X509 *cert)
{
	const ASN1_BIT_STRING *signature;

	X509_get0_signature(&signature, NULL, cert);
	return place(t,
		(struct span){ ASN1_STRING_get0_data(signature),
			(size_t)ASN1_STRING_length(signature) });
}

X509 *leaf_read(struct span der)
{
	const struct leaf_kept *k = in_use ? place(in_use, der) : NULL;

	if (!k || !der.n || k->der.n != der.n || memcmp(k->der.p, der.p, der.n) != 0)
		return NULL;
	return X509_up_ref(k->cert) == 1 ? k->cert : NULL;
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
	X509 *shown = X509_STORE_CTX_get0_cert(ctx),
	     *here = shown ? place_of(t, shown)->cert : NULL;

	/* libssl verifies its own list of what came, whose first is the leaf. */
	if (!here || here == shown || sk_X509_num(chain) < 1 || sk_X509_value(chain, 0) != shown ||
		!is_same(here, shown) || X509_up_ref(here) != 1)
		return;
	(void)sk_X509_set(chain, 0, here);
	X509_STORE_CTX_set_cert(ctx, here);
	X509_free(shown);
}

/* As it is written; one that is too long stays empty. */
static void write_down(const X509 *cert, struct buf *out)
{
	int n = i2d_X509(cert, NULL);
	uint8_t *p;

	buf_done(out);
	p = n > 0 && n <= LEAF_OCTETS_MAX ? buf_extend(out, (size_t)n) : NULL;
	if (p && i2d_X509(cert, &p) != n)
		buf_done(out);
}

void leaf_keep(struct leaf_table *t, X509_STORE_CTX *ctx)
{
	X509 *shown = X509_STORE_CTX_get0_cert(ctx);
	struct leaf_kept *k = shown ? place_of(t, shown) : NULL;

	if (!k || k->cert == shown || X509_up_ref(shown) != 1)
		return;
	X509_free(k->cert);
	k->cert = shown;
	write_down(shown, &k->der);
}
