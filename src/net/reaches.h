/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reaches - a reach (net/reach.h) for each host that is asked for, made when it is first.
 *
 *   Policy     none here: a name is looked up by who may already be led there.
 *   Bounds     hosts_max hosts, REACHES_MAX at most; one more takes the place of the one that
 *              nobody asked for the longest, and that nobody waits for.
 *   Errors     ERR_NOMEM.
 */
#ifndef NET_REACHES_H
#define NET_REACHES_H

#include "net/reach.h"

#define REACHES_USUAL 256
#define REACHES_MAX   4096 /* each is compared with the name that is asked for */

struct reaches;

/* Of config's target the port counts, and the name is what is asked for. */
int reaches_new(const struct reach_config *config, unsigned hosts_max, struct reaches **out,
	struct err *err);
/* Nobody waits any more. NULL: nothing. */
void reaches_free(struct reaches *t);

/* Borrowed until the next is asked for. NULL: no memory, or all hosts are waited for. */
struct reach *reaches_find(struct reaches *t, const struct name *host);

#endif
