/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring - the keys of one name, generation by generation, and which of them is in use.
 *
 *   DIR/g1/      key.pem (0600), cert.pem, combined.pem (what a server presents: the leaf and
 *                its intermediates), with an authority also chain.pem (issuers up to the root)
 *   DIR/g2/      ...
 *   DIR/current  a symbolic link to the generation in use: DIR/current/key.pem
 *
 *   Atomic     a generation is made beside and renamed, so it is there whole or not at all; the
 *              link is replaced by rename, so key and certificate change together. Each call
 *              may be repeated after a crash and then changes nothing, or finishes.
 *   Erasing    overwrites the key first; what a journal or a copy of the disk keeps is not in
 *              our hands.
 *   Errors     words begin with the path: ERR_SYSTEM, ERR_FORMAT, ERR_CRYPTO, ERR_ARG.
 */
#ifndef PKI_KEYRING_H
#define PKI_KEYRING_H

#include "core/buf.h"
#include "pki/profile.h"

#define KEYRING_GENERATION_MAX 12 /* "g4294967295" and a zero */

struct keyring_order {
	const struct profile *profile; /* of a leaf */
	const char *key_kind;          /* keykind_read's words; NULL: P-256 */
	/* Certifies PREFIX-key.pem into PREFIX.pem and the files of pki/authority.h; NULL: the key
	 * signs itself. */
	int (*issue)(void *arg, const char *prefix, const struct profile *profile, struct err *err);
	void *issue_arg;
};

void keyring_word(unsigned generation, char out[KEYRING_GENERATION_MAX]);

/* DIR is made when it is not there (0700), but not what is above it. */
int keyring_make(const char *dir, const char *generation, const struct keyring_order *order,
	struct err *err);

/* From a key and a certificate, chain behind it, that are elsewhere: copies. */
int keyring_adopt(const char *dir, const char *generation, const char *cert, const char *key,
	struct err *err);

int keyring_point(const char *dir, const char *generation, struct err *err);

/* The generation in use; "" when there is none. */
int keyring_current(const char *dir, char out[KEYRING_GENERATION_MAX], struct err *err);

/* The leaf certificate as DER. */
int keyring_certificate(const char *dir, const char *generation, struct buf *der, struct err *err);

/* What its certificate is for, so that the next may be for the same: names and role. A
 * certificate with names that are no dNSName, or too many, is ERR_FORMAT. */
int keyring_profile(const char *dir, const char *generation, struct profile *out, bool *self_signed,
	struct err *err);

/* All generations, and the link: nothing is in use any more. */
int keyring_clear(const char *dir, struct err *err);

/* Makes DIR/name, a file beside the generations, a link to what the one in use has as file. */
int keyring_follow(const char *dir, const char *name, const char *file, struct err *err);

/* Not the one in use: ERR_ARG. */
int keyring_erase(const char *dir, const char *generation, struct err *err);

#endif
