/* SPDX-License-Identifier: Apache-2.0 */
#include "resolverd/anchor.h"

#include "resolve/rootkeys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int anchor_begin_managed(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int rc = 0;

	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "trust_anchor_managed '%s': %s", path,
			strerror(errno));
	for (const char *const *line = rootkeys_lines; *line && !rc; line++)
		if (dprintf(fd, "%s\n", *line) < 0)
			rc = err_set(err, ERR_SYSTEM, "trust_anchor_managed '%s': %s", path,
				strerror(errno));
	if (close(fd) && !rc)
		rc = err_set(err, ERR_SYSTEM, "trust_anchor_managed '%s': %s", path,
			strerror(errno));
	return rc;
}
