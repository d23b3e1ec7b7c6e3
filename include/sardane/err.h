/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err - what went wrong, in words.
 *
 *   Functions that can fail return 0, or a negative code and words in the caller's err.
 *   Ownership  nothing to free.      NULL  is accepted everywhere for err.
 */
#ifndef SARDANE_ERR_H
#define SARDANE_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

enum sardane_code {
	SARDANE_NOMEM = -1,   /* memory */
	SARDANE_ARG = -2,     /* the caller broke the contract */
	SARDANE_FORMAT = -3,  /* octets or text do not follow their format */
	SARDANE_SPACE = -4,   /* the result does not fit */
	SARDANE_SYSTEM = -5,  /* the operating system refused */
	SARDANE_CRYPTO = -6,  /* OpenSSL refused */
	SARDANE_TIMEOUT = -7, /* the deadline passed */
	SARDANE_PEER = -8,    /* the other side broke its protocol */
};

struct sardane_err {
	int code;
	char msg[248];
};

#ifdef __cplusplus
}
#endif

#endif
