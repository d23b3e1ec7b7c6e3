/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_keys - which keys stand at the top of a file and in the entries of its lists, and where.
 *
 *   For        what a schema cannot say: that a key is for some entries of a list alone. A value
 *              does not tell whether somebody wrote it.
 *   Source     a text that config_load_text took, so it has no alias and no key twice.
 *   Ownership  what is seen borrows the text's copy, until the call that tells it is over.
 *   Errors     those of seen, which ends the walk; ERR_FORMAT, ERR_NOMEM.
 */
#ifndef PROGRAM_CONFIG_KEYS_H
#define PROGRAM_CONFIG_KEYS_H

#include "core/err.h"

/* "listeners[2].header_max", at its line and column, which begin with 1. */
struct config_key {
	const char *list, *key; /* list NULL: it stands at the top */
	unsigned index;
	unsigned long line, column;
};

typedef int config_keys_seen(void *arg, const struct config_key *key, struct err *err);

/* Each key at the top, and behind it those of each mapping in its list, in the order of the text.
 */
int config_keys_each(const char *text, config_keys_seen *seen, void *arg, struct err *err);

#endif
