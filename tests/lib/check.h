/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check - cmocka with its includes in the right order, and two shorthands.
 *
 *   TEST(name)   one entry of the table: the function's name is the sentence printed
 *   bytes(text)  a span over the octets of a string literal, without its final zero
 *
 *   CHECK_ONLY   in the environment: run only the tests of this name (* and ? allowed)
 */
#ifndef TESTS_LIB_CHECK_H
#define TESTS_LIB_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEST(f)     cmocka_unit_test(f)
#define bytes(text) ((struct span){ (const uint8_t *)("" text), sizeof(text) - 1 })

static __attribute__((constructor)) void check_only(void)
{
	if (getenv("CHECK_ONLY"))
		cmocka_set_test_filter(getenv("CHECK_ONLY"));
}

#endif
