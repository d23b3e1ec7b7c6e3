/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/name.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void survives_text(const struct name *name)
{
	char text[NAME_TEXT_MAX];
	struct name again;

	assert(name_write_text(name, text, sizeof(text)) == 0);
	assert(name_of(text, &again) == 0);
	assert(again.n == name->n && memcmp(again.wire, name->wire, name->n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over((struct span){ data, size });
	struct name name;

	if (name_read_text((struct span){ data, size }, &name) == 0)
		survives_text(&name);
	if (name_read(&c, &name) == 0) {
		assert(memcmp(data, name.wire, name.n) == 0);
		survives_text(&name);
	}
	return 0;
}
