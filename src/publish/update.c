/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/update.h"

#include "publish/exchange.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

int update_new(const char *zone, struct update **out, struct err *err)
{
	ldns_rdf *name = NULL;
	int rc = exchange_name(zone, &name, err);
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
	rc = exchange_name(owner, &name, err);
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

/* A record from wire form, as it stands in a message. */
static int push_data(ldns_rr_list *list, const struct rrset *s, struct span rdata, uint32_t ttl_s,
	ldns_rr_class class, struct err *err)
{
	ldns_rr *rr = ldns_rr_new();
	ldns_rdf *data;

	if (!rr)
		return err_set(err, ERR_NOMEM, "update: out of memory");
	ldns_rr_set_owner(rr,
		ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, s->owner.n, s->owner.wire));
	ldns_rr_set_type(rr, s->type);
	ldns_rr_set_class(rr, class);
	ldns_rr_set_ttl(rr, ttl_s);
	data = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_UNKNOWN, rdata.n, rdata.p);
	if (ldns_rr_owner(rr) && data && ldns_rr_push_rdf(rr, data) &&
		ldns_rr_list_push_rr(list, rr))
		return 0;
	ldns_rr_free(rr);
	return err_set(err, ERR_NOMEM, "update: out of memory");
}

/* RFC 2136 section 2.4.2, value dependent: all records, class of the zone, TTL 0. */
static int require_exactly(struct update *u, const struct rrset *s, const char *owner,
	const char *type, struct err *err)
{
	int rc = 0;

	if (s->count == 0)
		return update_require_absent(u, owner, type, err);
	for (size_t i = 0; rc == 0 && i < s->count; i++)
		rc = push_data(u->require, s, s->rdata[i], 0, LDNS_RR_CLASS_IN, err);
	return rc;
}

/* A TTL is changed by taking the whole set out and in again, inside the one message. */
static int push_difference(struct update *u, const struct change *c, bool whole, struct err *err)
{
	int rc = 0;

	/* RFC 2136 section 2.5.4: class NONE, TTL 0 takes one record out */
	for (size_t i = 0; rc == 0 && i < c->before.count; i++)
		if (whole || !rrset_has(&c->after, c->before.rdata[i]))
			rc = push_data(u->change, &c->before, c->before.rdata[i], 0, CLASS_NONE,
				err);
	for (size_t i = 0; rc == 0 && i < c->after.count; i++)
		if (whole || !rrset_has(&c->before, c->after.rdata[i]))
			rc = push_data(u->change, &c->after, c->after.rdata[i], c->after.ttl_s,
				LDNS_RR_CLASS_IN, err);
	return rc;
}

int update_change(struct update *u, const struct change *c, struct err *err)
{
	char owner[NAME_TEXT_MAX], type[12];
	int rc;

	if (name_write_text(&c->after.owner, owner, sizeof(owner)) != 0)
		return err_set(err, ERR_FORMAT, "update: a name that cannot be written");
	rc = require_exactly(u, &c->before, owner, rr_type_word(c->after.type, type, sizeof(type)),
		err);
	return rc == 0 ? push_difference(u, c, c->before.ttl_s != c->after.ttl_s, err) : rc;
}

static int make_packet(const struct update *u, ldns_pkt **out, struct err *err)
{
	ldns_rdf *zone = NULL;
	ldns_pkt *packet;
	int rc = exchange_name(u->zone, &zone, err);

	if (rc != 0)
		return rc;
	packet = ldns_update_pkt_new(zone, LDNS_RR_CLASS_IN, u->require, u->change, NULL);
	if (!packet) {
		ldns_rdf_deep_free(zone);
		return err_set(err, ERR_NOMEM, "update: out of memory");
	}
	ldns_pkt_set_random_id(packet);
	*out = packet;
	return 0;
}

/* RFC 2136 section 3.2.5: what a prerequisite that does not hold is answered with. */
static bool is_moved(unsigned rcode)
{
	return rcode == LDNS_RCODE_NXDOMAIN || rcode == LDNS_RCODE_YXDOMAIN ||
		rcode == LDNS_RCODE_NXRRSET || rcode == LDNS_RCODE_YXRRSET;
}

struct update_flight {
	const struct update *update;
	const struct primary *primary;
	ldns_pkt *query;
	struct exchange exchange;
};

void update_flight_free(struct update_flight *f)
{
	if (!f)
		return;
	exchange_drop(&f->exchange);
	ldns_pkt_free(f->query);
	free(f);
}

int update_begin(const struct update *u, const struct primary *p, struct update_flight **out,
	struct err *err)
{
	struct update_flight *f;
	int rc;

	if (!p->key)
		return err_set(err, ERR_ARG, "update of zone '%s': no TSIG key", u->zone);
	f = calloc(1, sizeof(*f));
	if (!f)
		return err_set(err, ERR_NOMEM, "update: out of memory");
	*f = (struct update_flight){ .update = u, .primary = p, .exchange = { .fd = -1 } };
	rc = make_packet(u, &f->query, err);
	if (rc == 0)
		rc = exchange_begin(p, f->query, &f->exchange, err);
	if (rc != 0)
		err_wrap(err, rc, "update of zone '%s'", u->zone);
	if (rc != 0)
		update_flight_free(f);
	else
		*out = f;
	return rc;
}

int update_end(struct update_flight *f, enum update_outcome *out, struct err *words,
	struct err *err)
{
	const char *zone = f->update->zone;
	ldns_pkt *answer = NULL;
	unsigned rcode;
	int rc = exchange_end(f->primary, &f->exchange, &answer, err);

	if (rc != 0)
		return err_wrap(err, rc, "update of zone '%s'", zone);
	rcode = ldns_pkt_get_rcode(answer);
	ldns_pkt_free(answer);
	if (rcode != LDNS_RCODE_NOERROR && !is_moved(rcode))
		return err_set(err, ERR_PEER, "update of zone '%s': refused with %s", zone,
			exchange_rcode_words(rcode));
	if (is_moved(rcode))
		err_set(words, ERR_PEER, "update of zone '%s': refused with %s", zone,
			exchange_rcode_words(rcode));
	*out = is_moved(rcode) ? UPDATE_MOVED : UPDATE_DONE;
	return 0;
}

int update_try(const struct update *u, const struct primary *p, enum update_outcome *out,
	struct err *words, struct err *err)
{
	struct update_flight *f = NULL;
	int rc = update_begin(u, p, &f, err);

	if (rc == 0)
		rc = update_end(f, out, words, err);
	update_flight_free(f);
	return rc;
}

int update_send(const struct update *u, const struct primary *p, struct err *err)
{
	enum update_outcome outcome;
	struct err words;
	int rc = update_try(u, p, &outcome, &words, err);

	if (rc == 0 && outcome == UPDATE_MOVED)
		return err_set(err, words.code, "%s", words.msg);
	return rc;
}
