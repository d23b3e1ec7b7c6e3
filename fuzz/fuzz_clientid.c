/* SPDX-License-Identifier: Apache-2.0 */
#include "dane/clientid.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* What a client may send is written and read again as the same name, or was no name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { data, size };
	struct name name, back;
	uint8_t out[CLIENTID_MAX];
	const char *why = NULL;
	size_t n;

	for (int compat = 0; compat < 2; compat++) {
		check(clientid_read(CLIENTID_CERTIFICATE_REQUEST, in, compat, &name, &why) !=
			CLIENTID_NAME);
		if (clientid_read(CLIENTID_CERTIFICATE, in, compat, &name, &why) != CLIENTID_NAME)
			continue;
		check(name.n > 1 && size <= CLIENTID_MAX);
		/* The text of one name may be longer when written with escapes. */
		if (clientid_write(&name, out, &n, NULL))
			continue;
		struct span again = { out, n };
		check(clientid_read(CLIENTID_CERTIFICATE, again, compat, &back, &why) ==
			CLIENTID_NAME);
		check(name_equal(&name, &back));
	}
	check(why != NULL);
	return 0;
}
