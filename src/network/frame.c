/* SPDX-License-Identifier: Apache-2.0 */
#include "network/frame.h"

#include <stdlib.h>
#include <string.h>

int frame_table_init(struct frame_table *t, uint32_t max, uint64_t seed, struct err *err)
{
	struct frame_table made = { .max = max, .buckets = 16, .seed = seed | 1 };

	while (made.buckets < max)
		made.buckets *= 2;
	made.all = calloc(max, sizeof(*made.all));
	made.bucket = calloc(made.buckets, sizeof(*made.bucket));
	if (!made.all || !made.bucket) {
		frame_table_done(&made);
		return err_set(err, ERR_NOMEM, "frames: no memory for %u", max);
	}
	*t = made;
	return 0;
}

void frame_table_done(struct frame_table *t)
{
	free(t->all);
	free(t->bucket);
	*t = (struct frame_table){ 0 };
}

static uint32_t *bucket_of(const struct frame_table *t, struct span phy)
{
	uint64_t h = t->seed, word;

	for (size_t i = 0; i < phy.n; i += sizeof(word)) {
		word = 0;
		memcpy(&word, phy.p + i, phy.n - i < sizeof(word) ? phy.n - i : sizeof(word));
		h = (h ^ word) * t->seed;
		h ^= h >> 29;
	}
	h *= 0x9e3779b97f4a7c15u;
	return &t->bucket[(uint32_t)(h >> 32) & (t->buckets - 1)];
}

static struct frame *find(const struct frame_table *t, uint32_t at, struct span phy)
{
	for (; at; at = t->all[at - 1].chain) {
		struct frame *f = &t->all[at - 1];

		if (f->n == phy.n && memcmp(f->phy, phy.p, phy.n) == 0)
			return f;
	}
	return NULL;
}

static void append(struct frame_list *l, struct frame *f)
{
	f->older = l->newest;
	f->newer = NULL;
	if (l->newest)
		l->newest->newer = f;
	else
		l->oldest = f;
	l->newest = f;
}

static struct frame *take_oldest(struct frame_list *l)
{
	struct frame *f = l->oldest;

	l->oldest = f->newer;
	if (l->oldest)
		l->oldest->older = NULL;
	else
		l->newest = NULL;
	f->newer = NULL;
	return f;
}

static uint8_t source_of(const struct frame_table *t, const struct gateway_address *from)
{
	uint64_t h = t->seed;

	/* The host, not its port: the address family's two octets, then two of port. */
	for (unsigned i = 4; i < from->n; i++)
		h = (h ^ from->octets[i]) * 0x100000001b3u;
	return (uint8_t)(h >> 24);
}

static struct frame *make(struct frame_table *t, uint32_t *bucket, struct span phy, uint8_t source)
{
	struct frame *f = t->spare;

	if (t->by_source[source] >= (t->max + 3) / 4)
		return NULL;
	if (f)
		t->spare = f->newer;
	else if (t->used < t->max)
		f = &t->all[t->used++];
	else
		return NULL;
	*f = (struct frame){ .n = (uint8_t)phy.n, .source = source, .chain = *bucket };
	memcpy(f->phy, phy.p, phy.n);
	*bucket = (uint32_t)(f - t->all) + 1;
	t->by_source[source]++;
	return f;
}

/* Better: heard with more margin; by signal strength between equals. */
static bool is_better(const struct frame_copy *a, const struct frame_copy *b)
{
	return a->lsnr != b->lsnr ? a->lsnr > b->lsnr : a->rssi > b->rssi;
}

static enum frame_verdict add_copy(struct frame *f, const struct frame_copy *copy)
{
	unsigned worst = 0;

	if (f->closed)
		return FRAME_LATE;
	for (unsigned i = 0; i < f->copies; i++) {
		if (f->copy[i].gateway == copy->gateway)
			return FRAME_LATE;
		if (is_better(&f->copy[worst], &f->copy[i]))
			worst = i;
	}
	f->heard++;
	if (f->copies < FRAME_COPIES_MAX)
		f->copy[f->copies++] = *copy;
	else if (is_better(copy, &f->copy[worst]))
		f->copy[worst] = *copy;
	return FRAME_COPY;
}

enum frame_verdict frame_collect(struct frame_table *t, struct span phy,
	const struct frame_copy *copy, const struct gateway_address *from, int64_t now_ms,
	unsigned window_ms, struct frame **out)
{
	uint32_t *bucket = bucket_of(t, phy);
	struct frame *f = find(t, *bucket, phy);
	enum frame_verdict verdict = FRAME_NEW;

	if (phy.n > LORAWAN_PHY_MAX)
		return FRAME_FULL;
	if (f) {
		verdict = add_copy(f, copy);
	} else {
		f = make(t, bucket, phy, source_of(t, from));
		if (!f)
			return FRAME_FULL;
		f->first_ms = now_ms;
		f->due_ms = now_ms + window_ms;
		f->copies = 1;
		f->heard = 1;
		f->copy[0] = *copy;
		append(&t->open, f);
	}
	*out = f;
	return verdict;
}

static void best_first(struct frame *f)
{
	for (unsigned i = 1; i < f->copies; i++)
		for (unsigned k = i; k > 0 && is_better(&f->copy[k], &f->copy[k - 1]); k--) {
			struct frame_copy swap = f->copy[k];

			f->copy[k] = f->copy[k - 1];
			f->copy[k - 1] = swap;
		}
}

struct frame *frame_due(struct frame_table *t, int64_t now_ms, unsigned cooldown_ms)
{
	struct frame *f = t->open.oldest;

	if (!f || f->due_ms > now_ms)
		return NULL;
	take_oldest(&t->open);
	f->closed = true;
	f->gone_ms = f->due_ms + cooldown_ms;
	best_first(f);
	append(&t->closed, f);
	return f;
}

int64_t frame_deadline(const struct frame_table *t)
{
	return t->open.oldest ? t->open.oldest->due_ms : INT64_MAX;
}

static void drop(struct frame_table *t, struct frame *f)
{
	uint32_t *link = bucket_of(t, (struct span){ f->phy, f->n });
	uint32_t index = (uint32_t)(f - t->all) + 1;

	while (*link != index)
		link = &t->all[*link - 1].chain;
	*link = f->chain;
	t->by_source[f->source]--;
	f->newer = t->spare;
	t->spare = f;
}

void frame_sweep(struct frame_table *t, int64_t now_ms)
{
	while (t->closed.oldest && t->closed.oldest->gone_ms <= now_ms)
		drop(t, take_oldest(&t->closed));
}
