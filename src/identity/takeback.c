/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/takeback.h"

#include "ca/revocation.h"
#include "pki/der.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One certificate may lie in two files, one of them a link. */
static void note_foreign(struct takeback *t, const char *serial)
{
	for (unsigned i = 0; i < t->foreign; i++)
		if (strcmp(t->serial[i], serial) == 0)
			return;
	if (t->foreign < TAKEBACK_FOREIGN_MAX)
		memcpy(t->serial[t->foreign++], serial, FACTS_SERIAL_MAX);
}

static int revoke_ours(struct state *state, const char *path, struct takeback *out, struct err *err)
{
	char serial[FACTS_SERIAL_MAX];
	enum ledger_answer answer;
	bool ours = false;
	int reason = 0, rc;

	rc = facts_read_reason("cessationOfOperation", &reason, err);
	if (rc == 0)
		rc = revocation_adopt(state, path, serial, &ours, err);
	if (rc == 0 && !ours)
		note_foreign(out, serial);
	return rc == 0 && ours ? revocation_add(state, serial, reason, &answer, err) : rc;
}

/* A file that is not there is nothing. */
static int revoke_file(struct state *state, const char *folder, const char *file,
	struct takeback *out, struct err *err)
{
	struct der_life life = { 0 };
	char path[PATH_MAX];
	int rc;

	if (snprintf(path, sizeof(path), "%s/%s", folder, file) >= (int)sizeof(path))
		return err_set(err, ERR_ARG, "folder '%.80s...': the path is too long", folder);
	if (access(path, F_OK) != 0)
		return errno == ENOENT || errno == ENOTDIR
			? 0
			: err_set(err, ERR_SYSTEM, "'%s': %s", path, strerror(errno));
	rc = der_read_life(path, &life, err);
	return rc == 0 && !life.self_signed ? revoke_ours(state, path, out, err) : rc;
}

/* Generations of rollovers, which have folders. */
static int revoke_generations(struct state *state, const char *folder, struct takeback *out,
	struct err *err)
{
	DIR *entries = opendir(folder);
	char file[sizeof(((struct dirent *)0)->d_name) + 16];
	const struct dirent *d;
	int rc = 0;

	if (!entries)
		return errno == ENOENT
			? 0
			: err_set(err, ERR_SYSTEM, "folder '%s': %s", folder, strerror(errno));
	while (rc == 0 && (errno = 0, d = readdir(entries)) != NULL) {
		if (d->d_name[0] != 'g')
			continue;
		snprintf(file, sizeof(file), "%s/cert.pem", d->d_name);
		rc = revoke_file(state, folder, file, out, err);
	}
	if (rc == 0 && errno != 0)
		rc = err_set(err, ERR_SYSTEM, "folder '%s': %s", folder, strerror(errno));
	closedir(entries);
	return rc;
}

int takeback_certificates(const char *issuer, const char *folder, struct takeback *out,
	struct err *err)
{
	struct takeback told = { .foreign = 0 };
	struct state *state = NULL;
	int rc = state_open_keyless(issuer, &state, err);

	if (rc == 0)
		rc = revoke_file(state, folder, "current.pem", &told, err);
	if (rc == 0)
		rc = revoke_generations(state, folder, &told, err);
	state_close(state);
	if (rc == 0)
		*out = told;
	return rc;
}
