/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/rr.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = { data, size };
	struct rr_srv srv;
	struct rr_naptr naptr;
	struct name name;

	if (rr_read_srv(s, &srv) == 0)
		assert(size == 6u + srv.target.n);
	if (rr_read_naptr(s, &naptr) == 0)
		assert(size ==
			7 + naptr.flags.n + naptr.services.n + naptr.regexp.n +
				naptr.replacement.n);
	if (rr_read_name(s, &name) == 0)
		assert(size == name.n);
	return 0;
}
