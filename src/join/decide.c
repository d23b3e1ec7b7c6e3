/* SPDX-License-Identifier: Apache-2.0 */
#include "join/decide.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/aes.h"
#include "lorawan/joinaccept.h"
#include "lorawan/joinreq.h"
#include "lorawan/keys.h"
#include "lorawan/mic.h"
#include "lorawan/rejoin.h"

struct decide {
	struct aes *nwk; /* 1.0: AppKey or a 1.1 device's NwkKey; 1.1: NwkKey */
	struct aes *app; /* 1.1: AppKey */
	struct aes *js_int, *js_enc;
};

int decide_new(struct decide **out, struct err *err)
{
	static const uint8_t zero[LORAWAN_KEY_OCTETS];
	struct decide *d = calloc(1, sizeof(*d));
	int rc = d ? 0 : err_set(err, ERR_NOMEM, "join: no memory");

	rc = rc ? rc : aes_new(zero, &d->nwk, err);
	rc = rc ? rc : aes_new(zero, &d->app, err);
	rc = rc ? rc : aes_new(zero, &d->js_int, err);
	rc = rc ? rc : aes_new(zero, &d->js_enc, err);
	if (rc)
		decide_free(d);
	else
		*out = d;
	return rc;
}

void decide_free(struct decide *d)
{
	if (!d)
		return;
	aes_free(d->nwk);
	aes_free(d->app);
	aes_free(d->js_int);
	aes_free(d->js_enc);
	free(d);
}

/* What a join and a rejoin share once the frame is understood. */
struct asked {
	const struct decide_policy *policy;
	const struct decide_join *q;
	enum joinaccept_cause cause;
	uint16_t nonce; /* DevNonce or RJcount */
	bool opt_neg;   /* 1.1 derivation */
};

/* The root schedules of this device. */
static int rekey(struct decide *d, const struct device *device, bool js_keys, struct err *err)
{
	bool two = version_has_two_keys(device->version);
	uint8_t js_int[LORAWAN_KEY_OCTETS], js_enc[LORAWAN_KEY_OCTETS];
	struct block nwk;
	int rc;

	rc = aes_rekey(d->nwk, two ? device->nwk_key : device->app_key, err);
	if (rc || !js_keys)
		return rc;
	nwk = aes_block(d->nwk);
	keys_derive_js(&nwk, device->dev_eui, js_int, js_enc);
	rc = aes_rekey(d->app, device->app_key, err);
	rc = rc ? rc : aes_rekey(d->js_int, js_int, err);
	rc = rc ? rc : aes_rekey(d->js_enc, js_enc, err);
	secret_wipe_octets(js_int, sizeof(js_int));
	secret_wipe_octets(js_enc, sizeof(js_enc));
	return rc;
}

static bool mic_is_right(struct aes *key, struct span phy)
{
	uint8_t got[LORAWAN_MIC_OCTETS], want[LORAWAN_MIC_OCTETS];
	struct block block = aes_block(key);
	struct span message;

	if (phy_split(phy, &message, got))
		return false;
	mic_of_message(&block, message, want);
	return mic_equal(got, want);
}

static struct span phy_of(const struct decide_join *q)
{
	return (struct span){ q->req->phy_payload, q->req->phy_n };
}

/* 1.1 section 6.2.3: the device follows OptNeg if it is a 1.1 device, and only then. */
static bool follows_opt_neg(const struct device *device, const struct joining_req *req)
{
	return version_has_two_keys(device->version) && (req->dl_settings & JOINACCEPT_OPT_NEG);
}

static bool version_agrees(const struct decide_policy *policy, const struct joining_req *req)
{
	return !policy->strict_version ||
		version_has_two_keys(req->mac_version) == !!(req->dl_settings & JOINACCEPT_OPT_NEG);
}

/* Frame, names and network: all that is asked before a key is touched. */
static enum decide_verdict check_join(const struct decide_policy *policy,
	const struct decide_join *q, const struct device *device, struct joinreq *out)
{
	struct mhdr mhdr;

	if (phy_read_mhdr(phy_of(q), &mhdr) || mhdr.type != PHY_JOIN_REQUEST ||
		joinreq_read(phy_of(q), out))
		return DECIDE_BAD_FRAME;
	if (out->dev_eui != q->req->dev_eui || out->dev_eui != device->dev_eui ||
		out->join_eui != q->join_eui || out->join_eui != device->join_eui)
		return DECIDE_OTHER_EUI;
	if (!version_agrees(policy, q->req))
		return DECIDE_BAD_VERSION;
	return device_allows_net_id(device, q->net_id) ? DECIDE_ACCEPT : DECIDE_NOT_ALLOWED;
}

/* LoRaWAN 1.0.3 and 1.0.4 section 6.2.4; 1.1 section 6.2.2. What was accepted under another rule
 * counts too: a record may be given a new version. */
static enum decide_verdict check_dev_nonce(const struct device *device, uint16_t nonce)
{
	bool used = nonces_has(&device->used, nonce);

	switch (device_nonce_rule(device)) {
	case DEVICE_NONCE_UNUSED:
		return used || nonce <= device->dev_nonce ? DECIDE_NONCE_USED : DECIDE_ACCEPT;
	case DEVICE_NONCE_BY_VERSION:
	case DEVICE_NONCE_RISING:
		if (used || nonce == device->dev_nonce)
			return DECIDE_NONCE_USED;
		return nonce > device->dev_nonce ? DECIDE_ACCEPT : DECIDE_NONCE_NOT_HIGHER;
	case DEVICE_NONCE_INSECURE_ANY: return DECIDE_ACCEPT;
	}
	return DECIDE_NONCE_USED;
}

/* The KEK for the network's keys; false when one is demanded and there is none. */
static bool find_ns_kek(const struct asked *a, const struct device *device, const struct kek **out)
{
	if (device->ns_kek_label[0]) {
		*out = kek_by_label(a->policy->keks, device->ns_kek_label);
		return *out != NULL;
	}
	*out = kek_for_net_id(a->policy->keks, a->q->net_id);
	return *out || !a->policy->kek_required;
}

/* The KEK for the AppSKey on its way through the network. */
static const struct kek *find_as_kek(const struct decide_policy *policy,
	const struct device *device)
{
	if (device->as_kek_label[0])
		return kek_by_label(policy->keks, device->as_kek_label);
	if (policy->as_kek_label && policy->as_kek_label[0])
		return kek_by_label(policy->keks, policy->as_kek_label);
	return device->as_id[0] ? kek_for_as_id(policy->keks, device->as_id) : NULL;
}

static bool find_keks(const struct asked *a, const struct device *device, const struct kek **ns,
	const struct kek **as)
{
	*as = NULL;
	if (!find_ns_kek(a, device, ns))
		return false;
	if (a->policy->app_s_key != DECIDE_APP_S_KEY_WRAPPED)
		return a->policy->app_s_key != DECIDE_APP_S_KEY_INSECURE_CLEAR ||
			!a->policy->kek_required;
	*as = find_as_kek(a->policy, device);
	return *as != NULL;
}

static void derive(struct decide *d, const struct asked *a, const struct device *device,
	uint32_t join_nonce, struct keys_session *out)
{
	struct keys_nonces n = { join_nonce, a->q->net_id, device->join_eui, a->nonce };
	struct block nwk = aes_block(d->nwk), app = aes_block(d->app);

	if (a->opt_neg)
		keys_derive_11(&nwk, &app, &n, out);
	else
		keys_derive_10(&nwk, &n, out);
}

/* The join-accept as it goes on the air. */
static void seal_accept(struct decide *d, const struct asked *a, const struct device *device,
	uint32_t join_nonce, struct joining_ans *ans)
{
	struct block nwk = aes_block(d->nwk), js_int = aes_block(d->js_int),
		     js_enc = aes_block(d->js_enc);
	struct joinaccept accept = {
		.join_nonce = join_nonce,
		.net_id = a->q->net_id,
		.dev_addr = a->q->req->dev_addr,
		.dl_settings = a->q->req->dl_settings,
		.rx_delay = a->q->req->rx_delay,
		.has_cflist = a->q->req->has_cflist,
	};

	memcpy(accept.cflist, a->q->req->cflist, sizeof(accept.cflist));
	if (!a->opt_neg)
		ans->phy_n = joinaccept_seal_10(&nwk, &accept, ans->phy_payload);
	else
		/* 1.1 section 6.2.3: NwkKey after a join-request, JSEncKey after a rejoin. */
		ans->phy_n = joinaccept_seal_11(&js_int,
			a->cause == JOINACCEPT_AFTER_JOIN ? &nwk : &js_enc, a->cause,
			device->join_eui, a->nonce, &accept, ans->phy_payload);
}

static int seal_keys(const struct asked *a, const struct keys_session *keys, const struct kek *ns,
	const struct kek *as, struct joining_ans *ans, struct err *err)
{
	int rc;

	if (a->opt_neg) {
		rc = kek_seal(ns, keys->s_nwk_s_int, &ans->s_nwk_s_int_key, err);
		rc = rc ? rc : kek_seal(ns, keys->f_nwk_s_int, &ans->f_nwk_s_int_key, err);
		rc = rc ? rc : kek_seal(ns, keys->nwk_s_enc, &ans->nwk_s_enc_key, err);
	} else {
		rc = kek_seal(ns, keys->f_nwk_s_int, &ans->nwk_s_key, err);
	}
	if (!rc && a->policy->app_s_key != DECIDE_APP_S_KEY_WITHHELD)
		rc = kek_seal(as, keys->app_s, &ans->app_s_key, err);
	return rc;
}

static void fill_session(const struct asked *a, const struct keys_session *keys,
	uint32_t join_nonce, struct device_session *out)
{
	*out = (struct device_session){
		.join_nonce = join_nonce,
		.nonce = a->nonce,
		.net_id = a->q->net_id,
		.dev_addr = a->q->req->dev_addr,
		.is_1_1 = a->opt_neg,
		.rj_count0 = -1,
	};
	memcpy(out->id, a->q->session_id, sizeof(out->id));
	memcpy(out->app_s_key, keys->app_s, sizeof(out->app_s_key));
	if (a->opt_neg)
		memcpy(out->s_nwk_s_int_key, keys->s_nwk_s_int, sizeof(out->s_nwk_s_int_key));
}

/* Everything was right: one JoinNonce on, and the answer. Changes the device's join_nonce only. */
static int accept(struct decide *d, const struct asked *a, struct device *device,
	struct device_session *session, struct joining_ans *out, enum decide_verdict *verdict,
	struct err *err)
{
	const struct kek *ns, *as;
	struct keys_session keys;
	struct joining_ans ans = { .lifetime = a->policy->lifetime };
	uint32_t join_nonce;
	int rc;

	/* 1.0.4 section 6.2.5, 1.1 section 6.2.3: never the same JoinNonce twice. */
	if (device->join_nonce >= LORAWAN_NONCE_MAX) {
		*verdict = DECIDE_EXHAUSTED;
		return 0;
	}
	if (!find_keks(a, device, &ns, &as)) {
		*verdict = DECIDE_NO_KEK;
		return 0;
	}
	join_nonce = device->join_nonce + 1;
	derive(d, a, device, join_nonce, &keys);
	seal_accept(d, a, device, join_nonce, &ans);
	rc = seal_keys(a, &keys, ns, as, &ans, err);
	if (!rc) {
		fill_session(a, &keys, join_nonce, session);
		memcpy(ans.session_key_id.octets, session->id, sizeof(session->id));
		ans.session_key_id.n = sizeof(session->id);
		memcpy(ans.application_server, device->application_server,
			sizeof(ans.application_server));
		memcpy(ans.as_id, device->as_id, sizeof(ans.as_id));
		*out = ans;
		device->join_nonce = join_nonce;
		*verdict = DECIDE_ACCEPT;
	}
	joining_wipe_ans(&ans);
	secret_wipe_octets(&keys, sizeof(keys));
	return rc;
}

int decide_join(struct decide *d, const struct decide_policy *policy, const struct decide_join *q,
	struct device *device, struct device_session *session, struct joining_ans *ans,
	enum decide_verdict *verdict, struct err *err)
{
	struct asked a = { policy, q, JOINACCEPT_AFTER_JOIN, 0, follows_opt_neg(device, q->req) };
	enum decide_verdict v;
	struct joinreq frame;
	int rc;

	v = check_join(policy, q, device, &frame);
	if (v != DECIDE_ACCEPT) {
		*verdict = v;
		return 0;
	}
	rc = rekey(d, device, a.opt_neg, err);
	if (rc)
		return rc;
	a.nonce = frame.dev_nonce;
	v = mic_is_right(d->nwk, phy_of(q)) ? check_dev_nonce(device, a.nonce) : DECIDE_BAD_MIC;
	if (v != DECIDE_ACCEPT) {
		*verdict = v;
		return 0;
	}
	rc = accept(d, &a, device, session, ans, &v, err);
	if (!rc && v == DECIDE_ACCEPT) {
		if (device_nonce_rule(device) == DEVICE_NONCE_RISING)
			device->dev_nonce = a.nonce;
		else
			nonces_add(&device->used, a.nonce);
	}
	if (!rc)
		*verdict = v;
	return rc;
}

static enum decide_verdict check_rejoin(const struct decide_join *q, const struct device *device,
	struct rejoin *out)
{
	struct mhdr mhdr;

	if (phy_read_mhdr(phy_of(q), &mhdr) || mhdr.type != PHY_REJOIN_REQUEST ||
		rejoin_read(phy_of(q), out))
		return DECIDE_BAD_FRAME;
	if (out->dev_eui != q->req->dev_eui || out->dev_eui != device->dev_eui ||
		q->join_eui != device->join_eui ||
		(out->type == 1 && out->join_eui != device->join_eui))
		return DECIDE_OTHER_EUI;
	if (!follows_opt_neg(device, q->req))
		return DECIDE_BAD_VERSION;
	return device_allows_net_id(device, q->net_id) ? DECIDE_ACCEPT : DECIDE_NOT_ALLOWED;
}

/* 1.1 section 6.2.4.1: which kept session signed it, and is the count new there? */
static int check_rj_count0(struct decide *d, const struct decide_join *q,
	const struct rejoin *frame, const struct device_session *sessions, size_t n, int *index,
	enum decide_verdict *verdict, struct err *err)
{
	*verdict = DECIDE_BAD_MIC;
	for (size_t i = 0; i < n; i++) {
		int rc;

		if (!sessions[i].is_1_1 || sessions[i].net_id != frame->net_id)
			continue;
		rc = aes_rekey(d->app, sessions[i].s_nwk_s_int_key, err);
		if (rc)
			return rc;
		if (!mic_is_right(d->app, phy_of(q)))
			continue;
		*index = (int)i;
		*verdict = frame->rj_count > sessions[i].rj_count0 ? DECIDE_ACCEPT
								   : DECIDE_NONCE_NOT_HIGHER;
		return 0;
	}
	return 0;
}

/* 1.1 section 6.2.4.2: RJcount1 never restarts. */
static enum decide_verdict check_rj_count1(struct decide *d, const struct decide_join *q,
	const struct rejoin *frame, const struct device *device)
{
	if (!mic_is_right(d->js_int, phy_of(q)))
		return DECIDE_BAD_MIC;
	return frame->rj_count > device->rj_count1 ? DECIDE_ACCEPT : DECIDE_NONCE_NOT_HIGHER;
}

int decide_rejoin(struct decide *d, const struct decide_policy *policy, const struct decide_join *q,
	struct device *device, struct device_session *sessions, size_t sessions_n,
	struct device_session *session, int *moved, struct joining_ans *ans,
	enum decide_verdict *verdict, struct err *err)
{
	struct asked a = { policy, q, JOINACCEPT_AFTER_REJOIN_0, 0, true };
	enum decide_verdict v;
	struct rejoin frame;
	int index = -1, rc = 0;

	v = check_rejoin(q, device, &frame);
	if (v == DECIDE_ACCEPT && frame.type != 1)
		rc = check_rj_count0(d, q, &frame, sessions, sessions_n, &index, &v, err);
	if (!rc && (v == DECIDE_ACCEPT))
		rc = rekey(d, device, true, err);
	if (!rc && v == DECIDE_ACCEPT && frame.type == 1)
		v = check_rj_count1(d, q, &frame, device);
	if (!rc && v == DECIDE_ACCEPT) {
		a.cause = (enum joinaccept_cause)frame.type;
		a.nonce = frame.rj_count;
		rc = accept(d, &a, device, session, ans, &v, err);
	}
	if (rc)
		return rc;
	if (v == DECIDE_ACCEPT && index >= 0)
		sessions[index].rj_count0 = frame.rj_count;
	else if (v == DECIDE_ACCEPT)
		device->rj_count1 = frame.rj_count;
	if (v == DECIDE_ACCEPT)
		*moved = index;
	*verdict = v;
	return 0;
}

int decide_app_s_key(const struct decide_policy *policy, const struct device *device,
	const struct device_session *session, const char *as_id, struct appskey_ans *ans,
	enum decide_verdict *verdict, struct err *err)
{
	struct appskey_ans a = { .dev_eui = device->dev_eui };
	const struct kek *kek;
	int rc;

	if (!device_allows_as_id(device, as_id)) {
		*verdict = DECIDE_NOT_ALLOWED;
		return 0;
	}
	if (!session) {
		*verdict = DECIDE_NO_SESSION;
		return 0;
	}
	kek = device->as_kek_label[0] ? kek_by_label(policy->keks, device->as_kek_label)
				      : kek_for_as_id(policy->keks, device->as_id);
	if (!kek && (device->as_kek_label[0] || policy->kek_required)) {
		*verdict = DECIDE_NO_KEK;
		return 0;
	}
	rc = kek_seal(kek, session->app_s_key, &a.app_s_key, err);
	if (!rc) {
		memcpy(a.session_key_id.octets, session->id, sizeof(session->id));
		a.session_key_id.n = sizeof(session->id);
		*ans = a;
		*verdict = DECIDE_ACCEPT;
	}
	envelope_wipe(&a.app_s_key);
	return rc;
}

void decide_home_ns(const struct device *device, struct homens_ans *ans,
	enum decide_verdict *verdict)
{
	*verdict = device->net_ids_n ? DECIDE_ACCEPT : DECIDE_NO_HOME;
	if (*verdict == DECIDE_ACCEPT)
		*ans = (struct homens_ans){ .h_net_id = device->net_ids[0] };
}

static const struct {
	const char *word;
	enum result_code result;
} verdicts[] = {
	[DECIDE_ACCEPT] = { "accept", RESULT_SUCCESS },
	[DECIDE_BAD_FRAME] = { "bad-frame", RESULT_MALFORMED_MESSAGE },
	[DECIDE_OTHER_EUI] = { "other-eui", RESULT_UNKNOWN_DEV_EUI },
	[DECIDE_BAD_VERSION] = { "bad-version", RESULT_MALFORMED_MESSAGE },
	[DECIDE_NOT_ALLOWED] = { "not-allowed", RESULT_ACTIVATION_DISALLOWED },
	[DECIDE_BAD_MIC] = { "bad-mic", RESULT_MIC_FAILED },
	[DECIDE_NONCE_USED] = { "nonce-used", RESULT_FRAME_REPLAYED },
	[DECIDE_NONCE_NOT_HIGHER] = { "nonce-not-higher", RESULT_FRAME_REPLAYED },
	[DECIDE_EXHAUSTED] = { "join-nonce-exhausted", RESULT_JOIN_REQ_FAILED },
	[DECIDE_NO_KEK] = { "no-kek", RESULT_JOIN_REQ_FAILED },
	[DECIDE_NO_SESSION] = { "no-session", RESULT_UNKNOWN_DEV_EUI },
	[DECIDE_NO_HOME] = { "no-home", RESULT_ACTIVATION_DISALLOWED },
};

enum result_code decide_result(enum decide_verdict verdict)
{
	return verdicts[verdict].result;
}

const char *decide_word(enum decide_verdict verdict)
{
	return verdicts[verdict].word;
}
