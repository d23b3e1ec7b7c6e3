/* SPDX-License-Identifier: Apache-2.0 */
#include "application/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/code.h"
#include "core/secret.h"

static size_t chain_of(size_t chains, uint64_t dev_eui)
{
	return (size_t)((dev_eui * 0x9e3779b97f4a7c15u) >> 32) & (chains - 1);
}

static void session_free(struct session *s)
{
	if (!s)
		return;
	session_wipe(s);
	free(s);
}

void device_shift(struct device *d)
{
	struct downlink *item = d->queue;

	d->queue = item->next;
	d->queued--;
	secret_wipe_octets(item, sizeof(*item));
	free(item);
}

static void device_free(struct device *d)
{
	while (d->queue)
		device_shift(d);
	session_free(d->now);
	session_free(d->before);
	free(d->marks);
	secret_wipe_octets(d, sizeof(*d));
	free(d);
}

void device_table_done(struct device_table *t)
{
	for (size_t i = 0; i < t->chains; i++)
		while (t->chain[i]) {
			struct device *d = t->chain[i];

			t->chain[i] = d->next;
			device_free(d);
		}
	free(t->chain);
	*t = (struct device_table){ 0 };
}

struct device *device_find(const struct device_table *t, uint64_t dev_eui)
{
	struct device *d = t->chains ? t->chain[chain_of(t->chains, dev_eui)] : NULL;

	while (d && d->dev_eui != dev_eui)
		d = d->next;
	return d;
}

static int grow(struct device_table *t)
{
	size_t chains = t->chains ? t->chains * 2 : 64;
	struct device **chain = calloc(chains, sizeof(*chain));

	if (!chain)
		return ERR_NOMEM;
	for (size_t i = 0; i < t->chains; i++)
		while (t->chain[i]) {
			struct device *d = t->chain[i];
			size_t to = chain_of(chains, d->dev_eui);

			t->chain[i] = d->next;
			d->next = chain[to];
			chain[to] = d;
		}
	free(t->chain);
	t->chain = chain;
	t->chains = chains;
	return 0;
}

struct device *device_add(struct device_table *t, uint64_t dev_eui)
{
	struct device *d;
	size_t at;

	if (t->count >= t->chains && grow(t) < 0)
		return NULL;
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->dev_eui = dev_eui;
	snprintf(d->name, sizeof(d->name), "%016llx", (unsigned long long)dev_eui);
	at = chain_of(t->chains, dev_eui);
	d->next = t->chain[at];
	t->chain[at] = d;
	t->count++;
	return d;
}

void device_drop(struct device_table *t, struct device *d)
{
	struct device **link = &t->chain[chain_of(t->chains, d->dev_eui)];

	while (*link != d)
		link = &(*link)->next;
	*link = d->next;
	t->count--;
	device_free(d);
}

struct session *device_session(const struct device *d, const struct session_id *id)
{
	if (d->now && session_id_equal(&d->now->id, id))
		return d->now;
	if (d->before && session_id_equal(&d->before->id, id))
		return d->before;
	return NULL;
}

/* FNV-1a of 64 bits; never 0, which stands for "no id". */
static uint64_t id_digest(const struct session_id *id)
{
	uint64_t h = 14695981039346656037u;

	if (!id->n)
		return 0;
	for (uint8_t i = 0; i < id->n; i++)
		h = (h ^ id->octets[i]) * 1099511628211u;
	return h ? h : 1;
}

bool device_has_retired_id(const struct device *d, const struct session_id *id)
{
	uint64_t digest = id_digest(id);

	for (uint8_t i = 0; digest && i < d->mark_count; i++)
		if (d->marks[i].id == digest)
			return true;
	return false;
}

bool device_knows_key(const struct device *d, uint64_t key_check)
{
	if ((d->now && d->now->key_check == key_check) ||
		(d->before && d->before->key_check == key_check))
		return true;
	for (uint8_t i = 0; i < d->mark_count; i++)
		if (d->marks[i].key == key_check)
			return true;
	return false;
}

int device_mark(struct device *d, const struct session *s)
{
	if (!d->marks) {
		d->marks = calloc(DEVICE_RETIRED_MAX, sizeof(*d->marks));
		if (!d->marks)
			return ERR_NOMEM;
	}
	d->marks[d->mark_at] = (struct device_mark){ id_digest(&s->id), s->key_check };
	d->mark_at = (uint8_t)((d->mark_at + 1) % DEVICE_RETIRED_MAX);
	if (d->mark_count < DEVICE_RETIRED_MAX)
		d->mark_count++;
	return 0;
}

int device_adopt(struct device *d, struct session *s)
{
	if (d->before && device_mark(d, d->before) < 0)
		return ERR_NOMEM;
	session_free(d->before);
	d->before = d->now;
	d->now = s;
	d->announced = false;
	return 0;
}

void device_append(struct device *d, struct downlink *item)
{
	struct downlink **link = &d->queue;

	while (*link)
		link = &(*link)->next;
	item->next = NULL;
	*link = item;
	d->queued++;
}
