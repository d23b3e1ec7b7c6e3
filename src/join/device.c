/* SPDX-License-Identifier: Apache-2.0 */
#include "join/device.h"

#include <string.h>

#include "core/secret.h"

enum device_nonce_rule device_nonce_rule(const struct device *d)
{
	if (d->nonce_rule != DEVICE_NONCE_BY_VERSION)
		return d->nonce_rule;
	return version_counts_dev_nonce(d->version) ? DEVICE_NONCE_RISING : DEVICE_NONCE_UNUSED;
}

static const char *const rule_words[] = { "by-version", "unused", "rising", "insecure-any" };

const char *device_nonce_rule_word(enum device_nonce_rule rule)
{
	return rule_words[rule];
}

int device_nonce_rule_read(const char *word, enum device_nonce_rule *out)
{
	for (int r = DEVICE_NONCE_BY_VERSION; r <= DEVICE_NONCE_INSECURE_ANY; r++)
		if (strcmp(word, rule_words[r]) == 0) {
			*out = (enum device_nonce_rule)r;
			return 0;
		}
	return ERR_FORMAT;
}

static bool is_zero(const uint8_t key[LORAWAN_KEY_OCTETS])
{
	uint8_t any = 0;

	for (int i = 0; i < LORAWAN_KEY_OCTETS; i++)
		any |= key[i];
	return !any;
}

int device_check(const struct device *d, struct err *err)
{
	bool two = version_has_two_keys(d->version);

	if (is_zero(d->app_key))
		return err_set(err, ERR_ARG, "AppKey: missing, or all zero");
	if (two && is_zero(d->nwk_key))
		return err_set(err, ERR_ARG,
			"NwkKey: missing, or all zero; LoRaWAN 1.1 has two keys");
	if (!two && !is_zero(d->nwk_key))
		return err_set(err, ERR_ARG, "NwkKey: LoRaWAN %s has one key, the AppKey",
			version_text(d->version));
	if (!d->net_ids_n)
		return err_set(err, ERR_ARG, "NetID: missing; no network could ask for the device");
	if (d->application_server[0] && !d->as_id[0])
		return err_set(err, ERR_ARG,
			"AS-ID: missing; the Application Server could not fetch "
			"its keys");
	return 0;
}

bool device_allows_net_id(const struct device *d, uint32_t net_id)
{
	for (unsigned i = 0; i < d->net_ids_n; i++)
		if (d->net_ids[i] == net_id)
			return true;
	return false;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool device_allows_as_id(const struct device *d, const char *as_id)
{
	const char *a = d->as_id;

	if (!*a)
		return false;
	while (*a && lower(*a) == lower(*as_id))
		a++, as_id++;
	return *a == *as_id;
}

void device_wipe(struct device *d)
{
	secret_wipe_octets(d, sizeof(*d));
}

void device_wipe_session(struct device_session *s)
{
	secret_wipe_octets(s, sizeof(*s));
}
