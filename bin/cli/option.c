/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/option.h"

#include <stdlib.h>
#include <string.h>

int option_next(int argc, char **argv, const struct option *table)
{
	opterr = 0;
	return getopt_long(argc, argv, ":", table, NULL);
}

int option_fail(const struct command *self, char **argv)
{
	const char *word = argv[optind - 1];

	if (optopt && strncmp(word, "--", 2) != 0)
		return command_fail(self, "option '-%c': unknown; see --help", optopt);
	if (optopt)
		return command_fail(self, "option '%s': its value is missing, or it takes none",
			word);
	return command_fail(self, "option '%s': unknown or ambiguous; see --help", word);
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
