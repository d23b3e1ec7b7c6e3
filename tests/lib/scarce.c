/* SPDX-License-Identifier: Apache-2.0 */
#include "scarce.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_long left; /* until the allocation that fails; 0: none does */
static atomic_bool from_then_on, counts;
static atomic_long counted;
static atomic_long live;

void scarce_fail(long nth, bool onwards)
{
	counted = 0;
	from_then_on = onwards;
	left = nth;
	counts = true;
}

void scarce_end(void)
{
	counts = false;
	left = 0;
}

long scarce_counted(void)
{
	return counted;
}

long scarce_live(void)
{
	return live;
}

long scarce_stride(void)
{
	const char *s = getenv("SARDANE_STRIDE");
	long n = s ? atol(s) : 0;

	return n > 0 ? n : 9;
}

struct scarce_tally scarce_each(bool (*one)(long nth, bool onwards))
{
	struct scarce_tally t = { 0 };
	long before;

	/* What libraries fetch first, and for their errors, they keep. */
	for (int i = 0; i < 3; i++)
		if (!one(0, false))
			abort();
	t.all = counted;
	one(1, true);
	before = live;
	for (long n = 1; n <= 2 * t.all; n++)
		t.refused += !one((n + 1) / 2, n % 2);
	t.more_live = live - before;
	return t;
}

static bool fails(void)
{
	counted += counts;
	if (!left)
		return false;
	if (left > 1) {
		left--;
		return false;
	}
	left = from_then_on;
	return true;
}

static void *took(void *p)
{
	live += p != NULL;
	return p;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t a, size_t b);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t a, size_t b);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
void __wrap_free(void *p);

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : took(__real_malloc(n));
}

void *__wrap_calloc(size_t a, size_t b)
{
	return fails() ? NULL : took(__real_calloc(a, b));
}

void *__wrap_realloc(void *p, size_t n)
{
	void *q = fails() ? NULL : __real_realloc(p, n);

	live += !p && q;
	return q;
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : took(__real_strdup(s));
}

char *__wrap_strndup(const char *s, size_t n)
{
	return fails() ? NULL : took(__real_strndup(s, n));
}

void __wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}

void *scarce_malloc(size_t n)
{
	return __wrap_malloc(n);
}

void *scarce_realloc(void *p, size_t n)
{
	if (n)
		return __wrap_realloc(p, n);
	__wrap_free(p);
	return NULL;
}

void scarce_free(void *p)
{
	__wrap_free(p);
}

static void *openssl_malloc(size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return scarce_malloc(n);
}

static void *openssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return scarce_realloc(p, n);
}

static void openssl_free(void *p, const char *file, int line)
{
	(void)file, (void)line;
	scarce_free(p);
}

bool scarce_openssl(void)
{
	return CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;
}

/* libcyaml's one function for memory, which src/program/config.c names. */
void *__wrap_cyaml_mem(void *ctx, void *p, size_t n);

void *__wrap_cyaml_mem(void *ctx, void *p, size_t n)
{
	(void)ctx;
	return scarce_realloc(p, n);
}
