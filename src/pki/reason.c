/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/reason.h"

#include <openssl/err.h>

const char *reason_take(void)
{
	unsigned long e = ERR_peek_last_error();
	const char *why = e ? ERR_reason_error_string(e) : NULL;

	ERR_clear_error();
	return why ? why : "failed";
}
