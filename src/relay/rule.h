/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule - who may pass: names, and by what proof.
 *
 *   name and way, before any DNS > handshake > name, way, usage and key of one and the same rule
 *
 *   Rule       no rule, no listener: rule_set_new refuses an empty list. A rule admits who
 *              meets all it says; who meets one rule passes.
 *   Way        a rule is about who is proved by DANE, unless it says by pkix: then about who is
 *              proved by a certificate authority, and nobody else.
 *   Cost       one comparison per rule, no allocation, no DNS.
 *   Errors     ERR_FORMAT with the rule's number and words.
 */
#ifndef RELAY_RULE_H
#define RELAY_RULE_H

#include <stdbool.h>

#include "core/err.h"
#include "dns/pattern.h"

#define RULE_SPKI_OCTETS 32

/* Ways to be proved, one bit each. */
enum rule_by { RULE_BY_DANE = 1, RULE_BY_PKIX = 2, RULE_BY_ANY = 3 };

/* As it is written. */
struct rule_words {
	const char *name;        /* dns/pattern.h */
	const char *by;          /* "dane" or "pkix"; NULL: dane */
	const char *usage;       /* "0" to "3": of the TLSA record that matched; NULL: any */
	const char *spki_sha256; /* 64 hex digits: of the key shown; NULL: any */
};

/* What a handshake found. */
struct rule_peer {
	const struct name *name;
	enum rule_by by;
	int usage; /* -1: not by DANE */
	const uint8_t *spki_sha256;
};

struct rule_set;

int rule_set_new(const struct rule_words *words, size_t count, struct rule_set **out,
	struct err *err);
void rule_set_free(struct rule_set *set);

/* May this name be proved here at all, in one of these ways? */
bool rule_admits_name(const struct rule_set *set, const struct name *name, enum rule_by by);
/* May it pass, now that it is proved? */
bool rule_admits(const struct rule_set *set, const struct rule_peer *peer);

#endif
