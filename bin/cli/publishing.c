/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/publishing.h"

#include "cli/run.h"
#include "dane/generate.h"
#include "dns/owner.h"
#include "pki/der.h"
#include "program/config.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TTL_MAX_S  604800
#define WAIT_MAX_S 86400

struct block {
	enum via_kind backend;
	char *zone, *server, *key_file, *file, *reload, *hook, *state;
	unsigned timeout_ms, ttl_s, wait_s;
};

struct file {
	struct block publish;
	struct resolver_block resolver;
};

#define TEXT(key)                                                                                 \
	CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct block, key, \
		1, 4000)
#define NUMBER(key) CYAML_FIELD_UINT(#key, CYAML_FLAG_OPTIONAL, struct block, key)

static const cyaml_strval_t backends[] = {
	{ "update", VIA_UPDATE },
	{ "fragment", VIA_FRAGMENT },
	{ "hook", VIA_HOOK },
};

static const cyaml_schema_field_t publish_fields[] = {
	CYAML_FIELD_ENUM("backend", CYAML_FLAG_STRICT, struct block, backend, backends, 3),
	TEXT(zone),
	TEXT(server),
	TEXT(key_file),
	TEXT(file),
	TEXT(reload),
	TEXT(hook),
	TEXT(state),
	NUMBER(timeout_ms),
	NUMBER(ttl_s),
	NUMBER(wait_s),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t file_fields[] = {
	CYAML_FIELD_MAPPING("publish", CYAML_FLAG_DEFAULT, struct file, publish, publish_fields),
	CYAML_FIELD_MAPPING("resolver", CYAML_FLAG_OPTIONAL, struct file, resolver,
		resolver_config_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t file_schema = CONFIG_SCHEMA(struct file, file_fields);

int publishing_walk(const struct resolver_settings *settings, struct delegation_walk **out,
	struct err *err)
{
	struct address root[QUERY_SERVERS_MAX];
	struct delegation_config config = { .port = settings->authority_port };
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < settings->root_servers_count; i++) {
		if (i == QUERY_SERVERS_MAX)
			return err_set(err, ERR_FORMAT, "root_servers: above %d",
				QUERY_SERVERS_MAX);
		rc = address_read(settings->root_servers[i], &root[i], err);
	}
	if (rc != 0)
		return err_wrap(err, rc, "root_servers");
	if (settings->root_servers_count) {
		config.root = root;
		config.root_count = settings->root_servers_count;
	}
	return delegation_open(&config, out, err);
}

static int take_settings(struct publishing *p, const struct block *b, struct err *err)
{
	p->via = (struct via_settings){ .kind = b->backend,
		.zone = b->zone,
		.server = b->server,
		.key_file = b->key_file,
		.file = b->file,
		.reload = b->reload,
		.hook = b->hook,
		.timeout_ms = b->timeout_ms };
	p->ttl_s = b->ttl_s ? b->ttl_s : PUBLISHING_TTL_S;
	p->wait_s = b->wait_s ? b->wait_s : PUBLISHING_WAIT_S;
	p->state = b->state;
	if (p->ttl_s > TTL_MAX_S)
		return err_set(err, ERR_FORMAT, "ttl_s: above a week");
	if (p->wait_s > WAIT_MAX_S)
		return err_set(err, ERR_FORMAT, "wait_s: above a day");
	return 0;
}

int publishing_open(const char *path, struct publishing *out, struct err *err)
{
	struct publishing p = { .ttl_s = 0 };
	const struct file *file;
	int rc = config_load(path, &file_schema, &p.file, err);

	if (rc != 0)
		return rc;
	file = p.file;
	*out = p;
	rc = take_settings(out, &file->publish, err);
	if (rc == 0)
		rc = resolver_config_of(&file->resolver, &out->resolver, err);
	if (rc == 0)
		rc = publishing_walk(&out->resolver, &out->walk, err);
	if (rc == 0)
		rc = via_open(&out->via, &out->publication.via, err);
	if (rc == 0)
		return 0;
	publishing_close(out);
	return err_wrap(err, rc, "%s", path);
}

void publishing_close(struct publishing *p)
{
	audit_close(p->publication.audit);
	names_close(p->publication.names);
	via_close(p->publication.via);
	delegation_close(p->walk);
	resolver_config_done(&p->resolver);
	if (p->file)
		config_free(&file_schema, p->file);
	*p = (struct publishing){ .ttl_s = 0 };
}

int publishing_remember(struct publishing *p, const char *state, struct err *err)
{
	int rc;

	if (!state)
		state = p->state;
	if (!state)
		return err_set(err, ERR_ARG, "--state: missing, and the file of --via names none");
	rc = names_open(state, true, &p->publication.names, err);
	return rc == 0 ? audit_open(state, &p->publication.audit, err) : rc;
}

int publishing_confirm(struct publishing *p, const struct rrset *wanted,
	const struct rrset *removed, struct confirm_report *out, struct err *err)
{
	return confirm_wait(p->walk, wanted, removed, p->wait_s * 1000, out, err);
}

int publishing_owner(const char *name, const char *service, struct name *out, struct err *err)
{
	char port[6] = "", proto[8] = "";
	unsigned long number;
	struct name host;
	int end = 0;

	if (name_of(name, &host) != 0)
		return err_set(err, ERR_FORMAT, "name '%s': not a domain name", name);
	if (!service) {
		*out = host;
		return 0;
	}
	if (sscanf(service, "%5[0-9]/%7[a-z]%n", port, proto, &end) != 2 || service[end])
		return err_set(err, ERR_FORMAT, "service '%s': not PORT/tcp, udp or sctp", service);
	number = strtoul(port, NULL, 10);
	if (number == 0 || number > 65535 ||
		(strcmp(proto, "tcp") != 0 && strcmp(proto, "udp") != 0 &&
			strcmp(proto, "sctp") != 0))
		return err_set(err, ERR_FORMAT, "service '%s': not PORT/tcp, udp or sctp", service);
	if (owner_tlsa((uint16_t)number, proto, &host, out) != 0)
		return err_set(err, ERR_FORMAT, "name '%s': too long with a port before it", name);
	return 0;
}

int publishing_add_text(struct rrset *set, const char *text, struct err *err)
{
	struct buf rdata = { 0 };
	struct tlsa tlsa;
	int rc = rrset_read_data(RR_TLSA, text, &rdata, err);

	if (rc == 0)
		rc = tlsa_read(buf_span(&rdata), &tlsa, err);
	if (rc == 0 && tlsa_unusable(&tlsa))
		rc = err_set(err, ERR_FORMAT, "TLSA '%.60s': nobody could use it: %s", text,
			tlsa_unusable(&tlsa));
	if (rc == 0)
		rc = rrset_add(set, buf_span(&rdata), err);
	buf_done(&rdata);
	return rc;
}

int publishing_add_certificate(struct rrset *set, const char *path, struct err *err)
{
	uint8_t memory[GENERATE_MAX], rdata[4 + GENERATE_MAX];
	struct buf der = { 0 };
	struct tlsa tlsa;
	size_t n = 0;
	int rc = der_read_certificate(path, &der, err);

	if (rc == 0)
		rc = generate_from_certificate(buf_span(&der), TLSA_DANE_EE, TLSA_SPKI, TLSA_SHA256,
			memory, sizeof(memory), &tlsa, err);
	if (rc == 0)
		rc = tlsa_write(&tlsa, rdata, sizeof(rdata), &n, err);
	if (rc == 0)
		rc = rrset_add(set, (struct span){ rdata, n }, err);
	buf_done(&der);
	return rc;
}

int publishing_take_name(const struct command *self, int argc, char **argv, const char *via,
	const char *service, bool client, struct name *owner)
{
	struct err err;

	if (argc - optind != 1)
		return command_fail(self, "NAME: give one; see --help");
	if (!via)
		return command_fail(self, "--via: missing");
	if (service && client)
		return command_fail(self, "--service and --client: give one of them");
	if (publishing_owner(argv[optind], service, owner, &err) != 0)
		return command_fail(self, "%s", err.msg);
	return 0;
}

int publishing_take(const struct command *self, bool certificate, struct rrset *set)
{
	struct err err;
	int rc = certificate ? publishing_add_certificate(set, optarg, &err)
			     : publishing_add_text(set, optarg, &err);

	return rc == 0 ? 0 : command_fail(self, "%s", err.msg);
}

void publishing_tell(const struct confirm_report *r, struct buf *out)
{
	for (size_t i = 0; i < r->count; i++)
		buf_printf(out, "server  %s  %s%s\n", r->server[i].who,
			r->server[i].serves ? "up to date, signed" : "not up to date: ",
			r->server[i].why);
	if (r->count == 0)
		buf_text(out, "server  none found\n");
}

void publishing_write(const struct confirm_report *r, struct writer *w)
{
	writer_bool(w, "served", r->all);
	writer_real(w, "waited_ms", r->ms, 0);
	writer_open(w, "servers", '[');
	for (size_t i = 0; i < r->count; i++) {
		writer_open(w, NULL, '{');
		writer_text(w, "server", r->server[i].who);
		writer_bool(w, "serves", r->server[i].serves);
		if (!r->server[i].serves)
			writer_text(w, "why", r->server[i].why);
		writer_close(w);
	}
	writer_close(w);
}

int publishing_resolver(const struct resolver_settings *settings, struct resolver **out,
	struct err *err)
{
	struct resolver_config config = settings->config;
	char helper[PATH_MAX];

	config.trace = (struct trace){ 0 };
	if (!config.helper && run_find_own("resolverd/sardane-resolverd", helper, sizeof(helper)))
		config.helper = helper;
	return resolver_new(&config, out, err);
}
