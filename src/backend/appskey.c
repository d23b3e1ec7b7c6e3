/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/appskey.h"

int appskey_read_req(const struct doc *root, struct appskey_req *out, struct err *err)
{
	struct fields f = fields_of(root, err);
	struct appskey_req r = { 0 };

	fields_id(&f, "DevEUI", FIELDS_MUST, 8, &r.dev_eui);
	joining_read_session(&f, FIELDS_MUST, &r.session_key_id);
	if (fields_done(&f))
		return fields_done(&f);
	if (!r.session_key_id.n)
		return err_set(err, ERR_FORMAT, "SessionKeyID: empty");
	*out = r;
	return 0;
}

bool appskey_write_req(struct buf *out, const struct header *h, const struct appskey_req *r)
{
	struct writer w = writer_into(out);

	writer_open(&w, NULL, '{');
	header_write(&w, h);
	writer_id(&w, "DevEUI", 8, r->dev_eui);
	joining_write_session(&w, &r->session_key_id);
	writer_close(&w);
	return writer_ok(&w);
}

int appskey_read_ans(const struct doc *root, struct appskey_ans *out, struct err *err)
{
	struct fields f = fields_of(root, err);
	struct appskey_ans a = { 0 };

	if (result_read(&f, &a.result) && a.result.code == RESULT_SUCCESS) {
		fields_id(&f, "DevEUI", FIELDS_MUST, 8, &a.dev_eui);
		envelope_read(&f, "AppSKey", FIELDS_MUST, &a.app_s_key);
		joining_read_session(&f, FIELDS_MUST, &a.session_key_id);
	}
	if (!fields_done(&f))
		*out = a;
	envelope_wipe(&a.app_s_key);
	return fields_done(&f);
}

bool appskey_write_ans(struct buf *out, const struct header *h, const struct appskey_ans *a)
{
	struct writer w = writer_into(out);

	writer_open(&w, NULL, '{');
	header_write(&w, h);
	result_write(&w, &a->result, header_speaks_1_1(h));
	if (a->result.code == RESULT_SUCCESS) {
		writer_id(&w, "DevEUI", 8, a->dev_eui);
		envelope_write(&w, "AppSKey", &a->app_s_key);
		joining_write_session(&w, &a->session_key_id);
	}
	writer_close(&w);
	return writer_ok(&w);
}
