/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/random.h"

#include <limits.h>
#include <openssl/rand.h>

int random_octets(void *out, size_t n, struct err *err)
{
	if (n > INT_MAX || RAND_bytes(out, (int)n) != 1)
		return err_set(err, ERR_CRYPTO, "random: the crypto library gives none");
	return 0;
}

int random_below(unsigned int limit, unsigned int *out, struct err *err)
{
	unsigned int fair;
	unsigned int v;

	if (limit == 0)
		return err_set(err, ERR_ARG, "random: a limit of 0");
	/* Numbers past the last whole multiple of limit would favour the small ones. */
	fair = UINT_MAX - UINT_MAX % limit;
	do {
		int rc = random_octets(&v, sizeof(v), err);

		if (rc)
			return rc;
	} while (v >= fair);
	*out = v % limit;
	return 0;
}
