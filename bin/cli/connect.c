/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/connect.h"
#include "cli/option.h"
#include "cli/run.h"
#include "dns/owner.h"
#include "program/resolver_config.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_CLIENT_NAME = 1,
	OPT_CERT,
	OPT_KEY,
	OPT_RESOLVER,
	OPT_MODE,
	OPT_STORE,
	OPT_JOIN_EUI,
	OPT_SUFFIX,
	OPT_EXTENSION,
	OPT_WAIT,
	OPT_COUNT,
	OPT_SESSION,
	OPT_JSON,
};

const char connect_help[] =
	"usage: sardane connect HOST:PORT [OPTIONS]\n"
	"       sardane connect --join-eui EUI --suffix NAME [OPTIONS]\n\n"
	"Resolves, connects and authenticates, and explains each step with its DNSSEC status\n"
	"and its time. Sends nothing once it knows who is there. Exit 0: authenticated, and\n"
	"the server did not refuse us; 1: refused; 2: bad input.\n\n"
	"  --client-name N    our name, the owner of our TLSA record; with --cert and --key\n"
	"  --cert C           our certificate, PEM\n"
	"  --key K            its key, PEM\n"
	"  --resolver FILE    YAML file with a resolver block (default: a validating resolver\n"
	"                     with the built-in root keys, forwarding by /etc/resolv.conf)\n"
	"  --mode MODE        dane (default), pkix or dane-or-pkix\n"
	"  --store FILE       PEM of trusted authorities, for pkix and usages 0 and 1\n"
	"  --join-eui EUI     find the Join Server of this JoinEUI, 16 hex digits\n"
	"  --suffix NAME      the domain that JoinEUI names lie under\n"
	"  --client-id-extension N\n"
	"                     number of the TLS extension dane_clientid (default 65280)\n"
	"  --wait MS          how long to listen whether the server objects to us (default 1000)\n"
	"  --count N          connect N times, to see what the caches of both ends save\n"
	"  --session FILE     resume the session in FILE, and keep the new one there: a secret,\n"
	"                     mode 0600; offered only while the server's TLSA is the same\n"
	"  --json             one JSON object\n"
	"  --help             this text\n";

static const struct option options[] = {
	{ "client-name", required_argument, NULL, OPT_CLIENT_NAME },
	{ "cert", required_argument, NULL, OPT_CERT },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "resolver", required_argument, NULL, OPT_RESOLVER },
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "store", required_argument, NULL, OPT_STORE },
	{ "join-eui", required_argument, NULL, OPT_JOIN_EUI },
	{ "suffix", required_argument, NULL, OPT_SUFFIX },
	{ "client-id-extension", required_argument, NULL, OPT_EXTENSION },
	{ "wait", required_argument, NULL, OPT_WAIT },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "session", required_argument, NULL, OPT_SESSION },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

struct request {
	const char *resolver, *join_eui, *suffix, *where;
	bool json;
	unsigned count;
	struct connect_manner manner;
	struct service_target target;
	struct tls_client_config tls;
};

static int read_mode(const struct command *self, enum tls_mode *out)
{
	static const char *const words[] = {
		[TLS_DANE] = "dane",
		[TLS_PKIX] = "pkix",
		[TLS_DANE_OR_PKIX] = "dane-or-pkix",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(optarg, words[i]) != 0)
			continue;
		*out = (enum tls_mode)i;
		return 0;
	}
	return command_fail(self, "--mode '%s': not dane, pkix or dane-or-pkix", optarg);
}

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;
	unsigned n;

	switch (c) {
	case OPT_CLIENT_NAME: r->tls.dane_client_name = optarg; return 0;
	case OPT_CERT: r->tls.tls_cert = optarg; return 0;
	case OPT_KEY: r->tls.tls_key = optarg; return 0;
	case OPT_RESOLVER: r->resolver = optarg; return 0;
	case OPT_MODE: return read_mode(self, &r->tls.mode);
	case OPT_STORE: r->tls.ca_cert = optarg; return 0;
	case OPT_JOIN_EUI: r->join_eui = optarg; return 0;
	case OPT_SUFFIX: r->suffix = optarg; return 0;
	case OPT_JSON: r->json = true; return 0;
	case OPT_WAIT: return option_number(self, "--wait", optarg, 0, 60000, &r->manner.wait_ms);
	case OPT_COUNT:
		return option_number(self, "--count", optarg, 1, CONNECT_TIMES_MAX, &r->count);
	case OPT_SESSION: r->manner.session = optarg; return 0;
	case OPT_EXTENSION:
		if (option_number(self, "--client-id-extension", optarg, 1, 65535, &n) != 0)
			return 2;
		r->tls.client_id_extension = (uint16_t)n;
		return 0;
	}
	return 2;
}

static int read_join_eui(const struct command *self, struct request *r)
{
	struct name suffix;

	if (strlen(r->join_eui) != 16 || strspn(r->join_eui, "0123456789abcdefABCDEF") != 16)
		return command_fail(self, "--join-eui '%s': not 16 hex digits", r->join_eui);
	if (name_of(r->suffix, &suffix) != 0)
		return command_fail(self, "--suffix '%s': not a domain name", r->suffix);
	if (owner_join_eui(strtoull(r->join_eui, NULL, 16), &suffix, &r->target.name) != 0)
		return command_fail(self, "--suffix '%s': too long", r->suffix);
	r->target.start = SERVICE_NAPTR;
	return 0;
}

static int read_where(const struct command *self, struct request *r)
{
	const char *colon = strrchr(r->where, ':');
	char host[NAME_TEXT_MAX];
	unsigned port;

	if (!colon || colon == r->where || (size_t)(colon - r->where) >= sizeof(host))
		return command_fail(self, "'%s': not HOST:PORT", r->where);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - r->where), r->where);
	if (option_number(self, "port", colon + 1, 1, 65535, &port) != 0)
		return 2;
	if (name_of(host, &r->target.name) != 0)
		return command_fail(self, "host '%s': not a domain name", host);
	r->target.start = SERVICE_HOST;
	r->target.port = (uint16_t)port;
	return 0;
}

static int check_client(const struct command *self, const struct request *r)
{
	struct name name;

	if (!r->tls.tls_cert != !r->tls.tls_key)
		return command_fail(self, "--cert and --key: give both");
	if (!r->tls.dane_client_name)
		return 0;
	if (!r->tls.tls_cert)
		return command_fail(self, "--client-name: needs --cert and --key");
	if (name_of(r->tls.dane_client_name, &name) != 0)
		return command_fail(self, "--client-name '%s': not a domain name",
			r->tls.dane_client_name);
	return 0;
}

static int read_request(const struct command *self, int argc, char **argv, struct request *r)
{
	if (option_all(self, argc, argv, options, read_option, r) != 0)
		return 2;
	if (!r->join_eui != !r->suffix)
		return command_fail(self, "--join-eui and --suffix: give both");
	if (argc - optind != (r->join_eui ? 0 : 1))
		return command_fail(self, "HOST:PORT or --join-eui: give one; see --help");
	if (check_client(self, r) != 0)
		return 2;
	r->where = r->join_eui ? NULL : argv[optind];
	return r->join_eui ? read_join_eui(self, r) : read_where(self, r);
}

static int open_resolver(const struct request *r, struct resolver **out, struct err *err)
{
	struct resolver_config config = { .trust_anchor_builtin = true,
		.resolv_conf = "/etc/resolv.conf" };
	struct resolver_settings settings = { 0 };
	char helper[PATH_MAX];
	int rc = 0;

	if (r->resolver) {
		rc = resolver_config_load(r->resolver, &settings, err);
		if (rc != 0)
			return rc;
		config = settings.config;
		config.trace = (struct trace){ 0 };
	}
	if (!config.helper && run_find_own("resolverd/sardane-resolverd", helper, sizeof(helper)))
		config.helper = helper;
	rc = resolver_new(&config, out, err);
	if (r->resolver)
		resolver_config_done(&settings);
	return rc;
}

/* The first is the one to explain: later ones find their answers in the caches. One that
 * fails takes its place. */
static int explore_again(const struct request *r, struct resolver *resolver, struct connect *c,
	struct err *err)
{
	struct connect *later = calloc(1, sizeof(*later));
	int rc = later ? connect_find(later, resolver, &r->target, r->tls.mode, err)
		       : err_set(err, ERR_NOMEM, "out of memory");

	if (rc == 0)
		rc = connect_greet(later, &r->tls, &r->manner, err);
	if (rc == 0)
		connect_take_times(c, later);
	if (rc == 0 && !connect_is_authenticated(later)) {
		struct connect first = *c;

		*c = *later;
		memcpy(c->times, first.times, sizeof(c->times));
		c->times_count = first.times_count;
		*later = first;
	}
	if (later)
		connect_done(later);
	free(later);
	return rc;
}

static int explore(const struct request *r, struct connect *c, struct err *err)
{
	struct resolver *resolver = NULL;
	int rc = open_resolver(r, &resolver, err);

	if (rc == 0)
		rc = connect_find(c, resolver, &r->target, r->tls.mode, err);
	if (rc == 0)
		rc = connect_greet(c, &r->tls, &r->manner, err);
	for (unsigned i = 1; rc == 0 && i < r->count && connect_is_authenticated(c); i++)
		rc = explore_again(r, resolver, c, err);
	if (rc == 0)
		connect_show(c, &r->tls, r->json);
	resolver_free(resolver);
	return rc;
}

int connect_run(const struct command *self, int argc, char **argv)
{
	struct request r = { .count = 1,
		.manner = { .wait_ms = 1000 },
		.tls = { .mode = TLS_DANE } };
	struct connect *c;
	struct err err;
	int rc;

	if (command_helped(self, argc, argv))
		return 0;
	if (read_request(self, argc, argv, &r) != 0)
		return 2;
	c = calloc(1, sizeof(*c));
	if (!c)
		return command_fail(self, "out of memory");
	signal(SIGPIPE, SIG_IGN);
	if (explore(&r, c, &err) != 0)
		rc = command_fail(self, "%s", err.msg);
	else
		rc = connect_is_authenticated(c) ? 0 : 1;
	connect_done(c);
	free(c);
	return rc;
}
