/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's verdict on P-256 signatures against nettle's own: what one refuses the other refuses,
 * and what OpenSSL is not asked about is nettle's to decide.
 */
#include "check.h"
#include "resolverd/nettle_ecdsa.h"

#include <dlfcn.h>
#include <gmp.h>
#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>
#include <openssl/rand.h>

#define DIGEST 32

struct signer {
	struct ecc_point point;
	struct ecc_scalar scalar;
	struct dsa_signature signature;
	uint8_t digest[48];
	size_t n;
};

static const char order[] = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
static int (*own)(const struct ecc_point *, size_t, const uint8_t *, const struct dsa_signature *);

static void random_octets(void *arg, size_t n, uint8_t *out)
{
	(void)arg;
	assert_int_equal(RAND_bytes(out, (int)n), 1);
}

static void begin(struct signer *s, const struct ecc_curve *curve, size_t n)
{
	*(void **)&own = dlsym(RTLD_NEXT, "nettle_ecdsa_verify");
	assert_non_null(own);
	nettle_ecc_point_init(&s->point, curve);
	nettle_ecc_scalar_init(&s->scalar, curve);
	nettle_dsa_signature_init(&s->signature);
	nettle_ecdsa_generate_keypair(&s->point, &s->scalar, NULL, random_octets);
	s->n = n;
	random_octets(NULL, n, s->digest);
	nettle_ecdsa_sign(&s->scalar, NULL, random_octets, n, s->digest, &s->signature);
}

static void end(struct signer *s)
{
	nettle_ecc_point_clear(&s->point);
	nettle_ecc_scalar_clear(&s->scalar);
	nettle_dsa_signature_clear(&s->signature);
}

/* What OpenSSL said must be said, and libunbound must hear what nettle says. */
static void expect(const struct signer *s, enum nettle_ecdsa_said said, int verdict)
{
	assert_int_equal(nettle_ecdsa_by_openssl(&s->point, s->n, s->digest, &s->signature), said);
	assert_int_equal(own(&s->point, s->n, s->digest, &s->signature), verdict);
	assert_int_equal(nettle_ecdsa_verify(&s->point, s->n, s->digest, &s->signature), verdict);
}

static void a_signature_is_good_and_with_a_bit_changed_bad(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		struct signer s;

		begin(&s, nettle_get_secp_256r1(), DIGEST);
		expect(&s, NETTLE_ECDSA_GOOD, 1);
		s.digest[i % DIGEST] ^= (uint8_t)(1 << i % 8);
		expect(&s, NETTLE_ECDSA_BAD, 0);
		s.digest[i % DIGEST] ^= (uint8_t)(1 << i % 8);
		mpz_combit(i % 2 ? s.signature.r : s.signature.s, 4 * i);
		expect(&s, NETTLE_ECDSA_BAD, 0);
		end(&s);
	}
}

static void numbers_out_of_range_are_never_good(void **state)
{
	static const char *const numbers[] = { "0", "-1", order,
		"FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632552",
		"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
		"10000000000000000000000000000000000000000000000000000000000000000", "1" };
	struct signer s;
	mpz_t kept;

	(void)state;
	begin(&s, nettle_get_secp_256r1(), DIGEST);
	mpz_init(kept);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		for (int which = 0; which < 2; which++) {
			mpz_ptr number = which ? s.signature.r : s.signature.s;

			mpz_set(kept, number);
			assert_int_equal(mpz_set_str(number, numbers[i], 16), 0);
			assert_int_not_equal(
				nettle_ecdsa_by_openssl(&s.point, s.n, s.digest, &s.signature),
				NETTLE_ECDSA_GOOD);
			assert_int_equal(own(&s.point, s.n, s.digest, &s.signature), 0);
			assert_int_equal(nettle_ecdsa_verify(&s.point, s.n, s.digest, &s.signature),
				0);
			mpz_set(number, kept);
		}
	}
	expect(&s, NETTLE_ECDSA_GOOD, 1);
	mpz_clear(kept);
	end(&s);
}

/* (r, n - s) is a signature too: DNSSEC has no rule against it, and nettle takes it. */
static void the_other_s_of_a_signature_is_good(void **state)
{
	struct signer s;
	mpz_t n;

	(void)state;
	begin(&s, nettle_get_secp_256r1(), DIGEST);
	mpz_init_set_str(n, order, 16);
	mpz_sub(s.signature.s, n, s.signature.s);
	expect(&s, NETTLE_ECDSA_GOOD, 1);
	mpz_clear(n);
	end(&s);
}

static void the_key_of_another_and_a_point_off_the_curve_are_bad(void **state)
{
	struct signer s, other;
	struct ecc_point mine;

	(void)state;
	begin(&s, nettle_get_secp_256r1(), DIGEST);
	begin(&other, nettle_get_secp_256r1(), DIGEST);
	mine = s.point;
	s.point = other.point;
	expect(&s, NETTLE_ECDSA_BAD, 0);
	s.point = mine;
	s.point.p[0] ^= 1;
	expect(&s, NETTLE_ECDSA_UNSURE, 0);
	s.point.p[0] ^= 1;
	expect(&s, NETTLE_ECDSA_GOOD, 1);
	end(&s);
	end(&other);
}

/* Twice around: each key finds its own, also after others have taken its place. */
static void many_keys_are_not_mistaken_for_each_other(void **state)
{
	static struct signer s[100];
	struct ecc_point mine;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		begin(&s[i], nettle_get_secp_256r1(), DIGEST);
	for (unsigned i = 0; i < 200; i++) {
		struct signer *here = &s[i % 100], *next = &s[(i + 1) % 100];

		expect(here, NETTLE_ECDSA_GOOD, 1);
		mine = here->point;
		here->point = next->point;
		expect(here, NETTLE_ECDSA_BAD, 0);
		here->point = mine;
	}
	for (unsigned i = 0; i < 100; i++)
		end(&s[i]);
}

static void other_curves_and_digests_are_left_to_nettle(void **state)
{
	struct signer s;

	(void)state;
	begin(&s, nettle_get_secp_384r1(), 48);
	expect(&s, NETTLE_ECDSA_UNSURE, 1);
	s.digest[0] ^= 1;
	expect(&s, NETTLE_ECDSA_UNSURE, 0);
	end(&s);
	for (size_t n = 20; n <= 48; n += 28) {
		begin(&s, nettle_get_secp_256r1(), n);
		expect(&s, NETTLE_ECDSA_UNSURE, 1);
		end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_signature_is_good_and_with_a_bit_changed_bad),
		TEST(numbers_out_of_range_are_never_good),
		TEST(the_other_s_of_a_signature_is_good),
		TEST(the_key_of_another_and_a_point_off_the_curve_are_bad),
		TEST(many_keys_are_not_mistaken_for_each_other),
		TEST(other_curves_and_digests_are_left_to_nettle),
	};

	return cmocka_run_group_tests_name("nettle_ecdsa", tests, NULL, NULL);
}
