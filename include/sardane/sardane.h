/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sardane - mutual authentication of servers and devices by DNS: all of the library.
 */
#ifndef SARDANE_SARDANE_H
#define SARDANE_SARDANE_H

#include "sardane/err.h"
#include "sardane/name.h"
#include "sardane/resolver.h"
#include "sardane/tls.h"
#include "sardane/tlsa.h"

#endif
