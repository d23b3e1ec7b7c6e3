/* SPDX-License-Identifier: Apache-2.0 */
#include "servers/evidence.h"

/* Where the owner of this step leads, by the first useful answer; false: nowhere. */
static bool alias_of(const struct asked *asked, struct name *out)
{
	const struct asked_said *said = asked_useful(asked);
	const ldns_rr_list *records = said ? ldns_pkt_answer(said->answer.packet) : NULL;

	for (size_t i = 0; records && i < ldns_rr_list_rr_count(records); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(records, i);
		struct name owner;

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME &&
			asked->type != LDNS_RR_TYPE_CNAME &&
			asked_name_of(ldns_rr_owner(rr), &owner) &&
			name_equal(&owner, &asked->name) && asked_name_of(ldns_rr_rdf(rr, 0), out))
			return true;
	}
	return false;
}

static bool was_before(const struct evidence *e, const struct name *name)
{
	for (size_t i = 0; i < e->count; i++)
		if (name_equal(&e->step[i].asked.name, name))
			return true;
	return false;
}

int evidence_collect(struct delegation_walk *w, const struct name *name, uint16_t type,
	struct evidence *out, struct err *err)
{
	struct evidence e = { 0 };
	struct name at = *name;
	int rc = 0;

	for (bool more = true; rc == 0 && more;) {
		struct evidence_step *s = &e.step[e.count];

		if (e.count == EVIDENCE_STEPS_MAX || was_before(&e, &at)) {
			e.endless = true;
			break;
		}
		rc = delegation_of(w, &at, &s->zone, err);
		if (rc == 0)
			rc = delegation_prove(w, s->zone, err);
		if (rc == 0)
			rc = delegation_ask(w, s->zone, &at, type, &s->asked, err);
		if (rc == 0)
			e.count++;
		more = rc == 0 && alias_of(&s->asked, &at);
	}
	if (rc != 0)
		evidence_done(&e);
	else
		*out = e;
	return rc;
}

void evidence_done(struct evidence *e)
{
	for (size_t i = 0; i < e->count; i++)
		asked_done(&e->step[i].asked);
	*e = (struct evidence){ 0 };
}
