/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/answer.h"

#include <stdlib.h>
#include <string.h>

struct answer *answer_new(enum answer_status status, const struct span *rdata, uint16_t count,
	const char *why)
{
	size_t octets = 0, words = why ? strnlen(why, ANSWER_WHY_MAX - 1) : 0;
	struct answer *a;
	uint8_t *p;

	for (uint16_t i = 0; i < count; i++)
		octets += rdata[i].n;
	a = malloc(sizeof(*a) + count * sizeof(*a->rdata) + octets + words + 1);
	if (!a)
		return NULL;
	*a = (struct answer){ .refs = 1, .status = status, .count = count };
	a->rdata = (struct span *)(a + 1);
	p = (uint8_t *)(a->rdata + count);
	for (uint16_t i = 0; i < count; i++) {
		a->rdata[i] = (struct span){ p, rdata[i].n };
		if (rdata[i].n)
			memcpy(p, rdata[i].p, rdata[i].n);
		p += rdata[i].n;
	}
	if (words)
		memcpy(p, why, words);
	p[words] = 0;
	a->why = (const char *)p;
	return a;
}

struct answer *answer_keep(struct answer *a)
{
	a->refs++;
	return a;
}

void answer_drop(struct answer *a)
{
	if (a && --a->refs == 0)
		free(a);
}

size_t answer_octets(const struct answer *a)
{
	size_t octets = sizeof(*a) + a->count * sizeof(*a->rdata) + strlen(a->why) + 1;

	for (uint16_t i = 0; i < a->count; i++)
		octets += a->rdata[i].n;
	return octets;
}

const char *answer_status_word(enum answer_status status)
{
	switch (status) {
	case ANSWER_FAILED: return "failed";
	case ANSWER_SECURE: return "secure";
	case ANSWER_DENIAL: return "secure-denial";
	case ANSWER_INSECURE: return "insecure";
	case ANSWER_BOGUS: return "bogus";
	}
	return "unknown";
}
