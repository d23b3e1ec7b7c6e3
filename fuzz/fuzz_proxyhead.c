/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/proxyhead.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(struct span a, struct span b)
{
	assert(a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[70000];
	struct proxyhead h, again;
	size_t n = 0, written = 0, read = 0;

	if (proxyhead_read((struct span){ data, size }, &h, &n) != 0 || n == 0)
		return 0;
	assert(n >= PROXYHEAD_FIXED && n <= size);
	/* Unknown TLVs are left out, and it says the same. */
	assert(proxyhead_write(&h, out, sizeof(out), &written) == 0 && written <= n);
	assert(proxyhead_read((struct span){ out, written }, &again, &read) == 0);
	assert(read == written && again.local == h.local && again.family == h.family);
	assert(again.tls == h.tls && again.verify == h.verify && again.resumed == h.resumed);
	same(again.version, h.version);
	same(again.name, h.name);
	same(again.cipher, h.cipher);
	same(again.certificate, h.certificate);
	same(again.alpn, h.alpn);
	same(again.server_name, h.server_name);
	assert(again.has_dane == h.has_dane);
	same(again.dane.name, h.dane.name);
	return 0;
}
