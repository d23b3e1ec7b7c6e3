/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mode - what an endpoint accepts as proof of who its peer is.
 *
 *   Rule       a lookup that failed, or an answer that is bogus, proves nothing and never
 *              leads from DANE to PKIX: only DNS saying *securely* that there is no TLSA,
 *              or that the zone is unsigned, does (RFC 7671 section 10, RFC 4035 4.3).
 */
#ifndef DANE_MODE_H
#define DANE_MODE_H

enum tls_mode {
	TLS_DANE,         /* default: DANE or nothing */
	TLS_PKIX,         /* a configured CA file, no DNS */
	TLS_DANE_OR_PKIX, /* PKIX only on a secure denial of TLSA or a provably unsigned zone */
};

#endif
