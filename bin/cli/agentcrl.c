/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agentcrl - what an agent does for the list of what an authority revoked: the next one in time,
 * and at the next check when somebody was revoked since.
 */
#include "cli/agent.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Why it is to be signed now; NULL: it is not. */
static const char *find_reason(const struct agent_name *a, size_t behind)
{
	if (a->next.task == AGENDA_ROLL)
		return "the list was to end, and was signed again";
	if (access(a->crl.path, F_OK) != 0)
		return "the list was not there, and was signed again";
	return behind ? "the list lacked somebody who was revoked, and was signed again" : NULL;
}

int agent_crl(struct agent_name *a, struct agent_found *out, struct err *err)
{
	size_t behind = 0;
	int rc = crlfile_behind(a->dir, &a->crl, &behind, err);

	if (rc != 0)
		return rc;
	out->did = find_reason(a, behind);
	if (out->did)
		rc = crlfile_again(a->dir, &a->crl, err);
	out->renewed = rc == 0 && out->did;
	out->good = rc == 0;
	return rc;
}

/* "ca" of DIR/ca-crl.json; false: another file. */
static bool take_stem(const char *file, char stem[NAME_MAX + 1])
{
	size_t n = strlen(file), ending = strlen(CRLFILE_ENDING);

	if (n <= ending || file[0] == '.' || strcmp(file + n - ending, CRLFILE_ENDING) != 0)
		return false;
	snprintf(stem, NAME_MAX + 1, "%.*s", (int)(n - ending), file);
	return true;
}

int agent_crl_each(const char *state,
	int (*each)(void *arg, const char *prefix, const char *name, struct err *err), void *arg,
	struct err *err)
{
	char prefix[PATH_MAX], stem[NAME_MAX + 1], name[NAME_MAX + 16];
	DIR *d = opendir(state);
	const struct dirent *e;
	int rc = 0;

	if (!d)
		return err_set(err, ERR_SYSTEM, "'%s': %s", state, strerror(errno));
	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (!take_stem(e->d_name, stem) ||
			snprintf(prefix, sizeof(prefix), "%s/%s", state, stem) >= PATH_MAX)
			continue;
		snprintf(name, sizeof(name), "(crl %s)", stem);
		rc = each(arg, prefix, name, err);
	}
	closedir(d);
	return rc;
}
