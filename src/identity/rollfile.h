/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollfile - what is remembered of the rollovers of one name: how it is published, which
 * generations of its keys there are, and where a rollover stands.
 *
 *   File       DIR/rollover.json, replaced as a whole; DIR is names/OWNER of a state directory,
 *              OWNER that of its (first) TLSA records, with the keys beside it (pki/keyring.h),
 *              or for the state's authority (ca/succession.h) the folder authority.
 *   Sharing    rollfile_lock: one process at a time.
 *   Ownership  the struct is the caller's memory and owns nothing.
 *   Errors     ERR_SYSTEM, ERR_FORMAT; words begin with the path. *out only on success.
 */
#ifndef IDENTITY_ROLLFILE_H
#define IDENTITY_ROLLFILE_H

#include "pki/keyring.h"
#include "resolve/address.h"
#include "rollover/agility.h"
#include "rollover/rollover.h"

#include <limits.h>

#define ROLLFILE_SERVICES_MAX  8
#define ROLLFILE_ADDRESSES_MAX 8

struct rollfile {
	char name[NAME_TEXT_MAX];
	unsigned services;                       /* 0: a client's identity */
	char service[ROLLFILE_SERVICES_MAX][16]; /* "8003/tcp" */
	char via[PATH_MAX];                      /* the file that says how it is published */
	char reload[1024];                       /* "": nothing has to be told */
	unsigned addresses;                      /* where to look; 0: where DNS says */
	char address[ROLLFILE_ADDRESSES_MAX][ADDRESS_TEXT_MAX];
	char key_kind[16];
	uint32_t days;
	struct rollover_policy policy;
	size_t forms; /* in which its keys are published */
	struct agility_form form[AGILITY_FORMS_MAX];
	uint32_t last; /* the newest generation */
	char current[KEYRING_GENERATION_MAX];
	char next[KEYRING_GENERATION_MAX];
	char standby[KEYRING_GENERATION_MAX]; /* "": none */
	int64_t standby_known_ms;             /* see rollover_start */
	uint32_t done;                        /* rollovers that ended */
	int64_t ended_ms;                     /* the last one */
	char result[200];                     /* its */
	bool under_way;
	struct rollover rollover;
	/* An authority's; name is ROLLFILE_AUTHORITY then, and there are no services. */
	bool authority;
	char parent[PATH_MAX];        /* folder of the one above it; "": a root */
	char adopt[PATH_MAX];         /* the next one, made elsewhere; "": it is made */
	char password_file[PATH_MAX]; /* of its key; "": none */
	char switching[PATH_MAX];     /* prefix of a leaf whose service is still to be told */
};

/* The folder of an owner of TLSA records in a state directory, the one its enrolment has too;
 * ERR_ARG for a name that is no file name. */
int rollfile_folder(const char *state, const char *owner, char out[PATH_MAX], struct err *err);

#define ROLLFILE_AUTHORITY "authority"

/* That of the state's authority: STATE/authority. */
int rollfile_authority(const char *state, char out[PATH_MAX], struct err *err);

/* *there is false, and *out untouched, when there is no file. */
int rollfile_read(const char *dir, struct rollfile *out, bool *there, struct err *err);
int rollfile_write(const char *dir, const struct rollfile *f, struct err *err);

/* A descriptor to close, which ends it. Whoever enrols, rolls or removes the name holds it
 * meanwhile. rollfile_lock makes DIR and what is above it (0700): it is for who begins. To the
 * others a DIR that is not there is a name that was removed. */
int rollfile_lock(const char *dir, int *fd, struct err *err);

enum rollfile_hold { ROLLFILE_HELD, ROLLFILE_BUSY, ROLLFILE_ABSENT };

/* An error unless it is held; *out says why, where that is all that is wrong. */
int rollfile_lock_kept(const char *dir, enum rollfile_hold *out, int *fd, struct err *err);
/* *fd only with ROLLFILE_HELD. BUSY: another process has it. */
int rollfile_try_lock(const char *dir, enum rollfile_hold *out, int *fd, struct err *err);

#endif
