/* SPDX-License-Identifier: Apache-2.0 */
#include "certs.h"
#include "check.h"
#include "rollover/agility.h"

#include <string.h>

static struct certs_leaf old, new, stranger;
static struct span old_der, new_der;

struct set {
	size_t count;
	struct span rdata[8];
	uint8_t memory[8][2048];
};

static struct span der_of(const struct certs_leaf *leaf)
{
	unsigned char *der = NULL;
	int n = i2d_X509(leaf->cert, &der);

	assert_true(n > 0);
	return (struct span){ der, (size_t)n };
}

static int prepare(void **state)
{
	(void)state;
	old = certs_make(&(struct certs_wish){ 0 });
	new = certs_make(&(struct certs_wish){ 0 });
	stranger = certs_make(&(struct certs_wish){ 0 });
	old_der = der_of(&old);
	new_der = der_of(&new);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	OPENSSL_free((void *)(uintptr_t)old_der.p);
	OPENSSL_free((void *)(uintptr_t)new_der.p);
	certs_drop(&old);
	certs_drop(&new);
	certs_drop(&stranger);
	return 0;
}

static void put(struct set *s, const struct certs_leaf *leaf, int usage, int selector, int matching)
{
	char text[4096];
	uint8_t data[2048];
	struct tlsa tlsa;
	size_t n;

	certs_tlsa(leaf, usage, selector, matching, text, sizeof(text));
	assert_int_equal(tlsa_read_text((struct span){ (const uint8_t *)text, strlen(text) }, data,
				 sizeof(data), &tlsa, NULL),
		0);
	assert_int_equal(tlsa_write(&tlsa, s->memory[s->count], sizeof(s->memory[0]), &n, NULL), 0);
	s->rdata[s->count] = (struct span){ s->memory[s->count], n };
	s->count++;
}

static void the_next_key_gets_the_forms_of_the_current(void **state)
{
	struct set served = { 0 }, expected = { 0 };
	struct agility a;

	(void)state;
	put(&served, &old, 3, 1, 1);
	put(&served, &stranger, 3, 1, 1);
	put(&served, &old, 3, 0, 0);
	put(&served, &old, 1, 1, 2);
	put(&expected, &new, 3, 1, 1);
	put(&expected, &new, 3, 0, 0);
	put(&expected, &new, 1, 1, 2);
	assert_int_equal(agility_forms(served.rdata, served.count, old_der, &a, NULL), 0);
	assert_int_equal(a.count, 3);
	assert_int_equal(agility_make(&a, new_der, NULL), 0);
	for (size_t i = 0; i < a.count; i++) {
		assert_int_equal(a.rdata[i].n, expected.rdata[i].n);
		assert_memory_equal(a.rdata[i].p, expected.rdata[i].p, a.rdata[i].n);
	}
	agility_done(&a);
}

static void records_nobody_can_use_give_no_form(void **state)
{
	struct set served = { 0 };
	struct agility a;

	(void)state;
	put(&served, &old, 3, 1, 1);
	served.memory[0][2] = 7; /* matching type */
	served.rdata[1] = bytes("\x03\x01");
	served.count = 2;
	assert_int_equal(agility_forms(served.rdata, served.count, old_der, &a, NULL), 0);
	assert_int_equal(a.count, 0);
	agility_done(&a);
}

static void another_digest_for_one_key_is_seen_to_lock_the_other_out(void **state)
{
	struct set mixed = { 0 }, equal = { 0 };
	struct err err;

	(void)state;
	put(&mixed, &old, 3, 1, 1);
	put(&mixed, &new, 3, 1, 2);
	assert_int_equal(agility_check(mixed.rdata, 2, new_der, &err), 0);
	assert_int_equal(agility_check(mixed.rdata, 2, old_der, &err), ERR_ARG);
	assert_non_null(strstr(err.msg, "stronger digest"));
	put(&equal, &old, 3, 1, 1);
	put(&equal, &new, 3, 1, 1);
	assert_int_equal(agility_check(equal.rdata, 2, old_der, &err), 0);
	assert_int_equal(agility_check(equal.rdata, 2, new_der, &err), 0);
}

static void a_set_without_the_key_is_refused(void **state)
{
	struct set served = { 0 };
	struct err err;

	(void)state;
	put(&served, &stranger, 3, 1, 1);
	assert_int_equal(agility_check(served.rdata, 1, old_der, &err), ERR_ARG);
	assert_non_null(strstr(err.msg, "no record of the set"));
	assert_int_equal(agility_check(NULL, 0, old_der, &err), ERR_ARG);
}

static void what_is_no_certificate_is_refused(void **state)
{
	struct set served = { 0 };
	struct agility a;

	(void)state;
	put(&served, &old, 3, 1, 1);
	assert_int_equal(agility_forms(served.rdata, 1, bytes("no DER"), &a, NULL), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_next_key_gets_the_forms_of_the_current),
		TEST(records_nobody_can_use_give_no_form),
		TEST(another_digest_for_one_key_is_seen_to_lock_the_other_out),
		TEST(a_set_without_the_key_is_refused),
		TEST(what_is_no_certificate_is_refused),
	};

	return cmocka_run_group_tests_name("rollover/agility", tests, prepare, finish);
}
