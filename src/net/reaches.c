/* SPDX-License-Identifier: Apache-2.0 */
#include "net/reaches.h"

#include <stdlib.h>

struct host {
	struct host *next;
	struct name name;
	struct reach *reach;
};

/* The one that was asked for last is the first. */
struct reaches {
	struct reach_config config;
	struct host *first;
	unsigned count, hosts_max;
};

int reaches_new(const struct reach_config *config, unsigned hosts_max, struct reaches **out,
	struct err *err)
{
	struct reaches *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(err, ERR_NOMEM, "targets: no memory");
	t->config = *config;
	t->hosts_max = hosts_max;
	*out = t;
	return 0;
}

static void remove_at(struct reaches *t, struct host **at)
{
	struct host *h = *at;

	*at = h->next;
	t->count--;
	reach_free(h->reach);
	free(h);
}

void reaches_free(struct reaches *t)
{
	while (t && t->first)
		remove_at(t, &t->first);
	free(t);
}

/* False: all of them are waited for. */
static bool make_room(struct reaches *t)
{
	struct host **oldest = NULL;

	if (t->count < t->hosts_max)
		return true;
	for (struct host **at = &t->first; *at; at = &(*at)->next)
		if (!reach_is_waited_for((*at)->reach))
			oldest = at;
	if (oldest)
		remove_at(t, oldest);
	return oldest != NULL;
}

static struct reach *add(struct reaches *t, const struct name *host)
{
	struct reach_config config = t->config;
	struct host *h = make_room(t) ? calloc(1, sizeof(*h)) : NULL;

	if (!h)
		return NULL;
	config.target.name = h->name = *host;
	if (reach_new(&config, &h->reach, NULL) != 0) {
		free(h);
		return NULL;
	}
	h->next = t->first;
	t->first = h;
	t->count++;
	return h->reach;
}

struct reach *reaches_find(struct reaches *t, const struct name *host)
{
	for (struct host **at = &t->first; *at; at = &(*at)->next) {
		struct host *h = *at;

		if (!name_equal(&h->name, host))
			continue;
		*at = h->next;
		h->next = t->first;
		t->first = h;
		return h->reach;
	}
	return add(t, host);
}
