/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cfssl - the JSON files that users of Cloudflare's cfssl have, as profiles of ours.
 *
 *   Request    {"CN","hosts","key":{"algo","size"},"names":[{"C","ST","L","O","OU"}],
 *              "ca":{"expiry","pathlen","pathlenzero","backdate"}}
 *   Config     {"signing":{"default":P,"profiles":{NAME:P}}}, where P is {"usages","expiry",
 *              "backdate","ca_constraint":{"is_ca","max_path_len","max_path_len_zero"}}
 *   Source     cfssl's documentation; durations as Go writes them: 8760h, 1h30m, 300s.
 *   Strict     what we cannot do and cfssl can is refused by its name, not passed over: a
 *              name_whitelist that is not obeyed would be worse than none. Member names match in
 *              any case, and others than cfssl's are passed over, as it does.
 *   Ownership  a profile borrows from struct cfssl, which cfssl_done empties.
 *   Errors     ERR_FORMAT, ERR_ARG; words name the field.
 */
#ifndef CA_CFSSL_H
#define CA_CFSSL_H

#include "pki/profile.h"
#include "json/doc.h"

struct cfssl {
	struct doc *request, *config;
	struct profile profile;
	const char *key_kind; /* keykind's word */
};

/* Subject, names and key of a request. root: its "ca" member makes it one of a root. */
int cfssl_read_request(struct cfssl *c, struct span text, bool root, struct err *err);

/* What the profile of a config decides; name NULL: the default; text empty: cfssl's own. */
int cfssl_read_config(struct cfssl *c, struct span text, const char *name, struct err *err);

/* Names parted by commas, instead of those of the request. */
int cfssl_read_hosts(struct cfssl *c, const char *hosts, struct err *err);

void cfssl_done(struct cfssl *c);

#endif
