/* SPDX-License-Identifier: Apache-2.0 */
#include "program/walls.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "program/log.h"
#include "program/sandbox.h"
#include "program/walls_wanted.h"

/* NULL-ended; only what there is. */
struct paths {
	const char *path[WALLS_FILES_MAX + 2];
	char text[WALLS_FILES_MAX + 1][PATH_MAX];
	unsigned count;
};

static void add_path(struct paths *p, const char *path)
{
	if (path && path[0])
		p->path[p->count++] = path;
}

static void add_folder(struct paths *p, const char *file)
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	char *text = p->text[p->count];

	if (!file || !file[0] || strcmp(file, "-") == 0)
		return;
	if (slash)
		snprintf(text, PATH_MAX, "%.*s", slash == file ? 1 : (int)(slash - file), file);
	else
		strcpy(text, ".");
	add_path(p, text);
}

int walls_enter(const struct walls *w, struct err *err)
{
	const char *helper = w->resolver ? resolver_helper(w->resolver) : NULL;
	bool wanted = w->wanted ? *w->wanted : walls_wanted_unsaid();
	struct paths read = { 0 }, write = { 0 };
	const char *const exec[] = { helper, NULL };
	const struct sandbox box = { .user = w->user,
		.read = read.path,
		.write = write.path,
		.exec = helper ? exec : NULL,
		.landlock = wanted,
		.seccomp = wanted };
	const char *words = "none";
	int rc;

	for (unsigned i = 0; i < WALLS_FILES_MAX; i++)
		add_folder(&write, w->files[i]);
	if (helper) {
		add_path(&read, w->resolver->trust_anchor_file);
		add_path(&read, w->resolver->resolv_conf);
		/* Written beside, and renamed over. */
		add_folder(&write, w->resolver->trust_anchor_managed);
	}
	rc = sandbox_enter(&box, &words, err);
	if (rc == 0)
		log_info("sandbox.entered", "with=%s", words);
	return rc;
}
