/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rrset: whatever text is read as data, the text it is written as reads to the same octets.
 */
#include "publish/rrset.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void turn(uint16_t type, const char *text)
{
	struct buf data = { 0 }, words = { 0 }, again = { 0 };

	if (rrset_read_data(type, text, &data, NULL) == 0) {
		rrset_write_data(type, buf_span(&data), &words);
		if (rrset_read_data(type, buf_string(&words), &again, NULL) != 0 ||
			again.n != data.n || (data.n && memcmp(again.p, data.p, data.n) != 0))
			abort();
	}
	buf_done(&data);
	buf_done(&words);
	buf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *text = malloc(n + 1);

	if (!text)
		return 0;
	memcpy(text, p, n);
	text[n] = '\0';
	turn(RR_TLSA, text);
	turn(RR_TXT, text);
	free(text);
	return 0;
}
