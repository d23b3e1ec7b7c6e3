/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/option.h"

#include <stdlib.h>
#include <string.h>

/* Says what was wrong with the option that getopt stopped at. */
static int fail(const struct command *self, char **argv)
{
	const char *word = argv[optind - 1];

	if (optopt && strlen(word) == 2)
		return command_fail(self, "option '-%c': unknown; see --help", optopt);
	if (optopt)
		return command_fail(self, "option '%s': its value is missing, or it takes none",
			word);
	return command_fail(self, "option '%s': unknown or ambiguous; see --help", word);
}

static int all(const struct command *self, int argc, char **argv, const struct option *table,
	int (*next)(int, char *const *, const char *, const struct option *, int *),
	option_take *take, void *request)
{
	int c;

	opterr = 0;
	while ((c = next(argc, argv, ":", table, NULL)) != -1) {
		if (c == '?' || c == ':')
			return fail(self, argv);
		if (take(self, c, request) != 0)
			return 2;
	}
	return 0;
}

int option_all(const struct command *self, int argc, char **argv, const struct option *table,
	option_take *take, void *request)
{
	return all(self, argc, argv, table, getopt_long, take, request);
}

int option_all_one_dash(const struct command *self, int argc, char **argv,
	const struct option *table, option_take *take, void *request)
{
	return all(self, argc, argv, table, getopt_long_only, take, request);
}

int option_number(const struct command *self, const char *option, const char *text, unsigned min,
	unsigned max, unsigned *out)
{
	unsigned long v;
	char *end;

	if (text[0] < '0' || text[0] > '9' || strlen(text) > 9)
		return command_fail(self, "%s '%s': not a number from %u to %u", option, text, min,
			max);
	v = strtoul(text, &end, 10);
	if (*end || v < min || v > max)
		return command_fail(self, "%s '%s': not a number from %u to %u", option, text, min,
			max);
	*out = (unsigned)v;
	return 0;
}
