/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session - what the network knows of one activation of one device.
 *
 *   join-accept sent          first valid uplink
 *     PENDING  ----------------->  ACTIVE        the old ACTIVE one is kept until then,
 *        |______ newer join _______^ |           for a device that missed its accept
 *
 *   Source     LoRaWAN 1.0.4 and 1.1 chapters 4 and 6.
 *   Counters   f_cnt_up_next is the one expected; downlinks: 1.0 has one counter (n_f_cnt_down),
 *              1.1 two, for frames without or with an application port. All are 32 bits and
 *              are on disk before the frame they belong to has any effect.
 *   Identity   DevEUI and JoinEUI: a DevEUI alone is a claim anyone can put on the air. Only
 *              the Join Server of the JoinEUI vouches for it, so a session of one JoinEUI never
 *              takes the place of another's.
 *   Lookup     by DevAddr (several sessions may share one) and by DevEUI (two per JoinEUI).
 *   Ownership  the table owns its sessions and wipes them when they go.
 */
#ifndef NETWORK_SESSION_H
#define NETWORK_SESSION_H

#include "backend/joining.h"
#include "core/buf.h"
#include "lorawan/mac.h"

#define SESSION_BLOB_MAX   1280 /* octets of a session on disk */
#define SESSION_QUEUE_MAX  8    /* downlinks of the AS that wait */
#define SESSION_SNR_MAX    20   /* uplinks that ADR looks back at */
#define SESSION_AS_URL_MAX JOINING_URL_MAX
#define SESSION_AS_ID_MAX  HEADER_ID_MAX

/* A payload of the Application Server, encrypted by it for this very counter. */
struct session_item {
	uint32_t f_cnt;
	uint8_t f_port;
	bool confirmed;
	uint8_t n;
	uint8_t payload[LORAWAN_FRM_MAX];
	int64_t expires_ms;
};

enum session_slot { SESSION_ACTIVE, SESSION_PENDING };

struct session {
	uint64_t dev_eui, join_eui;
	uint32_t dev_addr;
	enum session_slot slot;
	bool lw11; /* keys and MICs of LoRaWAN 1.1 */
	bool abp;
	uint8_t f_nwk_s_int[LORAWAN_KEY_OCTETS]; /* 1.0: all three are NwkSKey */
	uint8_t s_nwk_s_int[LORAWAN_KEY_OCTETS];
	uint8_t nwk_s_enc[LORAWAN_KEY_OCTETS];
	struct joining_session key_id;
	char as_url[SESSION_AS_URL_MAX]; /* "" when no AS is known */
	char as_id[SESSION_AS_ID_MAX];

	bool up_any; /* an uplink was accepted */
	uint32_t f_cnt_up_next;
	uint8_t last_mic[LORAWAN_MIC_OCTETS]; /* of the last uplink: tells a repetition from a
						 replay */
	uint8_t repeats;                      /* of it, that were answered */
	bool down_exhausted;
	uint32_t n_f_cnt_down, a_f_cnt_down; /* next to use; 1.0 uses the first for all */
	bool conf_down;                      /* a confirmed downlink was sent last ... */
	uint32_t conf_f_cnt_down;            /* ... with this counter */

	uint8_t rx_delay, rx1_offset, rx2_rate;
	uint32_t rx2_hz;

	uint8_t rate, power, transmissions; /* as the device has them, as far as we know */
	uint8_t adr_wait;                   /* uplinks until ADR is tried again */
	uint8_t snr_n;
	int16_t snr[SESSION_SNR_MAX]; /* tenths of dB, best copy each, newest last */
	bool adr_pending;
	struct mac_link_adr_req adr_asked;
	uint32_t rj_count0_next; /* not on disk: the Join Server is who must not forget */
	int64_t status_asked_ms; /* not on disk; 0 before the first */
	uint8_t battery;         /* 255: not known */
	int8_t margin;

	uint8_t queued;
	struct session_item *queue[SESSION_QUEUE_MAX]; /* owned; not on disk: the AS keeps them */
	uint8_t tries; /* of the first, when it is confirmed and was sent */

	/* private */
	struct session *same_addr, *same_eui;
};

struct session_table {
	struct session **by_addr, **by_eui;
	uint32_t buckets, count, max;
};

int session_table_init(struct session_table *t, uint32_t max, struct err *err);
void session_table_done(struct session_table *t);

/* Takes its place in the table, in the stead of the one in the same slot of the same device
 * (DevEUI and JoinEUI), which is freed. in is copied. ERR_SPACE when the table is full. */
int session_add(struct session_table *t, const struct session *in, struct session **out,
	struct err *err);
void session_remove(struct session_table *t, struct session *s);

/* A pending session that was used: becomes the active one; the old one is freed. */
void session_confirm(struct session_table *t, struct session *s);

/* The next session of this DevEUI after s, of whatever JoinEUI and slot; the first for s NULL. */
struct session *session_by_eui(const struct session_table *t, uint64_t dev_eui,
	const struct session *s);
/* The session in this slot of this very device; NULL when there is none. */
struct session *session_of_device(const struct session_table *t, uint64_t dev_eui,
	uint64_t join_eui, enum session_slot slot);
/* The next session with this address after s; the first for s NULL. */
struct session *session_by_addr(const struct session_table *t, uint32_t dev_addr,
	const struct session *s);

bool session_as_is(const struct session *s, const char *as_id);

/* On disk: written and read in this form, which says its version. ERR_FORMAT, ERR_SPACE. */
int session_write(const struct session *s, uint8_t *out, size_t cap, size_t *n);
int session_read(struct span blob, struct session *out, struct err *err);

/* The counter for the next downlink: application says if it has an application port. */
uint32_t *session_down_counter(struct session *s, bool application);

/* Copies item to the end of the queue: ERR_SPACE, ERR_NOMEM. */
int session_push(struct session *s, const struct session_item *item);
void session_pop(struct session *s);

/* The lowest counter an application downlink may still be encrypted for. */
uint32_t session_down_expected(struct session *s);

void session_wipe(struct session *s);

#endif
