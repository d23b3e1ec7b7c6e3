/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/update.h"

#include "publish/exchange.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ALGORITHM  "hmac-sha256."
#define FUDGE_S    300
#define TIMEOUT_MS 5000

/* RFC 2136 section 2.4 and 2.5: classes that turn a record into a statement about one. */
#define CLASS_ANY  LDNS_RR_CLASS_ANY
#define CLASS_NONE LDNS_RR_CLASS_NONE

struct update {
	char *zone;
	ldns_rr_list *require;
	ldns_rr_list *change;
};

void update_free(struct update *u)
{
	if (!u)
		return;
	free(u->zone);
	ldns_rr_list_deep_free(u->require);
	ldns_rr_list_deep_free(u->change);
	free(u);
}

static int name_of_text(const char *text, ldns_rdf **out, struct err *err)
{
	ldns_rdf *name = NULL;

	if (!*text || ldns_str2rdf_dname(&name, text) != LDNS_STATUS_OK)
		return err_set(err, ERR_FORMAT, "name '%s': not a domain name", text);
	*out = name;
	return 0;
}

int update_new(const char *zone, struct update **out, struct err *err)
{
	ldns_rdf *name = NULL;
	int rc = name_of_text(zone, &name, err);
	struct update *u;

	if (rc != 0)
		return rc;
	ldns_rdf_deep_free(name);
	u = calloc(1, sizeof(*u));
	if (u) {
		u->zone = strdup(zone);
		u->require = ldns_rr_list_new();
		u->change = ldns_rr_list_new();
	}
	if (!u || !u->zone || !u->require || !u->change) {
		update_free(u);
		return err_set(err, ERR_NOMEM, "update: out of memory");
	}
	*out = u;
	return 0;
}

/* A record without data: owner, type and a class that says what is meant. */
static int push_statement(ldns_rr_list *list, const char *owner, const char *type,
	ldns_rr_class class, struct err *err)
{
	ldns_rr_type number = type ? ldns_get_rr_type_by_name(type) : LDNS_RR_TYPE_ANY;
	ldns_rdf *name = NULL;
	ldns_rr *rr;
	int rc;

	if (number == 0)
		return err_set(err, ERR_FORMAT, "type '%s': unknown", type);
	rc = name_of_text(owner, &name, err);
	if (rc != 0)
		return rc;
	rr = ldns_rr_new();
	if (!rr) {
		ldns_rdf_deep_free(name);
		return err_set(err, ERR_NOMEM, "update: out of memory");
	}
	ldns_rr_set_owner(rr, name);
	ldns_rr_set_type(rr, number);
	ldns_rr_set_class(rr, class);
	ldns_rr_set_ttl(rr, 0);
	if (ldns_rr_list_push_rr(list, rr))
		return 0;
	ldns_rr_free(rr);
	return err_set(err, ERR_NOMEM, "update: out of memory");
}

int update_require_rrset(struct update *u, const char *owner, const char *type, struct err *err)
{
	return push_statement(u->require, owner, type, CLASS_ANY, err);
}

int update_require_absent(struct update *u, const char *owner, const char *type, struct err *err)
{
	return push_statement(u->require, owner, type, CLASS_NONE, err);
}

int update_delete_rrset(struct update *u, const char *owner, const char *type, struct err *err)
{
	return push_statement(u->change, owner, type, CLASS_ANY, err);
}

int update_delete_name(struct update *u, const char *owner, struct err *err)
{
	return push_statement(u->change, owner, NULL, CLASS_ANY, err);
}

int update_add(struct update *u, const char *record, struct err *err)
{
	ldns_rr *rr = NULL;
	ldns_status status = ldns_rr_new_frm_str(&rr, record, 0, NULL, NULL);

	if (status != LDNS_STATUS_OK)
		return err_set(err, ERR_FORMAT, "record '%.120s': %s", record,
			ldns_get_errorstr_by_id(status));
	if (ldns_rr_list_push_rr(u->change, rr))
		return 0;
	ldns_rr_free(rr);
	return err_set(err, ERR_NOMEM, "update: out of memory");
}

/* RFC 8945 section 5.2: why a server did not take our signature. */
static const char *tsig_trouble(const ldns_pkt *answer)
{
	const ldns_rr *tsig = ldns_pkt_tsig(answer);
	const ldns_rdf *code = tsig && ldns_rr_rd_count(tsig) > 5 ? ldns_rr_rdf(tsig, 5) : NULL;

	if (!code || ldns_rdf_size(code) != 2)
		return NULL;
	switch (ldns_rdf2native_int16(code)) {
	case 16: return "BADSIG: the TSIG secret is another";
	case 17: return "BADKEY: no TSIG key of that name";
	case 18: return "BADTIME: the clocks differ";
	}
	return NULL;
}

/* RFC 2136 section 2.2, in words. */
static const char *rcode_words(unsigned rcode)
{
	switch (rcode) {
	case LDNS_RCODE_FORMERR: return "FORMERR: it does not understand the message";
	case LDNS_RCODE_SERVFAIL: return "SERVFAIL: it could not do it";
	case LDNS_RCODE_NXDOMAIN: return "NXDOMAIN: a name that must exist does not";
	case LDNS_RCODE_NOTIMPL: return "NOTIMP: it does not do updates";
	case LDNS_RCODE_REFUSED: return "REFUSED: its policy does not allow it";
	case LDNS_RCODE_YXDOMAIN: return "YXDOMAIN: a name exists that must not";
	case LDNS_RCODE_YXRRSET: return "YXRRSET: a record set exists that must not";
	case LDNS_RCODE_NXRRSET: return "NXRRSET: a record set that must exist does not";
	case LDNS_RCODE_NOTAUTH:
		return "NOTAUTH: not authoritative for the zone, or the TSIG is wrong";
	case LDNS_RCODE_NOTZONE: return "NOTZONE: a name lies outside the zone";
	}
	return "an error without a name";
}

static int judge(const struct update *u, const struct update_server *server, ldns_pkt *answer,
	const uint8_t *wire, size_t n, const ldns_rdf *mac, struct err *err)
{
	const char *trouble = tsig_trouble(answer);
	unsigned rcode = ldns_pkt_get_rcode(answer);

	if (trouble || rcode != LDNS_RCODE_NOERROR)
		return err_set(err, ERR_PEER, "update of zone '%s': refused with %s", u->zone,
			trouble ? trouble : rcode_words(rcode));
	if (!ldns_pkt_tsig(answer) ||
		!ldns_pkt_tsig_verify(answer, wire, n, server->key->name, server->key->secret, mac))
		return err_set(err, ERR_PEER,
			"update of zone '%s': the answer is not signed with our TSIG key", u->zone);
	return 0;
}

static int make_packet(const struct update *u, const struct update_server *server, ldns_pkt **out,
	struct err *err)
{
	ldns_rdf *zone = NULL;
	ldns_pkt *packet;
	int rc = name_of_text(u->zone, &zone, err);

	if (rc != 0)
		return rc;
	packet = ldns_update_pkt_new(zone, LDNS_RR_CLASS_IN, u->require, u->change, NULL);
	if (!packet) {
		ldns_rdf_deep_free(zone);
		return err_set(err, ERR_NOMEM, "update: out of memory");
	}
	ldns_pkt_set_random_id(packet);
	if (ldns_pkt_tsig_sign(packet, server->key->name, server->key->secret, FUDGE_S, ALGORITHM,
		    NULL) != LDNS_STATUS_OK) {
		ldns_pkt_free(packet);
		return err_set(err, ERR_CRYPTO, "update of zone '%s': cannot be signed", u->zone);
	}
	*out = packet;
	return 0;
}

int update_send(const struct update *u, const struct update_server *server, struct err *err)
{
	ldns_pkt *query = NULL, *answer = NULL;
	uint8_t *wire = NULL;
	size_t n = 0;
	int rc = make_packet(u, server, &query, err);

	if (rc != 0)
		return rc;
	rc = exchange_packet(server->address, server->port,
		server->timeout_ms ? server->timeout_ms : TIMEOUT_MS, query, &answer, &wire, &n,
		err);
	if (rc == 0) {
		rc = judge(u, server, answer, wire, n, ldns_rr_rdf(ldns_pkt_tsig(query), 3), err);
		ldns_pkt_free(answer);
		free(wire);
	}
	ldns_pkt_free(query);
	return rc;
}
