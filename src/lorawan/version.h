/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version - the LoRaWAN version a device is provisioned with, and what follows from it.
 *
 *   Text       "1.0", "1.0.0" .. "1.0.4", "1.1", "1.1.0" are read (some servers leave the last
 *              number out); the three-number form is written, or the short one on demand.
 *   Errors     ERR_FORMAT; *out only on success.
 */
#ifndef LORAWAN_VERSION_H
#define LORAWAN_VERSION_H

#include "base/code.h"
#include "base/cursor.h"

enum version {
	VERSION_1_0_0,
	VERSION_1_0_1,
	VERSION_1_0_2,
	VERSION_1_0_3,
	VERSION_1_0_4,
	VERSION_1_1_0,
};

int version_read(struct span text, enum version *out);

/* "1.0.3"; a static string. */
const char *version_text(enum version v);

/* "1.0" and "1.1" instead of "1.0.0" and "1.1.0", for peers that know only those. */
const char *version_text_short(enum version v);

/* True when the device has two root keys and follows OptNeg. */
bool version_has_two_keys(enum version v);

/* True when DevNonce is a counter (1.0.4 section 6.2.4, 1.1 section 6.2.4), not a random number. */
bool version_counts_dev_nonce(enum version v);

#endif
