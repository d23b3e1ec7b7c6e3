/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/fleet.h"

#include "dane/generate.h"
#include "identity/cutoff.h"
#include "identity/fleetask.h"
#include "identity/fleetlock.h"
#include "identity/fleetmake.h"
#include "identity/fleetmember.h"
#include "pki/der.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 5000

struct fleet {
	struct fleet_tools tools;
	struct fleet_order order;
	struct roster *roster;
	struct fleetbook *book;
	struct state *issuer;  /* NULL: no certificates */
	struct rrset wildcard; /* its record; count 0: each device has its own */
	struct rrset blocker;
	struct fleetmember *member; /* in the order of the roster */
	struct fleetmember **list;  /* room for as many */
	int lock;
};

static const char *const words[] = {
	[FLEET_BEGUN] = "begun",
	[FLEET_READY] = "ready",
	[FLEET_PUBLISHED] = "published",
	[FLEET_VERIFIED] = "verified",
};

const char *fleet_step_word(int step)
{
	return step >= 0 && step <= FLEET_VERIFIED ? words[step] : "?";
}

static bool is_wildcard(const char *form)
{
	return form[0] == '2';
}

int fleet_terms(const struct fleet_order *o, struct fleet_terms *out, struct err *err)
{
	static const char *const forms[] = { "3 1 1", "3 1 0", "2 1 1", "2 0 1" };
	bool known = false;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		known |= strcmp(forms[i], o->form) == 0;
	if (!known)
		return err_set(err, ERR_ARG, "form '%.40s': not 3 1 1, 3 1 0, 2 1 1 or 2 0 1",
			o->form);
	if (is_wildcard(o->form) && !o->ca)
		return err_set(err, ERR_ARG, "form '%s': is of an authority: needs --ca", o->form);
	snprintf(out->text, sizeof(out->text), "%s\n%s %u", is_wildcard(o->form) ? o->form : "3 1",
		o->ca ? "ca" : "bare", o->ca ? o->days : 0);
	out->roster = (struct roster_order){ .matching = (uint8_t)(o->form[4] - '0'),
		.wildcard = is_wildcard(o->form),
		.certificates = o->ca,
		.key_kind = o->key_kind,
		.terms = out->text };
	return 0;
}

/* What names.db has, beside the roster: both are in the order of owners. */
struct matching {
	struct fleet *fleet;
	size_t at;
};

static int keep_data(struct fleetmember *m, struct span data, struct err *err)
{
	uint8_t *copy = malloc(data.n ? data.n : 1);

	if (!copy)
		return err_set(err, ERR_NOMEM, "fleet: out of memory");
	if (data.n)
		memcpy(copy, data.p, data.n);
	free((void *)m->data.p);
	m->data = (struct span){ copy, data.n };
	return 0;
}

static int match_one(void *arg, const struct fleetbook_device *b, struct err *err)
{
	struct matching *at = arg;
	struct fleet *f = at->fleet;
	struct fleetmember *m;

	while (at->at < f->roster->count && strcmp(f->roster->device[at->at].owner, b->owner) < 0)
		at->at++;
	if (at->at == f->roster->count || strcmp(f->roster->device[at->at].owner, b->owner) != 0)
		return 0;
	m = &f->member[at->at];
	m->cut = b->cut;
	m->known = b->terms.n == sizeof(m->device->terms) &&
		memcmp(b->terms.p, m->device->terms, b->terms.n) == 0;
	snprintf(m->serial, sizeof(m->serial), "%s", b->serial);
	if (!m->known && !m->cut)
		return 0;
	m->step = b->step;
	m->has_seen = b->seen.n == sizeof(m->seen);
	if (m->has_seen)
		memcpy(m->seen, b->seen.p, sizeof(m->seen));
	m->seen_until_s = b->seen_until_s;
	return keep_data(m, b->data, err);
}

/* Only now is it worth reading keys: those of devices that are new, or have other terms. */
static int check_keys(struct fleet *f, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < f->roster->count; i++) {
		struct fleetmember *m = &f->member[i];

		if (!name_is_within(&m->device->name, via_zone(f->tools.publication.via)))
			roster_complain(f->roster, m->device->line,
				"name '%.80s': not in the zone that --via says how to change",
				m->device->owner);
		if (!m->cut && (!m->known || m->step < FLEET_READY))
			rc = roster_read_key(f->roster, m->device, err);
	}
	if (rc == 0 && f->roster->problems)
		rc = err_set(err, ERR_FORMAT, "%s: %zu rows are wrong", f->roster->path,
			f->roster->problems);
	return rc;
}

/* "*", and below it the parent that all have. */
static int prepare_wildcard(struct fleet *f, struct err *err)
{
	static const uint8_t star[] = { '*' };
	uint8_t memory[GENERATE_MAX], rdata[4 + GENERATE_MAX];
	struct buf der = { 0 };
	struct name parent, owner;
	struct tlsa tlsa;
	size_t n = 0;
	int rc;

	if (!is_wildcard(f->order.form) || f->roster->count == 0)
		return 0;
	if (!name_parent(&f->roster->device[0].name, &parent) ||
		name_prepend((struct span){ star, 1 }, &parent, &owner) != 0)
		return err_set(err, ERR_ARG, "name '%s': has no parent",
			f->roster->device[0].owner);
	f->wildcard = rrset_of(&owner, RR_TLSA, f->tools.ttl_s);
	rc = der_read_certificate(f->issuer->place.cert, &der, err);
	if (rc == 0)
		rc = generate_from_certificate(buf_span(&der), TLSA_DANE_TA,
			f->order.form[2] == '0' ? TLSA_CERT : TLSA_SPKI, TLSA_SHA256, memory,
			sizeof(memory), &tlsa, err);
	if (rc == 0)
		rc = tlsa_write(&tlsa, rdata, sizeof(rdata), &n, err);
	if (rc == 0)
		rc = rrset_add(&f->wildcard, (struct span){ rdata, n }, err);
	buf_done(&der);
	return rc;
}

static int prepare(struct fleet *f, struct err *err)
{
	struct matching at = { .fleet = f };
	int rc = fleetlock_take(f->tools.state, &f->lock, err);

	if (rc == 0)
		rc = fleetbook_open(f->tools.publication.names, &f->book, err);

	f->member = calloc(f->roster->count + 1, sizeof(*f->member));
	f->list = calloc(f->roster->count + 1, sizeof(struct fleetmember *));
	if (rc == 0 && (!f->member || !f->list))
		rc = err_set(err, ERR_NOMEM, "fleet: out of memory");
	for (size_t i = 0; rc == 0 && i < f->roster->count; i++)
		f->member[i].device = &f->roster->device[i];
	if (rc == 0)
		rc = fleetbook_each(f->book, NULL, match_one, &at, NULL, err);
	if (rc == 0)
		rc = check_keys(f, err);
	if (rc == 0 && f->order.ca)
		rc = state_open(f->tools.state, NULL, &f->issuer, err);
	if (rc == 0)
		rc = prepare_wildcard(f, err);
	return rc == 0 ? cutoff_blocker(&f->blocker, err) : rc;
}

int fleet_open(const struct fleet_tools *tools, const struct fleet_order *order, struct roster *r,
	struct fleet **out, struct err *err)
{
	struct fleet *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return err_set(err, ERR_NOMEM, "fleet: out of memory");
	f->lock = -1;
	f->tools = *tools;
	f->order = *order;
	f->roster = r;
	rc = prepare(f, err);
	if (rc != 0)
		fleet_close(f);
	else
		*out = f;
	return rc;
}

void fleet_close(struct fleet *f)
{
	if (!f)
		return;
	for (size_t i = 0; f->member && i < f->roster->count; i++)
		free((void *)f->member[i].data.p);
	free(f->member);
	free(f->list);
	rrset_done(&f->wildcard);
	rrset_done(&f->blocker);
	fleetbook_close(f->book);
	state_close(f->issuer);
	if (f->lock >= 0)
		close(f->lock);
	free(f);
}

static void tell(const struct fleet *f, const char *what, size_t done, size_t all)
{
	if (f->tools.progress)
		f->tools.progress(f->tools.progress_arg, what, done, all);
}

static void form_of(const struct fleet *f, const struct fleetmember *m, char out[8])
{
	if (f->wildcard.count)
		snprintf(out, 8, "%s", f->order.form);
	else
		snprintf(out, 8, "3 1 %u", m->device->matching);
}

/* The row as it is now. */
static int put_row(struct fleet *f, const struct fleetmember *m, struct err *err)
{
	char form[8];
	const struct fleetbook_device row = { .owner = m->device->owner,
		.form = form,
		.serial = m->serial,
		.terms = { m->device->terms, sizeof(m->device->terms) },
		.data = m->data,
		.seen = { m->seen, m->has_seen ? sizeof(m->seen) : 0 },
		.seen_until_s = m->seen_until_s,
		.step = m->step,
		.cut = m->cut };

	form_of(f, m, form);
	return fleetbook_put(f->book, &row, err);
}

/* One transaction: a step for all of a batch. */
static int note_all(struct fleet *f, struct fleetmember *const *list, size_t count, int step,
	struct err *err)
{
	struct names *names = f->tools.publication.names;
	int rc = names_begin(names, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		list[i]->step = step;
		rc = put_row(f, list[i], err);
	}
	if (rc == 0)
		rc = names_commit(names, err);
	if (rc != 0)
		names_rollback(names);
	for (size_t i = 0; rc == 0 && i < count; i++)
		list[i]->known = true;
	return rc;
}

/* With the wildcard's a device has no record of its own; one we published before goes. */
static int wanted_of(const struct fleet *f, const struct fleetmember *m, struct rrset *out,
	struct err *err)
{
	*out = rrset_of(&m->device->name, RR_TLSA, f->tools.ttl_s);
	if (f->wildcard.count)
		return m->cut ? rrset_add(out, f->blocker.rdata[0], err) : 0;
	return m->cut ? 0 : rrset_add(out, m->data, err);
}

static int with_wanted(struct fleet *f, struct fleetmember *const *list, size_t count,
	struct publications_result *r, struct buf *told, struct err *err)
{
	struct rrset *wanted = calloc(count + 1, sizeof(*wanted));
	int rc = wanted ? 0 : err_set(err, ERR_NOMEM, "fleet: out of memory");

	r->changed = 0;
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = wanted_of(f, list[i], &wanted[i], err);
	if (rc == 0 && told)
		rc = publications_plan(&f->tools.publication, wanted, count, r, told, err);
	else if (rc == 0)
		rc = publications_set(&f->tools.publication, wanted, count, r, err);
	for (size_t i = 0; wanted && i < count; i++)
		rrset_done(&wanted[i]);
	free(wanted);
	return rc;
}

static int take_cut(void *arg, const struct fleetbook_device *d, struct err *err)
{
	struct fleetmember *m = arg;

	(void)err;
	m->cut = d->cut;
	return 0;
}

/* Who was cut off while we are at work stays out: what was published before that is seen when
 * the servers are asked, and goes. */
static int refresh(struct fleet *f, struct fleetmember *const *list, size_t count, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = fleetbook_each(f->book, list[i]->device->owner, take_cut, list[i], NULL, err);
	return rc;
}

static int publish(struct fleet *f, struct fleetmember *const *list, size_t count, size_t *changed,
	struct err *err)
{
	struct publications_result r = { .changed = 0 };
	int rc = refresh(f, list, count, err);

	if (rc == 0)
		rc = with_wanted(f, list, count, &r, NULL, err);

	*changed += rc == 0 ? r.changed : 0;
	return rc == 0 ? note_all(f, list, count, FLEET_PUBLISHED, err) : rc;
}

/* With what a rollover of the authority has put beside the record; a record of another form goes.
 */
static int wildcard_wanted(struct fleet *f, struct rrset *out, struct err *err)
{
	struct rrset owned = { 0 };
	int rc = publication_owned(f->tools.publication.names, &f->wildcard.owner, RR_TLSA, &owned,
		err);

	if (rc == 0)
		rc = rrset_copy(rrset_has(&owned, f->wildcard.rdata[0]) ? &owned : &f->wildcard,
			out, err);
	rrset_done(&owned);
	return rc;
}

static int publish_wildcard(struct fleet *f, size_t *changed, struct err *err)
{
	struct publications_result r = { .changed = 0 };
	struct rrset wanted = { 0 };
	int rc;

	if (f->wildcard.count == 0)
		return 0;
	rc = wildcard_wanted(f, &wanted, err);
	if (rc == 0)
		rc = publications_set(&f->tools.publication, &wanted, 1, &r, err);
	rrset_done(&wanted);
	*changed += r.changed;
	return rc;
}

static bool needs(const struct fleetmember *m, int step)
{
	return !m->cut && (!m->known || m->step < step);
}

/* Those of the list that need it, batch by batch. */
static int in_batches(struct fleet *f, int step, const char *what,
	int (*work)(struct fleet *f, struct fleetmember *const *list, size_t count, void *arg,
		struct err *err),
	void *arg, struct err *err)
{
	size_t all = 0, done = 0;
	int rc = 0;

	for (size_t i = 0; i < f->roster->count; i++)
		if (needs(&f->member[i], step))
			f->list[all++] = &f->member[i];
	while (rc == 0 && done < all) {
		size_t n = all - done < FLEET_BATCH ? all - done : FLEET_BATCH;

		tell(f, what, done, all);
		rc = work(f, f->list + done, n, arg, err);
		done += n;
	}
	if (rc == 0 && all)
		tell(f, what, all, all);
	return rc;
}

struct making {
	struct fleetmake *make;
	struct fleet_report *report;
};

/* From nothing to published. */
static int enroll_batch(struct fleet *f, struct fleetmember *const *list, size_t count, void *arg,
	struct err *err)
{
	struct making *m = arg;
	size_t n = 0;
	struct fleetmember **fresh = calloc(count, sizeof(struct fleetmember *));
	int rc = fresh ? 0 : err_set(err, ERR_NOMEM, "fleet: out of memory");

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (needs(list[i], FLEET_READY))
			fresh[n++] = list[i];
	for (size_t i = 0; i < n; i++) {
		m->report->fresh += !fresh[i]->known;
		fresh[i]->has_seen = false;
	}
	if (rc == 0 && n)
		rc = note_all(f, fresh, n, FLEET_BEGUN, err);
	if (rc == 0 && n)
		rc = fleetmake_batch(m->make, fresh, n, m->report, err);
	if (rc == 0 && n)
		rc = note_all(f, fresh, n, FLEET_READY, err);
	free(fresh);
	return rc == 0 ? publish(f, list, count, &m->report->published, err) : rc;
}

static int make_and_publish(struct fleet *f, struct fleet_report *report, struct err *err)
{
	const struct fleetmake_world world = { .state = f->tools.state,
		.issuer = f->issuer,
		.key_kind = f->order.key_kind,
		.days = f->order.days,
		.wildcard = f->wildcard.count > 0 };
	struct making making = { .report = report };
	int rc = fleetmake_open(&world, &making.make, err);

	if (rc == 0)
		rc = publish_wildcard(f, &report->published, err);
	if (rc == 0)
		rc = in_batches(f, FLEET_PUBLISHED, "published", enroll_batch, &making, err);
	fleetmake_close(making.make);
	return rc;
}

/* What was seen, for those whose row would say otherwise. */
static int note_seen(struct fleet *f, struct err *err)
{
	struct names *names = f->tools.publication.names;
	int rc = names_begin(names, err);

	for (size_t i = 0; rc == 0 && i < f->roster->count; i++) {
		struct fleetmember *m = &f->member[i];
		int step = m->serves ? FLEET_VERIFIED : FLEET_PUBLISHED;

		if (m->step == step && !m->dirty)
			continue;
		m->step = step;
		m->dirty = false;
		rc = fleetbook_see(f->book, m->device->owner, step,
			(struct span){ m->seen, m->has_seen ? sizeof(m->seen) : 0 },
			m->seen_until_s, err);
	}
	if (rc == 0)
		rc = names_commit(names, err);
	if (rc != 0)
		names_rollback(names);
	return rc;
}

static size_t list_lacking(struct fleet *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->roster->count; i++)
		if (!f->member[i].serves)
			f->list[n++] = &f->member[i];
	return n;
}

/* Once: what a server lacks may have been taken out of the zone, and is put there again. */
static int mend(struct fleet *f, size_t lacking, struct fleet_report *report, struct err *err)
{
	int rc = publish_wildcard(f, &report->mended, err);

	for (size_t at = 0; rc == 0 && at < lacking; at += FLEET_BATCH)
		rc = publish(f, f->list + at,
			lacking - at < FLEET_BATCH ? lacking - at : FLEET_BATCH, &report->mended,
			err);
	return rc;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Every device at first, then those that a server lacks, until none does or the time is over. */
static int ask_until(struct fleet *f, struct fleetask *ask, struct fleet_report *report,
	struct err *err)
{
	const int64_t end = now_ms() + f->tools.wait_ms;
	unsigned pause = PAUSE_MIN_MS;
	bool mended = false;
	size_t n = f->roster->count;
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		f->list[i] = &f->member[i];
	rc = refresh(f, f->list, n, err);
	while (rc == 0 && n) {
		rc = fleetask_run(ask, f->list, n, report, err);
		n = list_lacking(f);
		if (rc != 0 || n == 0 || now_ms() + pause > end)
			break;
		if (!mended)
			rc = mend(f, n, report, err);
		else
			poll(NULL, 0, (int)pause);
		pause = mended && pause * 2 < PAUSE_MAX_MS ? pause * 2 : pause;
		mended = true;
	}
	return rc;
}

static int verify(struct fleet *f, struct fleet_report *report, struct err *err)
{
	const struct fleetask_world world = { .walk = f->tools.walk,
		.anchors = f->tools.anchors,
		.zone = via_zone(f->tools.publication.via),
		.wildcard = f->wildcard.count ? &f->wildcard : NULL,
		.blocker = &f->blocker,
		.progress = f->tools.progress,
		.progress_arg = f->tools.progress_arg };
	struct fleetask *ask = NULL;
	int rc = fleetask_open(&world, &ask, err);

	if (rc == 0)
		rc = ask_until(f, ask, report, err);
	if (rc == 0)
		rc = note_seen(f, err);
	fleetask_close(ask);
	return rc;
}

static int log_fleet(const struct fleet *f, const struct fleet_report *r, struct err *err)
{
	char devices[24], keys[24], certificates[24], published[24], verified[24];
	const struct auditline_note notes[] = { { "form", f->order.form }, { "devices", devices },
		{ "keys", keys }, { "certificates", certificates }, { "published", published },
		{ "verified", verified } };

	if (r->fresh + r->published + r->mended == 0)
		return 0;
	snprintf(devices, sizeof(devices), "%zu", r->devices);
	snprintf(keys, sizeof(keys), "%zu", r->keys);
	snprintf(certificates, sizeof(certificates), "%zu", r->certificates);
	snprintf(published, sizeof(published), "%zu", r->published + r->mended);
	snprintf(verified, sizeof(verified), "%zu", r->verified);
	return audit_append(f->tools.publication.audit, "fleet.enroll", f->roster->path, notes,
		sizeof(notes) / sizeof(notes[0]), err);
}

static void count_devices(const struct fleet *f, struct fleet_report *r)
{
	r->devices = f->roster->count;
	r->cut = r->verified = 0;
	for (size_t i = 0; i < f->roster->count; i++) {
		r->cut += f->member[i].cut;
		r->verified += f->member[i].serves;
	}
}

int fleet_plan(struct fleet *f, struct fleet_report *report, struct buf *told, struct err *err)
{
	struct publications_result r;
	size_t known = 0;
	int rc = 0;

	*report = (struct fleet_report){ .devices = 0 };
	count_devices(f, report);
	if (f->wildcard.count)
		rc = publications_plan(&f->tools.publication, &f->wildcard, 1, &r, told, err);
	report->published += rc == 0 && f->wildcard.count ? r.changed : 0;
	for (size_t i = 0; rc == 0 && i < f->roster->count; i++) {
		struct fleetmember *m = &f->member[i];
		char form[8];

		if (m->cut || (m->known && m->step >= FLEET_READY)) {
			f->list[known++] = m;
			continue;
		}
		report->fresh++;
		form_of(f, m, form);
		buf_printf(told, "new %s %s %s\n", m->device->owner, form,
			m->device->spki.n ? "for its key" : "for a key to be made");
	}
	for (size_t at = 0; rc == 0 && at < known; at += FLEET_BATCH) {
		rc = with_wanted(f, f->list + at,
			known - at < FLEET_BATCH ? known - at : FLEET_BATCH, &r, told, err);
		report->published += rc == 0 ? r.changed : 0;
	}
	return rc;
}

int fleet_enroll(struct fleet *f, struct fleet_report *report, bool *all, struct err *err)
{
	int rc;

	*report = (struct fleet_report){ .devices = f->roster->count };
	rc = make_and_publish(f, report, err);
	if (rc == 0)
		rc = verify(f, report, err);
	if (rc != 0)
		return rc;
	count_devices(f, report);
	*all = report->verified == report->devices;
	return log_fleet(f, report, err);
}

int fleet_each(const struct fleet *f,
	int (*each)(void *arg, const struct fleet_device *d, struct err *err), void *arg,
	struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < f->roster->count; i++) {
		const struct fleetmember *m = &f->member[i];
		char form[8];
		const struct fleet_device d = { .owner = m->device->owner,
			.form = form,
			.serial = m->serial,
			.data = f->wildcard.count ? f->wildcard.rdata[0] : m->data,
			.step = m->step,
			.cut = m->cut };

		form_of(f, m, form);
		rc = each(arg, &d, err);
	}
	return rc;
}
