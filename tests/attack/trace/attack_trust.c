/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody between us and the name servers could put together from true signatures and his
 * own, and must not be believed.
 */
#include "check.h"
#include "signer.h"
#include "trace/denial.h"
#include "trace/sealed.h"
#include "trace/trust.h"

#include <stdlib.h>
#include <string.h>

static struct signer zone, parent;

static int begin(void **state)
{
	(void)state;
	parent = signer_new("example");
	zone = signer_new("a.example");
	return 0;
}

static int end(void **state)
{
	(void)state;
	signer_forget();
	return 0;
}

static ldns_rr_list *keys_of(const struct signer *s)
{
	ldns_rr_list *keys = signer_list();

	ldns_rr_list_push_rr(keys, ldns_rr_clone(s->dnskey));
	return keys;
}

static struct signature_verdict judge(const ldns_rr_list *section, const ldns_rr_list *keys)
{
	struct name owner = signer_name("x.a.example");
	ldns_rr_list *set = signature_rrset(section, &owner, LDNS_RR_TYPE_A);
	struct signature_verdict v;

	assert_non_null(set);
	signature_judge(set, section, keys, &zone.zone, SIGNER_NOW, &v);
	ldns_rr_list_free(set);
	return v;
}

static void a_true_signature_is_good_until_it_expires(void **state)
{
	ldns_rr_list *section = signer_list();
	struct signature_verdict v;

	(void)state;
	signer_add(section, &zone, "x.a.example. A 192.0.2.1\nx.a.example. A 192.0.2.2");
	v = judge(section, keys_of(&zone));
	assert_true(v.good);
	assert_int_equal(v.until, zone.expiration);
}

static void a_changed_record_is_refused(void **state)
{
	ldns_rr_list *section = signer_list();
	struct signature_verdict v;

	(void)state;
	signer_add(section, &zone, "x.a.example. A 192.0.2.1");
	signer_add(section, NULL, "x.a.example. A 192.0.2.66");
	v = judge(section, keys_of(&zone));
	assert_false(v.good);
	assert_int_equal(v.sig[0].state, SIGNATURE_WRONG);
}

/* The same by way of a whole message, as a fleet's devices are looked at. */
static struct signature_verdict judge_message(const ldns_rr_list *section, const ldns_rr_list *keys)
{
	struct name owner = signer_name("x.a.example");
	struct asked asked =
		signer_asked("x.a.example", LDNS_RR_TYPE_A, section, NULL, LDNS_RCODE_NOERROR);
	struct signature_verdict v;
	uint8_t *wire = NULL;
	size_t n = 0;

	assert_int_equal(ldns_pkt2wire(&wire, asked.said[0].answer.packet, &n), LDNS_STATUS_OK);
	sealed_judge((struct span){ wire, n }, &owner, LDNS_RR_TYPE_A, keys, &zone.zone, SIGNER_NOW,
		&v);
	free(wire);
	asked_done(&asked);
	return v;
}

static void in_a_message_too_only_the_zones_own_key_counts(void **state)
{
	ldns_rr_list *section = signer_list(), *changed = signer_list(), *none = signer_list();
	struct signer other = signer_new("a.example");
	struct signature_verdict v;

	(void)state;
	signer_add(section, &zone, "x.a.example. A 192.0.2.1");
	signer_add(changed, &zone, "x.a.example. A 192.0.2.1");
	signer_add(changed, NULL, "x.a.example. A 192.0.2.66");
	signer_add(none, NULL, "x.a.example. A 192.0.2.1");
	v = judge_message(section, keys_of(&zone));
	assert_true(v.good);
	assert_int_equal(v.labels, 3);
	assert_false(judge_message(section, keys_of(&other)).good);
	assert_false(judge_message(changed, keys_of(&zone)).good);
	assert_false(judge_message(none, keys_of(&zone)).good);
	assert_string_equal(judge_message(none, keys_of(&zone)).why, "no signature");
}

static void an_old_signature_is_refused_and_so_is_one_from_the_future(void **state)
{
	static const struct {
		int64_t from, to;
		enum signature_state state;
	} times[] = {
		{ SIGNER_NOW - 7200, SIGNER_NOW - 1, SIGNATURE_EXPIRED },
		{ SIGNER_NOW + 1, SIGNER_NOW + 7200, SIGNATURE_EARLY },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct signer then = zone;
		ldns_rr_list *section = signer_list();
		struct signature_verdict v;

		then.inception = times[i].from;
		then.expiration = times[i].to;
		signer_add(section, &then, "x.a.example. A 192.0.2.1");
		v = judge(section, keys_of(&zone));
		assert_false(v.good);
		assert_int_equal(v.sig[0].state, times[i].state);
	}
}

static void a_signature_of_another_zone_is_refused_although_its_key_is_there(void **state)
{
	ldns_rr_list *section = signer_list(), *keys = keys_of(&zone);
	struct signature_verdict v;

	(void)state;
	signer_add(section, &parent, "x.a.example. A 192.0.2.1");
	ldns_rr_list_push_rr(keys, ldns_rr_clone(parent.dnskey));
	v = judge(section, keys);
	assert_false(v.good);
	assert_int_equal(v.sig[0].state, SIGNATURE_FOREIGN);
}

static void a_revoked_key_and_one_that_is_no_zone_key_sign_nothing(void **state)
{
	static const uint16_t flags[] = { 257 | 128, 1 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct signer other = signer_new("a.example");
		ldns_rr_list *section = signer_list(), *keys = signer_list();
		struct signature_verdict v;
		ldns_rr *key = ldns_rr_clone(other.dnskey);

		ldns_rdf_deep_free(ldns_rr_set_rdf(key,
			ldns_native2rdf_int16(LDNS_RDF_TYPE_INT16, flags[i]), 0));
		ldns_key_set_keytag(other.key, ldns_calc_keytag(key));
		ldns_rr_list_push_rr(keys, key);
		signer_add(section, &other, "x.a.example. A 192.0.2.1");
		v = judge(section, keys);
		assert_false(v.good);
		assert_int_equal(v.sig[0].state, SIGNATURE_KEYLESS);
	}
}

static void the_ninth_signature_is_not_tried(void **state)
{
	ldns_rr_list *section = signer_list();
	struct signature_verdict v;

	(void)state;
	for (size_t i = 0; i < SIGNATURE_MAX; i++) {
		struct signer other = signer_new("a.example");
		ldns_rr_list *alone = signer_list();

		signer_add(alone, &other, "x.a.example. A 192.0.2.1");
		ldns_rr_list_push_rr(section, ldns_rr_clone(ldns_rr_list_rr(alone, 1)));
	}
	signer_add(section, &zone, "x.a.example. A 192.0.2.1");
	v = judge(section, keys_of(&zone));
	assert_false(v.good);
	assert_int_equal(v.count, SIGNATURE_MAX);
}

static struct denial deny(enum denial_of of, const char *name, uint16_t type, const char *proof)
{
	ldns_rr_list *authority = signer_list();
	struct denial_question q = { .of = of,
		.name = signer_name(name),
		.type = type,
		.labels = 2,
		.zone = zone.zone,
		.keys = keys_of(&zone),
		.now = SIGNER_NOW };
	struct denial d;

	signer_add(authority, &zone, proof);
	denial_judge(&q, authority, &d);
	return d;
}

static void proofs_that_prove_are_taken(void **state)
{
	struct denial d;

	(void)state;
	d = deny(DENIAL_OF_NAME, "m.a.example", LDNS_RR_TYPE_A,
		"b.a.example. NSEC z.a.example. A RRSIG NSEC\n"
		"a.example. NSEC b.a.example. NS SOA RRSIG NSEC DNSKEY");
	assert_int_equal(d.outcome, DENIAL_PROVED);
	assert_int_equal(d.until, zone.expiration);
	d = deny(DENIAL_OF_TYPE, "b.a.example", LDNS_RR_TYPE_TLSA,
		"b.a.example. NSEC z.a.example. A RRSIG NSEC");
	assert_int_equal(d.outcome, DENIAL_PROVED);
	d = deny(DENIAL_OF_TYPE, "b.a.example", LDNS_RR_TYPE_DS,
		"b.a.example. NSEC z.a.example. NS RRSIG NSEC");
	assert_int_equal(d.outcome, DENIAL_PROVED);
	assert_true(d.delegation);
	d = deny(DENIAL_OF_TYPE, "m.a.example", LDNS_RR_TYPE_A,
		"b.a.example. NSEC n.m.a.example. A RRSIG NSEC");
	assert_int_equal(d.outcome, DENIAL_PROVED); /* a name between, without records */
	d = deny(DENIAL_OF_CLOSER, "m.a.example", 0, "b.a.example. NSEC z.a.example. A RRSIG NSEC");
	assert_int_equal(d.outcome, DENIAL_PROVED);
}

/* Each is well signed and proves something else. */
static void true_proofs_of_something_else_are_refused(void **state)
{
	static const struct {
		enum denial_of of;
		const char *name;
		uint16_t type;
		const char *proof, *why;
	} cases[] = {
		{ DENIAL_OF_NAME, "m.a.example", 0, "b.a.example. NSEC z.a.example. A RRSIG NSEC",
			"no NSEC denies the wildcard" },
		{ DENIAL_OF_NAME, "x.b.a.example", 0,
			"b.a.example. NSEC z.a.example. NS RRSIG NSEC\n"
			"a.example. NSEC b.a.example. NS SOA RRSIG NSEC",
			"no NSEC covers the name" },
		{ DENIAL_OF_NAME, "x.b.a.example", 0,
			"b.a.example. NSEC z.a.example. DNAME RRSIG NSEC\n"
			"a.example. NSEC b.a.example. NS SOA RRSIG NSEC",
			"no NSEC covers the name" },
		{ DENIAL_OF_NAME, "m.a.example", 0,
			"n.a.example. NSEC z.a.example. A RRSIG NSEC\n"
			"a.example. NSEC b.a.example. NS SOA RRSIG NSEC",
			"no NSEC covers the name" },
		{ DENIAL_OF_NAME, "b.a.example", 0,
			"b.a.example. NSEC z.a.example. A RRSIG NSEC\n"
			"a.example. NSEC b.a.example. NS SOA RRSIG NSEC",
			"NSEC says that the name is there" },
		{ DENIAL_OF_TYPE, "b.a.example", LDNS_RR_TYPE_A,
			"b.a.example. NSEC z.a.example. A RRSIG NSEC", "the type is there" },
		{ DENIAL_OF_TYPE, "b.a.example", LDNS_RR_TYPE_TLSA,
			"b.a.example. NSEC z.a.example. CNAME RRSIG NSEC", "the type is there" },
		{ DENIAL_OF_TYPE, "b.a.example", LDNS_RR_TYPE_TLSA,
			"b.a.example. NSEC z.a.example. NS RRSIG NSEC", "the type is there" },
		{ DENIAL_OF_TYPE, "a.example", LDNS_RR_TYPE_DS,
			"a.example. NSEC b.a.example. NS SOA RRSIG NSEC", "the type is there" },
		{ DENIAL_OF_TYPE, "m.a.example", LDNS_RR_TYPE_TLSA,
			"b.a.example. NSEC z.a.example. A RRSIG NSEC",
			"no NSEC shows the wildcard" },
		{ DENIAL_OF_CLOSER, "x.m.a.example", 0,
			"b.a.example. NSEC n.m.a.example. A RRSIG NSEC",
			"no NSEC covers the name" },
		{ DENIAL_OF_CLOSER, "x.m.a.example", 0,
			"m.a.example. NSEC z.a.example. A RRSIG NSEC",
			"a closer match than the wildcard" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct denial d = deny(cases[i].of, cases[i].name, cases[i].type, cases[i].proof);

		if (d.outcome != DENIAL_WRONG || !strstr(d.why, cases[i].why))
			print_message("# case %zu: %s\n", i, d.why);
		assert_int_equal(d.outcome, DENIAL_WRONG);
		assert_non_null(strstr(d.why, cases[i].why));
	}
}

/* One NSEC3 record at the hash of a name, which covers every other hash. */
static struct denial deny_by_nsec3(enum denial_of of, const char *name, uint16_t type,
	const char *at, unsigned flags, unsigned iterations, const char *types)
{
	ldns_rdf *plain = ldns_dname_new_frm_str(at);
	ldns_rdf *hashed = ldns_nsec3_hash_name(plain, LDNS_SHA1, (uint16_t)iterations, 0, NULL);
	char line[400];

	assert_int_equal(ldns_rdf_data(hashed)[0], 32);
	snprintf(line, sizeof(line), "%.32s.a.example. NSEC3 1 %u %u - %.32s %s",
		(const char *)ldns_rdf_data(hashed) + 1, flags, iterations,
		(const char *)ldns_rdf_data(hashed) + 1, types);
	ldns_rdf_deep_free(plain);
	ldns_rdf_deep_free(hashed);
	return deny(of, name, type, line);
}

#define APEX_TYPES "NS SOA RRSIG DNSKEY NSEC3PARAM"

static void nsec3_proves_what_it_covers_and_no_more(void **state)
{
	static const struct {
		enum denial_of of;
		const char *name;
		uint16_t type;
		const char *at;
		unsigned flags, iterations;
		const char *types;
		enum denial_outcome outcome;
		const char *why;
	} cases[] = {
		{ DENIAL_OF_NAME, "m.a.example", 0, "a.example", 0, 0, APEX_TYPES, DENIAL_PROVED,
			"" },
		{ DENIAL_OF_NAME, "m.a.example", 0, "a.example", 0, 150, APEX_TYPES, DENIAL_PROVED,
			"" },
		{ DENIAL_OF_NAME, "m.a.example", 0, "a.example", 0, 151, APEX_TYPES, DENIAL_OPEN,
			"151 iterations" },
		{ DENIAL_OF_NAME, "m.a.example", 0, "a.example", 1, 0, APEX_TYPES, DENIAL_OPEN,
			"" },
		{ DENIAL_OF_TYPE, "m.a.example", LDNS_RR_TYPE_DS, "a.example", 1, 0, APEX_TYPES,
			DENIAL_OPEN, "" },
		{ DENIAL_OF_TYPE, "m.a.example", LDNS_RR_TYPE_DS, "m.a.example", 0, 0, "NS",
			DENIAL_PROVED, "" },
		{ DENIAL_OF_TYPE, "m.a.example", LDNS_RR_TYPE_TLSA, "m.a.example", 0, 0, "A RRSIG",
			DENIAL_PROVED, "" },
		{ DENIAL_OF_CLOSER, "m.a.example", 0, "a.example", 0, 0, APEX_TYPES, DENIAL_PROVED,
			"" },
		{ DENIAL_OF_TYPE, "a.example", LDNS_RR_TYPE_DS, "a.example", 0, 0, APEX_TYPES,
			DENIAL_WRONG, "the type is there" },
		{ DENIAL_OF_TYPE, "m.a.example", LDNS_RR_TYPE_TLSA, "m.a.example", 0, 0, "NS",
			DENIAL_WRONG, "the type is there" },
		{ DENIAL_OF_TYPE, "m.a.example", LDNS_RR_TYPE_TLSA, "m.a.example", 0, 0,
			"CNAME RRSIG", DENIAL_WRONG, "the type is there" },
		{ DENIAL_OF_NAME, "m.a.example", 0, "m.a.example", 0, 0, "A RRSIG", DENIAL_WRONG,
			"the name is there" },
		{ DENIAL_OF_NAME, "x.m.a.example", 0, "m.a.example", 0, 0, "NS", DENIAL_WRONG,
			"a zone cut proves nothing below" },
		{ DENIAL_OF_NAME, "m.a.example", 0, "z.a.example", 0, 0, "A RRSIG", DENIAL_WRONG,
			"no NSEC3 matches an ancestor" },
		{ DENIAL_OF_NAME, "m.a.example", 0, "*.a.example", 0, 0, "A RRSIG", DENIAL_WRONG,
			"no NSEC3 matches an ancestor" },
		{ DENIAL_OF_TYPE, "m.a.example", LDNS_RR_TYPE_TLSA, "a.example", 0, 0, APEX_TYPES,
			DENIAL_WRONG, "no NSEC3 shows the wildcard" },
		{ DENIAL_OF_CLOSER, "m.a.example", 0, "m.a.example", 0, 0, "A RRSIG", DENIAL_WRONG,
			"no NSEC3 denies a closer match" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct denial d = deny_by_nsec3(cases[i].of, cases[i].name, cases[i].type,
			cases[i].at, cases[i].flags, cases[i].iterations, cases[i].types);

		if (d.outcome != cases[i].outcome || !strstr(d.why, cases[i].why))
			print_message("# case %zu: %s\n", i, d.why);
		assert_int_equal(d.outcome, cases[i].outcome);
		assert_non_null(strstr(d.why, cases[i].why));
	}
}

static void a_proof_without_signature_is_refused(void **state)
{
	ldns_rr_list *authority = signer_list();
	const struct denial_question q = { .of = DENIAL_OF_TYPE,
		.name = signer_name("b.a.example"),
		.type = LDNS_RR_TYPE_TLSA,
		.zone = zone.zone,
		.keys = keys_of(&zone),
		.now = SIGNER_NOW };
	struct denial d;

	(void)state;
	signer_add(authority, NULL, "b.a.example. NSEC z.a.example. A RRSIG NSEC");
	denial_judge(&q, authority, &d);
	assert_int_equal(d.outcome, DENIAL_WRONG);
	assert_non_null(strstr(d.why, "no signature"));
	denial_judge(&q, signer_list(), &d);
	assert_int_equal(d.outcome, DENIAL_WRONG);
}

/* The root is example here, the anchor its key; a.example below it. */
struct world {
	struct delegation top, below;
	struct evidence evidence;
	ldns_rr_list *anchors;
};

static void make_world(struct world *w, const ldns_rr_list *ds, const ldns_rr_list *dnskey,
	const ldns_rr_list *answer, const ldns_rr_list *authority)
{
	ldns_rr_list *top_keys = signer_list();
	char *line = ldns_rr2str(parent.dnskey);

	*w = (struct world){ .anchors = signer_list() };
	signer_add(top_keys, &parent, line);
	free(line);
	ldns_rr_list_push_rr(w->anchors, ldns_rr_clone(signer_ds(&parent)));
	w->top.zone = parent.zone;
	w->top.dnskey = signer_asked("example", LDNS_RR_TYPE_DNSKEY, top_keys, NULL, 0);
	w->below.zone = zone.zone;
	w->below.parent = &w->top;
	w->below.ds = signer_asked("a.example", LDNS_RR_TYPE_DS, ds, NULL, 0);
	w->below.dnskey = signer_asked("a.example", LDNS_RR_TYPE_DNSKEY, dnskey, NULL, 0);
	w->evidence.count = 1;
	w->evidence.step[0].zone = &w->below;
	w->evidence.step[0].asked =
		signer_asked("x.a.example", LDNS_RR_TYPE_TLSA, answer, authority, 0);
}

static void end_world(struct world *w)
{
	asked_done(&w->top.dnskey);
	asked_done(&w->below.ds);
	asked_done(&w->below.dnskey);
	evidence_done(&w->evidence);
}

static void add_rr(ldns_rr_list *to, const struct signer *by, const ldns_rr *rr)
{
	char *line = ldns_rr2str(rr);

	signer_add(to, by, line);
	free(line);
}

/* The verdict on x.a.example TLSA. */
static enum trust verdict(const ldns_rr_list *ds, const ldns_rr_list *dnskey,
	const ldns_rr_list *answer, const ldns_rr_list *authority, char why[TRUST_WHY_MAX])
{
	struct trust_world *judge_world;
	struct trust_report *r;
	struct world w;
	enum trust trust;

	make_world(&w, ds, dnskey, answer, authority);
	assert_int_equal(trust_open(w.anchors, &judge_world, NULL), 0);
	assert_int_equal(trust_judge(judge_world, &w.evidence, SIGNER_NOW, &r, NULL), 0);
	trust = r->trust;
	memcpy(why, r->why, TRUST_WHY_MAX);
	trust_free(r);
	trust_close(judge_world);
	end_world(&w);
	return trust;
}

#define TLSA_RECORD \
	"x.a.example. TLSA 3 1 1 abababababababababababababababababababababababababababababababab"

static void a_chain_holds_when_each_link_does(void **state)
{
	ldns_rr_list *ds = signer_list(), *dnskey = signer_list(), *answer = signer_list();
	char why[TRUST_WHY_MAX];

	(void)state;
	add_rr(ds, &parent, signer_ds(&zone));
	add_rr(dnskey, &zone, zone.dnskey);
	signer_add(answer, &zone, TLSA_RECORD);
	assert_int_equal(verdict(ds, dnskey, answer, NULL, why), TRUST_SECURE);
}

static void keys_that_only_sign_themselves_are_refused(void **state)
{
	ldns_rr_list *ds = signer_list(), *dnskey = signer_list(), *answer = signer_list();
	struct signer thief = signer_new("a.example");
	char *both[2] = { ldns_rr2str(zone.dnskey), ldns_rr2str(thief.dnskey) };
	char lines[1024], why[TRUST_WHY_MAX];

	(void)state;
	add_rr(ds, &parent, signer_ds(&zone));
	snprintf(lines, sizeof(lines), "%s%s", both[0], both[1]);
	free(both[0]);
	free(both[1]);
	signer_add(dnskey, &thief, lines); /* the true key is in the set, and did not sign it */
	signer_add(answer, &thief, TLSA_RECORD);
	assert_int_equal(verdict(ds, dnskey, answer, NULL, why), TRUST_BOGUS);
	assert_non_null(strstr(why, "DNSKEY"));
}

static void a_ds_that_the_parent_did_not_sign_is_refused(void **state)
{
	ldns_rr_list *ds = signer_list(), *dnskey = signer_list(), *answer = signer_list();
	struct signer thief = signer_new("a.example");
	char why[TRUST_WHY_MAX];

	(void)state;
	add_rr(ds, &thief, signer_ds(&thief));
	add_rr(dnskey, &thief, thief.dnskey);
	signer_add(answer, &thief, TLSA_RECORD);
	assert_int_equal(verdict(ds, dnskey, answer, NULL, why), TRUST_BOGUS);
	assert_non_null(strstr(why, "DS"));
}

static void a_wildcard_without_proof_is_refused(void **state)
{
	ldns_rr_list *ds = signer_list(), *dnskey = signer_list(), *answer = signer_list();
	ldns_rr_list *proof = signer_list(), *none = signer_list();
	char why[TRUST_WHY_MAX];

	(void)state;
	add_rr(ds, &parent, signer_ds(&zone));
	add_rr(dnskey, &zone, zone.dnskey);
	signer_add(answer, &zone,
		"*.a.example. TLSA 3 1 1 abababababababababababababababababababababababababababababababab");
	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
		ldns_rr *rr = ldns_rr_list_rr(answer, i);

		ldns_rdf_deep_free(ldns_rr_owner(rr));
		ldns_rr_set_owner(rr, ldns_dname_new_frm_str("x.a.example"));
	}
	assert_int_equal(verdict(ds, dnskey, answer, none, why), TRUST_BOGUS);
	assert_non_null(strstr(why, "wildcard without proof"));
	signer_add(proof, &zone, "b.a.example. NSEC z.a.example. A RRSIG NSEC");
	assert_int_equal(verdict(ds, dnskey, answer, proof, why), TRUST_SECURE);
}

static void an_alias_without_signature_is_refused(void **state)
{
	ldns_rr_list *ds = signer_list(), *dnskey = signer_list(), *answer = signer_list();
	char why[TRUST_WHY_MAX];

	(void)state;
	add_rr(ds, &parent, signer_ds(&zone));
	add_rr(dnskey, &zone, zone.dnskey);
	signer_add(answer, NULL, "x.a.example. CNAME y.a.example.");
	signer_add(answer, &zone, "w.a.example. DNAME a.example.");
	assert_int_equal(verdict(ds, dnskey, answer, NULL, why), TRUST_BOGUS);
	assert_non_null(strstr(why, "no signature"));
}

static void an_empty_answer_is_no_denial(void **state)
{
	ldns_rr_list *ds = signer_list(), *dnskey = signer_list(), *none = signer_list();
	char why[TRUST_WHY_MAX];

	(void)state;
	add_rr(ds, &parent, signer_ds(&zone));
	add_rr(dnskey, &zone, zone.dnskey);
	assert_int_equal(verdict(ds, dnskey, none, none, why), TRUST_BOGUS);
	assert_int_equal(verdict(none, dnskey, none, none, why), TRUST_BOGUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_true_signature_is_good_until_it_expires),
		TEST(a_changed_record_is_refused),
		TEST(in_a_message_too_only_the_zones_own_key_counts),
		TEST(an_old_signature_is_refused_and_so_is_one_from_the_future),
		TEST(a_signature_of_another_zone_is_refused_although_its_key_is_there),
		TEST(a_revoked_key_and_one_that_is_no_zone_key_sign_nothing),
		TEST(the_ninth_signature_is_not_tried),
		TEST(proofs_that_prove_are_taken),
		TEST(true_proofs_of_something_else_are_refused),
		TEST(nsec3_proves_what_it_covers_and_no_more),
		TEST(a_proof_without_signature_is_refused),
		TEST(a_chain_holds_when_each_link_does),
		TEST(keys_that_only_sign_themselves_are_refused),
		TEST(a_ds_that_the_parent_did_not_sign_is_refused),
		TEST(a_wildcard_without_proof_is_refused),
		TEST(an_alias_without_signature_is_refused),
		TEST(an_empty_answer_is_no_denial),
	};

	return cmocka_run_group_tests_name("trust", tests, begin, end);
}
