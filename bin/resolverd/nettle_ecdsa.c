/* SPDX-License-Identifier: Apache-2.0 */
#include "resolverd/nettle_ecdsa.h"

#include <dlfcn.h>
#include <gmp.h>
#include <nettle/bignum.h>
#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#define FIELD      32 /* octets of a coordinate, of r, of s and of SHA-256 */
#define POINT      (1 + 2 * FIELD)
#define INTEGER    (FIELD + 3) /* DER: tag, length, and a zero before a high bit */
#define SIGNATURE  (2 + 2 * INTEGER)
#define SLOTS      16
#define UNPACKED_4 4 /* SEC 1 section 2.3.3: both coordinates follow */

typedef int verdict_function(const struct ecc_point *, size_t, const uint8_t *,
	const struct dsa_signature *);

/* A zone's key signs many answers: what OpenSSL makes of it is kept, found by all its octets. */
struct slot {
	uint8_t point[POINT];
	EVP_PKEY_CTX *verifier;
};

static struct slot slots[SLOTS];
static EVP_PKEY *p256; /* no key, but the curve */
static verdict_function *nettles_own;

/* Before main: reading OpenSSL's configuration takes files, which the sandbox has none of. */
static __attribute__((constructor)) void begin(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);

	if (!ctx || EVP_PKEY_paramgen_init(ctx) != 1 ||
		EVP_PKEY_CTX_set_group_name(ctx, "P-256") != 1 ||
		EVP_PKEY_paramgen(ctx, &p256) != 1)
		p256 = NULL;
	EVP_PKEY_CTX_free(ctx);
	*(void **)&nettles_own = dlvsym(RTLD_NEXT, "nettle_ecdsa_verify", "HOGWEED_6");
}

static EVP_PKEY_CTX *verifier_new(const uint8_t point[POINT])
{
	EVP_PKEY *key = EVP_PKEY_new();
	EVP_PKEY_CTX *ctx = NULL;

	if (key && EVP_PKEY_copy_parameters(key, p256) == 1 &&
		EVP_PKEY_set1_encoded_public_key(key, point, POINT) == 1)
		ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (ctx && EVP_PKEY_verify_init(ctx) != 1) {
		EVP_PKEY_CTX_free(ctx);
		ctx = NULL;
	}
	EVP_PKEY_free(key);
	return ctx;
}

static EVP_PKEY_CTX *verifier_of(const uint8_t point[POINT])
{
	struct slot *slot = &slots[point[POINT - 1] % SLOTS];

	if (slot->verifier && memcmp(slot->point, point, POINT) == 0)
		return slot->verifier;
	EVP_PKEY_CTX_free(slot->verifier);
	slot->verifier = verifier_new(point);
	memcpy(slot->point, point, POINT);
	return slot->verifier;
}

static void write_point(const struct ecc_point *pub, uint8_t out[POINT])
{
	mpz_t x, y;

	mpz_init(x);
	mpz_init(y);
	nettle_ecc_point_get(pub, x, y);
	out[0] = UNPACKED_4;
	nettle_mpz_get_str_256(FIELD, out + 1, x);
	nettle_mpz_get_str_256(FIELD, out + 1 + FIELD, y);
	mpz_clear(x);
	mpz_clear(y);
}

static bool fits(const mpz_t n)
{
	return mpz_sgn(n) > 0 && mpz_sizeinbase(n, 2) <= 8 * FIELD;
}

/* X.690 section 8.3: the fewest octets, of which the first has no high bit. */
static size_t write_integer(const mpz_t n, uint8_t out[INTEGER])
{
	uint8_t whole[1 + FIELD] = { 0 };
	size_t skip = 0;

	nettle_mpz_get_str_256(FIELD, whole + 1, n);
	while (skip < FIELD && !whole[skip] && !(whole[skip + 1] & 0x80))
		skip++;
	out[0] = 2;
	out[1] = (uint8_t)(sizeof(whole) - skip);
	memcpy(out + 2, whole + skip, sizeof(whole) - skip);
	return 2 + sizeof(whole) - skip;
}

/* RFC 3279 section 2.2.3: SEQUENCE { r INTEGER, s INTEGER }. */
static size_t write_signature(const struct dsa_signature *s, uint8_t out[SIGNATURE])
{
	size_t n = write_integer(s->r, out + 2);

	n += write_integer(s->s, out + 2 + n);
	out[0] = 0x30;
	out[1] = (uint8_t)n;
	return 2 + n;
}

enum nettle_ecdsa_said nettle_ecdsa_by_openssl(const struct ecc_point *pub, size_t n,
	const uint8_t *digest, const struct dsa_signature *signature)
{
	uint8_t point[POINT], der[SIGNATURE];
	EVP_PKEY_CTX *verifier;
	int said;

	if (!p256 || pub->ecc != nettle_get_secp_256r1() || n != FIELD || !fits(signature->r) ||
		!fits(signature->s))
		return NETTLE_ECDSA_UNSURE;
	write_point(pub, point);
	verifier = verifier_of(point);
	if (!verifier) {
		ERR_clear_error();
		return NETTLE_ECDSA_UNSURE;
	}
	said = EVP_PKEY_verify(verifier, der, write_signature(signature, der), digest, n);
	if (said == 1)
		return NETTLE_ECDSA_GOOD;
	ERR_clear_error();
	return said == 0 ? NETTLE_ECDSA_BAD : NETTLE_ECDSA_UNSURE;
}

int nettle_ecdsa_verify(const struct ecc_point *pub, size_t n, const uint8_t *digest,
	const struct dsa_signature *signature)
{
	switch (nettle_ecdsa_by_openssl(pub, n, digest, signature)) {
	case NETTLE_ECDSA_GOOD: return 1;
	case NETTLE_ECDSA_BAD: return 0;
	case NETTLE_ECDSA_UNSURE: break;
	}
	return nettles_own ? nettles_own(pub, n, digest, signature) : 0;
}
