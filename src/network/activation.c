/* SPDX-License-Identifier: Apache-2.0 */
#include "network/activation.h"

#include <string.h>

#include "core/secret.h"
#include "crypto/random.h"
#include "lorawan/devaddr.h"
#include "lorawan/joinaccept.h"
#include "lorawan/joinreq.h"
#include "lorawan/mic.h"
#include "lorawan/rejoin.h"
#include "network/transmission.h"

#define PLACES_MASK 0xffffu /* of an id; the rest is the generation */

static struct activation *find(struct network *e, uint32_t id)
{
	uint32_t place = id & PLACES_MASK;

	if (!place || place > e->activations_used || e->activations[place - 1].id != id)
		return NULL;
	return &e->activations[place - 1];
}

static struct activation *make(struct network *e, uint8_t source)
{
	uint32_t place = e->activations_spare;
	struct activation *a;

	if (e->activations_by_source[source] >= (e->config.joins_max + 3) / 4)
		return NULL;
	if (place)
		e->activations_spare = e->activations[place - 1].spare;
	else if (e->activations_used < e->config.joins_max && e->activations_used < PLACES_MASK)
		place = ++e->activations_used;
	else
		return NULL;
	a = &e->activations[place - 1];
	memset(a, 0, sizeof(*a));
	a->timer = STATE_ACTIVATION;
	a->source = source;
	e->activations_by_source[source]++;
	a->id = (++e->generation & PLACES_MASK) << 16 | place;
	return a;
}

static void drop(struct network *e, struct activation *a)
{
	uint32_t place = a->id & PLACES_MASK;

	e->activations_by_source[a->source]--;
	due_clear(&e->due, &a->due);
	secret_wipe_octets(a, sizeof(*a));
	a->spare = e->activations_spare;
	e->activations_spare = place;
}

/* A random address of our NetID, if possible one that no session has. */
static int new_dev_addr(struct network *e, uint32_t *out)
{
	uint32_t r, addr = 0;
	struct err err;

	for (int i = 0; i < 8; i++) {
		if (random_octets(&r, sizeof(r), &err) < 0) {
			trace_say(&e->config.trace, TRACE_ERROR, "crypto.failed", "reason=\"%s\"",
				err.msg);
			return ERR_CRYPTO;
		}
		addr = devaddr_make(e->config.net_id, r);
		if (!session_by_addr(&e->sessions, addr, NULL))
			break;
	}
	*out = addr;
	return 0;
}

static uint8_t dl_settings(const struct network *e, enum version version)
{
	uint8_t settings = (uint8_t)(e->config.rx1_offset << 4 | e->config.region->rx2_rate);

	return version_has_two_keys(version) ? settings | JOINACCEPT_OPT_NEG : settings;
}

static void push_ask(struct network *e, const struct activation *a, const struct frame *f)
{
	struct network_event *ev = network_push(e, NETWORK_ASK);
	struct joining_req *r = &ev->ask.req;
	struct cflist list;

	ev->dev_eui = a->dev_eui;
	ev->ask.id = a->id;
	ev->ask.join_eui = a->join_eui;
	ev->ask.rejoin = a->rejoin;
	/* Only a 1.1 device sends a rejoin-request. */
	r->mac_version = a->rejoin ? VERSION_1_1_0 : e->config.mac_version;
	memcpy(r->phy_payload, f->phy, f->n);
	r->phy_n = f->n;
	r->dev_eui = a->dev_eui;
	r->dev_addr = a->dev_addr;
	r->dl_settings = dl_settings(e, r->mac_version);
	r->rx_delay = e->config.rx1_delay;
	region_cflist(e->config.region, &list);
	r->has_cflist = cflist_write(&list, r->cflist) == 0;
}

static bool is_personalised(const struct network *e, uint64_t dev_eui)
{
	const struct session *s = session_by_eui(&e->sessions, dev_eui, NULL);

	while (s && !s->abp)
		s = session_by_eui(&e->sessions, dev_eui, s);
	return s != NULL;
}

static bool signed_by(struct network *e, const struct session *s, struct span phy)
{
	const struct block *key = network_block(e, 0, s->s_nwk_s_int);
	uint8_t got[LORAWAN_MIC_OCTETS], want[LORAWAN_MIC_OCTETS];
	struct span message;

	if (!key || phy_split(phy, &message, got) < 0)
		return false;
	mic_of_message(key, message, want);
	return mic_equal(got, want);
}

/* 1.1 section 6.2.4.1: SNwkSIntKey of a session of ours, and a count it has not had. NULL, or
 * why not. */
static const char *check_rejoin_02(struct network *e, const struct rejoin *r, struct span phy,
	uint64_t *join_eui)
{
	struct session *s = NULL;

	if (r->net_id != e->config.net_id)
		return "a rejoin-request to another network";
	do
		s = session_by_eui(&e->sessions, r->dev_eui, s);
	while (s && (!s->lw11 || !signed_by(e, s, phy)));
	if (!s)
		return "no session signed the rejoin-request";
	if (r->rj_count < s->rj_count0_next)
		return "a replayed rejoin-request";
	s->rj_count0_next = r->rj_count + 1u;
	*join_eui = s->join_eui;
	return NULL;
}

/* Who asks, and whom we are to ask. */
struct asker {
	uint64_t join_eui, dev_eui;
	bool rejoin;
};

static int read_asker(struct network *e, struct span phy, struct asker *out, const char **why)
{
	struct joinreq join;
	struct rejoin again;

	*why = NULL;
	if (joinreq_read(phy, &join) == 0) {
		*out = (struct asker){ join.join_eui, join.dev_eui, false };
	} else if (rejoin_read(phy, &again) == 0) {
		*out = (struct asker){ again.join_eui, again.dev_eui, true };
		if (again.type != 1)
			*why = check_rejoin_02(e, &again, phy, &out->join_eui);
	} else {
		return ERR_FORMAT;
	}
	/* Its configuration says that it does not join: who does is somebody else. */
	if (is_personalised(e, out->dev_eui))
		*why = "a personalised device";
	return 0;
}

void activation_ask(struct network *e, int64_t now_ms, struct frame *f)
{
	struct activation *a;
	struct asker who;
	const char *why;
	uint32_t dev_addr;

	f->user = 0;
	if (read_asker(e, (struct span){ f->phy, f->n }, &who, &why) < 0) {
		e->stats.malformed++;
		return;
	}
	if (why) {
		e->stats.joins_refused++;
		trace_say(&e->config.trace, TRACE_WARNING, "join.refused",
			"dev_eui=%016llx join_eui=%016llx reason=\"%s\"",
			(unsigned long long)who.dev_eui, (unsigned long long)who.join_eui, why);
		return;
	}
	if (new_dev_addr(e, &dev_addr) < 0 || !(a = make(e, f->source))) {
		e->stats.joins_dropped++;
		trace_say(&e->config.trace, TRACE_WARNING, "join.dropped",
			"dev_eui=%016llx reason=\"too many are open, in all or from this address\"",
			(unsigned long long)who.dev_eui);
		return;
	}
	a->join_eui = who.join_eui;
	a->dev_eui = who.dev_eui;
	a->rejoin = who.rejoin;
	a->dev_addr = dev_addr;
	a->asked_ms = now_ms;
	f->user = a->id;
	due_set(&e->due, &a->due, now_ms + e->config.join_timeout_ms);
	e->stats.joins_asked++;
	trace_say(&e->config.trace, TRACE_DEBUG, "join.ask",
		"dev_eui=%016llx join_eui=%016llx rejoin=%d", (unsigned long long)a->dev_eui,
		(unsigned long long)a->join_eui, a->rejoin);
	push_ask(e, a, f);
}

static bool key_of(const struct envelope *from, uint8_t out[LORAWAN_KEY_OCTETS])
{
	if (from->n != ENVELOPE_CLEAR || from->kek_label[0])
		return false;
	memcpy(out, from->aes_key, LORAWAN_KEY_OCTETS);
	return true;
}

/* NwkSKey alone is 1.0; else the three of 1.1. False: a key is missing or wrapped. */
static bool take_keys(const struct joining_ans *ans, struct session *s)
{
	s->lw11 = ans->nwk_s_key.n == 0;
	if (s->lw11)
		return key_of(&ans->f_nwk_s_int_key, s->f_nwk_s_int) &&
			key_of(&ans->s_nwk_s_int_key, s->s_nwk_s_int) &&
			key_of(&ans->nwk_s_enc_key, s->nwk_s_enc);
	return key_of(&ans->nwk_s_key, s->f_nwk_s_int) && key_of(&ans->nwk_s_key, s->s_nwk_s_int) &&
		key_of(&ans->nwk_s_key, s->nwk_s_enc);
}

static bool make_session(const struct network *e, const struct activation *a, struct session *s)
{
	*s = (struct session){ .dev_eui = a->dev_eui,
		.join_eui = a->join_eui,
		.dev_addr = a->dev_addr,
		.slot = SESSION_PENDING,
		.key_id = a->ans.session_key_id,
		.rx_delay = e->config.rx1_delay,
		.rx1_offset = e->config.rx1_offset,
		.rx2_rate = e->config.region->rx2_rate,
		.rx2_hz = e->config.region->rx2_hz,
		.transmissions = 1,
		.battery = 255 };
	strcpy(s->as_url, a->ans.application_server);
	strcpy(s->as_id, a->ans.as_id);
	return take_keys(&a->ans, s);
}

/* Words a peer may have chosen must not end their quotes. */
static const char *safe(const char *why, char *out, size_t cap)
{
	size_t n = 0;

	for (; *why && n + 1 < cap; why++)
		out[n++] = *why == '"' || *why == '\\' || (unsigned char)*why < 0x20 ? '\'' : *why;
	out[n] = 0;
	return out;
}

static void refuse(struct network *e, struct activation *a, const char *why)
{
	char words[256];

	e->stats.joins_refused++;
	trace_say(&e->config.trace, TRACE_WARNING, "join.refused",
		"dev_eui=%016llx join_eui=%016llx reason=\"%s\"", (unsigned long long)a->dev_eui,
		(unsigned long long)a->join_eui, safe(why, words, sizeof(words)));
	drop(e, a);
}

/* Answered and collected: the session is made and the accept goes out. */
static void finish(struct network *e, int64_t now_ms, struct activation *a)
{
	struct session s, *kept;
	struct err err;

	if (!make_session(e, a, &s)) {
		session_wipe(&s);
		refuse(e, a, "JoinAns without the session keys in clear");
		return;
	}
	if (session_add(&e->sessions, &s, &kept, &err) < 0) {
		session_wipe(&s);
		refuse(e, a, err.msg);
		return;
	}
	session_wipe(&s);
	e->stats.joins_accepted++;
	trace_say(&e->config.trace, TRACE_INFO, "join.accept",
		"dev_eui=%016llx dev_addr=%08x version=%s took_ms=%lld",
		(unsigned long long)a->dev_eui, a->dev_addr, kept->lw11 ? "1.1" : "1.0",
		(long long)(now_ms - a->asked_ms));
	network_save(e, kept);
	transmission_accept(e, now_ms, kept, &a->frame,
		(struct span){ a->ans.phy_payload, a->ans.phy_n });
	drop(e, a);
}

void activation_collected(struct network *e, int64_t now_ms, const struct frame *f)
{
	struct activation *a = find(e, f->user);

	if (!a || a->collected)
		return;
	trace_say(&e->config.trace, TRACE_INFO, "uplink.collected",
		"type=%s dev_eui=%016llx gateways=%u",
		a->rejoin ? "rejoin-request" : "join-request", (unsigned long long)a->dev_eui,
		f->heard);
	a->collected = true;
	a->frame = *f;
	if (a->answered)
		finish(e, now_ms, a);
}

void activation_answered(struct network *e, int64_t now_ms, uint32_t id,
	const struct joining_ans *ans, const char *why)
{
	struct activation *a = find(e, id);

	if (!a || a->answered)
		return;
	if (!ans) {
		refuse(e, a, why);
		return;
	}
	if (ans->result.code != RESULT_SUCCESS) {
		refuse(e, a, result_word(ans->result.code, true));
		return;
	}
	if (ans->phy_n != JOINACCEPT_OCTETS && ans->phy_n != JOINACCEPT_OCTETS_CFLIST) {
		refuse(e, a, "JoinAns without a join-accept");
		return;
	}
	a->answered = true;
	a->ans = *ans;
	if (a->collected)
		finish(e, now_ms, a);
}

void activation_expired(struct network *e, int64_t now_ms, struct activation *a)
{
	(void)now_ms;
	refuse(e, a, "the Join Server did not answer in time");
}
