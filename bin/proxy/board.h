/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board - what the workers of one configuration write for everybody to see, in shared memory.
 *
 *   worker --counts, peers, beat--> its slot --read by--> status (metrics, peers), parent (beat)
 *
 *   Writing    each slot has one writer, its worker; one that is started again goes on counting
 *              where the last one was. Readers take no lock: a number may be of a moment ago, and
 *              a peer that changed while it was read is read again (seq).
 *   Bounds     a peer's entry for each connection that may be open, PEERS_MAX in a slot; memory is
 *              taken when it is first written to.
 *   Past       what configurations that are no more have counted is added up, by the name of each
 *              entry: a counter never goes back.
 *   Ownership  of the parent's; inherited by fork at the same address.
 */
#ifndef PROXY_BOARD_H
#define PROXY_BOARD_H

#include <netinet/in.h>
#include <stdatomic.h>

#include "net/counts.h"
#include "net/tunnel.h"
#include "proxy/config.h"

#define BOARD_CREWS_MAX 64
#define BOARD_PEERS_MAX 65536

struct board_peer {
	struct tunnel_live live;
	_Atomic uint32_t seq; /* odd: nobody, or being written */
	uint32_t next_free;   /* its index and one; 0: none */
	uint16_t end;
	struct sockaddr_in6 from; /* holds an IPv4 one too; family 0: a Unix socket */
	struct name name;
	uint8_t how;
	int8_t usage, selector, matching;
	int64_t since_ms, expires_ms; /* of resolver_now */
};

/* One worker's. */
struct board_slot {
	_Atomic int64_t beat_ms; /* when its loop turned; 0: it does not run */
	struct resolver_stats dns;
	_Atomic uint32_t peers_used; /* those ever taken */
	uint32_t free;               /* index and one of the first free */
	uint32_t peers_max;
	struct counts *counts; /* of each end */
	struct board_peer *peer;
};

struct board {
	size_t octets;
	unsigned slots, ends;
	const struct config *config; /* names of the ends */
	struct board_slot slot[];
};

/* Counts of the configurations that are gone. */
struct board_past {
	struct board_total {
		char *name;
		bool listener;
		struct counts counts;
	} * total;
	unsigned count;
	struct resolver_stats dns;
};

/* What the parent counts, in shared memory. */
struct board_tally {
	_Atomic uint64_t reloads, reloads_failed;
	_Atomic uint64_t restarts, stuck; /* of workers: started again; killed since they hung */
};

/* What the parent knows, for the status: copied to it by fork. */
struct board_view {
	struct board_tally *tally;
	const struct board *board[BOARD_CREWS_MAX]; /* the newest first */
	unsigned count;
	struct board_past past;
	int64_t loaded_s; /* UNIX time of the newest configuration */
};

int board_new(const struct config *config, struct board **out, struct err *err);
void board_free(struct board *b);

/* A worker begins with its slot: nothing is open. */
void board_begin(struct board_slot *s);
/* Each field of the stats on top of what was counted before the worker began. */
void board_set_dns(struct board_slot *s, const struct resolver_stats *before,
	const struct resolver_stats *now);

/* NULL: the table is full; the peer is not shown then. */
struct board_peer *board_peer_add(struct board_slot *s, unsigned end, const struct tunnel_end *e);
void board_peer_remove(struct board_slot *s, struct board_peer *p); /* NULL: nothing */
/* A copy that is whole; false: nobody is there. */
bool board_peer_read(const struct board_slot *s, unsigned i, struct board_peer *out);

void board_add_counts(struct counts *sum, const struct counts *more);
void board_add_dns(struct resolver_stats *sum, const struct resolver_stats *more);
/* Into the past; what is open is no more. ERR_NOMEM. */
int board_retire(struct board_past *past, const struct board *b);
void board_past_done(struct board_past *past);

int board_tally_new(struct board_tally **out, struct err *err);
void board_tally_free(struct board_tally *t);

#endif
