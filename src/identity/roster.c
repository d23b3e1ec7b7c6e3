/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/roster.h"

#include "base/base64.h"
#include "crypto/digest.h"
#include "identity/csv.h"
#include "pki/der.h"
#include "pki/request.h"
#include "pki/wholefile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIELD_OCTETS_MAX 16384 /* of a key or a request */

enum column { COLUMN_NAME, COLUMN_KEY, COLUMN_REQUEST, COLUMN_TLSA, COLUMNS };

static const char *const words[COLUMNS] = { "name", "key", "request", "tlsa" };

void roster_complain(struct roster *r, size_t line, const char *fmt, ...)
{
	struct roster_problem *p = &r->problem[r->problems];
	va_list args;

	if (r->problems++ >= ROSTER_PROBLEMS_MAX)
		return;
	p->line = line;
	va_start(args, fmt);
	vsnprintf(p->words, sizeof(p->words), fmt, args);
	va_end(args);
}

static int load(struct roster *r, struct err *err)
{
	int fd = open(r->path, O_RDONLY | O_CLOEXEC);
	uint8_t *room;
	ssize_t n = 1;
	struct stat st;
	int rc = 0;

	if (fd < 0 || fstat(fd, &st) != 0)
		rc = err_set(err, ERR_SYSTEM, "%s: %s", r->path, strerror(errno));
	else
		buf_reserve(&r->text, (size_t)st.st_size + 65536);
	while (rc == 0 && n > 0) {
		room = buf_extend(&r->text, 65536);
		if (!room) {
			rc = err_set(err, ERR_NOMEM, "%s: too large", r->path);
			break;
		}
		n = read(fd, room, 65536);
		r->text.n -= 65536 - (n > 0 ? (size_t)n : 0);
		if (n < 0)
			rc = err_set(err, ERR_SYSTEM, "%s: %s", r->path, strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	if (rc == 0 && !buf_string(&r->text))
		rc = err_set(err, ERR_NOMEM, "%s: too large", r->path);
	return rc;
}

/* Which column each field of a row belongs to. */
struct header {
	size_t count;
	enum column column[CSV_FIELDS_MAX];
};

static int read_header(struct roster *r, struct csv *c, struct header *h, struct err *err)
{
	bool there[COLUMNS] = { false };
	struct csv_row row = { .line = 1 };
	int rc = 0;

	if (!csv_next(c, &row, &rc, err))
		return err_set(err, ERR_FORMAT, "%s: empty; its first line names the columns",
			r->path);
	for (size_t i = 0; rc == 0 && i < row.count; i++) {
		unsigned k = 0;

		while (k < COLUMNS && strcmp(words[k], row.field[i]) != 0)
			k++;
		if (k == COLUMNS || there[k])
			return err_set(err, ERR_FORMAT,
				"%s:%zu: column '%.40s': not name, key, request or tlsa, each once",
				r->path, row.line, row.field[i]);
		there[k] = true;
		h->column[i] = (enum column)k;
	}
	if (rc != 0)
		return err_wrap(err, rc, "%s:%zu", r->path, row.line);
	if (!there[COLUMN_NAME])
		return err_set(err, ERR_FORMAT, "%s:%zu: the column 'name' is missing", r->path,
			row.line);
	h->count = row.count;
	return 0;
}

static bool read_name(struct roster *r, struct roster_device *d, char *text)
{
	size_t n = strlen(text);

	if (name_of(text, &d->name) != 0 || !name_is_plain(&d->name) || name_labels(&d->name) < 2) {
		roster_complain(r, d->line,
			"name '%.80s': not a domain name of letters, digits, hyphens and "
			"underscores",
			text);
		return false;
	}
	name_lower(&d->name);
	for (size_t i = 0; i < n; i++)
		text[i] |= text[i] >= 'A' && text[i] <= 'Z' ? 0x20 : 0;
	if (text[n - 1] == '.')
		text[n - 1] = '\0';
	d->owner = text;
	return true;
}

static void read_form(struct roster *r, struct roster_device *d, const char *text,
	const struct roster_order *o)
{
	d->matching = o->matching;
	if (!*text)
		return;
	if (o->wildcard)
		roster_complain(r, d->line,
			"tlsa '%.40s': the wildcard's record stands for all of them", text);
	else if (strcmp(text, "3 1 1") != 0 && strcmp(text, "3 1 0") != 0)
		roster_complain(r, d->line, "tlsa '%.40s': not 3 1 1 or 3 1 0", text);
	else
		d->matching = (uint8_t)(text[4] - '0');
}

/* "@FILE" into its octets; anything else is itself. */
static int open_field(const struct roster *r, const char *text, struct buf *out, struct err *err)
{
	const char *slash = strrchr(r->path, '/');
	char path[PATH_MAX];

	if (text[0] != '@') {
		buf_text(out, text);
		return buf_ok(out) ? 0 : err_set(err, ERR_FORMAT, "too long");
	}
	if (snprintf(path, sizeof(path), "%.*s%s",
		    text[1] == '/' || !slash ? 0 : (int)(slash - r->path + 1), r->path,
		    text + 1) >= (int)sizeof(path))
		return err_set(err, ERR_ARG, "the path is too long");
	return wholefile_read("file", path, out, err);
}

static int put_field(struct roster *r, const struct roster_device *d, const char *what,
	const char *text, struct buf *out, struct err *err)
{
	struct buf octets = { .limit = FIELD_OCTETS_MAX };
	struct err why;

	buf_printf(out, "%s\n", what);
	if (*text && open_field(r, text, &octets, &why) != 0)
		roster_complain(r, d->line, "%s '%.40s': %.140s", what, text, why.msg);
	buf_put(out, buf_span(&octets));
	buf_done(&octets);
	return buf_ok(out) ? 0 : err_set(err, ERR_NOMEM, "%s: out of memory", r->path);
}

static int compute_terms(struct roster *r, struct roster_device *d, const struct roster_order *o,
	struct buf *t, struct err *err)
{
	int rc;

	t->n = 0;
	buf_printf(t, "%s\n%u\n%s\n", o->terms, d->matching,
		*d->key || *d->request ? "" : o->key_kind);
	rc = put_field(r, d, "key", d->key, t, err);
	if (rc == 0)
		rc = put_field(r, d, "request", d->request, t, err);
	return rc == 0 ? digest_sha256(buf_span(t), d->terms, err) : rc;
}

static struct roster_device *push(struct roster *r, size_t *room)
{
	size_t more = *room ? 2 * *room : 1024;
	struct roster_device *list = r->device;

	if (r->count == *room) {
		list = realloc(r->device, more * sizeof(*list));
		if (!list)
			return NULL;
		r->device = list;
		*room = more;
	}
	return &list[r->count];
}

static int take_row(struct roster *r, const struct header *h, const struct csv_row *row,
	const struct roster_order *o, size_t *room, struct buf *scratch, struct err *err)
{
	char *field[COLUMNS] = { NULL }; /* of columns that are not there */
	struct roster_device *d;

	if (row->count != h->count) {
		roster_complain(r, row->line, "%zu fields where the first line has %zu", row->count,
			h->count);
		return 0;
	}
	if (r->count == ROSTER_DEVICES_MAX)
		return err_set(err, ERR_FORMAT, "%s: more than %d devices", r->path,
			ROSTER_DEVICES_MAX);
	for (size_t i = 0; i < h->count; i++)
		field[h->column[i]] = row->field[i];
	d = push(r, room);
	if (!d)
		return err_set(err, ERR_NOMEM, "%s: out of memory", r->path);
	*d = (struct roster_device){ .line = row->line,
		.key = field[COLUMN_KEY] ? field[COLUMN_KEY] : "",
		.request = field[COLUMN_REQUEST] ? field[COLUMN_REQUEST] : "" };
	if (!read_name(r, d, field[COLUMN_NAME]))
		return 0;
	read_form(r, d, field[COLUMN_TLSA] ? field[COLUMN_TLSA] : "", o);
	if (*d->key && *d->request)
		roster_complain(r, d->line, "key and request: give one of them");
	if (*d->request && !o->certificates)
		roster_complain(r, d->line, "request: only with --ca is there a certificate");
	r->count++;
	return compute_terms(r, d, o, scratch, err);
}

static int compare(const void *a, const void *b)
{
	const struct roster_device *x = a, *y = b;
	int order = strcmp(x->owner, y->owner);

	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static void check_together(struct roster *r, const struct roster_order *o)
{
	struct name parent, first;

	for (size_t i = 1; i < r->count; i++)
		if (strcmp(r->device[i].owner, r->device[i - 1].owner) == 0)
			roster_complain(r, r->device[i].line,
				"name '%.80s': is in line %zu already", r->device[i].owner,
				r->device[i - 1].line);
	if (!o->wildcard || r->count == 0)
		return;
	name_parent(&r->device[0].name, &first);
	for (size_t i = 1; i < r->count; i++)
		if (!name_parent(&r->device[i].name, &parent) || !name_equal(&parent, &first))
			roster_complain(r, r->device[i].line,
				"name '%.80s': not below the name that '%.80s' is below, as one "
				"wildcard needs",
				r->device[i].owner, r->device[0].owner);
}

int roster_read(const char *path, const struct roster_order *order, struct roster *out,
	struct err *err)
{
	struct buf scratch = { 0 };
	struct header header = { .count = 0 };
	struct csv_row row;
	struct csv c;
	size_t room = 0;
	struct err why;
	int rc, wrong;

	*out = (struct roster){ .path = path, .text = { .limit = ROSTER_OCTETS_MAX } };
	rc = load(out, err);
	if (rc == 0) {
		c = csv_over((char *)out->text.p, out->text.n);
		rc = read_header(out, &c, &header, err);
	}
	while (rc == 0 && csv_next(&c, &row, &wrong, &why)) {
		if (wrong != 0)
			roster_complain(out, row.line, "%s", why.msg);
		else
			rc = take_row(out, &header, &row, order, &room, &scratch, err);
	}
	buf_done(&scratch);
	if (rc == 0 && out->count)
		qsort(out->device, out->count, sizeof(*out->device), compare);
	if (rc == 0)
		check_together(out, order);
	if (rc == 0 && out->problems)
		rc = err_set(err, ERR_FORMAT, "%s: %zu rows are wrong", path, out->problems);
	return rc;
}

void roster_done(struct roster *r)
{
	for (size_t i = 0; i < r->count; i++)
		free((void *)r->device[i].spki.p);
	free(r->device);
	buf_done(&r->text);
	r->device = NULL;
	r->count = 0;
}

/* Base64 of DER as DER; PEM, or DER out of a file, as it is. */
static int unwrap(struct buf *octets, struct err *err)
{
	struct buf der = { 0 };
	size_t n = 0, kept = 0;
	uint8_t *out;
	int rc;

	if (octets->n && (octets->p[0] == 0x30 || octets->p[0] == '-'))
		return 0;
	for (size_t i = 0; i < octets->n; i++) /* lines are parted in files */
		if (!strchr(" \t\r\n", octets->p[i]))
			octets->p[kept++] = octets->p[i];
	octets->n = kept;
	out = buf_extend(&der, kept ? kept : 1);
	if (!out)
		return err_set(err, ERR_NOMEM, "out of memory");
	rc = base64_read(buf_span(octets), out, kept, &n);
	der.n = rc == 0 ? n : 0;
	buf_done(octets);
	*octets = der;
	return rc == 0 && n > 0
		? 0
		: err_set(err, ERR_FORMAT, "neither PEM nor base64 nor a file of it");
}

int roster_read_key(struct roster *r, struct roster_device *d, struct err *err)
{
	const char *what = *d->key ? "key" : "request", *text = *d->key ? d->key : d->request;
	struct buf octets = { .limit = FIELD_OCTETS_MAX }, spki = { 0 };
	struct err why;
	int rc;

	if (!*text)
		return 0;
	rc = open_field(r, text, &octets, &why);
	if (rc == 0)
		rc = unwrap(&octets, &why);
	if (rc == 0)
		rc = *d->key ? der_of_public_key(buf_span(&octets), &spki, &why)
			     : request_read_key(buf_span(&octets), &d->name, &spki, &why);
	buf_done(&octets);
	if (rc != 0)
		roster_complain(r, d->line, "%s: %.180s", what, why.msg);
	if (rc == 0 && !buf_ok(&spki))
		return err_set(err, ERR_NOMEM, "%s: out of memory", r->path);
	if (rc == 0)
		d->spki = buf_span(&spki); /* now the device's */
	else
		buf_done(&spki);
	return 0;
}
