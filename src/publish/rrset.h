/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rrset - all records of one type at one name, as a server has them or as we want them.
 *
 *   Source     RFC 2181 section 5; RFC 3597 section 5 (\# form of data without words of its own).
 *   Order      by octets, no record twice: equal sets have equal arrays.
 *   Sizes      RRSET_RECORDS_MAX records, RRSET_RDATA_MAX octets each.
 *   Time       TTL in seconds.
 *   Ownership  a set owns its data: rrset_done; { 0 } is an empty set of no name.
 *   Errors     ERR_NOMEM, ERR_SPACE (too many), ERR_FORMAT.
 */
#ifndef PUBLISH_RRSET_H
#define PUBLISH_RRSET_H

#include "core/buf.h"
#include "core/err.h"
#include "dns/name.h"
#include "dns/rr.h"

#define RRSET_RECORDS_MAX 128
#define RRSET_RDATA_MAX   16384

struct rrset {
	struct name owner;
	uint16_t type;
	uint32_t ttl_s;
	size_t count;
	struct span *rdata;
};

/* An empty set of this name and type. */
struct rrset rrset_of(const struct name *owner, uint16_t type, uint32_t ttl_s);
void rrset_done(struct rrset *s);

/* Copies the data; a record that is there already stays one. */
int rrset_add(struct rrset *s, struct span rdata, struct err *err);
int rrset_add_all(struct rrset *s, const struct rrset *other, struct err *err);
void rrset_remove(struct rrset *s, struct span rdata);

/* *out owns its data; it is written only on success. */
int rrset_copy(const struct rrset *s, struct rrset *out, struct err *err);

bool rrset_has(const struct rrset *s, struct span rdata);
/* The same records; the TTL is not compared. */
bool rrset_equal(const struct rrset *a, const struct rrset *b);

/* One record's data as zone files have it: "3 1 1 ab12...", or "\# 4 0a000001". */
void rrset_write_data(uint16_t type, struct span rdata, struct buf *out);
/* A whole line: "_8003._tcp.js.a.example. 300 IN TLSA 3 1 1 ab12..." and a line end. */
void rrset_write_line(const struct rrset *s, struct span rdata, struct buf *out);
/* The data from text: the words of TLSA, or \# of any type. Appends the octets to out. */
int rrset_read_data(uint16_t type, const char *text, struct buf *out, struct err *err);

#endif
