/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simulate_device - one LoRaWAN end device, as far as a server can tell.
 *
 *   join > frame on the air > accept (every field and the MIC checked) > session
 *        > uplinks with MIC, encryption and MAC answers > downlinks checked and decrypted
 *
 *   Versions   1.0.0 to 1.0.4 and 1.1; a 1.1 device follows OptNeg down to 1.0 keys.
 *   Nonces     DevNonce counts from 1.0.4 on; before, it walks all 65,536 values in an order
 *              that the device's seed gives, so it never repeats one.
 *   Pure       no socket, no clock: simulate_run.c moves the frames.
 */
#ifndef CLI_SIMULATE_DEVICE_H
#define CLI_SIMULATE_DEVICE_H

#include "crypto/aes.h"
#include "lorawan/data.h"
#include "lorawan/joinaccept.h"
#include "lorawan/keys.h"
#include "lorawan/mac.h"
#include "lorawan/region.h"
#include "lorawan/version.h"
#include "network/gwmp.h"

/* What came of a frame; the words are in simulate_outcome_text. */
enum simulate_outcome {
	SIMULATE_GOOD,
	SIMULATE_ACCEPT_FORMAT,  /* not a join-accept, or a CFList that is none */
	SIMULATE_ACCEPT_MIC,     /* wrong key, or changed */
	SIMULATE_ACCEPT_NONCE,   /* JoinNonce did not rise */
	SIMULATE_ACCEPT_ADDRESS, /* DevAddr does not belong to the NetID */
	SIMULATE_ACCEPT_NETID,   /* another NetID than --net-id */
	SIMULATE_ACCEPT_VERSION, /* OptNeg to a 1.0.x device is ignored; RX1 offset out of range */
	SIMULATE_ACCEPT_TWICE,   /* a second accept to one request */
	SIMULATE_WINDOW_TIME,    /* tmst is neither RX1 nor RX2 */
	SIMULATE_WINDOW_FREQUENCY, /* not the frequency of that window */
	SIMULATE_WINDOW_RATE,      /* not the data rate of that window */
	SIMULATE_WINDOW_RADIO,     /* not inverted, or longer than the rate carries */
	SIMULATE_DOWNLINK_FORMAT,
	SIMULATE_DOWNLINK_MIC,
	SIMULATE_DOWNLINK_COUNTER, /* replayed or out of order */
	SIMULATE_DOWNLINK_STRAY,   /* no device of ours sent an uplink for it */
	SIMULATE_NO_ACCEPT,        /* the windows passed in silence */
	SIMULATE_NO_CONFIRMATION,  /* a confirmed uplink was never acknowledged */
	SIMULATE_NO_PUSH_ACK,      /* the server did not acknowledge the datagram */
	SIMULATE_NO_PULL_ACK,
	SIMULATE_NOT_REFUSED, /* the injected fault was let through */
	SIMULATE_NONCES_SPENT,
	SIMULATE_STOPPED, /* --duration passed, or interrupted */
	SIMULATE_OUTCOMES,
};

/* How a frame went out: what its receive windows follow from. */
struct simulate_radio {
	uint32_t hz;
	uint8_t channel; /* TxCh of the 1.1 MIC */
	uint8_t rate;    /* data rate index */
};

struct simulate_downlink {
	bool has_port;
	uint8_t port;
	uint8_t payload[LORAWAN_FRM_MAX];
	uint8_t n;
	bool ack;
	bool confirmed;
	bool pending;
};

/* Two ciphers for all devices: rekeyed for each use. */
struct simulate_ciphers {
	struct aes *one;
	struct aes *two;
};

struct simulate_device {
	uint64_t dev_eui;
	uint64_t join_eui;
	enum version version;
	uint8_t app_key[LORAWAN_KEY_OCTETS];
	uint8_t nwk_key[LORAWAN_KEY_OCTETS]; /* 1.1 only */
	uint64_t seed;

	uint32_t nonces_used; /* kept between runs */
	uint32_t join_nonce;  /* the last; kept between runs */
	bool has_join_nonce;

	uint16_t dev_nonce; /* of the request in the air; of a rejoin-request its RJcount */
	enum joinaccept_cause cause; /* that request */
	uint16_t rj_count0;          /* next; from 0 in each session */
	uint8_t frame[LORAWAN_PHY_MAX];
	uint8_t frame_n;
	struct simulate_radio radio;

	bool joined;
	bool is_11; /* the session's rules */
	uint32_t net_id;
	uint32_t dev_addr;
	struct keys_session keys;
	uint32_t fcnt_up; /* next */
	uint32_t n_down;  /* next NFCntDown; the only counter in 1.0.x */
	uint32_t a_down;  /* next AFCntDown */
	uint32_t rx1_delay_us;
	uint8_t rx1_offset;
	uint8_t rx2_rate;
	uint32_t rx2_hz;
	uint32_t channel_hz[REGION_CHANNELS];
	uint16_t channel_mask;
	uint8_t rate;

	uint8_t answers[LORAWAN_FOPTS_MAX]; /* MAC commands for the next uplink */
	uint8_t answers_n;
	bool rekey_due; /* 1.1: RekeyInd until RekeyConf */
	bool ack_due;   /* a confirmed downlink waits for our ACK */
	uint16_t ack_fcnt;
	uint32_t link_checks, device_times, adr_requests, status_requests; /* received */
};

/* Forgets session and radio; keeps identity, nonces and JoinNonce. */
void simulate_device_reset(struct simulate_device *d, const struct region *r, uint8_t rate);

/* A session without a join: 1.0.x, NwkSKey in the three network keys. */
void simulate_device_personalise(struct simulate_device *d, const struct region *r, uint8_t rate,
	uint32_t dev_addr, const struct keys_session *keys);

/* Puts a join-request in d->frame; false when every nonce was used. */
bool simulate_device_join(struct simulate_device *d, const struct simulate_ciphers *c);

/* Puts a rejoin-request of this type (0 to 2) in d->frame; false when d's session is not 1.1.
 * RJcount1 is the number of join-requests so far: it never falls. */
bool simulate_device_rejoin(struct simulate_device *d, const struct simulate_ciphers *c,
	uint8_t type);

/* Checks the accept and starts the session. net_id: the one expected, or -1 for any. */
enum simulate_outcome simulate_device_accept(struct simulate_device *d,
	const struct simulate_ciphers *c, const struct region *r, struct span phy, int32_t net_id);

struct simulate_message {
	bool has_port;
	uint8_t port;
	struct span payload;
	bool confirmed;
	bool adr;
};

/* Puts a data frame in d->frame and counts; ERR_SPACE when the payload does not fit. */
int simulate_device_uplink(struct simulate_device *d, const struct simulate_ciphers *c,
	const struct simulate_message *m);

/* Checks MIC and counter, decrypts, obeys MAC commands. *out only when good. */
enum simulate_outcome simulate_device_downlink(struct simulate_device *d,
	const struct simulate_ciphers *c, const struct region *r, struct span phy,
	struct simulate_downlink *out);

/* Is tx the first or second window of a frame that went out at up_tmst by up? */
enum simulate_outcome simulate_device_window(const struct simulate_device *d,
	const struct region *r, const struct simulate_radio *up, uint32_t up_tmst, bool join,
	const struct gwmp_txpk *tx);

/* Adds a request without arguments (LinkCheckReq, DeviceTimeReq) to the next uplink. */
void simulate_device_ask(struct simulate_device *d, enum mac_cid cid);

/* True when an uplink is owed: MAC answers or an ACK. */
bool simulate_device_owes(const struct simulate_device *d);

const char *simulate_outcome_text(enum simulate_outcome o);

/* A number that seed and index give, the same on every machine. */
uint64_t simulate_mix(uint64_t seed, uint64_t index);

#endif
