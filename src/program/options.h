/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options - the command line that all servers share.
 *
 *   sardane-joind [--config FILE] [--check] [--log-level LEVEL] [--log-json]
 *                 [--help] [--version]
 *
 *   -c, --config FILE   -t, --check: read the configuration, say what is wrong, start nothing
 *   -l, --log-level LEVEL   error, warning, info (default), debug   -j, --log-json
 */
#ifndef PROGRAM_OPTIONS_H
#define PROGRAM_OPTIONS_H

#include <stdbool.h>

#include "core/trace.h"

struct options_program {
	const char *name;    /* "sardane-joind" */
	const char *summary; /* one line */
	const char *config;  /* the default file, "/etc/sardane/joind.yaml" */
};

struct options {
	const char *config;
	bool check;
	enum trace_level level;
	bool json;
};

/* Opens the log too. Returns -1 to go on, else the exit status: 0 after --help and
 * --version, 2 after a usage error; both have been printed. */
int options_read(const struct options_program *program, int argc, char **argv, struct options *out);

#endif
