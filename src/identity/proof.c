/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/proof.h"

#include "dns/rr.h"
#include "pki/wholefile.h"

#include <poll.h>
#include <stdio.h>

#define PAUSE_MS    500
#define PATIENCE_MS 10000 /* above the hard deadline of a question */

static void woken(struct ask *ask)
{
	(void)ask;
}

int proof_ask(struct resolver *r, const struct question *q, struct ask *ask, struct err *err)
{
	const int64_t end = resolver_now() + PATIENCE_MS;
	struct pollfd fd = { .fd = resolver_fd(r), .events = POLLIN };

	*ask = (struct ask){ .wake = woken };
	resolver_ask(r, q, RESOLVER_SOURCE_SELF, 0, ask);
	while (!ask->answer) {
		if (resolver_now() > end)
			return err_set(err, ERR_TIMEOUT, "resolver: does not answer");
		if (poll(&fd, 1, PAUSE_MS) > 0)
			resolver_dispatch(r);
	}
	return 0;
}

static int judge(const struct answer *a, const struct verify_config *config, struct proof *out,
	struct err *err)
{
	struct verify_config c = *config;
	struct verify_result result;
	int rc;

	*out = (struct proof){ .dnssec = a->status, .ttl_s = a->ttl_s };
	if (a->status != ANSWER_SECURE) {
		snprintf(out->why, sizeof(out->why), "TLSA: %s%s%.120s",
			answer_status_word(a->status), a->why[0] ? ": " : "", a->why);
		return 0;
	}
	c.rdata = a->rdata;
	c.rdata_count = a->count;
	rc = verify_chain(&c, &result, err);
	if (rc != 0)
		return rc;
	out->holds = result.peer.authenticated;
	snprintf(out->why, sizeof(out->why), "%s", result.peer.reason);
	return 0;
}

int proof_wait(struct resolver *r, const struct name *owner, const struct name *identity,
	enum verify_role role, const char *certificate, unsigned deadline_ms, struct proof *out,
	struct err *err)
{
	const struct question question = { .name = *owner, .type = RR_TLSA };
	const int64_t end = resolver_now() + deadline_ms;
	struct buf chain = { .limit = WHOLEFILE_MAX };
	struct verify_config config = { .role = role,
		.mode = TLS_DANE,
		.reference = identity,
		.reference_count = 1 };
	struct proof proof = { .holds = false };
	int rc = wholefile_read("certificate", certificate, &chain, err);

	config.chain_pem = buf_span(&chain);
	while (rc == 0) {
		struct ask ask;

		rc = proof_ask(r, &question, &ask, err);
		if (rc == 0)
			rc = judge(ask.answer, &config, &proof, err);
		ask_done(&ask);
		if (rc != 0 || proof.holds || resolver_now() + PAUSE_MS > end)
			break;
		poll(NULL, 0, PAUSE_MS);
		resolver_forget(r, &question);
	}
	buf_done(&chain);
	if (rc == 0)
		*out = proof;
	return rc;
}
