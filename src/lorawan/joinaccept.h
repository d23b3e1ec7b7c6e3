/* SPDX-License-Identifier: Apache-2.0 */
/*
 * joinaccept - the answer that gives a device its session.
 *
 *   Source     LoRaWAN 1.0.4 section 6.2.5, 1.1 section 6.2.3.
 *   Sizes      17 octets, or 33 with a CFList; all after the MHDR is encrypted on the air.
 *   Cipher     the server uses AES *decrypt* in ECB mode, so a device needs encrypt alone.
 *              Key: AppKey (1.0.x), NwkKey (1.1 after a join-request), JSEncKey (after a rejoin).
 *   Order      write, set the MIC (mic.h), write again or patch the last four, then encrypt;
 *              joinaccept_seal_10 and _11 do the whole.
 *   Errors     ERR_FORMAT; outputs only on success.
 */
#ifndef LORAWAN_JOINACCEPT_H
#define LORAWAN_JOINACCEPT_H

#include "base/block.h"
#include "lorawan/cflist.h"
#include "lorawan/phy.h"

#define JOINACCEPT_OCTETS        17
#define JOINACCEPT_OCTETS_CFLIST 33
#define JOINACCEPT_MAX           JOINACCEPT_OCTETS_CFLIST
#define JOINACCEPT_OPT_NEG       0x80u /* bit of DLSettings: 1.1 rules follow */

struct joinaccept {
	uint32_t join_nonce; /* 24 bits */
	uint32_t net_id;     /* 24 bits */
	uint32_t dev_addr;
	uint8_t dl_settings; /* OptNeg 1, RX1DROffset 3, RX2DataRate 4 */
	uint8_t rx_delay;    /* seconds in the low 4 bits; 0 means 1 */
	bool has_cflist;
	uint8_t cflist[CFLIST_OCTETS]; /* as on the air; zero without one */
	uint8_t mic[LORAWAN_MIC_OCTETS];
	uint8_t rfu; /* of the MHDR */
};

/* To which request the accept answers: enters the 1.1 MIC. */
enum joinaccept_cause {
	JOINACCEPT_AFTER_REJOIN_0 = 0,
	JOINACCEPT_AFTER_REJOIN_1 = 1,
	JOINACCEPT_AFTER_REJOIN_2 = 2,
	JOINACCEPT_AFTER_JOIN = 0xff,
};

/* Plain octets, MHDR and MIC included. */
int joinaccept_read(struct span plain, struct joinaccept *out);
size_t joinaccept_write(const struct joinaccept *a, uint8_t out[JOINACCEPT_MAX]);

/* Both take and give whole frames of 17 or 33 octets; in and out may be the same memory. */
int joinaccept_encrypt(const struct block *key, struct span plain, uint8_t out[JOINACCEPT_MAX]);
int joinaccept_decrypt(const struct block *key, struct span phy, uint8_t out[JOINACCEPT_MAX]);

/*
 * Fills in a->mic and gives the frame as it goes on the air; returns its length.
 * nonce: DevNonce, or RJcount after a rejoin.
 */
size_t joinaccept_seal_10(const struct block *app_key, struct joinaccept *a,
	uint8_t out[JOINACCEPT_MAX]);
size_t joinaccept_seal_11(const struct block *js_int_key, const struct block *cipher_key,
	enum joinaccept_cause cause, uint64_t join_eui, uint16_t nonce, struct joinaccept *a,
	uint8_t out[JOINACCEPT_MAX]);

#endif
