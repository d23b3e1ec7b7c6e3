/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code - why a call failed. Zero is success; there are no other codes.
 *
 * Pure folders and the device library return these alone. Everyone else adds
 * words with core/err.h.
 */
#ifndef BASE_CODE_H
#define BASE_CODE_H

enum err_code {
	ERR_NOMEM = -1,   /* memory */
	ERR_ARG = -2,     /* the caller broke the contract in the header */
	ERR_FORMAT = -3,  /* bytes or text do not follow their format */
	ERR_SPACE = -4,   /* the result does not fit in the buffer given */
	ERR_SYSTEM = -5,  /* the operating system refused; errno is in the words */
	ERR_CRYPTO = -6,  /* the crypto library refused */
	ERR_TIMEOUT = -7, /* the deadline passed */
	ERR_PEER = -8,    /* the other side broke its protocol */
};

#endif
