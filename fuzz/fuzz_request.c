/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request: a request that reads has a key that we certify and names in their bounds; one that
 * does not leaves the profile as it was.
 */
#include "pki/request.h"

#include <stdint.h>
#include <stdlib.h>

#include "pki/keykind.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct profile profile = { 0 };
	struct request_subject subject;
	EVP_PKEY *key = NULL;
	const char *kind;

	if (request_read((struct span){ p, n }, &profile, &subject, &key, NULL) != 0) {
		if (key || profile.san_count || profile.address_count || profile.common_name)
			abort();
		return 0;
	}
	if (keykind_of(key, &kind, NULL) != 0 || profile.san_count > PROFILE_SAN_MAX)
		abort();
	EVP_PKEY_free(key);
	return 0;
}
