/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "network/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t out[SESSION_BLOB_MAX], again[SESSION_BLOB_MAX];
	struct session s, t;
	size_t n, m;

	if (session_read((struct span){ data, size }, &s, NULL) < 0)
		return 0;
	/* A text may hold a zero, which ends it: what is written then is the shorter form. */
	if (session_write(&s, out, sizeof(out), &n) < 0)
		abort();
	if (session_read((struct span){ out, n }, &t, NULL) < 0 ||
		session_write(&t, again, sizeof(again), &m) < 0 || m != n ||
		memcmp(out, again, n) != 0)
		abort();
	return 0;
}
