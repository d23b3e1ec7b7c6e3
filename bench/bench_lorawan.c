/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cryptography of one frame costs: an uplink read, checked and decrypted; a join
 * answered. The peer of the MIC is OpenSSL's own CMAC over the same octets, keyed as often.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/aes.h"
#include "lorawan/crypt.h"
#include "lorawan/data.h"
#include "lorawan/joinaccept.h"
#include "lorawan/joinreq.h"
#include "lorawan/keys.h"
#include "lorawan/mic.h"

#define ROUNDS 20
#define BATCH  5000

static struct aes *ciphers[3];
static uint8_t key[16] = "sixteen octets!";
static uint8_t frame[64];
static size_t frame_n;

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct block keyed(int slot)
{
	if (aes_rekey(ciphers[slot], key, NULL))
		abort();
	return aes_block(ciphers[slot]);
}

static void make_frame(void)
{
	static const uint8_t payload[20];
	struct data d = { .type = PHY_DATA_UP,
		.fhdr = { .dev_addr = 0x26000001, .fcnt = 7 },
		.has_port = true,
		.port = 1,
		.frm = { payload, sizeof(payload) } };
	struct mic_data b0 = { .dev_addr = 0x26000001, .fcnt = 7 };
	struct block k = keyed(0);

	if (data_write(&d, frame, sizeof(frame), &frame_n))
		abort();
	mic_of_data_10(&k, &b0, (struct span){ frame, frame_n - 4 }, frame + frame_n - 4);
}

static void one_uplink(void)
{
	struct mic_data b0 = { .dev_addr = 0x26000001, .fcnt = 7 };
	struct block k = keyed(0);
	uint8_t mic[4], plain[64];
	struct span message;
	struct data d;

	if (data_read((struct span){ frame, frame_n }, &d) ||
		phy_split((struct span){ frame, frame_n }, &message, mic))
		abort();
	mic_of_data_10(&k, &b0, message, mic);
	if (!mic_equal(mic, d.mic))
		abort();
	k = keyed(1);
	crypt_frm(&k, LORAWAN_UP, d.fhdr.dev_addr, 7, d.frm, plain);
}

/* What a Join Server does for a 1.1 device, but for its database and JSON. */
static void one_join(void)
{
	static const uint8_t phy[JOINREQ_OCTETS];
	struct block nwk = keyed(0), app = keyed(1), integrity;
	struct joinaccept a = { .join_nonce = 1, .dl_settings = JOINACCEPT_OPT_NEG };
	struct keys_nonces n = { .join_nonce = 1 };
	uint8_t mic[4], js_int[16], js_enc[16], out[JOINACCEPT_MAX];
	struct keys_session s;
	struct joinreq r;

	if (joinreq_read((struct span){ phy, sizeof(phy) }, &r))
		abort();
	mic_of_message(&nwk, (struct span){ phy, sizeof(phy) - 4 }, mic);
	keys_derive_11(&nwk, &app, &n, &s);
	keys_derive_js(&nwk, r.dev_eui, js_int, js_enc);
	if (aes_rekey(ciphers[2], js_int, NULL))
		abort();
	integrity = aes_block(ciphers[2]);
	joinaccept_seal_11(&integrity, &nwk, JOINACCEPT_AFTER_JOIN, r.join_eui, 0, &a, out);
}

static void our_mic(void)
{
	struct mic_data b0 = { .dev_addr = 0x26000001, .fcnt = 7 };
	struct block k = keyed(0);
	uint8_t mic[4];

	mic_of_data_10(&k, &b0, (struct span){ frame, frame_n - 4 }, mic);
}

static EVP_MAC_CTX *peer;

static void peer_mic(void)
{
	static const uint8_t b0[16];
	uint8_t tag[16];
	size_t n;

	if (EVP_MAC_init(peer, key, sizeof(key), NULL) != 1 ||
		EVP_MAC_update(peer, b0, sizeof(b0)) != 1 ||
		EVP_MAC_update(peer, frame, frame_n - 4) != 1 ||
		EVP_MAC_final(peer, tag, &n, sizeof(tag)) != 1)
		abort();
}

static double batch(void (*what)(void))
{
	double began = cpu_us();

	for (int i = 0; i < BATCH; i++)
		what();
	return (cpu_us() - began) / BATCH;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int main(void)
{
	void (*const what[])(void) = { one_uplink, one_join, our_mic, peer_mic };
	OSSL_PARAM cipher[] = {
		OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_CIPHER, (char[]){ "AES-128-CBC" }, 11),
		OSSL_PARAM_END,
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "CMAC", NULL);
	double us[4][ROUNDS];

	peer = mac ? EVP_MAC_CTX_new(mac) : NULL;
	if (!peer || EVP_MAC_CTX_set_params(peer, cipher) != 1)
		return 1;
	for (int i = 0; i < 3; i++)
		if (aes_new(key, &ciphers[i], NULL))
			return 1;
	make_frame();
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < 4; i++)
			us[i][round] = batch(what[i]);
	for (int i = 0; i < 4; i++)
		qsort(us[i], ROUNDS, sizeof(double), by_size);
	printf("lorawan_uplink_us\t%.3f\tus\t-\t"
	       "read, MIC and decryption of 20 octets, 1.0.x\n",
		us[0][ROUNDS / 2]);
	printf("lorawan_join_us\t%.3f\tus\t-\tMIC, four session keys, accept sealed, 1.1\n",
		us[1][ROUNDS / 2]);
	printf("lorawan_mic_vs_openssl_cmac\t%.3f\tratio\t<= 1.2\t%.3f us against %.3f us\n",
		us[2][ROUNDS / 2] / us[3][ROUNDS / 2], us[2][ROUNDS / 2], us[3][ROUNDS / 2]);
	EVP_MAC_CTX_free(peer);
	EVP_MAC_free(mac);
	for (int i = 0; i < 3; i++)
		aes_free(ciphers[i]);
	return 0;
}
