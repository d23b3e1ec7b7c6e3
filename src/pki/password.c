/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/password.h"

#include "core/secret.h"
#include "pki/wholefile.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

int password_read(const char *path, char out[PASSWORD_MAX], struct err *err)
{
	struct buf text = { .limit = WHOLEFILE_MAX };
	struct stat st;
	size_t n;
	int rc;

	if (stat(path, &st) != 0)
		return err_set(err, ERR_SYSTEM, "password file '%s': %s", path, strerror(errno));
	if ((st.st_mode & 077) != 0)
		return err_set(err, ERR_ARG,
			"password file '%s': mode %04o lets others at it; chmod 600", path,
			(unsigned)(st.st_mode & 07777));
	rc = wholefile_read("password file", path, &text, err);
	n = rc == 0 && text.n > 0 ? strcspn(buf_string(&text), "\r\n") : 0;
	if (rc == 0 && (n == 0 || n >= PASSWORD_MAX))
		rc = err_set(err, ERR_FORMAT,
			"password file '%s': its first line has %zu octets, not 1 to %d", path, n,
			PASSWORD_MAX - 1);
	if (rc == 0) {
		memcpy(out, text.p, n);
		out[n] = '\0';
	}
	if (text.p)
		secret_wipe_octets(text.p, text.cap);
	buf_done(&text);
	return rc;
}

int password_get(const struct password *p, const char *what, bool fresh, char out[PASSWORD_MAX],
	struct err *err)
{
	if (p && p->file)
		return password_read(p->file, out, err);
	if (p && p->ask)
		return p->ask(what, fresh, out, PASSWORD_MAX, err);
	return err_set(err, ERR_ARG, "%s: needs a password; give a password file", what);
}
