/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever is read can be refused, and who asked can read the refusal. */
#include "relay/router.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct router_route routes[] = {
		{ .join_eui = "0807060504030200/56", .url = "https://a.example/" },
		{ .net_id = "000013", .url = "https://c.example/" },
		{ .as_id = "as.b.example", .url = "https://d.example/" },
	};
	struct buf out = { 0 };
	struct router_message m;
	struct err err;

	(void)router_is_answer((struct span){ data, size });
	if (router_read((struct span){ data, size }, &m, &err) != 0)
		return 0;
	(void)router_find(routes, 3, &m);
	assert(router_write_refusal(&m, RESULT_OTHER, "why", &out));
	assert(router_is_answer(buf_span(&out)));
	buf_done(&out);
	return 0;
}
