/* SPDX-License-Identifier: Apache-2.0 */
#include "resolverd/anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const anchor_root[] = {
	". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
	". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
	NULL,
};

int anchor_begin_managed(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int rc = 0;

	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "trust_anchor_managed '%s': %s", path,
			strerror(errno));
	for (const char *const *line = anchor_root; *line && !rc; line++)
		if (dprintf(fd, "%s\n", *line) < 0)
			rc = err_set(err, ERR_SYSTEM, "trust_anchor_managed '%s': %s", path,
				strerror(errno));
	if (close(fd) && !rc)
		rc = err_set(err, ERR_SYSTEM, "trust_anchor_managed '%s': %s", path,
			strerror(errno));
	return rc;
}
