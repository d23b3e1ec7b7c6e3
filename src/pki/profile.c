/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/profile.h"

#include <string.h>

int profile_read_role(const char *word, enum profile_role *out, struct err *err)
{
	static const struct {
		const char *word;
		enum profile_role role;
	} roles[] = {
		{ "server", PROFILE_SERVER },
		{ "client", PROFILE_CLIENT },
		{ "both", PROFILE_BOTH },
	};

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(word, roles[i].word) != 0)
			continue;
		*out = roles[i].role;
		return 0;
	}
	return err_set(err, ERR_ARG, "role '%s': not server, client or both", word);
}

/* Only what a certificate may carry: letters, digits, hyphen, underscore; or "*" first. */
static bool san_is_fit(const struct name *name)
{
	struct name rest;

	if (name_labels(name) == 0)
		return false;
	if (name->wire[0] == 1 && name->wire[1] == '*')
		return name_parent(name, &rest) && name_labels(&rest) > 0 && name_is_plain(&rest);
	return name_is_plain(name);
}

int profile_add_san(struct profile *p, const char *text, struct err *err)
{
	struct name name;

	if (p->san_count == PROFILE_SAN_MAX)
		return err_set(err, ERR_SPACE, "name '%s': more than %d names", text,
			PROFILE_SAN_MAX);
	if (name_of(text, &name) != 0)
		return err_set(err, ERR_FORMAT, "name '%s': not a domain name", text);
	if (!san_is_fit(&name))
		return err_set(err, ERR_FORMAT,
			"name '%s': only letters, digits, hyphen and underscore, or '*' as the "
			"first label",
			text);
	for (size_t i = 0; i < p->san_count; i++)
		if (name_equal(&p->san[i], &name))
			return err_set(err, ERR_ARG, "name '%s': given twice", text);
	p->san[p->san_count++] = name;
	return 0;
}

bool profile_is_authority(const struct profile *p)
{
	return p->role == PROFILE_ROOT || p->role == PROFILE_INTERMEDIATE;
}

static int check_text(const char *field, const char *text, struct err *err)
{
	size_t n = strlen(text);

	if (n == 0)
		return err_set(err, ERR_ARG, "%s: empty", field);
	if (n > PROFILE_TEXT_MAX)
		return err_set(err, ERR_ARG, "%s: %zu octets, %d at most", field, n,
			PROFILE_TEXT_MAX);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return err_set(err, ERR_ARG, "%s: holds a control character", field);
	return 0;
}

int profile_check(const struct profile *p, struct err *err)
{
	int rc = 0;

	if (p->common_name)
		rc = check_text("common name", p->common_name, err);
	if (rc == 0 && p->organisation)
		rc = check_text("organisation", p->organisation, err);
	if (rc != 0)
		return rc;
	if (profile_is_authority(p) && !p->common_name)
		return err_set(err, ERR_ARG, "common name: an authority needs one");
	if (profile_is_authority(p) && p->san_count != 0)
		return err_set(err, ERR_ARG, "names: an authority has none");
	if (!profile_is_authority(p) && p->san_count == 0)
		return err_set(err, ERR_ARG, "names: none given");
	if (p->days == 0 || p->days > PROFILE_DAYS_MAX)
		return err_set(err, ERR_ARG, "days: %u is not 1 to %d", p->days, PROFILE_DAYS_MAX);
	if (p->path_len < -1 || p->path_len > 16)
		return err_set(err, ERR_ARG, "path length: %d is not 0 to 16", p->path_len);
	return 0;
}
