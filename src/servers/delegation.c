/* SPDX-License-Identifier: Apache-2.0 */
#include "servers/delegation.h"

#include "servers/roots.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* A name server whose name needs name servers whose names need ... */
#define DEPTH_MAX 4
/* Servers asked at first when one answer is enough; then all others at once. */
#define FEW                3
#define HOST_ADDRESSES_MAX 8

enum kind { BUILDING, CUT, PLAIN, ABSENT };

/* Whether a zone begins at a name. */
struct place {
	struct name name; /* first, in both: the key of the tree */
	enum kind kind;
	struct delegation *zone; /* CUT */
};

/* Where a name server is, by its own name. */
struct host {
	struct name name;
	size_t count;
	struct address address[HOST_ADDRESSES_MAX];
};

struct delegation_walk {
	void *places, *hosts; /* trees by name in lower case */
	struct delegation *root;
	uint16_t port;
	unsigned timeout_ms;
	unsigned depth;
};

static int compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return memcmp(x->wire, y->wire, x->n);
}

/* What the tree holds for a name, made of this size when it is new; NULL: no memory. */
static void *entry_of(void **tree, const struct name *name, size_t size, bool *is_new)
{
	struct name *entry = calloc(1, size);
	void **at;

	if (!entry)
		return NULL;
	*entry = *name;
	name_lower(entry);
	at = tsearch(entry, tree, compare_names);
	*is_new = at && *at == entry;
	if (!*is_new)
		free(entry);
	return at ? *at : NULL;
}

static void add_server(struct delegation *d, const struct delegation_server *s)
{
	for (size_t i = 0; i < d->count; i++) {
		struct delegation_server *have = &d->server[i];

		if (have->address.v6 != s->address.v6 || have->address.port != s->address.port ||
			memcmp(have->address.octets, s->address.octets, 16) != 0)
			continue;
		have->by_parent |= s->by_parent;
		have->by_child |= s->by_child;
		return;
	}
	if (d->count < QUERY_SERVERS_MAX)
		d->server[d->count++] = *s;
}

static void add_lost(struct delegation *d, const struct name *host)
{
	for (size_t i = 0; i < d->lost; i++)
		if (name_equal(&d->lost_host[i], host))
			return;
	if (d->lost < DELEGATION_LOST_MAX)
		d->lost_host[d->lost++] = *host;
}

int delegation_open(const struct delegation_config *config, struct delegation_walk **out,
	struct err *err)
{
	struct delegation_walk *w = calloc(1, sizeof(*w));
	struct delegation *root = calloc(1, sizeof(*root));
	const struct address *at = config->root;
	size_t n = config->root_count;
	struct address known[ROOTS_COUNT];

	if (!w || !root) {
		free(w);
		free(root);
		return err_set(err, ERR_NOMEM, "servers: no memory");
	}
	if (!at) {
		roots_read(known);
		at = known;
		n = ROOTS_COUNT;
	}
	w->root = root;
	w->port = config->port ? config->port : 53;
	w->timeout_ms = config->timeout_ms;
	root->zone = (struct name){ .n = 1 };
	for (size_t i = 0; i < n; i++)
		add_server(root,
			&(struct delegation_server){ .address = at[i], .by_parent = true });
	*out = w;
	return 0;
}

static void free_zone(struct delegation *d)
{
	if (!d)
		return;
	asked_done(&d->ds);
	asked_done(&d->dnskey);
	asked_done(&d->soa);
	free(d);
}

static void free_place(void *place)
{
	free_zone(((struct place *)place)->zone);
	free(place);
}

void delegation_close(struct delegation_walk *w)
{
	if (!w)
		return;
	tdestroy(w->places, free_place);
	tdestroy(w->hosts, free);
	free_zone(w->root);
	free(w);
}

/* One question to n servers of the zone, the first of them the one at. */
static int ask_servers(struct delegation_walk *w, struct delegation *zone, size_t at, size_t n,
	const struct name *name, uint16_t type, bool first, struct query_answer *answers,
	struct err *err)
{
	struct query_manner manner = { .timeout_ms = w->timeout_ms, .first = first };
	struct address to[QUERY_SERVERS_MAX] = { 0 };
	bool done = false;
	int rc;

	for (size_t i = 0; i < n; i++) {
		to[i] = zone->server[at + i].address;
		manner.hurried |= (uint32_t)zone->server[at + i].silent << i;
	}
	rc = query_ask(to, n, name, type, &manner, answers, err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		done = done || query_is_useful(&answers[i]);
	/* who was not waited for is not called silent */
	for (size_t i = 0; rc == 0 && i < n && !(first && done); i++)
		zone->server[at + i].silent = answers[i].outcome == QUERY_SILENT;
	return rc;
}

int delegation_ask(struct delegation_walk *w, struct delegation *zone, const struct name *name,
	uint16_t type, struct asked *out, struct err *err)
{
	struct query_answer answers[QUERY_SERVERS_MAX];
	struct asked_said *said = calloc(zone->count + 1, sizeof(*said));
	int rc;

	if (!said)
		return err_set(err, ERR_NOMEM, "servers: no memory");
	rc = ask_servers(w, zone, 0, zone->count, name, type, false, answers, err);
	if (rc != 0) {
		free(said);
		return rc;
	}
	for (size_t i = 0; i < zone->count; i++)
		said[i] = (struct asked_said){ zone->server[i].host, zone->server[i].address,
			answers[i] };
	*out = (struct asked){ *name, type, zone->count, said };
	return 0;
}

/* One useful answer of a zone's servers; packet NULL when there is none. */
static int ask_some(struct delegation_walk *w, struct delegation *zone, const struct name *name,
	uint16_t type, ldns_pkt **packet, struct err *err)
{
	struct query_answer answers[QUERY_SERVERS_MAX];
	size_t at = 0, n = zone->count < FEW ? zone->count : FEW;

	*packet = NULL;
	while (n > 0 && !*packet) {
		int rc = ask_servers(w, zone, at, n, name, type, true, answers, err);

		if (rc != 0)
			return rc;
		for (size_t i = 0; i < n && !*packet; i++) {
			if (!query_is_useful(&answers[i]))
				continue;
			*packet = answers[i].packet;
			answers[i].packet = NULL;
		}
		query_done(answers, n);
		at += n;
		n = zone->count - at;
	}
	return 0;
}

/* Adds the addresses of host among the records. */
static void take_addresses(const struct delegation_walk *w, const ldns_rr_list *records,
	const struct name *host, struct host *to)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(records, i);
		const ldns_rr_type type = ldns_rr_get_type(rr);
		struct address a = { .v6 = type == LDNS_RR_TYPE_AAAA, .port = w->port };
		const ldns_rdf *data;
		struct name owner;

		if ((type != LDNS_RR_TYPE_A && type != LDNS_RR_TYPE_AAAA) ||
			!asked_name_of(ldns_rr_owner(rr), &owner) || !name_equal(&owner, host))
			continue;
		data = ldns_rr_rdf(rr, 0);
		if (!data || ldns_rdf_size(data) != (a.v6 ? 16u : 4u) ||
			to->count == HOST_ADDRESSES_MAX)
			continue;
		memcpy(a.octets, ldns_rdf_data(data), ldns_rdf_size(data));
		to->address[to->count++] = a;
	}
}

/* Where a host is, asked for from the root down; kept. *out NULL: too far away to look. */
static int look_up_host(struct delegation_walk *w, const struct name *name, struct host **out,
	struct err *err)
{
	static const uint16_t types[] = { LDNS_RR_TYPE_A, LDNS_RR_TYPE_AAAA };
	struct delegation *zone;
	bool is_new;
	int rc;

	*out = NULL;
	if (w->depth == DEPTH_MAX)
		return 0;
	*out = entry_of(&w->hosts, name, sizeof(**out), &is_new);
	if (!*out)
		return err_set(err, ERR_NOMEM, "servers: no memory");
	if (!is_new)
		return 0;
	w->depth++;
	rc = delegation_of(w, name, &zone, err);
	w->depth--;
	for (size_t i = 0; rc == 0 && i < 2; i++) {
		ldns_pkt *packet;

		rc = ask_some(w, zone, name, types[i], &packet, err);
		if (rc == 0 && packet)
			take_addresses(w, ldns_pkt_answer(packet), name, *out);
		ldns_pkt_free(packet);
	}
	return rc;
}

/* A host that the parent named already, with its glue. */
static bool is_known(struct delegation *d, const struct name *host, bool by_child)
{
	bool found = false;

	for (size_t i = 0; i < d->count; i++) {
		if (!name_equal(&d->server[i].host, host))
			continue;
		d->server[i].by_child |= by_child;
		found = true;
	}
	return found;
}

static int add_host(struct delegation_walk *w, struct delegation *d, const struct name *name,
	const ldns_pkt *packet, bool by_child, struct err *err)
{
	struct host glue = { .name = *name };
	struct host *host = &glue;
	int rc = 0;

	/* RFC 1034 section 4.2.1: glue is of names below the parent; other words are hearsay. */
	if (name_is_within(name, &d->parent->zone))
		take_addresses(w, ldns_pkt_additional(packet), name, &glue);
	if (glue.count == 0 && is_known(d, name, by_child))
		return 0;
	if (glue.count == 0)
		rc = look_up_host(w, name, &host, err);
	for (size_t i = 0; rc == 0 && host && i < host->count; i++)
		add_server(d,
			&(struct delegation_server){ *name, host->address[i], !by_child,
				by_child });
	if (!host || host->count == 0)
		add_lost(d, name);
	return rc;
}

/* The name servers of d among the records. */
static int add_hosts(struct delegation_walk *w, struct delegation *d, const ldns_pkt *packet,
	const ldns_rr_list *records, bool by_child, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ldns_rr_list_rr_count(records); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(records, i);
		struct name owner, host;

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_NS &&
			asked_name_of(ldns_rr_owner(rr), &owner) && name_equal(&owner, &d->zone) &&
			asked_name_of(ldns_rr_rdf(rr, 0), &host))
			rc = add_host(w, d, &host, packet, by_child, err);
	}
	return rc;
}

static bool names_servers(const ldns_rr_list *records, const struct name *zone)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(records, i);
		struct name owner;

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_NS &&
			asked_name_of(ldns_rr_owner(rr), &owner) && name_equal(&owner, zone))
			return true;
	}
	return false;
}

/* From the packet that shows the cut: a referral, or the words of a server that holds both. */
static int build_zone(struct delegation_walk *w, struct delegation *parent, const struct name *zone,
	const ldns_pkt *shown, struct delegation **out, struct err *err)
{
	struct delegation *d = calloc(1, sizeof(*d));
	ldns_pkt *own = NULL;
	int rc;

	if (!d)
		return err_set(err, ERR_NOMEM, "servers: no memory");
	d->zone = *zone;
	d->parent = parent;
	rc = add_hosts(w, d, shown, ldns_pkt_authority(shown), false, err);
	if (rc == 0)
		rc = add_hosts(w, d, shown, ldns_pkt_answer(shown), ldns_pkt_aa(shown), err);
	if (rc == 0 && !ldns_pkt_aa(shown))
		rc = ask_some(w, d, zone, LDNS_RR_TYPE_NS, &own, err);
	if (rc == 0 && own)
		rc = add_hosts(w, d, own, ldns_pkt_answer(own), true, err);
	ldns_pkt_free(own);
	if (rc == 0)
		*out = d;
	else
		free_zone(d);
	return rc;
}

/* Is there a cut at this name, below zone? */
static int look_for_cut(struct delegation_walk *w, struct delegation *zone, struct place *p,
	struct err *err)
{
	ldns_pkt *packet;
	int rc = ask_some(w, zone, &p->name, LDNS_RR_TYPE_NS, &packet, err);

	if (rc != 0)
		return rc;
	/* What nobody answers is not asked again, nor what would be below it. */
	p->kind = ABSENT;
	if (packet &&
		(names_servers(ldns_pkt_answer(packet), &p->name) ||
			names_servers(ldns_pkt_authority(packet), &p->name))) {
		p->kind = BUILDING;
		rc = build_zone(w, zone, &p->name, packet, &p->zone, err);
		p->kind = rc == 0 ? CUT : ABSENT;
	} else if (packet && ldns_pkt_get_rcode(packet) == LDNS_RCODE_NOERROR) {
		p->kind = PLAIN;
	}
	ldns_pkt_free(packet);
	return rc;
}

/* The last n labels of name. */
static struct name ending(const struct name *name, unsigned n)
{
	struct name at = *name, up;

	while (name_labels(&at) > n && name_parent(&at, &up))
		at = up;
	return at;
}

int delegation_of(struct delegation_walk *w, const struct name *name, struct delegation **out,
	struct err *err)
{
	struct delegation *zone = w->root;
	const unsigned labels = name_labels(name);

	for (unsigned n = 1; n <= labels; n++) {
		struct name at = ending(name, n);
		bool is_new;
		struct place *p = entry_of(&w->places, &at, sizeof(*p), &is_new);
		int rc = 0;

		if (!p)
			return err_set(err, ERR_NOMEM, "servers: no memory");
		if (is_new)
			rc = look_for_cut(w, zone, p, err);
		if (rc != 0)
			return rc;
		if (p->kind == BUILDING || p->kind == ABSENT)
			break;
		if (p->kind == CUT)
			zone = p->zone;
	}
	*out = zone;
	return 0;
}

int delegation_prove(struct delegation_walk *w, struct delegation *zone, struct err *err)
{
	int rc = 0;

	for (struct delegation *d = zone; rc == 0 && d && !d->proved; d = d->parent) {
		d->proved = true;
		if (d->parent)
			rc = delegation_ask(w, d->parent, &d->zone, LDNS_RR_TYPE_DS, &d->ds, err);
		if (rc == 0)
			rc = delegation_ask(w, d, &d->zone, LDNS_RR_TYPE_DNSKEY, &d->dnskey, err);
		if (rc == 0)
			rc = delegation_ask(w, d, &d->zone, LDNS_RR_TYPE_SOA, &d->soa, err);
	}
	return rc;
}
