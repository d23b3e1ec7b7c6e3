/* SPDX-License-Identifier: Apache-2.0 */
#include "net/alarm.h"

static void ring(uv_idle_t *soon)
{
	struct alarm *a = soon->data;

	uv_idle_stop(soon);
	a->run(a->arg);
}

/* Idle handles are called once a turn, and no turn waits while there are any. */
static void fired(uv_timer_t *timer)
{
	struct alarm *a = timer->data;

	uv_idle_start(&a->soon, ring);
}

void alarm_init(struct alarm *a, uv_loop_t *loop, void (*run)(void *arg), void *arg)
{
	*a = (struct alarm){ .run = run, .arg = arg, .open = true };
	uv_timer_init(loop, &a->timer);
	uv_idle_init(loop, &a->soon);
	a->timer.data = a->soon.data = a;
}

void alarm_set(struct alarm *a, int64_t in_ms)
{
	if (!a->open)
		return;
	uv_timer_stop(&a->timer);
	if (in_ms <= 0) {
		uv_idle_start(&a->soon, ring);
		return;
	}
	uv_idle_stop(&a->soon);
	if (in_ms != ALARM_NEVER)
		uv_timer_start(&a->timer, fired, (uint64_t)in_ms, 0);
}

void alarm_close(struct alarm *a)
{
	if (!a->open)
		return;
	a->open = false;
	uv_close((uv_handle_t *)&a->timer, NULL);
	uv_close((uv_handle_t *)&a->soon, NULL);
}
