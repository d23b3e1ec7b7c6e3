/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/metadata.h"

#include <string.h>

static bool read_u8(struct fields *f, const char *name, uint8_t max, uint8_t *out)
{
	uint32_t v;

	if (!fields_u32(f, name, FIELDS_MAY, max, &v))
		return false;
	*out = (uint8_t)v;
	return true;
}

static bool read_int(struct fields *f, const char *name, int min, int max, int *out)
{
	int64_t v;

	if (!fields_integer(f, name, FIELDS_MAY, min, max, &v))
		return false;
	*out = (int)v;
	return true;
}

/* dBm: some write a fraction, though the table says integer. */
static bool read_rounded(struct fields *f, const char *name, int *out)
{
	double v;

	if (!fields_real(f, name, FIELDS_MAY, &v))
		return false;
	if (v < -1000 || v > 1000) {
		f->code = err_set(f->err, ERR_FORMAT, "%s: out of range", name);
		return false;
	}
	*out = (int)(v < 0 ? v - 0.5 : v + 0.5);
	return true;
}

/* 8 digits by the letter, 16 by practice. */
static bool read_gateway_id(struct fields *f, uint64_t *out)
{
	uint8_t p[8];
	size_t n;

	if (!fields_hex(f, "ID", FIELDS_MAY, p, sizeof(p), &n))
		return false;
	if (n != 4 && n != 8) {
		f->code = err_set(f->err, ERR_FORMAT, "ID: %zu octets, need 4 or 8", n);
		return false;
	}
	*out = 0;
	for (size_t i = 0; i < n; i++)
		*out = *out << 8 | p[i];
	return true;
}

static int read_gateway(const struct doc *object, struct metadata_gateway *out, struct err *err)
{
	struct fields f = fields_of(object, err);
	struct metadata_gateway g = { 0 };

	g.has_id = read_gateway_id(&f, &g.id);
	g.has_rssi = read_rounded(&f, "RSSI", &g.rssi);
	g.has_snr = fields_real(&f, "SNR", FIELDS_MAY, &g.snr);
	g.has_place = fields_real(&f, "Lat", FIELDS_MAY, &g.lat) &&
		fields_real(&f, "Lon", FIELDS_MAY, &g.lon);
	fields_copy(&f, "RFRegion", FIELDS_MAY, g.rf_region, sizeof(g.rf_region));
	fields_text(&f, "ULToken", FIELDS_MAY, &g.ul_token);
	fields_bool(&f, "DLAllowed", FIELDS_MAY, &g.dl_allowed);
	if (!fields_done(&f))
		*out = g;
	return fields_done(&f);
}

static size_t read_gateways(struct fields *f, struct metadata_gateway *out)
{
	const struct doc *array;
	size_t n;

	if (!fields_array(f, "GWInfo", FIELDS_MAY, &array))
		return 0;
	n = doc_count(array);
	if (n > METADATA_GATEWAYS_MAX)
		n = METADATA_GATEWAYS_MAX;
	for (size_t i = 0; i < n; i++)
		if (read_gateway(doc_item(array, i), &out[i], f->err)) {
			f->code = err_wrap(f->err, ERR_FORMAT, "GWInfo[%zu]", i);
			return 0;
		}
	return n;
}

bool metadata_read_up(struct fields *f, enum fields_need need, struct metadata_up *out)
{
	struct metadata_up m = { 0 };
	const struct doc *object;
	uint64_t dev_addr = 0;
	struct fields g;

	if (!fields_object(f, "ULMetaData", need, &object))
		return false;
	g = fields_of(object, f->err);
	m.has_dev_eui = fields_id(&g, "DevEUI", FIELDS_MAY, 8, &m.dev_eui);
	m.has_dev_addr = fields_id(&g, "DevAddr", FIELDS_MAY, 4, &dev_addr);
	m.dev_addr = (uint32_t)dev_addr;
	m.has_f_port = read_u8(&g, "FPort", 255, &m.f_port);
	m.has_f_cnt_down = fields_u32(&g, "FCntDown", FIELDS_MAY, UINT32_MAX, &m.f_cnt_down);
	m.has_f_cnt_up = fields_u32(&g, "FCntUp", FIELDS_MAY, UINT32_MAX, &m.f_cnt_up);
	m.has_confirmed = fields_bool(&g, "Confirmed", FIELDS_MAY, &m.confirmed);
	m.has_data_rate = read_u8(&g, "DataRate", 15, &m.data_rate);
	m.has_ul_freq = fields_real(&g, "ULFreq", FIELDS_MAY, &m.ul_freq);
	m.has_margin = read_int(&g, "Margin", -128, 127, &m.margin);
	m.has_battery = read_u8(&g, "Battery", 255, &m.battery);
	fields_text(&g, "FNSULToken", FIELDS_MAY, &m.fns_ul_token);
	fields_copy(&g, "RecvTime", FIELDS_MAY, m.recv_time, sizeof(m.recv_time));
	fields_copy(&g, "RFRegion", FIELDS_MAY, m.rf_region, sizeof(m.rf_region));
	fields_u32(&g, "GWCnt", FIELDS_MAY, UINT32_MAX, &m.gw_cnt);
	m.gateways_n = read_gateways(&g, m.gateways);
	if (fields_done(&g)) {
		f->code = err_wrap(f->err, g.code, "ULMetaData");
		return false;
	}
	*out = m;
	return true;
}

bool metadata_read_down(struct fields *f, enum fields_need need, struct metadata_down *out)
{
	struct metadata_down m = { 0 };
	const struct doc *object;
	const char *mode = "";
	struct fields g;

	if (!fields_object(f, "DLMetaData", need, &object))
		return false;
	g = fields_of(object, f->err);
	m.has_dev_eui = fields_id(&g, "DevEUI", FIELDS_MAY, 8, &m.dev_eui);
	m.has_f_port = read_u8(&g, "FPort", 255, &m.f_port);
	m.has_f_cnt_down = fields_u32(&g, "FCntDown", FIELDS_MAY, UINT32_MAX, &m.f_cnt_down);
	m.has_confirmed = fields_bool(&g, "Confirmed", FIELDS_MAY, &m.confirmed);
	m.has_dl_freq1 = fields_real(&g, "DLFreq1", FIELDS_MAY, &m.dl_freq1);
	m.has_dl_freq2 = fields_real(&g, "DLFreq2", FIELDS_MAY, &m.dl_freq2);
	m.has_rx_delay1 = read_u8(&g, "RXDelay1", 15, &m.rx_delay1);
	m.has_data_rate1 = read_u8(&g, "DataRate1", 15, &m.data_rate1);
	m.has_data_rate2 = read_u8(&g, "DataRate2", 15, &m.data_rate2);
	m.has_hi_priority = fields_bool(&g, "HiPriorityFlag", FIELDS_MAY, &m.hi_priority);
	fields_text(&g, "FNSULToken", FIELDS_MAY, &m.fns_ul_token);
	if (fields_text(&g, "ClassMode", FIELDS_MAY, &mode) &&
		(!mode[0] || mode[1] || !strchr("ABC", mode[0])))
		g.code = err_set(f->err, ERR_FORMAT, "ClassMode: need A, B or C");
	m.class_mode = mode[0];
	m.gateways_n = read_gateways(&g, m.gateways);
	if (fields_done(&g)) {
		f->code = err_wrap(f->err, g.code, "DLMetaData");
		return false;
	}
	*out = m;
	return true;
}

static void write_u64_if(struct writer *w, const char *name, bool has, uint64_t v)
{
	if (has)
		writer_u64(w, name, v);
}

static void write_bool_if(struct writer *w, const char *name, bool has, bool v)
{
	if (has)
		writer_bool(w, name, v);
}

static void write_text_if(struct writer *w, const char *name, const char *text)
{
	if (text && text[0])
		writer_text(w, name, text);
}

static void write_gateways(struct writer *w, const struct metadata_gateway *g, size_t n)
{
	if (!n)
		return;
	writer_open(w, "GWInfo", '[');
	for (; n; n--, g++) {
		writer_open(w, NULL, '{');
		if (g->has_id)
			writer_id(w, "ID", 8, g->id);
		write_text_if(w, "RFRegion", g->rf_region);
		if (g->has_rssi)
			writer_integer(w, "RSSI", g->rssi);
		if (g->has_snr)
			writer_real(w, "SNR", g->snr, 2);
		if (g->has_place) {
			writer_real(w, "Lat", g->lat, 6);
			writer_real(w, "Lon", g->lon, 6);
		}
		write_text_if(w, "ULToken", g->ul_token);
		write_bool_if(w, "DLAllowed", g->dl_allowed, true);
		writer_close(w);
	}
	writer_close(w);
}

void metadata_write_up(struct writer *w, const struct metadata_up *m)
{
	writer_open(w, "ULMetaData", '{');
	if (m->has_dev_eui)
		writer_id(w, "DevEUI", 8, m->dev_eui);
	if (m->has_dev_addr)
		writer_id(w, "DevAddr", 4, m->dev_addr);
	write_u64_if(w, "FPort", m->has_f_port, m->f_port);
	write_u64_if(w, "FCntDown", m->has_f_cnt_down, m->f_cnt_down);
	write_u64_if(w, "FCntUp", m->has_f_cnt_up, m->f_cnt_up);
	write_bool_if(w, "Confirmed", m->has_confirmed, m->confirmed);
	write_u64_if(w, "DataRate", m->has_data_rate, m->data_rate);
	if (m->has_ul_freq)
		writer_real(w, "ULFreq", m->ul_freq, 4);
	if (m->has_margin)
		writer_integer(w, "Margin", m->margin);
	write_u64_if(w, "Battery", m->has_battery, m->battery);
	write_text_if(w, "FNSULToken", m->fns_ul_token);
	write_text_if(w, "RecvTime", m->recv_time);
	write_text_if(w, "RFRegion", m->rf_region);
	write_u64_if(w, "GWCnt", m->gw_cnt != 0, m->gw_cnt);
	write_gateways(w, m->gateways, m->gateways_n);
	writer_close(w);
}

void metadata_write_down(struct writer *w, const struct metadata_down *m)
{
	char mode[2] = { m->class_mode, 0 };

	writer_open(w, "DLMetaData", '{');
	if (m->has_dev_eui)
		writer_id(w, "DevEUI", 8, m->dev_eui);
	write_u64_if(w, "FPort", m->has_f_port, m->f_port);
	write_u64_if(w, "FCntDown", m->has_f_cnt_down, m->f_cnt_down);
	write_bool_if(w, "Confirmed", m->has_confirmed, m->confirmed);
	if (m->has_dl_freq1)
		writer_real(w, "DLFreq1", m->dl_freq1, 4);
	if (m->has_dl_freq2)
		writer_real(w, "DLFreq2", m->dl_freq2, 4);
	write_u64_if(w, "RXDelay1", m->has_rx_delay1, m->rx_delay1);
	write_text_if(w, "ClassMode", mode);
	write_u64_if(w, "DataRate1", m->has_data_rate1, m->data_rate1);
	write_u64_if(w, "DataRate2", m->has_data_rate2, m->data_rate2);
	write_text_if(w, "FNSULToken", m->fns_ul_token);
	write_gateways(w, m->gateways, m->gateways_n);
	write_bool_if(w, "HiPriorityFlag", m->has_hi_priority, m->hi_priority);
	writer_close(w);
}
