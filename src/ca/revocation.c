/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/revocation.h"

#include "pki/crl.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static bool look(void *arg, const struct ledger_entry *e)
{
	*(enum ledger_answer *)arg = e->revoked_at ? LEDGER_ALREADY : LEDGER_REVOKED;
	return false;
}

/* The line of the log comes first: a crash may leave a line without its act, never an act
 * without its line. */
int revocation_add(struct state *s, const char *serial, int reason, enum ledger_answer *out,
	struct err *err)
{
	const struct auditline_note notes[] = { { "reason", facts_reason_word(reason) } };
	const struct ledger_filter filter = { .serial = serial };
	enum ledger_answer answer = LEDGER_UNKNOWN;
	int rc = ledger_each(s->ledger, &filter, look, &answer, err);

	if (rc == 0 && answer == LEDGER_REVOKED) {
		rc = audit_append(s->audit, "cert.revoke", serial, notes, 1, err);
		if (rc == 0)
			rc = ledger_revoke(s->ledger, serial, (int64_t)time(NULL), reason, &answer,
				err);
	}
	if (rc == 0)
		*out = answer;
	return rc;
}

struct known {
	struct span der;
	bool serial, certificate;
};

static bool know(void *arg, const struct ledger_entry *e)
{
	struct known *k = arg;

	k->serial = true;
	k->certificate = e->der.n == k->der.n && memcmp(e->der.p, k->der.p, k->der.n) == 0;
	return false;
}

/* Another authority is free to use a serial number of ours. */
static int look_up(struct state *s, X509 *cert, const char *serial, struct known *out,
	struct err *err)
{
	const struct ledger_filter filter = { .serial = serial };
	struct known k = { .serial = false };
	uint8_t *der = NULL;
	int n = i2d_X509(cert, &der), rc;

	if (n <= 0)
		return err_set(err, ERR_NOMEM, "certificate: no memory");
	k.der = (struct span){ der, (size_t)n };
	rc = ledger_each(s->ledger, &filter, know, &k, err);
	OPENSSL_free(der);
	*out = k;
	return rc;
}

static int enter(struct state *s, X509 *cert, bool *ours, struct err *err)
{
	OWNED(pemfile_chain) own = NULL;
	int rc = pemfile_read_chain(s->place.cert, &own, err);

	if (rc != 0)
		return rc;
	*ours = X509_verify(cert, X509_get0_pubkey(sk_X509_value(own, 0))) == 1;
	ERR_clear_error();
	return *ours ? state_record(s, cert, "unknown", "", "cert.adopt", err) : 0;
}

int revocation_adopt(struct state *s, const char *path, char serial[FACTS_SERIAL_MAX], bool *ours,
	struct err *err)
{
	OWNED(pemfile_chain) chain = NULL;
	struct facts f = { 0 };
	struct known known = { .serial = false };
	int rc = pemfile_read_chain(path, &chain, err);

	if (rc == 0)
		rc = facts_read(sk_X509_value(chain, 0), &f, err);
	if (rc == 0)
		rc = look_up(s, sk_X509_value(chain, 0), f.serial, &known, err);
	*ours = known.certificate;
	if (rc == 0 && !known.serial)
		rc = enter(s, sk_X509_value(chain, 0), ours, err);
	if (rc == 0)
		memcpy(serial, f.serial, FACTS_SERIAL_MAX);
	facts_done(&f);
	return rc;
}

struct listing {
	struct crl *crl;
	struct ledger_crl before;
	struct revocation_list *list;
	struct err *err;
	int rc;
};

static bool add_entry(void *arg, const struct ledger_entry *e)
{
	struct listing *l = arg;

	if (l->before.number > 0 && e->not_after < l->before.this_update)
		return true;
	l->rc = crl_add(l->crl, e->serial, e->revoked_at, e->reason, l->err);
	l->list->entries += l->rc == 0;
	return l->rc == 0;
}

static int add_entries(struct state *s, const char *issuer, struct listing *l, struct err *err)
{
	const struct ledger_filter filter = { .issuer = issuer, .revoked = true };
	int rc = ledger_last_crl(s->ledger, issuer, &l->before, err);

	if (rc == 0)
		rc = ledger_each(s->ledger, &filter, add_entry, l, err);
	return rc ? rc : l->rc;
}

static int write_list(struct state *s, struct crl *crl, const struct revocation_list *list,
	const char *path, struct err *err)
{
	struct buf text = { 0 };
	char number[24];
	const struct auditline_note note = { "number", number };
	int rc = crl_write(crl, authority_certificate(s->authority), authority_key(s->authority),
		list->number, list->this_update, list->next_update, &text, err);

	snprintf(number, sizeof(number), "%llu", (unsigned long long)list->number);
	if (rc == 0)
		rc = audit_append(s->audit, "ca.crl", path, &note, 1, err);
	if (rc == 0)
		rc = pemfile_write(path, PEMFILE_PUBLIC, true, buf_span(&text), err);
	buf_done(&text);
	return rc;
}

int revocation_publish(struct state *s, const char *path, unsigned life_s,
	struct revocation_list *out, struct err *err)
{
	struct revocation_list list = { .this_update = (int64_t)time(NULL) };
	struct listing l = { .list = &list, .err = err };
	struct facts own = { 0 };
	int rc = facts_read(authority_certificate(s->authority), &own, err);

	list.next_update = list.this_update + life_s;
	if (rc == 0)
		rc = crl_new(&l.crl, err);
	if (rc == 0)
		rc = add_entries(s, own.own, &l, err);
	if (rc == 0)
		rc = ledger_next_crl(s->ledger, own.own, list.this_update, &list.number, err);
	if (rc == 0)
		rc = write_list(s, l.crl, &list, path, err);
	crl_free(l.crl);
	facts_done(&own);
	if (rc == 0)
		*out = list;
	return rc;
}
