/* SPDX-License-Identifier: Apache-2.0 */
#include "servers/asked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void asked_done(struct asked *asked)
{
	for (size_t i = 0; i < asked->count; i++)
		query_done(&asked->said[i].answer, 1);
	free(asked->said);
	*asked = (struct asked){ 0 };
}

const struct asked_said *asked_useful(const struct asked *asked)
{
	const struct asked_said *found = NULL;

	for (size_t i = 0; i < asked->count; i++) {
		const struct asked_said *s = &asked->said[i];

		if (!query_is_useful(&s->answer))
			continue;
		if (ldns_pkt_aa(s->answer.packet))
			return s;
		if (!found)
			found = s;
	}
	return found;
}

void asked_server_text(const struct name *host, const struct address *address,
	char out[ASKED_SERVER_TEXT_MAX])
{
	char name[NAME_TEXT_MAX], where[ADDRESS_TEXT_MAX];

	address_write(address, where);
	if (address->port == 53)
		where[strcspn(where, "@")] = '\0';
	if (host->n && name_write_text(host, name, sizeof(name)) == 0)
		snprintf(out, ASKED_SERVER_TEXT_MAX, "%s (%s)", name, where);
	else
		snprintf(out, ASKED_SERVER_TEXT_MAX, "%s", where);
}

bool asked_name_of(const ldns_rdf *rdf, struct name *out)
{
	size_t n = rdf ? ldns_rdf_size(rdf) : 0;

	if (n == 0 || n > NAME_WIRE_MAX || ldns_rdf_get_type(rdf) != LDNS_RDF_TYPE_DNAME)
		return false;
	out->n = (uint8_t)n;
	memcpy(out->wire, ldns_rdf_data(rdf), n);
	return true;
}
