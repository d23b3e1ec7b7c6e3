/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/issuance.h"
#include "check.h"
#include "pki/keyfile.h"
#include "pki/keykind.h"
#include "scratch.h"

#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct profile a_leaf(const char *name)
{
	struct profile p = { .role = PROFILE_SERVER,
		.life_s = 90000,
		.backdate_s = 300,
		.path_len = -1 };

	assert_int_equal(profile_add_san(&p, name, NULL), 0);
	return p;
}

static void make_root(const char *folder)
{
	struct profile p = { .role = PROFILE_ROOT,
		.common_name = "R",
		.life_s = 900000,
		.path_len = 1 };
	struct authority_order order = { .profile = &p };

	assert_int_equal(issuance_root(folder, &order, NULL), 0);
}

static struct state *opened(const char *folder)
{
	struct state *s = NULL;
	struct err err;

	if (state_open(folder, NULL, &s, &err) != 0)
		fail_msg("%s", err.msg);
	return s;
}

struct seen {
	unsigned n, lost;
	char last[PATH_MAX];
	enum ledger_state state;
};

static bool see(void *arg, const struct ledger_entry *e)
{
	struct seen *s = arg;

	s->n++;
	snprintf(s->last, sizeof(s->last), "%s", e->prefix);
	s->state = e->state;
	return true;
}

static struct seen look(struct state *s, const struct ledger_filter *filter)
{
	struct seen seen = { 0 };

	assert_int_equal(ledger_each(s->ledger, filter, see, &seen, NULL), 0);
	return seen;
}

static unsigned acts;

static bool count_act(void *arg, const struct auditline *line, struct span text)
{
	(void)text;
	acts += strcmp(line->act, arg) == 0;
	return true;
}

static unsigned count(const char *folder, const char *act)
{
	acts = 0;
	assert_int_equal(audit_each(folder, count_act, (void *)act, NULL), 0);
	return acts;
}

static void what_is_issued_is_in_ledger_and_log(void **state)
{
	struct profile p = a_leaf("js.a.example");
	struct authority_order order = { .profile = &p };
	struct ledger_filter filter = { .name = "*.a.example" };
	struct state *s;

	(void)state;
	make_root("r1");
	s = opened("r1");
	assert_int_equal(issuance_files(s, "one", &order, NULL), 0);
	assert_int_equal(look(s, &filter).n, 1);
	assert_int_equal(look(s, &filter).state, LEDGER_DONE);
	assert_int_equal(look(s, &filter).last[0], '/');
	filter.name = "*.b.example";
	assert_int_equal(look(s, &filter).n, 0);
	assert_int_equal(s->mended, 0);
	state_close(s);
	assert_int_equal(count("r1", "cert.issue"), 1);
	assert_int_equal(count("r1", "ca.init"), 1);
}

static void as_many_names_as_there_may_be_are_recorded(void **state)
{
	struct profile p = { .role = PROFILE_SERVER, .life_s = 90000, .path_len = -1 };
	struct authority_order order = { .profile = &p };
	struct ledger_filter filter = { .name = "n31.*" };
	char name[NAME_TEXT_MAX], label[64];
	struct state *s;
	struct err err;

	(void)state;
	memset(label, 'x', 63);
	label[63] = '\0';
	for (int i = 0; i < PROFILE_SAN_MAX; i++) {
		snprintf(name, sizeof(name), "n%d.%s.%s.%s", i, label, label, label);
		assert_int_equal(profile_add_san(&p, name, NULL), 0);
	}
	make_root("r0");
	s = opened("r0");
	if (issuance_files(s, "many", &order, &err) != 0)
		fail_msg("%s", err.msg);
	assert_int_equal(look(s, &filter).n, 1);
	state_close(s);
	assert_int_equal(count("r0", "cert.issue"), 1);
}

static void an_old_folder_without_records_is_taken_over(void **state)
{
	struct profile root = { .role = PROFILE_ROOT,
		.common_name = "R",
		.life_s = 900000,
		.path_len = 1 };
	struct authority_order order = { .profile = &root };
	struct state *s;

	(void)state;
	assert_int_equal(authority_init("old", &order, NULL), 0);
	assert_int_not_equal(access("old/ca.db", F_OK), 0);
	s = opened("old");
	state_close(s);
	assert_int_equal(access("old/ca.db", F_OK), 0);
	assert_int_equal(count("old", "ca.ledger"), 1);
}

static void when_files_cannot_be_written_the_certificate_is_lost(void **state)
{
	struct profile p = a_leaf("js.a.example");
	struct authority_order order = { .profile = &p };
	struct ledger_filter filter = { .name = "js.*" };
	struct state *s;

	(void)state;
	make_root("r2");
	s = opened("r2");
	assert_int_not_equal(issuance_files(s, "no/such/folder", &order, NULL), 0);
	assert_int_equal(look(s, &filter).state, LEDGER_SIGNED);
	state_close(s);
	s = opened("r2");
	assert_int_equal(look(s, &filter).n, 0);
	state_close(s);
	assert_int_equal(count("r2", "cert.lost"), 1);
}

/* The child dies when its certificate was recorded and nothing of it written. */
static int die(void *arg, X509 *cert, const char *prefix, struct err *err)
{
	state_record(arg, cert, "server", prefix, "cert.issue", err);
	_exit(9);
}

static void a_crash_before_the_key_loses_the_certificate(void **state)
{
	struct profile p = a_leaf("js.a.example");
	struct authority_order order = { .profile = &p, .record = die };
	struct ledger_filter open_ones = { .signed_only = true };
	struct state *s;
	int status;
	pid_t child;

	(void)state;
	make_root("r3");
	child = fork();
	if (child == 0) {
		order.record_arg = opened("r3");
		authority_issue(((struct state *)order.record_arg)->authority, "crashed", &order,
			NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 9);
	s = opened("r3");
	assert_int_equal(s->mended, 1);
	assert_int_equal(look(s, &open_ones).n, 0);
	state_close(s);
	assert_int_equal(count("r3", "cert.lost"), 1);
	assert_int_not_equal(access("crashed.pem", F_OK), 0);
}

static void a_crash_after_the_key_is_completed(void **state)
{
	struct profile p = a_leaf("js.a.example");
	struct authority_order order = { .profile = &p };
	struct ledger_filter filter = { .name = "js.*" };
	OWNED(EVP_PKEY) key = NULL;
	OWNED(X509) cert = NULL;
	struct state *s;

	(void)state;
	make_root("r4");
	s = opened("r4");
	assert_int_equal(authority_make(s->authority, &order, &cert, &key, NULL), 0);
	assert_int_equal(state_record(s, cert, "server", "whole", "cert.issue", NULL), 0);
	assert_int_equal(keyfile_write("whole-key.pem", false, key, NULL, NULL), 0);
	state_close(s);
	s = opened("r4");
	assert_int_equal(s->mended, 1);
	assert_int_equal(look(s, &filter).state, LEDGER_DONE);
	state_close(s);
	assert_int_equal(access("whole.pem", F_OK), 0);
	assert_int_equal(access("whole-combined.pem", F_OK), 0);
	assert_int_equal(count("r4", "cert.complete"), 1);
}

static void a_key_that_does_not_open_is_left_alone(void **state)
{
	const struct password password = { .file = "pw" };
	struct profile p = a_leaf("js.a.example");
	struct authority_order order = { .profile = &p };
	struct ledger_filter filter = { .name = "js.*" };
	OWNED(EVP_PKEY) key = NULL;
	OWNED(X509) cert = NULL;
	struct state *s;
	FILE *f = fopen("pw", "w");

	(void)state;
	fputs("password", f);
	fclose(f);
	chmod("pw", 0600);
	make_root("r9");
	s = opened("r9");
	assert_int_equal(authority_make(s->authority, &order, &cert, &key, NULL), 0);
	assert_int_equal(state_record(s, cert, "server", "locked", "cert.issue", NULL), 0);
	assert_int_equal(keyfile_write("locked-key.pem", false, key, &password, NULL), 0);
	state_close(s);
	s = opened("r9");
	assert_int_equal(s->mended, 0);
	assert_int_equal(look(s, &filter).state, LEDGER_SIGNED);
	state_close(s);
	assert_int_equal(state_open("r9", &password, &s, NULL), 0);
	assert_int_equal(s->mended, 1);
	assert_int_equal(look(s, &filter).state, LEDGER_DONE);
	state_close(s);
}

static void a_folder_that_is_no_authority_stays_as_it_is(void **state)
{
	struct state *s = NULL;

	(void)state;
	assert_int_equal(mkdir("none", 0700), 0);
	assert_int_not_equal(state_open_keyless("none", &s, NULL), 0);
	assert_int_not_equal(state_open("none", NULL, &s, NULL), 0);
	assert_null(s);
	assert_int_equal(rmdir("none"), 0);
}

static void one_whose_key_is_elsewhere_is_completed_by_itself(void **state)
{
	struct profile p = a_leaf("js.a.example");
	struct authority_order order = { .profile = &p };
	struct ledger_filter filter = { .name = "js.*" };
	OWNED(EVP_PKEY) key = NULL;
	OWNED(X509) cert = NULL;
	struct state *s;

	(void)state;
	make_root("r10");
	s = opened("r10");
	assert_int_equal(authority_make(s->authority, &order, &cert, &key, NULL), 0);
	assert_int_equal(state_record(s, cert, "server", "signed", "cert.issue", NULL), 0);
	assert_int_equal(pemfile_write_chain("signed.pem", false, cert, NULL, 0, NULL), 0);
	state_close(s);
	s = opened("r10");
	assert_int_equal(look(s, &filter).state, LEDGER_DONE);
	state_close(s);
	assert_int_equal(access("signed-combined.pem", F_OK), 0);
}

static void somebody_at_work_is_not_mended(void **state)
{
	struct profile p = a_leaf("js.a.example");
	struct authority_order order = { .profile = &p };
	OWNED(EVP_PKEY) key = NULL;
	OWNED(X509) cert = NULL;
	struct state *s, *other;

	(void)state;
	make_root("r5");
	s = opened("r5");
	assert_int_equal(authority_make(s->authority, &order, &cert, &key, NULL), 0);
	assert_int_equal(state_record(s, cert, "server", "busy", "cert.issue", NULL), 0);
	other = opened("r5");
	assert_int_equal(other->mended, 0);
	state_close(other);
	state_close(s);
}

static X509 *loaded(const char *path)
{
	OWNED(pemfile_chain) chain = NULL;

	assert_int_equal(pemfile_read_chain(path, &chain, NULL), 0);
	return sk_X509_shift(chain);
}

static void a_renewal_says_the_same_by_the_same_key_or_a_new_one(void **state)
{
	struct profile p = a_leaf("_c.a.example");
	struct authority_order order = { .profile = &p, .key_kind = "ed25519" };
	struct issuance_renewal same = { 0 }, anew = { .new_key = true, .life_s = 1000 };
	struct state *s;
	bool taken;
	struct err err = { 0 };

	(void)state;
	p.common_name = "C";
	p.country = "FR";
	p.purposes = PROFILE_CLIENT_AUTH;
	assert_int_equal(profile_add_address(&p, "192.0.2.7", &taken, NULL), 0);
	make_root("r6");
	s = opened("r6");
	assert_int_equal(issuance_files(s, "c", &order, NULL), 0);
	{
		OWNED(X509) before = loaded("c.pem");
		OWNED(X509) after = NULL;
		struct facts a, b;

		if (issuance_renew(s, "c", &same, NULL, &err) != 0)
			fail_msg("%s", err.msg);
		after = loaded("c.pem");
		assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(before), X509_get0_pubkey(after)), 1);
		assert_int_equal(facts_read(before, &a, NULL), 0);
		assert_int_equal(facts_read(after, &b, NULL), 0);
		assert_string_equal(buf_string(&a.subject), buf_string(&b.subject));
		assert_string_equal(buf_string(&a.names), buf_string(&b.names));
		assert_string_not_equal(a.serial, b.serial);
		assert_int_equal(a.not_after - a.not_before, b.not_after - b.not_before);
		assert_int_equal(X509_get_extended_key_usage(before),
			X509_get_extended_key_usage(after));
		assert_int_equal(X509_get_key_usage(before), X509_get_key_usage(after));
		facts_done(&a);
		facts_done(&b);
		assert_int_equal(issuance_renew(s, "c", &anew, NULL, NULL), 0);
		X509_free(after);
		after = loaded("c.pem");
		assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(before), X509_get0_pubkey(after)), 0);
		assert_int_equal(EVP_PKEY_get_base_id(X509_get0_pubkey(after)), EVP_PKEY_ED25519);
	}
	state_close(s);
	assert_int_equal(count("r6", "cert.renew"), 2);
}

static void a_certificate_of_another_authority_is_not_renewed(void **state)
{
	struct profile p = a_leaf("x.a.example");
	struct authority_order order = { .profile = &p };
	struct issuance_renewal same = { 0 };
	struct state *s;
	struct err err;

	(void)state;
	make_root("r7");
	make_root("r8");
	s = opened("r7");
	assert_int_equal(issuance_files(s, "x7", &order, NULL), 0);
	state_close(s);
	s = opened("r8");
	assert_int_equal(issuance_renew(s, "x7", &same, NULL, &err), ERR_ARG);
	assert_non_null(strstr(err.msg, "was not issued by"));
	state_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_issued_is_in_ledger_and_log),
		TEST(as_many_names_as_there_may_be_are_recorded),
		TEST(an_old_folder_without_records_is_taken_over),
		TEST(when_files_cannot_be_written_the_certificate_is_lost),
		TEST(a_crash_before_the_key_loses_the_certificate),
		TEST(a_crash_after_the_key_is_completed),
		TEST(a_key_that_does_not_open_is_left_alone),
		TEST(a_folder_that_is_no_authority_stays_as_it_is),
		TEST(one_whose_key_is_elsewhere_is_completed_by_itself),
		TEST(somebody_at_work_is_not_mended),
		TEST(a_renewal_says_the_same_by_the_same_key_or_a_new_one),
		TEST(a_certificate_of_another_authority_is_not_renewed),
	};

	return cmocka_run_group_tests_name("issuance", tests, scratch_begin, scratch_end);
}
