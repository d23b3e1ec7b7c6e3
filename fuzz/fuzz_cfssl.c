/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cfssl: whatever request or config is read, what comes out is a profile in its bounds.
 */
#include "ca/cfssl.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void hold(const struct profile *p)
{
	if (p->san_count > PROFILE_SAN_MAX || p->address_count > PROFILE_ADDRESS_MAX ||
		p->life_s > PROFILE_DAYS_MAX * PROFILE_DAY_S || p->path_len < -1 ||
		p->path_len > 16)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cfssl c = { 0 };

	if (cfssl_read_request(&c, (struct span){ p, n }, n & 1, NULL) == 0 && !c.key_kind)
		abort();
	hold(&c.profile);
	cfssl_done(&c);
	if (n > 0 &&
		cfssl_read_config(&c, (struct span){ p, n }, n & 1 ? "client" : NULL, NULL) == 0)
		hold(&c.profile);
	cfssl_done(&c);
	return 0;
}
