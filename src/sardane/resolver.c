/* SPDX-License-Identifier: Apache-2.0 */
#include "sardane/resolver.h"

#include <stdlib.h>

#include "resolve/wire.h"
#include "sardane/convert.h"

struct sardane_ask {
	struct ask ask;
	void (*wake)(void *arg);
	void *arg;
};

/* The most that a sardane-resolverd is told, and one more, which it refuses. */
#define STUBS (WIRE_STUB_MAX + 1)

static void take_stubs(const struct sardane_stub *given, struct resolver_stub out[STUBS + 1])
{
	size_t n = 0;

	for (; given && given[n].zone && n < STUBS; n++)
		out[n] = (struct resolver_stub){ given[n].zone, given[n].server };
	out[n] = (struct resolver_stub){ 0 };
}

int sardane_resolver_new(const struct sardane_resolver_config *config,
	struct sardane_resolver **out, struct sardane_err *err)
{
	struct resolver_stub stub[STUBS + 1];
	struct resolver *r = NULL;
	struct resolver_config inside = {
		.backend = config->ad_server ? RESOLVER_AD : RESOLVER_VALIDATING,
		.server = config->ad_server,
		.helper = config->helper,
		.trust_anchor_file = config->trust_anchor_file,
		.trust_anchor_managed = config->trust_anchor_managed,
		.resolv_conf = config->resolv_conf,
		.forward = config->forward,
		.stub = stub,
		.deadline_ms = config->deadline_ms,
	};
	int rc;

	take_stubs(config->stub, stub);
	rc = resolver_new(&inside, &r, convert_err(err));
	if (rc == 0)
		*out = (struct sardane_resolver *)r;
	return rc;
}

void sardane_resolver_free(struct sardane_resolver *r)
{
	resolver_free(convert_resolver(r));
}

int sardane_resolver_fd(const struct sardane_resolver *r)
{
	return resolver_fd((const struct resolver *)r);
}

void sardane_resolver_dispatch(struct sardane_resolver *r)
{
	resolver_dispatch(convert_resolver(r));
}

static void tell(struct ask *ask)
{
	struct sardane_ask *a = ask->arg;

	if (a->wake)
		a->wake(a->arg);
}

int sardane_ask_new(struct sardane_resolver *r, const struct sardane_name *name, uint16_t type,
	void (*wake)(void *arg), void *arg, struct sardane_ask **out, struct sardane_err *err)
{
	struct question q = { .name = *convert_name(name), .type = type };
	struct sardane_ask *a = calloc(1, sizeof *a);

	if (!a)
		return err_set(convert_err(err), ERR_NOMEM, "question: no memory");
	a->wake = wake;
	a->arg = arg;
	a->ask.wake = tell;
	a->ask.arg = a;
	resolver_ask(convert_resolver(r), &q, RESOLVER_SOURCE_SELF, 0, &a->ask);
	*out = a;
	return 0;
}

void sardane_ask_free(struct sardane_ask *ask)
{
	if (!ask)
		return;
	ask_done(&ask->ask);
	free(ask);
}

bool sardane_ask_answer(const struct sardane_ask *ask, struct sardane_answer *out)
{
	const struct answer *a = ask->ask.answer;

	if (!a)
		return false;
	int64_t left = a->expires_ms - resolver_now();
	*out = (struct sardane_answer){ .dnssec = (enum sardane_dnssec)a->status,
		.count = a->count,
		.ttl_left_ms = left > 0 ? left : 0,
		.why = a->why };
	return true;
}

const uint8_t *sardane_ask_rdata(const struct sardane_ask *ask, unsigned i, size_t *n)
{
	const struct answer *a = ask->ask.answer;

	*n = 0;
	if (!a || i >= a->count)
		return NULL;
	*n = a->rdata[i].n;
	return a->rdata[i].p;
}
