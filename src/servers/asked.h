/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asked - one question, and what every authoritative server said to it: the evidence.
 *
 *   Ownership  asked_done frees the answers; { 0 } is valid and empty.
 *   Errors     see servers/query.h.
 */
#ifndef SERVERS_ASKED_H
#define SERVERS_ASKED_H

#include "servers/query.h"

struct asked_said {
	struct name host; /* of the server; n is 0 for one we know by address only */
	struct address address;
	struct query_answer answer;
};

struct asked {
	struct name name;
	uint16_t type;
	size_t count;
	struct asked_said *said;
};

void asked_done(struct asked *asked);

/* The first useful answer, those with AA before those without; NULL: there is none. */
const struct asked_said *asked_useful(const struct asked *asked);

/* "dns.example (127.0.0.1)", or the address alone. */
#define ASKED_SERVER_TEXT_MAX (NAME_TEXT_MAX + ADDRESS_TEXT_MAX)
void asked_server_text(const struct name *host, const struct address *address,
	char out[ASKED_SERVER_TEXT_MAX]);

/* The name of a record, or of a name in its data; false when it is none. */
bool asked_name_of(const ldns_rdf *rdf, struct name *out);

#endif
