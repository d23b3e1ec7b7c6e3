/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget - how many askers each source has open, so that none takes all of them.
 *
 *   Source 0   is ourselves and is not counted.
 *   Bounds     a source is remembered only while it has an asker open.
 */
#ifndef RESOLVE_BUDGET_H
#define RESOLVE_BUDGET_H

#include "resolve/key.h"

struct budget;

enum budget_verdict { BUDGET_TAKEN, BUDGET_OVER, BUDGET_NO_MEMORY };

struct budget *budget_new(const struct key_seed *seed, unsigned per_source_max);
void budget_free(struct budget *b);
/* scarce: all sources together have taken much; each may then only have an eighth. */
enum budget_verdict budget_take(struct budget *b, uint64_t source, bool scarce);
void budget_give(struct budget *b, uint64_t source);

#endif
