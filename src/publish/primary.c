/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/primary.h"

#include <string.h>

#include "base/hex.h"
#include "crypto/random.h"
#include "publish/exchange.h"
#include "publish/reading.h"
#include "servers/stream.h"

/* What the primary has at a name. What a wildcard made up is not there. */
static int ask(const struct primary *p, const struct name *owner, uint16_t type,
	struct reading *out, struct err *err)
{
	struct buf octets = { 0 };
	struct message m;
	int rc = exchange_ask_octets(p, owner, type, &octets, err);

	if (rc == 0 && message_read(buf_span(&octets), &m) != 0)
		rc = err_set(err, ERR_PEER, "its answer does not parse");
	if (rc == 0)
		rc = reading_take(&m, owner, type, out, err);
	if (rc == 0 && out->expanded) {
		rrset_done(&out->set);
		out->set.ttl_s = 0;
	}
	buf_done(&octets);
	return rc;
}

/* A name that nobody has, for which the same wildcard would answer: beside the owner, or, of a
 * wildcard, beside its parent, as itself would answer for what is below that. */
static int sibling_of(const struct name *owner, struct name *out, struct err *err)
{
	struct name above = *owner;
	uint8_t octets[8];
	char label[2 * sizeof(octets) + 1];
	int rc = random_octets(octets, sizeof(octets), err);

	for (int up = name_is_wildcard(owner) ? 2 : 1; up > 0; up--)
		if (!name_parent(&above, &above))
			return err_set(err, ERR_FORMAT, "name: nothing is above it");
	if (rc == 0)
		rc = hex_write((struct span){ octets, sizeof(octets) }, label, sizeof(label));
	return rc == 0
		? name_prepend((struct span){ (const uint8_t *)label, strlen(label) }, &above, out)
		: rc;
}

/* No signature tells whether a wildcard made the set: then none may be there that could. */
static int check_unsigned(const struct primary *p, const struct rrset *set, struct err *err)
{
	struct reading beside;
	struct name sibling;
	int rc = sibling_of(&set->owner, &sibling, err);

	if (rc == 0)
		rc = ask(p, &sibling, set->type, &beside, err);
	if (rc != 0)
		return rc;
	if (beside.set.count)
		rc = err_set(err, ERR_PEER,
			"its answer is not signed, and a wildcard that is there may have made it "
			"up: sign the zone");
	rrset_done(&beside.set);
	return rc;
}

int primary_read(const struct primary *p, const struct name *owner, uint16_t type,
	struct rrset *out, struct err *err)
{
	struct reading r = { .expanded = false };
	char text[NAME_TEXT_MAX];
	int rc = ask(p, owner, type, &r, err);

	if (rc == 0 && r.set.count && !r.signatures)
		rc = check_unsigned(p, &r.set, err);
	if (rc != 0) {
		rrset_done(&r.set);
		return name_write_text(owner, text, sizeof(text)) == 0
			? err_wrap(err, rc, "'%s'", text)
			: rc;
	}
	*out = r.set;
	return 0;
}

struct many {
	const struct name *owners;
	uint16_t type;
	struct rrset *out;
};

static int take_one(void *arg, size_t server, size_t i, const struct stream_answer *a,
	struct err *err)
{
	const struct many *m = arg;
	struct reading r = { .expanded = false };
	char text[NAME_TEXT_MAX] = "";
	int rc;

	(void)server;
	if (a->outcome != QUERY_ANSWERED)
		return err_set(err, ERR_TIMEOUT, "the primary: %s", a->why);
	rc = reading_take(&a->message, &m->owners[i], m->type, &r, err);
	if (rc != 0) {
		name_write_text(&m->owners[i], text, sizeof(text));
		return err_wrap(err, rc, "'%s'", text);
	}
	if (r.expanded)
		rrset_done(&r.set);
	m->out[i] = r.set;
	/* As in check_unsigned; for many names the zone has to be signed. */
	if (r.set.count && !r.signatures) {
		name_write_text(&m->owners[i], text, sizeof(text));
		return err_set(err, ERR_PEER,
			"'%s': its answer is not signed, and a wildcard may have made it up: "
			"sign the zone",
			text);
	}
	return 0;
}

int primary_read_many(const struct primary *p, const struct name *owners, size_t count,
	uint16_t type, struct rrset *out, struct err *err)
{
	struct many many = { owners, type, out };
	struct address to;
	const struct stream_order order = { .to = &to,
		.servers = 1,
		.names = owners,
		.count = count,
		.type = type,
		.timeout_ms = p->timeout_ms ? p->timeout_ms : PRIMARY_TIMEOUT_MS,
		.take = take_one,
		.arg = &many };
	int rc = address_read(p->address, &to, err);

	to.port = p->port;
	return rc == 0 ? stream_run(&order, err) : rc;
}
