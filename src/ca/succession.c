/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/succession.h"

#include "ca/issuance.h"
#include "core/secret.h"
#include "pki/again.h"
#include "pki/der.h"
#include "pki/keyfile.h"
#include "pki/keykind.h"
#include "pki/wholefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What an authority consists of; the certificate last, as it decides. */
static const char *const parts[] = { "-chain.pem", "-key.pem", "-key.uri", ".pem" };
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static int path_of(const char *dir, const char *name, const char *part, char out[PATH_MAX],
	struct err *err)
{
	if (snprintf(out, PATH_MAX, "%s/%s%s", dir, name, part) >= PATH_MAX)
		return err_set(err, ERR_ARG, "folder '%.80s...': the path is too long", dir);
	return 0;
}

int succession_prefix(const char *dir, const char *generation, char out[PATH_MAX], struct err *err)
{
	char name[80];

	snprintf(name, sizeof(name), "ca-%s", generation);
	/* room for the endings */
	return strlen(dir) + sizeof(name) + 20 > PATH_MAX
		? err_set(err, ERR_ARG, "folder '%.80s...': the path is too long", dir)
		: path_of(dir, name, "", out, err);
}

static int cert_path(const char *dir, const char *generation, char out[PATH_MAX], struct err *err)
{
	char prefix[PATH_MAX];
	int rc = generation[0] ? succession_prefix(dir, generation, prefix, err)
			       : err_set(err, ERR_ARG, "authority: none");

	if (rc == 0)
		snprintf(out, PATH_MAX, "%s.pem", prefix);
	return rc;
}

int succession_certificate(const char *dir, const char *generation, struct buf *der,
	struct err *err)
{
	char path[PATH_MAX];
	int rc = cert_path(dir, generation, path, err);

	return rc == 0 ? der_read_certificate(path, der, err) : rc;
}

int succession_key_id(const char *dir, const char *generation, char out[FACTS_KEYID_MAX],
	struct err *err)
{
	struct facts f = { 0 };
	char path[PATH_MAX];
	int rc = cert_path(dir, generation, path, err);

	if (rc == 0)
		rc = facts_load(path, &f, err);
	if (rc == 0)
		memcpy(out, f.own, FACTS_KEYID_MAX);
	facts_done(&f);
	return rc;
}

bool succession_has_key(const char *dir, const char *generation)
{
	char prefix[PATH_MAX], path[PATH_MAX];

	if (succession_prefix(dir, generation, prefix, NULL) != 0)
		return false;
	for (size_t i = 1; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", prefix, parts[i]);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

static bool is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

/* A second name for a file of before; one that a crash left is the same file. */
static int name_too(const char *from, const char *to, struct err *err)
{
	struct stat a, b;

	if (link(from, to) == 0 || errno == ENOENT)
		return 0;
	if (errno == EEXIST && stat(from, &a) == 0 && stat(to, &b) == 0 && a.st_ino == b.st_ino &&
		a.st_dev == b.st_dev)
		return 0;
	return err_set(err, ERR_SYSTEM, "file '%s': %s", to, strerror(errno));
}

int succession_begin(const char *dir, struct err *err)
{
	char from[PATH_MAX], to[PATH_MAX];
	int rc = path_of(dir, "ca", ".pem", from, err);

	if (rc != 0 || is_link(from))
		return rc;
	for (size_t i = 0; rc == 0 && i < PARTS; i++) {
		rc = path_of(dir, "ca", parts[i], from, err);
		if (rc == 0)
			rc = path_of(dir, "ca-" SUCCESSION_FIRST, parts[i], to, err);
		if (rc == 0)
			rc = name_too(from, to, err);
	}
	return rc == 0 ? succession_point(dir, SUCCESSION_FIRST, err) : rc;
}

/* DIR/ca<part> leads to that of the generation, or is not there, as that is not. */
static int lead(const char *dir, const char *generation, const char *part, struct err *err)
{
	char link[PATH_MAX], file[PATH_MAX], target[120];
	int rc = path_of(dir, "ca", part, link, err);

	snprintf(target, sizeof(target), "ca-%s%s", generation, part);
	if (rc == 0)
		rc = path_of(dir, target, "", file, err);
	if (rc != 0)
		return rc;
	if (access(file, F_OK) == 0)
		return pemfile_link(link, target, err);
	if (unlink(link) != 0 && errno != ENOENT)
		return err_set(err, ERR_SYSTEM, "file '%s': %s", link, strerror(errno));
	return 0;
}

/* The certificate's link goes first: from then on it is decided. */
int succession_point(const char *dir, const char *generation, struct err *err)
{
	int rc = 0;

	for (size_t i = PARTS; rc == 0 && i > 0; i--)
		rc = lead(dir, generation, parts[i - 1], err);
	return rc;
}

struct unmade {
	const char *name;
	char serial[FACTS_SERIAL_MAX];
};

static bool find_unmade(void *arg, const struct ledger_entry *e)
{
	const char *slash = strrchr(e->prefix, '/');
	struct unmade *u = arg;

	if (!slash || strcmp(slash + 1, u->name) != 0)
		return true;
	snprintf(u->serial, sizeof(u->serial), "%s", e->serial);
	return false;
}

/* A root that a crash left without its certificate: nobody has been told of it. */
static int forget_unmade(const char *dir, const char *name, struct err *err)
{
	const struct ledger_filter filter = { .signed_only = true };
	struct unmade u = { .name = name };
	struct state *state = NULL;
	int rc = state_open_keyless(dir, &state, err);

	do {
		u.serial[0] = '\0';
		if (rc == 0)
			rc = ledger_each(state->ledger, &filter, find_unmade, &u, err);
		if (rc == 0 && u.serial[0])
			rc = ledger_settle(state->ledger, u.serial, LEDGER_LOST, err);
	} while (rc == 0 && u.serial[0]);
	state_close(state);
	return rc;
}

static int make_root(const char *dir, const char *prefix, const struct authority_order *order,
	struct err *err)
{
	char file[PATH_MAX];
	int rc;

	if (snprintf(file, sizeof(file), "%s.pem", prefix) < (int)sizeof(file) &&
		access(file, F_OK) == 0)
		return 0;
	rc = forget_unmade(dir, strrchr(prefix, '/') + 1, err);
	return rc == 0 ? issuance_files(NULL, prefix, order, err) : rc;
}

/* To open the parent is to finish what a crash left of a certificate of its. */
static int make_below(const char *parent, const char *prefix, const struct authority_order *order,
	struct err *err)
{
	struct state *state = NULL;
	char file[PATH_MAX];
	int rc = state_open(parent, order->password, &state, err);

	if (rc == 0 &&
		!(snprintf(file, sizeof(file), "%s-chain.pem", prefix) < (int)sizeof(file) &&
			access(file, F_OK) == 0))
		rc = issuance_files(state, prefix, order, err);
	state_close(state);
	return rc;
}

static int make(const char *dir, X509 *from, const char *prefix, const struct succession_order *how,
	struct err *err)
{
	struct again a = { 0 };
	struct profile p;
	struct authority_order order = { .profile = &p,
		.password = how->password,
		.encrypt = how->password,
		.replace = true };
	int rc = again_read(from, &a, &p, err);

	if (rc == 0)
		rc = keykind_of(X509_get0_pubkey(from), &order.key_kind, err);
	if (rc == 0 && a.dropped.n)
		rc = err_set(err, ERR_ARG, "authority: the next one could not say: %s",
			buf_string(&a.dropped));
	if (rc == 0 && p.role == PROFILE_INTERMEDIATE && !how->parent)
		rc = err_set(err, ERR_ARG,
			"authority: is below another, whose folder was not given");
	if (rc == 0)
		rc = p.role == PROFILE_ROOT ? make_root(dir, prefix, &order, err)
					    : make_below(how->parent, prefix, &order, err);
	again_done(&a);
	return rc;
}

int succession_make(const char *dir, const char *from, const char *generation,
	const struct succession_order *how, struct err *err)
{
	OWNED(pemfile_chain) before = NULL;
	struct authority_place place;
	char prefix[PATH_MAX], old[PATH_MAX];
	int rc = succession_prefix(dir, from, old, err);

	if (rc == 0)
		rc = succession_prefix(dir, generation, prefix, err);
	if (rc == 0)
		rc = authority_locate(old, &place, err);
	if (rc == 0 && access(place.key, F_OK) != 0 && access(place.uri, F_OK) == 0)
		rc = err_set(err, ERR_ARG,
			"authority: its key is in a token; make the next there and give it");
	if (rc == 0)
		rc = pemfile_read_chain(place.cert, &before, err);
	return rc == 0 ? make(dir, sk_X509_value(before, 0), prefix, how, err) : rc;
}

static int copy(const char *from, const char *to, unsigned mode, struct err *err)
{
	struct buf text = { .limit = WHOLEFILE_MAX };
	int rc;

	if (access(from, F_OK) != 0)
		return 0;
	buf_reserve(&text, WHOLEFILE_MAX); /* a key is left nowhere behind */
	rc = wholefile_read("file", from, &text, err);
	if (rc == 0)
		rc = pemfile_write(to, mode, true, buf_span(&text), err);
	if (text.p)
		secret_wipe_octets(text.p, text.cap);
	buf_done(&text);
	return rc;
}

int succession_adopt(const char *dir, const char *generation, const char *where,
	const struct password *password, struct err *err)
{
	struct authority *opened = NULL;
	struct authority_place from, to;
	char prefix[PATH_MAX];
	int rc = succession_prefix(dir, generation, prefix, err);

	if (rc == 0)
		rc = authority_locate(where, &from, err);
	if (rc == 0)
		rc = authority_open(&from, password, &opened, err);
	authority_free(opened);
	if (rc != 0)
		return rc;
	snprintf(to.cert, sizeof(to.cert), "%s.pem", prefix);
	snprintf(to.key, sizeof(to.key), "%s-key.pem", prefix);
	snprintf(to.uri, sizeof(to.uri), "%s-key.uri", prefix);
	snprintf(to.chain, sizeof(to.chain), "%s-chain.pem", prefix);
	rc = copy(from.chain, to.chain, PEMFILE_PUBLIC, err);
	if (rc == 0)
		rc = copy(from.key, to.key, PEMFILE_PRIVATE, err);
	if (rc == 0)
		rc = copy(from.uri, to.uri, PEMFILE_PRIVATE, err);
	return rc == 0 ? copy(from.cert, to.cert, PEMFILE_PUBLIC, err) : rc;
}

struct ending {
	const char *own; /* its own serial: what a root says of itself is no leaf's */
	bool known;      /* the ledger has it, so it has all that came after */
	int64_t until;
};

static bool take_end(void *arg, const struct ledger_entry *e)
{
	struct ending *end = arg;

	if (strcmp(e->serial, end->own) == 0)
		end->known = true;
	else if (e->not_after > end->until)
		end->until = e->not_after;
	return true;
}

int succession_until(struct state *state, const char *generation, int64_t now_s, int64_t *until_s,
	struct err *err)
{
	char cert[PATH_MAX];
	struct facts own = { 0 };
	const struct ledger_filter filter = { .issuer = own.own };
	struct ending end = { .own = own.serial, .until = now_s };
	int rc = cert_path(state->place.folder, generation, cert, err);

	if (rc == 0)
		rc = facts_load(cert, &own, err);
	if (rc == 0)
		rc = ledger_each(state->ledger, &filter, take_end, &end, err);
	if (rc == 0 && !end.known && own.not_after > end.until)
		end.until = own.not_after;
	facts_done(&own);
	if (rc == 0)
		*until_s = end.until;
	return rc;
}

int succession_erase(const char *dir, const char *generation, struct err *err)
{
	char name[100], path[PATH_MAX];
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	snprintf(name, sizeof(name), "ca-%s-key.pem", generation);
	if (fd >= 0) {
		keyfile_overwrite(fd, name);
		close(fd);
	}
	for (size_t i = 1; rc == 0 && i < 3; i++) {
		snprintf(name, sizeof(name), "ca-%s%s", generation, parts[i]);
		rc = path_of(dir, name, "", path, err);
		if (rc == 0 && unlink(path) != 0 && errno != ENOENT)
			rc = err_set(err, ERR_SYSTEM, "file '%s': %s", path, strerror(errno));
	}
	return rc;
}
