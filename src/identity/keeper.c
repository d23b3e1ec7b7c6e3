/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/keeper.h"

#include "identity/effect.h"
#include "identity/publication.h"
#include "identity/rollrecords.h"
#include "store/fleetbook.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a device any row will do; below a wildcard one whose own name has no record. */
struct search {
	const struct name *parent; /* NULL: a device */
	bool found;
};

static int see_device(void *arg, const struct fleetbook_device *d, struct err *err)
{
	struct search *s = arg;
	struct name name, parent;

	(void)err;
	s->found |= !s->parent ||
		(d->form[0] == '2' && name_of(d->owner, &name) == 0 &&
			name_parent(&name, &parent) && name_equal(&parent, s->parent));
	return 0;
}

static int find_device(struct names *names, const struct name *owner, const char *text, bool *found,
	struct err *err)
{
	struct fleetbook *book = NULL;
	struct search s = { .found = false };
	struct name parent;
	int rc = fleetbook_open(names, &book, err);

	if (name_is_wildcard(owner) && name_parent(owner, &parent))
		s.parent = &parent;
	if (rc == 0)
		rc = fleetbook_each(book, s.parent ? NULL : text, see_device, &s, NULL, err);
	fleetbook_close(book);
	*found = s.found;
	return rc;
}

static int see_entry(void *arg, const struct names_entry *e, struct err *err)
{
	(void)arg;
	(void)e;
	(void)err;
	return 0;
}

static int look_into(const char *folder, const struct name *owner, bool *found, struct err *err)
{
	struct rollfile *file = malloc(sizeof(*file));
	struct rollrecords records = { .count = 0 };
	bool there = false;
	int rc = file ? rollfile_read(folder, file, &there, err)
		      : err_set(err, ERR_NOMEM, "%s: no memory", folder);

	if (rc == 0 && there)
		rc = rollrecords_of(file, &records, err);
	for (size_t i = 0; i < records.count; i++)
		*found |= name_equal(&records.owner[i], owner);
	free(file);
	return rc;
}

/* The services of a host are in the folder of the first of them. */
static bool may_hold(const char *folder, const struct name *owner)
{
	struct name first, ours, theirs;

	if (name_of(folder, &first) != 0)
		return false;
	return name_equal(&first, owner) ||
		(name_parent(owner, &ours) && name_parent(&ours, &ours) &&
			name_parent(&first, &theirs) && name_parent(&theirs, &theirs) &&
			name_equal(&ours, &theirs));
}

static int find_rollover(const char *state, const struct name *owner, bool *found, struct err *err)
{
	char path[PATH_MAX];
	const struct dirent *e;
	DIR *d;
	int rc = 0;

	if (snprintf(path, sizeof(path), "%s/names", state) >= PATH_MAX)
		return err_set(err, ERR_ARG, "folder '%.80s...': the path is too long", state);
	d = opendir(path);
	if (!d)
		return errno == ENOENT
			? 0
			: err_set(err, ERR_SYSTEM, "folder '%s': %s", path, strerror(errno));
	while (rc == 0 && !*found && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || !may_hold(e->d_name, owner))
			continue;
		rc = rollfile_folder(state, e->d_name, path, err);
		if (rc == 0)
			rc = look_into(path, owner, found, err);
	}
	closedir(d);
	return rc;
}

int keeper_find(const char *state, struct names *names, const struct name *owner, enum keeper *out,
	struct err *err)
{
	char text[NAME_TEXT_MAX];
	bool rolled = false, device = false;
	size_t entries = 0;
	int rc = effect_owner(owner, text, err);

	if (rc == 0)
		rc = names_each(names, text, see_entry, NULL, &entries, err);
	if (rc == 0)
		rc = find_rollover(state, owner, &rolled, err);
	if (rc == 0)
		rc = find_device(names, owner, text, &device, err);
	if (rc == 0)
		*out = rolled     ? KEEPER_ROLLOVER
			: entries ? KEEPER_ENROLMENT
			: device  ? KEEPER_FLEET
				  : KEEPER_NONE;
	return rc;
}

static const char *const words[] = {
	[KEEPER_NONE] = "",
	[KEEPER_ENROLMENT] = ("is enrolled: sardane rollover changes its key, "
			      "sardane names remove takes it out"),
	[KEEPER_ROLLOVER] = "is kept by sardane rollover, which changes its key",
	[KEEPER_FLEET] =
		"is of a fleet: sardane enroll --csv publishes it, sardane revoke cuts it off",
};

int keeper_permits(const char *state, struct names *names, const struct rrset *wanted,
	struct err *err)
{
	struct rrset owned = { 0 };
	enum keeper keeper = KEEPER_NONE;
	char owner[NAME_TEXT_MAX];
	size_t going = 0;
	int rc = publication_owned(names, &wanted->owner, wanted->type, &owned, err);

	for (size_t i = 0; rc == 0 && i < owned.count; i++)
		going += !rrset_has(wanted, owned.rdata[i]);
	rrset_done(&owned);
	if (rc == 0 && going)
		rc = keeper_find(state, names, &wanted->owner, &keeper, err);
	if (rc != 0 || keeper == KEEPER_NONE)
		return rc;
	rc = effect_owner(&wanted->owner, owner, err);
	return rc == 0 ? err_set(err, ERR_ARG, "'%s': %s; --force does it all the same", owner,
				 words[keeper])
		       : rc;
}
