/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/stale.h"

#include "dns/message.h"

int stale_check(const struct resolver_config *config, struct err *err)
{
	if (config->serve_stale_s > STALE_MAX_S)
		return err_set(err, ERR_ARG, "resolver: serve_stale_s %u is above %d",
			config->serve_stale_s, STALE_MAX_S);
	if (config->serve_stale_s && config->backend == RESOLVER_AD)
		return err_set(err, ERR_ARG,
			"resolver: serve_stale_s needs backend validating: one that is trusted for "
			"its AD bit does not tell bogus from failed");
	return 0;
}

bool stale_is_outage(const struct wire_answer *a)
{
	return a->status == ANSWER_FAILED && a->rcode == MESSAGE_SERVFAIL;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t stale_until(const struct answer *a, int64_t now_ms, uint32_t signed_for_s,
	unsigned serve_stale_s)
{
	if (a->status != ANSWER_SECURE)
		return 0;
	return sooner(a->expires_ms + (int64_t)serve_stale_s * 1000,
		now_ms + (int64_t)signed_for_s * 1000);
}

/* Twice as long each time: ten thousand names may not be asked for every few seconds. */
static uint32_t next_ttl_s(const struct answer *old)
{
	if (!old->stale)
		return STALE_TTL_MIN_S;
	return old->ttl_s < STALE_TTL_MAX_S / 2 ? 2 * old->ttl_s : STALE_TTL_MAX_S;
}

struct answer *stale_copy(const struct answer *old, int64_t now_ms, int64_t until_ms)
{
	struct answer *a = answer_new(old->status, old->rdata, old->count, NULL);

	if (!a)
		return NULL;
	a->final = old->final;
	a->aliased = old->aliased;
	a->stale = true;
	a->ttl_s = next_ttl_s(old);
	a->expires_ms = sooner(now_ms + (int64_t)a->ttl_s * 1000, until_ms);
	return a;
}
