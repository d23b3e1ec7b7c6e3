/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv: whatever text there is, its rows end, and written again in quotes they read to the same.
 */
#include "core/buf.h"
#include "identity/csv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void put_row(struct buf *out, const struct csv_row *row)
{
	for (size_t i = 0; i < row->count; i++) {
		buf_text(out, i ? ",\"" : "\"");
		for (const char *c = row->field[i]; *c; c++) {
			if (*c == '"')
				buf_text(out, "\"");
			buf_put(out, (struct span){ (const uint8_t *)c, 1 });
		}
		buf_text(out, "\"");
	}
	buf_text(out, "\n");
}

static void check_again(const struct csv_row *row)
{
	struct buf text = { 0 };
	struct csv_row again;
	struct csv c;
	int rc;

	put_row(&text, row);
	if (!buf_string(&text))
		abort();
	c = csv_over((char *)text.p, text.n);
	if (!csv_next(&c, &again, &rc, NULL) || rc != 0 || again.count != row->count)
		abort();
	for (size_t i = 0; i < row->count; i++)
		if (strcmp(row->field[i], again.field[i]) != 0)
			abort();
	buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *text = malloc(n + 1);
	struct csv_row row;
	struct csv c;
	size_t rows = 0;
	int rc;

	if (!text)
		return 0;
	memcpy(text, p, n);
	text[n] = '\0';
	c = csv_over(text, n);
	while (csv_next(&c, &row, &rc, NULL)) {
		if (++rows > n + 1)
			abort();
		if (rc == 0)
			check_again(&row);
	}
	free(text);
	return 0;
}
