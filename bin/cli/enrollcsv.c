/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enrollcsv - "sardane enroll --csv": the devices of a fleet, all together.
 */
#include "cli/enroll.h"
#include "cli/text.h"
#include "cli/tracework.h"
#include "identity/fleetfile.h"
#include "pki/pemfile.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH   40
#define BAR_EVERY_S 0.2
#define SAY_EVERY_S 5.0

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct progress {
	bool bar; /* standard error is a terminal */
	double next;
};

/* A bar that is drawn again and again, or now and then a line. */
static void show_progress(void *arg, const char *what, size_t done, size_t all)
{
	struct progress *p = arg;
	const double now = now_s();
	const int full = all ? (int)(BAR_WIDTH * done / all) : BAR_WIDTH;

	if (now < p->next && (done < all || !p->bar))
		return;
	p->next = now + (p->bar ? BAR_EVERY_S : SAY_EVERY_S);
	if (p->bar)
		fprintf(stderr, "\r%-9s [%.*s%*s] %zu of %zu%s", what, full,
			"########################################", BAR_WIDTH - full, "", done, all,
			done == all ? "\n" : "");
	else
		fprintf(stderr, "%s %zu of %zu\n", what, done, all);
}

static void tell_servers(const struct fleet_report *r, struct buf *t)
{
	for (size_t i = 0; i < r->servers; i++) {
		const struct fleet_server *s = &r->server[i];

		if (s->lacking)
			buf_printf(t, "server  %s  %zu not as they should be: %s\n", s->who,
				s->lacking, s->why);
		else
			buf_printf(t, "server  %s  serves all of them, signed\n", s->who);
	}
}

static void tell(const struct fleet_report *r, double took_s, struct buf *t)
{
	buf_printf(t, "devices       %zu, %zu of them new or changed, %zu cut off\n", r->devices,
		r->fresh, r->cut);
	buf_printf(t, "keys made     %zu\ncertificates  %zu\n", r->keys, r->certificates);
	buf_printf(t, "published     %zu, mended %zu\n", r->published, r->mended);
	buf_printf(t, "verified      %zu of %zu, %zu signatures for the first time, %.1f s\n",
		r->verified, r->devices, r->judged, took_s);
	tell_servers(r, t);
}

static void write_members(const struct fleet_report *r, double took_s, struct writer *w)
{
	writer_u64(w, "devices", r->devices);
	writer_u64(w, "new", r->fresh);
	writer_u64(w, "cut_off", r->cut);
	writer_u64(w, "keys", r->keys);
	writer_u64(w, "certificates", r->certificates);
	writer_u64(w, "published", r->published);
	writer_u64(w, "mended", r->mended);
	writer_u64(w, "verified", r->verified);
	writer_u64(w, "signatures_judged", r->judged);
	writer_real(w, "seconds", took_s, 2);
	writer_open(w, "servers", '[');
	for (size_t i = 0; i < r->servers; i++) {
		writer_open(w, NULL, '{');
		writer_text(w, "server", r->server[i].who);
		writer_u64(w, "lacking", r->server[i].lacking);
		if (r->server[i].lacking)
			writer_text(w, "why", r->server[i].why);
		writer_close(w);
	}
	writer_close(w);
}

static int show(const struct enroll_fleet *r, const struct fleet_report *report, double took_s,
	struct buf *plan)
{
	struct buf t = { 0 };

	if (r->json) {
		struct writer w = writer_into(&t);

		writer_open(&w, NULL, '{');
		if (r->dry_run) {
			writer_u64(&w, "devices", report->devices);
			writer_u64(&w, "new", report->fresh);
			writer_u64(&w, "cut_off", report->cut);
			writer_u64(&w, "would_publish", report->published);
		} else {
			write_members(report, took_s, &w);
		}
		writer_close(&w);
		buf_text(&t, "\n");
	} else if (r->dry_run) {
		buf_put(&t, buf_span(plan));
		buf_printf(&t, "%zu devices: %zu new or changed, %zu records of others to change\n",
			report->devices, report->fresh, report->published);
	} else {
		tell(report, took_s, &t);
	}
	return text_print(&t);
}

/* Every row that is wrong, the first of them with words. */
static void show_problems(const struct roster *r)
{
	for (size_t i = 0; i < r->problems && i < ROSTER_PROBLEMS_MAX; i++)
		fprintf(stderr, "%s:%zu: %s\n", r->path, r->problem[i].line, r->problem[i].words);
	if (r->problems > ROSTER_PROBLEMS_MAX)
		fprintf(stderr, "%s: and %zu more\n", r->path, r->problems - ROSTER_PROBLEMS_MAX);
}

static int put_result(void *arg, const struct fleet_device *d, struct err *err)
{
	struct buf *out = arg;

	(void)err;
	buf_printf(out, "%s,", d->owner);
	rrset_write_data(RR_TLSA, d->data, out);
	buf_printf(out, ",%s,%s\n", d->cut ? "cut off" : fleet_step_word(d->step), d->serial);
	return 0;
}

static int write_result(const struct fleet *f, const struct enroll_fleet *r, const char *state,
	struct err *err)
{
	struct buf out = { 0 };
	char path[PATH_MAX];
	int rc;

	snprintf(path, sizeof(path), "%.*s/devices.csv", PATH_MAX - 16, state);
	buf_text(&out, "name,tlsa,step,serial\n");
	rc = fleet_each(f, put_result, &out, err);
	if (rc == 0 && !buf_ok(&out))
		rc = err_set(err, ERR_NOMEM, "result: out of memory");
	if (rc == 0)
		rc = pemfile_write(r->result ? r->result : path, PEMFILE_PUBLIC, true,
			buf_span(&out), err);
	buf_done(&out);
	return rc;
}

/* Everything between the list and the words about it. */
struct work {
	struct publishing publishing;
	struct roster roster;
	ldns_rr_list *anchors;
	struct fleet *fleet;
	struct fleet_report report;
	struct buf plan;
	struct progress progress;
	bool all;
};

static void work_done(struct work *w)
{
	fleet_close(w->fleet);
	roster_done(&w->roster);
	ldns_rr_list_deep_free(w->anchors);
	publishing_close(&w->publishing);
	buf_done(&w->plan);
}

static int open_fleet(const struct enroll_fleet *r, struct work *w, struct fleet_tools *tools,
	struct err *err)
{
	const struct fleet_order order = { r->form, r->key, r->ca, r->days };
	struct fleet_terms terms;
	int rc = fleet_terms(&order, &terms, err);

	if (rc == 0)
		rc = roster_read(r->csv, &terms.roster, &w->roster, err);
	if (rc == 0)
		rc = publishing_open(r->via, &w->publishing, err);
	if (rc == 0)
		rc = publishing_remember(&w->publishing, r->state, err);
	if (rc == 0)
		rc = tracework_anchors(&w->publishing.resolver.config, &w->anchors, err);
	if (rc != 0)
		return rc;
	*tools = (struct fleet_tools){ .state = r->state ? r->state : w->publishing.state,
		.publication = w->publishing.publication,
		.walk = w->publishing.walk,
		.anchors = w->anchors,
		.ttl_s = w->publishing.ttl_s,
		.wait_ms = 1000 * (r->has_wait ? r->wait_s : w->publishing.wait_s),
		.progress = r->quiet ? NULL : show_progress,
		.progress_arg = &w->progress };
	return fleet_open(tools, &order, &w->roster, &w->fleet, err);
}

int enroll_absolute(const char *path, char out[PATH_MAX], struct err *err)
{
	char here[PATH_MAX] = "";

	if (path[0] != '/' && !getcwd(here, sizeof(here)))
		return err_set(err, ERR_SYSTEM, "this folder: %s", strerror(errno));
	if (snprintf(out, PATH_MAX, "%s%s%s", here, here[0] ? "/" : "", path) >= PATH_MAX)
		return err_set(err, ERR_ARG, "'%.80s...': the path is too long", path);
	return 0;
}

/* For the agent, which also goes on where this is interrupted. */
static int keep(const struct enroll_fleet *r, const char *state, struct err *err)
{
	struct fleetfile f = { .ca = r->ca, .days = r->days };
	int rc = enroll_absolute(r->csv, f.list, err);

	if (rc == 0)
		rc = enroll_absolute(r->via, f.via, err);
	if (rc == 0 && r->result)
		rc = enroll_absolute(r->result, f.result, err);
	snprintf(f.form, sizeof(f.form), "%s", r->form);
	snprintf(f.key_kind, sizeof(f.key_kind), "%s", r->key);
	return rc == 0 ? fleetfile_write(state, &f, err) : rc;
}

static int do_work(const struct enroll_fleet *r, struct work *w, struct err *err)
{
	struct fleet_tools tools;
	int rc = open_fleet(r, w, &tools, err);

	if (rc != 0)
		return rc;
	if (r->dry_run) {
		w->all = true;
		return fleet_plan(w->fleet, &w->report, &w->plan, err);
	}
	if (!r->quiet)
		rc = keep(r, tools.state, err);
	if (rc == 0)
		rc = fleet_enroll(w->fleet, &w->report, &w->all, err);
	return rc == 0 ? write_result(w->fleet, r, tools.state, err) : rc;
}

int enroll_fleet(const struct command *self, const struct enroll_fleet *r)
{
	struct work w = { .progress = { .bar = isatty(STDERR_FILENO) } };
	const double start = now_s();
	struct err err;
	int rc;

	w.progress.next = start + (w.progress.bar ? BAR_EVERY_S : SAY_EVERY_S);
	rc = do_work(r, &w, &err);
	show_problems(&w.roster);
	if (rc != 0)
		rc = command_fail(self, "%s", err.msg);
	else if (show(r, &w.report, now_s() - start, &w.plan) != 0)
		rc = 2;
	else
		rc = w.all ? 0 : 1;
	work_done(&w);
	return rc;
}

int enroll_fleet_again(const struct enroll_fleet *r, struct fleet_report *report, bool *all,
	struct err *err)
{
	struct work w = { .all = false };
	int rc = do_work(r, &w, err);

	if (rc == 0) {
		*report = w.report;
		*all = w.all;
	} else if (w.roster.problems && err) {
		rc = err_set(err, rc, "%s:%zu: %s", r->csv, w.roster.problem[0].line,
			w.roster.problem[0].words);
	}
	work_done(&w);
	return rc;
}
