/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure - the two ends of TLS from a program's configuration.
 *
 *   Ownership  block, policy and resolver are borrowed and outlive what is made of them.
 *   Errors     as tls_config_check, tls_server_new and tls_client_new.
 */
#ifndef NET_SECURE_H
#define NET_SECURE_H

#include "program/policy.h"
#include "program/tls_config.h"
#include "tls/client.h"

/* Who may come in, or whom it may want: before any DNS, and once it is proved. Of tls/server.h. */
struct secure_gate {
	bool (*authorise)(void *arg, const struct name *client);
	bool (*admit)(void *arg, const struct peer *client); /* NULL: who is proved */
	/* Both or neither: see tls_server_config. */
	const char *client_ca;
	bool (*authorise_by_ca)(void *arg, const struct name *client);
	void *arg;
};

int secure_server_new_by(const struct tls_block *block, const char *where,
	const struct secure_gate *gate, struct resolver *resolver, struct tls_server **out,
	struct err *err);

/* The listening end; NULL comes out, and 0, when the block says insecure_plain. */
int secure_server_new(const struct tls_block *block, const char *where, struct policy *policy,
	struct resolver *resolver, struct tls_server **out, struct err *err);

/* The connecting end; likewise NULL for insecure_plain. */
int secure_client_new(const struct tls_block *block, const char *where, struct tls_client **out,
	struct err *err);

/* Certificate, key and authorities of a block of either end are read as at a start, and dropped:
 * what is wrong with them is said before a program that runs is stopped. */
int secure_check(const struct tls_block *block, const char *where, struct err *err);

/* The accepting end for programs of this machine, which say whom they want: tls/local.h. */
int secure_local_new(const char *tls_cert, const char *tls_key, const char *where,
	const struct secure_gate *gate, struct tls_server **out, struct err *err);

/* The mode meant, for http_client_config.mode; TLS_DANE for a block that contradicts itself. */
enum tls_mode secure_mode(const struct tls_block *block);

#endif
