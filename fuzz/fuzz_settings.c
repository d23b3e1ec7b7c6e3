/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/settings.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings_forward forward = { 0 };
	char text[ADDRESS_TEXT_MAX];
	struct address again;
	struct err err;

	if (settings_read_resolv_conf((struct span){ data, size }, &forward, &err))
		return 0;
	assert(forward.count > 0 && forward.count <= SETTINGS_FORWARD_MAX);
	for (uint16_t i = 0; i < forward.count; i++) {
		address_write(&forward.address[i], text);
		assert(address_read(text, &again, &err) == 0);
		assert(memcmp(again.octets, forward.address[i].octets, again.v6 ? 16 : 4) == 0);
		assert(again.port == forward.address[i].port);
	}
	return 0;
}
