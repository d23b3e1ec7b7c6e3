/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auditline: a line that reads has the hash of what it says, and one octet more or less has not.
 * The input is read as it is, and as the body of a line whose hash is made to fit.
 */
#include "store/auditline.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "crypto/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void read_one(struct span text)
{
	struct auditline line = { 0 }, again = { 0 };
	uint8_t *changed;

	if (auditline_read(text, &line, NULL) != 0)
		return;
	if (line.seq == 0 || strlen(line.prev) != 64 || !line.act)
		abort();
	auditline_done(&line);
	changed = malloc(text.n);
	if (!changed)
		return;
	memcpy(changed, text.p, text.n);
	changed[text.n / 3] ^= 1;
	if (auditline_read((struct span){ changed, text.n }, &again, NULL) == 0)
		abort();
	free(changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf body = { .limit = 2 * AUDITLINE_MAX };
	uint8_t digest[32];
	char hex[65];

	read_one((struct span){ p, n });
	buf_put(&body, (struct span){ p, n });
	buf_text(&body, "}");
	if (buf_ok(&body) && digest_sha256(buf_span(&body), digest, NULL) == 0 &&
		hex_write((struct span){ digest, 32 }, hex, sizeof(hex)) == 0) {
		body.n--;
		buf_printf(&body, ",\"hash\":\"%s\"}", hex);
		if (buf_ok(&body))
			read_one(buf_span(&body));
	}
	buf_done(&body);
	return 0;
}
