/* SPDX-License-Identifier: Apache-2.0 */
#include "dane/tlsaset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sink.h"
#include "core/buf.h"
#include "crypto/digest.h"

/*
 * RFC 7671 section 9: per usage and selector, the strongest digest published is the one
 * to use. The order of the matching type numbers is the order of strength.
 */
static void set_weaker_aside(struct tlsaset *set)
{
	uint8_t best[4][2] = { 0 };

	for (unsigned i = 0; i < set->count; i++) {
		const struct tlsaset_record *r = &set->record[i];
		if (!r->why && r->tlsa.matching > best[r->tlsa.usage][r->tlsa.selector])
			best[r->tlsa.usage][r->tlsa.selector] = r->tlsa.matching;
	}
	for (unsigned i = 0; i < set->count; i++) {
		struct tlsaset_record *r = &set->record[i];
		if (r->why)
			continue;
		if (r->tlsa.matching != TLSA_FULL &&
			r->tlsa.matching < best[r->tlsa.usage][r->tlsa.selector])
			r->why = "a stronger digest is published for this usage and selector";
		else
			set->usable++;
	}
}

void tlsaset_read(const struct span *rdata, size_t count, struct tlsaset *out)
{
	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < count; i++) {
		if (out->count == TLSASET_MAX) {
			out->beyond = (uint16_t)(count - i);
			break;
		}
		struct tlsaset_record *r = &out->record[out->count++];
		r->rdata = rdata[i];
		r->why = tlsa_read(rdata[i], &r->tlsa, NULL) ? "shorter than 4 octets"
							     : tlsa_unusable(&r->tlsa);
	}
	set_weaker_aside(out);
}

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = *(const struct span *const *)a;
	const struct span *y = *(const struct span *const *)b;
	size_t n = x->n < y->n ? x->n : y->n;
	int rc = n ? memcmp(x->p, y->p, n) : 0;

	return rc ? rc : (x->n > y->n) - (x->n < y->n);
}

int tlsaset_hash(const struct span *rdata, size_t count, uint8_t out[32], struct err *err)
{
	struct buf all = { 0 };
	const struct span **order = calloc(count ? count : 1, sizeof *order);

	if (!order)
		return err_set(err, ERR_NOMEM, "TLSA set: no memory");
	for (size_t i = 0; i < count; i++)
		order[i] = &rdata[i];
	qsort(order, count, sizeof *order, compare_spans);
	for (size_t i = 0; i < count; i++) {
		uint8_t length[4];
		struct sink s = sink_into(length, sizeof length);
		sink_u32_be(&s, (uint32_t)order[i]->n);
		buf_put(&all, sink_span(&s));
		buf_put(&all, *order[i]);
	}
	free(order);
	int rc = buf_ok(&all) ? digest_sha256(buf_span(&all), out, err)
			      : err_set(err, ERR_NOMEM, "TLSA set: no memory");
	buf_done(&all);
	return rc;
}

void tlsaset_words(const struct tlsaset *set, char *out, size_t cap)
{
	int n = snprintf(out, cap, "%u TLSA record%s", set->count + set->beyond,
		set->count + set->beyond == 1 ? "" : "s");

	for (unsigned i = 0; i < set->count && n > 0 && (size_t)n < cap; i++) {
		const struct tlsaset_record *r = &set->record[i];
		if (r->why)
			n += snprintf(out + n, cap - (size_t)n, "; %u %u %u set aside: %s",
				r->tlsa.usage, r->tlsa.selector, r->tlsa.matching, r->why);
	}
}
