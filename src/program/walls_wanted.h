/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walls_wanted - whether a server shuts itself in, when its configuration does not say.
 *
 *   walls_wanted.c            yes
 *   walls_wanted_sanitized.c  no: the leak check at the end reads /proc and traces threads
 */
#ifndef PROGRAM_WALLS_WANTED_H
#define PROGRAM_WALLS_WANTED_H

#include <stdbool.h>

bool walls_wanted_unsaid(void);

#endif
