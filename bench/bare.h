/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bare - the floor below a durable join: the same octets by the same way, and nothing computed.
 *
 *   TCP > one thread that polls > another that writes two pages a join and syncs once a group >
 *   back > TCP. No TLS, HTTP, JSON, key or database: what the kernel takes, whoever asks.
 */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include <sys/types.h>

#define BARE_ASKED    429 /* octets on the wire of a JoinReq in TLS, and of its answer */
#define BARE_ANSWERED 653

/* A process that serves until killed, with a file of its own at path; its port. Without a path it
 * writes and syncs nothing. */
unsigned bare_start(const char *path, pid_t *pid);

#endif
