/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/profile.h"

#include <arpa/inet.h>
#include <string.h>

int profile_read_role(const char *word, enum profile_role *out, struct err *err)
{
	static const struct {
		const char *word;
		enum profile_role role;
	} roles[] = {
		{ "server", PROFILE_SERVER },
		{ "client", PROFILE_CLIENT },
		{ "both", PROFILE_BOTH },
	};

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(word, roles[i].word) != 0)
			continue;
		*out = roles[i].role;
		return 0;
	}
	return err_set(err, ERR_ARG, "role '%s': not server, client or both", word);
}

/* Only what a certificate may carry: letters, digits, hyphen, underscore; or "*" first. */
static bool san_is_fit(const struct name *name)
{
	struct name rest;

	if (name_labels(name) == 0)
		return false;
	if (name->wire[0] == 1 && name->wire[1] == '*')
		return name_parent(name, &rest) && name_labels(&rest) > 0 && name_is_plain(&rest);
	return name_is_plain(name);
}

int profile_add_san(struct profile *p, const char *text, struct err *err)
{
	struct name name;

	if (p->san_count == PROFILE_SAN_MAX)
		return err_set(err, ERR_SPACE, "name '%s': more than %d names", text,
			PROFILE_SAN_MAX);
	if (name_of(text, &name) != 0)
		return err_set(err, ERR_FORMAT, "name '%s': not a domain name", text);
	if (!san_is_fit(&name))
		return err_set(err, ERR_FORMAT,
			"name '%s': only letters, digits, hyphen and underscore, or '*' as the "
			"first label",
			text);
	for (size_t i = 0; i < p->san_count; i++)
		if (name_equal(&p->san[i], &name))
			return err_set(err, ERR_ARG, "name '%s': given twice", text);
	p->san[p->san_count++] = name;
	return 0;
}

int profile_add_address(struct profile *p, const char *text, bool *taken, struct err *err)
{
	struct profile_address a = { .n = 4 };

	*taken = inet_pton(AF_INET, text, a.octets) == 1;
	if (!*taken && inet_pton(AF_INET6, text, a.octets) == 1) {
		*taken = true;
		a.n = 16;
	}
	if (!*taken)
		return 0;
	if (p->address_count == PROFILE_ADDRESS_MAX)
		return err_set(err, ERR_SPACE, "address '%s': more than %d addresses", text,
			PROFILE_ADDRESS_MAX);
	p->address[p->address_count++] = a;
	return 0;
}

static int add_subtree(struct name *list, size_t *count, const char *text, struct err *err)
{
	struct name name;

	if (*count == PROFILE_SUBTREE_MAX)
		return err_set(err, ERR_SPACE, "constraint '%s': more than %d", text,
			PROFILE_SUBTREE_MAX);
	if (name_of(text, &name) != 0 || name_labels(&name) == 0 || !name_is_plain(&name))
		return err_set(err, ERR_FORMAT, "constraint '%s': not a domain name", text);
	list[(*count)++] = name;
	return 0;
}

int profile_permit(struct profile *p, const char *text, struct err *err)
{
	return add_subtree(p->permitted, &p->permitted_count, text, err);
}

int profile_exclude(struct profile *p, const char *text, struct err *err)
{
	return add_subtree(p->excluded, &p->excluded_count, text, err);
}

static const char *const key_usages[PROFILE_KEY_USAGES] = { "digitalSignature", "nonRepudiation",
	"keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign",
	"encipherOnly", "decipherOnly" };

static const char *const purposes[PROFILE_PURPOSES] = { "serverAuth", "clientAuth", "codeSigning",
	"emailProtection", "timeStamping", "OCSPSigning", "anyExtendedKeyUsage" };

const char *profile_key_usage_word(unsigned n)
{
	return n < PROFILE_KEY_USAGES ? key_usages[n] : NULL;
}

const char *profile_purpose_word(unsigned n)
{
	return n < PROFILE_PURPOSES ? purposes[n] : NULL;
}

static int add_word(const char *const *words, unsigned n, const char *what, const char *word,
	unsigned *bits, struct err *err)
{
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(word, words[i]) != 0)
			continue;
		*bits |= 1u << i;
		return 0;
	}
	return err_set(err, ERR_ARG, "%s '%s': not one of RFC 5280", what, word);
}

int profile_add_key_usage(struct profile *p, const char *word, struct err *err)
{
	return add_word(key_usages, PROFILE_KEY_USAGES, "key usage", word, &p->key_usage, err);
}

int profile_add_purpose(struct profile *p, const char *word, struct err *err)
{
	return add_word(purposes, PROFILE_PURPOSES, "extended key usage", word, &p->purposes, err);
}

const char *profile_word(const struct profile *p)
{
	if (p->name)
		return p->name;
	switch (p->role) {
	case PROFILE_ROOT: return "root";
	case PROFILE_INTERMEDIATE: return "ca";
	case PROFILE_SERVER: return "server";
	case PROFILE_CLIENT: return "client";
	case PROFILE_BOTH: return "both";
	case PROFILE_OTHER: break;
	}
	return "other";
}

bool profile_is_authority(const struct profile *p)
{
	return p->role == PROFILE_ROOT || p->role == PROFILE_INTERMEDIATE;
}

static int check_text(const char *field, const char *text, struct err *err)
{
	size_t n = strlen(text);

	if (n == 0)
		return err_set(err, ERR_ARG, "%s: empty", field);
	if (n > PROFILE_TEXT_MAX)
		return err_set(err, ERR_ARG, "%s: %zu octets, %d at most", field, n,
			PROFILE_TEXT_MAX);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return err_set(err, ERR_ARG, "%s: holds a control character", field);
	return 0;
}

static int check_subject(const struct profile *p, struct err *err)
{
	const struct {
		const char *field, *text;
	} rows[] = {
		{ "common name", p->common_name },
		{ "organisation", p->organisation },
		{ "unit", p->unit },
		{ "locality", p->locality },
		{ "state", p->state },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].text)
			rc = check_text(rows[i].field, rows[i].text, err);
	/* RFC 5280 appendix A.1: X520countryName has two characters. */
	if (rc == 0 && p->country && strlen(p->country) != 2)
		rc = err_set(err, ERR_ARG, "country '%.20s': not two letters", p->country);
	return rc;
}

/* What only an authority, and what only a leaf may have. */
static int check_kind(const struct profile *p, struct err *err)
{
	bool any_name = p->san_count != 0 || p->address_count != 0;
	unsigned signing = PROFILE_KEY_CERT_SIGN | PROFILE_CRL_SIGN;

	if (!profile_is_authority(p)) {
		if (!any_name && !p->nameless)
			return err_set(err, ERR_ARG, "names: none given");
		/* RFC 5280 section 4.1.2.6: then the subject must be there. */
		if (!any_name && !p->common_name)
			return err_set(err, ERR_ARG, "names: none given, nor a common name");
		if (p->permitted_count != 0 || p->excluded_count != 0)
			return err_set(err, ERR_ARG, "constraints: only an authority has them");
		if (p->key_usage & signing)
			return err_set(err, ERR_ARG, "key usage: only an authority signs others");
		return 0;
	}
	if (!p->common_name)
		return err_set(err, ERR_ARG, "common name: an authority needs one");
	if (any_name)
		return err_set(err, ERR_ARG, "names: an authority has none");
	if (p->key_usage && !(p->key_usage & PROFILE_KEY_CERT_SIGN))
		return err_set(err, ERR_ARG, "key usage: an authority needs keyCertSign");
	return 0;
}

int profile_check(const struct profile *p, struct err *err)
{
	int rc = check_subject(p, err);

	if (rc == 0)
		rc = check_kind(p, err);
	if (rc != 0)
		return rc;
	if (p->life_s == 0 || p->life_s > PROFILE_DAYS_MAX * PROFILE_DAY_S)
		return err_set(err, ERR_ARG, "lifetime: %u s is not 1 s to %d days", p->life_s,
			PROFILE_DAYS_MAX);
	if (p->path_len < -1 || p->path_len > 16)
		return err_set(err, ERR_ARG, "path length: %d is not 0 to 16", p->path_len);
	return 0;
}
