/* SPDX-License-Identifier: Apache-2.0 */
#include "net/loop.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum { WATCH_TERM, WATCH_INT, WATCH_HUP, WATCHED };

struct loop_watch {
	uv_signal_t signal[WATCHED];
	unsigned open;
	bool stopping;
	void (*stop)(void *arg);
	void (*reload)(void *arg);
	void *arg;
};

static void caught(uv_signal_t *signal, int number)
{
	struct loop_watch *w = signal->data;

	if (number == SIGHUP) {
		if (w->reload && !w->stopping)
			w->reload(w->arg);
		return;
	}
	/* Asked twice: whoever asks does not want to wait for the drain. */
	if (w->stopping || !w->stop)
		_exit(128 + number);
	w->stopping = true;
	w->stop(w->arg);
}

static void closed(uv_handle_t *handle)
{
	struct loop_watch *w = handle->data;

	if (--w->open == 0)
		free(w);
}

int loop_watch_new(uv_loop_t *loop, void (*stop)(void *arg), void (*reload)(void *arg), void *arg,
	struct loop_watch **out, struct err *err)
{
	static const int number[WATCHED] = { SIGTERM, SIGINT, SIGHUP };
	struct loop_watch *w = calloc(1, sizeof(*w));
	int rc = 0;

	if (!w)
		return err_set(err, ERR_NOMEM, "signals: no memory");
	signal(SIGPIPE, SIG_IGN);
	*w = (struct loop_watch){ .stop = stop, .reload = reload, .arg = arg };
	for (unsigned i = 0; i < WATCHED && rc == 0; i++) {
		uv_signal_init(loop, &w->signal[i]);
		w->signal[i].data = w;
		w->open++;
		rc = uv_signal_start(&w->signal[i], caught, number[i]);
		uv_unref((uv_handle_t *)&w->signal[i]);
	}
	if (rc != 0) {
		loop_watch_free(w);
		return err_set(err, ERR_SYSTEM, "signals: %s", uv_strerror(rc));
	}
	*out = w;
	return 0;
}

void loop_watch_free(struct loop_watch *w)
{
	unsigned open = w ? w->open : 0;

	for (unsigned i = 0; i < open; i++)
		uv_close((uv_handle_t *)&w->signal[i], closed);
}

int loop_close(uv_loop_t *loop, struct err *err)
{
	/* Closing handles need turns of the loop; only a forgotten one needs more than these. */
	for (unsigned i = 0; i < 8; i++) {
		if (uv_loop_close(loop) == 0)
			return 0;
		uv_run(loop, UV_RUN_NOWAIT);
	}
	return err_set(err, ERR_ARG, "loop: a handle was never closed");
}
