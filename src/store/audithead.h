/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audithead - DIR/audit.head: the number and the hash of the last line of DIR/audit.log.
 *
 *   {"seq":42,"hash":"<64 hex>"}
 *
 *   Writing    replaced whole (pki/pemfile.h).
 *   Errors     ERR_SYSTEM, ERR_FORMAT; words begin with the file.
 */
#ifndef STORE_AUDITHEAD_H
#define STORE_AUDITHEAD_H

#include <limits.h>

#include "store/auditline.h"

struct audit_head {
	uint64_t seq; /* 0: no line yet */
	char hash[AUDITLINE_HASH];
};

/* The hash before the first line. */
#define AUDITHEAD_NONE "0000000000000000000000000000000000000000000000000000000000000000"

/* The paths of both files in DIR. */
int audithead_name(const char *dir, char log[PATH_MAX], char head[PATH_MAX], struct err *err);

int audithead_read(const char *path, struct audit_head *out, struct err *err);
int audithead_write(const char *path, const struct audit_head *head, struct err *err);

#endif
