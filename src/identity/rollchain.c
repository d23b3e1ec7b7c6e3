/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/rollchain.h"

#include <stdio.h>
#include <string.h>

#include "dns/rr.h"
#include "identity/rollpublish.h"
#include "pki/wholefile.h"
#include "rollover/cover.h"
#include "servers/hosts.h"
#include "tls/present.h"
#include "tls/verify.h"

#define LOOK_MS       5000
#define ADDRESSES_MAX 16

/* By the set an owner has with these credentials of ours. */
static int judge(struct rolling *r, const char *owner, unsigned credentials, struct span chain,
	const struct name *reference, bool *accepted, struct err *why, struct err *err)
{
	struct verify_config c = { .role = cover_is_service(owner) ? VERIFY_SERVER : VERIFY_CLIENT,
		.mode = TLS_DANE,
		.chain_pem = chain,
		.reference = reference,
		.reference_count = 1 };
	struct verify_result result;
	struct rrset set = { 0 };
	struct name name;
	int rc = name_of(owner, &name) == 0
		? rollpublish_plan(r, &name, credentials, &set, err)
		: err_set(err, ERR_FORMAT, "name '%s': not a domain name", owner);

	c.rdata = set.rdata;
	c.rdata_count = set.count;
	if (rc == 0)
		rc = verify_chain(&c, &result, err);
	rrset_done(&set);
	if (rc != 0)
		return rc;
	*accepted = result.peer.authenticated;
	if (!*accepted)
		err_set(why, ERR_PEER, "%s", result.peer.reason);
	return 0;
}

int rollchain_file(struct rolling *r, const char *prefix, const char *name, const char *owner,
	struct err *err)
{
	struct buf chain = { .limit = WHOLEFILE_MAX };
	char path[PATH_MAX];
	struct name reference;
	bool accepted = false;
	struct err why;
	int rc;

	if (snprintf(path, sizeof(path), "%s-combined.pem", prefix) >= (int)sizeof(path))
		return err_set(err, ERR_ARG, "file '%.80s...': the path is too long", prefix);
	rc = name_of(name, &reference) == 0
		? wholefile_read("certificate", path, &chain, err)
		: err_set(err, ERR_FORMAT, "name '%s': not a domain name", name);
	if (rc == 0)
		rc = judge(r, owner, r->file.rollover.keep, buf_span(&chain), &reference, &accepted,
			&why, err);
	buf_done(&chain);
	if (rc == 0 && !accepted)
		rc = err_set(err, ERR_PEER, "'%s': would be refused by %s: %s", path, owner,
			why.msg);
	return rc;
}

static int look_at(struct rolling *r, const char *owner, const struct name *host,
	const struct address *a, enum rollover_presents *out, struct err *err)
{
	struct present presented = { 0 };
	char where[ADDRESS_TEXT_MAX];
	bool accepted = false;
	struct err why;
	int rc = present_ask(a, host, LOOK_MS, &presented, err);

	address_write(a, where);
	*out = ROLLOVER_PRESENTS_KEPT;
	if (rc == 0)
		rc = judge(r, owner, r->file.rollover.keep, buf_span(&presented.chain), host,
			&accepted, &why, err);
	if (rc == 0 && !accepted) {
		err_set(&r->last, ERR_PEER, "%s at %s: %s", owner, where, why.msg);
		rc = judge(r, owner, rollpublish_there(r, ROLLOVER_CURRENT | ROLLOVER_NEXT),
			buf_span(&presented.chain), host, &accepted, &why, err);
		*out = accepted ? ROLLOVER_PRESENTS_OTHER : ROLLOVER_PRESENTS_NONE;
	}
	present_done(&presented);
	return rc;
}

/* "_8003._tcp.": the port. */
static uint16_t port_of(const char *owner)
{
	unsigned port = 0;

	return sscanf(owner, "_%5u.", &port) == 1 ? (uint16_t)port : 0;
}

static bool can_be_looked_at(const char *owner)
{
	return cover_is_service(owner) && strstr(owner, "._tcp.") &&
		cover_identity(owner)[0] != '*';
}

int rollchain_service(struct rolling *r, const char *owner, enum rollover_presents *out,
	struct err *err)
{
	struct address at[ADDRESSES_MAX];
	struct name host;
	size_t n = 0;
	int rc;

	*out = ROLLOVER_PRESENTS_KEPT;
	if (!can_be_looked_at(owner))
		return 0;
	if (name_of(cover_identity(owner), &host) != 0)
		return err_set(err, ERR_FORMAT, "name '%s': not a domain name", owner);
	rc = hosts_of(r->world.walk, &host, port_of(owner), at, ADDRESSES_MAX, &n, err);
	if (rc == 0 && n == 0)
		rc = err_set(err, ERR_PEER, "%s: has no address", owner);
	for (size_t i = 0; rc == 0 && i < n && *out == ROLLOVER_PRESENTS_KEPT; i++)
		rc = look_at(r, owner, &host, &at[i], out, err);
	return rc == 0 ? 0 : err_wrap(err, rc, "%s", owner);
}
