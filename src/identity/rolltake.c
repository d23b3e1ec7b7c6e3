/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/rolltake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "identity/enrolment.h"
#include "store/names.h"

struct taking {
	const char *dir;
	struct rollfile *file;
	struct rolltake *out;
};

/* With an authority the certificate has a chain behind it. */
static bool name_files(const char *dir, struct rolltake *out)
{
	if (snprintf(out->key, PATH_MAX, "%s/current-key.pem", dir) >= PATH_MAX ||
		snprintf(out->cert, PATH_MAX, "%s/current-combined.pem", dir) >= PATH_MAX)
		return false;
	if (access(out->cert, F_OK) != 0)
		snprintf(out->cert, PATH_MAX, "%s/current.pem", dir);
	return true;
}

static int take(void *arg, const struct names_entry *e, struct err *err)
{
	struct taking *t = arg;
	struct rollfile *f = t->file;

	if (strcmp(e->step, enrolment_step_word(ENROLMENT_ENROLLED)) != 0)
		return err_set(err, ERR_ARG, "%s: its enrolment has only come to '%s'", e->owner,
			e->step);
	if (!name_files(t->dir, t->out) ||
		(!f->via[0] && snprintf(f->via, sizeof(f->via), "%s", e->via) >= PATH_MAX))
		return err_set(err, ERR_ARG, "folder '%.80s...': the path is too long", t->dir);
	snprintf(f->key_kind, sizeof(f->key_kind), "%s", e->key[0] ? e->key : "p256");
	f->days = e->days;
	t->out->found = true;
	return 0;
}

int rolltake_find(const char *state, const char *dir, struct rollfile *f, struct rolltake *out,
	struct err *err)
{
	struct taking t = { .dir = dir, .file = f, .out = out };
	char owner[NAME_TEXT_MAX];
	struct names *names = NULL;
	int rc = rollrecords_owner(f, owner, err);

	if (rc == 0)
		rc = names_open(state, true, &names, err);
	if (rc == 0)
		rc = names_each(names, owner, take, &t, NULL, err);
	names_close(names);
	return rc;
}

static int read_file(const char *dir, struct rollfile **out, struct err *err)
{
	struct rollfile *f = malloc(sizeof(*f));
	bool there = false;
	int rc = f ? rollfile_read(dir, f, &there, err)
		   : err_set(err, ERR_NOMEM, "%s: no memory", dir);

	*out = there ? f : NULL;
	if (!there)
		free(f);
	return rc;
}

int rolltake_owners(const char *dir, struct rollrecords *out, struct err *err)
{
	struct rollfile *f = NULL;
	int rc = read_file(dir, &f, err);

	*out = (struct rollrecords){ .count = 0 };
	if (rc == 0 && f)
		rc = rollrecords_of(f, out, err);
	free(f);
	return rc;
}

int rolltake_find_via(const char *state, const char *owner, char via[PATH_MAX], bool *found,
	struct err *err)
{
	struct rollfile *f = NULL;
	char dir[PATH_MAX];
	int rc = rollfile_folder(state, owner, dir, err);

	if (rc == 0)
		rc = read_file(dir, &f, err);
	*found = rc == 0 && f;
	if (*found)
		memcpy(via, f->via, PATH_MAX);
	free(f);
	return rc;
}

/* The authority of the state has issued what a rollover made, where there is one. */
static int find_issuer(const char *state, char out[PATH_MAX], struct err *err)
{
	char path[PATH_MAX];

	out[0] = '\0';
	if (snprintf(path, sizeof(path), "%s/ca.pem", state) >= PATH_MAX)
		return err_set(err, ERR_ARG, "folder '%.80s...': the path is too long", state);
	if (access(path, F_OK) == 0 && !realpath(state, out))
		return err_set(err, ERR_SYSTEM, "folder '%s': %s", state, strerror(errno));
	return 0;
}

int rolltake_leave(const char *state, const char *owner, struct names *names, bool *found,
	struct err *err)
{
	char dir[PATH_MAX], issuer[PATH_MAX];
	struct rollfile *f = NULL;
	int rc = rollfile_folder(state, owner, dir, err);

	if (rc == 0)
		rc = read_file(dir, &f, err);
	if (rc == 0)
		rc = find_issuer(state, issuer, err);
	if (rc == 0 && f)
		rc = names_put(names,
			&(struct names_entry){ .owner = owner,
				.name = f->name,
				.service = f->services ? f->service[0] : "",
				.via = f->via,
				.issuer = issuer,
				.key = f->key_kind,
				.days = f->days,
				.step = enrolment_step_word(ENROLMENT_LEAVING),
				.begun_s = time(NULL),
				.changed_s = time(NULL) },
			err);
	*found = rc == 0 && f;
	free(f);
	return rc;
}

int rolltake_link(const char *dir, struct err *err)
{
	static const char *const names[][2] = {
		{ "current-key.pem", "key.pem" },
		{ "current.pem", "cert.pem" },
		{ "current-chain.pem", "chain.pem" },
		{ "current-combined.pem", "combined.pem" },
	};
	char path[PATH_MAX];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(names) / sizeof(names[0]); i++)
		if (snprintf(path, sizeof(path), "%s/%s", dir, names[i][0]) < PATH_MAX &&
			access(path, F_OK) == 0)
			rc = keyring_follow(dir, names[i][0], names[i][1], err);
	return rc;
}
