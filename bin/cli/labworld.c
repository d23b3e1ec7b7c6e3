/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/lab.h"
#include "program/config.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct lab_zone lab_zones[LAB_ZONES] = {
	{ ".", "root.zone", -1, LAB_SIGNED },
	{ "example", "example.zone", 0, LAB_SIGNED },
	{ "a.example", "a.example.zone", 1, LAB_SIGNED },
	{ "b.example", "b.example.zone", 1, LAB_SIGNED },
	{ LAB_REGISTRY, LAB_REGISTRY ".zone", 1, LAB_SIGNED },
	{ "unsigned.example", "unsigned.example.zone", 1, LAB_UNSIGNED },
	{ "bogus.example", "bogus.example.zone", 1, LAB_BOGUS },
};

const struct lab_organisation lab_organisations[LAB_ORGANISATIONS] = {
	{ "a", "a.example", "Organisation A", "000013", "00005e100000001f", 1 },
	{ "b", "b.example", "Organisation B", "000024", "00005e100000002f", 11 },
};

const char *const lab_roles[LAB_ROLES] = { "ns", "js", "as" };

void lab_host(const struct lab *lab, size_t organisation, size_t role, struct lab_host *out)
{
	const struct lab_organisation *o = &lab_organisations[organisation];
	const char *word = lab_roles[role];

	snprintf(out->name, sizeof(out->name), "%s.%s", word, o->domain);
	out->port = lab->role_port[role];
	snprintf(out->server_owner, sizeof(out->server_owner), "_%u._tcp.%s.%s", out->port, word,
		o->domain);
	snprintf(out->client_name, sizeof(out->client_name), "_%s-client.%s.%s", word, word,
		o->domain);
	if (lab->address[0])
		snprintf(out->address, sizeof(out->address), "%s", lab->address);
	else
		snprintf(out->address, sizeof(out->address), "127.%u.%u.%u", lab->port >> 8 & 255,
			lab->port & 255, (o->first + (unsigned)role) & 255);
}

const char *lab_path(const struct lab *lab, const char *file, char out[LAB_PATH_MAX])
{
	snprintf(out, LAB_PATH_MAX, "%s/%s", lab->dir, file);
	return out;
}

int lab_locate(struct lab *lab, const char *dir, struct err *err)
{
	char path[PATH_MAX];
	char here[PATH_MAX];

	if (!dir)
		snprintf(path, sizeof(path), "/tmp/sardane-lab-%u", (unsigned)getuid());
	else if (dir[0] == '/')
		snprintf(path, sizeof(path), "%s", dir);
	else if (!getcwd(here, sizeof(here)))
		return err_set(err, ERR_SYSTEM, "working directory: %s", strerror(errno));
	else if (snprintf(path, sizeof(path), "%s/%s", here, dir) >= (int)sizeof(path))
		return err_set(err, ERR_ARG, "folder '%s': the path is too long", dir);
	while (strlen(path) > 1 && path[strlen(path) - 1] == '/')
		path[strlen(path) - 1] = '\0';
	if (strlen(path) > LAB_DIR_MAX)
		return err_set(err, ERR_ARG,
			"folder '%s': longer than %d characters, so a socket in it cannot be named",
			path, LAB_DIR_MAX);
	/* it goes into the configuration of knotd, between quotes */
	if (strpbrk(path, "\"\\\n\t'{}$`") || strlen(path) < 2)
		return err_set(err, ERR_ARG, "folder '%s': holds a character that will not do",
			path);
	snprintf(lab->dir, sizeof(lab->dir), "%s", path);
	return 0;
}

/* What lab.yaml holds. */
struct settings {
	unsigned port, ttl, ns_port, js_port, as_port;
	char *address;
	bool broken;
};

#define NUMBER(key) CYAML_FIELD_UINT(#key, CYAML_FLAG_DEFAULT, struct settings, key)

static const cyaml_schema_field_t fields[] = {
	NUMBER(port),
	NUMBER(ttl),
	NUMBER(ns_port),
	NUMBER(js_port),
	NUMBER(as_port),
	CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct settings,
		address, 7, 15),
	CYAML_FIELD_BOOL("broken", CYAML_FLAG_OPTIONAL, struct settings, broken),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = CONFIG_SCHEMA(struct settings, fields);

int lab_save(const struct lab *lab, struct err *err)
{
	struct buf text = { 0 };

	buf_printf(&text, "# written by sardane lab up; sardane lab down removes this folder\n");
	buf_printf(&text, "port: %u\nttl: %u\nns_port: %u\njs_port: %u\nas_port: %u\n", lab->port,
		lab->ttl_s, lab->role_port[0], lab->role_port[1], lab->role_port[2]);
	if (lab->address[0])
		buf_printf(&text, "address: \"%s\"\n", lab->address);
	if (lab->broken)
		buf_text(&text, "broken: true\n");
	return lab_write(lab, "lab.yaml", &text, err);
}

int lab_load(struct lab *lab, struct err *err)
{
	char path[LAB_PATH_MAX];
	struct settings *s;
	void *data;
	int rc = config_load(lab_path(lab, "lab.yaml", path), &schema, &data, err);

	if (rc != 0)
		return rc;
	s = data;
	lab->port = s->port;
	lab->ttl_s = s->ttl;
	lab->role_port[0] = s->ns_port;
	lab->role_port[1] = s->js_port;
	lab->role_port[2] = s->as_port;
	lab->broken = s->broken;
	snprintf(lab->address, sizeof(lab->address), "%s", s->address ? s->address : "");
	config_free(&schema, data);
	return 0;
}

/* /tmp is everyone's: a folder that another could have made, or can change, is none of ours. */
static bool folder_is_ours(const struct lab *lab)
{
	struct stat st;

	return lstat(lab->dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == getuid() &&
		(st.st_mode & 022) == 0;
}

bool lab_exists(const struct lab *lab)
{
	char path[LAB_PATH_MAX];

	return folder_is_ours(lab) && access(lab_path(lab, "lab.yaml", path), F_OK) == 0;
}

int lab_make_folder(const struct lab *lab, struct err *err)
{
	if (mkdir(lab->dir, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return err_set(err, ERR_SYSTEM, "folder '%s': %s", lab->dir, strerror(errno));
	if (!folder_is_ours(lab))
		return err_set(err, ERR_ARG,
			"folder '%s': exists, and is not a folder of yours alone", lab->dir);
	/* rmdir says atomically whether it is empty */
	if (rmdir(lab->dir) != 0 || mkdir(lab->dir, 0700) != 0)
		return err_set(err, ERR_ARG, "folder '%s': is not empty", lab->dir);
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *place)
{
	(void)st;
	(void)type;
	/* the mark goes last, with the folder, so that a removal cut short can go on */
	if (place->level == 1 && strcmp(path + place->base, "lab.yaml") == 0)
		return 0;
	if (place->level == 0)
		return 0;
	return remove(path);
}

int lab_remove_folder(const struct lab *lab, struct err *err)
{
	char mark[LAB_PATH_MAX];

	if (nftw(lab->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
		return err_set(err, ERR_SYSTEM, "folder '%s': %s", lab->dir, strerror(errno));
	if (unlink(lab_path(lab, "lab.yaml", mark)) != 0 && errno != ENOENT)
		return err_set(err, ERR_SYSTEM, "file '%s': %s", mark, strerror(errno));
	if (rmdir(lab->dir) != 0)
		return err_set(err, ERR_SYSTEM, "folder '%s': %s", lab->dir, strerror(errno));
	return 0;
}

int lab_write(const struct lab *lab, const char *file, struct buf *text, struct err *err)
{
	char path[LAB_PATH_MAX];
	const char *words = buf_string(text);
	FILE *f = NULL;
	int fd, rc = 0;

	if (!words) {
		buf_done(text);
		return err_set(err, ERR_NOMEM, "file '%s': out of memory", file);
	}
	fd = open(lab_path(lab, file, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		0600);
	if (fd >= 0)
		f = fdopen(fd, "w");
	if (!f || fputs(words, f) < 0)
		rc = err_set(err, ERR_SYSTEM, "file '%s': %s", path, strerror(errno));
	if (f && fclose(f) != 0 && rc == 0)
		rc = err_set(err, ERR_SYSTEM, "file '%s': %s", path, strerror(errno));
	if (!f && fd >= 0)
		close(fd);
	buf_done(text);
	return rc;
}
