/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/joining.h"

#include <string.h>

#include "core/secret.h"

bool joining_read_version(struct fields *f, enum fields_need need, enum version *out)
{
	const char *text;

	if (!fields_text(f, "MACVersion", need, &text))
		return false;
	if (version_read((struct span){ (const uint8_t *)text, strlen(text) }, out)) {
		f->code = err_set(f->err, ERR_FORMAT, "MACVersion: not a version known here");
		return false;
	}
	return true;
}

bool joining_read_session(struct fields *f, enum fields_need need, struct joining_session *out)
{
	struct joining_session s = { 0 };

	if (!fields_hex(f, "SessionKeyID", need, s.octets, sizeof(s.octets), &s.n))
		return false;
	*out = s;
	return true;
}

void joining_write_session(struct writer *w, const struct joining_session *s)
{
	if (s->n)
		writer_hex(w, "SessionKeyID", (struct span){ s->octets, s->n });
}

int joining_read_req(const struct doc *root, struct joining_req *out, struct err *err)
{
	struct fields f = fields_of(root, err);
	uint64_t dev_addr = 0, dl_settings = 0;
	struct joining_req r = { 0 };
	uint32_t rx_delay = 0;
	size_t cflist_n = 0;

	joining_read_version(&f, FIELDS_MUST, &r.mac_version);
	fields_hex(&f, "PHYPayload", FIELDS_MUST, r.phy_payload, sizeof(r.phy_payload), &r.phy_n);
	fields_id(&f, "DevEUI", FIELDS_MUST, 8, &r.dev_eui);
	fields_id(&f, "DevAddr", FIELDS_MUST, 4, &dev_addr);
	fields_id(&f, "DLSettings", FIELDS_MUST, 1, &dl_settings);
	fields_u32(&f, "RxDelay", FIELDS_MUST, 15, &rx_delay);
	fields_hex(&f, "CFList", FIELDS_MAY, r.cflist, sizeof(r.cflist), &cflist_n);
	if (fields_done(&f))
		return fields_done(&f);
	if (cflist_n && cflist_n != CFLIST_OCTETS)
		return err_set(err, ERR_FORMAT, "CFList: %zu octets, need %d", cflist_n,
			CFLIST_OCTETS);
	r.has_cflist = cflist_n != 0;
	r.dev_addr = (uint32_t)dev_addr;
	r.dl_settings = (uint8_t)dl_settings;
	r.rx_delay = (uint8_t)rx_delay;
	*out = r;
	return 0;
}

bool joining_write_req(struct buf *out, const struct header *h, const struct joining_req *r,
	bool short_version)
{
	struct writer w = writer_into(out);

	writer_open(&w, NULL, '{');
	header_write(&w, h);
	writer_text(&w, "MACVersion",
		short_version ? version_text_short(r->mac_version) : version_text(r->mac_version));
	writer_hex(&w, "PHYPayload", (struct span){ r->phy_payload, r->phy_n });
	writer_id(&w, "DevEUI", 8, r->dev_eui);
	writer_id(&w, "DevAddr", 4, r->dev_addr);
	writer_id(&w, "DLSettings", 1, r->dl_settings);
	writer_u64(&w, "RxDelay", r->rx_delay);
	if (r->has_cflist)
		writer_hex(&w, "CFList", (struct span){ r->cflist, CFLIST_OCTETS });
	writer_close(&w);
	return writer_ok(&w);
}

/* VSExtension.Object.Sardane, if it is there: an extension of others is not our affair. */
static void read_extension(const struct doc *root, struct joining_ans *a)
{
	const struct doc *object = doc_member(doc_member(root, "VSExtension"), "Object");
	const struct doc *ours = doc_member(object, "Sardane");
	struct fields f = fields_of(ours, NULL);

	fields_copy(&f, "ApplicationServer", FIELDS_MAY, a->application_server,
		sizeof(a->application_server));
	fields_copy(&f, "ASID", FIELDS_MAY, a->as_id, sizeof(a->as_id));
	if (fields_done(&f)) {
		a->application_server[0] = 0;
		a->as_id[0] = 0;
	}
}

static void write_extension(struct writer *w, const struct joining_ans *a)
{
	if (!a->application_server[0])
		return;
	writer_open(w, "VSExtension", '{');
	writer_text(w, "VendorID", "000000");
	writer_open(w, "Object", '{');
	writer_open(w, "Sardane", '{');
	writer_text(w, "ApplicationServer", a->application_server);
	if (a->as_id[0])
		writer_text(w, "ASID", a->as_id);
	writer_close(w);
	writer_close(w);
	writer_close(w);
}

/* TS002-1.0.0 section 8: NwkSKey for 1.0, all three others for 1.1. */
static int check_keys(const struct joining_ans *a, struct err *err)
{
	bool three = a->s_nwk_s_int_key.n && a->f_nwk_s_int_key.n && a->nwk_s_enc_key.n;

	if (!a->nwk_s_key.n && !three)
		return err_set(err, ERR_FORMAT,
			"NwkSKey: missing, and so is one of SNwkSIntKey, FNwkSIntKey, NwkSEncKey");
	return 0;
}

int joining_read_ans(const struct doc *root, struct joining_ans *out, struct err *err)
{
	struct fields f = fields_of(root, err);
	struct joining_ans a = { 0 };
	int rc = 0;

	if (result_read(&f, &a.result) && a.result.code == RESULT_SUCCESS) {
		fields_hex(&f, "PHYPayload", FIELDS_MUST, a.phy_payload, sizeof(a.phy_payload),
			&a.phy_n);
		fields_u32(&f, "Lifetime", FIELDS_MAY, UINT32_MAX, &a.lifetime);
		envelope_read(&f, "NwkSKey", FIELDS_MAY, &a.nwk_s_key);
		envelope_read(&f, "SNwkSIntKey", FIELDS_MAY, &a.s_nwk_s_int_key);
		envelope_read(&f, "FNwkSIntKey", FIELDS_MAY, &a.f_nwk_s_int_key);
		envelope_read(&f, "NwkSEncKey", FIELDS_MAY, &a.nwk_s_enc_key);
		envelope_read(&f, "AppSKey", FIELDS_MAY, &a.app_s_key);
		joining_read_session(&f, FIELDS_MAY, &a.session_key_id);
		if (!fields_done(&f))
			rc = check_keys(&a, err);
		read_extension(root, &a);
	}
	if (fields_done(&f))
		rc = fields_done(&f);
	if (!rc)
		*out = a;
	joining_wipe_ans(&a);
	return rc;
}

bool joining_write_ans(struct buf *out, const struct header *h, const struct joining_ans *a)
{
	struct writer w = writer_into(out);

	writer_open(&w, NULL, '{');
	header_write(&w, h);
	result_write(&w, &a->result, header_speaks_1_1(h));
	if (a->result.code == RESULT_SUCCESS) {
		writer_hex(&w, "PHYPayload", (struct span){ a->phy_payload, a->phy_n });
		writer_u64(&w, "Lifetime", a->lifetime);
		envelope_write(&w, "NwkSKey", &a->nwk_s_key);
		envelope_write(&w, "SNwkSIntKey", &a->s_nwk_s_int_key);
		envelope_write(&w, "FNwkSIntKey", &a->f_nwk_s_int_key);
		envelope_write(&w, "NwkSEncKey", &a->nwk_s_enc_key);
		envelope_write(&w, "AppSKey", &a->app_s_key);
		joining_write_session(&w, &a->session_key_id);
		write_extension(&w, a);
	}
	writer_close(&w);
	return writer_ok(&w);
}

void joining_wipe_ans(struct joining_ans *a)
{
	secret_wipe_octets(a, sizeof(*a));
}
