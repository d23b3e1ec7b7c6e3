/* SPDX-License-Identifier: Apache-2.0 */
/* The beginning of a TLS connection: however much of it is there, what is asked for never falls,
 * and asking for it again with that many octets, whatever they are, comes to an end. */
#include <assert.h>

#include "tls/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	size_t have = 0, before = 0;

	while (have <= n) {
		size_t wanted = hello_wanted((struct span){ data, have });

		assert(wanted >= have && wanted >= before);
		if (wanted <= have || wanted > HELLO_OCTETS_MAX)
			break;
		before = have = wanted;
	}
	return 0;
}
