/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/rollfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rollover/journal.h"
#include "store/jsonfile.h"
#include "json/fields.h"

#define SECONDS_MAX 31536000 /* a year */
#define MS_MAX      100000000000000

static int file_of(const char *dir, const char *name, char out[PATH_MAX], struct err *err)
{
	if (snprintf(out, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		return err_set(err, ERR_ARG, "folder '%.80s...': the path is too long", dir);
	return 0;
}

/* Escapes of a domain name may hide a slash; a dot in front may be the folder above. */
int rollfile_folder(const char *state, const char *owner, char out[PATH_MAX], struct err *err)
{
	if (!owner[0] || owner[0] == '.' || strpbrk(owner, "/\\"))
		return err_set(err, ERR_ARG, "name '%s': cannot be a folder", owner);
	if (snprintf(out, PATH_MAX, "%s/names/%s", state, owner) >= PATH_MAX)
		return err_set(err, ERR_ARG, "folder '%.80s...': the path is too long", state);
	return 0;
}

int rollfile_authority(const char *state, char out[PATH_MAX], struct err *err)
{
	return file_of(state, ROLLFILE_AUTHORITY, out, err);
}

static void write_authority(const struct rollfile *f, struct writer *w)
{
	writer_open(w, "authority", '{');
	writer_text(w, "parent", f->parent);
	writer_text(w, "adopt", f->adopt);
	writer_text(w, "password_file", f->password_file);
	writer_text(w, "switching", f->switching);
	writer_close(w);
}

static void write_policy(const struct rollover_policy *p, struct writer *w)
{
	writer_open(w, "policy", '{');
	writer_u64(w, "margin_s", p->margin_s);
	writer_u64(w, "drain_s", p->drain_s);
	writer_u64(w, "broken_s", p->broken_s);
	writer_u64(w, "patience_s", p->patience_s);
	writer_u64(w, "pause_ms", p->pause_ms);
	writer_bool(w, "standby", p->standby);
	writer_close(w);
}

static void write_forms(const struct rollfile *f, struct writer *w)
{
	char text[16];

	writer_open(w, "forms", '[');
	for (size_t i = 0; i < f->forms; i++) {
		snprintf(text, sizeof(text), "%u %u %u", f->form[i].usage, f->form[i].selector,
			f->form[i].matching);
		writer_text(w, NULL, text);
	}
	writer_close(w);
}

static void write_settings(const struct rollfile *f, struct writer *w)
{
	writer_text(w, "name", f->name);
	writer_open(w, "services", '[');
	for (unsigned i = 0; i < f->services; i++)
		writer_text(w, NULL, f->service[i]);
	writer_close(w);
	writer_text(w, "via", f->via);
	writer_text(w, "reload", f->reload);
	writer_open(w, "connect", '[');
	for (unsigned i = 0; i < f->addresses; i++)
		writer_text(w, NULL, f->address[i]);
	writer_close(w);
	writer_text(w, "key_kind", f->key_kind);
	writer_u64(w, "days", f->days);
	write_policy(&f->policy, w);
	write_forms(f, w);
}

int rollfile_write(const char *dir, const struct rollfile *f, struct err *err)
{
	struct buf text = { 0 };
	struct writer w = writer_into(&text);
	char path[PATH_MAX];
	int rc = file_of(dir, "rollover.json", path, err);

	writer_open(&w, NULL, '{');
	write_settings(f, &w);
	writer_u64(&w, "last", f->last);
	writer_text(&w, "current", f->current);
	writer_text(&w, "next", f->next);
	writer_text(&w, "standby", f->standby);
	writer_integer(&w, "standby_known_ms", f->standby_known_ms);
	writer_u64(&w, "done", f->done);
	writer_integer(&w, "ended_ms", f->ended_ms);
	writer_text(&w, "result", f->result);
	if (f->authority)
		write_authority(f, &w);
	if (f->under_way)
		journal_write(&f->rollover, "rollover", &w);
	writer_close(&w);
	if (rc == 0)
		rc = jsonfile_write(path, &w, &text, err);
	buf_done(&text);
	return rc;
}

static int read_policy(const struct doc *object, struct rollover_policy *p, struct err *err)
{
	struct fields f = fields_of(object, err);

	fields_u32(&f, "margin_s", FIELDS_MUST, SECONDS_MAX, &p->margin_s);
	fields_u32(&f, "drain_s", FIELDS_MUST, SECONDS_MAX, &p->drain_s);
	fields_u32(&f, "broken_s", FIELDS_MUST, SECONDS_MAX, &p->broken_s);
	fields_u32(&f, "patience_s", FIELDS_MUST, SECONDS_MAX, &p->patience_s);
	fields_u32(&f, "pause_ms", FIELDS_MUST, SECONDS_MAX, &p->pause_ms);
	fields_bool(&f, "standby", FIELDS_MUST, &p->standby);
	return fields_done(&f);
}

static int read_forms(const struct doc *list, struct rollfile *f, struct err *err)
{
	f->forms = doc_count(list);
	if (f->forms > AGILITY_FORMS_MAX)
		return err_set(err, ERR_FORMAT, "forms: too many");
	for (size_t i = 0; i < f->forms; i++) {
		struct agility_form *form = &f->form[i];

		if (sscanf(doc_text(doc_item(list, i)), "%2hhu %2hhu %2hhu", &form->usage,
			    &form->selector, &form->matching) != 3)
			return err_set(err, ERR_FORMAT, "forms: not \"3 1 1\"");
	}
	return 0;
}

/* A list of texts into an array of arrays of this size. */
static int read_texts(const struct doc *list, const char *what, char *out, size_t size,
	unsigned max, unsigned *n, struct err *err)
{
	*n = (unsigned)doc_count(list);
	if (doc_count(list) > max)
		return err_set(err, ERR_FORMAT, "%s: too many", what);
	for (unsigned i = 0; i < *n; i++)
		if (snprintf(out + i * size, size, "%s", doc_text(doc_item(list, i))) >= (int)size)
			return err_set(err, ERR_FORMAT, "%s: too long", what);
	return 0;
}

static int read_lists(struct fields *f, struct rollfile *r, struct err *err)
{
	const struct doc *services = NULL, *connect = NULL, *forms = NULL, *policy = NULL;
	int rc;

	fields_array(f, "services", FIELDS_MUST, &services);
	fields_array(f, "connect", FIELDS_MUST, &connect);
	fields_array(f, "forms", FIELDS_MUST, &forms);
	fields_object(f, "policy", FIELDS_MUST, &policy);
	rc = fields_done(f);
	if (rc == 0)
		rc = read_texts(services, "services", r->service[0], sizeof(r->service[0]),
			ROLLFILE_SERVICES_MAX, &r->services, err);
	if (rc == 0)
		rc = read_texts(connect, "connect", r->address[0], sizeof(r->address[0]),
			ROLLFILE_ADDRESSES_MAX, &r->addresses, err);
	if (rc == 0)
		rc = read_forms(forms, r, err);
	return rc == 0 ? read_policy(policy, &r->policy, err) : rc;
}

static void read_generations(struct fields *f, struct rollfile *r)
{
	fields_u32(f, "last", FIELDS_MUST, INT32_MAX, &r->last);
	fields_copy(f, "current", FIELDS_MUST, r->current, sizeof(r->current));
	fields_copy(f, "next", FIELDS_MUST, r->next, sizeof(r->next));
	fields_copy(f, "standby", FIELDS_MUST, r->standby, sizeof(r->standby));
	fields_integer(f, "standby_known_ms", FIELDS_MUST, 0, MS_MAX, &r->standby_known_ms);
	fields_u32(f, "done", FIELDS_MUST, INT32_MAX, &r->done);
	fields_integer(f, "ended_ms", FIELDS_MUST, 0, MS_MAX, &r->ended_ms);
	fields_copy(f, "result", FIELDS_MUST, r->result, sizeof(r->result));
}

static int read_authority(const struct doc *object, struct rollfile *r, struct err *err)
{
	struct fields f = fields_of(object, err);

	fields_copy(&f, "parent", FIELDS_MUST, r->parent, sizeof(r->parent));
	fields_copy(&f, "adopt", FIELDS_MUST, r->adopt, sizeof(r->adopt));
	fields_copy(&f, "password_file", FIELDS_MUST, r->password_file, sizeof(r->password_file));
	fields_copy(&f, "switching", FIELDS_MUST, r->switching, sizeof(r->switching));
	return fields_done(&f);
}

static int read_all(const struct doc *root, struct rollfile *r, struct err *err)
{
	struct fields f = fields_of(root, err);
	const struct doc *under_way = NULL, *authority = NULL;
	int rc;

	fields_copy(&f, "name", FIELDS_MUST, r->name, sizeof(r->name));
	fields_copy(&f, "via", FIELDS_MUST, r->via, sizeof(r->via));
	fields_copy(&f, "reload", FIELDS_MUST, r->reload, sizeof(r->reload));
	fields_copy(&f, "key_kind", FIELDS_MUST, r->key_kind, sizeof(r->key_kind));
	fields_u32(&f, "days", FIELDS_MUST, PROFILE_DAYS_MAX, &r->days);
	read_generations(&f, r);
	r->under_way = fields_object(&f, "rollover", FIELDS_MAY, &under_way);
	r->authority = fields_object(&f, "authority", FIELDS_MAY, &authority);
	rc = read_lists(&f, r, err);
	if (rc == 0 && r->authority)
		rc = read_authority(authority, r, err);
	if (rc == 0 && r->under_way)
		rc = journal_read(under_way, &r->policy, &r->rollover, err);
	return rc;
}

int rollfile_read(const char *dir, struct rollfile *out, bool *there, struct err *err)
{
	struct rollfile made = { .days = 0 };
	struct doc *root = NULL;
	char path[PATH_MAX];
	int rc = file_of(dir, "rollover.json", path, err);

	if (rc != 0)
		return rc;
	*there = access(path, F_OK) == 0;
	if (!*there)
		return 0;
	rc = jsonfile_read(path, &root, err);
	if (rc != 0)
		return rc;
	rc = read_all(root, &made, err);
	doc_free(root);
	if (rc != 0)
		return err_wrap(err, rc, "'%s'", path);
	*out = made;
	return 0;
}

/* With what is above it, as far as the state. */
static int make_folder(char *path, int above, struct err *err)
{
	char *slash = strrchr(path, '/');
	int rc;

	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT || above == 0 || !slash)
		return err_set(err, ERR_SYSTEM, "'%s': %s", path, strerror(errno));
	*slash = '\0';
	rc = make_folder(path, above - 1, err);
	*slash = '/';
	if (rc == 0 && mkdir(path, 0700) != 0 && errno != EEXIST)
		rc = err_set(err, ERR_SYSTEM, "'%s': %s", path, strerror(errno));
	return rc;
}

/* Whoever had it may have removed the file before it let go. */
static bool is_removed(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

int rollfile_try_lock(const char *dir, enum rollfile_hold *out, int *fd, struct err *err)
{
	char path[PATH_MAX];
	int lock, rc = file_of(dir, "lock", path, err);

	*out = ROLLFILE_HELD;
	if (rc != 0)
		return rc;
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0 && errno != ENOENT)
		return err_set(err, ERR_SYSTEM, "'%s': %s", path, strerror(errno));
	if (lock < 0) {
		*out = ROLLFILE_ABSENT;
		return 0;
	}
	if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			*out = ROLLFILE_BUSY;
		else
			rc = err_set(err, ERR_SYSTEM, "'%s': %s", path, strerror(errno));
		close(lock);
		return rc;
	}
	*out = is_removed(lock) ? ROLLFILE_BUSY : ROLLFILE_HELD;
	if (*out == ROLLFILE_HELD)
		*fd = lock;
	else
		close(lock);
	return 0;
}

int rollfile_lock_kept(const char *dir, enum rollfile_hold *out, int *fd, struct err *err)
{
	int rc = rollfile_try_lock(dir, out, fd, err);

	if (rc == 0 && *out == ROLLFILE_BUSY)
		rc = err_set(err, ERR_SYSTEM, "'%s/lock': another process is at it", dir);
	if (rc == 0 && *out == ROLLFILE_ABSENT)
		rc = err_set(err, ERR_ARG, "'%s': nothing is kept there any more", dir);
	return rc;
}

int rollfile_lock(const char *dir, int *fd, struct err *err)
{
	enum rollfile_hold got;
	char folder[PATH_MAX];
	int rc;

	snprintf(folder, sizeof(folder), "%s", dir);
	rc = make_folder(folder, 2, err);
	return rc == 0 ? rollfile_lock_kept(dir, &got, fd, err) : rc;
}
