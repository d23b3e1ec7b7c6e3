/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/dlstatus.h"

#include <string.h>

static const char *const words[] = { "sent", "acked", "nacked", "failed", "expired" };

const char *dlstatus_word(enum dlstatus status)
{
	return words[status];
}

static bool status_from_word(const char *word, enum dlstatus *out)
{
	for (int s = DLSTATUS_SENT; s <= DLSTATUS_EXPIRED; s++)
		if (strcmp(word, words[s]) == 0) {
			*out = (enum dlstatus)s;
			return true;
		}
	return false;
}

int dlstatus_read_req(const struct doc *root, struct dlstatus_req *out, struct err *err)
{
	struct fields f = fields_of(root, err);
	struct dlstatus_req r = { 0 };
	const char *status = "";

	fields_id(&f, "DevEUI", FIELDS_MUST, 8, &r.dev_eui);
	fields_u32(&f, "FCntDown", FIELDS_MUST, UINT32_MAX, &r.f_cnt_down);
	fields_text(&f, "Status", FIELDS_MUST, &status);
	if (fields_done(&f))
		return fields_done(&f);
	if (!status_from_word(status, &r.status))
		return err_set(err, ERR_FORMAT, "Status: not a word known here");
	*out = r;
	return 0;
}

bool dlstatus_write_req(struct buf *out, const struct header *h, const struct dlstatus_req *r)
{
	struct writer w = writer_into(out);

	writer_open(&w, NULL, '{');
	header_write(&w, h);
	writer_id(&w, "DevEUI", 8, r->dev_eui);
	writer_u64(&w, "FCntDown", r->f_cnt_down);
	writer_text(&w, "Status", words[r->status]);
	writer_close(&w);
	return writer_ok(&w);
}

int dlstatus_read_ans(const struct doc *root, struct result *out, struct err *err)
{
	struct fields f = fields_of(root, err);
	struct result r = { 0 };

	if (result_read(&f, &r))
		*out = r;
	return fields_done(&f);
}

bool dlstatus_write_ans(struct buf *out, const struct header *h, const struct result *r)
{
	struct writer w = writer_into(out);

	writer_open(&w, NULL, '{');
	header_write(&w, h);
	result_write(&w, r, header_speaks_1_1(h));
	writer_close(&w);
	return writer_ok(&w);
}
