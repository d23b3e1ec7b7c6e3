/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/request.h"

#include "pki/der.h"
#include "pki/issue.h"
#include "pki/keykind.h"
#include "pki/reason.h"
#include "pki/wholefile.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

OWNED_TYPE(X509_REQ, X509_REQ_free)

static inline void free_extensions(STACK_OF(X509_EXTENSION) * stack)
{
	sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
}

typedef STACK_OF(X509_EXTENSION) extensions;
OWNED_TYPE(extensions, free_extensions)

static int fail(struct err *err, const char *step)
{
	return err_set(err, ERR_CRYPTO, "request: %s: %s", step, reason_take());
}

static int put_names(X509_REQ *req, const struct profile *p, struct err *err)
{
	OWNED(GENERAL_NAMES) names = NULL;
	OWNED(extensions) list = NULL;
	STACK_OF(X509_EXTENSION) *made = NULL;
	int critical = X509_NAME_entry_count(X509_REQ_get_subject_name(req)) == 0;
	int rc;

	if (p->san_count == 0 && p->address_count == 0)
		return 0;
	rc = issue_names(p, &names, err);
	if (rc != 0)
		return rc;
	rc = X509V3_add1_i2d(&made, NID_subject_alt_name, names, critical, X509V3_ADD_APPEND);
	list = made;
	return rc == 1 && X509_REQ_add_extensions(req, list) == 1 ? 0 : fail(err, "names");
}

int request_write(const struct profile *p, EVP_PKEY *key, struct buf *out, struct err *err)
{
	OWNED(X509_REQ) req = X509_REQ_new();
	OWNED(BIO) bio = BIO_new(BIO_s_mem());
	char *text;
	long n;
	int rc;

	if (!req || !bio || X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 ||
		X509_REQ_set_pubkey(req, key) != 1)
		return fail(err, "new");
	rc = issue_subject(X509_REQ_get_subject_name(req), p, err);
	if (rc == 0)
		rc = put_names(req, p, err);
	if (rc != 0)
		return rc;
	if (X509_REQ_sign(req, key, keykind_digest(key)) == 0 ||
		PEM_write_bio_X509_REQ(bio, req) != 1)
		return fail(err, "sign");
	n = BIO_get_mem_data(bio, &text);
	buf_put(out, (struct span){ (const uint8_t *)text, (size_t)n });
	return buf_ok(out) ? 0 : err_set(err, ERR_NOMEM, "request: out of memory");
}

/* Text of an IA5String that is a name and nothing else: a zero within would hide the rest. */
static int add_dns(struct profile *p, const ASN1_IA5STRING *ia5, struct err *err)
{
	const char *text = (const char *)ASN1_STRING_get0_data(ia5);
	char copy[NAME_TEXT_MAX];
	size_t n = (size_t)ASN1_STRING_length(ia5);

	if (n >= sizeof(copy) || memchr(text, '\0', n))
		return err_set(err, ERR_FORMAT, "name '%.60s...': not a domain name", text);
	memcpy(copy, text, n);
	copy[n] = '\0';
	return profile_add_san(p, copy, err);
}

static int add_address(struct profile *p, const ASN1_OCTET_STRING *octets, struct err *err)
{
	int n = ASN1_STRING_length(octets);
	char text[INET6_ADDRSTRLEN];
	bool taken;

	if ((n != 4 && n != 16) ||
		!inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(octets), text,
			sizeof(text)))
		return err_set(err, ERR_FORMAT, "address: %d octets, not 4 or 16", n);
	return profile_add_address(p, text, &taken, err);
}

static int add_names(struct profile *p, const GENERAL_NAMES *names, struct err *err)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS)
			rc = add_dns(p, name->d.dNSName, err);
		else if (name->type == GEN_IPADD)
			rc = add_address(p, name->d.iPAddress, err);
		else
			rc = err_set(err, ERR_ARG,
				"names: only dNSName and iPAddress are certified, not kind %d",
				name->type);
	}
	return rc;
}

static int add_subject(const X509_NAME *name, struct profile *p, struct request_subject *s,
	struct err *err)
{
	const struct {
		int nid;
		const char **field;
	} rows[] = {
		{ NID_countryName, &p->country },
		{ NID_organizationName, &p->organisation },
		{ NID_organizationalUnitName, &p->unit },
		{ NID_localityName, &p->locality },
		{ NID_stateOrProvinceName, &p->state },
		{ NID_commonName, &p->common_name },
	};
	int known = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int at = X509_NAME_get_index_by_NID((X509_NAME *)name, rows[i].nid, -1);
		unsigned char *text = NULL;
		int n;

		if (at < 0)
			continue;
		n = ASN1_STRING_to_UTF8(&text,
			X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
		if (n > 0 && n <= PROFILE_TEXT_MAX && !memchr(text, '\0', (size_t)n)) {
			memcpy(s->text[i], text, (size_t)n);
			s->text[i][n] = '\0';
			*rows[i].field = s->text[i];
			known++;
		}
		OPENSSL_free(text);
	}
	if (known != X509_NAME_entry_count(name))
		return err_set(err, ERR_ARG,
			"subject: has a part that is not certified: only C, O, OU, L, ST and CN, once");
	return 0;
}

int request_again(X509 *cert, struct profile *into, struct request_subject *subject,
	struct err *err)
{
	OWNED(GENERAL_NAMES) names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	int rc = add_subject(X509_get_subject_name(cert), into, subject, err);

	if (rc == 0)
		rc = add_names(into, names, err);
	ERR_clear_error();
	return rc == 0 ? 0 : err_wrap(err, rc, "certificate");
}

static X509_REQ *parse(struct span text)
{
	OWNED(BIO) bio = BIO_new_mem_buf(text.p, (int)text.n);
	const unsigned char *p = text.p;
	X509_REQ *req;

	if (text.n > 10 && memmem(text.p, text.n, "-----BEGIN ", 11))
		return bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
	req = d2i_X509_REQ(NULL, &p, (long)text.n);
	if (req && p == text.p + text.n)
		return req;
	X509_REQ_free(req);
	return NULL;
}

int request_read(struct span text, struct profile *into, struct request_subject *subject,
	EVP_PKEY **key, struct err *err)
{
	OWNED(X509_REQ) req = text.n > 0 ? parse(text) : NULL;
	OWNED(GENERAL_NAMES) names = NULL;
	OWNED(extensions) list = NULL;
	struct profile p = *into;
	const char *kind;
	EVP_PKEY *public_key;
	int rc;

	ERR_clear_error();
	if (!req)
		return err_set(err, ERR_FORMAT, "request: neither PEM nor DER of one");
	public_key = X509_REQ_get0_pubkey(req);
	if (!public_key)
		return fail(err, "its public key");
	rc = keykind_of(public_key, &kind, err);
	if (rc != 0)
		return err_wrap(err, rc, "request");
	/* RFC 2986 section 3: the signature proves possession of the private key. */
	if (X509_REQ_verify(req, public_key) != 1) {
		ERR_clear_error();
		return err_set(err, ERR_FORMAT, "request: its signature is not by its key");
	}
	list = X509_REQ_get_extensions(req);
	names = list ? X509V3_get_d2i(list, NID_subject_alt_name, NULL, NULL) : NULL;
	rc = add_names(&p, names, err);
	if (rc == 0 && subject)
		rc = add_subject(X509_REQ_get_subject_name(req), &p, subject, err);
	ERR_clear_error();
	if (rc != 0)
		return err_wrap(err, rc, "request");
	if (EVP_PKEY_up_ref(public_key) != 1)
		return fail(err, "its public key");
	*key = public_key;
	*into = p;
	return 0;
}

int request_read_key(struct span text, const struct name *only, struct buf *spki, struct err *err)
{
	struct profile asked = { .role = PROFILE_CLIENT };
	OWNED(EVP_PKEY) key = NULL;
	int rc = request_read(text, &asked, NULL, &key, err);

	if (rc != 0)
		return rc;
	if (asked.address_count || asked.san_count > 1 ||
		(asked.san_count && !name_equal(&asked.san[0], only)))
		return err_set(err, ERR_ARG, "request: asks for another name");
	return der_put_key(key, spki, err);
}

int request_load(const char *path, struct profile *into, struct request_subject *subject,
	EVP_PKEY **key, struct err *err)
{
	struct buf text = { .limit = WHOLEFILE_MAX };
	int rc = wholefile_read("request", path, &text, err);

	if (rc == 0 && request_read(buf_span(&text), into, subject, key, err) != 0)
		rc = err_wrap(err, ERR_FORMAT, "'%s'", path);
	buf_done(&text);
	return rc;
}
