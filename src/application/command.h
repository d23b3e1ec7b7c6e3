/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command - one line on the command socket: a payload to send to a device.
 *
 *   Shape      ChirpStack v4's "down" command:
 *              {"devEui":"70b3d5...","confirmed":false,"fPort":10,"data":"AQI="} with an
 *              optional "id". "object" and isEncrypted need a codec or a key this server
 *              has not: refused, not ignored.
 *   Source     RFC 8259; LoRaWAN 1.0.3 section 4.3.2: ports 1 to 223 are the application's.
 *   Ownership  a value.      Errors  ERR_FORMAT, ERR_NOMEM with words for the answer.
 */
#ifndef APPLICATION_COMMAND_H
#define APPLICATION_COMMAND_H

#include "application/downlink.h"
#include "core/buf.h"
#include "core/err.h"

#define COMMAND_LINE_MAX 1024 /* octets, without the newline */

struct command {
	uint64_t dev_eui;
	bool confirmed;
	uint8_t f_port;
	uint8_t n;
	uint8_t data[DOWNLINK_PAYLOAD_MAX];
	char id[DOWNLINK_ID_MAX + 1]; /* "" when the line had none */
};

int command_read(struct span line, struct command *out, struct err *err);

/* The command as its line, with the newline; what command_read reads back. */
void command_write(const struct command *c, struct buf *out);

/* {"id":"...","queued":true} or {"id":"...","error":"..."}, with the newline. */
void command_answer(struct buf *out, const char *id, const char *error);

#endif
