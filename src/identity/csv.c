/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/csv.h"

#include <string.h>

struct csv csv_over(char *text, size_t n)
{
	return (struct csv){ .at = text, .end = text + n, .line = 1 };
}

/* Behind the end of this line, whatever is in it. */
static void skip_line(struct csv *c)
{
	while (c->at < c->end && *c->at != '\n')
		c->at++;
	if (c->at < c->end)
		c->at++;
	c->line++;
}

/* From behind the first quote to behind the last; quotes twice become one. */
static char *read_quoted(struct csv *c)
{
	char *from = c->at, *to = c->at;

	while (c->at < c->end) {
		if (*c->at == '"' && c->at[1] != '"')
			break;
		if (*c->at == '"')
			c->at++;
		c->line += *c->at == '\n';
		*to++ = *c->at++;
	}
	if (c->at == c->end)
		return NULL;
	c->at++;
	*to = '\0';
	return from;
}

static char *read_plain(struct csv *c, size_t *n)
{
	char *from = c->at;

	*n = strcspn(from, ",\r\n\"");
	c->at += *n;
	return from;
}

/* What ends a field: a comma, or the end of the row. */
static bool read_end(struct csv *c, bool *row)
{
	*row = *c->at != ',';
	if (c->at < c->end && *c->at == '\r' && c->at[1] == '\n')
		c->at++;
	if (c->at == c->end)
		return true;
	if (*c->at != ',' && *c->at != '\n')
		return false;
	c->line += *c->at == '\n';
	c->at++;
	return true;
}

static int read_row(struct csv *c, struct csv_row *out, struct err *err)
{
	bool last = false;

	while (!last) {
		size_t n = 0;
		bool quoted = *c->at == '"';
		char *field;

		if (out->count == CSV_FIELDS_MAX)
			return err_set(err, ERR_FORMAT, "more than %d fields", CSV_FIELDS_MAX);
		c->at += quoted;
		field = quoted ? read_quoted(c) : read_plain(c, &n);
		if (!field)
			return err_set(err, ERR_FORMAT, "a quote that does not end");
		if (!read_end(c, &last))
			return err_set(err, ERR_FORMAT,
				quoted ? "text behind a quote"
				       : "a quote or a zero within a field");
		if (!quoted)
			field[n] = '\0';
		out->field[out->count++] = field;
	}
	return 0;
}

bool csv_next(struct csv *c, struct csv_row *out, int *rc, struct err *err)
{
	while (c->at < c->end && (*c->at == '\n' || (*c->at == '\r' && c->at[1] == '\n')))
		skip_line(c);
	if (c->at == c->end)
		return false;
	*out = (struct csv_row){ .line = c->line };
	*rc = read_row(c, out, err);
	if (*rc != 0)
		skip_line(c);
	return true;
}
