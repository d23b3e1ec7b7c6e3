/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check - many names traced side by side, and the state of each in the words of monitoring.
 *
 *   check.c: options, lists      checkrun.c: workers      checkshow.c: Nagios, Prometheus, JSON
 *
 *   Source     Monitoring Plugins Development Guidelines (exit codes, perfdata); the textfile
 *              format of Prometheus 0.0.4.
 *   Threads    each worker has a tracework of its own; results have a place each.
 *   Time       seconds.
 */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "cli/tracework.h"

enum check_state { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN };

#define CHECK_NAMES_MAX 100000
#define CHECK_JOBS_MAX  64

struct check_item {
	char *text; /* the line it came from, or the name; cut into words */
	struct trace_question question;
	/* the result */
	enum check_state state;
	bool holds;
	int64_t until; /* 0: it does not hold */
	double ms;
	size_t notes;
	char *words; /* why */
};

struct check {
	size_t count, cap;
	struct check_item *item;
	unsigned jobs;
	int64_t warning_s, critical_s; /* less than that is left */
	struct tracework_config work;
	double took_s;
};

/* Runs them all. ERR_* when no worker can begin. */
int check_all(struct check *c, struct err *err);

enum check_state check_worst(const struct check *c);
void check_show_nagios(const struct check *c, struct buf *out);
void check_show_json(const struct check *c, struct buf *out);
void check_show_prometheus(const struct check *c, struct buf *out);

#endif
