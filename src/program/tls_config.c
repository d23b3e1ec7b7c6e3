/* SPDX-License-Identifier: Apache-2.0 */
#include "program/tls_config.h"

#include "dns/name.h"

const cyaml_strval_t tls_config_modes[3] = {
	{ "dane", TLS_CONFIG_DANE },
	{ "pkix", TLS_CONFIG_PKIX },
	{ "dane-or-pkix", TLS_CONFIG_DANE_OR_PKIX },
};

const cyaml_schema_field_t tls_config_fields[] = {
	TLS_CONFIG_FIELDS(struct tls_block, ),
	CYAML_FIELD_END,
};

int tls_config_mode(const struct tls_block *block, enum tls_config_mode *out, struct err *err)
{
	enum tls_config_mode mode = block->mode;

	if (block->enable_dane) {
		bool dane = *block->enable_dane;

		if (mode != TLS_CONFIG_UNSAID && (mode == TLS_CONFIG_PKIX) == dane)
			return err_set(err, ERR_FORMAT,
				"enable_dane and mode contradict each other");
		if (mode == TLS_CONFIG_UNSAID)
			mode = dane ? TLS_CONFIG_DANE : TLS_CONFIG_PKIX;
	}
	*out = mode == TLS_CONFIG_UNSAID ? TLS_CONFIG_DANE : mode;
	return 0;
}

int tls_config_check(const struct tls_block *block, const char *where, struct err *err)
{
	enum tls_config_mode mode;
	struct name name;
	int rc = tls_config_mode(block, &mode, err);

	if (rc != 0)
		return err_wrap(err, rc, "%s", where);
	if (block->insecure_plain)
		return 0;
	if (!block->tls_cert != !block->tls_key)
		return err_set(err, ERR_FORMAT, "%s: tls_cert and tls_key go together", where);
	if (block->bind && !block->tls_cert)
		return err_set(err, ERR_FORMAT, "%s: tls_cert and tls_key are missing", where);
	if (mode != TLS_CONFIG_DANE && !block->ca_cert)
		return err_set(err, ERR_FORMAT, "%s: ca_cert is missing; mode pkix needs it",
			where);
	if (block->dane_client_name &&
		(name_of(block->dane_client_name, &name) != 0 || name_labels(&name) == 0))
		return err_set(err, ERR_FORMAT, "%s: dane_client_name '%s' is no DNS name", where,
			block->dane_client_name);
	if (block->dane_client_name && !block->tls_cert)
		return err_set(err, ERR_FORMAT, "%s: dane_client_name needs tls_cert and tls_key",
			where);
	return 0;
}
