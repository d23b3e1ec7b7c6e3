/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/confirm.h"

#include "publish/exchange.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 5000

#define RRSIG_COVERED    0
#define RRSIG_EXPIRATION 4
#define RRSIG_INCEPTION  5

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* RFC 4034 section 3.1.5: serial number arithmetic. */
static bool is_valid_now(const ldns_rr *rrsig)
{
	uint32_t now = (uint32_t)time(NULL);

	if (ldns_rr_rd_count(rrsig) <= RRSIG_INCEPTION)
		return false;
	return (int32_t)(ldns_rdf2native_int32(ldns_rr_rdf(rrsig, RRSIG_EXPIRATION)) - now) >= 0 &&
		(int32_t)(now - ldns_rdf2native_int32(ldns_rr_rdf(rrsig, RRSIG_INCEPTION))) >= 0;
}

/* type 0: a signature over anything. */
static bool has_signature(const ldns_rr_list *records, uint16_t type)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(records, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG && is_valid_now(rr) &&
			(type == 0 ||
				ldns_rdf2native_int16(ldns_rr_rdf(rr, RRSIG_COVERED)) == type))
			return true;
	}
	return false;
}

static void say(struct confirm_server *s, const char *words)
{
	snprintf(s->why, sizeof(s->why), "%s", words);
}

static void judge_set(const ldns_pkt *packet, const struct rrset *now, const struct rrset *there,
	const struct rrset *gone, struct confirm_server *out)
{
	size_t missing = 0, left = 0;

	for (size_t i = 0; i < there->count; i++)
		missing += !rrset_has(now, there->rdata[i]);
	for (size_t i = 0; i < gone->count; i++)
		left += rrset_has(now, gone->rdata[i]);
	if (missing)
		snprintf(out->why, sizeof(out->why), "%zu of %zu records not there yet", missing,
			there->count);
	else if (left)
		snprintf(out->why, sizeof(out->why), "%zu of %zu records still there", left,
			gone->count);
	else if (now->count ? !has_signature(ldns_pkt_answer(packet), now->type)
			    : !has_signature(ldns_pkt_authority(packet), 0))
		say(out, "its answer is not signed, or not for now");
	else
		out->serves = true;
}

static int judge(const struct asked_said *said, const struct rrset *there, const struct rrset *gone,
	struct confirm_server *out, struct err *err)
{
	const ldns_pkt *packet = said->answer.packet;
	struct rrset now = rrset_of(&there->owner, there->type, 0);
	char rcode[32];
	int rc;

	out->serves = false;
	if (said->answer.outcome != QUERY_ANSWERED) {
		say(out, said->answer.why[0] ? said->answer.why : "no answer");
		return 0;
	}
	if (!query_is_useful(&said->answer)) {
		snprintf(rcode, sizeof(rcode), "answers with rcode %u",
			(unsigned)ldns_pkt_get_rcode(packet));
		say(out, rcode);
		return 0;
	}
	if (!ldns_pkt_aa(packet)) {
		say(out, "is not authoritative for the name");
		return 0;
	}
	rc = exchange_take(ldns_pkt_answer(packet), &now, err);
	if (rc == 0)
		judge_set(packet, &now, there, gone, out);
	rrset_done(&now);
	return rc;
}

static void put_lost(const struct delegation *zone, struct confirm_report *r)
{
	for (size_t i = 0; i < zone->lost && i < DELEGATION_LOST_MAX; i++) {
		struct confirm_server *s = &r->server[r->count++];
		char host[NAME_TEXT_MAX];

		if (name_write_text(&zone->lost_host[i], host, sizeof(host)) != 0)
			host[0] = '\0';
		*s = (struct confirm_server){ .serves = false };
		snprintf(s->who, sizeof(s->who), "%.90s", host);
		say(s, "a name server of the zone without an address");
	}
}

static int ask_round(struct delegation_walk *w, struct delegation *zone, const struct rrset *there,
	const struct rrset *gone, struct confirm_report *r, struct err *err)
{
	struct asked asked = { 0 };
	int rc = delegation_ask(w, zone, &there->owner, there->type, &asked, err);

	r->rounds++;
	r->count = 0;
	for (size_t i = 0; rc == 0 && i < asked.count && i < QUERY_SERVERS_MAX; i++) {
		struct confirm_server *s = &r->server[r->count++];
		char who[ASKED_SERVER_TEXT_MAX];

		*s = (struct confirm_server){ .serves = false };
		asked_server_text(&asked.said[i].host, &asked.said[i].address, who);
		snprintf(s->who, sizeof(s->who), "%.95s", who);
		rc = judge(&asked.said[i], there, gone, s, err);
	}
	asked_done(&asked);
	put_lost(zone, r);
	r->all = rc == 0 && r->count > 0;
	for (size_t i = 0; i < r->count; i++)
		r->all = r->all && r->server[i].serves;
	return rc;
}

int confirm_wait(struct delegation_walk *w, const struct rrset *there, const struct rrset *gone,
	unsigned deadline_ms, struct confirm_report *out, struct err *err)
{
	const double start = now_ms();
	struct delegation *zone = NULL;
	struct confirm_report r = { 0 };
	unsigned pause_ms = PAUSE_MIN_MS;
	int rc = delegation_of(w, &there->owner, &zone, err);

	while (rc == 0) {
		rc = ask_round(w, zone, there, gone, &r, err);
		if (rc != 0 || r.all || now_ms() + pause_ms > start + deadline_ms)
			break;
		poll(NULL, 0, (int)pause_ms);
		pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
	}
	r.ms = now_ms() - start;
	if (rc == 0)
		*out = r;
	return rc;
}
