/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of requests: what is READY stays so when read alone, and never before its last octet. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "net/http_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool inside(struct span part, const uint8_t *data, size_t n)
{
	return !part.n || (part.p >= data && part.p + part.n <= data + n) || part.p[0] == '/';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct http_head_refusal refusal = { 0 };
	struct http_head head, again;
	uint8_t *alone;

	switch (http_head_read((struct span){ data, n }, &head, &refusal)) {
	case HTTP_HEAD_MORE: assert(n < HTTP_HEAD_OCTETS_MAX + 2); return 0;
	case HTTP_HEAD_REFUSED: assert(refusal.status >= 400 && refusal.why[0]); return 0;
	case HTTP_HEAD_READY: break;
	}
	assert(head.octets <= n && head.octets <= HTTP_HEAD_OCTETS_MAX + 2);
	assert(head.method.n && head.path.n && head.path.p[0] == '/');
	assert(inside(head.method, data, n) && inside(head.path, data, n) &&
		inside(head.content_type, data, n));
	/* A copy of its own size: a read beyond it is caught. */
	alone = malloc(head.octets);
	if (!alone)
		return 0;
	memcpy(alone, data, head.octets);
	assert(http_head_read((struct span){ alone, head.octets }, &again, &refusal) ==
		HTTP_HEAD_READY);
	assert(again.octets == head.octets && again.body == head.body);
	assert(http_head_read((struct span){ alone, head.octets - 1 }, &again, &refusal) ==
		HTTP_HEAD_MORE);
	free(alone);
	return 0;
}
