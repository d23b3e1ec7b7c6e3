/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scarcely - what tests of memory that runs out say about each story: see scarce.h.
 */
#ifndef TESTS_LIB_SCARCELY_H
#define TESTS_LIB_SCARCELY_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "scarce.h"

/* Each allocation fails once; what is refused is refused, and nothing leaks. */
static inline void scarcely_each(bool (*one)(long nth, bool onwards))
{
	struct scarce_tally t = scarce_each(one);

	print_message("# %ld allocations, %ld times refused, %ld more live\n", t.all, t.refused,
		t.more_live);
	assert_true(t.all > 0 && t.refused >= t.all && t.more_live < 12);
}

/* The same of a story that reads a file with this text; path is what mkstemp wants. */
static inline void scarcely_reading(char *path, const char *text,
	bool (*one)(long nth, bool onwards))
{
	int fd = mkstemp(path);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	scarcely_each(one);
	unlink(path);
}

#endif
