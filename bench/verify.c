/* SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void must(int holds)
{
	if (holds == 1)
		return;
	fputs("P-256: OpenSSL does not verify\n", stderr);
	exit(1);
}

double verify_us(unsigned times)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const uint8_t text[32] = { 1 };
	uint8_t signature[128];
	size_t n = sizeof(signature);
	struct timespec a, b;

	must(key && ctx);
	must(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key));
	must(EVP_DigestSign(ctx, signature, &n, text, sizeof(text)));
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
	for (unsigned i = 0; i < times; i++) {
		EVP_MD_CTX_reset(ctx);
		must(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key));
		must(EVP_DigestVerify(ctx, signature, n, text, sizeof(text)));
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ((double)(b.tv_sec - a.tv_sec) * 1e6 + (double)(b.tv_nsec - a.tv_nsec) / 1e3) /
		times;
}
