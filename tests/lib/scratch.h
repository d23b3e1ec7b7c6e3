/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scratch - a group of tests that works in a folder of its own, removed at the end.
 *
 *   return cmocka_run_group_tests_name("x", tests, scratch_begin, scratch_end);
 */
#ifndef TESTS_LIB_SCRATCH_H
#define TESTS_LIB_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char scratch_folder[] = "/tmp/sardane-scratch-XXXXXX";

static int scratch_begin(void **state)
{
	(void)state;
	return mkdtemp(scratch_folder) ? chdir(scratch_folder) : -1;
}

static int scratch_end(void **state)
{
	char words[64];

	(void)state;
	snprintf(words, sizeof(words), "rm -rf %s", scratch_folder);
	return chdir("/") || system(words);
}

#endif
