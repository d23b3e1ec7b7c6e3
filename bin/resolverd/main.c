/* SPDX-License-Identifier: Apache-2.0 */
#include "resolverd/channel.h"
#include "resolverd/sandbox.h"
#include "resolverd/validator.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: sardane-resolverd [--help | --version]\n"
	"\n"
	"Validates DNS answers for libsardane, which starts it by itself: there is\n"
	"nothing to run by hand. It reads its configuration from descriptor 3.\n"
	"\n"
	"  --help       print this and leave\n"
	"  --version    print the version and leave\n";

struct daemon {
	struct validator *validator;
	struct channel *channel;
};

static void on_question(void *arg, const struct wire_question *q)
{
	struct daemon *d = arg;

	validator_ask(d->validator, q);
}

static void on_done(void *arg, const struct wire_answer *answer)
{
	struct daemon *d = arg;

	channel_send(d->channel, answer);
}

/* Our life is the socket pair's: signals to the whole group are for our parent. */
static void ignore_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_IGN);
}

static void describe(const struct wire_config *config, const char *sandbox, char *out, size_t cap)
{
	snprintf(out, cap, "anchors=%s%s%s forward=%u stub=%u %s",
		config->anchor_builtin ? "builtin" : "", config->anchor_file ? "+file" : "",
		config->anchor_managed ? "+managed" : "", config->forward_count, config->stub_count,
		sandbox);
}

static int set_up(struct event_base *base, struct daemon *d, char *words, size_t cap,
	struct err *err)
{
	static uint8_t packet[WIRE_PACKET_MAX];
	char sandbox[128];
	struct wire_config config;
	int rc = channel_read_config(packet, &config, err);

	if (!rc)
		rc = validator_new(base, &config, on_done, d, &d->validator, err);
	if (!rc)
		rc = channel_new(base, on_question, d, &d->channel, err);
	if (!rc)
		rc = sandbox_enter(&(struct sandbox){ config.user, config.anchor_managed }, sandbox,
			sizeof(sandbox), err);
	if (!rc)
		describe(&config, sandbox, words, cap);
	return rc;
}

static int serve(void)
{
	struct event_base *base = event_base_new();
	struct daemon daemon = { 0 };
	struct err err = { 0 };
	char words[512];

	if (!base)
		return 1;
	if (set_up(base, &daemon, words, sizeof(words), &err)) {
		channel_send_ready(false, err.msg);
		return 1;
	}
	channel_send_ready(true, words);
	event_base_dispatch(base);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(usage, stdout) < 0;
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("sardane-resolverd " SARDANE_VERSION) < 0;
	if (argc != 1 || !channel_is_there()) {
		fputs(usage, stderr);
		return 2;
	}
	ignore_signals();
	return serve();
}
