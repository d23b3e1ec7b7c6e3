/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/again.h"

#include "pki/constraint.h"
#include "pki/facts.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

OWNED_TYPE(EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free)

/* In the order of profile_purpose_word. */
static const int purpose_nids[PROFILE_PURPOSES] = { NID_server_auth, NID_client_auth, NID_code_sign,
	NID_email_protect, NID_time_stamp, NID_OCSP_sign, NID_anyExtendedKeyUsage };

static void put(struct buf *out, const char *text)
{
	if (out->n)
		buf_text(out, ",");
	buf_text(out, text);
}

static int add_purpose(const ASN1_OBJECT *purpose, struct again *a, struct profile *p,
	struct err *err)
{
	int nid = OBJ_obj2nid(purpose), n;
	char oid[128];

	for (unsigned i = 0; i < PROFILE_PURPOSES; i++) {
		if (nid != purpose_nids[i])
			continue;
		p->purposes |= 1u << i;
		return 0;
	}
	n = OBJ_obj2txt(oid, sizeof(oid), purpose, 1);
	if (n <= 0 || n >= (int)sizeof(oid))
		return err_set(err, ERR_FORMAT,
			"certificate: an extended key usage that cannot be written");
	put(&a->purposes, oid);
	return 0;
}

static int read_purposes(X509 *cert, struct again *a, struct profile *p, struct err *err)
{
	int critical = -1, rc = 0;
	OWNED(EXTENDED_KEY_USAGE)
	list = X509_get_ext_d2i(cert, NID_ext_key_usage, &critical, NULL);

	if (!list && critical != -1)
		return err_set(err, ERR_FORMAT,
			"certificate: its extended key usage does not parse");
	for (int i = 0; rc == 0 && i < sk_ASN1_OBJECT_num(list); i++)
		rc = add_purpose(sk_ASN1_OBJECT_value(list, i), a, p, err);
	if (rc == 0 && critical > 0)
		put(&a->dropped, "the criticality of its extended key usage");
	return rc;
}

/* OpenSSL has the bits of the first octet of the BIT STRING as they lie in it. */
static unsigned usages_of(X509 *cert)
{
	uint32_t bits = X509_get_key_usage(cert);
	unsigned out = 0;

	if (bits == UINT32_MAX)
		return 0;
	for (unsigned i = 0; i < 8; i++)
		out |= bits & 0x80u >> i ? 1u << i : 0;
	return out | (bits & KU_DECIPHER_ONLY ? 1u << 8 : 0);
}

static void find_dropped(X509 *cert, struct buf *out)
{
	char name[128];

	for (int i = 0; i < X509_get_ext_count(cert); i++) {
		const ASN1_OBJECT *what = X509_EXTENSION_get_object(X509_get_ext(cert, i));

		switch (OBJ_obj2nid(what)) {
		case NID_basic_constraints:
		case NID_name_constraints:
		case NID_key_usage:
		case NID_ext_key_usage:
		case NID_subject_alt_name:
		case NID_subject_key_identifier:
		case NID_authority_key_identifier: break;
		default:
			if (OBJ_obj2txt(name, sizeof(name), what, 0) > 0)
				put(out, name);
		}
	}
}

static int read_authority(X509 *cert, const struct facts *f, struct profile *p, struct err *err)
{
	p->role = f->self_signed ? PROFILE_ROOT : PROFILE_INTERMEDIATE;
	p->path_len = f->path_len;
	return constraint_read(cert, p, err);
}

static int read_all(X509 *cert, struct again *a, struct profile *p, struct err *err)
{
	struct facts f = { 0 };
	int rc = facts_read(cert, &f, err);

	if (rc != 0)
		return rc;
	p->life_s = (unsigned)(f.not_after - f.not_before);
	if (p->life_s > PROFILE_BACKDATE_S)
		p->life_s -= PROFILE_BACKDATE_S;
	p->key_usage = usages_of(cert);
	if (X509_check_ca(cert) == 1)
		rc = read_authority(cert, &f, p, err);
	facts_done(&f);
	if (rc == 0)
		rc = read_purposes(cert, a, p, err);
	if (rc == 0)
		rc = request_again(cert, p, &a->subject, err);
	find_dropped(cert, &a->dropped);
	return rc;
}

int again_read(X509 *cert, struct again *a, struct profile *out, struct err *err)
{
	struct profile p = { .role = PROFILE_OTHER,
		.nameless = true,
		.path_len = -1,
		.backdate_s = PROFILE_BACKDATE_S };
	int rc;

	*a = (struct again){ .purposes = { .n = 0 } };
	rc = read_all(cert, a, &p, err);
	ERR_clear_error();
	if (rc == 0 && (!buf_string(&a->purposes) || !buf_string(&a->dropped)))
		rc = err_set(err, ERR_NOMEM, "certificate: out of memory");
	if (rc != 0) {
		again_done(a);
		return rc;
	}
	if (a->purposes.n)
		p.more_purposes = buf_string(&a->purposes);
	*out = p;
	return 0;
}

void again_done(struct again *a)
{
	buf_done(&a->purposes);
	buf_done(&a->dropped);
}
