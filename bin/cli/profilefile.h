/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profilefile - kinds of certificates by name: those in a YAML file, and the four built in.
 *
 *   profiles:
 *     - name: device
 *       for: client                       server, client, both or ca
 *       lifetime: 90d                     s, m, h or d
 *       backdate: 5m
 *       key_usage: [digitalSignature]     RFC 5280's words
 *       extended_key_usage: [clientAuth]
 *       path_length: 0                    ca
 *       permitted: [a.example]            ca: names that may stand below it
 *       excluded: [lab.a.example]
 *
 *   Built in   server, client and both (365 days), ca (1825 days, path length 0). A file may
 *              have its own under these names.
 *   Ownership  profilefile_open gives, profilefile_close takes; profiles borrow their name.
 *   Errors     words begin with file, line and column, or file, profile and field.
 */
#ifndef CLI_PROFILEFILE_H
#define CLI_PROFILEFILE_H

#include "pki/profile.h"

struct profilefile;

/* path NULL: only what is built in. */
int profilefile_open(const char *path, struct profilefile **out, struct err *err);
void profilefile_close(struct profilefile *file);

/* Sets what the profile decides; subject and names in *out stay. */
int profilefile_apply(const struct profilefile *file, const char *name, struct profile *out,
	struct err *err);

#endif
