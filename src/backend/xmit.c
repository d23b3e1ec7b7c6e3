/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/xmit.h"

int xmit_read_req(const struct doc *root, struct xmit_req *out, struct err *err)
{
	struct fields f = fields_of(root, err);
	struct xmit_req r = { 0 };
	uint8_t frm[LORAWAN_PHY_MAX];
	size_t frm_n = 0;

	r.has_phy = fields_hex(&f, "PHYPayload", FIELDS_MAY, r.payload, sizeof(r.payload),
		&r.payload_n);
	r.has_frm = fields_hex(&f, "FRMPayload", FIELDS_MAY, r.has_phy ? frm : r.payload,
		sizeof(frm), r.has_phy ? &frm_n : &r.payload_n);
	r.has_up = metadata_read_up(&f, FIELDS_MAY, &r.up);
	r.has_down = metadata_read_down(&f, FIELDS_MAY, &r.down);
	r.has_join_eui = fields_id(&f, "JoinEUI", FIELDS_MAY, 8, &r.join_eui);
	r.has_mac_version = joining_read_version(&f, FIELDS_MAY, &r.mac_version);
	r.has_adr = fields_bool(&f, "ADR", FIELDS_MAY, &r.adr);
	joining_read_session(&f, FIELDS_MAY, &r.session_key_id);
	if (fields_done(&f))
		return fields_done(&f);
	if (r.has_phy == r.has_frm)
		return err_set(err, ERR_FORMAT, "PHYPayload or FRMPayload: need one of the two");
	if (r.has_up == r.has_down)
		return err_set(err, ERR_FORMAT, "ULMetaData or DLMetaData: need one of the two");
	*out = r;
	return 0;
}

bool xmit_write_req(struct buf *out, const struct header *h, const struct xmit_req *r)
{
	struct writer w = writer_into(out);

	writer_open(&w, NULL, '{');
	header_write(&w, h);
	writer_hex(&w, r->has_phy ? "PHYPayload" : "FRMPayload",
		(struct span){ r->payload, r->payload_n });
	if (r->has_up)
		metadata_write_up(&w, &r->up);
	if (r->has_down)
		metadata_write_down(&w, &r->down);
	if (r->has_join_eui)
		writer_id(&w, "JoinEUI", 8, r->join_eui);
	joining_write_session(&w, &r->session_key_id);
	if (r->has_mac_version)
		writer_text(&w, "MACVersion", version_text(r->mac_version));
	if (r->has_adr)
		writer_bool(&w, "ADR", r->adr);
	writer_close(&w);
	return writer_ok(&w);
}

int xmit_read_ans(const struct doc *root, struct xmit_ans *out, struct err *err)
{
	struct fields f = fields_of(root, err);
	struct xmit_ans a = { 0 };

	result_read(&f, &a.result);
	a.has_dl_freq1 = fields_real(&f, "DLFreq1", FIELDS_MAY, &a.dl_freq1);
	a.has_dl_freq2 = fields_real(&f, "DLFreq2", FIELDS_MAY, &a.dl_freq2);
	a.has_f_cnt_down = fields_u32(&f, "FCntDown", FIELDS_MAY, UINT32_MAX, &a.f_cnt_down);
	if (!fields_done(&f))
		*out = a;
	return fields_done(&f);
}

bool xmit_write_ans(struct buf *out, const struct header *h, const struct xmit_ans *a)
{
	struct writer w = writer_into(out);

	writer_open(&w, NULL, '{');
	header_write(&w, h);
	result_write(&w, &a->result, header_speaks_1_1(h));
	if (a->has_dl_freq1)
		writer_real(&w, "DLFreq1", a->dl_freq1, 4);
	if (a->has_dl_freq2)
		writer_real(&w, "DLFreq2", a->dl_freq2, 4);
	if (a->has_f_cnt_down)
		writer_u64(&w, "FCntDown", a->f_cnt_down);
	writer_close(&w);
	return writer_ok(&w);
}
