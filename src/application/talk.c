/* SPDX-License-Identifier: Apache-2.0 */
#include "application/talk.h"

#include <stdio.h>
#include <string.h>

#include "backend/appskey.h"
#include "crypto/keywrap.h"
#include "lorawan/region.h"

static void gateway_of(const struct metadata_gateway *m, struct uplink_gateway *out)
{
	*out = (struct uplink_gateway){ .gateway_id = m->id,
		.rssi = m->rssi,
		.snr = m->snr,
		.located = m->has_place,
		.latitude = m->lat,
		.longitude = m->lon };
}

/* How it was sent: frequency in Hz from MHz, and what DataRate means in the region. */
static void radio_of(const struct metadata_up *m, struct uplink *u)
{
	const struct region *region =
		region_find((struct span){ (const uint8_t *)m->rf_region, strlen(m->rf_region) });

	snprintf(u->region, sizeof(u->region), "%s", region ? region->name : m->rf_region);
	snprintf(u->time, sizeof(u->time), "%s", m->recv_time);
	u->dr = m->data_rate;
	if (m->has_ul_freq && m->ul_freq > 0 && m->ul_freq < 4000)
		u->frequency_hz = (uint32_t)(m->ul_freq * 1e6 + 0.5);
	if (!region || m->data_rate >= region->rates)
		return;
	u->spreading_factor = region->rate[m->data_rate].sf;
	u->bandwidth_hz = region->rate[m->data_rate].bandwidth_khz * 1000u;
	if (u->spreading_factor)
		snprintf(u->code_rate, sizeof(u->code_rate), "4/5");
}

/* A DevEUI, DevAddr and FCntUp it must have; the rest may be missing. */
static int known(const struct header *h, const struct xmit_req *r, uint32_t *net_id,
	struct err *err)
{
	if (!header_net_id(h->sender_id, net_id))
		return err_set(err, ERR_FORMAT, "SenderID: no NetID");
	if (!r->has_frm || !r->has_up)
		return err_set(err, ERR_FORMAT, "FRMPayload with ULMetaData: missing");
	if (!r->up.has_dev_eui || !r->up.has_dev_addr || !r->up.has_f_cnt_up)
		return err_set(err, ERR_FORMAT, "ULMetaData: DevEUI, DevAddr or FCntUp missing");
	if (r->payload_n > UPLINK_PAYLOAD_MAX)
		return err_set(err, ERR_FORMAT, "FRMPayload: more than %d octets",
			UPLINK_PAYLOAD_MAX);
	if (r->payload_n && !r->up.has_f_port)
		return err_set(err, ERR_FORMAT, "FPort: missing");
	return 0;
}

int talk_uplink(const struct header *h, const struct xmit_req *r, struct uplink *out,
	struct err *err)
{
	const struct metadata_up *m = &r->up;
	struct uplink u = { 0 };
	uint32_t net_id = 0;
	int rc = known(h, r, &net_id, err);

	if (rc < 0)
		return rc;
	rc = session_id_of((struct span){ r->session_key_id.octets, r->session_key_id.n },
		&u.session);
	if (rc < 0)
		return err_set(err, rc, "SessionKeyID: too long");
	u.net_id = net_id;
	u.dev_eui = m->dev_eui;
	u.has_join_eui = r->has_join_eui;
	u.join_eui = r->join_eui;
	u.dev_addr = m->dev_addr;
	u.f_cnt = m->f_cnt_up;
	u.has_f_cnt_down = m->has_f_cnt_down;
	u.f_cnt_down = m->f_cnt_down;
	u.has_f_port = m->has_f_port;
	u.f_port = m->f_port;
	u.confirmed = m->confirmed;
	u.has_adr = r->has_adr;
	u.adr = r->adr;
	radio_of(m, &u);
	u.n = (uint8_t)r->payload_n;
	memcpy(u.payload, r->payload, r->payload_n);
	u.gateway_count = (uint8_t)m->gateways_n;
	for (size_t i = 0; i < m->gateways_n && i < UPLINK_GATEWAYS_MAX; i++)
		gateway_of(&m->gateways[i], &u.gateway[i]);
	*out = u;
	return 0;
}

int talk_report(const struct header *h, const struct dlstatus_req *r,
	struct application_report *out, struct err *err)
{
	static const enum application_report_kind kinds[] = {
		[DLSTATUS_SENT] = APPLICATION_SENT,
		[DLSTATUS_ACKED] = APPLICATION_ACKED,
		[DLSTATUS_NACKED] = APPLICATION_NOT_ACKED,
		[DLSTATUS_FAILED] = APPLICATION_NOT_SENT,
		[DLSTATUS_EXPIRED] = APPLICATION_NOT_SENT,
	};
	uint32_t net_id;

	if (!header_net_id(h->sender_id, &net_id))
		return err_set(err, ERR_FORMAT, "SenderID: no NetID");
	*out = (struct application_report){ .net_id = net_id,
		.dev_eui = r->dev_eui,
		.f_cnt = r->f_cnt_down,
		.kind = kinds[r->status] };
	return 0;
}

void talk_verdict(enum uplink_verdict verdict, struct result *out)
{
	static const enum result_code codes[UPLINK_VERDICTS] = {
		[UPLINK_TAKEN] = RESULT_SUCCESS,
		[UPLINK_AGAIN] = RESULT_SUCCESS,
		[UPLINK_REPLAYED] = RESULT_FRAME_REPLAYED,
		[UPLINK_UNKNOWN_DEVICE] = RESULT_UNKNOWN_DEV_EUI,
		[UPLINK_FOREIGN] = RESULT_ACTIVATION_DISALLOWED,
		[UPLINK_RETIRED] = RESULT_FRAME_REPLAYED,
		[UPLINK_BAD_PORT] = RESULT_INVALID_F_PORT,
		[UPLINK_NO_KEY] = RESULT_DEFERRED,
		[UPLINK_BUSY] = RESULT_DEFERRED,
		[UPLINK_NOT_KEPT] = RESULT_DEFERRED,
	};

	*out = (struct result){ .code = codes[verdict] };
	snprintf(out->description, sizeof(out->description), "%s", uplink_word(verdict));
}

bool talk_ask(struct buf *out, const char *as_id, const struct application_ask *ask,
	uint64_t transaction)
{
	struct header h = { .version = HEADER_1_0,
		.type = HEADER_APP_S_KEY_REQ,
		.transaction_id = transaction };
	struct appskey_req r = { .dev_eui = ask->dev_eui };

	if (ask->session.n > sizeof(r.session_key_id.octets))
		return false;
	snprintf(h.sender_id, sizeof(h.sender_id), "%s", as_id);
	header_put_eui(h.receiver_id, ask->join_eui);
	memcpy(r.session_key_id.octets, ask->session.octets, ask->session.n);
	r.session_key_id.n = ask->session.n;
	return appskey_write_req(out, &h, &r) && buf_ok(out);
}

bool talk_send(struct buf *out, const char *as_id, const struct application_send *send,
	uint64_t transaction)
{
	struct header h = { .version = HEADER_1_1,
		.type = HEADER_XMIT_DATA_REQ,
		.transaction_id = transaction };
	struct xmit_req r = { .has_frm = true, .has_down = true };
	struct metadata_down *m = &r.down;

	if (send->session.n > sizeof(r.session_key_id.octets))
		return false;
	snprintf(h.sender_id, sizeof(h.sender_id), "%s", as_id);
	header_put_net_id(h.receiver_id, send->net_id);
	memcpy(r.payload, send->payload.p, send->payload.n);
	r.payload_n = send->payload.n;
	m->has_dev_eui = m->has_f_port = m->has_f_cnt_down = m->has_confirmed = true;
	m->dev_eui = send->dev_eui;
	m->f_port = send->f_port;
	m->f_cnt_down = send->f_cnt;
	m->confirmed = send->confirmed;
	m->class_mode = 'A';
	memcpy(r.session_key_id.octets, send->session.octets, send->session.n);
	r.session_key_id.n = send->session.n;
	return xmit_write_req(out, &h, &r) && buf_ok(out);
}

/* A label we do not know is no key: never taken for a key in clear. */
static int open_envelope(const struct envelope *e, const struct talk_kek *keks, size_t kek_count,
	uint8_t key[16], struct err *err)
{
	bool intact = false;

	if (!e->kek_label[0]) {
		if (e->n != ENVELOPE_CLEAR)
			return err_set(err, ERR_FORMAT, "AppSKey: %zu octets in clear", e->n);
		memcpy(key, e->aes_key, ENVELOPE_CLEAR);
		return 0;
	}
	for (size_t i = 0; i < kek_count; i++) {
		int rc;

		if (strcmp(keks[i].label, e->kek_label) != 0)
			continue;
		rc = keywrap_unwrap(&keks[i].key, e->aes_key, key, &intact, err);
		if (rc < 0)
			return rc;
		return intact ? 0
			      : err_set(err, ERR_CRYPTO,
					"AppSKey: wrapped under another key "
					"than ours of label '%s'",
					keks[i].label);
	}
	return err_set(err, ERR_FORMAT, "AppSKey: no key of label '%s' here", e->kek_label);
}

static bool is_about(const struct appskey_ans *a, const struct application_ask *ask)
{
	return a->dev_eui == ask->dev_eui && a->session_key_id.n == ask->session.n &&
		memcmp(a->session_key_id.octets, ask->session.octets, ask->session.n) == 0;
}

static enum application_key key_of(const struct doc *root, const struct application_ask *ask,
	const struct talk_kek *keks, size_t kek_count, uint8_t key[16], struct err *err)
{
	struct appskey_ans a = { 0 };
	enum application_key verdict = APPLICATION_KEY_FAILED;
	struct header h;
	uint64_t join_eui;

	if (header_read(root, &h, err) < 0 || appskey_read_ans(root, &a, err) < 0)
		return APPLICATION_KEY_FAILED;
	/* The answer must come from the JoinEUI that was asked. */
	if (h.type != HEADER_APP_S_KEY_ANS ||
		(ask->has_join_eui &&
			(!header_eui(h.sender_id, &join_eui) || join_eui != ask->join_eui))) {
		err_set(err, ERR_PEER, "not an AppSKeyAns of the JoinEUI asked");
	} else if (a.result.code != RESULT_SUCCESS) {
		err_set(err, ERR_PEER, "%s %s", result_word(a.result.code, true),
			a.result.description);
		if (a.result.code == RESULT_UNKNOWN_DEV_EUI ||
			a.result.code == RESULT_UNKNOWN_SENDER)
			verdict = APPLICATION_KEY_UNKNOWN;
	} else if (!is_about(&a, ask)) {
		err_set(err, ERR_PEER, "about another device or session");
	} else if (open_envelope(&a.app_s_key, keks, kek_count, key, err) == 0) {
		verdict = APPLICATION_KEY_GIVEN;
	}
	envelope_wipe(&a.app_s_key);
	return verdict;
}

enum application_key talk_key(struct span body, const struct application_ask *ask,
	const struct talk_kek *keks, size_t kek_count, uint8_t key[16], struct err *err)
{
	struct doc *root = NULL;
	enum application_key verdict;

	if (doc_read(body, &root, err) < 0)
		return APPLICATION_KEY_FAILED;
	verdict = key_of(root, ask, keks, kek_count, key, err);
	doc_free(root);
	return verdict;
}

static enum application_handed handed_of(const struct xmit_ans *a, bool *has_next, uint32_t *next,
	struct err *err)
{
	if (a->result.code == RESULT_SUCCESS)
		return APPLICATION_HANDED;
	err_set(err, ERR_PEER, "%s %s", result_word(a->result.code, true), a->result.description);
	*has_next = a->has_f_cnt_down;
	*next = a->f_cnt_down;
	if (a->result.code == RESULT_XMIT_FAILED && a->has_f_cnt_down)
		return APPLICATION_HANDED_COUNTER;
	if (a->result.code == RESULT_INVALID_F_PORT || a->result.code == RESULT_FRAME_SIZE_ERROR)
		return APPLICATION_HANDED_REFUSED;
	return APPLICATION_HANDED_FAILED;
}

enum application_handed talk_handed(struct span body, bool *has_next, uint32_t *next,
	struct err *err)
{
	enum application_handed handed = APPLICATION_HANDED_FAILED;
	struct xmit_ans a = { 0 };
	struct doc *root = NULL;
	struct header h;

	*has_next = false;
	if (doc_read(body, &root, err) < 0)
		return handed;
	if (header_read(root, &h, err) == 0 && xmit_read_ans(root, &a, err) == 0) {
		if (h.type == HEADER_XMIT_DATA_ANS)
			handed = handed_of(&a, has_next, next, err);
		else
			err_set(err, ERR_PEER, "not an XmitDataAns");
	}
	doc_free(root);
	return handed;
}
