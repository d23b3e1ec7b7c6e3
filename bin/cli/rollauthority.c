/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rollauthority.h"

#include "ca/succession.h"
#include "identity/rollremain.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHOWN 10

int rollauthority_begin(const char *state, struct rollfile *f, const char *dir, struct err *err)
{
	struct state *opened = NULL;
	int lock = -1;
	int rc = f->via[0] ? state_open_keyless(state, &opened, err)
			   : err_set(err, ERR_ARG, "--via: missing, the first time");

	state_close(opened);
	if (rc == 0)
		rc = rollfile_lock(dir, &lock, err);
	if (rc == 0)
		rc = succession_begin(state, err);
	f->last = 1;
	keyring_word(f->last, f->current);
	if (rc == 0)
		rc = rollfile_write(dir, f, err);
	if (lock >= 0)
		close(lock);
	return rc;
}

static size_t count_here(const struct rollusers *u)
{
	size_t n = 0;

	for (size_t i = 0; i < u->count; i++)
		n += u->leaf[i].here;
	return n;
}

static void tell_leaves(const struct rollusers *u, struct buf *out)
{
	char name[NAME_TEXT_MAX], moment[ROLL_MOMENT_MAX];

	buf_printf(out, "leaves    %zu rest on the one that goes, %zu with their files elsewhere\n",
		u->count, u->count - count_here(u));
	for (size_t i = 0; i < u->count && i < SHOWN; i++) {
		rollusers_name(&u->leaf[i], name, sizeof(name));
		text_write_time(u->leaf[i].not_after, moment);
		buf_printf(out, "remains   %s until %s%s%s\n", name, moment,
			u->leaf[i].here ? "  " : "  elsewhere",
			u->leaf[i].here ? u->leaf[i].prefix : "");
	}
	if (u->count > SHOWN)
		buf_printf(out, "          and %zu more\n", u->count - SHOWN);
}

static void tell_owners(const struct rollremain *m, bool under_way, struct buf *out)
{
	buf_printf(out, "owners    %zu have records of it", m->owners.count);
	if (under_way)
		buf_printf(out, ", %zu remain in this step", m->waiting.count);
	buf_text(out, "\n");
	for (size_t i = 0; i < m->waiting.count && i < SHOWN; i++)
		buf_printf(out, "remains   %s\n", m->waiting.owner[i]);
	if (m->waiting.count > SHOWN)
		buf_printf(out, "          and %zu more\n", m->waiting.count - SHOWN);
}

int rollauthority_tell(const char *state, const struct rollfile *f, struct buf *out,
	struct err *err)
{
	struct rollremain m;
	char moment[ROLL_MOMENT_MAX];
	int rc = rollremain_read(state, f, roll_now() / 1000, &m, err);

	if (rc != 0)
		return rc;
	tell_owners(&m, f->under_way, out);
	if (f->under_way)
		tell_leaves(&m.leaves, out);
	for (size_t i = 0; i < m.retired_count; i++) {
		text_write_time(m.retired[i].until_s, moment);
		buf_printf(out, "retired   %s, has to sign its CRL until %s\n",
			m.retired[i].generation, moment);
	}
	rollremain_done(&m);
	return 0;
}

static void write_time(struct writer *w, const char *name, int64_t at_s)
{
	char moment[ROLL_MOMENT_MAX];

	text_write_time(at_s, moment);
	writer_text(w, name, moment);
}

static void write_leaves(const struct rollusers *u, struct writer *w)
{
	writer_open(w, "leaves_remaining", '[');
	for (size_t i = 0; i < u->count; i++) {
		writer_open(w, NULL, '{');
		writer_text(w, "names", u->leaf[i].names);
		writer_text(w, "prefix", u->leaf[i].prefix);
		write_time(w, "until", u->leaf[i].not_after);
		writer_bool(w, "elsewhere", !u->leaf[i].here);
		writer_close(w);
	}
	writer_close(w);
}

int rollauthority_write(const char *state, const struct rollfile *f, struct writer *w,
	struct err *err)
{
	struct rollremain m;
	int rc = rollremain_read(state, f, roll_now() / 1000, &m, err);

	if (rc != 0)
		return rc;
	writer_u64(w, "owners", m.owners.count);
	writer_open(w, "owners_remaining", '[');
	for (size_t i = 0; i < m.waiting.count; i++)
		writer_text(w, NULL, m.waiting.owner[i]);
	writer_close(w);
	write_leaves(&m.leaves, w);
	writer_open(w, "retired", '[');
	for (size_t i = 0; i < m.retired_count; i++) {
		writer_open(w, NULL, '{');
		writer_text(w, "generation", m.retired[i].generation);
		write_time(w, "until", m.retired[i].until_s);
		writer_close(w);
	}
	writer_close(w);
	rollremain_done(&m);
	return 0;
}
