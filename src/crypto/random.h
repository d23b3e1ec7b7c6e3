/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random - octets nobody can guess.
 *
 *   Errors  ERR_CRYPTO with words; the memory is untouched by then or worthless.
 */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include "core/err.h"

#include <stddef.h>

int random_octets(void *out, size_t n, struct err *err);

/* A number below limit, without bias; limit is at least 1. */
int random_below(unsigned int limit, unsigned int *out, struct err *err);

#endif
