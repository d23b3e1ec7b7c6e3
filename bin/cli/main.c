/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main - find the row of the table that the words name, and run it.
 */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

static void usage(FILE *out)
{
	fputs("usage: sardane COMMAND [VERB] [OPTIONS]\n\n"
	      "DNS names as identities: DANE for servers, DANCE for clients, LoRaWAN for both.\n\n",
		out);
	for (const struct command *c = command_table; c->name; c++)
		fprintf(out, "  %-10s %-14s %s\n", c->name, c->verb ? c->verb : "", c->summary);
	fputs("\nsardane COMMAND [VERB] --help explains one of them.\n", out);
}

static int unknown(int argc, char **argv, int named)
{
	if (!named)
		fprintf(stderr, "sardane: no command '%s'; see sardane --help\n", argv[1]);
	else if (argc < 3)
		fprintf(stderr, "sardane %s: a verb is missing; see sardane --help\n", argv[1]);
	else
		fprintf(stderr, "sardane %s: no verb '%s'; see sardane --help\n", argv[1], argv[2]);
	return 2;
}

/* "sardane ca --help" lists the verbs of ca. */
static int verbs_helped(int argc, char **argv)
{
	if (argc != 3 || (strcmp(argv[2], "--help") != 0 && strcmp(argv[2], "-h") != 0))
		return 0;
	for (const struct command *c = command_table; c->name; c++)
		if (strcmp(c->name, argv[1]) == 0 && c->verb)
			printf("  %s %-14s %s\n", c->name, c->verb, c->summary);
	return 1;
}

int main(int argc, char **argv)
{
	int named = 0;

	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		strcmp(argv[1], "help") == 0) {
		usage(stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("sardane " SARDANE_VERSION);
		return 0;
	}
	for (const struct command *c = command_table; c->name; c++) {
		if (strcmp(c->name, argv[1]) != 0)
			continue;
		named = 1;
		if (!c->verb)
			return c->run(c, argc - 1, argv + 1);
		if (argc > 2 && strcmp(c->verb, argv[2]) == 0)
			return c->run(c, argc - 2, argv + 2);
	}
	if (named && verbs_helped(argc, argv))
		return 0;
	return unknown(argc, argv, named);
}
