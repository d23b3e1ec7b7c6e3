/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/homens.h"

int homens_read_req(const struct doc *root, struct homens_req *out, struct err *err)
{
	struct fields f = fields_of(root, err);
	struct homens_req r = { 0 };

	fields_id(&f, "DevEUI", FIELDS_MUST, 8, &r.dev_eui);
	if (!fields_done(&f))
		*out = r;
	return fields_done(&f);
}

bool homens_write_req(struct buf *out, const struct header *h, const struct homens_req *r)
{
	struct writer w = writer_into(out);

	writer_open(&w, NULL, '{');
	header_write(&w, h);
	writer_id(&w, "DevEUI", 8, r->dev_eui);
	writer_close(&w);
	return writer_ok(&w);
}

int homens_read_ans(const struct doc *root, struct homens_ans *out, struct err *err)
{
	struct fields f = fields_of(root, err);
	struct homens_ans a = { 0 };
	uint64_t net_id = 0;
	const char *hnsid;

	if (result_read(&f, &a.result) && a.result.code == RESULT_SUCCESS) {
		fields_id(&f, "HNetID", FIELDS_MUST, 3, &net_id);
		a.h_net_id = (uint32_t)net_id;
		/* Some send "" for an identity they do not have. */
		if (fields_text(&f, "HNSID", FIELDS_MAY, &hnsid) && hnsid[0])
			a.has_hnsid = fields_id(&f, "HNSID", FIELDS_MUST, 8, &a.hnsid);
	}
	if (!fields_done(&f))
		*out = a;
	return fields_done(&f);
}

bool homens_write_ans(struct buf *out, const struct header *h, const struct homens_ans *a)
{
	struct writer w = writer_into(out);

	writer_open(&w, NULL, '{');
	header_write(&w, h);
	result_write(&w, &a->result, header_speaks_1_1(h));
	if (a->result.code == RESULT_SUCCESS) {
		writer_id(&w, "HNetID", 3, a->h_net_id);
		if (a->has_hnsid && header_speaks_1_1(h))
			writer_id(&w, "HNSID", 8, a->hnsid);
	}
	writer_close(&w);
	return writer_ok(&w);
}
