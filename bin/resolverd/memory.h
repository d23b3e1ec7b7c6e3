/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory - how much address space the validator may take.
 *
 *   memory.c            one gigabyte
 *   memory_sanitized.c  no limit: AddressSanitizer reserves terabytes it never touches
 */
#ifndef RESOLVERD_MEMORY_H
#define RESOLVERD_MEMORY_H

#include <sys/resource.h>

rlim_t memory_most(void);

#endif
