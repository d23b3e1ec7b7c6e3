/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cfssl.h"

#include <stdio.h>
#include <string.h>

#include "json/fields.h"

/* Go's time.ParseDuration, for what these files hold. */
static int read_duration(const char *field, const char *text, unsigned *out_s, struct err *err)
{
	uint64_t total = 0;
	const char *p = text;

	while (*p) {
		size_t digits = strspn(p, "0123456789");
		uint64_t n = 0, unit = 0;

		for (size_t i = 0; i < digits && i < 10; i++)
			n = n * 10 + (uint64_t)(p[i] - '0');
		if (digits > 0 && digits < 10)
			unit = p[digits] == 'h'    ? 3600
				: p[digits] == 'm' ? 60
				: p[digits] == 's' ? 1
						   : 0;
		if (unit == 0 || (p[digits] == 'm' && p[digits + 1] == 's'))
			break;
		total += n * unit;
		p += digits + 1;
	}
	if (*p || total == 0 || total > (uint64_t)PROFILE_DAYS_MAX * PROFILE_DAY_S)
		return err_set(err, ERR_FORMAT,
			"%s '%.40s': not a length of time such as 8760h, up to a hundred years",
			field, text);
	*out_s = (unsigned)total;
	return 0;
}

static int take_duration(struct fields *f, const char *field, unsigned *out_s)
{
	const char *text;

	if (!fields_text(f, field, FIELDS_MAY, &text) || !text[0])
		return fields_done(f);
	return read_duration(field, text, out_s, f->err);
}

static int add_host(struct profile *p, const char *host, struct err *err)
{
	bool taken = false;
	struct err why;
	int rc;

	if (!host[0])
		return 0;
	rc = profile_add_address(p, host, &taken, err);
	if (rc != 0 || taken)
		return rc;
	rc = profile_add_san(p, host, &why);
	/* one that is there already */
	if (rc == ERR_ARG)
		return 0;
	return rc == 0 ? 0 : err_set(err, rc, "hosts: %s", why.msg);
}

static int read_hosts(struct profile *p, const struct doc *hosts, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < doc_count(hosts); i++) {
		const struct doc *host = doc_item(hosts, i);

		rc = doc_kind(host) == DOC_TEXT
			? add_host(p, doc_text(host), err)
			: err_set(err, ERR_FORMAT, "hosts: number %zu is no string", i + 1);
	}
	return rc;
}

int cfssl_read_hosts(struct cfssl *c, const char *hosts, struct err *err)
{
	char one[NAME_TEXT_MAX];
	const char *p = hosts;
	int rc = 0;

	c->profile.san_count = 0;
	c->profile.address_count = 0;
	while (rc == 0 && *p) {
		size_t n = strcspn(p, ",");

		if (n >= sizeof(one))
			return err_set(err, ERR_FORMAT, "hosts '%.40s...': too long", p);
		memcpy(one, p, n);
		one[n] = '\0';
		rc = add_host(&c->profile, one, err);
		p += n + (p[n] == ',');
	}
	return rc;
}

static int read_name(struct profile *p, const struct doc *name, struct err *err)
{
	const struct {
		const char *member, **field;
	} rows[] = {
		{ "C", &p->country },
		{ "ST", &p->state },
		{ "L", &p->locality },
		{ "O", &p->organisation },
		{ "OU", &p->unit },
	};
	struct fields f = fields_of(name, err);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text;

		if (!fields_text(&f, rows[i].member, FIELDS_MAY, &text) || !text[0])
			continue;
		if (*rows[i].field)
			return err_set(err, ERR_ARG, "names: %s is given twice", rows[i].member);
		*rows[i].field = text;
	}
	return fields_done(&f);
}

static int read_key(struct cfssl *c, const struct doc *key, struct err *err)
{
	static const struct {
		const char *algo;
		uint32_t size;
		const char *kind;
	} rows[] = {
		{ "rsa", 2048, "rsa2048" },
		{ "rsa", 3072, "rsa3072" },
		{ "rsa", 4096, "rsa4096" },
		{ "ecdsa", 256, "p256" },
		{ "ecdsa", 384, "p384" },
		{ "ed25519", 0, "ed25519" },
	};
	struct fields f = fields_of(key, err);
	const char *algo = "";
	uint32_t size = 0;

	fields_text(&f, "algo", FIELDS_MUST, &algo);
	fields_u32(&f, "size", FIELDS_MAY, 65536, &size);
	if (fields_done(&f) != 0)
		return err_wrap(err, fields_done(&f), "key");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(algo, rows[i].algo) != 0 || (rows[i].size && size != rows[i].size))
			continue;
		c->key_kind = rows[i].kind;
		return 0;
	}
	return err_set(err, ERR_ARG,
		"key: '%.20s' of %u bits: not rsa 2048, 3072 or 4096, ecdsa 256 or 384, ed25519",
		algo, size);
}

/* cfssl: 0 means no limit, unless the other member says that it means 0. */
static int read_path(struct fields *f, const char *len_name, const char *zero_name, int *out)
{
	uint32_t len = 0;
	bool zero = false;

	fields_u32(f, len_name, FIELDS_MAY, 16, &len);
	fields_bool(f, zero_name, FIELDS_MAY, &zero);
	*out = len == 0 && !zero ? -1 : (int)len;
	return fields_done(f);
}

static int read_ca(struct profile *p, const struct doc *ca, struct err *err)
{
	struct fields f = fields_of(ca, err);
	int rc = take_duration(&f, "expiry", &p->life_s);

	if (rc == 0)
		rc = take_duration(&f, "backdate", &p->backdate_s);
	if (rc == 0)
		rc = read_path(&f, "pathlen", "pathlenzero", &p->path_len);
	return rc == 0 ? 0 : err_wrap(err, rc, "ca");
}

int cfssl_read_request(struct cfssl *c, struct span text, bool root, struct err *err)
{
	struct profile *p = &c->profile;
	const struct doc *hosts = NULL, *names = NULL, *key = NULL, *ca = NULL;
	struct fields f;
	int rc = doc_read(text, &c->request, err);

	if (rc != 0)
		return rc;
	f = fields_of(c->request, err);
	fields_text(&f, "CN", FIELDS_MAY, &p->common_name);
	fields_array(&f, "hosts", FIELDS_MAY, &hosts);
	fields_array(&f, "names", FIELDS_MAY, &names);
	fields_object(&f, "key", FIELDS_MAY, &key);
	fields_object(&f, "ca", FIELDS_MAY, &ca);
	rc = fields_done(&f);
	if (p->common_name && !p->common_name[0])
		p->common_name = NULL;
	if (rc == 0)
		rc = read_hosts(p, hosts, err);
	for (size_t i = 0; rc == 0 && i < doc_count(names); i++)
		rc = read_name(p, doc_item(names, i), err);
	c->key_kind = "p256";
	if (rc == 0 && key)
		rc = read_key(c, key, err);
	p->nameless = true;
	if (rc != 0 || !root)
		return rc;
	p->role = PROFILE_ROOT;
	p->name = "initca";
	p->path_len = -1;
	p->backdate_s = PROFILE_BACKDATE_S;
	p->life_s = 5 * 365 * PROFILE_DAY_S;
	return ca ? read_ca(p, ca, err) : 0;
}

/* cfssl's words: a bit of the key usage, or a purpose. */
static int add_usage(struct profile *p, const char *word, struct err *err)
{
	static const struct {
		const char *word, *key_usage, *purpose;
	} rows[] = {
		{ "signing", "digitalSignature", NULL },
		{ "digital signature", "digitalSignature", NULL },
		{ "content commitment", "nonRepudiation", NULL },
		{ "key encipherment", "keyEncipherment", NULL },
		{ "data encipherment", "dataEncipherment", NULL },
		{ "key agreement", "keyAgreement", NULL },
		{ "cert sign", "keyCertSign", NULL },
		{ "crl sign", "cRLSign", NULL },
		{ "encipher only", "encipherOnly", NULL },
		{ "decipher only", "decipherOnly", NULL },
		{ "any", NULL, "anyExtendedKeyUsage" },
		{ "server auth", NULL, "serverAuth" },
		{ "client auth", NULL, "clientAuth" },
		{ "code signing", NULL, "codeSigning" },
		{ "email protection", NULL, "emailProtection" },
		{ "s/mime", NULL, "emailProtection" },
		{ "timestamping", NULL, "timeStamping" },
		{ "ocsp signing", NULL, "OCSPSigning" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(word, rows[i].word) != 0)
			continue;
		return rows[i].key_usage ? profile_add_key_usage(p, rows[i].key_usage, err)
					 : profile_add_purpose(p, rows[i].purpose, err);
	}
	return err_set(err, ERR_ARG, "usages: '%.40s' is not supported", word);
}

static int read_usages(struct profile *p, const struct doc *usages, struct err *err)
{
	int rc = 0;

	if (doc_count(usages) == 0)
		return err_set(err, ERR_FORMAT, "usages: missing");
	for (size_t i = 0; rc == 0 && i < doc_count(usages); i++) {
		const struct doc *one = doc_item(usages, i);

		rc = doc_kind(one) == DOC_TEXT
			? add_usage(p, doc_text(one), err)
			: err_set(err, ERR_FORMAT, "usages: number %zu is no string", i + 1);
	}
	return rc;
}

/* Members of cfssl's that change what is issued, and that we do not do. */
static int check_unsupported(const struct doc *profile, struct err *err)
{
	static const char *const words[] = { "auth_key", "auth_remote", "remote", "name_whitelist",
		"crl_url", "ocsp_url", "issuer_urls", "policies", "allowed_extensions",
		"copy_extensions", "ct_log_servers", "not_before", "not_after", "ocsp_no_check",
		"prev_auth_key", "lint_error_level" };
	unsigned times;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (doc_kind(doc_member_any_case(profile, words[i], &times)) > DOC_NULL)
			return err_set(err, ERR_ARG, "%s: is not supported", words[i]);
	return 0;
}

static int read_constraint(struct profile *p, const struct doc *constraint, struct err *err)
{
	struct fields f = fields_of(constraint, err);
	bool is_ca = false;
	int path = -1, rc;

	fields_bool(&f, "is_ca", FIELDS_MAY, &is_ca);
	rc = read_path(&f, "max_path_len", "max_path_len_zero", &path);
	if (rc != 0)
		return err_wrap(err, rc, "ca_constraint");
	if (is_ca) {
		p->role = PROFILE_INTERMEDIATE;
		p->path_len = path;
	}
	return 0;
}

static int read_profile(struct profile *p, const struct doc *doc, struct err *err)
{
	const struct doc *usages = NULL, *constraint = NULL;
	struct fields f = fields_of(doc, err);
	int rc;

	fields_array(&f, "usages", FIELDS_MAY, &usages);
	fields_object(&f, "ca_constraint", FIELDS_MAY, &constraint);
	rc = take_duration(&f, "expiry", &p->life_s);
	if (rc == 0)
		rc = take_duration(&f, "backdate", &p->backdate_s);
	if (rc == 0)
		rc = check_unsupported(doc, err);
	if (rc == 0)
		rc = read_usages(p, usages, err);
	if (rc == 0 && constraint)
		rc = read_constraint(p, constraint, err);
	return rc;
}

/* Everything a config decides, as cfssl has it where there is none. */
static void set_defaults(struct profile *p)
{
	p->role = PROFILE_OTHER;
	p->name = "default";
	p->path_len = -1;
	p->backdate_s = PROFILE_BACKDATE_S;
	p->life_s = 365 * PROFILE_DAY_S;
	p->key_usage = PROFILE_DIGITAL_SIGNATURE | PROFILE_KEY_ENCIPHERMENT;
	p->purposes = PROFILE_SERVER_AUTH | PROFILE_CLIENT_AUTH;
}

static int find_profile(const struct doc *config, const char *name, const struct doc **out,
	const struct doc **usual, struct err *err)
{
	const struct doc *signing = NULL, *profiles = NULL;
	struct fields f = fields_of(config, err), s;

	if (!fields_object(&f, "signing", FIELDS_MUST, &signing))
		return fields_done(&f);
	s = fields_of(signing, err);
	fields_object(&s, "default", FIELDS_MAY, usual);
	fields_object(&s, "profiles", FIELDS_MAY, &profiles);
	if (fields_done(&s) != 0)
		return err_wrap(err, fields_done(&s), "signing");
	*out = name ? doc_member(profiles, name) : *usual;
	if (doc_kind(*out) != DOC_OBJECT)
		return err_set(err, ERR_ARG, "signing: no profile '%.60s'",
			name ? name : "default");
	return 0;
}

int cfssl_read_config(struct cfssl *c, struct span text, const char *name, struct err *err)
{
	const struct doc *profile = NULL, *usual = NULL;
	struct profile *p = &c->profile;
	struct fields f;
	int rc;

	set_defaults(p);
	if (text.n == 0)
		return name ? err_set(err, ERR_ARG, "profile '%.60s': there is no config", name)
			    : 0;
	rc = doc_read(text, &c->config, err);
	if (rc == 0)
		rc = find_profile(c->config, name, &profile, &usual, err);
	if (rc != 0)
		return rc;
	if (usual) {
		f = fields_of(usual, err);
		rc = take_duration(&f, "expiry", &p->life_s);
	}
	p->key_usage = 0;
	p->purposes = 0;
	if (rc == 0)
		rc = read_profile(p, profile, err);
	if (name)
		p->name = name;
	return rc == 0 ? 0 : err_wrap(err, rc, "profile '%.60s'", name ? name : "default");
}

void cfssl_done(struct cfssl *c)
{
	doc_free(c->request);
	doc_free(c->config);
	*c = (struct cfssl){ 0 };
}
