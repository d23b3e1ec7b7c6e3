/* SPDX-License-Identifier: Apache-2.0 */
#include "net/stall.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "program/log.h"

/*
 * One turn of libuv: timers, idle, prepare, poll, check, closing. What wakes in the poll runs
 * inside it, so the start of the work is what uv_now was set to when the poll returned.
 */
struct stall {
	uv_prepare_t prepare;
	unsigned open;
	unsigned warn_us;
	uint64_t idle_before_ns; /* time the loop has spent waiting, all in all */
	uint64_t last_ns;        /* the previous prepare */
	uint64_t last_cpu_ns;
	struct stall_report report;
};

static uint64_t cpu_ns(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void measure(uv_prepare_t *prepare)
{
	struct stall *s = prepare->data;
	uint64_t now = uv_hrtime(), cpu = cpu_ns(), cpu_us = (cpu - s->last_cpu_ns) / 1000,
		 idle = uv_metrics_idle_time(prepare->loop);
	uint64_t span = now - s->last_ns, slept = idle - s->idle_before_ns;
	uint64_t took_us = span > slept ? (span - slept) / 1000 : 0;

	if (s->last_ns != 0) {
		s->report.turns++;
		s->report.total_us += took_us;
		if (took_us > s->report.longest_us)
			s->report.longest_us = took_us;
		if (cpu_us > s->report.longest_cpu_us)
			s->report.longest_cpu_us = cpu_us;
		if (s->warn_us != 0 && took_us > s->warn_us)
			log_debug("loop.stall", "took_us=%" PRIu64 " cpu_us=%" PRIu64, took_us,
				cpu_us);
	}
	s->last_ns = now;
	s->last_cpu_ns = cpu;
	s->idle_before_ns = idle;
}

static void closed(uv_handle_t *handle)
{
	free(handle->data);
}

int stall_new(uv_loop_t *loop, unsigned warn_us, struct stall **out, struct err *err)
{
	struct stall *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, ERR_NOMEM, "stall meter: no memory");
	s->warn_us = warn_us;
	/* Must be set before the loop runs; a second call says so and changes nothing. */
	(void)uv_loop_configure(loop, UV_METRICS_IDLE_TIME);
	uv_prepare_init(loop, &s->prepare);
	s->prepare.data = s;
	uv_prepare_start(&s->prepare, measure);
	uv_unref((uv_handle_t *)&s->prepare);
	*out = s;
	return 0;
}

void stall_free(struct stall *s)
{
	if (s)
		uv_close((uv_handle_t *)&s->prepare, closed);
}

void stall_report(const struct stall *s, struct stall_report *out)
{
	*out = s->report;
}

void stall_reset(struct stall *s)
{
	s->report.longest_us = s->report.longest_cpu_us = 0;
}
