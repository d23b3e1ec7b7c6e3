/* SPDX-License-Identifier: Apache-2.0 */
#include "net/duplex.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/secret.h"

static bool may_try_again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static enum duplex_got read_clear(struct duplex *d, void *p, size_t cap, size_t *n)
{
	ssize_t rc = recv(d->fd, p, cap, 0);

	*n = rc > 0 ? (size_t)rc : 0;
	if (rc > 0)
		return DUPLEX_SOME;
	if (rc < 0)
		return may_try_again() ? DUPLEX_NOT_YET : DUPLEX_CUT;
	d->ended = true;
	return DUPLEX_END;
}

/* All that was read ahead, as far as there is room. What is said instead of octets behind others,
 * an end above all, is said again when it is asked for alone. */
static enum conn_event read_records(struct duplex *d, uint8_t *p, size_t cap, size_t *n)
{
	enum conn_event event = conn_read(d->conn, p, cap, n), next = event;
	size_t more;

	while (next == CONN_READY && *n < cap && conn_has_pending(d->conn)) {
		next = conn_read(d->conn, p + *n, cap - *n, &more);
		*n += more;
	}
	d->ask_again = next != event && next != CONN_WANT_READ;
	return event;
}

enum duplex_got duplex_read(struct duplex *d, void *p, size_t cap, size_t *n)
{
	if (!d->conn)
		return read_clear(d, p, cap, n);
	switch (read_records(d, p, cap, n)) {
	case CONN_READY: return DUPLEX_SOME;
	case CONN_WANT_WRITE: d->want_write = true; return DUPLEX_NOT_YET;
	case CONN_WANT_READ:
	case CONN_WANT_DNS: return DUPLEX_NOT_YET;
	case CONN_CLOSED: d->ended = conn_is_ended(d->conn); break;
	case CONN_REFUSED: break;
	}
	return d->ended ? DUPLEX_END : DUPLEX_CUT;
}

bool duplex_has_pending(const struct duplex *d)
{
	return d->conn && (d->ask_again || conn_has_pending(d->conn));
}

/* In the clear. Octets taken; 0: none yet, or broken. */
static size_t write_some(struct duplex *d, struct span octets)
{
	ssize_t rc = send(d->fd, octets.p, octets.n, MSG_NOSIGNAL);

	d->broken |= rc < 0 && !may_try_again();
	return rc > 0 ? (size_t)rc : 0;
}

size_t duplex_unsent(const struct duplex *d)
{
	return d->conn ? conn_unsent(d->conn) : d->unsent.n - d->sent;
}

bool duplex_wants_out(const struct duplex *d)
{
	return duplex_unsent(d) || d->want_write || d->broken || (d->ending && !d->end_sent);
}

static void send_clear(struct duplex *d, struct span octets)
{
	size_t n = 1;

	while (octets.n && n && !duplex_unsent(d)) {
		n = write_some(d, octets);
		octets = (struct span){ octets.p + n, octets.n - n };
	}
	if (!octets.n || d->broken)
		return;
	buf_put(&d->unsent, octets);
	d->broken = !buf_ok(&d->unsent);
}

void duplex_send(struct duplex *d, struct span octets, struct buf *room)
{
	if (d->broken || d->ending)
		return;
	if (!d->conn)
		send_clear(d, octets);
	else
		d->broken = conn_write(d->conn, octets, room) != CONN_READY;
}

static void send_end(struct duplex *d)
{
	if (d->conn)
		switch (conn_end(d->conn)) {
		case CONN_READY: break;
		case CONN_WANT_READ:
		case CONN_WANT_WRITE:
		case CONN_WANT_DNS: return;
		case CONN_CLOSED:
		case CONN_REFUSED: d->broken = true; return;
		}
	d->end_sent = true;
	shutdown(d->fd, SHUT_WR);
}

static void flush_clear(struct duplex *d)
{
	size_t n = 1;

	while (duplex_unsent(d) && n && !d->broken) {
		n = write_some(d, (struct span){ d->unsent.p + d->sent, duplex_unsent(d) });
		d->sent += n;
	}
}

static void flush_sealed(struct duplex *d)
{
	enum conn_event event = conn_flush(d->conn);

	d->broken |= event != CONN_READY && event != CONN_WANT_WRITE;
}

void duplex_flush(struct duplex *d)
{
	if (d->conn)
		flush_sealed(d);
	else
		flush_clear(d);
	if (duplex_unsent(d) || d->broken)
		return;
	duplex_forget(d);
	if (d->ending && !d->end_sent)
		send_end(d);
}

void duplex_end(struct duplex *d)
{
	d->ending = true;
	duplex_flush(d);
}

void duplex_forget(struct duplex *d)
{
	/* It may hold session keys. */
	if (d->unsent.p)
		secret_wipe_octets(d->unsent.p, d->unsent.n);
	buf_done(&d->unsent);
	d->sent = 0;
	if (d->conn)
		conn_forget(d->conn);
}

void duplex_done(struct duplex *d)
{
	duplex_forget(d);
	conn_free(d->conn);
	d->conn = NULL;
}
