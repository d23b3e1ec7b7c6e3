/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/algorithms.h"

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define NAMES_MAX 8

/* Of one operation, by the name that comes first at the default provider. */
struct wanted {
	int operation;
	const char *property; /* and of these only; "": all */
	const char *name[NAMES_MAX];
	OSSL_ALGORITHM found[NAMES_MAX + 1]; /* and an end */
};

/* Of all other operations we take what there is. */
static struct wanted wanted[] = {
	{ .operation = OSSL_OP_DECODER,
		.property = "structure=SubjectPublicKeyInfo",
		.name = { "EC", "RSA", "RSA-PSS", "ED25519", "ED448" } },
	/* HMAC binds a ticket, AES-256-CBC hides it. */
	{ .operation = OSSL_OP_KEYMGMT,
		.property = "",
		.name = { "EC", "RSA", "RSA-PSS", "ED25519", "ED448", "X25519", "HMAC" } },
	{ .operation = OSSL_OP_CIPHER,
		.property = "",
		.name = { "AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305", "AES-256-CBC" } },
};
#define WANTED (sizeof wanted / sizeof wanted[0])

static pthread_once_t once = PTHREAD_ONCE_INIT;
static OSSL_PROVIDER *whole; /* the default one, of the default context */
static OSSL_LIB_CTX *context;

/* names: "RSA:rsaEncryption:1.2.840..." */
static bool is_called(const OSSL_ALGORITHM *a, const char *name)
{
	size_t n = strlen(name);

	return strcspn(a->algorithm_names, ":") == n && strncmp(a->algorithm_names, name, n) == 0;
}

static const OSSL_ALGORITHM *look_up(const struct wanted *w, const char *name)
{
	int no_cache;
	const OSSL_ALGORITHM *a = OSSL_PROVIDER_query_operation(whole, w->operation, &no_cache);

	while (a && a->algorithm_names &&
		!(is_called(a, name) && strstr(a->property_definition, w->property)))
		a++;
	return a && a->algorithm_names ? a : NULL;
}

/* False: the default provider has not all of it. */
static bool find(struct wanted *w)
{
	for (unsigned i = 0; i < NAMES_MAX && w->name[i]; i++) {
		const OSSL_ALGORITHM *a = look_up(w, w->name[i]);

		if (!a)
			return false;
		w->found[i] = *a;
	}
	return true;
}

static bool find_all(void)
{
	for (size_t i = 0; i < WANTED; i++)
		if (!find(&wanted[i]))
			return false;
	return true;
}

static const OSSL_ALGORITHM *query(void *provctx, int operation, int *no_cache)
{
	(void)provctx;
	*no_cache = 0;
	for (size_t i = 0; i < WANTED; i++)
		if (wanted[i].operation == operation)
			return wanted[i].found;
	return OSSL_PROVIDER_query_operation(whole, operation, no_cache);
}

static int capabilities(void *provctx, const char *capability, OSSL_CALLBACK *tell, void *arg)
{
	(void)provctx;
	return OSSL_PROVIDER_get_capabilities(whole, capability, tell, arg);
}

/* What works is the default provider, with what it was given when it began. */
static int begin(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
	const OSSL_DISPATCH **out, void **provctx)
{
	static const OSSL_DISPATCH ours[] = {
		{ OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
		{ OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))capabilities },
		{ 0, NULL },
	};

	(void)handle, (void)core;
	*out = ours;
	*provctx = OSSL_PROVIDER_get0_provider_ctx(whole);
	return 1;
}

static bool is_for_us(void)
{
	bool keeps_decoders = OPENSSL_version_major() > 3 || OPENSSL_version_minor() >= 2;

	return !keeps_decoders && OSSL_PROVIDER_available(NULL, "default") &&
		!EVP_default_properties_is_fips_enabled(NULL);
}

static void make(void)
{
	OSSL_LIB_CTX *made = NULL;

	ERR_set_mark();
	whole = is_for_us() ? OSSL_PROVIDER_try_load(NULL, "default", 1) : NULL;
	if (whole && find_all())
		made = OSSL_LIB_CTX_new();
	if (made && OSSL_PROVIDER_add_builtin(made, "sardane", begin) == 1 &&
		OSSL_PROVIDER_load(made, "sardane"))
		context = made;
	else
		OSSL_LIB_CTX_free(made);
	ERR_pop_to_mark();
}

OSSL_LIB_CTX *algorithms_libctx(void)
{
	(void)pthread_once(&once, make);
	return context;
}
