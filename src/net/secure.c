/* SPDX-License-Identifier: Apache-2.0 */
#include "net/secure.h"

#include "program/log.h"
#include "tls/local.h"

/*
 * What TLS says of each handshake, net/verdict says with address and time, and bounded: one
 * line for the operator is enough.
 */
static void say(void *arg, enum trace_level level, const char *event, const char *fmt, va_list ap)
{
	struct trace log = log_trace();

	(void)arg;
	log.say(log.arg, level == TRACE_ERROR ? level : TRACE_DEBUG, event, fmt, ap);
}

enum tls_mode secure_mode(const struct tls_block *block)
{
	enum tls_config_mode mode;

	if (tls_config_mode(block, &mode, NULL) != 0)
		return TLS_DANE;
	switch (mode) {
	case TLS_CONFIG_PKIX: return TLS_PKIX;
	case TLS_CONFIG_DANE_OR_PKIX: return TLS_DANE_OR_PKIX;
	case TLS_CONFIG_UNSAID:
	case TLS_CONFIG_DANE: break;
	}
	return TLS_DANE;
}

int secure_server_new_by(const struct tls_block *block, const char *where,
	const struct secure_gate *gate, struct resolver *resolver, struct tls_server **out,
	struct err *err)
{
	struct tls_server_config config = {
		.mode = secure_mode(block),
		.tls_cert = block->tls_cert,
		.tls_key = block->tls_key,
		.ca_cert = block->ca_cert,
		.resolver = resolver,
		.authorise = gate->authorise,
		.authorise_arg = gate->arg,
		.admit = gate->admit,
		.admit_arg = gate->arg,
		.client_ca = gate->client_ca,
		.authorise_by_ca = gate->authorise_by_ca,
		.client_id_extension = block->client_id_extension,
		.compat = block->compat,
		.tickets = block->tickets,
		.trace = { .say = say },
	};
	int rc = tls_config_check(block, where, err);

	if (rc != 0)
		return rc;
	rc = tls_server_new(&config, out, err);
	return rc == 0 ? 0 : err_wrap(err, rc, "%s", where);
}

int secure_server_new(const struct tls_block *block, const char *where, struct policy *policy,
	struct resolver *resolver, struct tls_server **out, struct err *err)
{
	const struct secure_gate gate = { .authorise = policy_authorise, .arg = policy };

	if (block->insecure_plain) {
		*out = NULL;
		return tls_config_check(block, where, err);
	}
	if (!policy)
		return err_set(err, ERR_ARG, "%s: no rule says who may connect", where);
	return secure_server_new_by(block, where, &gate, resolver, out, err);
}

int secure_local_new(const char *tls_cert, const char *tls_key, const char *where,
	const struct secure_gate *gate, struct tls_server **out, struct err *err)
{
	const struct tls_local_config config = { .tls_cert = tls_cert,
		.tls_key = tls_key,
		.serves = gate->authorise,
		.arg = gate->arg };
	int rc = tls_local_new(&config, out, err);

	return rc == 0 ? 0 : err_wrap(err, rc, "%s: local", where);
}

int secure_client_new(const struct tls_block *block, const char *where, struct tls_client **out,
	struct err *err)
{
	struct tls_client_config config = {
		.mode = secure_mode(block),
		.tls_cert = block->tls_cert,
		.tls_key = block->tls_key,
		.ca_cert = block->ca_cert,
		.dane_client_name = block->dane_client_name,
		.client_id_extension = block->client_id_extension,
		.compat = block->compat,
		.trace = { .say = say },
	};
	int rc = tls_config_check(block, where, err);

	if (rc != 0)
		return rc;
	if (block->insecure_plain) {
		*out = NULL;
		return 0;
	}
	rc = tls_client_new(&config, out, err);
	return rc == 0 ? 0 : err_wrap(err, rc, "%s", where);
}

int secure_check(const struct tls_block *block, const char *where, struct err *err)
{
	struct tls_client *client = NULL;
	int rc = secure_client_new(block, where, &client, err);

	tls_client_free(client);
	return rc;
}
