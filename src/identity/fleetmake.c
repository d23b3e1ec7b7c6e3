/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/fleetmake.h"

#include "ca/batch.h"
#include "dane/generate.h"
#include "pki/shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fleetmake {
	struct fleetmake_world world;
	struct shelf *shelf;
};

int fleetmake_open(const struct fleetmake_world *world, struct fleetmake **out, struct err *err)
{
	struct fleetmake *k = calloc(1, sizeof(*k));
	char dir[PATH_MAX];
	int rc = 0;

	if (!k)
		return err_set(err, ERR_NOMEM, "fleet: out of memory");
	k->world = *world;
	if (snprintf(dir, sizeof(dir), "%s/devices", world->state) >= (int)sizeof(dir))
		rc = err_set(err, ERR_ARG, "state '%.80s...': the path is too long", world->state);
	if (rc == 0)
		rc = shelf_open(dir, &k->shelf, err);
	if (rc != 0)
		fleetmake_close(k);
	else
		*out = k;
	return rc;
}

void fleetmake_close(struct fleetmake *k)
{
	if (!k)
		return;
	shelf_close(k->shelf);
	free(k);
}

static int make_key(struct fleetmake *k, struct fleetmember *m, struct fleet_report *report,
	struct err *err)
{
	struct roster_device *d = m->device;
	struct buf spki = { 0 };
	int rc;

	if (d->spki.n && (*d->key || *d->request))
		return k->world.issuer ? shelf_no_key(k->shelf, d->owner, err) : 0;
	rc = shelf_key(k->shelf, d->owner, k->world.key_kind, &spki, err);
	if (rc != 0) {
		buf_done(&spki);
		return rc;
	}
	free((void *)d->spki.p);
	d->spki = buf_span(&spki); /* now the device's */
	report->keys++;
	return 0;
}

/* Its record's data: 3 1 0 or 3 1 1. */
static int compute_data(struct fleetmember *m, struct err *err)
{
	const struct span spki = m->device->spki;
	uint8_t memory[GENERATE_MAX > 8192 ? GENERATE_MAX : 8192], *out;
	struct tlsa tlsa;
	size_t n = 0;
	int rc = generate_from_key(spki, TLSA_DANE_EE, m->device->matching, memory, sizeof(memory),
		&tlsa, err);

	if (rc != 0)
		return rc;
	out = malloc(4 + tlsa.data.n);
	if (!out)
		return err_set(err, ERR_NOMEM, "fleet: out of memory");
	rc = tlsa_write(&tlsa, out, 4 + tlsa.data.n, &n, err);
	if (rc != 0) {
		free(out);
		return rc;
	}
	free((void *)m->data.p);
	m->data = (struct span){ out, n };
	return 0;
}

static bool see_entry(void *arg, const struct ledger_entry *e)
{
	*(bool *)arg = e->state == LEDGER_DONE && e->revoked_at == 0;
	return false;
}

/* A certificate an interrupted call has left, if the ledger has it, not revoked. */
static int find_certificate(struct fleetmake *k, struct fleetmember *m, bool *found,
	struct err *err)
{
	struct state *issuer = k->world.issuer;
	char serial[FACTS_SERIAL_MAX];
	const struct ledger_filter filter = { .serial = serial };
	bool good = false;
	int rc = shelf_find(k->shelf, m->device->owner, m->device->spki,
		authority_certificate(issuer->authority), found, serial, err);

	if (rc == 0 && *found)
		rc = ledger_each(issuer->ledger, &filter, see_entry, &good, err);
	*found = *found && good;
	if (*found)
		memcpy(m->serial, serial, sizeof(serial));
	return rc;
}

/* Those of a batch that lack a certificate; orders[i] is of members[i]. */
struct lacking {
	struct batch_order *orders;
	struct fleetmember **members;
	size_t n;
};

static void lacking_done(struct lacking *l)
{
	for (size_t i = 0; l->orders && i < l->n; i++)
		free((void *)l->orders[i].prefix);
	if (l->orders)
		batch_forget(l->orders, l->n);
	free(l->orders);
	free(l->members);
}

/* Where its files will be, absolute: the folder may not be there yet. */
static int find_prefix(struct fleetmake *k, const struct fleetmember *m, char prefix[PATH_MAX],
	struct err *err)
{
	char whole[PATH_MAX];
	int rc = shelf_prefix(k->shelf, m->device->owner, prefix, err);

	if (rc != 0 || prefix[0] == '/')
		return rc;
	if (!realpath(k->world.state, whole) ||
		strlen(whole) + strlen(prefix) - strlen(k->world.state) >= PATH_MAX)
		return err_set(err, ERR_ARG, "folder '%.80s': no such path", k->world.state);
	strcat(whole, prefix + strlen(k->world.state));
	memcpy(prefix, whole, PATH_MAX);
	return 0;
}

static int order_one(struct fleetmake *k, struct fleetmember *m, struct lacking *out,
	struct err *err)
{
	struct batch_order *o = &out->orders[out->n];
	char prefix[PATH_MAX];
	int rc = find_prefix(k, m, prefix, err);

	if (rc != 0)
		return err_wrap(err, rc, "'%s'", m->device->owner);
	*o = (struct batch_order){ .name = m->device->name,
		.spki = m->device->spki,
		.prefix = strdup(prefix) };
	out->members[out->n++] = m;
	return o->prefix ? 0 : err_set(err, ERR_NOMEM, "fleet: out of memory");
}

static int order_all(struct fleetmake *k, struct fleetmember *const *members, size_t count,
	struct lacking *out, struct err *err)
{
	int rc = 0;

	out->orders = calloc(count + 1, sizeof(*out->orders));
	out->members = calloc(count + 1, sizeof(struct fleetmember *));
	if (!out->orders || !out->members)
		return err_set(err, ERR_NOMEM, "fleet: out of memory");
	for (size_t i = 0; rc == 0 && i < count; i++) {
		bool found = false;

		rc = find_certificate(k, members[i], &found, err);
		if (rc == 0 && !found)
			rc = order_one(k, members[i], out, err);
	}
	return rc;
}

static int write_all(struct fleetmake *k, const struct lacking *l, struct err *err)
{
	pemfile_chain *chain = authority_chain(k->world.issuer->authority);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		memcpy(l->members[i]->serial, l->orders[i].made.serial, FACTS_SERIAL_MAX);
		rc = shelf_certificate(k->shelf, l->members[i]->device->owner,
			buf_span(&l->orders[i].der), chain, err);
	}
	return rc == 0 ? shelf_sync(k->shelf, err) : rc;
}

/* On the disk in the ledger, and only then in files. */
static int issue_all(struct fleetmake *k, const struct lacking *l, struct err *err)
{
	const struct profile leaf = { .role = PROFILE_CLIENT,
		.life_s = k->world.days * PROFILE_DAY_S,
		.backdate_s = PROFILE_BACKDATE_S,
		.path_len = -1 };
	struct batch *batch = NULL;
	int rc = batch_open(k->world.issuer, &leaf, &batch, err);

	if (rc == 0)
		rc = batch_issue(batch, l->orders, l->n, err);
	if (rc == 0)
		rc = write_all(k, l, err);
	if (rc == 0)
		rc = batch_settle(batch, err);
	batch_close(batch);
	return rc;
}

static int certify(struct fleetmake *k, struct fleetmember *const *members, size_t count,
	struct fleet_report *report, struct err *err)
{
	struct lacking l = { .n = 0 };
	int rc = order_all(k, members, count, &l, err);

	if (rc == 0 && l.n)
		rc = issue_all(k, &l, err);
	if (rc == 0)
		report->certificates += l.n;
	lacking_done(&l);
	return rc;
}

int fleetmake_batch(struct fleetmake *k, struct fleetmember *const *members, size_t count,
	struct fleet_report *report, struct err *err)
{
	const size_t before = report->keys;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = make_key(k, members[i], report, err);
		if (rc == 0 && !k->world.wildcard)
			rc = compute_data(members[i], err);
	}
	if (rc == 0 && report->keys != before)
		rc = shelf_sync(k->shelf, err);
	if (rc == 0 && k->world.issuer)
		rc = certify(k, members, count, report, err);
	return rc;
}
