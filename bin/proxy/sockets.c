/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/listen.h"
#include "program/log.h"

#define GIVEN_FIRST 3 /* sd_listen_fds(3): SD_LISTEN_FDS_START */
#define GIVEN_MAX   4096

struct place {
	struct place *next;
	char *bind, *name;
	int *fd;
	unsigned count;
	bool wanted; /* by the configuration that is opened */
};

struct given {
	int fd; /* -1: it found its place */
	char *name;
};

struct sockets {
	struct place *first;
	struct given *given;
	unsigned given_count;
};

/* A name as FileDescriptorName= allows it: a colon parts them. */
static char *plain_name(const char *text)
{
	char *out = strdup(text);

	for (char *p = out; p && *p; p++)
		if (*p == ':' || (unsigned char)*p <= ' ' || (unsigned char)*p >= 127)
			*p = '_';
	return out;
}

static bool given_to_us(unsigned long *count)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");

	*count = fds ? strtoul(fds, NULL, 10) : 0;
	return pid && strtol(pid, NULL, 10) == (long)getpid() && *count > 0 && *count <= GIVEN_MAX;
}

static int take_given(struct sockets *s, unsigned long count, struct err *err)
{
	char *names = strdup(getenv("LISTEN_FDNAMES") ? getenv("LISTEN_FDNAMES") : ""), *at = names;

	s->given = calloc(count, sizeof(*s->given));
	if (!s->given || !names) {
		free(names);
		return err_set(err, ERR_NOMEM, "sockets: no memory");
	}
	for (unsigned i = 0; i < count; i++) {
		int fd = GIVEN_FIRST + (int)i;
		char *name = strsep(&at, ":");

		fcntl(fd, F_SETFD, FD_CLOEXEC);
		fcntl(fd, F_SETFL, O_NONBLOCK);
		s->given[i] = (struct given){ fd, strdup(name ? name : "") };
		s->given_count++;
	}
	free(names);
	return 0;
}

int sockets_new(struct sockets **out, struct err *err)
{
	struct sockets *s = calloc(1, sizeof(*s));
	unsigned long count;
	int rc = s ? 0 : err_set(err, ERR_NOMEM, "sockets: no memory");

	if (rc == 0 && given_to_us(&count))
		rc = take_given(s, count, err);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (rc == 0)
		*out = s;
	else
		sockets_free(s);
	return rc;
}

static void free_place(struct place *p)
{
	for (unsigned i = 0; i < p->count; i++)
		close(p->fd[i]);
	free(p->fd);
	free(p->bind);
	free(p->name);
	free(p);
}

static void free_given(struct sockets *s)
{
	for (unsigned i = 0; i < s->given_count; i++) {
		if (s->given[i].fd >= 0)
			close(s->given[i].fd);
		free(s->given[i].name);
	}
	free(s->given);
	s->given = NULL;
	s->given_count = 0;
}

void sockets_free(struct sockets *s)
{
	if (!s)
		return;
	for (struct place *p = s->first, *next; p; p = next) {
		next = p->next;
		free_place(p);
	}
	free_given(s);
	free(s);
}

/* Two entries may both ask for a port that is chosen for them. */
static bool is_any_port(const char *bind)
{
	size_t n = strlen(bind);

	return n >= 2 && strcmp(bind + n - 2, ":0") == 0;
}

static bool is_of(const struct place *p, const char *name, const char *bind)
{
	char *plain;
	bool same = strcmp(p->bind, bind) == 0;

	if (!same || !is_any_port(bind))
		return same;
	plain = plain_name(name);
	same = plain && strcmp(p->name, plain) == 0;
	free(plain);
	return same;
}

static struct place *find(const struct sockets *s, const char *name, const char *bind)
{
	struct place *p = s->first;

	while (p && !is_of(p, name, bind))
		p = p->next;
	return p;
}

static int add(struct place *p, int fd, struct err *err)
{
	int *more = realloc(p->fd, (p->count + 1) * sizeof(int));

	if (!more) {
		close(fd);
		return err_set(err, ERR_NOMEM, "sockets: no memory");
	}
	p->fd = more;
	p->fd[p->count++] = fd;
	return 0;
}

/* Does the socket have the address that bind says? */
static bool is_at(int fd, const char *bind)
{
	struct sockaddr_storage wanted = { 0 }, has = { 0 };
	struct sockaddr_un path;
	socklen_t n = sizeof(has);
	char a[64], b[64];

	if (getsockname(fd, (struct sockaddr *)&has, &n) != 0)
		return false;
	if (listen_is_unix(bind))
		return has.ss_family == AF_UNIX && listen_read_unix(bind, &path, NULL) == 0 &&
			strcmp(path.sun_path, ((struct sockaddr_un *)&has)->sun_path) == 0;
	return has.ss_family != AF_UNIX && listen_read_address(bind, &wanted, NULL) == 0 &&
		strcmp(listen_write_address((struct sockaddr *)&wanted, a, sizeof(a)),
			listen_write_address((struct sockaddr *)&has, b, sizeof(b))) == 0;
}

static int adopt(struct sockets *s, struct place *p, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; i < s->given_count && rc == 0; i++) {
		struct given *g = &s->given[i];

		if (g->fd < 0 || (strcmp(g->name, p->name) != 0 && !is_at(g->fd, p->bind)))
			continue;
		rc = add(p, g->fd, err);
		g->fd = -1;
	}
	return rc;
}

static int place_new(struct sockets *s, const char *name, const char *bind, struct place **out,
	struct err *err)
{
	struct place *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return err_set(err, ERR_NOMEM, "sockets: no memory");
	p->bind = strdup(bind);
	p->name = plain_name(name);
	rc = p->bind && p->name ? adopt(s, p, err) : err_set(err, ERR_NOMEM, "sockets: no memory");
	if (rc != 0) {
		free_place(p);
		return rc;
	}
	p->next = s->first;
	s->first = *out = p;
	return 0;
}

/* More sockets at the place of one that is open: its port may have been chosen for us. */
static int open_another(const struct place *p, int *out, struct err *err)
{
	struct sockaddr_storage a = { 0 };
	socklen_t n = sizeof(a);
	char text[64];

	if (getsockname(p->fd[0], (struct sockaddr *)&a, &n) != 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", p->bind, strerror(errno));
	return listen_bind(listen_write_address((struct sockaddr *)&a, text, sizeof(text)), true,
		out, err);
}

static bool is_one_for_all(const struct place *p)
{
	int shared = 0;
	socklen_t n = sizeof(shared);

	return listen_is_unix(p->bind) ||
		getsockopt(p->fd[0], SOL_SOCKET, SO_REUSEPORT, &shared, &n) != 0 || !shared;
}

int sockets_open(struct sockets *s, const char *name, const char *bind, unsigned count,
	const struct rights *rights, struct err *err)
{
	struct place *p = find(s, name, bind);
	bool is_new = !p;
	int fd, rc = p ? 0 : place_new(s, name, bind, &p, err);

	if (rc == 0 && p->count == 0) {
		rc = listen_bind(bind, true, &fd, err);
		rc = rc ? rc : add(p, fd, err);
	}
	/* Those of one that serves stay until what has others serves as well. */
	if (rc == 0 && is_new && listen_is_unix(bind))
		rc = rights_set(bind, rights, err);
	while (rc == 0 && p->count < count && !is_one_for_all(p)) {
		rc = open_another(p, &fd, err);
		rc = rc ? rc : add(p, fd, err);
	}
	if (rc == 0)
		p->wanted = true;
	return rc;
}

int sockets_of(const struct sockets *s, const char *name, const char *bind, unsigned w,
	unsigned count, unsigned k)
{
	const struct place *p = find(s, name, bind);

	if (!p || p->count == 0)
		return -1;
	/* Fewer sockets than workers: they share. */
	if (p->count < count)
		return k == 0 ? p->fd[w % p->count] : -1;
	return w + k * count < p->count ? p->fd[w + k * count] : -1;
}

void sockets_unwant(struct sockets *s)
{
	for (struct place *p = s->first; p; p = p->next)
		p->wanted = false;
}

void sockets_keep(struct sockets *s, const char *name, const char *bind)
{
	struct place *p = find(s, name, bind);

	if (p)
		p->wanted = true;
}

void sockets_sweep(struct sockets *s)
{
	for (struct place **at = &s->first; *at;) {
		struct place *p = *at;

		if (p->wanted) {
			p->wanted = false;
			at = &p->next;
			continue;
		}
		*at = p->next;
		free_place(p);
	}
	for (unsigned i = 0; i < s->given_count; i++)
		if (s->given[i].fd >= 0)
			log_warning("proxy.socket_unused", "name=%s", log_value(s->given[i].name));
	free_given(s);
}

void sockets_each(const struct sockets *s, void (*put)(void *arg, int fd, const char *name),
	void *arg)
{
	for (const struct place *p = s->first; p; p = p->next)
		for (unsigned i = 0; i < p->count; i++)
			put(arg, p->fd[i], p->name);
}
