/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/issuance.h"
#include "ca/succession.h"
#include "check.h"
#include "scratch.h"

#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct profile an_authority(enum profile_role role)
{
	struct profile p = { .role = role,
		.common_name = "A",
		.organisation = "Org",
		.life_s = 900000,
		.path_len = role == PROFILE_ROOT ? 2 : 1 };

	assert_int_equal(profile_permit(&p, "a.example", NULL), 0);
	assert_int_equal(profile_exclude(&p, "lab.a.example", NULL), 0);
	return p;
}

static void make_root(const char *folder)
{
	struct profile p = an_authority(PROFILE_ROOT);
	struct authority_order order = { .profile = &p, .key_kind = "p384" };

	assert_int_equal(issuance_root(folder, &order, NULL), 0);
}

static struct state *opened(const char *where)
{
	struct state *s = NULL;
	struct err err;

	if (state_open(where, NULL, &s, &err) != 0)
		fail_msg("%s", err.msg);
	return s;
}

static void issue(const char *where, const char *prefix, unsigned life_s)
{
	struct profile p = { .role = PROFILE_CLIENT, .life_s = life_s, .path_len = -1 };
	struct authority_order order = { .profile = &p };
	struct state *s = opened(where);

	assert_int_equal(profile_add_san(&p, "x.a.example", NULL), 0);
	assert_int_equal(issuance_files(s, prefix, &order, NULL), 0);
	state_close(s);
}

static X509 *read_one(const char *path)
{
	pemfile_chain *chain = NULL;
	X509 *cert;

	assert_int_equal(pemfile_read_chain(path, &chain, NULL), 0);
	cert = sk_X509_shift(chain);
	chain_free(chain);
	return cert;
}

static const char *extension(X509 *cert, int nid, char out[512])
{
	BIO *b = BIO_new(BIO_s_mem());
	int at = X509_get_ext_by_NID(cert, nid, -1), n;

	if (at >= 0)
		X509V3_EXT_print(b, X509_get_ext(cert, at), 0, 0);
	n = BIO_read(b, out, 511);
	out[n > 0 ? n : 0] = '\0';
	BIO_free(b);
	return out;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void the_first_is_the_one_there_was(void **state)
{
	struct authority_place place;
	X509 *before, *after;

	(void)state;
	make_root("a");
	before = read_one("a/ca.pem");
	for (int again = 0; again < 2; again++) {
		assert_int_equal(succession_begin("a", NULL), 0);
		after = read_one("a/ca.pem");
		assert_int_equal(X509_cmp(before, after), 0);
		X509_free(after);
		assert_int_equal(authority_locate("a", &place, NULL), 0);
		assert_string_equal(place.prefix, "a/ca-g1");
		assert_string_equal(place.folder, "a");
	}
	issue("a", "x1", 5000);
	X509_free(before);
}

static void what_a_crash_left_of_the_beginning_is_finished(void **state)
{
	(void)state;
	make_root("b");
	assert_int_equal(link("b/ca-key.pem", "b/ca-g1-key.pem"), 0);
	assert_int_equal(succession_begin("b", NULL), 0);
	issue("b", "x2", 5000);
	/* a file of another in the way is nobody's to take */
	make_root("b2");
	assert_int_equal(symlink("../b/ca.pem", "b2/ca-g1.pem"), 0);
	assert_int_equal(succession_begin("b2", NULL), ERR_SYSTEM);
	issue("b2", "x3", 5000);
}

static void the_next_says_of_itself_what_this_one_says(void **state)
{
	static const int said[] = { NID_basic_constraints, NID_name_constraints, NID_key_usage };
	const struct succession_order order = { .parent = NULL };
	char one[512], two[512], id[FACTS_KEYID_MAX], own[FACTS_KEYID_MAX];
	X509 *this, *next;

	(void)state;
	make_root("c");
	assert_int_equal(succession_begin("c", NULL), 0);
	assert_int_equal(succession_make("c", "g1", "g2", &order, NULL), 0);
	this = read_one("c/ca-g1.pem");
	next = read_one("c/ca-g2.pem");
	assert_int_equal(X509_NAME_cmp(X509_get_subject_name(this), X509_get_subject_name(next)),
		0);
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		assert_string_equal(extension(this, said[i], one), extension(next, said[i], two));
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(this), X509_get0_pubkey(next)), 0);
	assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(next)), 384);
	assert_int_equal(succession_key_id("c", "g1", id, NULL), 0);
	assert_int_equal(succession_key_id("c", "g2", own, NULL), 0);
	assert_string_not_equal(id, own);
	X509_free(next);
	/* made once */
	next = read_one("c/ca-g2.pem");
	assert_int_equal(succession_make("c", "g1", "g2", &order, NULL), 0);
	X509_free(this);
	this = read_one("c/ca-g2.pem");
	assert_int_equal(X509_cmp(this, next), 0);
	X509_free(this);
	X509_free(next);
}

static void who_issues_changes_with_one_link(void **state)
{
	struct authority_place place;
	X509 *leaf, *ca;

	(void)state;
	issue("c", "before", 5000);
	assert_int_equal(succession_point("c", "g2", NULL), 0);
	assert_int_equal(authority_locate("c", &place, NULL), 0);
	assert_string_equal(place.key, "c/ca-g2-key.pem");
	issue("c", "after", 5000);
	leaf = read_one("after.pem");
	ca = read_one("c/ca-g2.pem");
	assert_int_equal(X509_verify(leaf, X509_get0_pubkey(ca)), 1);
	X509_free(leaf);
	X509_free(ca);
	assert_int_equal(succession_point("c", "g9", NULL), 0);
	assert_false(exists("c/ca.pem"));
	assert_int_equal(succession_point("c", "g2", NULL), 0);
}

static void a_leaf_is_issued_again_by_the_next_with_its_key(void **state)
{
	const struct issuance_renewal how = { .former = "c/ca-g1.pem" };
	struct state *s = opened("c/ca-g2");
	X509 *old = read_one("before.pem"), *new, *ca;
	struct err err;

	(void)state;
	assert_int_equal(issuance_renew(s, "after", &how, NULL, &err), ERR_ARG);
	assert_non_null(strstr(err.msg, "was not issued by 'c/ca-g1.pem'"));
	assert_int_equal(issuance_renew(s, "before", &how, NULL, NULL), 0);
	new = read_one("before.pem");
	ca = read_one("c/ca-g2.pem");
	assert_int_equal(X509_verify(new, X509_get0_pubkey(ca)), 1);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(old), X509_get0_pubkey(new)), 1);
	state_close(s);
	X509_free(old);
	X509_free(new);
	X509_free(ca);
}

struct tally {
	unsigned signed_still;
};

static bool count_states(void *arg, const struct ledger_entry *e)
{
	((struct tally *)arg)->signed_still += e->state == LEDGER_SIGNED;
	return true;
}

static unsigned unfinished(const char *folder)
{
	const struct ledger_filter filter = { .signed_only = true };
	struct state *s = NULL;
	struct tally t = { 0 };

	assert_int_equal(state_open_keyless(folder, &s, NULL), 0);
	assert_int_equal(ledger_each(s->ledger, &filter, count_states, &t, NULL), 0);
	state_close(s);
	return t.signed_still;
}

static int fail_to_write(void *arg, X509 *cert, const char *prefix, struct err *err)
{
	struct state *s = NULL;
	int rc = state_begin("d", &s, err);

	(void)arg;
	if (rc == 0)
		rc = state_record(s, cert, "root", prefix, "ca.init", err);
	state_close(s);
	return rc == 0 ? err_set(err, ERR_SYSTEM, "crash") : rc;
}

/* Signed and recorded, and no file of it written. */
static void a_root_that_a_crash_lost_is_made_anew(void **state)
{
	struct profile p = an_authority(PROFILE_ROOT);
	struct authority_order order = { .profile = &p, .record = fail_to_write };
	const struct succession_order how = { .parent = NULL };

	(void)state;
	make_root("d");
	assert_int_equal(succession_begin("d", NULL), 0);
	assert_int_equal(authority_found(NULL, "d/ca-g2", &order, NULL), ERR_SYSTEM);
	assert_int_equal(unfinished("d"), 1);
	/* the one that issues leaves it alone: it is not of it */
	state_close(opened("d"));
	assert_int_equal(unfinished("d"), 1);
	assert_int_equal(succession_make("d", "g1", "g2", &how, NULL), 0);
	assert_int_equal(unfinished("d"), 0);
	assert_false(exists("d/ca-g2-chain.pem"));
	state_close(opened("d/ca-g2"));
	assert_false(exists("d/ca-g2-chain.pem"));
}

static void an_intermediate_needs_its_parent(void **state)
{
	struct profile p = an_authority(PROFILE_INTERMEDIATE);
	struct authority_order order = { .profile = &p };
	struct succession_order how = { .parent = NULL };
	struct state *parent;
	struct err err;
	X509 *next, *root;

	(void)state;
	make_root("root");
	parent = opened("root");
	assert_int_equal(issuance_below(parent, "int", &order, NULL), 0);
	state_close(parent);
	assert_int_equal(succession_begin("int", NULL), 0);
	assert_true(exists("int/ca-g1-chain.pem"));
	assert_int_equal(succession_make("int", "g1", "g2", &how, &err), ERR_ARG);
	assert_non_null(strstr(err.msg, "is below another"));
	how.parent = "root";
	assert_int_equal(succession_make("int", "g1", "g2", &how, NULL), 0);
	next = read_one("int/ca-g2.pem");
	root = read_one("root/ca.pem");
	assert_int_equal(X509_verify(next, X509_get0_pubkey(root)), 1);
	assert_int_equal(succession_point("int", "g2", NULL), 0);
	issue("int", "below", 5000);
	X509_free(next);
	X509_free(root);
}

static void one_made_elsewhere_is_taken(void **state)
{
	struct err err;
	X509 *theirs, *ours;

	(void)state;
	make_root("e");
	make_root("elsewhere");
	assert_int_equal(succession_begin("e", NULL), 0);
	assert_int_equal(succession_adopt("e", "g2", "nowhere", NULL, &err), ERR_SYSTEM);
	assert_int_equal(succession_adopt("e", "g2", "elsewhere", NULL, NULL), 0);
	theirs = read_one("elsewhere/ca.pem");
	ours = read_one("e/ca-g2.pem");
	assert_int_equal(X509_cmp(theirs, ours), 0);
	assert_int_equal(succession_point("e", "g2", NULL), 0);
	issue("e", "x5", 5000);
	X509_free(theirs);
	X509_free(ours);
}

static void it_signs_its_list_until_its_last_leaf_has_ended(void **state)
{
	const int64_t now = time(NULL);
	struct state *s;
	int64_t until;

	(void)state;
	make_root("f");
	assert_int_equal(succession_begin("f", NULL), 0);
	s = opened("f");
	/* its own end does not count */
	assert_int_equal(succession_until(s, "g1", now, &until, NULL), 0);
	assert_int_equal(until, now);
	state_close(s);
	issue("f", "x6", 5000);
	issue("f", "x7", 70000);
	s = opened("f");
	assert_int_equal(succession_until(s, "g1", now, &until, NULL), 0);
	assert_true(until >= now + 70000 && until < now + 70100);
	state_close(s);
	/* who is not in the ledger may have issued before it began */
	assert_int_equal(succession_begin("int", NULL), 0);
	assert_int_equal(state_open_keyless("int", &s, NULL), 0);
	assert_int_equal(succession_until(s, "g2", now, &until, NULL), 0);
	assert_true(until > now + 800000);
	state_close(s);
	assert_true(succession_has_key("f", "g1"));
	assert_int_equal(succession_erase("f", "g1", NULL), 0);
	assert_false(succession_has_key("f", "g1"));
	assert_true(exists("f/ca-g1.pem"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_is_the_one_there_was),
		TEST(what_a_crash_left_of_the_beginning_is_finished),
		TEST(the_next_says_of_itself_what_this_one_says),
		TEST(who_issues_changes_with_one_link),
		TEST(a_leaf_is_issued_again_by_the_next_with_its_key),
		TEST(a_root_that_a_crash_lost_is_made_anew),
		TEST(an_intermediate_needs_its_parent),
		TEST(one_made_elsewhere_is_taken),
		TEST(it_signs_its_list_until_its_last_leaf_has_ended),
	};

	return cmocka_run_group_tests_name("ca/succession", tests, scratch_begin, scratch_end);
}
