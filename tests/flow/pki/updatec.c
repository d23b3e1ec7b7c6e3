/* SPDX-License-Identifier: Apache-2.0 */
/*
 * updatec - one update from words, for the tests of publish/.
 *
 *   updatec PORT KEYFILE ZONE [exists OWNER TYPE | absent OWNER TYPE | add RECORD |
 *           delete OWNER TYPE | clear OWNER]...
 *   Exit 0: done; 1: words on standard output.
 */
#include "publish/update.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int take(struct update *u, char **w, struct err *err)
{
	if (strcmp(w[0], "exists") == 0)
		return update_require_rrset(u, w[1], w[2], err) ? -1 : 3;
	if (strcmp(w[0], "absent") == 0)
		return update_require_absent(u, w[1], w[2], err) ? -1 : 3;
	if (strcmp(w[0], "delete") == 0)
		return update_delete_rrset(u, w[1], w[2], err) ? -1 : 3;
	if (strcmp(w[0], "clear") == 0)
		return update_delete_name(u, w[1], err) ? -1 : 2;
	return update_add(u, w[1], err) ? -1 : 2;
}

int main(int argc, char **argv)
{
	struct tsigkey key;
	struct update *u = NULL;
	struct err err;
	int n = 0;
	int rc = argc < 4 ? err_set(&err, ERR_ARG, "usage: updatec PORT KEYFILE ZONE ...")
			  : tsigkey_load(argv[2], &key, &err);

	if (rc == 0)
		rc = update_new(argv[3], &u, &err);
	for (int i = 4; rc == 0 && i + 1 < argc; i += n) {
		n = take(u, argv + i, &err);
		rc = n < 0 ? err.code : 0;
	}
	if (rc == 0) {
		struct primary server = { "127.0.0.1", (uint16_t)atoi(argv[1]), 0, &key };

		rc = update_send(u, &server, &err);
	}
	update_free(u);
	if (rc != 0)
		puts(err.msg);
	return rc != 0;
}
