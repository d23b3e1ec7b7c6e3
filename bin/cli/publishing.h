/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publishing - what every command that publishes has in common: its settings from a file, the
 * back end, the memory, the servers to ask, and the words to tell it.
 *
 *   File       the YAML of --via:
 *              publish:  backend (update, fragment, hook), zone, server, key_file, file,
 *                        reload, hook, timeout_ms, ttl_s, wait_s, state
 *              resolver: see program/resolver_config.h; root_servers and authority_port say
 *                        where the servers of a private world are
 *   Ownership  publishing_open fills the caller's memory, publishing_close empties it.
 *   Errors     ERR_* with words.
 */
#ifndef CLI_PUBLISHING_H
#define CLI_PUBLISHING_H

#include "cli/command.h"
#include "identity/publication.h"
#include "program/resolver_config.h"
#include "publish/confirm.h"
#include "json/writer.h"

#define PUBLISHING_TTL_S  3600
#define PUBLISHING_WAIT_S 60

struct publishing {
	struct publication publication; /* names is NULL until publishing_remember */
	struct resolver_settings resolver;
	struct delegation_walk *walk;
	uint32_t ttl_s;
	unsigned wait_s;
	const char *state; /* NULL: the file names none */
	/* private */
	void *file;
	struct via_settings via;
};

int publishing_open(const char *path, struct publishing *out, struct err *err);
void publishing_close(struct publishing *p);

/* Opens names.db of the folder; NULL takes that of the file. */
int publishing_remember(struct publishing *p, const char *state, struct err *err);

/* Asks every server until all serve it, or wait_s have passed. */
int publishing_confirm(struct publishing *p, const struct rrset *wanted,
	const struct rrset *removed, struct confirm_report *out, struct err *err);

/* "8003/tcp" before the host, or, when service is NULL, the name itself. */
int publishing_owner(const char *name, const char *service, struct name *out, struct err *err);

/* Adds "3 1 1 ab12..." or the 3 1 1 of the certificate in a file. */
int publishing_add_text(struct rrset *set, const char *text, struct err *err);
int publishing_add_certificate(struct rrset *set, const char *path, struct err *err);

/* The one NAME that is left of the arguments, and the owner it means with --service or --client;
 * 2 when they do not fit, or --via is missing, which is told. */
int publishing_take_name(const struct command *self, int argc, char **argv, const char *via,
	const char *service, bool client, struct name *owner);

/* The word of an option, --cert or --tlsa, into a set; 2 when it is none, which is told. */
int publishing_take(const struct command *self, bool certificate, struct rrset *set);

/* What settings of a resolver say: itself, to be freed before them; and whom it would ask. */
int publishing_resolver(const struct resolver_settings *settings, struct resolver **out,
	struct err *err);
int publishing_walk(const struct resolver_settings *settings, struct delegation_walk **out,
	struct err *err);

/* Appends a line per server; or members "served", "waited_ms" and "servers". */
void publishing_tell(const struct confirm_report *r, struct buf *out);
void publishing_write(const struct confirm_report *r, struct writer *w);

#endif
