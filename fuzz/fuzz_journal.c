/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as the state of a rollover: what is read is written, and reads the same. */
#include <stdlib.h>
#include <string.h>

#include "rollover/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* True when the text is the state of a rollover. */
static bool take(struct span text, struct rollover *r)
{
	const struct rollover_policy policy = { .drain_s = 5, .broken_s = 5, .pause_ms = 1000 };
	struct doc *root = NULL;
	bool good = doc_read(text, &root, NULL) == 0 && journal_read(root, &policy, r, NULL) == 0;

	doc_free(root);
	return good;
}

static void put(const struct rollover *r, struct buf *out)
{
	struct writer w = writer_into(out);

	journal_write(r, NULL, &w);
	if (!writer_ok(&w))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first = { 0 }, second = { 0 };
	struct rollover r, again;

	if (!take((struct span){ data, size }, &r))
		return 0;
	put(&r, &first);
	if (!take(buf_span(&first), &again))
		abort();
	put(&again, &second);
	if (first.n != second.n || memcmp(first.p, second.p, first.n) != 0)
		abort();
	rollover_resume(&again, again.since_ms);
	buf_done(&first);
	buf_done(&second);
	return 0;
}
