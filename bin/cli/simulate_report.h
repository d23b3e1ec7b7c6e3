/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simulate_report - what came of a simulation: counts, latencies, failures by reason.
 *
 *   Units      samples in microseconds, shown in milliseconds.
 *   Ownership  simulate_report_free.
 */
#ifndef CLI_SIMULATE_REPORT_H
#define CLI_SIMULATE_REPORT_H

#include "cli/simulate_fleet.h"

#include <stdio.h>

struct simulate_samples {
	uint32_t *us;
	size_t n;
	size_t cap;
};

struct simulate_report {
	unsigned int devices, joined, refused, failed;
	unsigned int gateways, pushes, push_acks, pulls, pull_acks, tx_acks, malformed;
	unsigned int uplinks, retransmissions, confirmed, confirmations, downlinks, late;
	unsigned int failures[SIMULATE_OUTCOMES];
	struct simulate_samples join, push_ack, confirmation;
	double seconds;
};

/* A sample that finds no memory is left out. */
void simulate_report_sample(struct simulate_samples *s, uint64_t us);

/* What a device saw last, for the JSON. */
struct simulate_seen {
	bool done;
	enum simulate_outcome outcome;
	uint32_t join_us, uplinks, downlinks;
	struct simulate_downlink last;
};

/* Lines of text for people. */
void simulate_report_text(FILE *to, struct simulate_report *r);

/* One JSON object on one line; devices one by one when there are at most 1,000. */
void simulate_report_json(FILE *to, struct simulate_report *r, const struct simulate_fleet *fleet,
	const struct simulate_seen *seen);

bool simulate_report_is_good(const struct simulate_report *r);
void simulate_report_free(struct simulate_report *r);

#endif
