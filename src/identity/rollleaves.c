/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/rollleaves.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ca/issuance.h"
#include "ca/succession.h"
#include "identity/rollca.h"
#include "identity/rollchain.h"
#include "publish/child.h"

#define RELOAD_MS 60000

static int open_state(const struct rolling *r, const char *generation, struct state **out,
	struct err *err)
{
	struct password password;
	char prefix[PATH_MAX];
	int rc = succession_prefix(r->world.authority, generation, prefix, err);

	return rc == 0 ? state_open(prefix, rollca_password(r, &password), out, err) : rc;
}

void rollleaves_done(struct rollleaves *in)
{
	state_close(in->state);
	cover_done(&in->owners);
}

int rollleaves_open(struct rolling *r, bool with_key, struct rollleaves *in, struct err *err)
{
	unsigned keep = r->file.rollover.keep;
	unsigned other = keep ^ (ROLLOVER_CURRENT | ROLLOVER_NEXT);
	char prefix[PATH_MAX];
	int rc = succession_prefix(r->world.authority, rolling_generation(r, other), prefix, err);

	*in = (struct rollleaves){ .r = r };
	if (rc == 0)
		snprintf(in->former, sizeof(in->former), "%s.pem", prefix);
	if (rc == 0)
		rc = succession_key_id(r->world.authority, rolling_generation(r, keep), in->heir,
			err);
	if (rc == 0)
		rc = succession_key_id(r->world.authority, rolling_generation(r, other), in->issuer,
			err);
	if (rc == 0)
		rc = rollca_owners(r, &in->owners, err);
	if (rc == 0)
		rc = with_key ? open_state(r, rolling_generation(r, keep), &in->state, err)
			      : state_open_keyless(r->world.authority, &in->state, err);
	if (rc != 0)
		rollleaves_done(in);
	return rc;
}

int rollleaves_find(const struct rollleaves *in, struct rollusers *out, struct err *err)
{
	const struct rollusers_question q = { .state = in->r->world.authority,
		.ledger = in->state->ledger,
		.names = in->r->world.publication->names,
		.owners = &in->owners,
		.issuer = in->issuer,
		.heir = in->heir,
		.now_s = time(NULL) };

	return rollusers_find(&q, out, err);
}

struct proving {
	struct rollleaves *in;
	const char *prefix, *name;
	struct err *err;
	int rc;
};

static bool prove_at(void *arg, size_t owner)
{
	struct proving *p = arg;

	p->rc = rollchain_file(p->in->r, p->prefix, p->name, p->in->owners.owner[owner], p->err);
	return p->rc == 0;
}

/* Each owner that speaks for one of the names must accept what lies at the prefix now. */
static int prove_files(struct rollleaves *in, const char *prefix, const char *names,
	struct err *err)
{
	struct proving p = { .in = in, .prefix = prefix, .err = err };

	while (*names && p.rc == 0) {
		size_t n = strcspn(names, " ");
		char name[NAME_TEXT_MAX];

		if (n < sizeof(name)) {
			snprintf(name, sizeof(name), "%.*s", (int)n, names);
			p.name = name;
			cover_find(&in->owners, name, prove_at, &p);
		}
		names += n + strspn(names + n, " ");
	}
	return p.rc;
}

/* The first of the names stands for all. */
static int reload(struct rolling *r, const char *names, struct err *err)
{
	char named[sizeof("SARDANE_NAME=") + NAME_TEXT_MAX];
	char files[sizeof("SARDANE_PREFIX=") + PATH_MAX];
	const char *const variables[] = { named, files, NULL };
	int rc = 0;

	snprintf(named, sizeof(named), "SARDANE_NAME=%.*s", (int)strcspn(names, " "), names);
	snprintf(files, sizeof(files), "SARDANE_PREFIX=%s", r->file.switching);
	if (r->file.reload[0])
		rc = child_run(r->file.reload, variables, RELOAD_MS, err);
	if (rc != 0)
		return err_wrap(err, rc, "%s: reload", r->file.switching);
	r->file.switching[0] = '\0';
	return rolling_save(r, err);
}

/* The prefix is kept before its files change, until its service was told. */
static int note_switching(struct rolling *r, const char *prefix, struct err *err)
{
	if (snprintf(r->file.switching, sizeof(r->file.switching), "%s", prefix) >= PATH_MAX)
		return err_set(err, ERR_ARG, "file '%.80s...': the path is too long", prefix);
	return rolling_save(r, err);
}

static int switch_leaf(struct rollleaves *in, const struct rollusers_leaf *leaf, struct err *err)
{
	const struct issuance_renewal how = { .former = in->former };
	int rc = note_switching(in->r, leaf->prefix, err);

	if (rc == 0)
		rc = issuance_renew(in->state, leaf->prefix, &how, NULL, err);
	if (rc == 0)
		rc = prove_files(in, leaf->prefix, leaf->names, err);
	return rc == 0 ? reload(in->r, leaf->names, err) : rc;
}

int rollleaves_finish(struct rollleaves *in, struct err *err)
{
	struct rollfile *f = &in->r->file;
	struct facts leaf = { 0 };
	char path[PATH_MAX + 8];
	int rc;

	if (!f->switching[0])
		return 0;
	snprintf(path, sizeof(path), "%s.pem", f->switching);
	rc = facts_load(path, &leaf, err);
	if (rc != 0)
		return rc;
	if (strcmp(leaf.issuer, in->heir) == 0) {
		rc = prove_files(in, f->switching, buf_string(&leaf.names), err);
		if (rc == 0)
			rc = reload(in->r, buf_string(&leaf.names), err);
	} else {
		/* The kill came before the deed: it is one of those that are found. */
		f->switching[0] = '\0';
		rc = rolling_save(in->r, err);
	}
	facts_done(&leaf);
	return rc;
}

/* Those with files here are switched, the others counted. */
int rollleaves_switch(struct rollleaves *in, struct err *err)
{
	struct rollusers left = { .count = 0 };
	const struct rollusers_leaf *elsewhere = NULL;
	char name[NAME_TEXT_MAX];
	size_t n = 0;
	int rc = rollleaves_find(in, &left, err);

	for (size_t i = 0; rc == 0 && i < left.count; i++) {
		if (left.leaf[i].here) {
			rc = switch_leaf(in, &left.leaf[i], err);
			continue;
		}
		elsewhere = &left.leaf[i];
		n++;
	}
	if (rc == 0 && n && !in->r->file.rollover.emergency) {
		rollusers_name(elsewhere, name, sizeof(name));
		rc = err_set(err, ERR_ARG,
			"%zu certificate%s elsewhere, as that of %.80s: issue again, or revoke", n,
			n == 1 ? " has its files" : "s have their files", name);
	}
	rollusers_done(&left);
	return rc;
}

struct told {
	char prefix[PATH_MAX];
};

static bool take_prefix(void *arg, const struct ledger_entry *e)
{
	struct told *t = arg;
	char path[PATH_MAX];

	if (e->revoked_at || !e->prefix[0] ||
		snprintf(path, sizeof(path), "%s.pem", e->prefix) >= (int)sizeof(path) ||
		access(path, F_OK) != 0)
		return true;
	snprintf(t->prefix, sizeof(t->prefix), "%s", e->prefix);
	return false;
}

/* A service that presents the old chain still is told again: if its leaf is one of keep's. */
int rollleaves_tell_again(struct rolling *r, const char *host, struct err *err)
{
	char heir[FACTS_KEYID_MAX] = "";
	const struct ledger_filter filter = { .issuer = heir, .name = host };
	struct told told = { .prefix = "" };
	struct state *state = NULL;
	int rc = succession_key_id(r->world.authority, rolling_generation(r, r->file.rollover.keep),
		heir, err);

	if (rc == 0)
		rc = state_open_keyless(r->world.authority, &state, err);
	if (rc == 0)
		rc = ledger_each(state->ledger, &filter, take_prefix, &told, err);
	state_close(state);
	return rc == 0 && told.prefix[0] ? note_switching(r, told.prefix, err) : rc;
}
