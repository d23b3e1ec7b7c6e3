/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/wire.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>

#define MUTE (-1)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method;

static int fd_of(BIO *bio)
{
	return (int)(intptr_t)BIO_get_data(bio);
}

static int write_some(BIO *bio, const char *p, int n)
{
	BIO_clear_retry_flags(bio);
	if (fd_of(bio) == MUTE)
		return -1;
	ssize_t rc = send(fd_of(bio), p, (size_t)n, MSG_NOSIGNAL);
	if (rc < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(bio);
	return (int)rc;
}

static int read_some(BIO *bio, char *p, int n)
{
	BIO_clear_retry_flags(bio);
	BIO_clear_flags(bio, BIO_FLAGS_IN_EOF);
	if (fd_of(bio) == MUTE)
		return -1;
	ssize_t rc = recv(fd_of(bio), p, (size_t)n, 0);
	if (rc == 0)
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	if (rc < 0 && (errno == EAGAIN || errno == EINTR))
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

BIO *wire_new(int fd)
{
	if (pthread_once(&once, make_method) || !method)
		return NULL;
	BIO *bio = BIO_new(method);
	if (!bio)
		return NULL;
	BIO_set_data(bio, (void *)(intptr_t)fd);
	BIO_set_init(bio, 1);
	return bio;
}

void wire_mute(BIO *bio)
{
	BIO_set_data(bio, (void *)(intptr_t)MUTE);
}
