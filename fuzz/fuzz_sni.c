/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/sni.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* What is read as a name is the name that stands there, and nothing stands beside it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[NAME_TEXT_MAX];
	struct name name, again;

	if (sni_read((struct span){ data, size }, &name) != SNI_NAME)
		return 0;
	check(size > 5 && size <= 5 + 255);
	check(name_write_text(&name, text, sizeof text) == 0 && name_of(text, &again) == 0);
	check(name_equal(&name, &again));
	check(name_read_text((struct span){ data + 5, size - 5 }, &again) == 0);
	check(name_equal(&name, &again));
	return 0;
}
