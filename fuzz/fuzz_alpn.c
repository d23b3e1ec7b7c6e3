/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/alpn.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is chosen is one of ours, and stands in what they offer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t ours[] = "\2h2\10http/1.1\1x";
	struct span chosen;

	if (!alpn_choose((struct span){ ours, sizeof(ours) - 1 }, (struct span){ data, size },
		    &chosen))
		return 0;
	if (chosen.p <= ours || chosen.p + chosen.n > ours + sizeof(ours) - 1 || chosen.n == 0 ||
		!memmem(data, size, chosen.p - 1, chosen.n + 1))
		abort();
	return 0;
}
