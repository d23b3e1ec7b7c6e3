/* SPDX-License-Identifier: Apache-2.0 */
#include "net/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/listen.h"

#define MODE_BITS 0777

static int read_mode(const char *text, mode_t *out, struct err *err)
{
	size_t n = strlen(text);

	if (n < 3 || n > 4 || strspn(text, "01234567") != n || (n == 4 && text[0] != '0'))
		return err_set(err, ERR_FORMAT, "mode '%s': need three octal digits, as 0660",
			text);
	*out = (mode_t)strtoul(text, NULL, 8);
	return 0;
}

static int read_group(const char *text, gid_t *out, struct err *err)
{
	const struct group *group;
	unsigned long id;

	if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0') {
		group = getgrnam(text);
		if (!group)
			return err_set(err, ERR_FORMAT, "group '%s': there is none", text);
		*out = group->gr_gid;
		return 0;
	}
	errno = 0;
	id = strtoul(text, NULL, 10);
	/* The last one means "as it was" to chown(2). */
	if (errno != 0 || id >= (gid_t)-1)
		return err_set(err, ERR_FORMAT, "group '%s': there is none", text);
	*out = (gid_t)id;
	return 0;
}

int rights_read(const char *mode, const char *group, struct rights *out, struct err *err)
{
	struct rights r = { .has_mode = mode, .has_group = group };
	int rc = mode ? read_mode(mode, &r.mode, err) : 0;

	rc = rc || !group ? rc : read_group(group, &r.group, err);
	if (rc == 0)
		*out = r;
	return rc;
}

/* fd is one of O_PATH, which chmod(2) reaches by this name alone. */
static bool set_mode(int fd, mode_t mode)
{
	char name[32];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return chmod(name, mode) == 0;
}

static bool set_both(int fd, const struct rights *r)
{
	mode_t mode;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	if (!S_ISSOCK(st.st_mode)) {
		errno = ENOTSOCK;
		return false;
	}
	mode = r->has_mode ? r->mode : st.st_mode & MODE_BITS;
	if (r->has_group && st.st_gid != r->group) {
		if (!set_mode(fd, mode & st.st_mode) ||
			fchownat(fd, "", (uid_t)-1, r->group, AT_EMPTY_PATH) != 0)
			return false;
		st.st_mode &= mode;
	}
	return (st.st_mode & MODE_BITS) == mode || set_mode(fd, mode);
}

int rights_set(const char *where, const struct rights *r, struct err *err)
{
	struct sockaddr_un at;
	int rc, fd;

	if (!r->has_mode && !r->has_group)
		return 0;
	rc = listen_read_unix(where, &at, err);
	if (rc != 0)
		return rc;
	fd = open(at.sun_path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", where, strerror(errno));
	if (!set_both(fd, r))
		rc = err_set(err, ERR_SYSTEM, "%s: mode and group: %s", where, strerror(errno));
	close(fd);
	return rc;
}
