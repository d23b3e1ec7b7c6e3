/* SPDX-License-Identifier: Apache-2.0 */
/*
 * helper - the process sardane-resolverd: started, watched, started again.
 *
 *   DOWN --back-off over--> STARTING --READY--> UP        from STARTING and UP: DOWN, when the
 *     ^________________________|________________|         pair closes or nothing comes in time
 *
 *   When it dies, its open questions are asked again of the next one if their deadlines allow;
 *   no open question is ever answered by its death. It starts again at once, then after
 *   50 ms, doubled each time up to 2 s, until one has lived for 5 s.
 *   One that is silent for 1 s with a question open is asked for localhost, which it knows by
 *   itself; after 5 s of silence it hangs, is killed and started again.
 *   Source     posix_spawn(3): safe in programs with threads; every other descriptor is closed.
 *   Trust      what comes from it is read as from a stranger (wire.h); one bad packet and it is
 *              killed.
 *   Upgrades   a program keeps its version while the sardane-resolverd on the disk changes: one of
 *              another version of wire.h refuses, and its words are the reason of every answer
 *              that fails meanwhile, and one line in the log.
 *   Errors     helper_new fails with the helper's own words when it cannot be started or does
 *              not accept the configuration; later failures are tried again.
 */
#ifndef RESOLVE_HELPER_H
#define RESOLVE_HELPER_H

#include "core/err.h"
#include "resolve/upstream.h"

/* packet: the CONFIG packet, copied. Waits until the helper is ready. */
int helper_new(const char *path, struct span packet, struct engine *engine, int epoll_fd,
	const struct trace *trace, struct upstream **out, struct err *err);

#endif
