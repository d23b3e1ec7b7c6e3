/* SPDX-License-Identifier: Apache-2.0 */
/*
 * succession - the authorities of one folder, one after the other.
 *
 *   DIR/ca-g1.pem, ca-g1-key.pem, ca-g1-chain.pem    the first; ca-g2... the next
 *   DIR/ca.pem     a link to the certificate of the one that issues now: what decides
 *                  (pki/authority.h follows it); ca-key.pem, ca-chain.pem are links beside it
 *
 *   Ledger     all of them have the one of DIR; each certificate names its issuer there.
 *   Crash      every call may be repeated, and then finishes or changes nothing.
 *   Retiring   an authority signs its CRL until the last certificate it issued has ended; then
 *              its key is erased. Its certificate stays. One that the ledger does not begin with
 *              (below another, older than the ledger, made elsewhere) may have issued more than
 *              we know: it stays until its own end.
 *   Time       seconds since 1970.
 *   Ownership  nothing changes hands.
 *   Errors     those of pki/authority.h, store/ledger.h and store/audit.h.
 */
#ifndef CA_SUCCESSION_H
#define CA_SUCCESSION_H

#include "ca/state.h"

#define SUCCESSION_FIRST "g1"

/* DIR/ca-GENERATION: what authority_locate takes. */
int succession_prefix(const char *dir, const char *generation, char out[PATH_MAX], struct err *err);

/* Its certificate as DER; its key identifier; whether its key, or where that is, is there. */
int succession_certificate(const char *dir, const char *generation, struct buf *der,
	struct err *err);
int succession_key_id(const char *dir, const char *generation, char out[FACTS_KEYID_MAX],
	struct err *err);
bool succession_has_key(const char *dir, const char *generation);

/* The authority of DIR becomes its first generation, if it has none yet. */
int succession_begin(const char *dir, struct err *err);

/* GENERATION issues from now on. */
int succession_point(const char *dir, const char *generation, struct err *err);

struct succession_order {
	const char *parent;              /* folder of the authority above; NULL: it is a root */
	const struct password *password; /* of keys that are read, and new ones are written under;
					  * NULL: in clear */
};

/* GENERATION with a new key of the same kind, saying of itself what FROM says. */
int succession_make(const char *dir, const char *from, const char *generation,
	const struct succession_order *order, struct err *err);

/* One that was made elsewhere, as where its key is in a token: copied. */
int succession_adopt(const char *dir, const char *generation, const char *where,
	const struct password *password, struct err *err);

/* Until when certificates of GENERATION are good; now_s when none is any more. */
int succession_until(struct state *state, const char *generation, int64_t now_s, int64_t *until_s,
	struct err *err);

/* Its key; the certificate stays. A key in a token stays there. */
int succession_erase(const char *dir, const char *generation, struct err *err);

#endif
