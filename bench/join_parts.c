/* SPDX-License-Identifier: Apache-2.0 */
#include "join_parts.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend/joining.h"
#include "bare.h"
#include "crypto/aes.h"
#include "join/decide.h"
#include "lorawan/joinreq.h"
#include "lorawan/mic.h"
#include "store/devices.h"

#define DEV_ADDR  0x26000001
#define NONCES_UP 50000 /* above what any join before has used */

static void must(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "join_parts: %s\n", what);
	exit(1);
}

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct joining_req request_of(const struct join_parts_world *w, const struct block *key,
	uint64_t dev_eui, uint16_t nonce)
{
	struct joinreq frame = { .join_eui = w->join_eui, .dev_eui = dev_eui, .dev_nonce = nonce };
	struct joining_req r = { .mac_version = VERSION_1_0_3,
		.dev_eui = dev_eui,
		.dev_addr = DEV_ADDR,
		.rx_delay = 1,
		.phy_n = JOINREQ_OCTETS,
		.has_cflist = true };

	joinreq_write(&frame, r.phy_payload);
	mic_of_message(key, (struct span){ r.phy_payload, JOINREQ_OCTETS - 4 }, frame.mic);
	joinreq_write(&frame, r.phy_payload);
	return r;
}

double join_parts_json(const struct join_parts_world *w, unsigned joins)
{
	struct header h = { .type = HEADER_JOIN_REQ, .sender_id = "000013", .transaction_id = 1 };
	struct header got, answer;
	struct joining_ans ans = { .phy_n = JOINING_PHY_MAX, .session_key_id.n = 16 };
	struct buf text = { 0 };
	struct joining_req r;
	struct aes *aes;
	double began;

	must(!aes_new(w->app_key, &aes, NULL), "aes");
	struct block key = aes_block(aes);
	r = request_of(w, &key, w->dev_eui(0), 1);
	header_put_eui(h.receiver_id, w->join_eui);
	must(joining_write_req(&text, &h, &r, false), "JoinReq");
	strcpy(ans.application_server, "https://as.bench.example:8005");
	strcpy(ans.as_id, "as.bench.example");
	ans.nwk_s_key.n = 16;
	began = cpu_us();
	for (unsigned i = 0; i < joins; i++) {
		struct buf body = { .limit = 8192 };
		struct doc *root;

		must(!doc_read(buf_span(&text), &root, NULL) && !header_read(root, &got, NULL) &&
				!joining_read_req(root, &r, NULL),
			"JoinReq");
		doc_free(root);
		header_answer(&got, &answer);
		must(joining_write_ans(&body, &answer, &ans), "JoinAns");
		buf_done(&body);
	}
	began = cpu_us() - began;
	aes_free(aes);
	buf_done(&text);
	return began / joins;
}

static void store_one(struct devices *db, struct decide *decide, const struct decide_policy *policy,
	const struct decide_join *q)
{
	static struct device device; /* too large for the stack */
	struct device_session session = { 0 };
	enum decide_verdict verdict;
	struct joining_ans ans;
	bool found;

	must(!devices_load(db, q->req->dev_eui, &device, &found, NULL) && found, "no such device");
	must(!decide_join(decide, policy, q, &device, &session, &ans, &verdict, NULL) &&
			verdict == DECIDE_ACCEPT,
		"refused");
	must(!devices_save(db, &device, &session, NULL), "save");
}

double join_parts_store(const struct join_parts_world *w, unsigned group, unsigned joins)
{
	static const struct kek_set none;
	struct decide_policy policy = { .keks = &none };
	uint8_t session_id[DEVICE_SESSION_ID] = { 1 };
	static unsigned done;
	struct devices *db;
	struct decide *decide;
	struct aes *aes;
	double sum = 0;

	must(!aes_new(w->app_key, &aes, NULL) && !decide_new(&decide, NULL), "aes");
	must(!devices_open(w->database, NULL, false, &db, NULL), w->database);
	struct block key = aes_block(aes);
	for (unsigned i = 0; i < joins; i += group) {
		struct joining_req r[64];
		double began;

		for (unsigned j = 0; j < group; j++, done++)
			r[j] = request_of(w, &key, w->dev_eui(done),
				(uint16_t)(NONCES_UP + done / 10000));
		began = cpu_us();
		must(!devices_begin(db, NULL), "begin");
		for (unsigned j = 0; j < group; j++) {
			struct decide_join q = { w->join_eui, 0x13, &r[j], session_id };

			store_one(db, decide, &policy, &q);
		}
		must(!devices_commit(db, NULL), "commit");
		sum += cpu_us() - began;
	}
	devices_close(db);
	decide_free(decide);
	aes_free(aes);
	return sum / joins;
}

static SSL *end_of(SSL_CTX *ctx, BIO *in, BIO *out)
{
	SSL *ssl = SSL_new(ctx);

	must(ssl != NULL, "SSL_new");
	BIO_up_ref(in);
	BIO_up_ref(out);
	SSL_set_bio(ssl, in, out);
	return ssl;
}

double join_parts_tls(const char *cert, const char *key, unsigned joins)
{
	SSL_CTX *server_ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX *client_ctx = SSL_CTX_new(TLS_client_method());
	BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());
	char octets[BARE_ANSWERED] = { 0 };
	double sum = 0;

	must(server_ctx && client_ctx && up && down &&
			SSL_CTX_use_certificate_chain_file(server_ctx, cert) == 1 &&
			SSL_CTX_use_PrivateKey_file(server_ctx, key, SSL_FILETYPE_PEM) == 1,
		"TLS");
	SSL *server = end_of(server_ctx, up, down), *client = end_of(client_ctx, down, up);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	for (int i = 0; i < 10 && (SSL_in_init(client) || SSL_in_init(server)); i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	must(!SSL_in_init(client) && !SSL_in_init(server), "handshake");
	for (unsigned i = 0; i < joins; i++) {
		must(SSL_write(client, octets, BARE_ASKED) == BARE_ASKED, "write");
		double began = cpu_us();
		must(SSL_read(server, octets, BARE_ASKED) == BARE_ASKED &&
				SSL_write(server, octets, BARE_ANSWERED) == BARE_ANSWERED,
			"TLS");
		sum += cpu_us() - began;
		must(SSL_read(client, octets, BARE_ANSWERED) == BARE_ANSWERED, "read");
	}
	SSL_free(server);
	SSL_free(client);
	SSL_CTX_free(server_ctx);
	SSL_CTX_free(client_ctx);
	BIO_free(up);
	BIO_free(down);
	return sum / joins;
}
