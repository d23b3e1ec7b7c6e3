/* SPDX-License-Identifier: Apache-2.0 */
#include "sardane/find.h"

#include <stdlib.h>
#include <string.h>

#include "sardane/convert.h"
#include "sardane/tls.h"

struct sardane_find {
	struct resolver *resolver;
	struct service_query *query;
	struct service *service;
	struct ask ask[SERVICE_QUESTIONS_MAX];
	bool open[SERVICE_QUESTIONS_MAX];
	unsigned at; /* the endpoint to try now */
};

/* Gives the engine what has been answered, and asks what it wants now, until neither moves. */
static void turn(struct sardane_find *f)
{
	struct question q;
	unsigned id = 0;
	bool moved = true;

	while (moved) {
		moved = false;
		for (unsigned i = 0; i < SERVICE_QUESTIONS_MAX; i++) {
			if (!f->open[i] || !f->ask[i].answer)
				continue;
			f->open[i] = false;
			service_query_answer(f->query, i, f->ask[i].answer);
			ask_done(&f->ask[i]);
			moved = true;
		}
		while (service_query_next(f->query, &id, &q)) {
			resolver_ask(f->resolver, &q, RESOLVER_SOURCE_SELF, 0, &f->ask[id]);
			f->open[id] = true;
			moved = true;
		}
	}
	if (!f->service)
		f->service = service_query_result(f->query);
}

static void do_nothing(struct ask *ask)
{
	(void)ask;
}

static int find_new(struct sardane_resolver *r, const char *name, struct service_target target,
	enum sardane_mode mode, struct sardane_find **out, struct err *err)
{
	if (name_of(name, &target.name))
		return err_set(err, ERR_FORMAT, "'%.100s': not a domain name", name);
	struct sardane_find *f = calloc(1, sizeof *f);
	if (!f)
		return err_set(err, ERR_NOMEM, "find: no memory");
	f->resolver = convert_resolver(r);
	for (unsigned i = 0; i < SERVICE_QUESTIONS_MAX; i++)
		f->ask[i].wake = do_nothing;
	int rc = service_query_new(&target, (enum tls_mode)mode, &f->query, err);
	if (rc) {
		sardane_find_free(f);
		return rc;
	}
	turn(f);
	*out = f;
	return 0;
}

int sardane_find_new(struct sardane_resolver *r, const char *host, uint16_t port,
	enum sardane_mode mode, struct sardane_find **out, struct sardane_err *err)
{
	struct service_target target = { .start = SERVICE_HOST, .port = port };

	return find_new(r, host, target, mode, out, convert_err(err));
}

int sardane_find_new_srv(struct sardane_resolver *r, const char *owner, enum sardane_mode mode,
	struct sardane_find **out, struct sardane_err *err)
{
	struct service_target target = { .start = SERVICE_SRV };

	return find_new(r, owner, target, mode, out, convert_err(err));
}

int sardane_find_new_naptr(struct sardane_resolver *r, const char *owner, uint16_t port,
	enum sardane_mode mode, struct sardane_find **out, struct sardane_err *err)
{
	struct service_target target = { .start = SERVICE_NAPTR, .port = port };

	return find_new(r, owner, target, mode, out, convert_err(err));
}

void sardane_find_free(struct sardane_find *f)
{
	if (!f)
		return;
	for (unsigned i = 0; i < SERVICE_QUESTIONS_MAX; i++)
		if (f->open[i])
			ask_done(&f->ask[i]);
	service_query_free(f->query);
	service_drop(f->service);
	free(f);
}

const struct service_endpoint *sardane_find_inside(const struct sardane_find *f)
{
	return f->service && f->at < f->service->count ? &f->service->endpoint[f->at] : NULL;
}

bool sardane_find_next(struct sardane_find *f)
{
	if (!f->service || f->at + 1u >= f->service->count)
		return false;
	f->at++;
	return true;
}

bool sardane_find_endpoint(struct sardane_find *f, struct sardane_endpoint *out)
{
	turn(f);
	if (!f->service)
		return false;
	memset(out, 0, sizeof *out);
	const struct service_endpoint *e = sardane_find_inside(f);
	if (!e) {
		out->why = f->service->why;
		return true;
	}
	out->usable = e->proof != SERVICE_REFUSED;
	(void)name_write_text(&e->host, out->host, sizeof out->host);
	out->address_count = e->address_count;
	memcpy(out->address, e->address, sizeof out->address);
	out->port = e->port;
	out->why = e->why;
	return true;
}
