/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "network/gwmp.h"

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void push_round_trip(struct span json)
{
	static struct gwmp_push a, b;
	static char text[65536];
	size_t n;

	if (gwmp_read_push(json, &a, NULL) < 0)
		return;
	check(gwmp_write_push(&a, text, sizeof(text), &n) == 0);
	check(gwmp_read_push((struct span){ (uint8_t *)text, n }, &b, NULL) == 0);
	check(a.count == b.count && b.ignored == 0);
	for (unsigned i = 0; i < a.count; i++) {
		check(a.rxpk[i].tmst == b.rxpk[i].tmst && a.rxpk[i].freq == b.rxpk[i].freq);
		check(a.rxpk[i].rssi == b.rxpk[i].rssi && a.rxpk[i].lsnr == b.rxpk[i].lsnr);
		check(a.rxpk[i].size == b.rxpk[i].size);
		check(memcmp(a.rxpk[i].data, b.rxpk[i].data, a.rxpk[i].size) == 0);
		check(rate_equal(&a.rxpk[i].rate, &b.rxpk[i].rate));
		check(a.rxpk[i].codr == b.rxpk[i].codr);
	}
}

static void txpk_round_trip(struct span json)
{
	struct gwmp_txpk a, b;
	char text[1024];
	size_t n;

	if (gwmp_read_txpk(json, &a, NULL) < 0)
		return;
	check(gwmp_write_txpk(&a, text, sizeof(text), &n) == 0);
	check(gwmp_read_txpk((struct span){ (uint8_t *)text, n }, &b, NULL) == 0);
	check(a.freq == b.freq && a.size == b.size && memcmp(a.data, b.data, a.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[GWMP_DATAGRAM_MAX];
	struct span in = { data, size };
	enum gwmp_tx_error e;
	struct gwmp m;
	size_t n;

	if (size > GWMP_DATAGRAM_MAX || gwmp_read(in, &m) < 0)
		return 0;
	check(gwmp_write(&m, out, sizeof(out), &n) == 0);
	check(n == size && memcmp(out, data, n) == 0);
	gwmp_acknowledge(in, out);
	if (m.kind == GWMP_PUSH_DATA)
		push_round_trip(m.json);
	if (m.kind == GWMP_PULL_RESP)
		txpk_round_trip(m.json);
	if (m.kind == GWMP_TX_ACK)
		gwmp_read_tx_ack(m.json, &e, NULL);
	return 0;
}
