/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simulate_run - devices join and speak through gateways until all are done.
 *
 *             accept                     last uplink
 *   JOINING ---------> TALKING (send, windows, send ...) ---------> DONE
 *      |  silence          |  no confirmation, bad downlink
 *      v                   v
 *    FAILED  <-------------'      with a fault: silence is DONE, an accept FAILED
 *
 *   Windows    a frame is taken as soon as PULL_RESP brings it; that its tmst is exactly RX1 or
 *              RX2 is checked, and so are frequency and data rate.
 *   Bounds     every wait ends by timeout_ms, interval_ms or duration_s.
 */
#ifndef CLI_SIMULATE_RUN_H
#define CLI_SIMULATE_RUN_H

#include "cli/simulate_report.h"

#include <uv.h>

/* What the simulator does wrong on purpose. */
enum simulate_fault {
	SIMULATE_NO_FAULT,
	SIMULATE_BAD_MIC,        /* a join-request with one bit of its MIC turned */
	SIMULATE_WRONG_KEY,      /* root keys that are not the device's */
	SIMULATE_UNKNOWN_DEVICE, /* a DevEUI that nobody provisioned */
	SIMULATE_REPLAY_JOIN,    /* after a good join, the same join-request again */
	SIMULATE_REUSE_NONCE,    /* after a good join, a new request with its DevNonce */
	SIMULATE_OLD_NONCE,      /* after a good join, a lower DevNonce (1.0.4, 1.1) */
	SIMULATE_BAD_UPLINK_MIC, /* data frames with one bit of their MIC turned */
	SIMULATE_REPLAY_UPLINK,  /* each data frame again, a second later */
	SIMULATE_MALFORMED,      /* datagrams that are none, before each join */
	SIMULATE_FAULTS,
};

struct simulate_options {
	struct sockaddr_storage server;
	const struct region *region;
	unsigned int gateways;
	unsigned int copies;    /* gateways that hear each frame */
	uint64_t gateway_eui;   /* of the first; the others count up */
	unsigned int rate;      /* joins a second; 0: all at once */
	unsigned int data_rate; /* index */
	unsigned int uplinks;   /* a device, after its join */
	struct simulate_message message;
	unsigned int interval_ms; /* from one uplink to the next */
	unsigned int timeout_ms;  /* for a join-accept, a confirmation, the first PULL_ACK */
	unsigned int retries;     /* of a join-request, of a confirmed uplink */
	unsigned int duration_s;  /* 0: until all are done */
	int32_t net_id;           /* -1: any */
	uint64_t seed;
	enum simulate_fault fault;
	bool link_check, device_time;
	bool rejoins;        /* after the uplinks, and then speaks once more */
	unsigned int rejoin; /* type of the rejoin-request */
	bool progress;
	bool personalised; /* the devices have their session already (ABP) */
};

const char *simulate_fault_text(enum simulate_fault f);
int simulate_fault_read(const char *word, enum simulate_fault *out);

/* seen: one per device of the fleet. ERR_* only when the run could not be made. */
int simulate_run(const struct simulate_options *o, struct simulate_fleet *fleet,
	struct simulate_seen *seen, struct simulate_report *report, struct err *err);

#endif
