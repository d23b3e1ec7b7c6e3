/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unused - settings that would do nothing where they stand: refused, by one table, at their line.
 *          And rights of a socket that cannot be read, at theirs.
 *
 *   Why        whoever writes body_max on an entry that reads no message believes in a bound that
 *              is not there.
 *   Errors     ERR_FORMAT: "proxy.yaml:12:5: listeners[0]: header_max is for identity: http".
 */
#ifndef PROXY_UNUSED_H
#define PROXY_UNUSED_H

#include "proxy/config.h"

/* text is what config was read from, path its name in the words. */
int unused_check(const struct config *config, const char *path, const char *text, struct err *err);

#endif
