/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/crlfile.h"

#include "store/jsonfile.h"
#include "json/fields.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIFE_MAX_S INT32_MAX
#define TIME_MAX_S 100000000000

static int name_file(const char *prefix, char out[PATH_MAX], struct err *err)
{
	if (snprintf(out, PATH_MAX, "%s" CRLFILE_ENDING, prefix) < PATH_MAX)
		return 0;
	return err_set(err, ERR_ARG, "'%.80s...': the path is too long", prefix);
}

static int write_file(const char *prefix, const struct crlfile *f, struct err *err)
{
	struct buf text = { 0 };
	struct writer w = writer_into(&text);
	char path[PATH_MAX];
	int rc = name_file(prefix, path, err);

	writer_open(&w, NULL, '{');
	writer_text(&w, "path", f->path);
	writer_text(&w, "password_file", f->password_file);
	writer_u64(&w, "life_s", f->life_s);
	writer_integer(&w, "this_update", f->this_update);
	writer_integer(&w, "next_update", f->next_update);
	writer_close(&w);
	if (rc == 0)
		rc = jsonfile_write(path, &w, &text, err);
	buf_done(&text);
	return rc;
}

static int take_fields(const struct doc *object, struct crlfile *out, struct err *err)
{
	struct fields f = fields_of(object, err);

	fields_copy(&f, "path", FIELDS_MUST, out->path, sizeof(out->path));
	fields_copy(&f, "password_file", FIELDS_MUST, out->password_file,
		sizeof(out->password_file));
	fields_u32(&f, "life_s", FIELDS_MUST, LIFE_MAX_S, &out->life_s);
	fields_integer(&f, "this_update", FIELDS_MUST, 0, TIME_MAX_S, &out->this_update);
	fields_integer(&f, "next_update", FIELDS_MUST, 0, TIME_MAX_S, &out->next_update);
	return fields_done(&f);
}

int crlfile_read(const char *prefix, struct crlfile *out, struct err *err)
{
	struct doc *doc = NULL;
	struct crlfile f = { .life_s = 0 };
	char path[PATH_MAX];
	int rc = name_file(prefix, path, err);

	if (rc == 0)
		rc = jsonfile_read(path, &doc, err);
	if (rc != 0)
		return rc;
	rc = take_fields(doc, &f, err);
	doc_free(doc);
	if (rc != 0)
		return err_wrap(err, rc, "'%s'", path);
	*out = f;
	return 0;
}

/* As who runs in another folder finds it; "" stays. */
static int make_absolute(const char *path, char out[PATH_MAX], struct err *err)
{
	out[0] = '\0';
	if (path[0] && !realpath(path, out))
		return err_set(err, ERR_SYSTEM, "'%s': %s", path, strerror(errno));
	return 0;
}

int crlfile_sign(struct state *state, const char *path, const char *password_file, unsigned life_s,
	struct revocation_list *out, struct err *err)
{
	struct crlfile f = { .life_s = life_s };
	int rc = revocation_publish(state, path, life_s, out, err);

	f.this_update = out->this_update;
	f.next_update = out->next_update;
	if (rc == 0)
		rc = make_absolute(path, f.path, err);
	if (rc == 0)
		rc = make_absolute(password_file, f.password_file, err);
	return rc == 0 ? write_file(state->place.prefix, &f, err) : rc;
}

int crlfile_again(const char *prefix, struct crlfile *f, struct err *err)
{
	const struct password password = { .file = f->password_file };
	struct revocation_list list = { .number = 0 };
	struct state *state = NULL;
	int rc = state_open(prefix, f->password_file[0] ? &password : NULL, &state, err);

	if (rc == 0)
		rc = crlfile_sign(state, f->path, f->password_file, f->life_s, &list, err);
	state_close(state);
	return rc == 0 ? crlfile_read(prefix, f, err) : rc;
}

struct counting {
	int64_t since;
	size_t count;
};

static bool count(void *arg, const struct ledger_entry *e)
{
	struct counting *c = arg;

	c->count += e->revoked_at >= c->since;
	return true;
}

int crlfile_behind(const char *prefix, const struct crlfile *f, size_t *out, struct err *err)
{
	struct counting c = { .since = f->this_update };
	struct state *state = NULL;
	struct facts own = { 0 };
	OWNED(pemfile_chain) chain = NULL;
	int rc = state_open_keyless(prefix, &state, err);

	if (rc == 0)
		rc = pemfile_read_chain(state->place.cert, &chain, err);
	if (rc == 0)
		rc = facts_read(sk_X509_value(chain, 0), &own, err);
	if (rc == 0)
		rc = ledger_each(state->ledger,
			&(struct ledger_filter){ .issuer = own.own, .revoked = true }, count, &c,
			err);
	facts_done(&own);
	state_close(state);
	if (rc == 0)
		*out = c.count;
	return rc;
}
