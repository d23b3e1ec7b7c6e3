/* SPDX-License-Identifier: Apache-2.0 */
#include "join/kek.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "crypto/keywrap.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool same_text(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b))
		a++, b++;
	return *a == *b;
}

int kek_add(struct kek_set *set, const struct kek *kek, struct err *err)
{
	struct kek *grown;

	if (!kek->label[0])
		return err_set(err, ERR_ARG, "KEK: label missing");
	if (kek->key.n != 16 && kek->key.n != 24 && kek->key.n != 32)
		return err_set(err, ERR_ARG, "KEK '%s': %u octets, need 16, 24 or 32", kek->label,
			kek->key.n);
	if (kek_by_label(set, kek->label))
		return err_set(err, ERR_ARG, "KEK '%s': there twice", kek->label);
	if (set->n == KEK_SET_MAX)
		return err_set(err, ERR_ARG, "KEK: at most %d", KEK_SET_MAX);
	if (set->n == set->cap) {
		/* Not realloc: it would leave a copy of the keys behind. */
		size_t cap = set->cap ? 2 * set->cap : 4;

		grown = calloc(cap, sizeof(*grown));
		if (!grown)
			return err_set(err, ERR_NOMEM, "KEK: no memory");
		if (set->n)
			memcpy(grown, set->keks, set->n * sizeof(*grown));
		if (set->keks)
			secret_wipe_octets(set->keks, set->n * sizeof(*set->keks));
		free(set->keks);
		set->keks = grown;
		set->cap = cap;
	}
	set->keks[set->n++] = *kek;
	return 0;
}

void kek_done(struct kek_set *set)
{
	if (set->keks)
		secret_wipe_octets(set->keks, set->cap * sizeof(*set->keks));
	free(set->keks);
	*set = (struct kek_set){ 0 };
}

const struct kek *kek_by_label(const struct kek_set *set, const char *label)
{
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->keks[i].label, label) == 0)
			return &set->keks[i];
	return NULL;
}

static bool label_is_net_id(const char *label, uint32_t net_id)
{
	uint8_t p[3];

	return hex_read_exact((struct span){ (const uint8_t *)label, strlen(label) }, p, 3) == 0 &&
		(uint32_t)(p[0] << 16 | p[1] << 8 | p[2]) == net_id;
}

const struct kek *kek_for_net_id(const struct kek_set *set, uint32_t net_id)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->keks[i].has_net_id ? set->keks[i].net_id == net_id
					    : label_is_net_id(set->keks[i].label, net_id))
			return &set->keks[i];
	return NULL;
}

const struct kek *kek_for_as_id(const struct kek_set *set, const char *as_id)
{
	for (size_t i = 0; i < set->n; i++)
		if (same_text(set->keks[i].as_id[0] ? set->keks[i].as_id : set->keks[i].label,
			    as_id))
			return &set->keks[i];
	return NULL;
}

int kek_seal(const struct kek *kek, const uint8_t key[ENVELOPE_CLEAR], struct envelope *out,
	struct err *err)
{
	struct envelope e = { 0 };
	int rc;

	if (kek) {
		rc = keywrap_wrap(&kek->key, key, e.aes_key, err);
		if (rc)
			return rc;
		memcpy(e.kek_label, kek->label, sizeof(e.kek_label));
		e.n = ENVELOPE_WRAPPED;
	} else {
		memcpy(e.aes_key, key, ENVELOPE_CLEAR);
		e.n = ENVELOPE_CLEAR;
	}
	*out = e;
	envelope_wipe(&e);
	return 0;
}
