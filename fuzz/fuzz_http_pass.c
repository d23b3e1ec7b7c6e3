/* SPDX-License-Identifier: Apache-2.0 */
/* A strict reader behind the proxy must count what it is sent as we did, and find no field of ours
 * but the one that we put there. The first octet: how many octets come at a time. */
#include "net/http_pass.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_ours(struct span name)
{
	return name.n == 4 && http_head_is_word(name, "ours");
}

static unsigned count_ours(struct span head)
{
	unsigned n = 0;

	while (head.n > 2) {
		struct span value, line = http_head_until(head, '\n', &head);

		n += is_ours(http_head_until(line, ':', &value));
	}
	return n;
}

static void check(struct span went)
{
	struct http_head_refusal refusal;
	struct http_head head;

	while (went.n && http_head_read(went, &head, &refusal) == HTTP_HEAD_READY) {
		assert(count_ours((struct span){ went.p, head.octets }) == 1);
		/* Behind a chunked body or what came raw the next request is not looked for. */
		if (head.chunked || head.body > went.n - head.octets)
			return;
		went.p += head.octets + head.body;
		went.n -= head.octets + head.body;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http_pass_config config = { 4096, is_ours };
	static const char fields[] = "Ours: 1\r\n";
	struct http_pass *p = http_pass_new(&config,
		(struct span){ (const uint8_t *)fields, sizeof(fields) - 1 });
	size_t step = size ? 1 + data[0] : 1;
	struct http_head_refusal refusal;
	struct buf went = { 0 };
	bool raw = false;

	for (size_t at = 1; p && at < size; at += step) {
		size_t n = size - at < step ? size - at : step;
		struct buf out = { 0 };
		struct span go = { 0 };

		if (http_pass_waits(p))
			raw |= http_pass_back(p, (struct span){ data + at, n });
		else
			(void)http_pass_forth(p, (struct span){ data + at, n }, &out, &go,
				&refusal);
		if (!raw && !http_pass_waits(p))
			buf_put(&went, go);
		buf_done(&out);
	}
	check(buf_span(&went));
	buf_done(&went);
	http_pass_free(p);
	return 0;
}
