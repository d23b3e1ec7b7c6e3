/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mac - MAC commands: what network and device tell each other beside the payload.
 *
 *   Source     LoRaWAN 1.0.4 and 1.1 chapter 5. One octet CID, then arguments whose length
 *              the CID and the direction give.
 *   Walk       struct mac_walk over FOpts or a port-0 payload (decrypted); mac_next gives
 *              one command at a time and stops at the end, at a CID it does not know (its
 *              length is unknown too: 1.0.4 section 5 says discard the rest) or at one cut short.
 *   Ownership  args borrow the octets given.
 *   Units      margin in dB; battery 0 mains, 1..254 level, 255 unknown.
 */
#ifndef LORAWAN_MAC_H
#define LORAWAN_MAC_H

#include "base/cursor.h"
#include "base/sink.h"
#include "lorawan/types.h"

/* The same CID is the request one way and the answer the other. */
enum mac_cid {
	MAC_RESET = 0x01,
	MAC_LINK_CHECK = 0x02,
	MAC_LINK_ADR = 0x03,
	MAC_DUTY_CYCLE = 0x04,
	MAC_RX_PARAM_SETUP = 0x05,
	MAC_DEV_STATUS = 0x06,
	MAC_NEW_CHANNEL = 0x07,
	MAC_RX_TIMING_SETUP = 0x08,
	MAC_TX_PARAM_SETUP = 0x09,
	MAC_DL_CHANNEL = 0x0a,
	MAC_REKEY = 0x0b,
	MAC_ADR_PARAM_SETUP = 0x0c,
	MAC_DEVICE_TIME = 0x0d,
	MAC_FORCE_REJOIN = 0x0e,
	MAC_REJOIN_PARAM_SETUP = 0x0f,
};

enum mac_stop {
	MAC_MORE,    /* not stopped */
	MAC_END,     /* every octet was a command */
	MAC_UNKNOWN, /* a CID this walk does not know */
	MAC_SHORT,   /* a command cut off by the end */
};

struct mac_walk {
	struct cursor at;
	enum lorawan_direction direction;
	enum mac_stop stop;
};

struct mac_command {
	uint8_t cid;
	struct span args; /* mac_args_octets(cid, direction) octets */
};

struct mac_walk mac_walk_over(struct span commands, enum lorawan_direction direction);
bool mac_next(struct mac_walk *w, struct mac_command *out); /* false: w->stop says why */

/* Octets after the CID; -1 for a CID unknown in this direction. */
int mac_args_octets(uint8_t cid, enum lorawan_direction direction);

/* LinkCheckReq, DevStatusReq, DeviceTimeReq, DutyCycleAns ...: commands without arguments. */
void mac_write_bare(struct sink *s, enum mac_cid cid);

struct mac_link_check_ans {
	uint8_t margin;
	uint8_t gateways;
};
void mac_read_link_check_ans(const struct mac_command *c, struct mac_link_check_ans *out);
void mac_write_link_check_ans(struct sink *s, const struct mac_link_check_ans *a);

struct mac_link_adr_req {
	uint8_t data_rate;     /* 4 bits; 15 keeps the rate */
	uint8_t tx_power;      /* 4 bits; 15 keeps the power */
	uint16_t channels;     /* ChMask */
	uint8_t mask_control;  /* ChMaskCntl, 3 bits */
	uint8_t transmissions; /* NbTrans, 4 bits */
};
void mac_read_link_adr_req(const struct mac_command *c, struct mac_link_adr_req *out);
void mac_write_link_adr_req(struct sink *s, const struct mac_link_adr_req *a);

struct mac_link_adr_ans {
	bool power_ok;
	bool data_rate_ok;
	bool channels_ok;
};
void mac_read_link_adr_ans(const struct mac_command *c, struct mac_link_adr_ans *out);
void mac_write_link_adr_ans(struct sink *s, const struct mac_link_adr_ans *a);

struct mac_dev_status_ans {
	uint8_t battery;
	int8_t margin; /* -32..31 */
};
void mac_read_dev_status_ans(const struct mac_command *c, struct mac_dev_status_ans *out);
void mac_write_dev_status_ans(struct sink *s, const struct mac_dev_status_ans *a);

struct mac_device_time_ans {
	uint32_t seconds; /* since the GPS epoch, 1980-01-06, without leap seconds removed */
	uint8_t fraction; /* of a second, in 1/256 */
};
void mac_read_device_time_ans(const struct mac_command *c, struct mac_device_time_ans *out);
void mac_write_device_time_ans(struct sink *s, const struct mac_device_time_ans *a);

/* RekeyInd, RekeyConf (1.1 section 5.10): the minor version both will speak; 1 is LoRaWAN 1.1. */
void mac_write_rekey(struct sink *s, uint8_t minor);
uint8_t mac_read_rekey(const struct mac_command *c);

#endif
