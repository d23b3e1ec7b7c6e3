/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signer - the keys of a zone as its parent must know them: DS, DNSKEY, CDS.
 *
 *   Source     RFC 4034 sections 2 and 5 and appendix B (key tag), RFC 7344 (CDS), RFC 8624
 *              section 3.3 (SHA-256, SHA-384).
 *   Which      keys with the SEP flag that are not revoked; all of the zone when none has it.
 *   Trust      the answer is not validated: nobody can before the DS is in place. Ask the primary
 *              itself, by a way you trust.
 *   Ownership  the caller's memory.
 *   Errors     of publish/primary.h; ERR_PEER: no keys.
 */
#ifndef PUBLISH_SIGNER_H
#define PUBLISH_SIGNER_H

#include "core/buf.h"
#include "publish/primary.h"

#define SIGNER_KEYS_MAX 8

struct signer_key {
	uint16_t tag, flags;
	uint8_t algorithm;
	char sha256[65], sha384[97]; /* digests, hexadecimal */
	char dnskey[1600];           /* flags, protocol, algorithm, base64 */
};

int signer_read(const struct primary *p, const struct name *zone,
	struct signer_key out[SIGNER_KEYS_MAX], size_t *count, struct err *err);

/* "ECDSAP256SHA256"; "?" when it has no name. */
const char *signer_algorithm_word(uint8_t algorithm);

#endif
