/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics - the numbers of all workers and configurations, as text for Prometheus and as JSON.
 *
 *   Source     Prometheus text exposition format 0.0.4; names as its naming guide wants them.
 *   Sums       of the boards that are seen and of the past: a counter never goes back while the
 *              parent lives. What is open is counted where it is, in older configurations too.
 *   Errors     out becomes bad (core/buf.h).
 */
#ifndef PROXY_METRICS_H
#define PROXY_METRICS_H

#include "core/buf.h"
#include "proxy/board.h"
#include "proxy/own.h"

struct metrics {
	const struct board_view *view;
	const struct own_list *own;
	const char *why_not; /* NULL: healthy */
	int64_t now_ms;      /* monotonic */
	int64_t now_s;       /* UNIX time */
};

void metrics_write_text(const struct metrics *m, struct buf *out);
void metrics_write_json(const struct metrics *m, struct buf *out);
/* Everybody whose connection is open, a JSON object. */
void metrics_write_peers(const struct metrics *m, struct buf *out);

/* Workers of the newest configuration whose loop turned a moment ago. */
unsigned metrics_turning(const struct board_view *v, int64_t now_ms);
/* What all workers' resolvers have counted. */
struct resolver_stats metrics_dns(const struct board_view *v);

#endif
