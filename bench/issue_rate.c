/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issue_rate - certificates issued beside bare P-256 signatures of one thread, in turns.
 *
 *   usage: issue_rate DIR     prints for each a median of processor time and of the clock, us
 *
 *   sign     EVP_PKEY_sign of a digest in hand, as "openssl speed ecdsap256" does it
 *   issue    ca/batch.h: from a public key that was checked to a certificate in the ledger of
 *            100,000, 1,000 a transaction and a line in the audit log, 4,000 a call; for keys
 *            given, so none made. A thread of its own stores.
 */
#include "ca/batch.h"
#include "ca/issuance.h"
#include "pki/keykind.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 15
#define EACH   4000 /* a batch of sardane enroll --csv */
#define BEFORE 25   /* batches that fill the ledger first */

struct figure {
	double cpu_us[ROUNDS], wall_us[ROUNDS];
};

static void die(const char *what, const struct err *err)
{
	fprintf(stderr, "issue_rate: %s: %s\n", what, err->msg);
	exit(1);
}

static double now_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *all)
{
	qsort(all, ROUNDS, sizeof(*all), compare);
	return all[ROUNDS / 2];
}

static void sign(EVP_PKEY_CTX *ctx)
{
	uint8_t digest[32] = { 1 }, signature[80];

	for (int i = 0; i < EACH; i++) {
		size_t n = sizeof(signature);

		digest[0]++;
		if (EVP_PKEY_sign(ctx, signature, &n, digest, sizeof(digest)) != 1)
			exit(1);
	}
}

static void issue(struct batch *b, struct span spki)
{
	static struct batch_order orders[EACH];
	static unsigned next;
	struct err err;
	char text[40];

	for (int i = 0; i < EACH; i++) {
		orders[i] = (struct batch_order){ .spki = spki, .prefix = "" };
		snprintf(text, sizeof(text), "d%07u._device.example", next++);
		if (name_of(text, &orders[i].name) != 0)
			exit(1);
	}
	if (batch_issue(b, orders, EACH, &err) != 0)
		die("certificates", &err);
	batch_forget(orders, EACH);
}

static void prepare(const char *folder, struct state **state)
{
	const struct profile root = { .role = PROFILE_ROOT,
		.common_name = "Root",
		.life_s = 90 * PROFILE_DAY_S,
		.path_len = 0 };
	const struct authority_order order = { .profile = &root };
	struct err err;

	if (issuance_root(folder, &order, &err) != 0 || state_open(folder, NULL, state, &err) != 0)
		die("authority", &err);
}

int main(int argc, char **argv)
{
	static struct figure signing, issuing;
	const struct profile leaf = { .role = PROFILE_CLIENT,
		.life_s = 30 * PROFILE_DAY_S,
		.backdate_s = PROFILE_BACKDATE_S,
		.path_len = -1 };
	unsigned char *spki = NULL;
	struct state *state = NULL;
	struct batch *batch = NULL;
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx;
	struct err err;
	size_t n;

	if (argc != 2)
		return 2;
	prepare(argv[1], &state);
	if (keykind_new(KEYKIND_P256, &key, &err) != 0 ||
		batch_open(state, &leaf, &batch, &err) != 0)
		die("keys", &err);
	ctx = EVP_PKEY_CTX_new(authority_key(state->authority), NULL);
	n = (size_t)i2d_PUBKEY(key, &spki);
	if (!ctx || EVP_PKEY_sign_init(ctx) != 1)
		return 1;
	for (int i = 0; i < BEFORE; i++)
		issue(batch, (struct span){ spki, n });
	for (int i = 0; i < ROUNDS; i++) {
		const double cpu = now_us(CLOCK_PROCESS_CPUTIME_ID), wall = now_us(CLOCK_MONOTONIC);
		double half_cpu, half_wall;

		sign(ctx);
		half_cpu = now_us(CLOCK_PROCESS_CPUTIME_ID);
		half_wall = now_us(CLOCK_MONOTONIC);
		issue(batch, (struct span){ spki, n });
		signing.cpu_us[i] = (half_cpu - cpu) / EACH;
		signing.wall_us[i] = (half_wall - wall) / EACH;
		issuing.cpu_us[i] = (now_us(CLOCK_PROCESS_CPUTIME_ID) - half_cpu) / EACH;
		issuing.wall_us[i] = (now_us(CLOCK_MONOTONIC) - half_wall) / EACH;
	}
	printf("sign_us %.2f %.2f\n", median(signing.cpu_us), median(signing.wall_us));
	printf("issue_us %.2f %.2f\n", median(issuing.cpu_us), median(issuing.wall_us));
	OPENSSL_free(spki);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	batch_close(batch);
	state_close(state);
	return 0;
}
