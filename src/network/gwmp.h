/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gwmp - what a gateway and a network server say to each other over UDP.
 *
 *   gateway                server          a datagram: version, token, kind, then
 *     PUSH_DATA  -------->                   PUSH_DATA, PULL_DATA, TX_ACK: gateway EUI
 *               <--------  PUSH_ACK          PUSH_DATA, PULL_RESP, TX_ACK: JSON
 *     PULL_DATA  -------->
 *               <--------  PULL_ACK
 *               <--------  PULL_RESP
 *     TX_ACK     -------->
 *
 *   Source     the Semtech UDP protocol, version 2 (PROTOCOL.TXT of packet_forwarder); version 1
 *              is read too: its gateways send no TX_ACK.
 *   Trust      none: nothing here is authenticated, an EUI is what the sender claims.
 *   Units      Hz, dBm, tenths of dB, microseconds of the gateway's counter (wraps at 2^32).
 *   Bounds     GWMP_RXPK_MAX frames a datagram, 255 octets a frame.
 *   Ownership  gwmp_read borrows the datagram; everything else is copied.
 *   Errors     ERR_FORMAT, ERR_SPACE, ERR_NOMEM; *out only on success.
 */
#ifndef NETWORK_GWMP_H
#define NETWORK_GWMP_H

#include "base/cursor.h"
#include "core/err.h"
#include "lorawan/rate.h"

#define GWMP_VERSION      2
#define GWMP_DATAGRAM_MAX 16384
#define GWMP_RXPK_MAX     32
#define GWMP_FRAME_MAX    255
#define GWMP_ACK_OCTETS   4

enum gwmp_kind {
	GWMP_PUSH_DATA = 0,
	GWMP_PUSH_ACK = 1,
	GWMP_PULL_DATA = 2,
	GWMP_PULL_RESP = 3,
	GWMP_PULL_ACK = 4,
	GWMP_TX_ACK = 5,
};

struct gwmp {
	uint8_t version; /* 1 or 2 */
	uint16_t token;  /* big-endian here; only ever echoed */
	enum gwmp_kind kind;
	uint64_t gateway; /* EUI; 0 for kinds that carry none */
	struct span json; /* empty for kinds that carry none */
};

/* The datagram's frame; its JSON is not looked at. */
int gwmp_read(struct span datagram, struct gwmp *out);
int gwmp_write(const struct gwmp *in, uint8_t *out, size_t cap, size_t *n);

/*
 * From the head alone, before any JSON: the four octets to send back for a PUSH_DATA or
 * a PULL_DATA. False when nothing is to be acknowledged.
 */
bool gwmp_acknowledge(struct span datagram, uint8_t out[GWMP_ACK_OCTETS]);

#define GWMP_TIME_MAX 32

/* One frame a gateway received. */
struct gwmp_rxpk {
	uint32_t tmst; /* gateway counter at the end of the frame */
	bool has_tmms;
	uint64_t tmms;            /* GPS time, ms since 1980-01-06 */
	char time[GWMP_TIME_MAX]; /* ISO 8601 as the gateway wrote it; "" when absent */
	uint32_t freq;            /* Hz */
	uint8_t chan, rfch;
	int8_t stat; /* CRC: 1 good, -1 bad, 0 none */
	struct rate rate;
	uint8_t codr; /* 5 to 8 for "4/5" to "4/8"; 0 when the gateway did not say, and FSK */
	int16_t rssi; /* dBm */
	int16_t lsnr; /* tenths of dB */
	uint8_t size;
	uint8_t data[GWMP_FRAME_MAX];
};

/* A gateway's report about itself. */
struct gwmp_stat {
	char time[GWMP_TIME_MAX];
	bool has_place;
	double lati, longi; /* degrees */
	int32_t alti;       /* m */
	uint32_t rxnb, rxok, rxfw, dwnb, txnb;
	uint16_t ackr; /* tenths of a percent */
};

struct gwmp_push {
	uint8_t count;
	uint8_t ignored; /* frames left out: CRC not good, modulation unknown, or malformed */
	struct gwmp_rxpk rxpk[GWMP_RXPK_MAX];
	bool has_stat;
	struct gwmp_stat stat;
};

/*
 * Only frames with a good CRC come out: stat absent counts as good, as early forwarders
 * leave it out. A malformed frame is counted and left out; the others are kept. More
 * than GWMP_RXPK_MAX frames, or JSON that is none, is ERR_FORMAT. out is large: keep one.
 */
int gwmp_read_push(struct span json, struct gwmp_push *out, struct err *err);
int gwmp_write_push(const struct gwmp_push *in, char *out, size_t cap, size_t *n);

/* One frame to send. */
struct gwmp_txpk {
	bool imme;     /* at once; else at tmst */
	uint32_t tmst; /* gateway counter */
	uint32_t freq; /* Hz */
	uint8_t rfch;
	int8_t powe; /* dBm */
	struct rate rate;
	uint8_t codr;  /* as above */
	uint16_t fdev; /* Hz; FSK */
	bool ipol;     /* inverted: true for downlinks */
	bool ncrc;     /* no CRC on the air: true for downlinks */
	uint8_t size;
	uint8_t data[GWMP_FRAME_MAX];
};

int gwmp_read_txpk(struct span json, struct gwmp_txpk *out, struct err *err);
int gwmp_write_txpk(const struct gwmp_txpk *in, char *out, size_t cap, size_t *n);

/* What the gateway made of it. GWMP_TX_OTHER: a word not in the protocol's list. */
enum gwmp_tx_error {
	GWMP_TX_NONE,
	GWMP_TX_TOO_LATE,
	GWMP_TX_TOO_EARLY,
	GWMP_TX_COLLISION_PACKET,
	GWMP_TX_COLLISION_BEACON,
	GWMP_TX_FREQ,
	GWMP_TX_POWER,
	GWMP_TX_GPS_UNLOCKED,
	GWMP_TX_OTHER,
};

/* An empty text is GWMP_TX_NONE: JSON is optional in a TX_ACK. A warn is no error. */
int gwmp_read_tx_ack(struct span json, enum gwmp_tx_error *out, struct err *err);
int gwmp_write_tx_ack(enum gwmp_tx_error in, char *out, size_t cap, size_t *n);
const char *gwmp_tx_error_word(enum gwmp_tx_error e);

#endif
