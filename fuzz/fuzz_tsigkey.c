/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsigkey: whatever line is read, what came out reads again to the same.
 */
#include "publish/tsigkey.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char again[512];
	struct tsigkey a, b;
	char *line = malloc(n + 1);

	if (!line)
		return 0;
	memcpy(line, p, n);
	line[n] = '\0';
	if (tsigkey_read(line, &a, NULL) == 0) {
		snprintf(again, sizeof(again), "%s:%s:%s", tsigkey_algorithm(&a), a.name, a.secret);
		if (tsigkey_read(again, &b, NULL) != 0 || strcmp(a.name, b.name) != 0 ||
			strcmp(a.secret, b.secret) != 0)
			abort();
	}
	free(line);
	return 0;
}
