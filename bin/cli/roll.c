/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/roll.h"

#include "cli/agent.h"
#include "identity/rollrecords.h"
#include "json/writer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

static int folder_of(const char *state, const struct rollfile *f, char dir[PATH_MAX],
	struct err *err)
{
	char owner[NAME_TEXT_MAX];
	int rc;

	if (f->authority)
		return rollfile_authority(state, dir, err);
	rc = rollrecords_owner(f, owner, err);
	return rc == 0 ? rollfile_folder(state, owner, dir, err) : rc;
}

int roll_find(const char *state, const struct rollfile *f, bool exact, char dir[PATH_MAX],
	struct err *err)
{
	struct agent_names all = { .count = 0 };
	unsigned found = 0;
	int rc;

	if (exact || f->services || f->authority)
		return folder_of(state, f, dir, err);
	rc = agent_names_read(state, &all, err);
	for (size_t i = 0; rc == 0 && i < all.count; i++) {
		if (all.name[i]->file.authority || strcasecmp(all.name[i]->file.name, f->name) != 0)
			continue;
		snprintf(dir, PATH_MAX, "%s", all.name[i]->dir);
		found++;
	}
	agent_names_free(&all);
	if (rc == 0 && found == 0)
		return folder_of(state, f, dir, err);
	if (rc == 0 && found > 1)
		rc = err_set(err, ERR_ARG, "%s: has several keys: --service or --client says which",
			f->name);
	return rc;
}

int roll_open(const char *state, const struct rollfile *f, bool again, struct roll *out,
	struct err *err)
{
	struct rolling_world world = { .ttl_s = 0 };
	struct roll *r = out;
	int rc;

	*r = (struct roll){ .hold = ROLLFILE_HELD };
	rc = folder_of(state, f, r->dir, err);
	if (rc != 0)
		return rc;
	rc = publishing_open(f->via, &r->publishing, err);
	if (rc != 0)
		return rc;
	rc = publishing_remember(&r->publishing, state, err);
	if (rc == 0 && snprintf(r->authority, sizeof(r->authority), "%s", state) >= PATH_MAX - 8)
		rc = err_set(err, ERR_ARG, "--state: the path is too long");
	if (rc == 0) {
		char ca[PATH_MAX + 8];

		snprintf(ca, sizeof(ca), "%s/ca.pem", state);
		world = (struct rolling_world){ .publication = &r->publishing.publication,
			.walk = r->publishing.walk,
			.authority = access(ca, F_OK) == 0 ? r->authority : NULL,
			.ttl_s = r->publishing.ttl_s,
			.again = again };
		rc = rolling_open(r->dir, &world, &r->hold, &r->rolling, err);
	}
	if (rc != 0)
		roll_close(r);
	return rc;
}

void roll_close(struct roll *r)
{
	rolling_close(r->rolling);
	r->rolling = NULL;
	publishing_close(&r->publishing);
}

int64_t roll_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A moment within a second is told as the second after it: a wait is never told too short. */
void roll_moment(int64_t ms, char out[ROLL_MOMENT_MAX])
{
	if (ms == 0)
		snprintf(out, ROLL_MOMENT_MAX, "-");
	else
		text_write_time((time_t)((ms + 999) / 1000), out);
}

int64_t roll_until(const struct rollover *r)
{
	if (r->machine.at == ROLLOVER_SETTLE)
		return r->known_ms;
	return r->machine.at == ROLLOVER_DRAIN ? r->drained_ms : 0;
}

static void tell_step(const struct rollfile *f, int64_t now_ms, struct buf *out)
{
	const struct rollover *r = &f->rollover;
	char moment[ROLL_MOMENT_MAX];

	buf_printf(out, "step      %s: %s\n", rollover_step_word(r->machine.at),
		rollover_step_sentence(r->machine.at));
	roll_moment(r->since_ms, moment);
	buf_printf(out, "since     %s\n", moment);
	if (roll_until(r)) {
		roll_moment(roll_until(r), moment);
		buf_printf(out, "until     %s\n", moment);
	}
	if (r->keep == ROLLOVER_CURRENT)
		buf_text(out, "going     back: the current key stays\n");
	else
		buf_printf(out, "going     from %s to %s%s\n", f->current, f->next,
			r->emergency ? ", in an emergency" : "");
	if (r->trouble[0])
		buf_printf(out, "trouble   %s (tried %u times)\n", r->trouble, r->tries);
	if (rollover_is_late(r, now_ms))
		buf_text(out, "LATE      somebody should look\n");
}

void roll_tell(const struct rollfile *f, int64_t now_ms, struct buf *out)
{
	char moment[ROLL_MOMENT_MAX];

	buf_printf(out, "name      %s", f->name);
	for (unsigned i = 0; i < f->services; i++)
		buf_printf(out, " %s", f->service[i]);
	buf_printf(out, "%s\ncurrent   %s\n", f->services || f->authority ? "" : " (client)",
		f->current);
	if (f->under_way) {
		tell_step(f, now_ms, out);
		return;
	}
	if (f->standby[0]) {
		roll_moment(f->standby_known_ms, moment);
		buf_printf(out, "standby   %s, of use from %s on\n", f->standby, moment);
	}
	roll_moment(f->ended_ms, moment);
	if (f->done)
		buf_printf(out, "last      %s: %s\n", moment, f->result);
	buf_printf(out, "step      none: no rollover is under way (%u done)\n", f->done);
}

static void write_moment(struct writer *w, const char *name, int64_t ms)
{
	char moment[ROLL_MOMENT_MAX];

	if (ms == 0) {
		writer_null(w, name);
		return;
	}
	roll_moment(ms, moment);
	writer_text(w, name, moment);
}

void roll_tell_json(const struct rollfile *f, int64_t now_ms, struct writer *w)
{
	const struct rollover *r = &f->rollover;

	writer_text(w, "name", f->name);
	writer_open(w, "services", '[');
	for (unsigned i = 0; i < f->services; i++)
		writer_text(w, NULL, f->service[i]);
	writer_close(w);
	writer_text(w, "current", f->current);
	writer_bool(w, "under_way", f->under_way);
	if (f->under_way) {
		writer_text(w, "next", f->next);
		writer_text(w, "step", rollover_step_word(r->machine.at));
		write_moment(w, "since", r->since_ms);
		write_moment(w, "until", roll_until(r));
		writer_bool(w, "going_back", r->keep == ROLLOVER_CURRENT);
		writer_bool(w, "emergency", r->emergency);
		writer_text(w, "trouble", r->trouble);
		writer_bool(w, "late", rollover_is_late(r, now_ms));
	} else {
		writer_text(w, "standby", f->standby);
		write_moment(w, "standby_from", f->standby_known_ms);
	}
	writer_u64(w, "done", f->done);
	write_moment(w, "ended", f->ended_ms);
	writer_text(w, "result", f->result);
}
