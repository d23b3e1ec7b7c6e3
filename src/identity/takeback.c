/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/takeback.h"

#include "ca/revocation.h"
#include "pki/der.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* One of ours that lies in a file of the folder; a file that is not there is nothing. */
static int revoke_file(struct state *state, const char *path, struct err *err)
{
	char serial[FACTS_SERIAL_MAX];
	enum ledger_answer answer;
	struct der_life life = { 0 };
	int reason = 0, rc;

	if (access(path, F_OK) != 0)
		return 0;
	rc = der_read_life(path, &life, err);
	if (rc != 0 || life.self_signed)
		return rc;
	rc = facts_read_reason("cessationOfOperation", &reason, err);
	if (rc == 0)
		rc = revocation_adopt(state, path, serial, err);
	return rc == 0 ? revocation_add(state, serial, reason, &answer, err) : rc;
}

static int revoke_all(const char *folder, struct state *state, struct err *err)
{
	DIR *entries = opendir(folder);
	const struct dirent *d;
	char path[PATH_MAX];
	int rc = 0;

	if (snprintf(path, sizeof(path), "%s/current.pem", folder) < (int)sizeof(path))
		rc = revoke_file(state, path, err);
	/* Generations of rollovers, which have folders. */
	while (rc == 0 && entries && (d = readdir(entries)) != NULL)
		if (d->d_name[0] == 'g' &&
			snprintf(path, sizeof(path), "%s/%s/cert.pem", folder, d->d_name) <
				(int)sizeof(path))
			rc = revoke_file(state, path, err);
	if (entries)
		closedir(entries);
	return rc;
}

int takeback_certificates(const char *issuer, const char *folder, struct err *err)
{
	struct state *state = NULL;
	int rc = state_open_keyless(issuer, &state, err);

	if (rc == 0)
		rc = revoke_all(folder, state, err);
	state_close(state);
	return rc;
}
