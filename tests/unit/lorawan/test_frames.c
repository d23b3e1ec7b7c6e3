/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/cflist.h"
#include "lorawan/data.h"
#include "lorawan/joinaccept.h"
#include "lorawan/joinreq.h"
#include "lorawan/rejoin.h"
#include "vector.h"

#include <string.h>

static void every_cut_of_a_join_request_is_refused(void **state)
{
	uint8_t phy[JOINREQ_OCTETS + 1] = { 0 };
	struct joinreq r;

	(void)state;
	for (size_t n = 0; n <= sizeof(phy); n++)
		assert_int_equal(joinreq_read((struct span){ phy, n }, &r),
			n == JOINREQ_OCTETS ? 0 : ERR_FORMAT);
	phy[0] = 0x20;
	assert_int_equal(joinreq_read((struct span){ phy, JOINREQ_OCTETS }, &r), ERR_FORMAT);
}

static void another_major_version_is_refused(void **state)
{
	uint8_t phy[JOINREQ_OCTETS] = { 0x01 };
	struct joinreq r = { .dev_nonce = 7 };

	(void)state;
	assert_int_equal(joinreq_read((struct span){ phy, sizeof(phy) }, &r), ERR_FORMAT);
	assert_int_equal(r.dev_nonce, 7);
}

static void only_two_lengths_of_join_accept_are_read(void **state)
{
	uint8_t phy[64] = { 0x20 }, out[JOINACCEPT_MAX];
	struct block key = vector_cipher_of(phy);
	struct joinaccept a;

	(void)state;
	for (size_t n = 0; n <= sizeof(phy); n++) {
		int want = n == JOINACCEPT_OCTETS || n == JOINACCEPT_OCTETS_CFLIST ? 0 : ERR_FORMAT;

		assert_int_equal(joinaccept_read((struct span){ phy, n }, &a), want);
		assert_int_equal(joinaccept_encrypt(&key, (struct span){ phy, n }, out), want);
		assert_int_equal(joinaccept_decrypt(&key, (struct span){ phy, n }, out), want);
	}
}

static void a_rejoin_of_type_3_is_refused(void **state)
{
	uint8_t phy[REJOIN_MAX] = { 0xc0, 3 }, out[REJOIN_MAX];
	struct rejoin r;

	(void)state;
	assert_int_equal(rejoin_read((struct span){ phy, REJOIN_OCTETS_02 }, &r), ERR_FORMAT);
	phy[1] = 1;
	assert_int_equal(rejoin_read((struct span){ phy, REJOIN_OCTETS_02 }, &r), ERR_FORMAT);
	assert_int_equal(rejoin_read((struct span){ phy, REJOIN_OCTETS_1 }, &r), 0);
	phy[1] = 0;
	assert_int_equal(rejoin_read((struct span){ phy, REJOIN_OCTETS_1 }, &r), ERR_FORMAT);
	assert_int_equal(rejoin_write(&(struct rejoin){ .type = 3 }, out), 0);
}

static void fopts_longer_than_the_frame_are_refused(void **state)
{
	uint8_t phy[DATA_MIN + 15] = { 0x40, 1, 2, 3, 4, 0x0f };
	struct data d;

	(void)state;
	assert_int_equal(data_read((struct span){ phy, sizeof(phy) - 1 }, &d), ERR_FORMAT);
	assert_int_equal(data_read((struct span){ phy, sizeof(phy) }, &d), 0);
	assert_int_equal(d.fhdr.fopts.n, 15);
	assert_false(d.has_port);
	assert_int_equal(data_read((struct span){ phy, DATA_MIN - 1 }, &d), ERR_FORMAT);
}

static void a_radio_carries_no_more_than_255_octets(void **state)
{
	uint8_t phy[300] = { 0x40 }, frm[250] = { 0 };
	struct data d;
	size_t n;

	(void)state;
	assert_int_equal(data_read((struct span){ phy, 255 }, &d), 0);
	assert_int_equal(data_read((struct span){ phy, 256 }, &d), ERR_FORMAT);
	d = (struct data){ .type = PHY_DATA_UP, .has_port = true, .port = 1, .frm = { frm, 242 } };
	assert_int_equal(data_write(&d, phy, sizeof(phy), &n), 0);
	assert_int_equal(n, 255);
	d.frm.n = 243;
	assert_int_equal(data_write(&d, phy, sizeof(phy), &n), ERR_SPACE);
	d.has_port = false;
	assert_int_equal(data_write(&d, phy, sizeof(phy), &n), ERR_FORMAT);
}

static void broken_rules_have_names(void **state)
{
	uint8_t some[60] = { 0 };
	struct data d = { .type = PHY_DATA_UP, .has_port = true, .frm = { some, 4 } };

	(void)state;
	assert_int_equal(data_check(&d, 0), DATA_SOUND);
	d.fhdr.fopts = (struct span){ some, 2 };
	assert_int_equal(data_check(&d, 0), DATA_FOPTS_WITH_PORT_0);
	d.port = 225;
	assert_int_equal(data_check(&d, 0), DATA_PORT_RESERVED);
	d.port = DATA_PORT_TEST;
	assert_int_equal(data_check(&d, 6), DATA_SOUND);
	assert_int_equal(data_check(&d, 5), DATA_TOO_LONG);
	assert_string_equal(data_fault_text(DATA_PORT_RESERVED), "a reserved FPort");
}

static void a_cflist_keeps_frequencies_and_masks(void **state)
{
	struct cflist l = { .hz = { 867100000, 867300000, 0, 0, 867900000 } }, back;
	uint8_t out[CFLIST_OCTETS];

	(void)state;
	assert_int_equal(cflist_write(&l, out), 0);
	assert_int_equal(out[15], 0);
	assert_int_equal(cflist_read((struct span){ out, 16 }, &back), 0);
	assert_memory_equal(back.hz, l.hz, sizeof(l.hz));
	l = (struct cflist){ .type = CFLIST_CHANNEL_MASKS, .mask = { 0xff, 0, 0, 0, 1 } };
	assert_int_equal(cflist_write(&l, out), 0);
	assert_int_equal(cflist_read((struct span){ out, 16 }, &back), 0);
	assert_memory_equal(back.mask, l.mask, sizeof(l.mask));
	out[15] = 2;
	assert_int_equal(cflist_read((struct span){ out, 16 }, &back), ERR_FORMAT);
	assert_int_equal(cflist_read((struct span){ out, 15 }, &back), ERR_FORMAT);
	l = (struct cflist){ .hz = { 867100050 } };
	assert_int_equal(cflist_write(&l, out), ERR_ARG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_cut_of_a_join_request_is_refused),
		TEST(another_major_version_is_refused),
		TEST(only_two_lengths_of_join_accept_are_read),
		TEST(a_rejoin_of_type_3_is_refused),
		TEST(fopts_longer_than_the_frame_are_refused),
		TEST(a_radio_carries_no_more_than_255_octets),
		TEST(broken_rules_have_names),
		TEST(a_cflist_keeps_frequencies_and_masks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
