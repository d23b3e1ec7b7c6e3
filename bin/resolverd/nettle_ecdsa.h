/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nettle_ecdsa - DNSSEC's P-256 signatures, verified by OpenSSL where libunbound has nettle.
 *
 *   libunbound --nettle_ecdsa_verify--> here --P-256, SHA-256--> OpenSSL: good or bad
 *                                        `------anything else, or an error--> nettle's own
 *
 *   Why        a stranger's name makes us verify one signature, and nettle takes more than
 *              twice as long as OpenSSL (bench/README). Debian 12's libunbound is linked with
 *              nettle; where it is linked with OpenSSL meson leaves this file out.
 *   How        a function of the program stands before one of the same name and version in a
 *              library (ld.so(8)); libunbound's call comes here. nettle_ecdsa.map gives the
 *              version, HOGWEED_6, so a nettle with other structures is never answered by us.
 *              Only what nettle documents is used of the structures.
 *   Source     RFC 6605 (ECDSAP256SHA256), FIPS 186-4 section 6.4; nettle's manual, section 7.8.5.
 *   Rule       the verdict is nettle's verdict: 0 < r, s < n, the key a point of the curve. What
 *              OpenSSL does not decide, nettle does; without nettle the signature is bad.
 *   Threads    one: kept keys are not locked. The validator has one.
 */
#ifndef RESOLVERD_NETTLE_ECDSA_H
#define RESOLVERD_NETTLE_ECDSA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ecc_point;
struct dsa_signature;

enum nettle_ecdsa_said { NETTLE_ECDSA_BAD, NETTLE_ECDSA_GOOD, NETTLE_ECDSA_UNSURE };

/* OpenSSL's verdict; UNSURE for what is not P-256 over 32 octets. */
enum nettle_ecdsa_said nettle_ecdsa_by_openssl(const struct ecc_point *pub, size_t n,
	const uint8_t *digest, const struct dsa_signature *signature);

#endif
