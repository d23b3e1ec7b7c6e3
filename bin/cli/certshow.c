/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/certshow.h"

#include "cli/text.h"
#include "pki/facts.h"

/* "valid", "revoked", "expired", or "unfinished": signed, not yet in its files. */
static const char *status(const struct ledger_entry *e, time_t now)
{
	if (e->revoked_at)
		return "revoked";
	if (e->not_after < (int64_t)now)
		return "expired";
	return e->state == LEDGER_SIGNED ? "unfinished" : "valid";
}

void certshow_line(const struct ledger_entry *e, time_t now, struct buf *out)
{
	char until[TEXT_TIME_MAX];

	buf_printf(out, "%-32s  %-10s  %.10s  %-12s  %s\n", e->serial, status(e, now),
		text_write_time((time_t)e->not_after, until), e->profile,
		e->names[0] ? e->names : e->subject);
}

void certshow_page(const struct ledger_entry *e, time_t now, struct buf *out)
{
	char time[TEXT_TIME_MAX];

	buf_printf(out, "serial      %s\n", e->serial);
	buf_printf(out, "status      %s\n", status(e, now));
	if (e->revoked_at)
		buf_printf(out, "revoked     %s, %s\n",
			text_write_time((time_t)e->revoked_at, time), facts_reason_word(e->reason));
	buf_printf(out, "subject     %s\n", e->subject[0] ? e->subject : "none");
	buf_printf(out, "names       %s\n", e->names[0] ? e->names : "none");
	buf_printf(out, "profile     %s\n", e->profile);
	buf_printf(out, "not before  %s\n", text_write_time((time_t)e->not_before, time));
	buf_printf(out, "not after   %s\n", text_write_time((time_t)e->not_after, time));
	buf_printf(out, "issuer key  %s\n", e->issuer);
	if (e->prefix[0])
		buf_printf(out, "files       %s.pem ...\n", e->prefix);
}

static void write_names(struct writer *w, const char *names)
{
	const char *p = names;

	writer_open(w, "names", '[');
	while (*p) {
		const char *end = p;

		while (*end && *end != ' ')
			end++;
		writer_span(w, NULL, (struct span){ (const uint8_t *)p, (size_t)(end - p) });
		p = *end ? end + 1 : end;
	}
	writer_close(w);
}

void certshow_json(const struct ledger_entry *e, time_t now, bool der, struct writer *w)
{
	char time[TEXT_TIME_MAX];

	writer_open(w, NULL, '{');
	writer_text(w, "serial", e->serial);
	writer_text(w, "status", status(e, now));
	writer_text(w, "subject", e->subject);
	write_names(w, e->names);
	writer_text(w, "profile", e->profile);
	writer_text(w, "not_before", text_write_time((time_t)e->not_before, time));
	writer_text(w, "not_after", text_write_time((time_t)e->not_after, time));
	writer_text(w, "issued_at", text_write_time((time_t)e->issued_at, time));
	writer_text(w, "issuer", e->issuer);
	writer_text(w, "file", e->prefix);
	if (e->revoked_at) {
		writer_text(w, "revoked_at", text_write_time((time_t)e->revoked_at, time));
		writer_text(w, "reason", facts_reason_word(e->reason));
	}
	if (der)
		writer_base64(w, "der", e->der);
	writer_close(w);
}

int certshow_files(bool json, const char *const *files)
{
	struct buf t = { 0 };
	struct writer w = writer_into(&t);

	if (json) {
		writer_open(&w, NULL, '{');
		writer_open(&w, "files", '[');
	}
	for (; *files; files++) {
		if (json)
			writer_text(&w, NULL, *files);
		else
			buf_printf(&t, "%s\n", *files);
	}
	if (json) {
		writer_close(&w);
		writer_close(&w);
		buf_text(&t, "\n");
	}
	return text_print(&t);
}
