/* SPDX-License-Identifier: Apache-2.0 */
#include "dane/generate.h"

#include <string.h>

#include "crypto/cert.h"
#include "crypto/digest.h"

#define SPKI_MAX 4096 /* an RSA key of 16384 bits has about 2100 octets */

static int match_data(struct span what, enum tlsa_matching matching, uint8_t *memory, size_t cap,
	size_t *n, struct err *err)
{
	size_t need = matching == TLSA_SHA256 ? 32 : matching == TLSA_SHA512 ? 64 : what.n;

	if (need > cap || need > TLSA_DATA_MAX)
		return err_set(err, ERR_SPACE, "TLSA: %zu octets of data, room for %zu", need, cap);
	*n = need;
	switch (matching) {
	case TLSA_SHA256: return digest_sha256(what, memory, err);
	case TLSA_SHA512: return digest_sha512(what, memory, err);
	case TLSA_FULL: memmove(memory, what.p, what.n); return 0;
	}
	return err_set(err, ERR_ARG, "TLSA: unknown matching type %d", (int)matching);
}

static int make(enum tlsa_usage usage, enum tlsa_selector selector, enum tlsa_matching matching,
	struct span what, uint8_t *memory, size_t cap, struct tlsa *out, struct err *err)
{
	size_t n = 0;

	if ((unsigned)usage > TLSA_DANE_EE)
		return err_set(err, ERR_ARG, "TLSA: unknown certificate usage %d", (int)usage);
	int rc = match_data(what, matching, memory, cap, &n, err);
	if (rc)
		return rc;
	*out = (struct tlsa){ .usage = (uint8_t)usage,
		.selector = (uint8_t)selector,
		.matching = (uint8_t)matching,
		.data = { memory, n } };
	return 0;
}

int generate_from_certificate(struct span der, enum tlsa_usage usage, enum tlsa_selector selector,
	enum tlsa_matching matching, uint8_t *memory, size_t cap, struct tlsa *out, struct err *err)
{
	uint8_t spki[SPKI_MAX];
	size_t n = 0;

	/* Read in either case: what is not a certificate gets no record. */
	int rc = cert_read_spki(der, spki, sizeof spki, &n, err);
	if (rc)
		return rc;
	if (selector == TLSA_CERT)
		return make(usage, selector, matching, der, memory, cap, out, err);
	if (selector != TLSA_SPKI)
		return err_set(err, ERR_ARG, "TLSA: unknown selector %d", (int)selector);
	return make(usage, selector, matching, (struct span){ spki, n }, memory, cap, out, err);
}

int generate_from_key(struct span spki_der, enum tlsa_usage usage, enum tlsa_matching matching,
	uint8_t *memory, size_t cap, struct tlsa *out, struct err *err)
{
	int rc = cert_check_spki(spki_der, err);

	if (rc)
		return rc;
	return make(usage, TLSA_SPKI, matching, spki_der, memory, cap, out, err);
}
