/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/credential.h"

#include "pki/issue.h"
#include "pki/keyfile.h"
#include "pki/keykind.h"
#include "pki/pemfile.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int path_of(const char *prefix, const char *ending, char out[PATH_MAX], struct err *err)
{
	if (snprintf(out, PATH_MAX, "%s%s", prefix, ending) < PATH_MAX)
		return 0;
	return err_set(err, ERR_ARG, "file '%.80s...': the path is too long", prefix);
}

int credential_make_key(const char *prefix, const char *kind, struct err *err)
{
	enum keykind number = KEYKIND_P256;
	OWNED(EVP_PKEY) key = NULL;
	char path[PATH_MAX];
	int rc = path_of(prefix, "-key.pem", path, err);

	if (rc == 0 && access(path, F_OK) == 0)
		return keyfile_read(path, NULL, &key, err);
	if (rc == 0 && kind)
		rc = keykind_read(kind, &number, err);
	if (rc == 0)
		rc = keykind_new(number, &key, err);
	return rc == 0 ? keyfile_write(path, false, key, NULL, err) : rc;
}

int credential_sign_itself(const char *prefix, const struct profile *profile, struct err *err)
{
	OWNED(EVP_PKEY) key = NULL;
	OWNED(X509) cert = NULL;
	char path[PATH_MAX];
	int rc = path_of(prefix, "-key.pem", path, err);

	if (rc == 0)
		rc = keyfile_read(path, NULL, &key, err);
	if (rc == 0)
		rc = issue_certificate(profile, key, NULL, key, time(NULL), &cert, err);
	if (rc == 0)
		rc = path_of(prefix, ".pem", path, err);
	return rc == 0 ? pemfile_write_chain(path, true, cert, NULL, 0, err) : rc;
}
