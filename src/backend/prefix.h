/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prefix - a block of JoinEUIs: "0102030405060700/56", as ChirpStack writes it.
 *
 *   Source     ChirpStack v4's join_eui_prefix. Without "/" it is one JoinEUI.
 *   Errors     ERR_FORMAT: not 16 digits, or more than 64 bits; *out only on success.
 */
#ifndef BACKEND_PREFIX_H
#define BACKEND_PREFIX_H

#include <stdbool.h>
#include <stdint.h>

struct prefix {
	uint64_t eui;
	unsigned bits; /* of eui that count, from the left */
};

int prefix_read(const char *text, struct prefix *out);
bool prefix_holds(const struct prefix *p, uint64_t join_eui);

/* The same of a text; one that is malformed holds nothing. */
bool prefix_text_holds(const char *text, uint64_t join_eui);

#endif
