/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metadata - ULMetaData and DLMetaData: what is known about a frame besides its octets.
 *
 *   Source     TS002-1.0.0 section 15.3, TS002-1.1.0 section 23.4.
 *   Presence   has_x tells if a member is there; a text is "" when absent.
 *   Units      frequencies in MHz, RXDelay1 in seconds, RSSI in dBm, SNR in dB.
 *   GWInfo     an ID of 8 or 16 digits is read (4 octets by the letter; we write all 8).
 *   Ownership  ul_token and fns_ul_token are borrowed: from the document read, or from whoever
 *              writes. They are opaque hexadecimal of another's and go back untouched.
 *   Bounds     METADATA_GATEWAYS_MAX gateways are kept, the first ones; gw_cnt counts all.
 */
#ifndef BACKEND_METADATA_H
#define BACKEND_METADATA_H

#include "json/fields.h"
#include "json/writer.h"

#define METADATA_GATEWAYS_MAX 16
#define METADATA_REGION_MAX   16
#define METADATA_TIME_MAX     40

struct metadata_gateway {
	uint64_t id;
	bool has_id, has_rssi, has_snr, has_place, dl_allowed;
	int rssi;
	double snr;
	double lat, lon;
	char rf_region[METADATA_REGION_MAX];
	const char *ul_token; /* NULL when absent */
};

struct metadata_up {
	uint64_t dev_eui;
	uint32_t dev_addr, f_cnt_down, f_cnt_up;
	bool has_dev_eui, has_dev_addr, has_f_port, has_f_cnt_down, has_f_cnt_up, has_confirmed;
	bool has_data_rate, has_ul_freq, has_margin, has_battery;
	uint8_t f_port, data_rate, battery;
	bool confirmed;
	int margin;
	double ul_freq;
	const char *fns_ul_token;          /* NULL when absent */
	char recv_time[METADATA_TIME_MAX]; /* ISO 8601, UTC */
	char rf_region[METADATA_REGION_MAX];
	uint32_t gw_cnt;
	struct metadata_gateway gateways[METADATA_GATEWAYS_MAX];
	size_t gateways_n;
};

struct metadata_down {
	uint64_t dev_eui;
	uint32_t f_cnt_down;
	bool has_dev_eui, has_f_port, has_f_cnt_down, has_confirmed, has_dl_freq1, has_dl_freq2;
	bool has_rx_delay1, has_data_rate1, has_data_rate2, has_hi_priority;
	uint8_t f_port, rx_delay1, data_rate1, data_rate2;
	bool confirmed, hi_priority;
	double dl_freq1, dl_freq2;
	char class_mode;          /* 'A', 'B', 'C'; 0 when absent */
	const char *fns_ul_token; /* NULL when absent */
	struct metadata_gateway gateways[METADATA_GATEWAYS_MAX];
	size_t gateways_n;
};

/* The members ULMetaData and DLMetaData of a message; false when absent or wrong (f tells). */
bool metadata_read_up(struct fields *f, enum fields_need need, struct metadata_up *out);
void metadata_write_up(struct writer *w, const struct metadata_up *m);
bool metadata_read_down(struct fields *f, enum fields_need need, struct metadata_down *out);
void metadata_write_down(struct writer *w, const struct metadata_down *m);

#endif
