/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int text_print(struct buf *out)
{
	const char *words = buf_string(out);
	int rc = words && fputs(words, stdout) >= 0 && fflush(stdout) == 0 ? 0 : 2;

	if (rc != 0)
		fputs("sardane: output: cannot be written\n", stderr);
	buf_done(out);
	return rc;
}

/* The whole of text follows the format, and the date exists: timegm moves one that does not. */
static int read_date(const char *text, const char *format, time_t *out)
{
	struct tm tm = { 0 };
	char again[32];
	const char *end = strptime(text, format, &tm);

	if (!end || *end)
		return -1;
	*out = timegm(&tm);
	return strftime(again, sizeof(again), format, &tm) > 0 && strcmp(again, text) == 0 ? 0 : -1;
}

int text_read_time(const char *text, time_t *out, struct err *err)
{
	time_t t;

	if (strspn(text, "0123456789") == strlen(text) && *text && strlen(text) <= 11)
		t = (time_t)strtoll(text, NULL, 10);
	else if (read_date(text, "%Y-%m-%dT%H:%M:%SZ", &t) != 0 &&
		read_date(text, "%Y-%m-%d", &t) != 0)
		return err_set(err, ERR_FORMAT,
			"time '%s': not seconds since 1970, 2026-11-22 or 2026-11-22T04:33:26Z",
			text);
	if (t <= 0)
		return err_set(err, ERR_FORMAT, "time '%s': not after 1970", text);
	*out = t;
	return 0;
}

int text_read_span(const char *text, unsigned *out_s, struct err *err)
{
	static const struct {
		const char *word;
		unsigned long s;
	} units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 } };
	size_t digits = strspn(text, "0123456789");
	unsigned long n = strtoul(text, NULL, 10), s = 0;

	for (size_t i = 0; digits > 0 && digits < 11 && i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(text + digits, units[i].word) == 0)
			s = n * units[i].s;
	if (s == 0 || s > 36500ul * 86400)
		return err_set(err, ERR_FORMAT,
			"time '%.40s': not a length of time such as 30d, 12h, 15m or 90s", text);
	*out_s = (unsigned)s;
	return 0;
}

const char *text_write_time(time_t t, char out[TEXT_TIME_MAX])
{
	struct tm tm;

	strftime(out, TEXT_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
	return out;
}
