/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as the state of a rollover: what is read is written, and reads the same. */
#include <stdlib.h>
#include <string.h>

#include "rollover/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rollover_policy policy = { .drain_s = 5, .broken_s = 5, .pause_ms = 1000 };
	struct buf first = { 0 }, second = { 0 };
	struct rollover r, again;

	if (journal_read((struct span){ data, size }, &policy, &r, NULL) != 0)
		return 0;
	if (journal_write(&r, &first, NULL) != 0 ||
		journal_read(buf_span(&first), &policy, &again, NULL) != 0 ||
		journal_write(&again, &second, NULL) != 0 || first.n != second.n ||
		memcmp(first.p, second.p, first.n) != 0)
		abort();
	rollover_resume(&again, again.since_ms);
	buf_done(&first);
	buf_done(&second);
	return 0;
}
