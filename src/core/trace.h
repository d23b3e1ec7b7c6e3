/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace - where a library says what it does, without a log of its own.
 *
 * Library code never logs: it calls the trace of its caller, if there is one.
 * level follows program/log.h (0 error, 1 warning, 2 info, 3 debug); event is one
 * dotted word such as "tlsa.match"; words are key=value pairs. Never a key, never
 * a payload.
 */
#ifndef CORE_TRACE_H
#define CORE_TRACE_H

#include <stdarg.h>

enum trace_level { TRACE_ERROR, TRACE_WARNING, TRACE_INFO, TRACE_DEBUG };

struct trace {
	void (*say)(void *arg, enum trace_level level, const char *event, const char *fmt,
		va_list ap);
	void *arg;
};

static inline __attribute__((format(printf, 4, 5))) void trace_say(const struct trace *t,
	enum trace_level level, const char *event, const char *fmt, ...)
{
	va_list ap;

	if (!t || !t->say)
		return;
	va_start(ap, fmt);
	t->say(t->arg, level, event, fmt, ap);
	va_end(ap);
}

#endif
