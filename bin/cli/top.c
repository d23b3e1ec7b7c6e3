/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top - "sardane top": who is connected to a sardane-proxy, and who was refused, as it happens.
 */
#include "cli/command.h"
#include "cli/option.h"
#include "cli/topshow.h"
#include "net/local.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { OPT_AT = 1, OPT_ONCE, OPT_EVERY };

const char top_help[] =
	"usage: sardane top [OPTIONS]\n\n"
	"Shows who is connected to a sardane-proxy, and who was refused and why; q ends it.\n\n"
	"  --at WHERE         its status: unix:/path or a loopback address and port\n"
	"                     (default unix:/run/sardane-proxy/status)\n"
	"  --once             one picture, whole, and no terminal\n"
	"  --every S          seconds between two pictures (default 1)\n"
	"  --help             this text\n";

static const struct option options[] = {
	{ "at", required_argument, NULL, OPT_AT },
	{ "once", no_argument, NULL, OPT_ONCE },
	{ "every", required_argument, NULL, OPT_EVERY },
	{ 0 },
};

#define STATUS_MAX (4u << 20)
#define PEERS_MAX  (64u << 20)
#define TIMEOUT_MS 10000

struct request {
	const char *at;
	bool once;
	unsigned every_s;
};

struct picture {
	struct doc *status, *peers;
	int64_t at_ms;
};

static volatile sig_atomic_t ended;

static void end(int number)
{
	(void)number;
	ended = 1;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;

	switch (c) {
	case OPT_AT: r->at = optarg; return 0;
	case OPT_ONCE: r->once = true; return 0;
	case OPT_EVERY: return option_number(self, "--every", optarg, 1, 3600, &r->every_s);
	}
	return 2;
}

static int get(const char *at, const char *path, size_t most, struct doc **out, struct err *err)
{
	struct buf text = { 0 };
	long code = 0;
	int rc = local_get(at, path, most, TIMEOUT_MS, &text, &code, err);

	if (rc == 0 && code != 200)
		rc = err_set(err, ERR_SYSTEM, "%s: HTTP status %ld for %s", at, code, path);
	rc = rc ? rc : doc_read_long(buf_span(&text), most, out, err);
	buf_done(&text);
	return rc;
}

static void forget(struct picture *p)
{
	doc_free(p->status);
	doc_free(p->peers);
	*p = (struct picture){ 0 };
}

static int take(const struct request *r, struct picture *out, struct err *err)
{
	struct picture p = { .at_ms = now_ms() };
	int rc = get(r->at, "/status", STATUS_MAX, &p.status, err);

	rc = rc ? rc : get(r->at, "/peers", PEERS_MAX, &p.peers, err);
	if (rc == 0)
		*out = p;
	else
		forget(&p);
	return rc;
}

static void show(const struct picture *now, const struct picture *before, bool once)
{
	struct winsize size = { 0 };
	struct topshow t = { .status = now->status,
		.peers = now->peers,
		.before = before->status,
		.since_ms = now->at_ms - before->at_ms };
	struct buf out = { 0 };

	if (!once && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
		t.rows = size.ws_row;
		t.columns = size.ws_col;
		t.colour = true;
		buf_text(&out, "\033[H\033[2J");
	}
	topshow_write(&t, &out);
	if (buf_ok(&out))
		fputs(buf_string(&out), stdout);
	fflush(stdout);
	buf_done(&out);
}

/* True: a key was pressed that ends it. */
static bool rest(unsigned seconds)
{
	struct pollfd key = { .fd = STDIN_FILENO, .events = POLLIN };
	char c;

	return poll(&key, 1, (int)seconds * 1000) > 0 &&
		(read(STDIN_FILENO, &c, 1) <= 0 || c == 'q');
}

static int watch(const struct request *r, struct err *err)
{
	struct picture now = { 0 }, before = { 0 };
	int rc = 0;

	while (!ended && rc == 0) {
		rc = take(r, &now, err);
		if (rc != 0)
			break;
		show(&now, &before, r->once);
		forget(&before);
		before = now;
		if (r->once || rest(r->every_s))
			break;
	}
	forget(&before);
	return rc;
}

/* Keys are heard at once, on a screen of our own. */
static int watch_terminal(const struct request *r, struct err *err)
{
	const struct sigaction action = { .sa_handler = end };
	struct termios was, raw;
	int rc;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &was) != 0)
		return err_set(err, ERR_ARG, "no terminal; with --once it needs none");
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	raw = was;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fputs("\033[?1049h\033[?25l", stdout);
	rc = watch(r, err);
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &was);
	return rc;
}

int top_run(const struct command *self, int argc, char **argv)
{
	struct request r = { .at = "unix:/run/sardane-proxy/status", .every_s = 1 };
	struct err err;

	if (command_helped(self, argc, argv))
		return 0;
	if (option_all(self, argc, argv, options, read_option, &r) != 0)
		return 2;
	if (optind < argc)
		return command_fail(self, "more words than needed; see --help");
	if ((r.once ? watch(&r, &err) : watch_terminal(&r, &err)) != 0)
		return command_fail(self, "%s", err.msg);
	return 0;
}
