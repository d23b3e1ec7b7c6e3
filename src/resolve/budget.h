/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget - how many questions each source has open, so that none takes all of them.
 *
 *   Equal      a question that a source asks many times at once counts once for it: a thousand
 *              connections of one name want one answer. question is the hash of its key.
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
enum budget_verdict budget_take(struct budget *b, uint64_t source, uint64_t question, bool scarce);
/* Once for each that was taken. */
void budget_give(struct budget *b, uint64_t source, uint64_t question);

#endif
