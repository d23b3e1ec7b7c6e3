/* SPDX-License-Identifier: Apache-2.0 */
/*
 * find - the engine of dane/service fed by the resolver: a target in, a service out.
 *
 *   Ownership  the service handed to done is a reference of the callee's.
 *   Bounds     the questions of one query (SERVICE_QUESTIONS_MAX), the resolver's deadline
 *              for each of them.
 */
#ifndef NET_FIND_H
#define NET_FIND_H

#include "dane/service.h"
#include "net/pace.h"
#include "resolve/resolver.h"

struct find;

/* service is never NULL: refusals are inside it. Called once, never from find_new. */
typedef void find_done(void *arg, struct service *service);

int find_new(struct pace *pace, struct resolver *r, const struct service_target *target,
	enum tls_mode mode, find_done *done, void *arg, struct find **out, struct err *err);
/* In any state; done is not called any more. */
void find_free(struct find *f);

#endif
