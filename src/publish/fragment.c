/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/fragment.h"

#include "pki/pemfile.h"

#include <errno.h>
#include <fcntl.h>
#include <ldns/ldns.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_OCTETS_MAX ((size_t)256 << 20) /* a fleet of a million */

static const char mark[] = "; Written by sardane: changes by hand are refused or lost.\n";

/* One line; its data lies in the file's text, or in that of the lines to be added. */
struct entry {
	struct name owner; /* in lower case */
	uint16_t type;
	uint32_t ttl_s;
	char *data; /* NULL: taken out */
};

struct file {
	const char *path;
	struct buf text;
	size_t count, room;
	struct entry *entry;
};

static int compare_keys(const struct entry *a, const struct entry *b)
{
	size_t n = a->owner.n < b->owner.n ? a->owner.n : b->owner.n;
	int order = memcmp(a->owner.wire, b->owner.wire, n);

	if (order == 0)
		order = (a->owner.n > b->owner.n) - (a->owner.n < b->owner.n);
	return order ? order : (a->type > b->type) - (a->type < b->type);
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = compare_keys(x, y);

	return order ? order : strcmp(x->data, y->data);
}

static void file_done(struct file *f)
{
	free(f->entry);
	buf_done(&f->text);
}

static int push(struct file *f, const struct entry *e, struct err *err)
{
	size_t room = f->room ? 2 * f->room : 64;
	struct entry *list;

	if (f->count == f->room) {
		list = realloc(f->entry, room * sizeof(*list));
		if (!list)
			return err_set(err, ERR_NOMEM, "%s: out of memory", f->path);
		f->entry = list;
		f->room = room;
	}
	f->entry[f->count++] = *e;
	return 0;
}

static bool read_line(char *line, struct entry *out)
{
	char *rest = line, *owner = strsep(&rest, " "), *ttl = strsep(&rest, " "),
	     *class = strsep(&rest, " "), *type = strsep(&rest, " "), *end;
	struct entry e = { .data = rest };

	if (!rest || !*rest || strcmp(class, "IN") != 0 || name_of(owner, &e.owner) != 0)
		return false;
	e.ttl_s = (uint32_t)strtoul(ttl, &end, 10);
	e.type = (uint16_t)ldns_get_rr_type_by_name(type);
	name_lower(&e.owner);
	*out = e;
	return *ttl && !*end && e.type != 0;
}

static int read_text(struct file *f, struct err *err)
{
	char *rest = (char *)f->text.p, *line;
	size_t n = 1;

	if (strncmp(rest, mark, sizeof(mark) - 1) != 0)
		return err_set(err, ERR_FORMAT, "%s: not a file of ours: its first line is another",
			f->path);
	rest += sizeof(mark) - 1;
	while ((line = strsep(&rest, "\n")) != NULL) {
		struct entry e;
		int rc;

		n++;
		if (!rest && !*line)
			break;
		if (!read_line(line, &e))
			return err_set(err, ERR_FORMAT, "%s:%zu: not a line of ours", f->path, n);
		rc = push(f, &e, err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* A file that is not there holds nothing. */
static int file_load(struct file *f, const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	uint8_t chunk[65536];
	ssize_t n = 0;

	*f = (struct file){ .path = path, .text = { .limit = FILE_OCTETS_MAX } };
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	while (buf_ok(&f->text) && (n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_put(&f->text, (struct span){ chunk, (size_t)n });
	if (n < 0)
		rc = err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	close(fd);
	if (rc == 0 && !buf_string(&f->text))
		rc = err_set(err, ERR_NOMEM, "%s: too large", path);
	if (rc == 0 && f->text.n)
		rc = read_text(f, err);
	if (rc == 0 && f->count)
		qsort(f->entry, f->count, sizeof(*f->entry), compare_entries);
	return rc;
}

static struct entry key_of(const struct name *owner, uint16_t type)
{
	struct entry key = { .owner = *owner, .type = type };

	name_lower(&key.owner);
	return key;
}

/* The first entry of a set among the first count, which are sorted. */
static size_t find(const struct file *f, size_t count, const struct entry *key)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_keys(&f->entry[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int set_of(const struct file *f, size_t count, const struct entry *key,
	const struct name *owner, struct rrset *out, struct err *err)
{
	struct rrset set = rrset_of(owner, key->type, 0);
	struct buf data = { 0 };
	int rc = 0;

	for (size_t i = find(f, count, key);
		rc == 0 && i < count && compare_keys(&f->entry[i], key) == 0; i++) {
		data.n = 0;
		rc = rrset_read_data(key->type, f->entry[i].data, &data, err);
		if (rc == 0)
			rc = rrset_add(&set, buf_span(&data), err);
		set.ttl_s = f->entry[i].ttl_s;
	}
	buf_done(&data);
	if (rc != 0) {
		rrset_done(&set);
		return err_wrap(err, rc, "%s", f->path);
	}
	*out = set;
	return 0;
}

int fragment_read_many(const char *path, const struct name *owners, size_t count, uint16_t type,
	struct rrset *out, struct err *err)
{
	struct file f;
	int rc = file_load(&f, path, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct entry key = key_of(&owners[i], type);

		rc = set_of(&f, f.count, &key, &owners[i], &out[i], err);
	}
	file_done(&f);
	return rc;
}

int fragment_read(const char *path, const struct name *owner, uint16_t type, struct rrset *out,
	struct err *err)
{
	return fragment_read_many(path, owner, 1, type, out, err);
}

/* Takes the set out, and puts its new lines into added. */
static int change_one(struct file *f, size_t count, const struct change *c, struct buf *added,
	bool *moved, struct err *err)
{
	struct entry key = key_of(&c->after.owner, c->after.type);
	struct rrset now = { 0 };
	int rc = set_of(f, count, &key, &c->after.owner, &now, err);

	if (rc != 0)
		return rc;
	*moved = !rrset_equal(&now, &c->before);
	rrset_done(&now);
	if (*moved)
		return 0;
	for (size_t i = find(f, count, &key); i < count && compare_keys(&f->entry[i], &key) == 0;
		i++)
		f->entry[i].data = NULL;
	for (size_t i = 0; i < c->after.count; i++)
		rrset_write_line(&c->after, c->after.rdata[i], added);
	return 0;
}

static void write_entry(const struct entry *e, struct buf *out)
{
	char owner[NAME_TEXT_MAX], type[12];

	if (name_write_text(&e->owner, owner, sizeof(owner)) != 0)
		owner[0] = '\0'; /* room for any name */
	buf_printf(out, "%s. %u IN %s %s\n", owner, e->ttl_s,
		rr_type_word(e->type, type, sizeof(type)), e->data);
}

static int file_store(struct file *f, struct buf *added, struct err *err)
{
	struct buf out = { .limit = FILE_OCTETS_MAX };
	char *rest = (char *)buf_string(added), *line;
	size_t kept = 0;
	int rc = rest ? 0 : err_set(err, ERR_NOMEM, "%s: out of memory", f->path);

	for (size_t i = 0; i < f->count; i++)
		if (f->entry[i].data)
			f->entry[kept++] = f->entry[i];
	f->count = kept;
	while (rc == 0 && added->n && (line = strsep(&rest, "\n")) != NULL) {
		struct entry e;

		if (*line && read_line(line, &e))
			rc = push(f, &e, err);
	}
	if (rc == 0 && f->count)
		qsort(f->entry, f->count, sizeof(*f->entry), compare_entries);
	buf_text(&out, mark);
	for (size_t i = 0; i < f->count; i++)
		write_entry(&f->entry[i], &out);
	if (rc == 0 && !buf_ok(&out))
		rc = err_set(err, ERR_NOMEM, "%s: out of memory", f->path);
	if (rc == 0)
		rc = pemfile_write(f->path, PEMFILE_PUBLIC, true, buf_span(&out), err);
	buf_done(&out);
	return rc;
}

static int lock(const char *path, int *fd, struct err *err)
{
	char name[PATH_MAX];

	if (snprintf(name, sizeof(name), "%s.lock", path) >= (int)sizeof(name))
		return err_set(err, ERR_ARG, "%.80s...: the path is too long", path);
	*fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd >= 0 && flock(*fd, LOCK_EX) == 0)
		return 0;
	if (*fd >= 0)
		close(*fd);
	return err_set(err, ERR_SYSTEM, "%s: %s", name, strerror(errno));
}

int fragment_apply(const char *path, const struct change *list, size_t count, bool *moved,
	struct err *err)
{
	struct buf added = { .limit = FILE_OCTETS_MAX };
	struct file f = { 0 };
	bool other = false;
	int fd, rc = lock(path, &fd, err);

	if (rc != 0)
		return rc;
	rc = file_load(&f, path, err);
	for (size_t i = 0; rc == 0 && !other && i < count; i++)
		rc = change_one(&f, f.count, &list[i], &added, &other, err);
	if (rc == 0 && !other)
		rc = file_store(&f, &added, err);
	file_done(&f);
	buf_done(&added);
	close(fd);
	if (rc == 0)
		*moved = other;
	return rc;
}
