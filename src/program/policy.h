/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy - which authenticated names may be clients, and which ids they may speak for.
 *
 *   clients:
 *     - name: _ns-client.ns.a.example     this name
 *       net_id: "000013"
 *     - name: .devices.b.example          every name below it, not itself
 *     - name: "*._device.b.example"       exactly one label more
 *       as_id: as.b.example
 *
 *   Rule       no rule, no start: policy_new refuses an empty list. An id is granted only
 *              by a rule that matches the name and says the id; a rule without ids lets
 *              the name in and grants none (net/binding may find one in DNS).
 *   Cost       one comparison per rule, no allocation, no DNS.
 *   Errors     ERR_FORMAT with the rule's number and words.
 */
#ifndef PROGRAM_POLICY_H
#define PROGRAM_POLICY_H

#include "dns/name.h"
#include "program/config.h"

struct policy_rule {
	char *name;
	char *net_id; /* six hex digits, 0x allowed; NULL: none */
	char *as_id;  /* free text of the AS; NULL: none */
};

/* CYAML_FIELD_SEQUENCE("clients", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct my_config,
 *	clients, &policy_rule_schema, 0, 4096) beside "unsigned clients_count". */
extern const cyaml_schema_value_t policy_rule_schema;

/* Six digits, "0x" before them allowed: TS002 section 8.3. ERR_FORMAT. */
int policy_net_id_read(const char *text, uint32_t *out);

struct policy;

int policy_new(const struct policy_rule *rules, size_t count, struct policy **out, struct err *err);
void policy_free(struct policy *p);

/* May this name be a client at all? */
bool policy_admits(const struct policy *p, const struct name *client);

/* The same as tls_server_config.authorise wants it: arg is the policy. */
bool policy_authorise(void *arg, const struct name *client);

/* Does a rule grant this id to this name? Ids of the AS are compared without case. */
bool policy_grants_net_id(const struct policy *p, const struct name *client, uint32_t net_id);
bool policy_grants_as_id(const struct policy *p, const struct name *client, const char *as_id);

#endif
