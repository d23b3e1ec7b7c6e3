/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "publish/tsig.h"

#include <string.h>

#define NOW 1700000000

static const char line[] = "hmac-sha384:Key.Example.:AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8=";

struct talk {
	struct tsigkey key;
	struct tsig_mac mac;  /* of the question */
	struct buf answer;    /* signed */
	size_t answer_before; /* octets of it without its TSIG */
};

/* A header with one question, "x." SOA IN; flags 0x80 makes it an answer. */
static void put_message(struct buf *b, uint8_t flags)
{
	const uint8_t octets[] = { 0xab, 0xcd, flags, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'x', 0, 0, 6, 0,
		1 };

	buf_put(b, (struct span){ octets, sizeof(octets) });
}

/* Signs as a server does: the MAC of the question stands before what is signed. We have no
 * server's half, so an answer is signed here as RFC 8945 section 4.3.1 says, by hand. */
static void sign_answer(struct talk *t, int64_t at_s)
{
	struct tsig_mac own;
	struct buf scratch = { 0 };
	uint8_t secret[TSIGKEY_SECRET_MAX], size[2] = { 0, (uint8_t)t->mac.n };
	size_t n = 0, owner_n = 13;
	struct span parts[4];
	uint8_t variables[64];
	size_t v = 0;
	const uint8_t *record;

	put_message(&t->answer, 0x80);
	t->answer_before = t->answer.n;
	buf_put(&scratch, buf_span(&t->answer));
	assert_int_equal(tsig_sign(&t->answer, &t->key, at_s, &own, NULL), 0);
	record = t->answer.p + t->answer_before;
	/* owner, class, TTL | algorithm, time, fudge | error, other length */
	memcpy(variables, record, owner_n);
	v = owner_n;
	memcpy(variables + v, record + owner_n + 2, 6);
	v += 6;
	memcpy(variables + v, record + owner_n + 10, 13 + 8);
	v += 13 + 8;
	memset(variables + v, 0, 4);
	v += 4;
	assert_int_equal(tsigkey_secret(&t->key, secret, &n), 0);
	parts[0] = (struct span){ size, 2 };
	parts[1] = (struct span){ t->mac.octets, t->mac.n };
	parts[2] = buf_span(&scratch);
	parts[3] = (struct span){ variables, v };
	assert_int_equal(hmac_write(t->key.digest, (struct span){ secret, n }, parts, 4,
				 t->answer.p + t->answer_before + owner_n + 10 + 13 + 8 + 2, NULL),
		0);
	buf_done(&scratch);
}

static void begin(struct talk *t)
{
	struct buf question = { 0 };

	*t = (struct talk){ 0 };
	assert_int_equal(tsigkey_read(line, &t->key, NULL), 0);
	put_message(&question, 0);
	assert_int_equal(tsig_sign(&question, &t->key, NOW, &t->mac, NULL), 0);
	assert_int_equal(question.p[11], 1);
	assert_int_equal(t->mac.n, 48);
	buf_done(&question);
	sign_answer(t, NOW);
}

static int verify(const struct talk *t, int64_t now_s, struct err *err)
{
	return tsig_verify(buf_span(&t->answer), &t->key, now_s, &t->mac, err);
}

static void an_answer_that_is_signed_for_our_question_is_proved(void **state)
{
	struct talk t;

	(void)state;
	begin(&t);
	assert_int_equal(verify(&t, NOW, NULL), 0);
	assert_int_equal(verify(&t, NOW + 300, NULL), 0);
	buf_done(&t.answer);
}

static void any_octet_changed_is_noticed(void **state)
{
	struct talk t;

	(void)state;
	begin(&t);
	for (size_t i = 0; i < t.answer.n; i++) {
		/* the ID on the wire may differ from the one that was signed: exchange holds it */
		if (i < 2)
			continue;
		t.answer.p[i] ^= 1;
		assert_int_equal(verify(&t, NOW, NULL), ERR_PEER);
		t.answer.p[i] ^= 1;
	}
	assert_int_equal(verify(&t, NOW, NULL), 0);
	buf_done(&t.answer);
}

static void an_answer_to_another_question_is_refused(void **state)
{
	struct talk t;
	struct err err;

	(void)state;
	begin(&t);
	t.mac.octets[0] ^= 1;
	assert_int_equal(verify(&t, NOW, &err), ERR_PEER);
	assert_string_equal(err.msg, "the answer is not signed with our TSIG key");
	buf_done(&t.answer);
}

static void an_answer_of_another_time_is_refused(void **state)
{
	struct talk t;
	struct err err;

	(void)state;
	begin(&t);
	assert_int_equal(verify(&t, NOW + 301, &err), ERR_PEER);
	assert_string_equal(err.msg, "the answer's TSIG is of another time");
	assert_int_equal(verify(&t, NOW - 301, &err), ERR_PEER);
	buf_done(&t.answer);
}

static void another_key_or_none_is_refused(void **state)
{
	struct talk t;
	struct err err;
	size_t whole;

	(void)state;
	begin(&t);
	t.key.digest = HMAC_SHA256;
	assert_int_equal(verify(&t, NOW, &err), ERR_PEER);
	assert_string_equal(err.msg, "the answer is signed with another TSIG key");
	t.key.digest = HMAC_SHA384;
	whole = t.answer.n;
	t.answer.n = t.answer_before;
	t.answer.p[11] = 0;
	assert_int_equal(verify(&t, NOW, &err), ERR_PEER);
	assert_string_equal(err.msg, "the answer is not signed with our TSIG key: it has no TSIG");
	t.answer.n = whole - 1;
	t.answer.p[11] = 1;
	assert_int_equal(verify(&t, NOW, &err), ERR_PEER);
	buf_done(&t.answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_that_is_signed_for_our_question_is_proved),
		TEST(any_octet_changed_is_noticed),
		TEST(an_answer_to_another_question_is_refused),
		TEST(an_answer_of_another_time_is_refused),
		TEST(another_key_or_none_is_refused),
	};

	return cmocka_run_group_tests_name("tsig", tests, NULL, NULL);
}
