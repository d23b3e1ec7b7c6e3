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
	struct batch *batch; /* of the batch under way */
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
	batch_close(k->batch);
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

/* The octets of a batch's certificates, until they are in the ledger. */
struct issued {
	struct fleetmember *member;
	struct buf der;
};

static int issue_one(struct fleetmake *k, struct fleetmember *m, struct issued *out,
	struct err *err)
{
	struct press_certificate c;
	char prefix[PATH_MAX], whole[PATH_MAX];
	int rc = shelf_prefix(k->shelf, m->device->owner, prefix, err);

	/* the folder may not be there yet: its name is what the ledger has */
	if (rc == 0 && prefix[0] != '/') {
		if (!realpath(k->world.state, whole) ||
			strlen(whole) + strlen(prefix) - strlen(k->world.state) >= PATH_MAX)
			return err_set(err, ERR_ARG, "folder '%.80s': no such path",
				k->world.state);
		strcat(whole, prefix + strlen(k->world.state));
		memcpy(prefix, whole, sizeof(prefix));
	}
	if (rc == 0)
		rc = batch_add(k->batch, &m->device->name, m->device->spki, prefix, &c, err);
	if (rc != 0)
		return err_wrap(err, rc, "'%s'", m->device->owner);
	memcpy(m->serial, c.serial, sizeof(c.serial));
	out->member = m;
	buf_put(&out->der, c.der);
	return buf_ok(&out->der) ? 0 : err_set(err, ERR_NOMEM, "fleet: out of memory");
}

static int issue_all(struct fleetmake *k, struct fleetmember *const *members, size_t count,
	struct issued *list, size_t *n, struct err *err)
{
	const struct profile leaf = { .role = PROFILE_CLIENT,
		.life_s = k->world.days * PROFILE_DAY_S,
		.backdate_s = PROFILE_BACKDATE_S,
		.path_len = -1 };
	int rc = batch_open(k->world.issuer, &leaf, &k->batch, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		bool found = false;

		rc = find_certificate(k, members[i], &found, err);
		if (rc == 0 && !found)
			rc = issue_one(k, members[i], &list[(*n)++], err);
	}
	return rc == 0 ? batch_commit(k->batch, err) : rc;
}

static int write_all(struct fleetmake *k, const struct issued *list, size_t n, struct err *err)
{
	pemfile_chain *chain = authority_chain(k->world.issuer->authority);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = shelf_certificate(k->shelf, list[i].member->device->owner,
			buf_span(&list[i].der), chain, err);
	if (rc == 0)
		rc = shelf_sync(k->shelf, err);
	return rc == 0 ? batch_settle(k->batch, err) : rc;
}

static int certify(struct fleetmake *k, struct fleetmember *const *members, size_t count,
	struct fleet_report *report, struct err *err)
{
	struct issued *list = calloc(count + 1, sizeof(*list));
	size_t n = 0;
	int rc = list ? issue_all(k, members, count, list, &n, err)
		      : err_set(err, ERR_NOMEM, "fleet: out of memory");

	if (rc == 0 && n)
		rc = write_all(k, list, n, err);
	if (rc == 0)
		report->certificates += n;
	for (size_t i = 0; i < n; i++)
		buf_done(&list[i].der);
	free(list);
	batch_close(k->batch);
	k->batch = NULL;
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
