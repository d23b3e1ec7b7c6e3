/* SPDX-License-Identifier: Apache-2.0 */
/*
 * find - what a sardane_find holds, for sardane_client_begin.
 */
#ifndef SARDANE_FIND_H
#define SARDANE_FIND_H

#include "dane/service.h"

struct sardane_find;

/* NULL while DNS is awaited, or when there is nothing to try. */
const struct service_endpoint *sardane_find_inside(const struct sardane_find *f);

#endif
