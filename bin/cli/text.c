/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/text.h"

#include <stdio.h>
#include <string.h>

void text_json(struct buf *out, const char *s)
{
	buf_text(out, "\"");
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_printf(out, "\\u%04x", c);
		else
			buf_put(out, (struct span){ (const uint8_t *)s, 1 });
	}
	buf_text(out, "\"");
}

static void begin(struct buf *out, const char *key)
{
	char last = out->n ? (char)out->p[out->n - 1] : '{';

	if (last != '{' && last != '[')
		buf_text(out, ", ");
	text_json(out, key);
	buf_text(out, ": ");
}

void text_json_member(struct buf *out, const char *key, const char *value)
{
	begin(out, key);
	text_json(out, value);
}

void text_json_number(struct buf *out, const char *key, long long value)
{
	begin(out, key);
	buf_printf(out, "%lld", value);
}

void text_json_bool(struct buf *out, const char *key, bool value)
{
	begin(out, key);
	buf_text(out, value ? "true" : "false");
}

int text_print(struct buf *out)
{
	const char *words = buf_string(out);
	int rc = words && fputs(words, stdout) >= 0 && fflush(stdout) == 0 ? 0 : 2;

	if (rc != 0)
		fputs("sardane: output: cannot be written\n", stderr);
	buf_done(out);
	return rc;
}
