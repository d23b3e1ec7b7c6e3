/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/batch.h"

#include "base/hex.h"
#include "crypto/digest.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SERIAL_LINE 33 /* of press.h: 32 digits and a line end */

/* Signed and not told yet: to wake who stores for each one would cost more than it does. */
#define TOLD_TOGETHER 32

struct batch {
	struct state *state;
	struct press *press;
	const char *profile;
	int64_t now_s;
	bool with_files;
	struct buf serials; /* a line each */
	size_t closed;      /* octets of them, of parts that are on the disk */
	char first[NAME_TEXT_MAX], last[NAME_TEXT_MAX];
};

/* What the thread that signs and the one that stores have in common; each order has one owner. */
struct shift {
	struct batch *b;
	struct batch_order *orders;
	size_t n;
	pthread_mutex_t lock;
	pthread_cond_t more;
	size_t made; /* under the lock, as what follows: of the orders, from the first */
	bool over;   /* no more will be made, or none is wanted */
	int rc;
	struct err err;
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
	ledger_hold(state->ledger, true);
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
	ledger_hold(b->state->ledger, false);
	ledger_tidy(b->state->ledger);
	press_free(b->press);
	buf_done(&b->serials);
	free(b);
}

void batch_forget(struct batch_order *orders, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_done(&orders[i].der);
}

static int make(struct batch *b, struct batch_order *o, struct err *err)
{
	int rc;

	name_lower(&o->name);
	rc = press_make(b->press, &o->name, o->spki, &o->made, err);
	if (rc != 0)
		return rc;
	buf_put(&o->der, o->made.der);
	o->made.der = buf_span(&o->der);
	return buf_ok(&o->der) ? 0 : err_set(err, ERR_NOMEM, "certificates: out of memory");
}

/* false: nobody waits for the rest. */
static bool tell(struct shift *s, size_t made, int rc)
{
	bool go_on;

	pthread_mutex_lock(&s->lock);
	s->made = made;
	s->rc = rc;
	go_on = !s->over;
	s->over |= rc != 0;
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->lock);
	return go_on && rc == 0;
}

static void *make_all(void *arg)
{
	struct shift *s = arg;
	bool go_on = true;

	for (size_t i = 0; go_on && i < s->n; i++) {
		int rc = make(s->b, &s->orders[i], &s->err);

		if (rc != 0)
			go_on = tell(s, i, rc);
		else if ((i + 1) % TOLD_TOGETHER == 0 || i + 1 == s->n)
			go_on = tell(s, i + 1, 0);
	}
	return NULL;
}

/* How many are made, when that is more than were known, or no more come. */
static size_t await_more(struct shift *s, size_t known, int *rc)
{
	size_t made;

	pthread_mutex_lock(&s->lock);
	while (s->made == known && !s->over)
		pthread_cond_wait(&s->more, &s->lock);
	made = s->made;
	*rc = s->rc;
	pthread_mutex_unlock(&s->lock);
	return made;
}

static void stop(struct shift *s)
{
	pthread_mutex_lock(&s->lock);
	s->over = true;
	pthread_mutex_unlock(&s->lock);
}

static int record(struct batch *b, const struct batch_order *o, struct err *err)
{
	const struct ledger_entry entry = { .serial = o->made.serial,
		.issuer = o->made.issuer,
		.subject = "",
		.names = b->last,
		.profile = b->profile,
		.prefix = o->prefix,
		.not_before = o->made.not_before,
		.not_after = o->made.not_after,
		.issued_at = b->now_s,
		.state = o->prefix[0] ? LEDGER_SIGNED : LEDGER_DONE,
		.der = o->made.der };
	int rc = name_write_text(&o->name, b->last, sizeof(b->last));

	if (rc != 0)
		return err_set(err, rc, "certificate: a name that cannot be written");
	if (b->serials.n == b->closed)
		memcpy(b->first, b->last, sizeof(b->first));
	buf_text(&b->serials, o->made.serial);
	buf_text(&b->serials, "\n");
	b->with_files |= o->prefix[0] != '\0';
	return buf_ok(&b->serials) ? ledger_add(b->state->ledger, &entry, err)
				   : err_set(err, ERR_NOMEM, "certificates: out of memory");
}

static int log_part(struct batch *b, const char *serials, size_t n, struct err *err)
{
	char count[24], digest[65], first[SERIAL_LINE], last[SERIAL_LINE];
	const struct auditline_note notes[] = { { "count", count }, { "last", b->last },
		{ "profile", b->profile }, { "serial", first }, { "last_serial", last },
		{ "serials_sha256", digest } };
	uint8_t octets[32];
	int rc = digest_sha256((struct span){ (const uint8_t *)serials, n }, octets, err);

	if (rc != 0)
		return rc;
	hex_write((struct span){ octets, sizeof(octets) }, digest, sizeof(digest));
	snprintf(count, sizeof(count), "%zu", n / SERIAL_LINE);
	snprintf(first, sizeof(first), "%.32s", serials);
	snprintf(last, sizeof(last), "%.32s", serials + n - SERIAL_LINE);
	return audit_append(b->state->audit, "cert.issue", b->first, notes,
		sizeof(notes) / sizeof(notes[0]), err);
}

/* What was stored since the part before is on the disk, and in the log. */
static int close_part(struct batch *b, struct err *err)
{
	const char *serials = (const char *)b->serials.p + b->closed;
	size_t n = b->serials.n - b->closed;
	int rc = ledger_commit(b->state->ledger, err);

	if (rc == 0 && n)
		rc = log_part(b, serials, n, err);
	b->closed = b->serials.n;
	return rc;
}

/* While the other goes on signing. */
static int next_part(struct batch *b, struct err *err)
{
	int rc = close_part(b, err);

	return rc == 0 ? ledger_begin(b->state->ledger, err) : rc;
}

static int store_one(struct shift *s, size_t i, struct err *err)
{
	int rc = record(s->b, &s->orders[i], err);

	return rc == 0 && (i + 1) % BATCH_PART == 0 && i + 1 < s->n ? next_part(s->b, err) : rc;
}

static int store_all(struct shift *s, struct err *err)
{
	size_t stored = 0, made;
	int rc, theirs = 0;

	ledger_tidy(s->b->state->ledger);
	rc = ledger_begin(s->b->state->ledger, err);
	while (rc == 0 && theirs == 0 && stored < s->n) {
		made = await_more(s, stored, &theirs);
		for (; rc == 0 && theirs == 0 && stored < made; stored++)
			rc = store_one(s, stored, err);
	}
	stop(s);
	if (rc == 0 && theirs == 0)
		return close_part(s->b, err);
	ledger_rollback(s->b->state->ledger);
	return rc;
}

/* One thread signs, this one stores, each as fast as it can. */
static int make_and_store(struct shift *s, struct err *err)
{
	pthread_t maker;
	int rc;

	if (pthread_create(&maker, NULL, make_all, s) != 0)
		return err_set(err, ERR_SYSTEM, "certificates: no thread to sign them");
	rc = store_all(s, err);
	pthread_join(maker, NULL);
	if (rc == 0 && s->rc != 0) {
		rc = s->rc;
		if (err)
			*err = s->err;
	}
	return rc;
}

int batch_issue(struct batch *b, struct batch_order *orders, size_t n, struct err *err)
{
	struct shift s = { .b = b,
		.orders = orders,
		.n = n,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.more = PTHREAD_COND_INITIALIZER };

	b->with_files = false;
	b->serials.n = b->closed = 0;
	return n ? make_and_store(&s, err) : 0;
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
