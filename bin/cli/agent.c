/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent - "sardane agent": looks after every name of a state: rolls its keys, renews, checks what
 * is published and presented, puts it right, and says how it fares.
 */
#include "cli/agent.h"
#include "cli/option.h"
#include "cli/roll.h"
#include "pki/der.h"
#include "pki/pemfile.h"
#include "program/log.h"
#include "program/notify.h"
#include "publish/child.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define ROLL_EVERY_S   (90 * 86400)
#define RENEW_BEFORE_S (30 * 86400)
#define CHECK_EVERY_S  3600
/* An authority; or a third of its life, if that is shorter. */
#define AUTHORITY_BEFORE_S (365 * 86400)
#define SCAN_MS            5000
#define ASLEEP_MS          120000 /* a turn this late: nobody has kept watch */
#define HOOK_MS            60000
#define BEGUN_MS           3000  /* who has just noted a step is at the next */
#define TASKS_MAX          3     /* of a name in a turn */
#define BUSY_MS            30000 /* another process is at it */

enum {
	OPT_STATE = 1,
	OPT_ROLL,
	OPT_RENEW,
	OPT_CHECK,
	OPT_HOOK,
	OPT_STATUS,
	OPT_METRICS,
	OPT_ONCE,
};

const char agent_help[] =
	"usage: sardane agent --state DIR [OPTIONS]\n\n"
	"Looks after every name, and the authority, that sardane rollover was told of: goes on\n"
	"with rollovers, begins one when a key is old or a certificate ends, checks what the\n"
	"servers and the service say, and puts records right. A name that was enrolled and never\n"
	"rolled keeps its key: its enrolment is ended, its record put right, its certificate\n"
	"renewed. A list of sardane ca crl is signed again before it ends, a list of devices\n"
	"enrolled again, which puts right what is missing. Runs until SIGTERM; what it was\n"
	"doing goes on when it is started again. A DNS server that is away delays it, and is\n"
	"named.\n"
	"Exit 0: ended, or with --once all is well; 1: with --once something is late or fails.\n\n"
	"  --state DIR        folder of the state (needed)\n"
	"  --roll-every S     seconds a key is used (default 7776000, 90 days; 0: until its\n"
	"                     certificate ends)\n"
	"  --renew-before S   seconds before the end of a certificate, at most a third of its\n"
	"                     life (default 2592000, 30 days)\n"
	"  --check-every S    seconds between two checks (default 3600)\n"
	"  --hook COMMAND     run at begin, done, late, failing, fine, repaired and renewed\n"
	"  --status FILE      a page in text, replaced after each turn\n"
	"  --metrics FILE     the same for Prometheus (node exporter, textfile collector)\n"
	"  --once             one turn, for a timer\n"
	"  --help             this text\n";

static const struct option options[] = {
	{ "state", required_argument, NULL, OPT_STATE },
	{ "roll-every", required_argument, NULL, OPT_ROLL },
	{ "renew-before", required_argument, NULL, OPT_RENEW },
	{ "check-every", required_argument, NULL, OPT_CHECK },
	{ "hook", required_argument, NULL, OPT_HOOK },
	{ "status", required_argument, NULL, OPT_STATUS },
	{ "metrics", required_argument, NULL, OPT_METRICS },
	{ "once", no_argument, NULL, OPT_ONCE },
	{ 0 },
};

struct request {
	const char *state, *hook, *status, *metrics;
	bool once;
	struct agenda_policy policy;
};

static volatile sig_atomic_t ended;

static void take_signal(int number)
{
	(void)number;
	ended = 1;
}

static int read_option(const struct command *self, int c, void *request)
{
	struct request *r = request;

	switch (c) {
	case OPT_STATE: r->state = optarg; return 0;
	case OPT_HOOK: r->hook = optarg; return 0;
	case OPT_STATUS: r->status = optarg; return 0;
	case OPT_METRICS: r->metrics = optarg; return 0;
	case OPT_ONCE: r->once = true; return 0;
	case OPT_ROLL:
		return option_number(self, "--roll-every", optarg, 0, 999999999,
			&r->policy.roll_every_s);
	case OPT_RENEW:
		return option_number(self, "--renew-before", optarg, 0, 999999999,
			&r->policy.renew_before_s);
	case OPT_CHECK:
		return option_number(self, "--check-every", optarg, 1, 999999999,
			&r->policy.check_every_s);
	}
	return 2;
}

/* A line in the log, and the operator's hook; that it fails is a line too. */
static void tell(const struct request *r, const struct agent_name *a, const char *event,
	const char *words)
{
	char name[sizeof("SARDANE_NAME=") + NAME_TEXT_MAX];
	char what[32], why[sizeof("SARDANE_WORDS=") + 200];
	const char *const variables[] = { name, what, why, NULL };
	struct err err;

	if (strcmp(event, "late") == 0 || strcmp(event, "failing") == 0)
		log_warning("agent.name", "name=%s event=%s words=%s", log_value(a->name), event,
			log_value(words));
	else
		log_info("agent.name", "name=%s event=%s words=%s", log_value(a->name), event,
			log_value(words));
	if (!r->hook)
		return;
	snprintf(name, sizeof(name), "SARDANE_NAME=%s", a->name);
	snprintf(what, sizeof(what), "SARDANE_EVENT=%s", event);
	snprintf(why, sizeof(why), "SARDANE_WORDS=%s", words);
	if (child_run(r->hook, variables, HOOK_MS, &err) != 0)
		log_warning("agent.hook", "name=%s words=%s", log_value(a->name),
			log_value(err.msg));
}

static void fail(const struct request *r, struct agent_name *a, const char *words)
{
	a->failed_ms = roll_now();
	snprintf(a->words, sizeof(a->words), "%s", words);
	if (a->failures++ == 0)
		tell(r, a, "failing", words);
}

static void succeed(const struct request *r, struct agent_name *a, const char *words)
{
	snprintf(a->words, sizeof(a->words), "%s", words);
	if (a->failures)
		tell(r, a, "fine", words);
	a->failures = 0;
	a->failed_ms = 0;
}

static void take_found(const struct request *r, struct agent_name *a, const struct agent_found *f)
{
	if (f->repaired)
		tell(r, a, "repaired", f->did);
	if (f->renewed)
		tell(r, a, "renewed", f->did);
	if (!f->good) {
		fail(r, a, f->words);
		return;
	}
	a->checked_ms = roll_now();
	succeed(r, a, f->words);
}

static int check(const struct request *r, struct agent_name *a, struct rolling *rolling,
	struct err *err)
{
	struct agent_found found = { .did = "records were not as they should be" };
	int rc = rolling_check(rolling, &found.good, &found.repaired, found.words, err);

	if (rc == 0)
		take_found(r, a, &found);
	return rc;
}

static int watch(const struct request *r, struct agent_name *a, struct err *err)
{
	struct agent_found found;
	int rc = agent_watch(r->state, a, &found, err);

	a->busy_ms = rc == 0 && found.busy ? roll_now() : 0;
	/* It will not be due again: whatever failed after it, the program must hear of it. */
	if (rc != 0 && found.renewed)
		tell(r, a, "renewed", found.did);
	if (rc == 0 && !found.busy)
		take_found(r, a, &found);
	return rc;
}

/* Tasks that are due at once, one after the other: a rollover hurries between its waits. */
static int roll_on(struct rolling *rolling, struct err *err)
{
	int64_t wait_ms = 0;
	int rc = 0;

	while (rc == 0 && wait_ms == 0 && !ended)
		rc = rolling_step(rolling, &wait_ms, err);
	return rc;
}

static int act(const struct request *r, struct agent_name *a, struct err *err)
{
	struct roll roll;
	int rc;

	if (a->kind != AGENT_ROLLED)
		return watch(r, a, err);
	rc = roll_open(r->state, &a->file, a->opened, &roll, err);
	a->busy_ms = rc != 0 && roll.hold != ROLLFILE_HELD ? roll_now() : 0;
	if (rc != 0)
		return a->busy_ms ? 0 : rc;
	a->opened = true;
	if (a->next.task == AGENDA_CHECK) {
		rc = check(r, a, roll.rolling, err);
	} else {
		if (a->next.task == AGENDA_ROLL) {
			rc = rolling_begin(roll.rolling, err);
			if (rc == 0)
				tell(r, a, "begin", a->next.why);
		}
		if (rc == 0)
			rc = roll_on(roll.rolling, err);
		if (rc == 0)
			succeed(r, a, "");
	}
	a->file = *rolling_file(roll.rolling);
	roll_close(&roll);
	return rc;
}

static void notice(const struct request *r, struct agent_name *a, int64_t now_ms)
{
	bool late = a->file.under_way && rollover_is_late(&a->file.rollover, now_ms);

	if (late && !a->told_late)
		tell(r, a, "late", a->file.rollover.trouble);
	a->told_late = late;
	if (a->file.done != a->done)
		tell(r, a, "done", a->file.result);
	a->done = a->file.done;
}

/* How long the certificate in use is good: nothing of one that has none yet. */
static void read_life(const struct request *r, struct agent_name *a, struct der_life *life)
{
	const char *folder = a->file.authority ? r->state : a->dir;
	const char *name = a->file.authority ? "/ca.pem"
		: a->kind == AGENT_ENROLLED  ? "/current.pem"
					     : "/current/cert.pem";
	char path[PATH_MAX + 32];
	struct err err;

	if (a->kind == AGENT_CRL) {
		life->from_s = a->crl.this_update;
		life->until_s = a->crl.next_update;
		return;
	}
	if (a->kind == AGENT_FLEET || a->unfinished ||
		snprintf(path, sizeof(path), "%s%s", folder, name) >= PATH_MAX)
		return;
	if (der_read_life(path, life, &err) != 0)
		snprintf(a->words, sizeof(a->words), "%s", err.msg);
}

static struct agenda plan(const struct request *r, struct agent_name *a, int64_t now_ms)
{
	struct agenda_policy policy = r->policy;
	struct der_life life = { 0 };
	struct agenda next;

	read_life(r, a, &life);
	a->ends_ms = life.until_s * 1000;
	struct agenda_facts f = { .name = a->name,
		.under_way = a->file.under_way || a->unfinished,
		.deadline_ms =
			a->unfinished ? a->since_ms + BEGUN_MS : a->file.rollover.deadline_ms,
		.begins_ms = life.from_s * 1000,
		.ends_ms = a->ends_ms,
		.rolled_ms = a->file.ended_ms ? a->file.ended_ms : life.from_s * 1000,
		.checked_ms = a->checked_ms,
		.failed_ms = a->failed_ms,
		.failures = a->failures };

	/* What an authority issues ends with it: so it goes long before, and not by age. */
	if (a->file.authority) {
		policy.roll_every_s = 0;
		policy.renew_before_s = AUTHORITY_BEFORE_S;
	}
	if (a->kind != AGENT_ROLLED)
		policy.roll_every_s = 0;
	next = agenda_next(&policy, &f, now_ms);
	if (a->busy_ms && next.at_ms < a->busy_ms + BUSY_MS)
		next = (struct agenda){ AGENDA_WAIT, a->busy_ms + BUSY_MS,
			"another process is at it" };
	return next;
}

static void write_page(const char *path, struct buf *text)
{
	struct err err;

	if (pemfile_write(path, PEMFILE_PUBLIC, true, buf_span(text), &err) != 0)
		log_warning("agent.page", "words=%s", log_value(err.msg));
}

static void write_pages(const struct request *r, const struct agent_names *n)
{
	struct buf page = { 0 }, metrics = { 0 };

	agent_show(n, roll_now(), &page);
	agent_measure(n, roll_now(), &metrics);
	if (r->status)
		write_page(r->status, &page);
	if (r->metrics)
		write_page(r->metrics, &metrics);
	if (r->once)
		fwrite(page.p, 1, page.n, stdout);
	buf_done(&page);
	buf_done(&metrics);
}

/* One thing after the other: with a check that is due a key may be old as well, and a turn may be
 * the only one (--once). */
static void attend(const struct request *r, struct agent_name *a)
{
	struct err why;

	a->next = plan(r, a, roll_now());
	for (int i = 0; i < TASKS_MAX && a->next.task != AGENDA_WAIT && !ended; i++) {
		if (act(r, a, &why) != 0)
			fail(r, a, why.msg);
		a->next = plan(r, a, roll_now());
	}
	notice(r, a, roll_now());
}

/* Everything that is due; when there is something to do again comes out. */
static int turn(const struct request *r, struct agent_names *n, int64_t *next_ms, bool *well,
	struct err *err)
{
	int rc = agent_names_scan(r->state, n, err);

	*next_ms = roll_now() + SCAN_MS;
	*well = true;
	for (size_t i = 0; rc == 0 && i < n->count && !ended; i++) {
		struct agent_name *a = n->name[i];

		attend(r, a);
		if (a->next.at_ms < *next_ms)
			*next_ms = a->next.at_ms;
		*well = *well && !a->failures && !a->told_late;
	}
	return rc;
}

/* A machine that slept, or a process that was stopped, is as one that began anew. */
static void wake(struct agent_names *n, int64_t next_ms)
{
	if (next_ms == 0 || roll_now() < next_ms + ASLEEP_MS)
		return;
	for (size_t i = 0; i < n->count; i++)
		n->name[i]->opened = false;
}

/* Of a state that could be read once, what cannot be read now is tried again: a failure delays. */
static int run(const struct request *r, bool *well, struct err *err)
{
	struct agent_names names = { 0 };
	int64_t next_ms = 0, wait_ms;
	bool begun = false;
	int rc = 0;

	notify_send("READY=1");
	while (rc == 0 && !ended) {
		wake(&names, next_ms);
		rc = turn(r, &names, &next_ms, well, err);
		if (rc == 0) {
			write_pages(r, &names);
			begun = true;
		} else if (begun && !r->once) {
			log_warning("agent.delayed", "reason=%s", log_value(err->msg));
			rc = 0;
		}
		if (r->once)
			break;
		wait_ms = next_ms - roll_now();
		if (rc == 0 && !ended && wait_ms > 0)
			poll(NULL, 0, (int)(wait_ms < SCAN_MS ? wait_ms : SCAN_MS));
	}
	notify_send("STOPPING=1");
	agent_names_free(&names);
	return rc;
}

int agent_run(const struct command *self, int argc, char **argv)
{
	struct sigaction act = { .sa_handler = take_signal };
	struct request r = { .policy = { ROLL_EVERY_S, RENEW_BEFORE_S, CHECK_EVERY_S } };
	bool well = true;
	struct err err;

	if (command_helped(self, argc, argv))
		return 0;
	if (option_all(self, argc, argv, options, read_option, &r) != 0)
		return 2;
	if (argc != optind)
		return command_fail(self, "'%s': unexpected; see --help", argv[optind]);
	if (!r.state)
		return command_fail(self, "--state: missing");
	log_open("sardane-agent", TRACE_INFO, 0);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	if (run(&r, &well, &err) != 0)
		return command_fail(self, "%s", err.msg);
	return r.once && !well ? 1 : 0;
}
