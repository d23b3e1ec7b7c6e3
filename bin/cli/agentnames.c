/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/agent.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Folders without a rollover.json are enrolled, but not ours to roll. */
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

int agent_names_read(const char *state, struct agent_names *n, struct err *err)
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
	if (rc == 0)
		drop_unseen(n);
	return rc;
}
