/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uplink - one uplink as the Network Server hands it over, payload still encrypted.
 *
 *   Source     TS002 (Backend Interfaces) XmitDataReq with ULMetaData; LoRaWAN 1.0.3 and 1.1
 *              section 4 for the counters and the port.
 *   Units      Hz, dBm, dB; time as the NS wrote it (RFC 3339), "" when it did not.
 *   Ownership  a value.
 */
#ifndef APPLICATION_UPLINK_H
#define APPLICATION_UPLINK_H

#include "application/session.h"

#define UPLINK_PAYLOAD_MAX  242
#define UPLINK_GATEWAYS_MAX 16
#define UPLINK_TIME_MAX     40
#define UPLINK_WORD_MAX     24

struct uplink_gateway {
	uint64_t gateway_id;
	uint32_t uplink_id;
	char time[UPLINK_TIME_MAX];
	double rssi, snr;
	bool located;
	double latitude, longitude;
};

struct uplink {
	uint32_t net_id; /* of the NS, proved by TLS and policy */
	uint64_t dev_eui;
	bool has_join_eui;
	uint64_t join_eui;
	uint32_t dev_addr;
	struct session_id session;
	uint32_t f_cnt;
	bool has_f_cnt_down;
	uint32_t f_cnt_down; /* the next one the NS will use for an application payload */
	bool has_f_port;
	uint8_t f_port;
	bool confirmed;
	bool has_adr, adr; /* as the frame said, when the NS tells */
	uint8_t dr;
	uint32_t frequency_hz, bandwidth_hz;
	uint8_t spreading_factor;
	char code_rate[UPLINK_WORD_MAX]; /* "4/5" */
	char region[UPLINK_WORD_MAX];    /* "EU868" */
	char time[UPLINK_TIME_MAX];
	uint8_t n; /* octets of payload */
	uint8_t payload[UPLINK_PAYLOAD_MAX];
	uint8_t gateway_count;
	struct uplink_gateway gateway[UPLINK_GATEWAYS_MAX];
};

/* What the NS is told. */
enum uplink_verdict {
	UPLINK_TAKEN,          /* its event is written */
	UPLINK_AGAIN,          /* so it was before: a repetition, no second event */
	UPLINK_REPLAYED,       /* counter used by another frame, or too far behind */
	UPLINK_UNKNOWN_DEVICE, /* no such device here, or no session the JS knows of */
	UPLINK_FOREIGN,        /* the session belongs to another NetID */
	UPLINK_RETIRED,        /* of a session the device has left */
	UPLINK_BAD_PORT,       /* FPort 0 is not for applications */
	UPLINK_NO_KEY,         /* the JS gave no key in time: to be sent again */
	UPLINK_BUSY,           /* a bound is reached: to be sent again */
	UPLINK_NOT_KEPT,       /* the disk refused: to be sent again */
};

#define UPLINK_VERDICTS (UPLINK_NOT_KEPT + 1)

/* "taken", "again", ...: for logs. */
const char *uplink_word(enum uplink_verdict verdict);

/* True when the same frame may succeed later. */
bool uplink_may_be_sent_again(enum uplink_verdict verdict);

/* Over everything that makes this frame this frame: address, counter, port, payload. */
uint32_t uplink_digest(const struct uplink *u);

#endif
