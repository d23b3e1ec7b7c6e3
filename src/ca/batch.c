/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/batch.h"

#include "base/hex.h"
#include "crypto/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SERIAL_LINE 33 /* of press.h: 32 digits and a line end */

struct batch {
	struct state *state;
	struct press *press;
	const char *profile;
	int64_t now_s;
	bool begun, with_files;
	size_t count;
	struct buf serials; /* a line each */
	char first[NAME_TEXT_MAX], last[NAME_TEXT_MAX];
};

int batch_open(struct state *state, const struct profile *profile, struct batch **out,
	struct err *err)
{
	struct batch *b;
	int rc;

	if (profile->common_name || profile->organisation || profile->unit || profile->country ||
		profile->locality || profile->state)
		return err_set(err, ERR_ARG, "certificates: without a subject");
	b = calloc(1, sizeof(*b));
	if (!b)
		return err_set(err, ERR_NOMEM, "certificates: out of memory");
	b->state = state;
	b->profile = profile_word(profile);
	b->now_s = (int64_t)time(NULL);
	rc = press_new(profile, authority_chain(state->authority), authority_key(state->authority),
		b->now_s, &b->press, err);
	if (rc != 0)
		batch_close(b);
	else
		*out = b;
	return rc;
}

void batch_close(struct batch *b)
{
	if (!b)
		return;
	if (b->begun)
		ledger_rollback(b->state->ledger);
	press_free(b->press);
	buf_done(&b->serials);
	free(b);
}

static int begin(struct batch *b, struct err *err)
{
	int rc = ledger_begin(b->state->ledger, err);

	b->begun = rc == 0;
	b->with_files = false;
	b->count = 0;
	b->serials.n = 0;
	return rc;
}

static int record(struct batch *b, const struct press_certificate *c, const char *name,
	const char *prefix, struct err *err)
{
	const struct ledger_entry entry = { .serial = c->serial,
		.issuer = c->issuer,
		.subject = "",
		.names = name,
		.profile = b->profile,
		.prefix = prefix,
		.not_before = c->not_before,
		.not_after = c->not_after,
		.issued_at = b->now_s,
		.state = prefix[0] ? LEDGER_SIGNED : LEDGER_DONE,
		.der = c->der };

	return ledger_add(b->state->ledger, &entry, err);
}

int batch_add(struct batch *b, const struct name *name, struct span spki, const char *prefix,
	struct press_certificate *out, struct err *err)
{
	struct name lower = *name;
	int rc = b->begun ? 0 : begin(b, err);

	name_lower(&lower);
	if (rc == 0 && name_write_text(&lower, b->last, sizeof(b->last)) != 0)
		rc = err_set(err, ERR_ARG, "certificate: a name that cannot be written");
	if (rc == 0)
		rc = press_make(b->press, &lower, spki, out, err);
	if (rc == 0)
		rc = record(b, out, b->last, prefix, err);
	if (rc != 0)
		return rc;
	buf_text(&b->serials, out->serial);
	buf_text(&b->serials, "\n");
	if (b->count++ == 0)
		memcpy(b->first, b->last, sizeof(b->first));
	b->with_files |= prefix[0] != '\0';
	return buf_ok(&b->serials) ? 0 : err_set(err, ERR_NOMEM, "certificates: out of memory");
}

static int log_batch(const struct batch *b, struct err *err)
{
	const char *serials = (const char *)b->serials.p;
	char count[24], digest[65], first[SERIAL_LINE], last[SERIAL_LINE];
	const struct auditline_note notes[] = { { "count", count }, { "last", b->last },
		{ "profile", b->profile }, { "serial", first }, { "last_serial", last },
		{ "serials_sha256", digest } };
	uint8_t octets[32];
	int rc = digest_sha256(buf_span(&b->serials), octets, err);

	if (rc != 0)
		return rc;
	hex_write((struct span){ octets, sizeof(octets) }, digest, sizeof(digest));
	snprintf(count, sizeof(count), "%zu", b->count);
	snprintf(first, sizeof(first), "%.32s", serials);
	snprintf(last, sizeof(last), "%.32s", serials + b->serials.n - SERIAL_LINE);
	return audit_append(b->state->audit, "cert.issue", b->first, notes,
		sizeof(notes) / sizeof(notes[0]), err);
}

int batch_commit(struct batch *b, struct err *err)
{
	int rc;

	if (!b->begun)
		return 0;
	rc = ledger_commit(b->state->ledger, err);
	b->begun = false;
	return rc == 0 ? log_batch(b, err) : rc;
}

int batch_settle(struct batch *b, struct err *err)
{
	char serial[SERIAL_LINE];
	int rc = b->with_files ? ledger_begin(b->state->ledger, err) : 0;

	for (size_t at = 0; rc == 0 && b->with_files && at < b->serials.n; at += SERIAL_LINE) {
		snprintf(serial, sizeof(serial), "%.32s", (const char *)b->serials.p + at);
		rc = ledger_settle(b->state->ledger, serial, LEDGER_DONE, err);
	}
	if (rc == 0 && b->with_files)
		rc = ledger_commit(b->state->ledger, err);
	if (rc != 0)
		ledger_rollback(b->state->ledger);
	return rc;
}
