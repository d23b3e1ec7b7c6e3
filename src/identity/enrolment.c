/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/enrolment.h"

#include "ca/issuance.h"
#include "dane/generate.h"
#include "identity/rolltake.h"
#include "pki/credential.h"
#include "pki/der.h"
#include "pki/keyring.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *const words[] = {
	[ENROLMENT_BEGUN] = "begun",
	[ENROLMENT_KEY] = "key",
	[ENROLMENT_CERTIFICATE] = "certificate",
	[ENROLMENT_PUBLISHED] = "published",
	[ENROLMENT_SERVED] = "served",
	[ENROLMENT_ENROLLED] = "enrolled",
	[ENROLMENT_LEAVING] = "leaving",
};

const char *enrolment_step_word(enum enrolment_step step)
{
	return words[step];
}

static int copy(const char *what, const char *text, char *out, size_t cap, struct err *err)
{
	if (strlen(text) >= cap)
		return err_set(err, ERR_ARG, "%s '%.60s...': too long", what, text);
	strcpy(out, text);
	return 0;
}

/* The fields that follow from the owner. */
static int prepare(const struct enrolment_tools *tools, const struct name *owner,
	struct enrolment *e, struct err *err)
{
	*e = (struct enrolment){ .tools = *tools, .owner = *owner };
	name_lower(&e->owner);
	if (!name_is_plain(&e->owner) ||
		name_write_text(&e->owner, e->owner_text, sizeof(e->owner_text)) != 0)
		return err_set(err, ERR_ARG,
			"name: only letters, digits, hyphens and underscores are enrolled");
	if (snprintf(e->folder, sizeof(e->folder), "%s/names/%s", tools->state, e->owner_text) >=
			(int)sizeof(e->folder) - 32 ||
		snprintf(e->prefix, sizeof(e->prefix), "%.*s/current", (int)sizeof(e->prefix) - 16,
			e->folder) >= (int)sizeof(e->prefix))
		return err_set(err, ERR_ARG, "state '%.80s...': the path is too long",
			tools->state);
	return 0;
}

static int read_step(const char *word, enum enrolment_step *out, struct err *err)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i], word) != 0)
			continue;
		*out = (enum enrolment_step)i;
		return 0;
	}
	return err_set(err, ERR_FORMAT, "step '%.40s': unknown to this program", word);
}

static int take_entry(void *arg, const struct names_entry *n, struct err *err)
{
	struct enrolment *e = arg;
	int rc = copy("name", n->name, e->name, sizeof(e->name), err);

	if (rc == 0)
		rc = copy("service", n->service, e->service, sizeof(e->service), err);
	if (rc == 0)
		rc = copy("file", n->via, e->via, sizeof(e->via), err);
	if (rc == 0)
		rc = copy("folder", n->issuer, e->issuer, sizeof(e->issuer), err);
	if (rc == 0)
		rc = copy("key", n->key, e->key, sizeof(e->key), err);
	if (rc == 0 && name_of(e->name, &e->identity) != 0)
		rc = err_set(err, ERR_FORMAT, "name '%s': not a domain name", e->name);
	e->days = n->days;
	e->begun_s = n->begun_s;
	return rc == 0 ? read_step(n->step, &e->step, err) : rc;
}

int enrolment_find(const struct enrolment_tools *tools, const struct name *owner, bool *found,
	struct enrolment *out, struct err *err)
{
	size_t n = 0;
	int rc = prepare(tools, owner, out, err);

	if (rc == 0)
		rc = names_each(tools->publication.names, out->owner_text, take_entry, out, &n,
			err);
	if (rc == 0)
		*found = n > 0;
	return rc;
}

/* Notes the step with all the rest. */
static int note(struct enrolment *e, enum enrolment_step step, struct err *err)
{
	const struct names_entry entry = { .owner = e->owner_text,
		.name = e->name,
		.service = e->service,
		.via = e->via,
		.issuer = e->issuer,
		.key = e->key,
		.days = e->days,
		.step = words[step],
		.begun_s = e->begun_s,
		.changed_s = time(NULL) };
	int rc = names_put(e->tools.publication.names, &entry, err);

	if (rc == 0)
		e->step = step;
	return rc;
}

static int log_act(const struct enrolment *e, const char *act, struct err *err)
{
	const struct auditline_note notes[] = {
		{ "name", e->name },
		{ "service", e->service[0] ? e->service : NULL },
		{ "issuer", e->issuer[0] ? e->issuer : NULL },
	};

	return audit_append(e->tools.publication.audit, act, e->owner_text, notes,
		sizeof(notes) / sizeof(notes[0]), err);
}

static int compare_terms(const struct enrolment *e, const struct enrolment_order *order,
	struct err *err)
{
	if (e->step == ENROLMENT_LEAVING)
		return err_set(err, ERR_ARG, "'%s': is being removed; finish that first",
			e->owner_text);
	if (strcmp(e->service, order->service) != 0 || strcmp(e->via, order->via) != 0 ||
		strcmp(e->issuer, order->issuer) != 0 || strcmp(e->key, order->key) != 0 ||
		e->days != order->days)
		return err_set(err, ERR_ARG,
			"'%s': is there already, on other terms; see sardane names show",
			e->owner_text);
	return 0;
}

int enrolment_begin(const struct enrolment_tools *tools, const struct name *owner,
	const struct enrolment_order *order, struct enrolment *out, struct err *err)
{
	struct names_entry entry = { .name = order->name,
		.service = order->service,
		.via = order->via,
		.issuer = order->issuer,
		.key = order->key,
		.days = order->days,
		.step = words[ENROLMENT_BEGUN],
		.begun_s = time(NULL) };
	bool found = false;
	int rc = enrolment_find(tools, owner, &found, out, err);

	if (rc != 0 || found)
		return rc ? rc : compare_terms(out, order, err);
	rc = take_entry(out, &entry, err);
	if (rc == 0)
		rc = log_act(out, "name.begin", err);
	return rc == 0 ? note(out, ENROLMENT_BEGUN, err) : rc;
}

/* A file that a killed writer has left beside its target: see pki/pemfile.h. */
static bool is_left_over(const char *name)
{
	return fnmatch("*.pem.??????", name, 0) == 0;
}

/* Removes what is left over, or with all everything; a folder that is not there is empty. */
static int sweep(const struct enrolment *e, bool all, struct err *err)
{
	/* Generations that rollovers have made. */
	int rc = all ? keyring_clear(e->folder, err) : 0;
	DIR *folder = opendir(e->folder);
	const struct dirent *d;

	if (!folder)
		return errno == ENOENT
			? rc
			: err_set(err, ERR_SYSTEM, "folder '%s': %s", e->folder, strerror(errno));
	while (rc == 0 && (d = readdir(folder)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
			(!all && !is_left_over(d->d_name)))
			continue;
		if (unlinkat(dirfd(folder), d->d_name, 0) != 0 && errno != ENOENT)
			rc = err_set(err, ERR_SYSTEM, "file '%s/%s': %s", e->folder, d->d_name,
				strerror(errno));
	}
	closedir(folder);
	if (rc == 0 && all && rmdir(e->folder) != 0 && errno != ENOENT)
		rc = err_set(err, ERR_SYSTEM, "folder '%s': %s", e->folder, strerror(errno));
	return rc;
}

static int make_key(struct enrolment *e, struct err *err)
{
	char names[PATH_MAX];

	snprintf(names, sizeof(names), "%s/names", e->tools.state);
	if ((mkdir(names, 0700) != 0 && errno != EEXIST) ||
		(mkdir(e->folder, 0700) != 0 && errno != EEXIST))
		return err_set(err, ERR_SYSTEM, "folder '%s': %s", e->folder, strerror(errno));
	return credential_make_key(e->prefix, e->key, err);
}

static int certify(struct enrolment *e, struct err *err)
{
	struct profile profile = { .role = e->service[0] ? PROFILE_SERVER : PROFILE_CLIENT,
		.life_s = e->days * PROFILE_DAY_S,
		.path_len = -1,
		.backdate_s = PROFILE_BACKDATE_S };
	int rc = profile_add_san(&profile, e->name, err);

	if (rc == 0)
		rc = e->issuer[0] ? issuance_key(e->issuer, e->prefix, &profile, false, err)
				  : credential_sign_itself(e->prefix, &profile, err);
	return rc == 0 ? sweep(e, false, err) : rc;
}

static int certificate_path(const struct enrolment *e, char out[PATH_MAX], struct err *err)
{
	if (snprintf(out, PATH_MAX, "%s.pem", e->prefix) < PATH_MAX)
		return 0;
	return err_set(err, ERR_ARG, "file '%.80s...': the path is too long", e->prefix);
}

/* The record 3 1 1 of the certificate. */
static int record_of(const struct enrolment *e, struct rrset *out, struct err *err)
{
	uint8_t memory[GENERATE_MAX], rdata[4 + GENERATE_MAX];
	struct rrset set = rrset_of(&e->owner, RR_TLSA, e->tools.ttl_s);
	struct buf der = { 0 };
	char path[PATH_MAX];
	struct tlsa tlsa;
	size_t n = 0;
	int rc = certificate_path(e, path, err);

	if (rc == 0)
		rc = der_read_certificate(path, &der, err);
	if (rc == 0)
		rc = generate_from_certificate(buf_span(&der), TLSA_DANE_EE, TLSA_SPKI, TLSA_SHA256,
			memory, sizeof(memory), &tlsa, err);
	if (rc == 0)
		rc = tlsa_write(&tlsa, rdata, sizeof(rdata), &n, err);
	if (rc == 0)
		rc = rrset_add(&set, (struct span){ rdata, n }, err);
	buf_done(&der);
	if (rc == 0)
		*out = set;
	return rc;
}

/* beside: what else of ours is there stays, as another command or a rollover has put it. */
static int publish(struct enrolment *e, bool beside, bool *changed, struct err *err)
{
	struct publication_result done = { 0 };
	struct rrset wanted = { 0 }, owned = { 0 };
	int rc = record_of(e, &wanted, err);

	if (rc == 0 && beside)
		rc = publication_owned(e->tools.publication.names, &e->owner, RR_TLSA, &owned, err);
	if (rc == 0)
		rc = rrset_add_all(&wanted, &owned, err);
	rrset_done(&owned);
	if (rc == 0)
		rc = publication_set(&e->tools.publication, &wanted, &done, err);
	*changed = rc == 0 && done.changed;
	publication_done(&done);
	rrset_done(&wanted);
	return rc;
}

static int confirm(struct enrolment *e, bool *yes, struct err *err)
{
	struct rrset wanted = { 0 };
	const struct rrset none = rrset_of(&e->owner, RR_TLSA, 0);
	int rc = record_of(e, &wanted, err);

	if (rc == 0)
		rc = confirm_wait(e->tools.walk, &wanted, &none, e->tools.wait_ms, &e->servers,
			err);
	rrset_done(&wanted);
	*yes = rc == 0 && e->servers.all;
	return rc;
}

static int prove(struct enrolment *e, bool *yes, struct err *err)
{
	char path[PATH_MAX];
	int rc = certificate_path(e, path, err);

	if (rc == 0)
		rc = proof_wait(e->tools.resolver, &e->owner, &e->identity,
			e->service[0] ? VERIFY_SERVER : VERIFY_CLIENT, path, e->tools.wait_ms,
			&e->proof, err);
	*yes = rc == 0 && e->proof.holds;
	return rc;
}

static int take_step(struct enrolment *e, bool *yes, struct err *err)
{
	bool changed;
	int rc;

	*yes = true;
	switch (e->step) {
	case ENROLMENT_BEGUN: return make_key(e, err);
	case ENROLMENT_KEY: return certify(e, err);
	case ENROLMENT_CERTIFICATE: return publish(e, false, &changed, err);
	case ENROLMENT_PUBLISHED: return confirm(e, yes, err);
	case ENROLMENT_SERVED:
		rc = prove(e, yes, err);
		return rc == 0 && *yes ? log_act(e, "name.enroll", err) : rc;
	case ENROLMENT_ENROLLED: return 0;
	case ENROLMENT_LEAVING: break;
	}
	return err_set(err, ERR_ARG, "'%s': is being removed", e->owner_text);
}

int enrolment_go(struct enrolment *e, enum enrolment_outcome *out, struct err *err)
{
	bool yes;
	int rc = take_step(e, &yes, err);

	if (rc == 0 && yes && e->step != ENROLMENT_ENROLLED)
		rc = note(e, e->step + 1, err);
	if (rc == 0)
		*out = !yes                             ? ENROLMENT_WAITS
			: e->step == ENROLMENT_ENROLLED ? ENROLMENT_DONE
							: ENROLMENT_GOES_ON;
	return rc;
}

int enrolment_check(struct enrolment *e, bool *good, bool *repaired, struct err *err)
{
	bool yes = false;
	int rc;

	if (e->step != ENROLMENT_ENROLLED)
		return err_set(err, ERR_ARG, "'%s': is not enrolled yet", e->owner_text);
	rc = publish(e, true, repaired, err);
	if (rc == 0)
		rc = confirm(e, &yes, err);
	if (rc == 0 && yes)
		rc = prove(e, &yes, err);
	if (rc == 0)
		*good = yes;
	return rc;
}

int enrolment_renew(struct enrolment *e, struct err *err)
{
	int rc;

	if (e->step != ENROLMENT_ENROLLED)
		return err_set(err, ERR_ARG, "'%s': is not enrolled yet", e->owner_text);
	rc = certify(e, err);
	return rc == 0 ? log_act(e, "name.renew", err) : rc;
}

void enrolment_trouble(const struct enrolment *e, char out[ENROLMENT_TROUBLE_MAX])
{
	const struct confirm_report *r = &e->servers;

	out[0] = '\0';
	if (e->proof.why[0] && !e->proof.holds)
		snprintf(out, ENROLMENT_TROUBLE_MAX, "%s", e->proof.why);
	if (r->rounds && r->count == 0)
		snprintf(out, ENROLMENT_TROUBLE_MAX, "no server was found");
	for (size_t i = r->count; i-- > 0;)
		if (!r->server[i].serves)
			snprintf(out, ENROLMENT_TROUBLE_MAX, "%s: %s", r->server[i].who,
				r->server[i].why);
}

/* What of ours is at one owner goes; known is what servers are asked for besides. */
static int withdraw_from(struct enrolment *e, const struct name *owner, struct rrset *known,
	bool *yes, struct err *err)
{
	struct rrset nothing = rrset_of(owner, RR_TLSA, e->tools.ttl_s);
	struct publication_result done = { 0 };
	int rc = publication_set(&e->tools.publication, &nothing, &done, err);

	if (rc == 0)
		rc = rrset_add_all(known, &done.removed, err);
	/* a record like ours that is another's stays, and must */
	for (size_t i = 0; rc == 0 && i < done.change.after.count; i++)
		rrset_remove(known, done.change.after.rdata[i]);
	if (rc == 0 && known->count)
		rc = confirm_wait(e->tools.walk, &nothing, known, e->tools.wait_ms, &e->servers,
			err);
	*yes = rc == 0 && (known->count == 0 || e->servers.all);
	publication_done(&done);
	return rc;
}

/* A rollover may know further services of the host. */
static int withdraw_others(struct enrolment *e, bool *yes, struct err *err)
{
	struct rollrecords all = { .count = 0 };
	int rc = rolltake_owners(e->folder, &all, err);

	for (size_t i = 0; rc == 0 && *yes && i < all.count; i++) {
		struct rrset gone = rrset_of(&all.owner[i], RR_TLSA, 0);

		if (!name_equal(&all.owner[i], &e->owner))
			rc = withdraw_from(e, &all.owner[i], &gone, yes, err);
		rrset_done(&gone);
	}
	return rc;
}

/* The record is derived from the certificate while there is one: servers that still have it
 * are waited for also when an earlier call has withdrawn it. */
static int withdraw(struct enrolment *e, bool *yes, struct err *err)
{
	struct rrset gone = rrset_of(&e->owner, RR_TLSA, 0);
	char path[PATH_MAX];
	int rc = certificate_path(e, path, err);

	if (rc == 0 && access(path, F_OK) == 0)
		rc = record_of(e, &gone, err);
	if (rc == 0)
		rc = withdraw_from(e, &e->owner, &gone, yes, err);
	rrset_done(&gone);
	return rc == 0 ? withdraw_others(e, yes, err) : rc;
}

/* What an authority vouches for must not outlive the name: who falls back on PKIX would go on
 * with it. */
static int take_back(struct enrolment *e, struct err *err)
{
	int rc;

	if (!e->issuer[0] || e->tools.keep_valid)
		return 0;
	rc = takeback_certificates(e->issuer, e->folder, &e->left, err);
	return rc == 0
		? 0
		: err_wrap(err, rc, "certificate: not revoked (--keep-certificate leaves it)");
}

int enrolment_leave(struct enrolment *e, enum enrolment_outcome *out, struct err *err)
{
	bool yes = false;
	int rc;

	if (e->step != ENROLMENT_LEAVING) {
		rc = note(e, ENROLMENT_LEAVING, err);
		if (rc == 0)
			*out = ENROLMENT_GOES_ON;
		return rc;
	}
	rc = withdraw(e, &yes, err);
	if (rc == 0 && !yes) {
		*out = ENROLMENT_WAITS;
		return 0;
	}
	if (rc == 0)
		rc = take_back(e, err);
	if (rc == 0)
		rc = sweep(e, true, err);
	if (rc == 0)
		rc = log_act(e, "name.remove", err);
	if (rc == 0)
		rc = names_remove(e->tools.publication.names, e->owner_text, err);
	if (rc == 0)
		*out = ENROLMENT_DONE;
	return rc;
}
