/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rootkeys - the keys of the root zone, as we know them without asking.
 *
 *   Source     IANA, root-anchors.xml: KSK-2017 (20326) and KSK-2024 (38696), as DS records
 *              (RSA/SHA-256, digest SHA-256).
 */
#ifndef RESOLVE_ROOTKEYS_H
#define RESOLVE_ROOTKEYS_H

#include <stddef.h>

/* Zone-file lines, NULL-ended. */
extern const char *const rootkeys_lines[];

#endif
