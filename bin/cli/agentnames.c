/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/agent.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program/log.h"

void agent_names_free(struct agent_names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->name[i]);
	free(n->name);
	*n = (struct agent_names){ .count = 0 };
}

static struct agent_name *find(struct agent_names *n, const char *name)
{
	for (size_t i = 0; i < n->count; i++)
		if (strcmp(n->name[i]->name, name) == 0)
			return n->name[i];
	return NULL;
}

static struct agent_name *add(struct agent_names *n, const char *name)
{
	struct agent_name *one = calloc(1, sizeof(*one));

	if (n->count == n->cap) {
		size_t cap = n->cap ? 2 * n->cap : 16;
		struct agent_name **more = realloc(n->name, cap * sizeof(*more));

		if (!more) {
			free(one);
			return NULL;
		}
		n->name = more;
		n->cap = cap;
	}
	if (!one)
		return NULL;
	snprintf(one->name, sizeof(one->name), "%s", name);
	n->name[n->count++] = one;
	return one;
}

/* Folders without a rollover.json are not ours to roll. */
static int take(const char *dir, const char *name, struct agent_names *n, struct err *err)
{
	struct agent_name *one = find(n, name);
	bool there = false;
	struct rollfile *file = malloc(sizeof(*file));
	int rc = file ? rollfile_read(dir, file, &there, err)
		      : err_set(err, ERR_NOMEM, "%s: no memory", name);

	if (rc == 0 && there && !one) {
		one = add(n, name);
		rc = one ? 0 : err_set(err, ERR_NOMEM, "%s: no memory", name);
		if (one)
			one->done = file->done;
	}
	if (rc == 0 && there) {
		one->kind = AGENT_ROLLED;
		one->unfinished = false;
		snprintf(one->dir, sizeof(one->dir), "%s", dir);
		one->file = *file;
		one->seen = true;
	}
	free(file);
	return rc;
}

static int compare(const void *a, const void *b)
{
	return strcmp((*(struct agent_name *const *)a)->name,
		(*(struct agent_name *const *)b)->name);
}

static void drop_unseen(struct agent_names *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->count; i++) {
		if (n->name[i]->seen)
			n->name[kept++] = n->name[i];
		else
			free(n->name[i]);
	}
	n->count = kept;
	if (kept)
		qsort(n->name, kept, sizeof(struct agent_name *), compare);
}

static int take_name(const char *state, const char *name, struct agent_names *n, struct err *err)
{
	char dir[PATH_MAX];
	int rc = rollfile_folder(state, name, dir, err);

	return rc == 0 ? take(dir, name, n, err) : rc;
}

static int take_authority(const char *state, struct agent_names *n, struct err *err)
{
	char dir[PATH_MAX];
	int rc = rollfile_authority(state, dir, err);

	return rc == 0 ? take(dir, AGENT_AUTHORITY, n, err) : rc;
}

static int read_rolled(const char *state, struct agent_names *n, struct err *err)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *d = NULL;
	int rc = 0;

	if (snprintf(path, sizeof(path), "%s/names", state) >= PATH_MAX)
		return err_set(err, ERR_ARG, "--state: the path is too long");
	d = opendir(path);
	if (!d && errno != ENOENT)
		return err_set(err, ERR_SYSTEM, "'%s': %s", path, strerror(errno));
	for (size_t i = 0; i < n->count; i++)
		n->name[i]->seen = false;
	while (rc == 0 && d && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			rc = take_name(state, e->d_name, n, err);
	if (d)
		closedir(d);
	if (rc == 0)
		rc = take_authority(state, n, err);
	return rc;
}

int agent_names_read(const char *state, struct agent_names *n, struct err *err)
{
	int rc = read_rolled(state, n, err);

	if (rc == 0)
		drop_unseen(n);
	return rc;
}

struct scan {
	const char *state;
	struct agent_names *names;
};

/* One that was never rolled: a rollover has all that it needs in its own file. */
static int take_entry(void *arg, const struct names_entry *e, struct err *err)
{
	const struct scan *s = arg;
	struct agent_name *one = find(s->names, e->owner);
	bool leaves = strcmp(e->step, enrolment_step_word(ENROLMENT_LEAVING)) == 0;

	if (one && one->seen)
		return 0;
	if (!one)
		one = add(s->names, e->owner);
	if (!one)
		return err_set(err, ERR_NOMEM, "%s: no memory", e->owner);
	one->kind = AGENT_ENROLLED;
	one->unfinished = !leaves && strcmp(e->step, enrolment_step_word(ENROLMENT_ENROLLED)) != 0;
	one->since_ms = e->changed_s * 1000;
	one->file = (struct rollfile){ .days = e->days };
	snprintf(one->file.name, sizeof(one->file.name), "%s", e->name);
	snprintf(one->file.via, sizeof(one->file.via), "%s", e->via);
	one->seen = true;
	return rollfile_folder(s->state, e->owner, one->dir, err);
}

static int read_enrolled(const char *state, struct agent_names *n, struct err *err)
{
	struct scan s = { state, n };
	struct names *names = NULL;
	char path[PATH_MAX];
	int rc;

	if (snprintf(path, sizeof(path), "%s/names.db", state) >= PATH_MAX)
		return err_set(err, ERR_ARG, "--state: the path is too long");
	if (access(path, F_OK) != 0)
		return 0;
	rc = names_open(state, false, &names, err);
	if (rc == 0)
		rc = names_each(names, NULL, take_entry, &s, NULL, err);
	names_close(names);
	return rc;
}

static int take_crl(void *arg, const char *prefix, const char *name, struct err *err)
{
	struct agent_names *n = arg;
	struct crlfile crl;
	struct agent_name *one = find(n, name);

	/* One file that cannot be read is no reason to leave all else alone. */
	if (crlfile_read(prefix, &crl, err) != 0) {
		log_warning("agent.unreadable", "reason=%s", log_value(err->msg));
		return 0;
	}
	if (!one)
		one = add(n, name);
	if (!one)
		return err_set(err, ERR_NOMEM, "%s: no memory", name);
	one->kind = AGENT_CRL;
	one->crl = crl;
	one->seen = true;
	snprintf(one->dir, sizeof(one->dir), "%s", prefix);
	return 0;
}

static int take_fleet(void *arg, const struct fleetfile *f, struct err *err)
{
	struct agent_names *n = arg;
	char name[NAME_TEXT_MAX];
	struct agent_name *one;

	if (!f) {
		log_warning("agent.unreadable", "reason=%s", log_value(err->msg));
		return 0;
	}
	agent_fleet_name(f->list, name);
	one = find(n, name);
	if (!one)
		one = add(n, name);
	if (!one)
		return err_set(err, ERR_NOMEM, "%s: no memory", name);
	one->kind = AGENT_FLEET;
	one->fleet = *f;
	one->seen = true;
	return 0;
}

int agent_names_scan(const char *state, struct agent_names *n, struct err *err)
{
	int rc = read_rolled(state, n, err);

	if (rc == 0)
		rc = read_enrolled(state, n, err);
	if (rc == 0)
		rc = agent_crl_each(state, take_crl, n, err);
	if (rc == 0)
		rc = fleetfile_each(state, take_fleet, n, err);
	if (rc == 0)
		drop_unseen(n);
	return rc;
}
