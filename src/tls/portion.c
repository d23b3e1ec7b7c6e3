/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/portion.h"

#include <openssl/bio.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct portion {
	const SSL *ssl;
	portion_more *more;
	void *arg;
	bool begun, ended; /* some octet has come; the handshake is over */
	bool held;         /* what was read last was nothing, since more() said no */
	unsigned char head[SSL3_RT_HEADER_LENGTH];
	unsigned have, left; /* octets of head that have come; of the record's rest that have not */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method;
static int type;

static void count(struct portion *p, const char *octets, unsigned n)
{
	if (p->have == sizeof(p->head)) {
		p->left -= n;
	} else {
		memcpy(p->head + p->have, octets, n);
		p->have += n;
		if (p->have == sizeof(p->head))
			p->left = (unsigned)p->head[3] << 8 | p->head[4];
	}
	if (p->have == sizeof(p->head) && p->left == 0)
		p->have = 0;
	p->begun = true;
}

/* Never beyond the end of a record. */
static int read_some(BIO *bio, char *out, int n)
{
	struct portion *p = BIO_get_data(bio);
	unsigned wanted = p->have < sizeof(p->head) ? (unsigned)sizeof(p->head) - p->have : p->left;
	int got;

	BIO_clear_retry_flags(bio);
	p->ended |= SSL_is_init_finished(p->ssl) != 0;
	p->held = !p->ended && !p->held && p->begun && p->have == 0 && !p->more(p->arg);
	if (p->held) {
		BIO_set_retry_read(bio);
		return -1;
	}
	got = BIO_read(BIO_next(bio), out, p->ended || (unsigned)n < wanted ? n : (int)wanted);
	BIO_copy_next_retry(bio);
	if (!p->ended && got > 0)
		count(p, out, (unsigned)got);
	return got;
}

static long control(BIO *bio, int cmd, long num, void *ptr)
{
	return BIO_next(bio) ? BIO_ctrl(BIO_next(bio), cmd, num, ptr) : 0;
}

static int destroy(BIO *bio)
{
	free(BIO_get_data(bio));
	return 1;
}

static void make_method(void)
{
	type = BIO_get_new_index() | BIO_TYPE_FILTER;
	BIO_METHOD *m = BIO_meth_new(type, "sardane portion");

	if (!m || BIO_meth_set_read(m, read_some) != 1 || BIO_meth_set_ctrl(m, control) != 1 ||
		BIO_meth_set_destroy(m, destroy) != 1) {
		BIO_meth_free(m);
		return;
	}
	method = m;
}

bool portion_begin(SSL *ssl, portion_more *more, void *arg)
{
	BIO *from = SSL_get_rbio(ssl), *bio;
	struct portion *p;

	if (pthread_once(&once, make_method) || !method || !from)
		return false;
	if (BIO_method_type(from) == type)
		return true;
	p = calloc(1, sizeof(*p));
	bio = p ? BIO_new(method) : NULL;
	if (!bio) {
		free(p);
		return false;
	}
	*p = (struct portion){ .ssl = ssl, .more = more, .arg = arg };
	BIO_set_data(bio, p);
	BIO_set_init(bio, 1);
	/* The SSL gives up one reference to what it read from, and this BIO has one. */
	BIO_up_ref(from);
	SSL_set0_rbio(ssl, BIO_push(bio, from));
	return true;
}
