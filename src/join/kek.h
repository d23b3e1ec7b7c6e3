/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kek - the keys that wrap session keys on their way, found by label or by whom they are for.
 *
 *   Source     TS002-1.0.0 section 15.2: KEKs are agreed on beforehand, named by a label.
 *   Naming     a KEK is for a network if it says its NetID or its label is the NetID's six
 *              digits; for an AS if it says its AS-ID or its label is the AS-ID.
 *   Rule       a label that a device or the configuration names and nobody has is a refusal,
 *              never a key in clear.
 *   Rotation   two labels alive: the first that fits is used, the peer knows both.
 *   Ownership  the set borrows nothing; kek_done wipes.
 */
#ifndef JOIN_KEK_H
#define JOIN_KEK_H

#include "backend/envelope.h"
#include "core/secret.h"

#define KEK_SET_MAX 256

struct kek {
	char label[ENVELOPE_LABEL_MAX];
	struct secret key; /* 16, 24 or 32 octets */
	bool has_net_id;
	uint32_t net_id;
	char as_id[256]; /* "" when not for an AS */
};

struct kek_set {
	struct kek *keks; /* KEK_SET_MAX at most */
	size_t n;
	size_t cap;
};

/* Copies; a label twice, or a key of another length, is refused. */
int kek_add(struct kek_set *set, const struct kek *kek, struct err *err);
void kek_done(struct kek_set *set);

/* NULL when there is none. */
const struct kek *kek_by_label(const struct kek_set *set, const char *label);
const struct kek *kek_for_net_id(const struct kek_set *set, uint32_t net_id);
const struct kek *kek_for_as_id(const struct kek_set *set, const char *as_id);

/* The key in an envelope: wrapped under kek, or in clear when kek is NULL. */
int kek_seal(const struct kek *kek, const uint8_t key[ENVELOPE_CLEAR], struct envelope *out,
	struct err *err);

#endif
