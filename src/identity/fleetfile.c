/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/fleetfile.h"

#include "base/hex.h"
#include "crypto/digest.h"
#include "pki/profile.h"
#include "store/jsonfile.h"
#include "json/fields.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "fleets"
#define NAMED  8 /* octets of the digest */

static int name_file(const char *state, const char *list, char out[PATH_MAX], struct err *err)
{
	uint8_t digest[32];
	char hex[2 * NAMED + 1];
	int rc = digest_sha256((struct span){ (const uint8_t *)list, strlen(list) }, digest, err);

	if (rc != 0)
		return rc;
	hex_write((struct span){ digest, NAMED }, hex, sizeof(hex));
	if (snprintf(out, PATH_MAX, "%s/" FOLDER "/%s.json", state, hex) < PATH_MAX)
		return 0;
	return err_set(err, ERR_ARG, "folder '%.80s...': the path is too long", state);
}

static int make_folder(const char *state, struct err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.*s/" FOLDER, PATH_MAX - 16, state);
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	return err_set(err, ERR_SYSTEM, "folder '%s': %s", path, strerror(errno));
}

int fleetfile_write(const char *state, const struct fleetfile *f, struct err *err)
{
	struct buf text = { 0 };
	struct writer w = writer_into(&text);
	char path[PATH_MAX];
	int rc = name_file(state, f->list, path, err);

	writer_open(&w, NULL, '{');
	writer_text(&w, "list", f->list);
	writer_text(&w, "via", f->via);
	writer_text(&w, "result", f->result);
	writer_text(&w, "form", f->form);
	writer_text(&w, "key_kind", f->key_kind);
	writer_bool(&w, "ca", f->ca);
	writer_u64(&w, "days", f->days);
	writer_close(&w);
	if (rc == 0)
		rc = make_folder(state, err);
	if (rc == 0)
		rc = jsonfile_write(path, &w, &text, err);
	buf_done(&text);
	return rc;
}

int fleetfile_forget(const char *state, const char *list, bool *found, struct err *err)
{
	char path[PATH_MAX];
	int rc = name_file(state, list, path, err);

	if (rc != 0)
		return rc;
	*found = unlink(path) == 0;
	return *found || errno == ENOENT
		? 0
		: err_set(err, ERR_SYSTEM, "'%s': %s", path, strerror(errno));
}

static int take_fields(const struct doc *object, struct fleetfile *out, struct err *err)
{
	struct fields f = fields_of(object, err);

	fields_copy(&f, "list", FIELDS_MUST, out->list, sizeof(out->list));
	fields_copy(&f, "via", FIELDS_MUST, out->via, sizeof(out->via));
	fields_copy(&f, "result", FIELDS_MUST, out->result, sizeof(out->result));
	fields_copy(&f, "form", FIELDS_MUST, out->form, sizeof(out->form));
	fields_copy(&f, "key_kind", FIELDS_MUST, out->key_kind, sizeof(out->key_kind));
	fields_bool(&f, "ca", FIELDS_MUST, &out->ca);
	fields_u32(&f, "days", FIELDS_MUST, PROFILE_DAYS_MAX, &out->days);
	return fields_done(&f);
}

static int read_file(const char *path, struct fleetfile *out, struct err *err)
{
	struct doc *doc = NULL;
	int rc = jsonfile_read(path, &doc, err);

	if (rc != 0)
		return rc;
	rc = take_fields(doc, out, err);
	doc_free(doc);
	return rc == 0 ? 0 : err_wrap(err, rc, "'%s'", path);
}

/* What a killed writer has left ends otherwise: see pki/pemfile.h. */
static bool is_ours(const char *file)
{
	const char *dot = strrchr(file, '.');

	return file[0] != '.' && dot && strcmp(dot, ".json") == 0;
}

int fleetfile_each(const char *state,
	int (*each)(void *arg, const struct fleetfile *f, struct err *err), void *arg,
	struct err *err)
{
	char folder[PATH_MAX], path[PATH_MAX];
	const struct dirent *e;
	struct fleetfile f;
	DIR *d;
	int rc = 0;

	snprintf(folder, sizeof(folder), "%.*s/" FOLDER, PATH_MAX - 16, state);
	d = opendir(folder);
	if (!d)
		return errno == ENOENT
			? 0
			: err_set(err, ERR_SYSTEM, "folder '%s': %s", folder, strerror(errno));
	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (!is_ours(e->d_name) ||
			snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) >= PATH_MAX)
			continue;
		f = (struct fleetfile){ .days = 0 };
		rc = each(arg, read_file(path, &f, err) == 0 ? &f : NULL, err);
	}
	closedir(d);
	return rc;
}
