/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/facts.h"

#include "base/hex.h"
#include "pki/keykind.h"
#include "pki/pemfile.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

OWNED_TYPE(GENERAL_NAMES, GENERAL_NAMES_free)
OWNED_TYPE(BIGNUM, BN_free)

static int read_serial(const X509 *cert, char out[FACTS_SERIAL_MAX], struct err *err)
{
	OWNED(BIGNUM) n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	uint8_t octets[20];
	int size = n ? BN_num_bytes(n) : -1;

	if (size < 0 || size > (int)sizeof(octets) || BN_is_negative(n))
		return err_set(err, ERR_FORMAT, "certificate: serial number beyond 20 octets");
	if (size == 0) {
		strcpy(out, "00");
		return 0;
	}
	BN_bn2bin(n, octets);
	return hex_write((struct span){ octets, (size_t)size }, out, FACTS_SERIAL_MAX);
}

static void read_keyid(const ASN1_OCTET_STRING *id, char out[FACTS_KEYID_MAX])
{
	out[0] = '\0';
	if (id && ASN1_STRING_length(id) <= 32)
		hex_write(
			(struct span){ ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id) },
			out, FACTS_KEYID_MAX);
}

static int64_t read_time(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static void put_address(struct buf *out, const ASN1_OCTET_STRING *octets)
{
	char text[INET6_ADDRSTRLEN] = "";
	int n = ASN1_STRING_length(octets);

	if (n == 4 || n == 16)
		inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(octets), text,
			sizeof(text));
	buf_text(out, text);
}

static void put_names(struct buf *out, X509 *cert)
{
	OWNED(GENERAL_NAMES) names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_DNS && name->type != GEN_IPADD)
			continue;
		if (out->n > 0)
			buf_text(out, " ");
		if (name->type == GEN_DNS)
			buf_put(out,
				(struct span){ ASN1_STRING_get0_data(name->d.dNSName),
					(size_t)ASN1_STRING_length(name->d.dNSName) });
		else
			put_address(out, name->d.iPAddress);
	}
	for (size_t i = 0; i < out->n; i++) {
		if (out->p[i] >= 'A' && out->p[i] <= 'Z')
			out->p[i] |= 0x20;
		/* no name of ours has them, and a terminal shall not obey them */
		if (out->p[i] < 0x20 || out->p[i] > 0x7e)
			out->p[i] = '?';
	}
}

static void put_subject(struct buf *out, const X509 *cert)
{
	OWNED(BIO) bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	if (!bio ||
		X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0,
			XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) {
		out->bad = true;
		return;
	}
	n = BIO_get_mem_data(bio, &p);
	buf_put(out, (struct span){ (const uint8_t *)p, (size_t)n });
}

int facts_read(X509 *cert, struct facts *out, struct err *err)
{
	struct facts f = { 0 };
	int rc = read_serial(cert, f.serial, err);

	if (rc != 0)
		return rc;
	read_keyid(X509_get0_subject_key_id(cert), f.own);
	read_keyid(X509_get0_authority_key_id(cert), f.issuer);
	f.self_signed = X509_self_signed(cert, 0) == 1;
	f.path_len = (int)X509_get_pathlen(cert);
	if (!X509_get0_pubkey(cert) || keykind_of(X509_get0_pubkey(cert), &f.key, NULL) != 0)
		f.key = "other";
	if (!f.issuer[0] && f.self_signed)
		memcpy(f.issuer, f.own, sizeof(f.issuer));
	f.not_before = read_time(X509_get0_notBefore(cert));
	f.not_after = read_time(X509_get0_notAfter(cert));
	put_subject(&f.subject, cert);
	put_names(&f.names, cert);
	ERR_clear_error();
	if (!buf_string(&f.subject) || !buf_string(&f.names)) {
		facts_done(&f);
		return err_set(err, ERR_NOMEM, "certificate: out of memory");
	}
	*out = f;
	return 0;
}

int facts_load(const char *path, struct facts *out, struct err *err)
{
	OWNED(pemfile_chain) chain = NULL;
	int rc = pemfile_read_chain(path, &chain, err);

	return rc == 0 ? facts_read(sk_X509_value(chain, 0), out, err) : rc;
}

void facts_done(struct facts *f)
{
	buf_done(&f->subject);
	buf_done(&f->names);
}

int facts_serial(const char *text, char out[FACTS_SERIAL_MAX], struct err *err)
{
	const char *p = text + (strncmp(text, "0x", 2) == 0 ? 2 : 0);
	char digits[FACTS_SERIAL_MAX + 1];
	size_t n = 0;

	for (; *p && n < sizeof(digits) - 1; p++)
		if (*p != ':')
			digits[n++] = *p >= 'A' && *p <= 'F' ? (char)(*p | 0x20) : *p;
	digits[n] = '\0';
	if (*p || n == 0 || n >= FACTS_SERIAL_MAX || strspn(digits, "0123456789abcdef") != n)
		return err_set(err, ERR_FORMAT, "serial '%.60s': not up to 40 hex digits", text);
	out[0] = '0';
	memcpy(out + (n & 1), digits, n + 1);
	return 0;
}

static const char *const reasons[] = { "unspecified", "keyCompromise", "cACompromise",
	"affiliationChanged", "superseded", "cessationOfOperation", NULL, NULL, NULL,
	"privilegeWithdrawn" };

#define REASONS (int)(sizeof(reasons) / sizeof(reasons[0]))

const char *facts_reason_word(int reason)
{
	return reason >= 0 && reason < REASONS ? reasons[reason] : NULL;
}

int facts_read_reason(const char *word, int *out, struct err *err)
{
	for (int i = 0; i < REASONS; i++) {
		if (!reasons[i] || strcmp(word, reasons[i]) != 0)
			continue;
		*out = i;
		return 0;
	}
	return err_set(err, ERR_ARG,
		"reason '%.40s': not unspecified, keyCompromise, cACompromise, affiliationChanged, "
		"superseded, cessationOfOperation or privilegeWithdrawn",
		word);
}
