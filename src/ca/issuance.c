/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/issuance.h"

#include "pki/again.h"
#include "pki/keykind.h"

#include <openssl/err.h>
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

/* Recorded without its files. */
static int certify_beside(struct state *state, const char *prefix,
	const struct authority_order *order, struct err *err)
{
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	int rc = issuance_make(state, order, &cert, &key, err);

	if (rc == 0)
		rc = authority_complete(state->authority, prefix, cert, err);
	EVP_PKEY_free(key);
	X509_free(cert);
	return rc;
}

int issuance_key(const char *where, const char *prefix, const struct profile *profile, bool moves,
	struct err *err)
{
	char file[PATH_MAX];
	struct authority_order order = { .profile = profile, .key_file = file, .replace = true };
	struct state *state = NULL;
	int rc;

	if (snprintf(file, sizeof(file), "%s-key.pem", prefix) >= PATH_MAX)
		return err_set(err, ERR_ARG, "key '%.80s...': the path is too long", prefix);
	rc = state_open(where, NULL, &state, err);
	if (rc == 0)
		rc = moves ? certify_beside(state, prefix, &order, err)
			   : issuance_files(state, prefix, &order, err);
	state_close(state);
	return rc;
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

/* former: of the authority that issued it; NULL: this one. */
static int check_issuer(struct state *state, X509 *cert, const char *path, const char *former,
	struct err *err)
{
	OWNED(pemfile_chain) before = NULL;
	X509 *issuer = authority_certificate(state->authority);
	int rc = former ? pemfile_read_chain(former, &before, err) : 0;

	if (rc != 0)
		return rc;
	if (former)
		issuer = sk_X509_value(before, 0);
	if (X509_verify(cert, X509_get0_pubkey(issuer)) != 1) {
		ERR_clear_error();
		return err_set(err, ERR_ARG, "certificate '%s': was not issued by '%s'", path,
			former ? former : state->place.cert);
	}
	if (X509_check_ca(cert) == 1)
		return err_set(err, ERR_ARG, "certificate '%s': is an authority's", path);
	return 0;
}

static int load_leaf(struct state *state, const char *prefix, const char *former, X509 **out,
	struct err *err)
{
	OWNED(pemfile_chain) chain = NULL;
	char path[PATH_MAX];
	int rc;

	if (snprintf(path, sizeof(path), "%s.pem", prefix) >= (int)sizeof(path))
		return err_set(err, ERR_ARG, "file '%.80s...': the path is too long", prefix);
	rc = pemfile_read_chain(path, &chain, err);
	if (rc == 0)
		rc = check_issuer(state, sk_X509_value(chain, 0), path, former, err);
	if (rc == 0)
		*out = sk_X509_shift(chain);
	return rc;
}

/* Which key: a new one, the one there is, or, when another authority takes over, the one that
 * was certified, whoever has it. */
static int choose_key(const struct issuance_renewal *how, X509 *cert, const char *key,
	struct authority_order *order, struct err *err)
{
	if (how->new_key && !order->key_kind)
		return keykind_of(X509_get0_pubkey(cert), &order->key_kind, err);
	if (how->former)
		order->public_key = X509_get0_pubkey(cert);
	else if (!how->new_key)
		order->key_file = key;
	return 0;
}

static int renew(struct state *state, const char *prefix, const struct issuance_renewal *how,
	X509 *cert, struct again *a, struct err *err)
{
	struct profile p = { 0 };
	struct found known = { .profile = "both" };
	char key[PATH_MAX + 16];
	struct authority_order order = { .profile = &p,
		.key_kind = how->key_kind,
		.password = how->password,
		.encrypt = how->encrypt,
		.replace = true };
	int rc = find_record(state, cert, &known, err);

	if (rc == 0 && known.revoked)
		rc = err_set(err, ERR_ARG, "certificate '%s.pem': is revoked; issue a new one",
			prefix);
	if (rc == 0)
		rc = again_read(cert, a, &p, err);
	snprintf(key, sizeof(key), "%s-key.pem", prefix);
	if (rc == 0)
		rc = choose_key(how, cert, key, &order, err);
	if (rc != 0)
		return rc;
	p.name = known.profile;
	if (how->life_s)
		p.life_s = how->life_s;
	return issue(state, prefix, &order, "cert.renew", err);
}

int issuance_renew(struct state *state, const char *prefix, const struct issuance_renewal *how,
	struct buf *dropped, struct err *err)
{
	OWNED(X509) cert = NULL;
	struct again a = { 0 };
	int rc = load_leaf(state, prefix, how->former, &cert, err);

	if (rc == 0)
		rc = renew(state, prefix, how, cert, &a, err);
	if (rc == 0 && dropped)
		buf_put(dropped, buf_span(&a.dropped));
	again_done(&a);
	return rc;
}
