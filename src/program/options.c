/* SPDX-License-Identifier: Apache-2.0 */
#include "program/options.h"

#include <getopt.h>
#include <stdio.h>

#include "program/log.h"

static const struct option table[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", no_argument, NULL, 't' },
	{ "log-level", required_argument, NULL, 'l' },
	{ "log-json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static void help(const struct options_program *p)
{
	printf("usage: %s [OPTIONS]\n\n%s\n\n"
	       "  -c, --config FILE      configuration (default %s)\n"
	       "  -t, --check            read configuration, certificates and keys, start nothing\n"
	       "  -l, --log-level LEVEL  error, warning, info or debug (default info)\n"
	       "  -j, --log-json         one JSON object per log line\n"
	       "  -h, --help             this text\n"
	       "  -V, --version          the version\n",
		p->name, p->summary, p->config);
}

static int misused(const struct options_program *p)
{
	fprintf(stderr, "%s: see %s --help\n", p->name, p->name);
	return 2;
}

int options_read(const struct options_program *p, int argc, char **argv, struct options *out)
{
	struct options o = { .config = p->config, .level = TRACE_INFO };
	int c;

	while ((c = getopt_long(argc, argv, "c:tl:jhV", table, NULL)) != -1) {
		switch (c) {
		case 'c': o.config = optarg; break;
		case 't': o.check = true; break;
		case 'l':
			if (log_level_read(optarg, &o.level) == 0)
				break;
			fprintf(stderr, "%s: no log level '%s'\n", p->name, optarg);
			return misused(p);
		case 'j': o.json = true; break;
		case 'h': help(p); return 0;
		case 'V': printf("%s %s\n", p->name, SARDANE_VERSION); return 0;
		default: return misused(p);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "%s: unexpected argument '%s'\n", p->name, argv[optind]);
		return misused(p);
	}
	log_open(p->name, o.level, o.json);
	*out = o;
	return -1;
}
