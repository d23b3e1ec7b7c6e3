/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/chain.h"

#include <openssl/err.h>
#include <openssl/pem.h>

OWNED_TYPE(BIO, BIO_free_all)

void chain_free(x509_chain *c)
{
	sk_X509_pop_free(c, X509_free);
}

/* PEM_read says "no start line" at the end of a good text and nowhere else that is good. */
static bool ended_well(void)
{
	unsigned long e = ERR_peek_last_error();
	bool well = ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;

	ERR_clear_error();
	return well;
}

int chain_read(const char *what, struct span pem, x509_chain **out, struct err *err)
{
	OWNED(x509_chain) all = sk_X509_new_null();
	OWNED(BIO) bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *one;

	if (!all || !bio)
		return err_set(err, ERR_NOMEM, "%s: out of memory", what);
	ERR_clear_error();
	while ((one = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		if (sk_X509_num(all) == CHAIN_MAX || sk_X509_push(all, one) <= 0) {
			X509_free(one);
			return err_set(err, ERR_FORMAT, "%s: more than %d certificates", what,
				CHAIN_MAX);
		}
	}
	if (!ended_well())
		return err_set(err, ERR_FORMAT, "%s: number %d does not parse", what,
			sk_X509_num(all) + 1);
	if (sk_X509_num(all) == 0)
		return err_set(err, ERR_FORMAT, "%s: holds no PEM certificate", what);
	*out = TAKE(all);
	return 0;
}
