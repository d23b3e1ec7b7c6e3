/* SPDX-License-Identifier: Apache-2.0 */
#include "rollover/journal.h"

#include "json/fields.h"

#include <string.h>

/* A day of the year 5138: sums of it and any wait stay far from the end of int64_t. */
#define MS_MAX 100000000000000

void journal_write(const struct rollover *r, const char *name, struct writer *w)
{
	writer_open(w, name, '{');
	writer_text(w, "step", rollover_step_word(r->machine.at));
	writer_text(w, "keep", r->keep == ROLLOVER_NEXT ? "next" : "current");
	writer_bool(w, "emergency", r->emergency);
	writer_bool(w, "from_standby", r->from_standby);
	writer_bool(w, "restocked", r->restocked);
	writer_bool(w, "exposed", r->exposed);
	writer_bool(w, "parted", r->parted);
	writer_u64(w, "ttl_s", r->ttl_s);
	writer_u64(w, "negative_s", r->negative_s);
	writer_integer(w, "known_ms", r->known_ms);
	writer_integer(w, "drained_ms", r->drained_ms);
	writer_integer(w, "broken_ms", r->broken_ms);
	writer_integer(w, "since_ms", r->since_ms);
	writer_integer(w, "deadline_ms", r->deadline_ms);
	writer_u64(w, "tries", r->tries);
	writer_text(w, "trouble", r->trouble);
	writer_close(w);
}

static int read_step(const char *word, int *out, struct err *err)
{
	for (int i = 0; i < ROLLOVER_STEPS; i++) {
		if (strcmp(word, rollover_step_word(i)) != 0)
			continue;
		*out = i;
		return 0;
	}
	return err_set(err, ERR_FORMAT, "step '%.32s': unknown", word);
}

static void read_times(struct fields *f, struct rollover *r)
{
	fields_u32(f, "ttl_s", FIELDS_MUST, INT32_MAX, &r->ttl_s);
	fields_u32(f, "negative_s", FIELDS_MUST, INT32_MAX, &r->negative_s);
	fields_integer(f, "known_ms", FIELDS_MUST, 0, MS_MAX, &r->known_ms);
	fields_integer(f, "drained_ms", FIELDS_MUST, 0, MS_MAX, &r->drained_ms);
	fields_integer(f, "broken_ms", FIELDS_MUST, 0, MS_MAX, &r->broken_ms);
	fields_integer(f, "since_ms", FIELDS_MUST, 0, MS_MAX, &r->since_ms);
	fields_integer(f, "deadline_ms", FIELDS_MUST, 0, MS_MAX, &r->deadline_ms);
}

static int read_members(const struct doc *root, struct rollover *r, struct err *err)
{
	struct fields f = fields_of(root, err);
	const char *step = "", *keep = "";
	int rc;

	fields_text(&f, "step", FIELDS_MUST, &step);
	fields_text(&f, "keep", FIELDS_MUST, &keep);
	fields_bool(&f, "emergency", FIELDS_MUST, &r->emergency);
	fields_bool(&f, "from_standby", FIELDS_MUST, &r->from_standby);
	fields_bool(&f, "restocked", FIELDS_MUST, &r->restocked);
	fields_bool(&f, "exposed", FIELDS_MUST, &r->exposed);
	fields_bool(&f, "parted", FIELDS_MUST, &r->parted);
	read_times(&f, r);
	fields_u32(&f, "tries", FIELDS_MUST, INT32_MAX, &r->tries);
	fields_copy(&f, "trouble", FIELDS_MUST, r->trouble, sizeof(r->trouble));
	rc = fields_done(&f);
	if (rc != 0)
		return rc;
	if (strcmp(keep, "next") != 0 && strcmp(keep, "current") != 0)
		return err_set(err, ERR_FORMAT, "keep '%.32s': not next or current", keep);
	r->keep = keep[0] == 'n' ? ROLLOVER_NEXT : ROLLOVER_CURRENT;
	return read_step(step, &r->machine.at, err);
}

int journal_read(const struct doc *object, const struct rollover_policy *policy, struct rollover *r,
	struct err *err)
{
	struct rollover made = { .policy = *policy };
	int rc = read_members(object, &made, err);

	if (rc == 0) {
		rollover_equip(&made);
		*r = made;
	}
	return rc;
}
