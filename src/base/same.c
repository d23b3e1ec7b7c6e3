/* SPDX-License-Identifier: Apache-2.0 */
#include "base/same.h"

bool same_octets(struct span a, struct span b)
{
	unsigned diff = 0;

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		diff |= (unsigned)(a.p[i] ^ b.p[i]);
	return diff == 0;
}
