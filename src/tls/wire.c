/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/wire.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>

#define MUTE (-1)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method;

static bool may_try_again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static int write_some(BIO *bio, const char *p, int n)
{
	struct wire *w = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (w->fd == MUTE)
		return -1;
	if (w->room) {
		buf_put(w->room, (struct span){ (const uint8_t *)p, (size_t)n });
		return buf_ok(w->room) ? n : -1;
	}
	if (wire_unsent(w)) {
		BIO_set_retry_write(bio);
		return -1;
	}
	ssize_t rc = send(w->fd, p, (size_t)n, MSG_NOSIGNAL);
	if (rc < 0 && may_try_again())
		BIO_set_retry_write(bio);
	return (int)rc;
}

static int read_some(BIO *bio, char *p, int n)
{
	const struct wire *w = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	BIO_clear_flags(bio, BIO_FLAGS_IN_EOF);
	if (w->fd == MUTE)
		return -1;
	ssize_t rc = recv(w->fd, p, (size_t)n, 0);
	if (rc == 0)
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	if (rc < 0 && may_try_again())
		BIO_set_retry_read(bio);
	return (int)rc;
}

static long control(BIO *bio, int cmd, long num, void *ptr)
{
	(void)num, (void)ptr;
	if (cmd == BIO_CTRL_EOF)
		return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
	return cmd == BIO_CTRL_FLUSH;
}

static void make_method(void)
{
	int type = BIO_get_new_index();
	BIO_METHOD *m = BIO_meth_new(type | BIO_TYPE_SOURCE_SINK, "sardane socket");

	if (!m || BIO_meth_set_write(m, write_some) != 1 || BIO_meth_set_read(m, read_some) != 1 ||
		BIO_meth_set_ctrl(m, control) != 1) {
		BIO_meth_free(m);
		return;
	}
	method = m;
}

BIO *wire_new(struct wire *w, int fd)
{
	if (pthread_once(&once, make_method) || !method)
		return NULL;
	BIO *bio = BIO_new(method);
	if (!bio)
		return NULL;
	*w = (struct wire){ .fd = fd };
	BIO_set_data(bio, w);
	BIO_set_init(bio, 1);
	return bio;
}

void wire_mute(struct wire *w)
{
	w->fd = MUTE;
}

void wire_gather(struct wire *w, struct buf *room)
{
	w->room = room;
}

size_t wire_unsent(const struct wire *w)
{
	return w->kept.n - w->sent;
}

/* *sent is raised by what has left. */
static bool send_some(const struct wire *w, struct span octets, size_t *sent)
{
	ssize_t rc = send(w->fd, octets.p, octets.n, MSG_NOSIGNAL);

	*sent += rc > 0 ? (size_t)rc : 0;
	return rc >= 0 || may_try_again();
}

bool wire_send(struct wire *w)
{
	struct buf *room = w->room;
	size_t sent = 0;
	bool ok = buf_ok(room) && w->fd != MUTE;

	w->room = NULL;
	if (ok && room->n && !wire_unsent(w))
		ok = send_some(w, buf_span(room), &sent);
	if (ok && sent < room->n)
		buf_put(&w->kept, (struct span){ room->p + sent, room->n - sent });
	if (!buf_ok(room))
		buf_done(room);
	room->n = 0;
	return ok && buf_ok(&w->kept);
}

bool wire_flush(struct wire *w)
{
	bool ok = w->fd != MUTE;

	if (ok && wire_unsent(w))
		ok = send_some(w, (struct span){ w->kept.p + w->sent, wire_unsent(w) }, &w->sent);
	if (wire_unsent(w) || !ok)
		return ok;
	buf_done(&w->kept);
	w->sent = 0;
	return true;
}

void wire_forget(struct wire *w)
{
	if (wire_unsent(w))
		wire_mute(w);
	buf_done(&w->kept);
	w->sent = 0;
}
