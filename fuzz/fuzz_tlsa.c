/* SPDX-License-Identifier: Apache-2.0 */
#include "dane/tlsaset.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Octets: what is read is written again; and its text is read to the same. */
static void from_wire(struct span in)
{
	static uint8_t again[70000], memory[70000];
	static char text[200000];
	struct tlsa t, u;
	size_t n;

	if (tlsa_read(in, &t, NULL))
		return;
	check(tlsa_write(&t, again, sizeof again, &n, NULL) == 0);
	check(n == in.n && memcmp(again, in.p, n) == 0);
	if (tlsa_write_text(&t, text, sizeof text, NULL))
		return;
	struct span as_text = { (const uint8_t *)text, strlen(text) };
	check(tlsa_read_text(as_text, memory, sizeof memory, &u, NULL) == 0);
	check(u.usage == t.usage && u.selector == t.selector && u.matching == t.matching);
	check(u.data.n == t.data.n && memcmp(u.data.p, t.data.p, t.data.n) == 0);
}

/* Text: what is read is written in one form, which is read to the same. */
static void from_text(struct span in)
{
	static uint8_t memory[70000], other[70000];
	static char text[200000];
	struct tlsa t, u;

	if (tlsa_read_text(in, memory, sizeof memory, &t, NULL))
		return;
	check(tlsa_write_text(&t, text, sizeof text, NULL) == 0);
	struct span again = { (const uint8_t *)text, strlen(text) };
	check(tlsa_read_text(again, other, sizeof other, &u, NULL) == 0);
	check(u.data.n == t.data.n && memcmp(u.data.p, t.data.p, t.data.n) == 0);
}

/* A set: records behind a length octet each. */
static void from_set(struct span in)
{
	static struct tlsaset set;
	struct span rdata[80];
	size_t count = 0;
	char words[100];

	while (in.n > 1 && count < 80) {
		size_t n = in.p[0] < in.n - 1 ? in.p[0] : in.n - 1;
		rdata[count++] = (struct span){ in.p + 1, n };
		in = (struct span){ in.p + 1 + n, in.n - 1 - n };
	}
	tlsaset_read(rdata, count, &set);
	check((size_t)set.count + set.beyond == count && set.usable <= set.count);
	for (unsigned i = 0; i < set.count; i++)
		check(set.record[i].why || !tlsa_unusable(&set.record[i].tlsa));
	tlsaset_words(&set, words, sizeof words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { data, size };

	from_wire(in);
	from_text(in);
	from_set(in);
	return 0;
}
