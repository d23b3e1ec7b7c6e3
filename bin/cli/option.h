/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option - what every subcommand does with getopt_long, in one place.
 *
 *   Use      a table, and a function that takes one option: option_all does the rest.
 *   Errors   one line on standard error that names the option, exit 2.
 */
#ifndef CLI_OPTION_H
#define CLI_OPTION_H

#include "cli/command.h"

#include <getopt.h>
#include <stdbool.h>

/* Takes the option c of the table, its value in optarg: 0, or 2 after saying what is wrong. */
typedef int option_take(const struct command *self, int c, void *request);

/* Reads every option, long ones only; the words that are none begin at optind. 0, or 2 after
 * one that is unknown, lacks its value, or that take refused. */
int option_all(const struct command *self, int argc, char **argv, const struct option *table,
	option_take *take, void *request);
/* The same where -option does as well as --option, as Go's programs have it. */
int option_all_one_dash(const struct command *self, int argc, char **argv,
	const struct option *table, option_take *take, void *request);

/* A decimal number from min to max, no sign, no blank: else says so and returns 2. */
int option_number(const struct command *self, const char *option, const char *text, unsigned min,
	unsigned max, unsigned *out);

#endif
