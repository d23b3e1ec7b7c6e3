/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/simulate_report.h"
#include "base/hex.h"

#include <stdlib.h>

#define DEVICES_TOLD 1000

void simulate_report_sample(struct simulate_samples *s, uint64_t us)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 256;
		uint32_t *more = realloc(s->us, cap * sizeof(*more));

		if (!more)
			return;
		s->us = more;
		s->cap = cap;
	}
	s->us[s->n++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static int by_size(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The smallest sample not below that share of all, in ms; samples sorted. */
static double percentile(const struct simulate_samples *s, unsigned int percent)
{
	size_t rank = (s->n * percent + 99) / 100;

	return s->n ? s->us[rank ? rank - 1 : 0] / 1000.0 : 0;
}

static void sort(struct simulate_samples *s)
{
	if (s->n > 1)
		qsort(s->us, s->n, sizeof(*s->us), by_size);
}

static void text_latency(FILE *to, const char *what, struct simulate_samples *s)
{
	if (s->n == 0)
		return;
	sort(s);
	fprintf(to, "%-14s p50 %.1f  p90 %.1f  p99 %.1f  max %.1f ms  (%zu)\n", what,
		percentile(s, 50), percentile(s, 90), percentile(s, 99), percentile(s, 100), s->n);
}

void simulate_report_text(FILE *to, struct simulate_report *r)
{
	fprintf(to, "devices        %u: %u joined, %u refused as they should be, %u failed\n",
		r->devices, r->joined, r->refused, r->failed);
	fprintf(to, "gateways       %u: %u datagrams pushed, %u acknowledged\n", r->gateways,
		r->pushes, r->push_acks);
	fprintf(to, "uplinks        %u, %u of them confirmed, %u confirmations, %u sent again\n",
		r->uplinks, r->confirmed, r->confirmations, r->retransmissions);
	fprintf(to, "downlinks      %u, %u too late to send\n", r->downlinks, r->late);
	text_latency(to, "join", &r->join);
	text_latency(to, "push-ack", &r->push_ack);
	text_latency(to, "confirmation", &r->confirmation);
	for (int i = 0; i < SIMULATE_OUTCOMES; i++)
		if (r->failures[i])
			fprintf(to, "failed         %s: %u\n",
				simulate_outcome_text((enum simulate_outcome)i), r->failures[i]);
	fprintf(to, "time           %.1f s\n", r->seconds);
}

static void json_latency(FILE *to, const char *name, struct simulate_samples *s)
{
	sort(s);
	fprintf(to, ",\"%s\":{\"count\":%zu,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"max\":%.3f}",
		name, s->n, percentile(s, 50), percentile(s, 90), percentile(s, 99),
		percentile(s, 100));
}

static void json_device(FILE *to, const struct simulate_device *d, const struct simulate_seen *seen)
{
	char hex[2 * LORAWAN_FRM_MAX + 1];

	fprintf(to,
		"{\"dev_eui\":\"%016llx\",\"outcome\":\"%s\",\"joined\":%s,\"dev_addr\":\"%08x\","
		"\"net_id\":\"%06x\",\"join_nonce\":%u,\"dev_nonce\":%u,\"join_ms\":%.3f,\"uplinks\":%u,"
		"\"downlinks\":%u,\"f_cnt_up\":%u,\"data_rate\":%u,\"link_checks\":%u,"
		"\"device_times\":%u,\"adr_requests\":%u,\"status_requests\":%u",
		(unsigned long long)d->dev_eui, simulate_outcome_text(seen->outcome),
		d->joined ? "true" : "false", d->dev_addr, d->net_id, d->join_nonce, d->dev_nonce,
		seen->join_us / 1000.0, seen->uplinks, seen->downlinks, d->fcnt_up, d->rate,
		d->link_checks, d->device_times, d->adr_requests, d->status_requests);
	if (seen->last.has_port &&
		hex_write((struct span){ seen->last.payload, seen->last.n }, hex, sizeof(hex)) == 0)
		fprintf(to, ",\"last_downlink\":{\"port\":%u,\"payload\":\"%s\"}", seen->last.port,
			hex);
	fputc('}', to);
}

void simulate_report_json(FILE *to, struct simulate_report *r, const struct simulate_fleet *fleet,
	const struct simulate_seen *seen)
{
	const char *comma = "";

	fprintf(to,
		"{\"devices\":%u,\"joined\":%u,\"refused\":%u,\"failed\":%u,\"gateways\":%u,"
		"\"pushes\":%u,\"push_acks\":%u,\"pulls\":%u,\"pull_acks\":%u,\"tx_acks\":%u,"
		"\"malformed\":%u,\"uplinks\":%u,\"retransmissions\":%u,\"confirmed\":%u,"
		"\"confirmations\":%u,\"downlinks\":%u,\"late\":%u,\"seconds\":%.3f",
		r->devices, r->joined, r->refused, r->failed, r->gateways, r->pushes, r->push_acks,
		r->pulls, r->pull_acks, r->tx_acks, r->malformed, r->uplinks, r->retransmissions,
		r->confirmed, r->confirmations, r->downlinks, r->late, r->seconds);
	json_latency(to, "join_ms", &r->join);
	json_latency(to, "push_ack_ms", &r->push_ack);
	json_latency(to, "confirmation_ms", &r->confirmation);
	fputs(",\"failures\":{", to);
	for (int i = 0; i < SIMULATE_OUTCOMES; i++) {
		if (!r->failures[i])
			continue;
		fprintf(to, "%s\"%s\":%u", comma, simulate_outcome_text((enum simulate_outcome)i),
			r->failures[i]);
		comma = ",";
	}
	fputc('}', to);
	if (fleet->count <= DEVICES_TOLD) {
		fputs(",\"device\":[", to);
		for (unsigned int i = 0; i < fleet->count; i++) {
			fputs(i ? "," : "", to);
			json_device(to, &fleet->device[i], &seen[i]);
		}
		fputc(']', to);
	}
	fputs("}\n", to);
}

bool simulate_report_is_good(const struct simulate_report *r)
{
	for (int i = 0; i < SIMULATE_OUTCOMES; i++)
		if (r->failures[i])
			return false;
	return r->failed == 0;
}

void simulate_report_free(struct simulate_report *r)
{
	free(r->join.us);
	free(r->push_ack.us);
	free(r->confirmation.us);
	*r = (struct simulate_report){ 0 };
}
