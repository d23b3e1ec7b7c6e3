/* SPDX-License-Identifier: Apache-2.0 */
/* Chunked bodies: the same comes out however the octets are cut, and never more than came in. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "net/http_chunk.h"

#define MOST 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct outcome {
	enum http_head_verdict verdict;
	struct http_head_refusal refusal;
	struct http_chunk chunk;
	uint8_t *octets;
	size_t held;
	size_t fed;
};

static void feed(struct outcome *o, const uint8_t *data, size_t n, size_t step)
{
	*o = (struct outcome){ .octets = malloc(n + 1) };
	if (!o->octets)
		abort();
	while (o->fed < n && o->verdict == HTTP_HEAD_MORE) {
		size_t more = n - o->fed < step ? n - o->fed : step;
		uint8_t *own = malloc(o->held + more); /* a read beyond it is caught */

		if (!own)
			abort();
		memcpy(own, o->octets, o->held);
		memcpy(own + o->held, data + o->fed, more);
		o->fed += more;
		o->held += more;
		o->verdict = http_chunk_read(&o->chunk, own, &o->held, MOST, &o->refusal);
		assert(o->chunk.body <= MOST && o->chunk.body <= o->held && o->held <= o->fed);
		memcpy(o->octets, own, o->held);
		free(own);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct outcome whole, cut;
	size_t step = n ? 1 + data[0] % 16 : 1;

	if (n)
		data++, n--;
	feed(&whole, data, n, n + 1);
	feed(&cut, data, n, step);
	assert(whole.verdict == cut.verdict);
	if (whole.verdict == HTTP_HEAD_REFUSED) {
		assert(whole.refusal.status >= 400 && whole.refusal.status == cut.refusal.status);
	} else {
		assert(whole.chunk.body == cut.chunk.body);
		assert(memcmp(whole.octets, cut.octets, whole.chunk.body) == 0);
	}
	if (whole.verdict == HTTP_HEAD_READY) {
		/* What is behind the body is what stood behind its end in the input. */
		size_t behind = whole.held - whole.chunk.body;

		assert(memcmp(whole.octets + whole.chunk.body, data + n - behind, behind) == 0);
		assert(cut.held - cut.chunk.body + (n - cut.fed) == behind);
	}
	free(whole.octets);
	free(cut.octets);
	return 0;
}
