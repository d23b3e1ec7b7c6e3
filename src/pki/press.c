/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/press.h"

#include "base/hex.h"
#include "pki/constraint.h"
#include "pki/issue.h"
#include "pki/keykind.h"
#include "pki/reason.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OCTETS_MAX  16384 /* of a certificate: subjects and keys are bounded well below */
#define PIECES_MAX  12
#define SERIAL_SIZE 16
#define CLOCK_SIZE  5
#define RANDOM_SIZE (SERIAL_SIZE - CLOCK_SIZE)
#define POOL        (64 * RANDOM_SIZE)

/* X.690 section 8.1.2 */
#define TAG_INTEGER    0x02
#define TAG_BIT_STRING 0x03
#define TAG_OCTETS     0x04
#define TAG_SEQUENCE   0x30
#define TAG_EXTENSIONS 0xa3 /* [3] of a TBSCertificate */
#define TAG_DNS_NAME   0x82 /* [2] of a GeneralName */

/* The extensions that each certificate has of its own, with their identifiers: 2.5.29.14, .17 */
static const uint8_t oid_key_id[] = { 0x06, 0x03, 0x55, 0x1d, 0x0e };
static const uint8_t oid_names[] = { 0x06, 0x03, 0x55, 0x1d, 0x11 };
static const uint8_t critical[] = { 0x01, 0x01, 0xff };
/* 1.2.840.113549.1.1.1 */
static const uint8_t oid_rsa[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
	0x01 };

struct piece {
	enum { PIECE_COPY, PIECE_KEY_ID, PIECE_NAMES } what;
	struct span octets; /* PIECE_COPY */
};

/* A certificate of the ordinary way, cut into what stays and what does not. */
struct model {
	unsigned char *der;                     /* NULL: not made yet */
	struct span version, middle, algorithm; /* middle: from the algorithm to the subject */
	bool names_critical;
	size_t count;
	struct piece piece[PIECES_MAX];
	int64_t not_before, not_after;
};

struct press {
	struct profile profile;
	pemfile_chain *issuers;
	EVP_PKEY *key;
	const EVP_MD *digest;
	EVP_PKEY_CTX *signer; /* of an elliptic curve: ready to sign digests; NULL: other keys */
	EVP_MD_CTX *whole;    /* of other keys, which sign octets */
	EVP_MD_CTX *md;
	EVP_MD *sha1, *sha2; /* fetched once, which takes longer than a digest */
	time_t now_s;
	bool bound; /* by name constraints */
	struct model rsa, other;
	char issuer[FACTS_KEYID_MAX];
	uint8_t pool[POOL];
	size_t pooled; /* octets of it not used yet */
	uint8_t tbs[OCTETS_MAX], out[OCTETS_MAX];
};

static int fail(struct err *err, const char *step)
{
	return err_set(err, ERR_CRYPTO, "certificate: %s: %s", step, reason_take());
}

/* One element of DER: tag, length, octets. *whole has all three. */
static struct span take(struct cursor *c, uint8_t *tag, struct span *whole)
{
	const uint8_t *start = c->rest.p;
	struct span body;
	size_t n;

	*tag = cursor_u8(c);
	n = cursor_u8(c);
	if (n == 0x81)
		n = cursor_u8(c);
	else if (n == 0x82)
		n = cursor_u16_be(c);
	else if (n > 0x7f)
		c->bad = true;
	body = cursor_take(c, n);
	*whole = (struct span){ start, c->bad ? 0 : (size_t)(body.p + body.n - start) };
	return body;
}

static struct span take_whole(struct cursor *c)
{
	struct span whole;
	uint8_t tag;

	take(c, &tag, &whole);
	return whole;
}

static bool begins(struct span octets, const uint8_t *with, size_t n)
{
	return octets.n >= n && memcmp(octets.p, with, n) == 0;
}

static int cut_extensions(struct model *m, struct span all)
{
	struct cursor c = cursor_over(all);

	while (!c.bad && c.rest.n > 0) {
		struct span whole, body;
		struct piece *piece = &m->piece[m->count];
		uint8_t tag;

		if (m->count == PIECES_MAX)
			return ERR_SPACE;
		body = take(&c, &tag, &whole);
		*piece = (struct piece){ PIECE_COPY, whole };
		if (begins(body, oid_key_id, sizeof(oid_key_id)))
			piece->what = PIECE_KEY_ID;
		if (begins(body, oid_names, sizeof(oid_names))) {
			piece->what = PIECE_NAMES;
			m->names_critical = begins((struct span){ body.p + sizeof(oid_names),
							   body.n - sizeof(oid_names) },
				critical, sizeof(critical));
		}
		m->count++;
	}
	return c.bad ? ERR_FORMAT : 0;
}

/* RFC 5280 section 4.1: the fields in their order. */
static int cut(struct model *m, struct span der)
{
	struct cursor file = cursor_over(der), cert, tbs, extensions;
	const uint8_t *middle;
	struct span whole;
	uint8_t tag;

	cert = cursor_over(take(&file, &tag, &whole));
	tbs = cursor_over(take(&cert, &tag, &whole));
	m->algorithm = take_whole(&cert);
	m->version = take_whole(&tbs);
	take_whole(&tbs); /* serial number */
	middle = tbs.rest.p;
	for (int i = 0; i < 4; i++) /* algorithm, issuer, validity, subject */
		whole = take_whole(&tbs);
	m->middle = (struct span){ middle, (size_t)(whole.p + whole.n - middle) };
	take_whole(&tbs); /* public key */
	extensions = cursor_over(take(&tbs, &tag, &whole));
	if (file.bad || cert.bad || !cursor_done(&tbs) || tag != TAG_EXTENSIONS)
		return ERR_FORMAT;
	return cut_extensions(m, take(&extensions, &tag, &whole));
}

static int64_t read_time(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static void model_done(struct model *m)
{
	OPENSSL_free(m->der);
	*m = (struct model){ .der = NULL };
}

/* The certificate of the first key of its kind, by the ordinary way. */
static int make_model(struct press *p, const struct name *name, struct span spki, struct model *out,
	struct err *err)
{
	const unsigned char *at = spki.p;
	OWNED(EVP_PKEY) key = d2i_PUBKEY(NULL, &at, (long)spki.n);
	struct profile profile = p->profile;
	OWNED(X509) cert = NULL;
	struct model m = { .der = NULL };
	int n, rc;

	if (!key) {
		ERR_clear_error();
		return err_set(err, ERR_FORMAT, "certificate: a public key that does not parse");
	}
	profile.san[0] = *name;
	profile.san_count = 1;
	rc = issue_certificate(&profile, key, sk_X509_value(p->issuers, 0), p->key, p->now_s, &cert,
		err);
	if (rc != 0)
		return rc;
	m.not_before = read_time(X509_get0_notBefore(cert));
	m.not_after = read_time(X509_get0_notAfter(cert));
	n = i2d_X509(cert, &m.der);
	if (n <= 0 || cut(&m, (struct span){ m.der, (size_t)n }) != 0) {
		model_done(&m);
		return fail(err, "model");
	}
	*out = m;
	return 0;
}

void press_free(struct press *p)
{
	if (!p)
		return;
	model_done(&p->rsa);
	model_done(&p->other);
	EVP_PKEY_CTX_free(p->signer);
	EVP_MD_CTX_free(p->whole);
	EVP_MD_CTX_free(p->md);
	EVP_MD_free(p->sha1);
	EVP_MD_free(p->sha2);
	free(p);
}

static int prepare(struct press *p, struct err *err)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(sk_X509_value(p->issuers, 0));

	if (id && ASN1_STRING_length(id) <= 32)
		hex_write(
			(struct span){ ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id) },
			p->issuer, sizeof(p->issuer));
	for (int i = 0; i < sk_X509_num(p->issuers); i++)
		p->bound |= X509_get_ext_by_NID(sk_X509_value(p->issuers, i), NID_name_constraints,
				    -1) >= 0;
	p->digest = keykind_digest(p->key);
	p->whole = EVP_MD_CTX_new();
	p->md = EVP_MD_CTX_new();
	p->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	if (!p->whole || !p->md || !p->sha1)
		return fail(err, "digest");
	if (EVP_PKEY_get_base_id(p->key) != EVP_PKEY_EC)
		return 0;
	p->signer = EVP_PKEY_CTX_new(p->key, NULL);
	p->sha2 = EVP_MD_fetch(NULL, EVP_MD_get0_name(p->digest), NULL);
	if (!p->signer || !p->sha2 || EVP_PKEY_sign_init(p->signer) != 1 ||
		EVP_PKEY_CTX_set_signature_md(p->signer, p->digest) != 1)
		return fail(err, "key of the authority");
	return 0;
}

int press_new(const struct profile *profile, pemfile_chain *issuers, EVP_PKEY *issuer_key,
	time_t now_s, struct press **out, struct err *err)
{
	struct press *p;
	int rc;

	if (profile_is_authority(profile) || profile->san_count || profile->address_count)
		return err_set(err, ERR_ARG, "certificates: of leaves, their names to come");
	p = calloc(1, sizeof(*p));
	if (!p)
		return err_set(err, ERR_NOMEM, "certificates: out of memory");
	p->profile = *profile;
	p->issuers = issuers;
	p->key = issuer_key;
	p->now_s = now_s;
	rc = prepare(p, err);
	if (rc != 0)
		press_free(p);
	else
		*out = p;
	return rc;
}

/* DER is written from its end, where every length is known. */
struct backwards {
	uint8_t *p;
	size_t at;
	bool bad;
};

static void put(struct backwards *b, const void *octets, size_t n)
{
	if (b->bad || n > b->at) {
		b->bad = true;
		return;
	}
	b->at -= n;
	memcpy(b->p + b->at, octets, n);
}

/* Tag and length before n octets: up to 65,535, which OCTETS_MAX is below. */
static void put_head(struct backwards *b, uint8_t tag, size_t n)
{
	const uint8_t head[] = { tag,
		n < 0x80            ? (uint8_t)n
			: n < 0x100 ? 0x81
				    : 0x82,
		(uint8_t)(n < 0x100 ? n : n >> 8), (uint8_t)n };

	put(b, head, n < 0x80 ? 2 : n < 0x100 ? 3 : 4);
}

/* What was written since the place, as one element. */
static void wrap(struct backwards *b, uint8_t tag, size_t since)
{
	put_head(b, tag, since - b->at);
}

static bool digest(EVP_MD_CTX *ctx, const EVP_MD *md, struct span octets, uint8_t *out)
{
	return EVP_DigestInit_ex2(ctx, md, NULL) == 1 &&
		EVP_DigestUpdate(ctx, octets.p, octets.n) == 1 &&
		EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

static void put_key_id(struct backwards *b, const uint8_t id[SHA_DIGEST_LENGTH])
{
	const size_t end = b->at;

	put(b, id, SHA_DIGEST_LENGTH);
	wrap(b, TAG_OCTETS, end);
	wrap(b, TAG_OCTETS, end);
	put(b, oid_key_id, sizeof(oid_key_id));
	wrap(b, TAG_SEQUENCE, end);
}

static void put_names(struct backwards *b, const char *text, bool is_critical)
{
	const size_t end = b->at;

	put(b, text, strlen(text));
	wrap(b, TAG_DNS_NAME, end);
	wrap(b, TAG_SEQUENCE, end);
	wrap(b, TAG_OCTETS, end);
	if (is_critical)
		put(b, critical, sizeof(critical));
	put(b, oid_names, sizeof(oid_names));
	wrap(b, TAG_SEQUENCE, end);
}

/* The octets of the key in a SubjectPublicKeyInfo, and whether it is of RSA. */
static int read_spki(struct span spki, struct span *bits, bool *rsa)
{
	struct cursor file = cursor_over(spki), info;
	struct span whole, algorithm;
	uint8_t tag;

	info = cursor_over(take(&file, &tag, &whole));
	algorithm = take(&info, &tag, &whole);
	*rsa = begins(algorithm, oid_rsa, sizeof(oid_rsa));
	*bits = take(&info, &tag, &whole);
	if (!cursor_done(&file) || !cursor_done(&info) || tag != TAG_BIT_STRING || bits->n < 2 ||
		bits->p[0] != 0)
		return ERR_FORMAT;
	bits->p++;
	bits->n--;
	return 0;
}

static int put_serial(struct press *p, struct backwards *b, char text[FACTS_SERIAL_MAX],
	struct err *err)
{
	uint8_t serial[SERIAL_SIZE];
	const size_t end = b->at;
	struct timespec t;
	uint64_t ms;

	if (p->pooled == 0 && RAND_bytes(p->pool, sizeof(p->pool)) != 1)
		return fail(err, "serial number");
	if (p->pooled == 0)
		p->pooled = sizeof(p->pool);
	clock_gettime(CLOCK_REALTIME, &t);
	ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
	for (size_t i = 0; i < CLOCK_SIZE; i++)
		serial[i] = (uint8_t)(ms >> 8 * (CLOCK_SIZE - 1 - i));
	/* RFC 5280 section 4.1.2.2: positive; and of one length */
	serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40);
	p->pooled -= RANDOM_SIZE;
	memcpy(serial + CLOCK_SIZE, p->pool + p->pooled, RANDOM_SIZE);
	put(b, serial, sizeof(serial));
	wrap(b, TAG_INTEGER, end);
	return hex_write((struct span){ serial, sizeof(serial) }, text, FACTS_SERIAL_MAX);
}

static int write_tbs(struct press *p, const struct model *m, const char *name, struct span spki,
	struct span bits, struct press_certificate *out, struct span *tbs, struct err *err)
{
	struct backwards b = { .p = p->tbs, .at = sizeof(p->tbs) };
	const size_t end = b.at;
	uint8_t id[SHA_DIGEST_LENGTH];
	int rc;

	/* RFC 5280 section 4.2.1.2, method 1: SHA-1 of the key's BIT STRING without its first octet
	 */
	if (!digest(p->md, p->sha1, bits, id))
		return fail(err, "digest");
	for (size_t i = m->count; i-- > 0;) {
		switch (m->piece[i].what) {
		case PIECE_COPY: put(&b, m->piece[i].octets.p, m->piece[i].octets.n); break;
		case PIECE_KEY_ID: put_key_id(&b, id); break;
		case PIECE_NAMES: put_names(&b, name, m->names_critical); break;
		}
	}
	wrap(&b, TAG_SEQUENCE, end);
	wrap(&b, TAG_EXTENSIONS, end);
	put(&b, spki.p, spki.n);
	put(&b, m->middle.p, m->middle.n);
	rc = put_serial(p, &b, out->serial, err);
	put(&b, m->version.p, m->version.n);
	wrap(&b, TAG_SEQUENCE, end);
	if (rc == 0 && b.bad)
		rc = err_set(err, ERR_SPACE, "certificate: above %d octets", OCTETS_MAX);
	*tbs = (struct span){ b.p + b.at, end - b.at };
	return rc;
}

static bool sign(struct press *p, struct span tbs, uint8_t *out, size_t *n)
{
	uint8_t octets[EVP_MAX_MD_SIZE];

	if (p->signer)
		return digest(p->md, p->sha2, tbs, octets) &&
			EVP_PKEY_sign(p->signer, out, n, octets,
				(size_t)EVP_MD_get_size(p->sha2)) == 1;
	return EVP_MD_CTX_reset(p->whole) == 1 &&
		EVP_DigestSignInit(p->whole, NULL, p->digest, NULL, p->key) == 1 &&
		EVP_DigestSign(p->whole, out, n, tbs.p, tbs.n) == 1;
}

static int close_certificate(struct press *p, const struct model *m, struct span tbs,
	struct span *out, struct err *err)
{
	struct backwards b = { .p = p->out, .at = sizeof(p->out) };
	uint8_t signature[1 + 1024] = { 0 }; /* no unused bits */
	size_t n = sizeof(signature) - 1;
	const size_t end = b.at;

	if (!sign(p, tbs, signature + 1, &n))
		return fail(err, "sign");
	put(&b, signature, 1 + n);
	wrap(&b, TAG_BIT_STRING, end);
	put(&b, m->algorithm.p, m->algorithm.n);
	put(&b, tbs.p, tbs.n);
	wrap(&b, TAG_SEQUENCE, end);
	if (b.bad)
		return err_set(err, ERR_SPACE, "certificate: above %d octets", OCTETS_MAX);
	*out = (struct span){ b.p + b.at, end - b.at };
	return 0;
}

static int check_name(const struct press *p, const struct name *name, struct err *err)
{
	const struct profile one = { .san = { *name }, .san_count = 1 };

	return constraint_check(&one, p->issuers, err);
}

int press_make(struct press *p, const struct name *name, struct span spki,
	struct press_certificate *out, struct err *err)
{
	struct press_certificate c = { .issuer = p->issuer };
	struct span bits = { 0 }, tbs = { 0 };
	char text[NAME_TEXT_MAX];
	struct model *m;
	bool rsa = false;
	int rc = p->bound ? check_name(p, name, err) : 0;

	if (rc != 0)
		return rc;
	if (!name_is_plain(name) || name_write_text(name, text, sizeof(text)) != 0)
		return err_set(err, ERR_ARG, "certificate: a name that is not plain");
	if (read_spki(spki, &bits, &rsa) != 0)
		return err_set(err, ERR_FORMAT, "certificate: a public key that does not parse");
	m = rsa ? &p->rsa : &p->other;
	if (!m->der)
		rc = make_model(p, name, spki, m, err);
	if (rc == 0)
		rc = write_tbs(p, m, text, spki, bits, &c, &tbs, err);
	if (rc == 0)
		rc = close_certificate(p, m, tbs, &c.der, err);
	if (rc != 0)
		return rc;
	c.not_before = m->not_before;
	c.not_after = m->not_after;
	*out = c;
	return 0;
}
