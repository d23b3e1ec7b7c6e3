/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/rollremain.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ca/succession.h"
#include "dns/rr.h"
#include "identity/publication.h"

struct reading {
	const char *dir;
	const struct rollfile *file;
	struct state *state;
	struct names *names;
	int64_t now_s;
};

void rollremain_done(struct rollremain *r)
{
	cover_done(&r->owners);
	cover_done(&r->waiting);
	rollusers_done(&r->leaves);
	*r = (struct rollremain){ .retired_count = 0 };
}

/* Does an owner have a record of it? */
static int has(struct reading *r, const char *owner, struct span der, bool *yes, struct err *err)
{
	struct agility a = { .count = 0 };
	struct rrset owned = { 0 };
	struct name name;
	int rc = name_of(owner, &name) == 0
		? publication_owned(r->names, &name, RR_TLSA, &owned, err)
		: err_set(err, ERR_FORMAT, "name '%s': not a domain name", owner);

	if (rc == 0)
		rc = agility_forms(owned.rdata, owned.count, der, &a, err);
	*yes = a.count > 0;
	agility_done(&a);
	rrset_done(&owned);
	return rc;
}

/* Those that have, or have not, a record of a generation. */
static int filter(struct reading *r, const char *generation, bool having, struct rollremain *out,
	struct err *err)
{
	struct buf der = { 0 };
	bool made = succession_certificate(r->dir, generation, &der, NULL) == 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < out->owners.count; i++) {
		bool yes = false;

		if (made)
			rc = has(r, out->owners.owner[i], buf_span(&der), &yes, err);
		if (rc == 0 && yes == having)
			rc = cover_add(&out->waiting, out->owners.owner[i], err);
	}
	buf_done(&der);
	return rc;
}

static const char *generation_of(const struct rollfile *f, unsigned credential)
{
	return credential == ROLLOVER_CURRENT ? f->current : f->next;
}

static int find_waiting(struct reading *r, struct rollremain *out, struct err *err)
{
	const struct rollover *e = &r->file->rollover;
	unsigned unwanted = rollover_unwanted(e);

	if (e->machine.at < ROLLOVER_SWITCH)
		return filter(r, r->file->next, false, out, err);
	if (e->machine.at >= ROLLOVER_WITHDRAW && unwanted)
		return filter(r, generation_of(r->file, unwanted), true, out, err);
	return 0;
}

static int find_leaves(struct reading *r, struct rollremain *out, struct err *err)
{
	unsigned keep = r->file->rollover.keep;
	char heir[FACTS_KEYID_MAX] = "none", issuer[FACTS_KEYID_MAX] = "";
	struct rollusers_question q = { .state = r->dir,
		.ledger = r->state->ledger,
		.names = r->names,
		.owners = &out->owners,
		.issuer = issuer,
		.heir = heir,
		.now_s = r->now_s };
	int rc = succession_key_id(r->dir,
		generation_of(r->file, keep ^ (ROLLOVER_CURRENT | ROLLOVER_NEXT)), issuer, err);

	/* Before MAKE is done there is no heir yet. */
	if (rc == 0)
		succession_key_id(r->dir, generation_of(r->file, keep), heir, NULL);
	return rc == 0 ? rollusers_find(&q, &out->leaves, err) : rc;
}

static int find_retired(struct reading *r, struct rollremain *out, struct err *err)
{
	const struct rollfile *f = r->file;
	int rc = 0;

	for (uint32_t i = 1; rc == 0 && i <= f->last; i++) {
		struct rollremain_retired *one = &out->retired[out->retired_count];

		if (out->retired_count == ROLLREMAIN_RETIRED_MAX)
			break;
		keyring_word(i, one->generation);
		if (strcmp(one->generation, f->current) == 0 ||
			strcmp(one->generation, f->next) == 0 ||
			strcmp(one->generation, f->standby) == 0 ||
			!succession_has_key(r->dir, one->generation))
			continue;
		rc = succession_until(r->state, one->generation, r->now_s, &one->until_s, err);
		out->retired_count += rc == 0;
	}
	return rc;
}

static int read_all(struct reading *r, struct rollremain *out, struct err *err)
{
	const char *const generations[] = { r->file->current, r->file->next, r->file->standby };
	struct rollusers_authorities a = { .count = 0 };
	int rc = rollusers_read(r->dir, generations, &a, err);

	if (rc == 0)
		rc = rollusers_owners(r->names, &a, &out->owners, err);
	rollusers_forget(&a);
	if (rc == 0 && r->file->under_way)
		rc = find_waiting(r, out, err);
	if (rc == 0 && r->file->under_way)
		rc = find_leaves(r, out, err);
	return rc == 0 ? find_retired(r, out, err) : rc;
}

int rollremain_read(const char *state, const struct rollfile *f, int64_t now_s,
	struct rollremain *out, struct err *err)
{
	struct reading r = { .dir = state, .file = f, .now_s = now_s };
	int rc = state_open_keyless(state, &r.state, err);

	*out = (struct rollremain){ .retired_count = 0 };
	if (rc == 0)
		rc = names_open(state, true, &r.names, err);
	if (rc == 0)
		rc = read_all(&r, out, err);
	names_close(r.names);
	state_close(r.state);
	if (rc != 0)
		rollremain_done(out);
	return rc;
}
