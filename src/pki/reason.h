/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reason - why OpenSSL refused, in its own words.
 */
#ifndef PKI_REASON_H
#define PKI_REASON_H

/* The last complaint, which is then forgotten with all before it; "failed" when there is none. */
const char *reason_take(void);

#endif
