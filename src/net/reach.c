/* SPDX-License-Identifier: Apache-2.0 */
#include "net/reach.h"

#include <stdlib.h>

#include "net/find.h"

#define KEEP_MS 5000 /* an address may move sooner than a key */

struct reach {
	struct reach_config config;
	struct pace *pace; /* NULL: fixed */
	struct find *find; /* while one runs */
	struct reach_found *found;
	struct reach_wait *first, **end;
};

struct reach_found *reach_keep(struct reach_found *f)
{
	f->refs++;
	return f;
}

void reach_drop(struct reach_found *f)
{
	if (!f || --f->refs)
		return;
	service_drop(f->service);
	free(f);
}

static struct reach *new_reach(void)
{
	struct reach *r = calloc(1, sizeof(*r));

	if (r)
		r->end = &r->first;
	return r;
}

int reach_new(const struct reach_config *config, struct reach **out, struct err *err)
{
	struct reach *r = new_reach();

	if (!r || !(r->pace = pace_take(config->loop))) {
		free(r);
		return err_set(err, ERR_NOMEM, "target: no memory");
	}
	r->config = *config;
	*out = r;
	return 0;
}

int reach_new_fixed(const union dial_address *address, struct reach **out, struct err *err)
{
	struct reach *r = new_reach();

	if (!r || !(r->found = calloc(1, sizeof(*r->found)))) {
		free(r);
		return err_set(err, ERR_NOMEM, "target: no memory");
	}
	r->found->refs = 1;
	r->found->list.count = 1;
	r->found->list.address[0] = *address;
	*out = r;
	return 0;
}

void reach_free(struct reach *r)
{
	if (!r)
		return;
	find_free(r->find);
	pace_give(r->pace);
	reach_drop(r->found);
	free(r);
}

void reach_forget(struct reach_wait *w)
{
	if (!w->of)
		return;
	*w->at = w->next;
	*(w->next ? &w->next->at : &w->of->end) = w->at;
	w->of = NULL;
}

bool reach_is_waited_for(const struct reach *r)
{
	return r->first != NULL;
}

/* The soonest end of what the endpoints rest on. */
static int64_t fresh_until(const struct service *s)
{
	int64_t now = resolver_now(), until = now;

	for (unsigned i = 0; i < s->count; i++) {
		const struct service_endpoint *e = &s->endpoint[i];

		if (e->proof == SERVICE_REFUSED)
			continue;
		if (until == now)
			until = now + KEEP_MS;
		if (e->expires_ms && e->expires_ms < until)
			until = e->expires_ms;
	}
	return until;
}

static struct reach_found *found_of(struct service *service)
{
	struct reach_found *f = calloc(1, sizeof(*f));

	if (!f) {
		service_drop(service);
		return NULL;
	}
	f->refs = 1;
	f->service = service;
	f->fresh_until_ms = fresh_until(service);
	dial_list_of(service, &f->list);
	return f;
}

/* To all who wait now; who asks meanwhile is answered too, or finds anew. */
static void tell(struct reach *r, struct reach_found *found)
{
	struct reach_wait *w;

	while ((w = r->first)) {
		reach_forget(w);
		w->done(w, found);
	}
}

static void came(void *arg, struct service *service)
{
	struct reach *r = arg;
	struct reach_found *found = found_of(service);

	find_free(r->find);
	r->find = NULL;
	reach_drop(r->found);
	r->found = found;
	if (found)
		reach_keep(found);
	tell(r, found);
	reach_drop(found);
}

void reach_ask(struct reach *r, struct reach_wait *w)
{
	w->of = NULL;
	if (r->found && (!r->pace || resolver_now() < r->found->fresh_until_ms)) {
		w->done(w, r->found);
		return;
	}
	if (!r->find &&
		find_new(r->pace, r->config.resolver, &r->config.target, r->config.mode, came, r,
			&r->find, NULL) != 0) {
		w->done(w, NULL);
		return;
	}
	w->of = r;
	w->next = NULL;
	w->at = r->end;
	*r->end = w;
	r->end = &w->next;
}
