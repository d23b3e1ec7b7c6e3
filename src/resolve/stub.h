/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stub - a validating resolver next door whose AD bit we believe.
 *
 *   UDP --truncated--> TCP        a socket, a random port and a random id for each question
 *   Unix stream socket            frames as on TCP
 *
 *   Source     RFC 6840 sections 5.7 and 5.8 (AD asked for and believed), RFC 7766 (TCP frames),
 *              RFC 5452 section 9 (id, port and question must match).
 *   Trial      a question of ours, for the SOA of the root: does the server validate (AD)? Asked
 *              first, then every STUB_TRUST_MS of use, every STUB_TRIAL_MS while it fails, and
 *              after a lost question or connection, for it may be another server now.
 *   Between    an answer without AD is INSECURE only between two trials with AD: one answered
 *              before the question was sent, one sent after the answer came, for which it waits.
 *              Else it is FAILED: a resolver that does not validate, or has ceased to, would call
 *              every zone unsigned. An answer with AD waits for nothing.
 *   Rule       AD means nothing over a network somebody else is on: only loopback addresses and
 *              Unix sockets are taken. An answer of a server that does not recurse is FAILED,
 *              for it says nothing about DNSSEC.
 *   Bounds     STUB_OPEN_MAX questions under way, the rest wait in the engine; each is sent
 *              again every STUB_RETRY_MS until its askers' deadlines.
 *   Errors     stub_new: no server, not on this host, encrypted. Later: FAILED answers.
 */
#ifndef RESOLVE_STUB_H
#define RESOLVE_STUB_H

#include "core/err.h"
#include "resolve/upstream.h"

#define STUB_OPEN_MAX 256
#define STUB_RETRY_MS 500
#define STUB_TRIAL_MS 5000
#define STUB_TRUST_MS 60000

int stub_new(const char *server, struct engine *engine, int epoll_fd, const struct trace *trace,
	struct upstream **out, struct err *err);

#endif
