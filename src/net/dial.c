/* SPDX-License-Identifier: Apache-2.0 */
#include "net/dial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/listen.h"
#include "resolve/resolver.h"

#define ATTEMPT_DELAY_MS 250 /* RFC 8305 section 5 */

struct attempt {
	uv_poll_t poll;
	struct dial *of;
	unsigned index;
	int fd; /* -1: not under way */
};

struct dial {
	struct dial_config config;
	uv_timer_t timer;
	struct attempt attempt[DIAL_AT_ONCE];
	unsigned next, handles; /* handles not closed yet */
	int64_t until_ms;
	bool over;
	int error; /* errno of the attempt that failed last */
};

int dial_read_address(const char *text, union dial_address *out, struct err *err)
{
	union dial_address a = { 0 };
	struct sockaddr_storage ip;
	int rc;

	if (listen_is_unix(text)) {
		rc = listen_read_unix(text, &a.un, err);
		if (rc == 0)
			*out = a;
		return rc;
	}
	rc = listen_read_address(text, &ip, err);
	if (rc != 0)
		return rc;
	memcpy(&a, &ip, ip.ss_family == AF_INET ? sizeof(a.in4) : sizeof(a.in6));
	*out = a;
	return 0;
}

socklen_t dial_octets(const union dial_address *a)
{
	switch (a->any.sa_family) {
	case AF_INET: return sizeof(a->in4);
	case AF_INET6: return sizeof(a->in6);
	default: return sizeof(a->un);
	}
}

static bool is_mapped(const uint8_t *address)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

static void list_add(struct dial_list *list, const uint8_t *address, uint16_t port,
	unsigned endpoint)
{
	union dial_address *a = &list->address[list->count];

	if (list->count == DIAL_MAX)
		return;
	memset(a, 0, sizeof(*a));
	if (is_mapped(address)) {
		a->in4.sin_family = AF_INET;
		a->in4.sin_port = htons(port);
		memcpy(&a->in4.sin_addr, address + 12, 4);
	} else {
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons(port);
		memcpy(&a->in6.sin6_addr, address, 16);
	}
	list->endpoint[list->count++] = (uint8_t)endpoint;
}

/* The next address from n on that is, or is not, IPv4. */
static unsigned next_of(const struct service_endpoint *e, unsigned n, bool four)
{
	while (n < e->address_count && is_mapped(e->address[n]) != four)
		n++;
	return n;
}

void dial_list_of(const struct service *service, struct dial_list *out)
{
	out->count = 0;
	for (unsigned i = 0; i < service->count; i++) {
		const struct service_endpoint *e = &service->endpoint[i];
		unsigned six = next_of(e, 0, false), four = next_of(e, 0, true);

		if (e->proof == SERVICE_REFUSED)
			continue;
		/* RFC 8305 section 4: the families take turns. */
		while (six < e->address_count || four < e->address_count) {
			if (six < e->address_count)
				list_add(out, e->address[six], e->port, i);
			if (four < e->address_count)
				list_add(out, e->address[four], e->port, i);
			six = next_of(e, six + 1, false);
			four = next_of(e, four + 1, true);
		}
	}
}

static void handle_closed(uv_handle_t *handle)
{
	struct dial *d = handle->data;

	if (--d->handles == 0)
		free(d);
}

static void attempt_closed(uv_handle_t *handle)
{
	struct attempt *a = handle->data;

	handle->data = a->of;
	a->of = NULL;
	handle_closed(handle);
}

static void drop(struct attempt *a)
{
	uv_close((uv_handle_t *)&a->poll, attempt_closed);
	a->fd = -1;
}

static void close_all(struct dial *d)
{
	d->over = true;
	for (unsigned i = 0; i < DIAL_AT_ONCE; i++)
		if (d->attempt[i].of && d->attempt[i].fd >= 0) {
			int fd = d->attempt[i].fd;

			drop(&d->attempt[i]);
			close(fd);
		}
	uv_close((uv_handle_t *)&d->timer, handle_closed);
}

static void settle(struct dial *d, int fd, unsigned index, const char *why)
{
	close_all(d);
	d->config.done(d->config.arg, fd, index, why);
}

/* A socket on its way; *now: it is there already. -1: errno. */
static int begin(const union dial_address *a, bool *now)
{
	int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -1;
	*now = connect(fd, &a->any, dial_octets(a)) == 0;
	/* On this machine it is there by now, and asking again says so: that spares waiting. */
	if (!*now && errno == EINPROGRESS)
		*now = connect(fd, &a->any, dial_octets(a)) == 0;
	if (*now || errno == EALREADY)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static void answered(uv_poll_t *poll, int status, int events);

static struct attempt *free_attempt(struct dial *d)
{
	for (unsigned i = 0; i < DIAL_AT_ONCE; i++)
		if (!d->attempt[i].of)
			return &d->attempt[i];
	return NULL;
}

static bool watch(struct dial *d, int fd, unsigned index)
{
	struct attempt *a = free_attempt(d);

	if (!a || uv_poll_init(d->config.loop, &a->poll, fd) != 0)
		return false;
	a->poll.data = a;
	a->of = d;
	a->fd = fd;
	a->index = index;
	d->handles++;
	uv_poll_start(&a->poll, UV_WRITABLE, answered);
	return true;
}

static unsigned under_way(const struct dial *d)
{
	unsigned n = 0;

	for (unsigned i = 0; i < DIAL_AT_ONCE; i++)
		n += d->attempt[i].of && d->attempt[i].fd >= 0;
	return n;
}

static void due(uv_timer_t *timer);

static void wait_on(struct dial *d)
{
	int64_t left_ms = d->until_ms - resolver_now();
	bool more = d->next < d->config.list->count && under_way(d) < DIAL_AT_ONCE;

	if (more && left_ms > ATTEMPT_DELAY_MS)
		left_ms = ATTEMPT_DELAY_MS;
	uv_timer_start(&d->timer, due, left_ms > 0 ? (uint64_t)left_ms : 0, 0);
}

/* The next address that does not fail at once; done when there is none, and none under way. */
static void try_next(struct dial *d)
{
	const struct dial_list *list = d->config.list;
	bool now = false;

	while (d->next < list->count && free_attempt(d)) {
		unsigned index = d->next++;
		int fd = begin(&list->address[index], &now);

		if (fd >= 0 && now) {
			settle(d, fd, index, "");
			return;
		}
		if (fd >= 0 && watch(d, fd, index)) {
			wait_on(d);
			return;
		}
		d->error = errno;
		if (fd >= 0)
			close(fd);
	}
	if (under_way(d))
		wait_on(d);
	else if (d->next < list->count)
		uv_timer_start(&d->timer, due, 0, 0); /* places that are being closed */
	else
		settle(d, -1, 0, strerror(d->error));
}

static void answered(uv_poll_t *poll, int status, int events)
{
	struct attempt *a = poll->data;
	struct dial *d = a->of;
	int fd = a->fd, error = 0;
	socklen_t n = sizeof(error);

	(void)events;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
		error = errno;
	if (error == 0 && status < 0)
		error = -status;
	drop(a);
	if (error == 0) {
		settle(d, fd, a->index, "");
		return;
	}
	close(fd);
	d->error = error;
	try_next(d);
}

static void due(uv_timer_t *timer)
{
	struct dial *d = timer->data;

	if (resolver_now() >= d->until_ms)
		settle(d, -1, 0, "no address answered in time");
	else
		try_next(d);
}

int dial_new(const struct dial_config *config, struct dial **out, struct err *err)
{
	const struct dial_list *list = config->list;
	unsigned first = config->first;
	bool now = false;
	int fd = -1;
	struct dial *d;

	*out = NULL;
	if (first >= list->count) {
		config->done(config->arg, -1, 0, "no address");
		return 0;
	}
	fd = begin(&list->address[first], &now);
	if (fd >= 0 && now) {
		config->done(config->arg, fd, first, "");
		return 0;
	}
	d = calloc(1, sizeof(*d));
	if (!d) {
		if (fd >= 0)
			close(fd);
		return err_set(err, ERR_NOMEM, "connect: no memory");
	}
	d->config = *config;
	d->error = errno;
	d->next = first + 1;
	d->until_ms = resolver_now() + config->timeout_ms;
	uv_timer_init(config->loop, &d->timer);
	d->timer.data = d;
	d->handles = 1;
	if (fd >= 0 && watch(d, fd, first)) {
		wait_on(d);
	} else {
		/* Not from here: the timer is the first to call back. */
		if (fd >= 0)
			close(fd);
		uv_timer_start(&d->timer, due, 0, 0);
	}
	*out = d;
	return 0;
}

void dial_free(struct dial *d)
{
	if (d && !d->over)
		close_all(d);
}
