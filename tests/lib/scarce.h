/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scarce - memory that runs out at the allocation a test says.
 *
 *   Ours       malloc, calloc, realloc, strdup and strndup of what is linked with scarce_wrap
 *              (tests/meson.build), wrapped at link time.
 *   Libraries  libcyaml's likewise; OpenSSL's by scarce_openssl; others with a hook for it are
 *              given scarce_malloc, scarce_realloc and scarce_free. All count in one row.
 *   Threads    any; the test sees to it that one works at a time, or the row is no row.
 */
#ifndef TESTS_LIB_SCARCE_H
#define TESTS_LIB_SCARCE_H

#include <stdbool.h>
#include <stddef.h>

/* The nth allocation from now on fails, and with onwards all that follow; 0: none does. */
void scarce_fail(long nth, bool onwards);
/* From now on none fails and none is counted. */
void scarce_end(void);
long scarce_counted(void); /* from the last scarce_fail to scarce_end */
long scarce_live(void);    /* allocations not freed */

/*
 * Calls one with each of its allocations failing, alone and with all after it. one begins with
 * scarce_fail(nth, onwards), ends with scarce_end and says whether it came out as with memory
 * enough; what else must hold it asserts itself. Aborts when it does not even with enough.
 */
struct scarce_tally {
	long all;       /* allocations of one call */
	long refused;   /* of twice as many calls */
	long more_live; /* what a library keeps, a few, or a leak */
};
struct scarce_tally scarce_each(bool (*one)(long nth, bool onwards));

/* How far from one failing allocation to the next: SARDANE_STRIDE, 1 for every one of them. */
long scarce_stride(void);

/* OpenSSL's too; before anything of it is called. False: too late. */
bool scarce_openssl(void);

void *scarce_malloc(size_t n);
void *scarce_realloc(void *p, size_t n); /* n 0: frees */
void scarce_free(void *p);

#endif
