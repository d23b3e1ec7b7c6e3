/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/board.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static_assert(sizeof(struct counts) % sizeof(uint64_t) == 0, "counts are words alone");
static_assert(sizeof(struct resolver_stats) % sizeof(uint64_t) == 0, "and so are these");

/* Words of a struct that is nothing else. */
static void add_words(void *sum, const void *more, size_t octets)
{
	uint64_t *to = sum;
	const uint64_t *from = more;

	for (size_t i = 0; i < octets / sizeof(uint64_t); i++)
		to[i] += from[i];
}

static size_t aligned(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

static uint32_t peers_of(const struct config *c)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < config_ends(c); i++)
		n += config_end_at(c, i)->limits.connections_max;
	return n < BOARD_PEERS_MAX ? (uint32_t)n : BOARD_PEERS_MAX;
}

static void *shared(size_t octets, struct err *err)
{
	void *at = mmap(NULL, octets, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at != MAP_FAILED)
		return at;
	err_set(err, ERR_NOMEM, "no shared memory of %zu octets", octets);
	return NULL;
}

int board_new(const struct config *config, struct board **out, struct err *err)
{
	unsigned ends = config_ends(config), slots = config->file->workers;
	size_t head = aligned(sizeof(struct board) + slots * sizeof(struct board_slot));
	size_t counts = aligned(ends * sizeof(struct counts));
	size_t peers = aligned(peers_of(config) * sizeof(struct board_peer));
	size_t octets = head + slots * (counts + peers);
	uint8_t *at = shared(octets, err);
	struct board *b = (struct board *)at;

	if (!at)
		return ERR_NOMEM;
	*b = (struct board){ .octets = octets, .slots = slots, .ends = ends, .config = config };
	at += head;
	for (unsigned w = 0; w < slots; w++) {
		b->slot[w].peers_max = peers_of(config);
		b->slot[w].counts = (struct counts *)at;
		b->slot[w].peer = (struct board_peer *)(at + counts);
		at += counts + peers;
	}
	*out = b;
	return 0;
}

void board_free(struct board *b)
{
	if (b)
		munmap(b, b->octets);
}

void board_begin(struct board_slot *s)
{
	uint32_t used = atomic_load(&s->peers_used);

	for (uint32_t i = 0; i < used; i++)
		s->peer[i].seq |= 1;
	s->free = 0;
	atomic_store(&s->peers_used, 0);
}

void board_set_dns(struct board_slot *s, const struct resolver_stats *before,
	const struct resolver_stats *now)
{
	struct resolver_stats sum = *before;

	add_words(&sum, now, sizeof(sum));
	/* These are not sums. */
	sum.open = now->open;
	sum.names = now->names;
	sum.cache_octets = now->cache_octets;
	s->dns = sum;
}

static struct board_peer *take(struct board_slot *s)
{
	uint32_t used = atomic_load_explicit(&s->peers_used, memory_order_relaxed);
	struct board_peer *p = NULL;

	if (s->free) {
		p = &s->peer[s->free - 1];
		s->free = p->next_free;
	} else if (used < s->peers_max) {
		p = &s->peer[used];
		atomic_store_explicit(&p->seq, p->seq | 1, memory_order_relaxed);
		atomic_store_explicit(&s->peers_used, used + 1, memory_order_release);
	}
	return p;
}

struct board_peer *board_peer_add(struct board_slot *s, unsigned end, const struct tunnel_end *e)
{
	struct board_peer *p = take(s);
	const struct sockaddr *from = link_from(e->front);

	if (!p)
		return NULL;
	p->live = (struct tunnel_live){ 0 };
	p->end = (uint16_t)end;
	memset(&p->from, 0, sizeof(p->from));
	if (from->sa_family == AF_INET)
		memcpy(&p->from, from, sizeof(struct sockaddr_in));
	else if (from->sa_family == AF_INET6)
		memcpy(&p->from, from, sizeof(p->from));
	p->name = e->peer->name;
	p->how = (uint8_t)e->peer->how;
	p->usage = (int8_t)e->peer->usage;
	p->selector = (int8_t)e->peer->selector;
	p->matching = (int8_t)e->peer->matching;
	p->since_ms = resolver_now() - e->took_ms;
	p->expires_ms = e->peer->expires_ms;
	atomic_store_explicit(&p->seq, p->seq + 1, memory_order_release);
	return p;
}

void board_peer_remove(struct board_slot *s, struct board_peer *p)
{
	if (!p)
		return;
	atomic_store_explicit(&p->seq, p->seq + 1, memory_order_release);
	atomic_thread_fence(memory_order_seq_cst);
	p->next_free = s->free;
	s->free = (uint32_t)(p - s->peer) + 1;
}

bool board_peer_read(const struct board_slot *s, unsigned i, struct board_peer *out)
{
	const struct board_peer *p = &s->peer[i];
	uint32_t before, after;

	do {
		before = atomic_load_explicit(&p->seq, memory_order_acquire);
		if (before & 1)
			return false;
		memcpy(out, p, sizeof(*out));
		atomic_thread_fence(memory_order_acquire);
		after = atomic_load_explicit(&p->seq, memory_order_relaxed);
	} while (before != after);
	return true;
}

void board_add_counts(struct counts *sum, const struct counts *more)
{
	add_words(sum, more, sizeof(*sum));
}

void board_add_dns(struct resolver_stats *sum, const struct resolver_stats *more)
{
	add_words(sum, more, sizeof(*sum));
}

static struct board_total *total_of(struct board_past *past, const char *name, bool listener)
{
	struct board_total *more;

	for (unsigned i = 0; i < past->count; i++)
		if (past->total[i].listener == listener && strcmp(past->total[i].name, name) == 0)
			return &past->total[i];
	more = realloc(past->total, (past->count + 1) * sizeof(*more));
	if (!more)
		return NULL;
	past->total = more;
	more[past->count] = (struct board_total){ .name = strdup(name), .listener = listener };
	return more[past->count].name ? &more[past->count++] : NULL;
}

int board_retire(struct board_past *past, const struct board *b)
{
	for (unsigned e = 0; e < b->ends; e++) {
		struct board_total *t = total_of(past, config_end_at(b->config, e)->name,
			config_is_listener(b->config, e));

		if (!t)
			return ERR_NOMEM;
		for (unsigned w = 0; w < b->slots; w++)
			board_add_counts(&t->counts, &b->slot[w].counts[e]);
		t->counts.open = t->counts.half_open = 0;
	}
	for (unsigned w = 0; w < b->slots; w++)
		board_add_dns(&past->dns, &b->slot[w].dns);
	past->dns.open = past->dns.names = past->dns.cache_octets = 0;
	return 0;
}

void board_past_done(struct board_past *past)
{
	for (unsigned i = 0; i < past->count; i++)
		free(past->total[i].name);
	free(past->total);
	*past = (struct board_past){ 0 };
}

int board_tally_new(struct board_tally **out, struct err *err)
{
	struct board_tally *t = shared(sizeof(*t), err);

	if (!t)
		return ERR_NOMEM;
	*out = t;
	return 0;
}

void board_tally_free(struct board_tally *t)
{
	if (t)
		munmap(t, sizeof(*t));
}
