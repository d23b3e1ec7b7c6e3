/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolving - a resolver turned by the loop: its one descriptor polled, then dispatched.
 *
 *   Ownership  the resolver stays the caller's and outlives this. Closing is asynchronous
 *              as with every handle: run the loop once more, or loop_close.
 */
#ifndef NET_RESOLVING_H
#define NET_RESOLVING_H

#include <uv.h>

#include "resolve/resolver.h"

struct resolving;

int resolving_new(uv_loop_t *loop, struct resolver *r, struct resolving **out, struct err *err);
void resolving_free(struct resolving *r);

#endif
