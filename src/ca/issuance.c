/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/issuance.h"

#include "pki/keyfile.h"
#include "pki/keykind.h"
#include "pki/request.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* What the callback of one act needs, and what it leaves. */
struct act {
	struct state *state;
	const char *profile, *name;
	X509 *cert;
};

static int record(void *arg, X509 *cert, const char *prefix, struct err *err)
{
	struct act *act = arg;
	int rc = state_record(act->state, cert, act->profile, prefix, act->name, err);

	if (rc == 0 && X509_up_ref(cert) == 1)
		act->cert = cert;
	return rc;
}

/* What failed half way stays as it is: the next state_open sees what came of it. */
static int settle(struct act *act, int rc, struct err *err)
{
	if (act->cert && rc == 0)
		rc = state_settle(act->state, act->cert, err);
	X509_free(act->cert);
	return rc;
}

/* A root records itself: its folder has come to be by then, its files not yet. */
static int record_root(void *arg, X509 *cert, const char *prefix, struct err *err)
{
	const char *slash = strrchr(prefix, '/');
	struct act *act = arg;
	char folder[PATH_MAX];
	int rc;

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - prefix) : 1,
		slash ? prefix : ".");
	rc = state_begin(folder[0] ? folder : "/", &act->state, err);
	return rc == 0 ? record(arg, cert, prefix, err) : rc;
}

static int root(const char *where,
	int (*found)(const char *where, const struct authority_order *order, struct err *err),
	const struct authority_order *order, struct err *err)
{
	struct act act = { .profile = profile_word(order->profile), .name = "ca.init" };
	struct authority_order own = *order;
	int rc;

	own.record = record_root;
	own.record_arg = &act;
	rc = settle(&act, found(where, &own, err), err);
	state_close(act.state);
	return rc;
}

int issuance_root(const char *folder, const struct authority_order *order, struct err *err)
{
	return root(folder, authority_init, order, err);
}

static int root_at(const char *prefix, const struct authority_order *order, struct err *err)
{
	return authority_found(NULL, prefix, order, err);
}

int issuance_below(struct state *state, const char *folder, const struct authority_order *order,
	struct err *err)
{
	struct act act = { .state = state,
		.profile = profile_word(order->profile),
		.name = "ca.intermediate" };
	const struct auditline_note by = { "by", state->place.prefix };
	struct authority_order own = *order;
	struct state *below = NULL;
	int rc;

	own.record = record;
	own.record_arg = &act;
	rc = settle(&act, authority_extend(state->authority, folder, &own, err), err);
	if (rc == 0)
		rc = state_open_keyless(folder, &below, err);
	if (rc == 0)
		rc = audit_append(below->audit, "ca.init", order->profile->common_name, &by, 1,
			err);
	state_close(below);
	return rc;
}

static int issue(struct state *state, const char *prefix, const struct authority_order *order,
	const char *name, struct err *err)
{
	struct act act = { .state = state, .profile = profile_word(order->profile), .name = name };
	struct authority_order own = *order;

	own.record = record;
	own.record_arg = &act;
	return settle(&act,
		profile_is_authority(order->profile)
			? authority_found(state->authority, prefix, &own, err)
			: authority_issue(state->authority, prefix, &own, err),
		err);
}

int issuance_files(struct state *state, const char *prefix, const struct authority_order *order,
	struct err *err)
{
	bool authority = profile_is_authority(order->profile);

	if (!state)
		return root(prefix, root_at, order, err);
	return issue(state, prefix, order, authority ? "ca.intermediate" : "cert.issue", err);
}

int issuance_make(struct state *state, const struct authority_order *order, X509 **cert,
	EVP_PKEY **key, struct err *err)
{
	bool authority = profile_is_authority(order->profile);
	struct act act = { .state = state,
		.profile = profile_word(order->profile),
		.name = authority ? "ca.intermediate" : "cert.issue" };
	struct authority_order own = *order;
	int rc;

	own.record = state ? record : NULL;
	own.record_arg = &act;
	rc = authority_make(state ? state->authority : NULL, &own, cert, key, err);
	X509_free(act.cert);
	return rc;
}

int issuance_beside(struct state *state, const char *prefix, const struct profile *profile,
	struct err *err)
{
	char file[PATH_MAX];
	struct authority_order order = { .profile = profile, .key_file = file };
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	int rc;

	if (snprintf(file, sizeof(file), "%s-key.pem", prefix) >= PATH_MAX)
		return err_set(err, ERR_ARG, "key '%.80s...': the path is too long", prefix);
	rc = issuance_make(state, &order, &cert, &key, err);
	if (rc == 0)
		rc = authority_complete(state->authority, prefix, cert, err);
	EVP_PKEY_free(key);
	X509_free(cert);
	return rc;
}

static unsigned purposes_of(X509 *cert)
{
	uint32_t bits = X509_get_extended_key_usage(cert);
	unsigned out = 0;

	if (bits == UINT32_MAX)
		return 0;
	out |= bits & XKU_SSL_SERVER ? 1u << 0 : 0;
	out |= bits & XKU_SSL_CLIENT ? 1u << 1 : 0;
	out |= bits & XKU_CODE_SIGN ? 1u << 2 : 0;
	out |= bits & XKU_SMIME ? 1u << 3 : 0;
	out |= bits & XKU_TIMESTAMP ? 1u << 4 : 0;
	out |= bits & XKU_OCSP_SIGN ? 1u << 5 : 0;
	out |= bits & XKU_ANYEKU ? 1u << 6 : 0;
	return out;
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

/* What the certificate says, as a profile that says it again. */
static int read_again(X509 *cert, struct request_subject *s, struct profile *p, struct err *err)
{
	struct facts f = { 0 };
	int rc = facts_read(cert, &f, err);

	p->role = PROFILE_OTHER;
	p->nameless = true;
	p->path_len = -1;
	p->backdate_s = PROFILE_BACKDATE_S;
	p->key_usage = usages_of(cert);
	p->purposes = purposes_of(cert);
	if (rc == 0)
		p->life_s = (unsigned)(f.not_after - f.not_before);
	if (p->life_s > PROFILE_BACKDATE_S)
		p->life_s -= PROFILE_BACKDATE_S;
	facts_done(&f);
	return rc == 0 ? request_again(cert, p, s, err) : rc;
}

/* The profile it was issued under, for the record. */
struct found {
	char profile[PROFILE_TEXT_MAX + 1];
	bool revoked;
};

static bool take_profile(void *arg, const struct ledger_entry *e)
{
	struct found *f = arg;

	snprintf(f->profile, sizeof(f->profile), "%s", e->profile);
	f->revoked = e->revoked_at != 0;
	return false;
}

static int find_record(struct state *state, X509 *cert, struct found *out, struct err *err)
{
	struct facts f = { 0 };
	struct ledger_filter filter = { .serial = f.serial };
	int rc = facts_read(cert, &f, err);

	if (rc == 0)
		rc = ledger_each(state->ledger, &filter, take_profile, out, err);
	facts_done(&f);
	return rc;
}

static int load_leaf(struct state *state, const char *prefix, X509 **out, struct err *err)
{
	OWNED(pemfile_chain) chain = NULL;
	char path[PATH_MAX];
	X509 *cert;
	int rc;

	if (snprintf(path, sizeof(path), "%s.pem", prefix) >= (int)sizeof(path))
		return err_set(err, ERR_ARG, "file '%.80s...': the path is too long", prefix);
	rc = pemfile_read_chain(path, &chain, err);
	if (rc != 0)
		return rc;
	cert = sk_X509_value(chain, 0);
	if (X509_verify(cert, X509_get0_pubkey(authority_certificate(state->authority))) != 1)
		return err_set(err, ERR_ARG, "certificate '%s': was not issued by '%s'", path,
			state->place.cert);
	if (X509_check_ca(cert) == 1)
		return err_set(err, ERR_ARG, "certificate '%s': is an authority's", path);
	*out = X509_up_ref(cert) == 1 ? cert : NULL;
	return 0;
}

int issuance_renew(struct state *state, const char *prefix, const struct issuance_renewal *how,
	struct err *err)
{
	OWNED(X509) cert = NULL;
	struct profile p = { 0 };
	struct request_subject subject;
	struct found known = { .profile = "both" };
	struct authority_order order = { .profile = &p,
		.key_kind = how->key_kind,
		.password = how->password,
		.encrypt = how->encrypt,
		.replace = true };
	char key[PATH_MAX + 16];
	int rc = load_leaf(state, prefix, &cert, err);

	if (rc == 0)
		rc = find_record(state, cert, &known, err);
	if (rc == 0 && known.revoked)
		rc = err_set(err, ERR_ARG, "certificate '%s.pem': is revoked; issue a new one",
			prefix);
	if (rc == 0)
		rc = read_again(cert, &subject, &p, err);
	if (rc == 0 && how->new_key && !order.key_kind)
		rc = keykind_of(X509_get0_pubkey(cert), &order.key_kind, err);
	if (rc != 0)
		return rc;
	p.name = known.profile;
	if (how->life_s)
		p.life_s = how->life_s;
	snprintf(key, sizeof(key), "%s-key.pem", prefix);
	if (!how->new_key)
		order.key_file = key;
	return issue(state, prefix, &order, "cert.renew", err);
}
