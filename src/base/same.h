/* SPDX-License-Identifier: Apache-2.0 */
/*
 * same - compare secrets in time that depends on their length alone.
 */
#ifndef BASE_SAME_H
#define BASE_SAME_H

#include "base/cursor.h"

/* True when a and b have the same length and the same octets. */
bool same_octets(struct span a, struct span b);

#endif
