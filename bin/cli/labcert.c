/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/lab.h"
#include "pki/authority.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DAYS 30

static int make_authorities(const struct lab *lab, const struct lab_organisation *o,
	struct authority **out, struct err *err)
{
	char root[LAB_PATH_MAX], below[LAB_PATH_MAX], name[64];
	struct profile profile = { .role = PROFILE_ROOT,
		.common_name = name,
		.organisation = o->title,
		.life_s = DAYS * PROFILE_DAY_S,
		.backdate_s = PROFILE_BACKDATE_S,
		.path_len = 1 };
	struct authority_order order = { .profile = &profile };
	struct authority *parent;
	int rc;

	snprintf(root, sizeof(root), "%s/%s/root", lab->dir, o->letter);
	snprintf(below, sizeof(below), "%s/%s/ca", lab->dir, o->letter);
	snprintf(name, sizeof(name), "%s Root", o->title);
	rc = authority_init(root, &order, err);
	if (rc == 0)
		rc = authority_load(root, NULL, &parent, err);
	if (rc != 0)
		return rc;
	snprintf(name, sizeof(name), "%s Issuing", o->title);
	profile.role = PROFILE_INTERMEDIATE;
	profile.path_len = 0;
	rc = authority_extend(parent, below, &order, err);
	authority_free(parent);
	return rc == 0 ? authority_load(below, NULL, out, err) : rc;
}

static int make_one(const struct lab *lab, const struct lab_organisation *o,
	const struct authority *ca, const char *role, bool client, const char *name,
	struct err *err)
{
	char prefix[LAB_PATH_MAX];
	struct profile profile = { .role = client ? PROFILE_CLIENT : PROFILE_SERVER,
		.common_name = name,
		.organisation = o->title,
		.life_s = DAYS * PROFILE_DAY_S,
		.backdate_s = PROFILE_BACKDATE_S,
		.path_len = -1 };
	struct authority_order order = { .profile = &profile };
	int rc = profile_add_san(&profile, name, err);

	snprintf(prefix, sizeof(prefix), "%s/%s/%s-%s", lab->dir, o->letter, role,
		client ? "client" : "server");
	return rc == 0 ? authority_issue(ca, prefix, &order, err) : rc;
}

static int make_organisation(const struct lab *lab, size_t n, struct err *err)
{
	const struct lab_organisation *o = &lab_organisations[n];
	struct authority *ca = NULL;
	char folder[LAB_PATH_MAX];
	struct lab_host host;
	int rc;

	if (mkdir(lab_path(lab, o->letter, folder), 0700) != 0)
		return err_set(err, ERR_SYSTEM, "folder '%s': %s", folder, strerror(errno));
	rc = make_authorities(lab, o, &ca, err);
	for (size_t role = 0; rc == 0 && role < LAB_ROLES; role++) {
		lab_host(lab, n, role, &host);
		rc = make_one(lab, o, ca, lab_roles[role], false, host.name, err);
		if (rc == 0)
			rc = make_one(lab, o, ca, lab_roles[role], true, host.client_name, err);
	}
	authority_free(ca);
	return rc;
}

int lab_make_credentials(const struct lab *lab, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < LAB_ORGANISATIONS; i++)
		rc = make_organisation(lab, i, err);
	return rc;
}
