/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simulate_fleet - the devices: from a CSV file, from options, or derived from a seed.
 *
 *   CSV        a heading line, columns in any order: dev_eui, join_eui, lorawan_version,
 *              app_key, nwk_key (1.1); others are passed over. What "sardane device import"
 *              reads, simulate_fleet_write writes.
 *   Derived    DevEUIs count up from a base; keys are AES-CMACs under the seed.
 *   State      a CSV file "dev_eui,nonces_used,join_nonce", replaced as a whole.
 *   Bounds     SIMULATE_DEVICES_MAX devices; a line has 1,023 octets at most.
 *   Ownership  simulate_fleet_free wipes the keys and frees.
 *   Errors     ERR_SYSTEM, ERR_FORMAT with file and line, ERR_NOMEM.
 */
#ifndef CLI_SIMULATE_FLEET_H
#define CLI_SIMULATE_FLEET_H

#include "cli/simulate_device.h"
#include "core/err.h"

#define SIMULATE_DEVICES_MAX 1000000

struct simulate_fleet {
	struct simulate_device *device;
	unsigned int count;
};

/* Devices base, base + 1, ... with keys derived from seed. */
int simulate_fleet_derive(unsigned int count, uint64_t dev_eui, uint64_t join_eui,
	enum version version, uint64_t seed, struct simulate_fleet *out, struct err *err);

/* limit: devices taken from the file; 0 for all. */
int simulate_fleet_read(const char *path, unsigned int limit, struct simulate_fleet *out,
	struct err *err);

/* Mode 0600, since it holds keys; "-" is standard output. */
int simulate_fleet_write(const struct simulate_fleet *f, const char *path, struct err *err);

/* A state file that is not there yet is an empty one; lines of other devices stay in it. */
int simulate_fleet_load_state(struct simulate_fleet *f, const char *path, struct err *err);
int simulate_fleet_save_state(const struct simulate_fleet *f, const char *path, struct err *err);

void simulate_fleet_free(struct simulate_fleet *f);

#endif
