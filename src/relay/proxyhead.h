/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxyhead - the PROXY protocol header, version 2: who is behind a connection, told ahead of it.
 *
 *   Source     "The PROXY protocol", haproxy.org, versions 1 and 2, section 2.2 (the head),
 *              2.2.1 (PP2_TYPE_ALPN), 2.2.2 (PP2_TYPE_AUTHORITY) and 2.2.6 (PP2_TYPE_SSL);
 *              integers are big-endian. PP2_SUBTYPE_SSL_CLIENT_CERT is of its later editions.
 *   Identity   PP2_SUBTYPE_SSL_CN carries the name that was proved. The certificate's own
 *              names are never told: DANE-EE does not look at them, so a client may write
 *              into them what it likes.
 *   Private    type 0xE5, the DANE identity:
 *                octet 0      1: the version of this layout
 *                octet 1      how: 1 by DANE, 2 by a certificate authority
 *                octets 2-4   usage, selector, matching type of the TLSA record; 255: none
 *                octets 5-36  SHA-256 of the SubjectPublicKeyInfo
 *                the rest     the name in presentation form, without a final dot
 *   Ownership  what is read borrows the octets given.
 *   Errors     ERR_SPACE (writing); ERR_FORMAT (reading); *out only on success.
 */
#ifndef RELAY_PROXYHEAD_H
#define RELAY_PROXYHEAD_H

#include "base/code.h"
#include "base/cursor.h"

/* Octets that we write at most beside a certificate: a name twice and a server name, up to 1023
 * each, and an ALPN name of 255. */
#define PROXYHEAD_MAX       4096
#define PROXYHEAD_FIXED     16 /* octets: signature, version, family, length */
#define PROXYHEAD_TYPE_DANE 0xe5

enum proxyhead_family { PROXYHEAD_UNKNOWN, PROXYHEAD_IPV4, PROXYHEAD_IPV6 };

struct proxyhead_end {
	uint8_t address[16]; /* IPv4: the first 4 */
	uint16_t port;
};

enum proxyhead_how { PROXYHEAD_BY_DANE = 1, PROXYHEAD_BY_PKIX = 2 };

struct proxyhead_dane {
	enum proxyhead_how how;
	uint8_t usage, selector, matching; /* 255: none */
	struct span spki_sha256;           /* 32 octets */
	struct span name;
};

struct proxyhead {
	bool local; /* the proxy itself speaks: no addresses, no TLVs are looked at */
	enum proxyhead_family family;
	struct proxyhead_end from, to;
	struct span alpn;        /* the protocol that TLS agreed on */
	struct span server_name; /* the server name that was asked for */
	bool tls;                /* there is a PP2_TYPE_SSL: */
	bool resumed;            /* the certificate was shown in an earlier connection */
	uint32_t verify;         /* 0: verified */
	struct span version;     /* "TLSv1.3" */
	struct span cipher;
	struct span name;        /* PP2_SUBTYPE_SSL_CN */
	struct span certificate; /* DER */
	bool has_dane;
	struct proxyhead_dane dane;
};

int proxyhead_write(const struct proxyhead *head, uint8_t *out, size_t cap, size_t *n);

/*
 * Returns 0 with the header's length in *n, 0 octets long as long as more is needed: then *out
 * is not written. Unknown TLVs are skipped; one that stands twice, or goes beyond its end, is
 * ERR_FORMAT.
 */
int proxyhead_read(struct span octets, struct proxyhead *out, size_t *n);

#endif
