/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/constraint.h"

#include "pki/issue.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

OWNED_TYPE(NAME_CONSTRAINTS, NAME_CONSTRAINTS_free)

/* A certificate with one name and nothing else: OpenSSL's own check then speaks of that name. */
static int weigh(const struct profile *one, NAME_CONSTRAINTS *constraints, bool *allowed,
	struct err *err)
{
	OWNED(GENERAL_NAMES) names = NULL;
	OWNED(X509) probe = X509_new();
	int rc = issue_names(one, &names, err);

	if (rc == 0 &&
		(!probe || X509_add1_ext_i2d(probe, NID_subject_alt_name, names, 1, 0) != 1)) {
		ERR_clear_error();
		rc = err_set(err, ERR_CRYPTO, "certificate: subjectAltName: failed");
	}
	if (rc != 0)
		return rc;
	/* NAME_CONSTRAINTS_check reads the names from where this call puts them; what else it
	 * finds missing in half a certificate does not matter. */
	X509_check_purpose(probe, -1, 0);
	ERR_clear_error();
	*allowed = NAME_CONSTRAINTS_check(probe, constraints) == X509_V_OK;
	return rc;
}

static int refuse(const char *what, const X509 *issuer, struct err *err)
{
	char subject[160] = "";

	X509_NAME_oneline(X509_get_subject_name(issuer), subject, sizeof(subject));
	return err_set(err, ERR_ARG, "name '%.60s': outside the constraints of the authority '%s'",
		what, subject);
}

static int check_below(const struct profile *p, X509 *issuer, NAME_CONSTRAINTS *constraints,
	struct err *err)
{
	char text[NAME_TEXT_MAX];
	bool allowed = true;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->san_count; i++) {
		struct profile one = { .san = { p->san[i] }, .san_count = 1 };

		rc = weigh(&one, constraints, &allowed, err);
		if (rc == 0 && !allowed)
			rc = name_write_text(&p->san[i], text, sizeof(text)) == 0
				? refuse(text, issuer, err)
				: ERR_FORMAT;
	}
	for (size_t i = 0; rc == 0 && i < p->address_count; i++) {
		struct profile one = { .address = { p->address[i] }, .address_count = 1 };

		rc = weigh(&one, constraints, &allowed, err);
		if (rc == 0 && !allowed)
			rc = refuse("an address", issuer, err);
	}
	return rc;
}

/* "0.0.0.0/0" or "::/0": all addresses, as issue.c excludes them where names are permitted. */
static bool is_all_addresses(const GENERAL_NAME *base)
{
	const ASN1_OCTET_STRING *ip = base->type == GEN_IPADD ? base->d.iPAddress : NULL;

	if (!ip || (ip->length != 8 && ip->length != 32))
		return false;
	for (int i = 0; i < ip->length; i++)
		if (ip->data[i] != 0)
			return false;
	return true;
}

static int read_subtrees(const STACK_OF(GENERAL_SUBTREE) * list, struct profile *p,
	int (*add)(struct profile *p, const char *text, struct err *err), struct err *err)
{
	char text[NAME_TEXT_MAX];
	int rc = 0;

	for (int i = 0; rc == 0 && i < sk_GENERAL_SUBTREE_num(list); i++) {
		const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value(list, i)->base;

		if (add == profile_exclude && is_all_addresses(base))
			continue;
		if (base->type != GEN_DNS || base->d.dNSName->length >= (int)sizeof(text))
			return err_set(err, ERR_ARG,
				"authority: a name constraint that is no domain name");
		snprintf(text, sizeof(text), "%.*s", base->d.dNSName->length,
			(const char *)base->d.dNSName->data);
		rc = add(p, text, err);
	}
	return rc;
}

int constraint_read(X509 *authority, struct profile *into, struct err *err)
{
	int critical = -1, rc;
	OWNED(NAME_CONSTRAINTS)
	c = X509_get_ext_d2i(authority, NID_name_constraints, &critical, NULL);

	if (!c)
		return critical == -1
			? 0
			: err_set(err, ERR_FORMAT, "authority: its name constraints do not parse");
	rc = read_subtrees(c->permittedSubtrees, into, profile_permit, err);
	return rc == 0 ? read_subtrees(c->excludedSubtrees, into, profile_exclude, err) : rc;
}

int constraint_check(const struct profile *p, pemfile_chain *issuers, struct err *err)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < sk_X509_num(issuers); i++) {
		X509 *issuer = sk_X509_value(issuers, i);
		int critical = -1;
		OWNED(NAME_CONSTRAINTS)
		constraints = X509_get_ext_d2i(issuer, NID_name_constraints, &critical, NULL);

		if (constraints)
			rc = check_below(p, issuer, constraints, err);
		else if (critical != -1)
			rc = err_set(err, ERR_FORMAT, "issuer: its name constraints do not parse");
	}
	return rc;
}
