/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/profilefile.h"

#include "cli/text.h"
#include "program/config.h"

#include <stdlib.h>
#include <string.h>

#define PROFILES_MAX 64

/* As the file has it. */
struct row {
	char *name, *role, *lifetime, *backdate;
	int *path_length;
	char **key_usage, **extended_key_usage, **permitted, **excluded;
	unsigned key_usage_count, extended_key_usage_count, permitted_count, excluded_count;
};

struct table {
	struct row *profiles;
	unsigned profiles_count;
};

struct profilefile {
	const char *path;
	struct table *table;
};

static const cyaml_schema_value_t word = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 253) };

#define WORDS(key, max)                                                                       \
	CYAML_FIELD_SEQUENCE(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct row, key, \
		&word, 0, max)

static const cyaml_schema_field_t row_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct row, name, 1, 64),
	CYAML_FIELD_STRING_PTR("for", CYAML_FLAG_POINTER, struct row, role, 1, 16),
	CYAML_FIELD_STRING_PTR("lifetime", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct row,
		lifetime, 1, 16),
	CYAML_FIELD_STRING_PTR("backdate", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct row,
		backdate, 1, 16),
	CYAML_FIELD_INT_PTR("path_length", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct row,
		path_length),
	WORDS(key_usage, PROFILE_KEY_USAGES),
	WORDS(extended_key_usage, PROFILE_PURPOSES),
	WORDS(permitted, PROFILE_SUBTREE_MAX),
	WORDS(excluded, PROFILE_SUBTREE_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t row_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct row, row_fields),
};

static const cyaml_schema_field_t table_fields[] = {
	CYAML_FIELD_SEQUENCE("profiles", CYAML_FLAG_POINTER, struct table, profiles, &row_schema, 1,
		PROFILES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = CONFIG_SCHEMA(struct table, table_fields);

static int check_names(const char *path, const struct table *table, struct err *err)
{
	for (unsigned i = 1; i < table->profiles_count; i++)
		for (unsigned j = 0; j < i; j++)
			if (strcmp(table->profiles[i].name, table->profiles[j].name) == 0)
				return err_set(err, ERR_FORMAT, "%s: profile '%s': given twice",
					path, table->profiles[i].name);
	return 0;
}

int profilefile_open(const char *path, struct profilefile **out, struct err *err)
{
	struct profilefile *file = calloc(1, sizeof(*file));
	void *table = NULL;
	int rc = 0;

	if (!file)
		return err_set(err, ERR_NOMEM, "profiles: out of memory");
	file->path = path;
	if (path)
		rc = config_load(path, &schema, &table, err);
	file->table = table;
	if (rc == 0 && path)
		rc = check_names(path, file->table, err);
	if (rc == 0)
		*out = file;
	else
		profilefile_close(file);
	return rc;
}

void profilefile_close(struct profilefile *file)
{
	if (file && file->table)
		config_free(&schema, file->table);
	free(file);
}

static int set_role(struct profile *p, const char *role, struct err *err)
{
	if (strcmp(role, "ca") != 0)
		return profile_read_role(role, &p->role, err) == 0
			? 0
			: err_set(err, ERR_ARG, "for '%s': not server, client, both or ca", role);
	if (p->role != PROFILE_ROOT)
		p->role = PROFILE_INTERMEDIATE;
	return 0;
}

static int each_word(struct profile *p, char *const *words, unsigned n,
	int (*add)(struct profile *, const char *, struct err *), struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < n; i++)
		rc = add(p, words[i], err);
	return rc;
}

static int set_row(struct profile *p, const struct row *row, struct err *err)
{
	int rc = set_role(p, row->role, err);

	p->name = row->name;
	if (rc == 0 && row->lifetime && text_read_span(row->lifetime, &p->life_s, err) != 0)
		rc = err_wrap(err, ERR_FORMAT, "lifetime");
	if (rc == 0 && row->backdate && text_read_span(row->backdate, &p->backdate_s, err) != 0)
		rc = err_wrap(err, ERR_FORMAT, "backdate");
	if (rc == 0 && row->path_length)
		p->path_len = *row->path_length;
	if (rc == 0)
		rc = each_word(p, row->key_usage, row->key_usage_count, profile_add_key_usage, err);
	if (rc == 0)
		rc = each_word(p, row->extended_key_usage, row->extended_key_usage_count,
			profile_add_purpose, err);
	if (rc == 0)
		rc = each_word(p, row->permitted, row->permitted_count, profile_permit, err);
	if (rc == 0)
		rc = each_word(p, row->excluded, row->excluded_count, profile_exclude, err);
	if (rc == 0 && row->path_length && !profile_is_authority(p))
		rc = err_set(err, ERR_ARG, "path_length: only a ca has one");
	return rc;
}

static void set_defaults(struct profile *p, bool authority)
{
	p->life_s = (authority ? 1825 : 365) * PROFILE_DAY_S;
	p->backdate_s = PROFILE_BACKDATE_S;
	p->path_len = authority ? 0 : -1;
}

int profilefile_apply(const struct profilefile *file, const char *name, struct profile *out,
	struct err *err)
{
	const struct table *table = file->table;

	for (unsigned i = 0; table && i < table->profiles_count; i++) {
		const struct row *row = &table->profiles[i];

		if (strcmp(row->name, name) != 0)
			continue;
		set_defaults(out, strcmp(row->role, "ca") == 0);
		return set_row(out, row, err) == 0
			? 0
			: err_wrap(err, ERR_ARG, "%s: profile '%s'", file->path, name);
	}
	if (set_role(out, name, err) != 0)
		return err_set(err, ERR_ARG, "profile '%s': not in %s, nor built in", name,
			file->path ? file->path : "a file");
	set_defaults(out, profile_is_authority(out));
	return 0;
}
