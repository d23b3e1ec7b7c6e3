/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roots - where the root servers of the Internet are.
 *
 *   Source     IANA, named.root; RFC 9609 (priming). Port 53.
 */
#ifndef SERVERS_ROOTS_H
#define SERVERS_ROOTS_H

#include "resolve/address.h"

#define ROOTS_COUNT 26

void roots_read(struct address out[ROOTS_COUNT]);

#endif
