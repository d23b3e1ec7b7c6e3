/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address - where a name server is: "192.0.2.1", "127.0.0.1@5353", "::1@53", "::1#53".
 *
 *   Port       53 when none is given.
 *   Refused    encrypted upstreams: a scheme ("tls://"), port 853, a name to authenticate
 *              ("@853#dns.example"). libunbound of Debian 12 would fall back to clear text or
 *              not check the name, so they are an error and not a surprise.
 *   Errors     ERR_FORMAT with words that begin with the text given.
 */
#ifndef RESOLVE_ADDRESS_H
#define RESOLVE_ADDRESS_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* The longest IPv6 text, "@65535" and a zero. */
#define ADDRESS_TEXT_MAX 64

struct address {
	bool v6;
	uint8_t octets[16]; /* 4 used when not v6 */
	uint16_t port;
};

int address_read(const char *text, struct address *out, struct err *err);
void address_write(const struct address *a, char out[ADDRESS_TEXT_MAX]); /* "addr@port" */
bool address_is_loopback(const struct address *a);
socklen_t address_socket(const struct address *a, struct sockaddr_storage *out);

#endif
