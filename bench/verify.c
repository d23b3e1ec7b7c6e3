/* SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define STRETCH 3

static void must(int holds)
{
	if (holds == 1)
		return;
	fputs("P-256: OpenSSL does not verify\n", stderr);
	exit(1);
}

struct verifier {
	EVP_PKEY *key;
	EVP_MD_CTX *ctx;
	uint8_t text[32], signature[128];
	size_t n;
};

static void begin(struct verifier *v)
{
	*v = (struct verifier){ .text = { 1 }, .n = sizeof(v->signature) };
	v->key = EVP_EC_gen("P-256");
	v->ctx = EVP_MD_CTX_new();
	must(v->key && v->ctx);
	must(EVP_DigestSignInit(v->ctx, NULL, EVP_sha256(), NULL, v->key));
	must(EVP_DigestSign(v->ctx, v->signature, &v->n, v->text, sizeof(v->text)));
}

static void end(struct verifier *v)
{
	EVP_MD_CTX_free(v->ctx);
	EVP_PKEY_free(v->key);
}

/* Processor time in microseconds. */
static double verifications(struct verifier *v, unsigned times)
{
	struct timespec a, b;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
	for (unsigned i = 0; i < times; i++) {
		EVP_MD_CTX_reset(v->ctx);
		must(EVP_DigestVerifyInit(v->ctx, NULL, EVP_sha256(), NULL, v->key));
		must(EVP_DigestVerify(v->ctx, v->signature, v->n, v->text, sizeof(v->text)));
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
	return (double)(b.tv_sec - a.tv_sec) * 1e6 + (double)(b.tv_nsec - a.tv_nsec) / 1e3;
}

double verify_us(unsigned times)
{
	struct verifier v;
	double us;

	begin(&v);
	us = verifications(&v, times) / times;
	end(&v);
	return us;
}

double verify_longest_us(unsigned stretches)
{
	struct verifier v;
	double longest = 0;

	begin(&v);
	for (unsigned i = 0; i < stretches; i++) {
		double us = verifications(&v, STRETCH);
		longest = us > longest ? us : longest;
	}
	end(&v);
	return longest;
}
