/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/hook.h"

#include <pthread.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int slot = -1;

static void drop(void *parent, void *p, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
	(void)parent, (void)ad, (void)index, (void)argl, (void)argp;
	free(p);
}

static void take_slot(void)
{
	slot = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, drop);
}

struct hook *hook_of(const SSL_CTX *ctx)
{
	return slot < 0 ? NULL : SSL_CTX_get_ex_data(ctx, slot);
}

int hook_set(SSL_CTX *ctx, const struct service_endpoint *endpoint, struct peer *peer,
	struct err *err)
{
	if (pthread_once(&once, take_slot) || slot < 0)
		return err_set(err, ERR_NOMEM, "TLS hook: OpenSSL has no room");
	if (SSL_CTX_get_ex_data(ctx, slot))
		return err_set(err, ERR_ARG, "TLS hook: this SSL_CTX has one already");
	struct hook *h = calloc(1, sizeof *h);
	if (!h)
		return err_set(err, ERR_NOMEM, "TLS hook: no memory");
	h->endpoint = endpoint;
	h->peer = peer;
	if (SSL_CTX_set_ex_data(ctx, slot, h) != 1) {
		free(h);
		return err_set(err, ERR_NOMEM, "TLS hook: no memory");
	}
	return 0;
}
