/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roster - the list of a fleet's devices, as its maker writes it: a CSV file.
 *
 *   name       the device's identity, below the zone: d1._device.example (needed)
 *   key        its public key: base64 of a SubjectPublicKeyInfo, PEM, or @FILE of either
 *   request    a PKCS#10 request for its certificate: base64, PEM, or @FILE
 *   tlsa       "3 1 1" or "3 1 0"; empty: what the order says
 *
 *   The first row names the columns, in any order; all but name may be left out. With neither key
 * nor request a key is made. @FILE is found beside the list. Bounds     ROSTER_DEVICES_MAX devices,
 * ROSTER_OCTETS_MAX octets. Problems   every row that is wrong is told, the first
 * ROSTER_PROBLEMS_MAX with words. Order      devices are sorted by name. Ownership  roster_read
 * allocates, roster_done frees. Errors     ERR_SYSTEM, ERR_NOMEM; ERR_FORMAT when there are
 * problems.
 */
#ifndef IDENTITY_ROSTER_H
#define IDENTITY_ROSTER_H

#include "core/buf.h"
#include "core/err.h"
#include "dns/name.h"

#define ROSTER_DEVICES_MAX  1000000
#define ROSTER_OCTETS_MAX   ((size_t)1 << 30)
#define ROSTER_PROBLEMS_MAX 20

struct roster_device {
	size_t line;
	const char *owner; /* lower case, without the final dot */
	struct name name;
	const char *key, *request; /* as written; "": none */
	uint8_t matching;          /* of 3 1 x: 0 or 1 */
	uint8_t terms[32];         /* SHA-256 of all that is wanted of it */
	struct span spki;          /* after roster_read_key; owned */
};

struct roster_problem {
	size_t line;
	char words[220];
};

struct roster {
	const char *path;
	struct buf text;
	size_t count;
	struct roster_device *device;
	size_t problems; /* of which the first have words */
	struct roster_problem problem[ROSTER_PROBLEMS_MAX];
};

struct roster_order {
	uint8_t matching;     /* for rows that do not say */
	bool wildcard;        /* the column tlsa may not be used, and all have one parent */
	bool certificates;    /* the column request may be used */
	const char *key_kind; /* of keys to be made: among the terms */
	const char *terms;    /* what else is wanted of all of them */
};

int roster_read(const char *path, const struct roster_order *order, struct roster *out,
	struct err *err);
void roster_done(struct roster *r);

/* Fills in spki from key or request; a row that is wrong becomes a problem. Nothing to do for a key
 * that is to be made. */
int roster_read_key(struct roster *r, struct roster_device *d, struct err *err);

void roster_complain(struct roster *r, size_t line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
