/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option - what every subcommand does with getopt_long, in one place.
 *
 *   Use      while ((c = option_next(argc, argv, table)) != -1) switch (c) { ...
 *            default: return option_fail(self, argv); }
 *   Errors   one line on standard error that names the option, exit 2.
 */
#ifndef CLI_OPTION_H
#define CLI_OPTION_H

#include "cli/command.h"

#include <getopt.h>
#include <stdbool.h>

/* Long options only; '?' for one that is unknown or lacks its value. */
int option_next(int argc, char **argv, const struct option *table);

/* Says what was wrong with the option option_next stopped at; returns 2. */
int option_fail(const struct command *self, char **argv);

/* A decimal number from min to max, no sign, no blank: else says so and returns 2. */
int option_number(const struct command *self, const char *option, const char *text, unsigned min,
	unsigned max, unsigned *out);

#endif
