/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own - our own names: does DNS say of them what our certificates are?
 *
 *   Names      of a listener _port._tcp. before each name in its certificate, or its tlsa_name;
 *              of one of its server names the same before that name;
 *              of an outbound entry its dane_client_name; its local_cert is for no name in DNS.
 *   ASKED --answer--> KNOWN --its TTL is over, or RETRY_MS after none came--> ASKED
 *   Ownership  the list owns all; resolver is borrowed. Certificates are read once, at the start.
 *   Errors     words.
 */
#ifndef PROXY_OWN_H
#define PROXY_OWN_H

#include "pki/pemfile.h"
#include "proxy/config.h"
#include "resolve/resolver.h"

enum own_state {
	OWN_UNKNOWN, /* not answered yet */
	OWN_GOOD,    /* published, signed, and one record matches */
	OWN_BAD,     /* DNS says otherwise: why */
	OWN_NO_DNS,  /* there was no answer: why */
};

struct own_list;

struct own {
	const struct config_end *end;
	const char *cert; /* PEM file: the end's tls_cert, or its local_cert */
	bool listener;
	char owner[NAME_TEXT_MAX]; /* ""; its TLSA is nobody's affair: certificate alone */
	int64_t not_after_s;       /* of the certificate, UNIX time */
	enum own_state state;
	char why[200];
	int64_t expires_ms; /* of the answer; 0: none */
	/* private */
	struct own_list *of;
	pemfile_chain *chain;
	struct ask ask;
	bool asked;
	int64_t next_ms;
};

int own_list_new(const struct config *config, struct resolver *r, struct own_list **out,
	struct err *err);
void own_list_free(struct own_list *l);

/* Asks what is due; to be called now and then. */
void own_list_tick(struct own_list *l, int64_t now_ms);
unsigned own_list_count(const struct own_list *l);
const struct own *own_list_at(const struct own_list *l, unsigned i);
bool own_list_is_known(const struct own_list *l); /* all are answered, or need not be */

#endif
