/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/state.h"

#include "pki/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static int open_parts(struct state *s, struct err *err)
{
	char path[PATH_MAX + 8];
	bool fresh;
	int rc;

	s->folder = open(s->place.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->folder < 0)
		return err_set(err, ERR_SYSTEM, "folder '%s': %s", s->place.folder,
			strerror(errno));
	snprintf(path, sizeof(path), "%s/ca.db", s->place.folder);
	fresh = access(path, F_OK) != 0;
	rc = ledger_open(path, &s->ledger, err);
	if (rc == 0)
		rc = audit_open(s->place.folder, &s->audit, err);
	if (rc == 0 && fresh)
		rc = audit_append(s->audit, "ca.ledger", path, NULL, 0, err);
	return rc;
}

static X509 *read_der(struct span der)
{
	const unsigned char *p = der.p;

	return d2i_X509(NULL, &p, (long)der.n);
}

/* What came to be on the disk of a certificate that was signed. */
enum remains { REMAINS_WHOLE, REMAINS_NONE, REMAINS_LOCKED };

static bool has_certificate(const struct ledger_entry *e, X509 *cert)
{
	OWNED(pemfile_chain) chain = NULL;
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s.pem", e->prefix) < (int)sizeof(path) &&
		pemfile_read_chain(path, &chain, NULL) == 0 &&
		X509_cmp(sk_X509_value(chain, 0), cert) == 0;
}

/* With the certificate or its key there, the rest can be written. A key that is there and does
 * not open may be it: whoever has its password shall not lose the certificate to us. */
static enum remains find_remains(const struct ledger_entry *e, X509 *cert,
	const struct password *password)
{
	const struct password unasked = { .file = password ? password->file : NULL };
	OWNED(EVP_PKEY) key = NULL;
	char path[PATH_MAX];

	if (has_certificate(e, cert))
		return REMAINS_WHOLE;
	if (snprintf(path, sizeof(path), "%s-key.pem", e->prefix) >= (int)sizeof(path) ||
		(access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)))
		return REMAINS_NONE;
	if (keyfile_read(path, &unasked, &key, NULL) != 0)
		return REMAINS_LOCKED;
	if (X509_check_private_key(cert, key) == 1)
		return REMAINS_WHOLE;
	ERR_clear_error();
	return REMAINS_NONE;
}

#define THING_MAX 512

/* What a line of the log is about: the names, those that fit; the serial in it tells the rest. */
static const char *thing_of(const char *names, const char *subject, char out[THING_MAX])
{
	const char *text = names[0] ? names : subject;
	size_t n = strlen(text);

	if (n >= THING_MAX) {
		n = THING_MAX - sizeof(" ...");
		while (n > 0 && text[n] != ' ')
			n--;
		snprintf(out, THING_MAX, "%.*s ...", (int)n, text);
	} else {
		snprintf(out, THING_MAX, "%s", text);
	}
	return out;
}

struct mending {
	struct state *state;
	const struct password *password;
	struct err *err;
	int rc;
};

static bool mend_one(void *arg, const struct ledger_entry *e)
{
	struct mending *m = arg;
	struct state *s = m->state;
	OWNED(X509) cert = read_der(e->der);
	struct auditline_note notes[] = { { "serial", e->serial }, { "file", e->prefix } };
	enum remains remains = cert ? find_remains(e, cert, m->password) : REMAINS_NONE;
	char thing[THING_MAX];

	if (remains == REMAINS_LOCKED)
		return true;
	if (remains == REMAINS_WHOLE)
		m->rc = authority_complete(s->authority, e->prefix, cert, m->err);
	if (m->rc == 0)
		m->rc = audit_append(s->audit,
			remains == REMAINS_WHOLE ? "cert.complete" : "cert.lost",
			thing_of(e->names, e->subject, thing), notes, 2, m->err);
	if (m->rc == 0)
		m->rc = ledger_settle(s->ledger, e->serial,
			remains == REMAINS_WHOLE ? LEDGER_DONE : LEDGER_LOST, m->err);
	s->mended += m->rc == 0;
	return m->rc == 0;
}

/* Whoever holds the folder alone knows that what is half done is nobody's work any more. */
static int mend(struct state *s, const struct password *password, struct err *err)
{
	struct mending m = { .state = s, .password = password, .err = err };
	struct facts own = { 0 };
	/* Another authority of the folder mends its own: it has the chain for them. */
	const struct ledger_filter filter = { .issuer = own.own, .signed_only = true };
	int rc = facts_read(authority_certificate(s->authority), &own, err);

	if (rc == 0 && flock(s->folder, LOCK_EX | LOCK_NB) == 0) {
		rc = ledger_each(s->ledger, &filter, mend_one, &m, err);
		rc = rc ? rc : m.rc;
	}
	while (rc == 0 && flock(s->folder, LOCK_SH) != 0)
		if (errno != EINTR)
			rc = err_set(err, ERR_SYSTEM, "folder '%s': %s", s->place.folder,
				strerror(errno));
	facts_done(&own);
	return rc;
}

int state_open_at(const struct authority_place *place, const struct password *password,
	struct state **out, struct err *err)
{
	struct state *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return err_set(err, ERR_NOMEM, "folder '%s': out of memory", place->folder);
	s->folder = -1;
	s->place = *place;
	rc = authority_open(&s->place, password, &s->authority, err);
	if (rc == 0)
		rc = open_parts(s, err);
	if (rc == 0)
		rc = mend(s, password, err);
	if (rc == 0)
		*out = s;
	else
		state_close(s);
	return rc;
}

int state_open(const char *where, const struct password *password, struct state **out,
	struct err *err)
{
	struct authority_place place;
	int rc = authority_locate(where, &place, err);

	return rc == 0 ? state_open_at(&place, password, out, err) : rc;
}

static int open_without_key(const char *where, bool begin, struct state **out, struct err *err)
{
	struct state *s = calloc(1, sizeof(*s));
	char ledger[PATH_MAX + 8];
	int rc = s ? authority_locate(where, &s->place, err)
		   : err_set(err, ERR_NOMEM, "folder '%s': out of memory", where);

	if (s)
		s->folder = -1;
	if (rc == 0 && !begin) {
		snprintf(ledger, sizeof(ledger), "%s/ca.db", s->place.folder);
		if (access(s->place.cert, F_OK) != 0 && access(ledger, F_OK) != 0)
			rc = err_set(err, ERR_SYSTEM,
				"authority '%s': neither %s nor ca.db is there", where,
				s->place.cert);
	}
	if (rc == 0)
		rc = open_parts(s, err);
	if (rc == 0)
		*out = s;
	else
		state_close(s);
	return rc;
}

int state_open_keyless(const char *where, struct state **out, struct err *err)
{
	return open_without_key(where, false, out, err);
}

int state_begin(const char *folder, struct state **out, struct err *err)
{
	return open_without_key(folder, true, out, err);
}

void state_close(struct state *s)
{
	if (!s)
		return;
	authority_free(s->authority);
	ledger_close(s->ledger);
	audit_close(s->audit);
	if (s->folder >= 0)
		close(s->folder);
	free(s);
}

/* The files of a certificate wherever somebody else stands when looking. */
static void absolute(const char *prefix, char out[PATH_MAX])
{
	char here[PATH_MAX] = "";

	if (prefix[0] == '/' || prefix[0] == '\0' || !getcwd(here, sizeof(here)) ||
		snprintf(out, PATH_MAX, "%s/%s", here, prefix) >= PATH_MAX)
		snprintf(out, PATH_MAX, "%s", prefix);
}

int state_record(struct state *s, X509 *cert, const char *profile, const char *prefix,
	const char *act, struct err *err)
{
	struct facts f = { 0 };
	unsigned char *der = NULL;
	char file[PATH_MAX], thing[THING_MAX];
	int n = i2d_X509(cert, &der);
	int rc = n > 0 ? facts_read(cert, &f, err) : err_set(err, ERR_NOMEM, "out of memory");

	if (rc == 0) {
		const char *names = buf_string(&f.names), *subject = buf_string(&f.subject);
		const struct auditline_note notes[] = { { "serial", f.serial },
			{ "profile", profile }, { "subject", subject[0] ? subject : NULL },
			{ "file", prefix[0] ? file : NULL } };
		const struct ledger_entry entry = { .serial = f.serial,
			.issuer = f.issuer,
			.subject = subject,
			.names = names,
			.profile = profile,
			.prefix = file,
			.not_before = f.not_before,
			.not_after = f.not_after,
			.issued_at = (int64_t)time(NULL),
			.state = prefix[0] ? LEDGER_SIGNED : LEDGER_DONE,
			.der = { der, (size_t)n } };

		absolute(prefix, file);
		rc = ledger_add(s->ledger, &entry, err);
		if (rc == 0)
			rc = audit_append(s->audit, act, thing_of(names, subject, thing), notes, 4,
				err);
	}
	OPENSSL_free(der);
	facts_done(&f);
	return rc;
}

int state_settle(struct state *s, X509 *cert, struct err *err)
{
	struct facts f = { 0 };
	int rc = facts_read(cert, &f, err);

	if (rc == 0)
		rc = ledger_settle(s->ledger, f.serial, LEDGER_DONE, err);
	facts_done(&f);
	return rc;
}
