/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/rolling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "identity/rollca.h"
#include "identity/rollname.h"
#include "identity/rollpublish.h"

int64_t rolling_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const struct rollfile *rolling_file(const struct rolling *r)
{
	return &r->file;
}

void rolling_close(struct rolling *r)
{
	if (!r)
		return;
	if (r->lock >= 0)
		close(r->lock);
	free(r);
}

int rolling_save(struct rolling *r, struct err *err)
{
	return rollfile_write(r->dir, &r->file, err);
}

int rolling_open(const char *dir, const struct rolling_world *world, enum rollfile_hold *hold,
	struct rolling **out, struct err *err)
{
	struct rolling *r = calloc(1, sizeof(*r));
	bool there = false;
	int rc;

	if (!r)
		return err_set(err, ERR_NOMEM, "rollover: no memory");
	r->lock = -1;
	r->world = *world;
	snprintf(r->dir, sizeof(r->dir), "%s", dir);
	rc = rollfile_lock_kept(dir, hold, &r->lock, err);
	if (rc == 0)
		rc = rollfile_read(dir, &r->file, &there, err);
	if (rc == 0 && !there)
		rc = err_set(err, ERR_ARG, "'%s': nothing is kept there any more", dir);
	r->tasks = r->file.authority ? &rollca_tasks : &rollname_tasks;
	if (rc == 0 && !r->file.authority)
		rc = rollrecords_of(&r->file, &r->records, err);
	if (rc == 0 && r->file.under_way && !world->again)
		rollover_resume(&r->file.rollover, rolling_now());
	if (rc == 0)
		rc = rolling_save(r, err);
	if (rc != 0) {
		rolling_close(r);
		return rc;
	}
	*out = r;
	return 0;
}

const char *rolling_generation(const struct rolling *r, unsigned credential)
{
	if (credential == ROLLOVER_CURRENT)
		return r->file.current;
	return credential == ROLLOVER_NEXT ? r->file.next : r->file.standby;
}

int rolling_log(struct rolling *r, const char *act, const char *from, const char *to,
	const char *why, struct err *err)
{
	const struct auditline_note notes[] = {
		{ "from", from },
		{ "to", to },
		{ "why", why },
	};

	return audit_append(r->world.publication->audit, act, r->file.name, notes,
		sizeof(notes) / sizeof(notes[0]), err);
}

int rolling_begin(struct rolling *r, struct err *err)
{
	struct rollfile *f = &r->file;
	int rc;

	if (f->under_way)
		return 0;
	rc = r->tasks->prepare(r, err);
	if (rc != 0)
		return rc;
	rollover_start(&f->rollover, &f->policy, f->standby[0] ? f->standby_known_ms : 0,
		rolling_now());
	if (f->standby[0])
		snprintf(f->next, sizeof(f->next), "%s", f->standby);
	else
		keyring_word(++f->last, f->next);
	keyring_word(++f->last, f->standby);
	f->under_way = true;
	rc = rolling_log(r, "rollover.begin", f->current, f->next, NULL, err);
	return rc == 0 ? rolling_save(r, err) : rc;
}

int rolling_hurry(struct rolling *r, bool *at_once, struct err *err)
{
	int rc = rolling_begin(r, err);

	if (rc != 0)
		return rc;
	*at_once = rollover_hurry(&r->file.rollover, rolling_now());
	rc = rolling_log(r, "rollover.emergency", r->file.current, r->file.next, NULL, err);
	return rc == 0 ? rolling_save(r, err) : rc;
}

int rolling_turn(struct rolling *r, const char *why, bool *turned, struct err *err)
{
	int rc;

	*turned = r->file.under_way && rollover_turn(&r->file.rollover, why, rolling_now());
	if (!*turned)
		return 0;
	rc = rolling_log(r, "rollover.turn", r->file.next, r->file.current, why, err);
	return rc == 0 ? rolling_save(r, err) : rc;
}

static int erase(struct rolling *r, struct err *err)
{
	const struct rollover *e = &r->file.rollover;
	unsigned unwanted = rollover_unwanted(e);
	int rc = unwanted ? r->tasks->erase(r, rolling_generation(r, unwanted), err) : 0;

	/* After turning round a standby may have been made that was never published. */
	if (rc == 0 && e->keep == ROLLOVER_CURRENT)
		rc = r->tasks->erase(r, r->file.standby, err);
	return rc;
}

/* A failure of the world is an outcome; the engine tries again. */
static void perform(struct rolling *r, enum rollover_task task, struct rollover_outcome *o)
{
	bool changed;
	int rc = 0;

	switch (task) {
	case ROLLOVER_MAKE_NEXT: rc = r->tasks->make(r, r->file.next, &r->last); break;
	case ROLLOVER_MAKE_STANDBY: rc = r->tasks->make(r, r->file.standby, &r->last); break;
	case ROLLOVER_ASK:
		rc = rollpublish_ask(r, rollover_wanted(&r->file.rollover),
			rollover_banned(&r->file.rollover), o, &r->last);
		break;
	case ROLLOVER_PUBLISH:
		rc = rollpublish_all(r, rollover_wanted(&r->file.rollover), &changed, &r->last);
		break;
	case ROLLOVER_INSTALL: rc = r->tasks->install(r, &r->last); break;
	case ROLLOVER_LOOK: rc = r->tasks->look(r, o, &r->last); break;
	case ROLLOVER_ERASE: rc = erase(r, &r->last); break;
	case ROLLOVER_WAIT:
	case ROLLOVER_NOTHING: return;
	}
	if (rc != 0) {
		o->done = false;
		o->why = r->last.msg;
	} else if (task != ROLLOVER_ASK && task != ROLLOVER_LOOK) {
		o->done = true;
	}
}

/* A standby whose record had to be put back is known to everybody a while after. */
static int know_standby(struct rolling *r, bool repaired, const struct rollover_outcome *o,
	struct err *err)
{
	struct rollfile *f = &r->file;
	int64_t before = f->standby_known_ms;

	if (!f->standby[0])
		return 0;
	if (repaired)
		f->standby_known_ms = 0;
	if (o->done && f->standby_known_ms == 0)
		f->standby_known_ms = rolling_now() +
			((int64_t)o->ttl_s + o->negative_s + f->policy.margin_s) * 1000;
	return f->standby_known_ms == before ? 0 : rolling_save(r, err);
}

int rolling_check(struct rolling *r, bool *good, bool *repaired, char words[ROLLING_WORDS_MAX],
	struct err *err)
{
	unsigned wanted = ROLLOVER_CURRENT | (r->file.standby[0] ? ROLLOVER_STANDBY : 0);
	struct rollover_outcome o = { .done = false };
	int rc;

	if (r->file.under_way)
		return err_set(err, ERR_ARG, "%s: a rollover is under way", r->file.name);
	r->file.rollover.keep = ROLLOVER_CURRENT;
	rc = rollpublish_all(r, wanted, repaired, err);
	if (rc == 0)
		rc = rollpublish_ask(r, wanted, 0, &o, err);
	if (rc == 0 && o.done)
		rc = r->tasks->look(r, &o, err);
	if (rc != 0)
		return rc;
	*good = o.done && o.presents == ROLLOVER_PRESENTS_KEPT;
	rc = know_standby(r, *repaired, &o, err);
	if (rc != 0)
		return rc;
	snprintf(words, ROLLING_WORDS_MAX, "%s",
		!*good              ? o.why
			: *repaired ? "records were not as they should be, and are again"
				    : "");
	return 0;
}

static void end(struct rolling *r)
{
	struct rollfile *f = &r->file;
	const struct rollover *o = &f->rollover;

	if (o->keep == ROLLOVER_NEXT) {
		snprintf(f->result, sizeof(f->result), "%s in place of %s%s", f->next, f->current,
			o->emergency ? ", in an emergency" : "");
		snprintf(f->current, sizeof(f->current), "%s", f->next);
		f->standby_known_ms = o->restocked ? o->known_ms : 0;
		if (!o->restocked)
			f->standby[0] = '\0';
	} else {
		snprintf(f->result, sizeof(f->result), "%s stays: %.150s", f->current, o->trouble);
		snprintf(f->standby, sizeof(f->standby), "%s", o->from_standby ? f->next : "");
		f->standby_known_ms = o->from_standby ? o->known_ms : 0;
	}
	f->next[0] = '\0';
	f->adopt[0] = '\0';
	f->under_way = false;
	f->done++;
	f->ended_ms = rolling_now();
}

int rolling_step(struct rolling *r, int64_t *wait_ms, struct err *err)
{
	struct rollover_outcome o = { .done = false };
	struct rollover *e = &r->file.rollover;
	enum rollover_task task;
	int rc;

	*wait_ms = -1;
	if (!r->file.under_way)
		return 0;
	task = rollover_next(e, rolling_now());
	if (task != ROLLOVER_WAIT) {
		perform(r, task, &o);
		rollover_input(e, &o, rolling_now());
		if (rollover_is_done(e)) {
			end(r);
			rc = rolling_log(r, "rollover.end", NULL, r->file.current, r->file.result,
				err);
			return rc == 0 ? rolling_save(r, err) : rc;
		}
		rc = rolling_save(r, err);
		if (rc != 0)
			return rc;
	}
	*wait_ms = e->deadline_ms - rolling_now();
	if (*wait_ms < 0)
		*wait_ms = 0;
	return 0;
}
