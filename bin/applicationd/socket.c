/* SPDX-License-Identifier: Apache-2.0 */
#include "applicationd/socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/secret.h"
#include "crypto/random.h"
#include "program/log.h"

#define ANSWERS_MAX 65536 /* octets not read by the client yet */

struct socket {
	uv_pipe_t pipe;
	struct server *server;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	unsigned clients;
	struct client *first;
	bool closing, closed;
};

struct client {
	uv_pipe_t pipe;
	struct socket *socket;
	struct client *next;
	uint8_t line[COMMAND_LINE_MAX + 1];
	size_t n;
	unsigned waiting; /* who still looks at it: the engine, this file */
	bool asked;       /* its command is in the engine: answers come in the order of lines */
	bool taking, closing, closed, paused;
};

struct reply {
	uv_write_t write;
	struct client *client;
	struct buf text;
};

static void socket_release(struct socket *s)
{
	if (s->closed && !s->first)
		free(s);
}

static void client_release(struct client *c)
{
	struct socket *s = c->socket;
	struct client **link = &s->first;

	if (!c->closed || c->waiting)
		return;
	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	s->clients--;
	secret_wipe_octets(c->line, sizeof(c->line));
	free(c);
	socket_release(s);
}

static void client_closed(uv_handle_t *handle)
{
	struct client *c = handle->data;

	c->closed = true;
	client_release(c);
}

static void client_close(struct client *c)
{
	if (c->closing)
		return;
	c->closing = true;
	uv_close((uv_handle_t *)&c->pipe, client_closed);
}

static void client_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *into);
static void client_room(uv_handle_t *handle, size_t suggested, uv_buf_t *out);
static void go_on(struct client *c);

static void read_or_rest(struct client *c)
{
	if (c->closing)
		return;
	if (c->asked || c->paused)
		uv_read_stop((uv_stream_t *)&c->pipe);
	else
		uv_read_start((uv_stream_t *)&c->pipe, client_room, client_read);
}

static void written(uv_write_t *write, int status)
{
	struct reply *a = write->data;
	struct client *c = a->client;

	buf_done(&a->text);
	free(a);
	if (status < 0 && !c->closing)
		client_close(c);
	else if (c->paused && !c->closing &&
		uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe) == 0) {
		c->paused = false;
		read_or_rest(c);
	}
}

static void reply(struct client *c, const char *id, const char *error)
{
	struct reply *a;
	uv_buf_t out;

	if (c->closing)
		return;
	a = calloc(1, sizeof(*a));
	if (a)
		command_answer(&a->text, id, error);
	if (!a || !buf_ok(&a->text)) {
		free(a);
		client_close(c);
		return;
	}
	a->client = c;
	a->write.data = a;
	out = uv_buf_init((char *)a->text.p, (unsigned)a->text.n);
	if (uv_write(&a->write, (uv_stream_t *)&c->pipe, &out, 1, written) < 0) {
		buf_done(&a->text);
		free(a);
		client_close(c);
	}
}

void socket_answer(uint64_t ticket, const char *id, const char *error)
{
	struct client *c = (struct client *)(uintptr_t)ticket;

	if (error)
		log_warning("downlink.refused", "id=%s reason=%s", log_value(id), log_value(error));
	else
		log_info("downlink.queued", "id=%s", log_value(id));
	reply(c, id, error);
	c->asked = false;
	if (!c->taking)
		go_on(c);
	c->waiting--;
	client_release(c);
}

/* RFC 9562 section 5.4: a random UUID for a command that brought no id. */
static int name_command(struct command *c, struct err *err)
{
	uint8_t r[16];
	int rc;

	if (c->id[0])
		return 0;
	rc = random_octets(r, sizeof(r), err);
	if (rc < 0)
		return rc;
	r[6] = (r[6] & 0x0f) | 0x40;
	r[8] = (r[8] & 0x3f) | 0x80;
	snprintf(c->id, sizeof(c->id),
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0], r[1],
		r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14],
		r[15]);
	return 0;
}

static void take_line(struct client *c, struct span line)
{
	struct server *s = c->socket->server;
	struct command command = { 0 };
	struct err err = { 0 };

	if (line.n == 0)
		return;
	if (command_read(line, &command, &err) < 0 || name_command(&command, &err) < 0) {
		log_warning("command.malformed", "reason=%s", log_value(err.msg));
		reply(c, NULL, err.msg);
	} else if (s->stopping || application_command(s->app, &command, (uintptr_t)c) < 0) {
		reply(c, command.id, "busy");
	} else {
		c->waiting++;
		c->asked = true;
		server_turn(s);
	}
	secret_wipe_octets(&command, sizeof(command));
}

/* Whole lines out of what has come; what is left moves to the front. */
static void take_lines(struct client *c)
{
	size_t at = 0;
	uint8_t *end;

	c->taking = true;
	while (!c->closing && !c->asked && (end = memchr(c->line + at, '\n', c->n - at))) {
		size_t n = (size_t)(end - (c->line + at));

		if (n && end[-1] == '\r')
			take_line(c, (struct span){ c->line + at, n - 1 });
		else
			take_line(c, (struct span){ c->line + at, n });
		at += n + 1;
	}
	c->taking = false;
	memmove(c->line, c->line + at, c->n - at);
	c->n -= at;
}

static void go_on(struct client *c)
{
	uv_stream_t *stream = (uv_stream_t *)&c->pipe;

	c->waiting++; /* it may be closed meanwhile, not freed */
	take_lines(c);
	if (!c->asked && c->n == sizeof(c->line)) {
		log_warning("command.malformed", "reason=\"line too long\"");
		reply(c, NULL, "line: too long");
		client_close(c);
	}
	c->paused |= !c->closing && uv_stream_get_write_queue_size(stream) > ANSWERS_MAX;
	read_or_rest(c);
	c->waiting--;
	client_release(c);
}

static void client_room(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	struct client *c = handle->data;

	(void)suggested;
	*out = uv_buf_init((char *)c->line + c->n, (unsigned)(sizeof(c->line) - c->n));
}

static void client_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *into)
{
	struct client *c = stream->data;

	(void)into;
	if (n < 0) {
		client_close(c);
		return;
	}
	c->n += (size_t)n;
	go_on(c);
}

static void connected(uv_stream_t *listener, int status)
{
	struct socket *s = listener->data;
	struct client *c;

	if (status < 0)
		return;
	c = calloc(1, sizeof(*c));
	if (!c)
		return;
	c->socket = s;
	c->pipe.data = c;
	uv_pipe_init(&s->server->loop, &c->pipe, 0);
	c->next = s->first;
	s->first = c;
	s->clients++;
	if (uv_accept(listener, (uv_stream_t *)&c->pipe) < 0 || s->clients > SOCKET_CLIENTS_MAX ||
		uv_read_start((uv_stream_t *)&c->pipe, client_room, client_read) < 0)
		client_close(c);
}

/* A socket file that nobody listens on was left by a server that died. */
static int remove_stale(const char *path, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat st;
	int fd, busy;

	if (lstat(path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_SYSTEM, "command_socket '%s': is there and no socket",
			path);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	busy = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	if (fd >= 0)
		close(fd);
	if (busy)
		return err_set(err, ERR_SYSTEM, "command_socket '%s': another server has it", path);
	unlink(path);
	return 0;
}

int socket_open(struct server *server, const char *path, struct socket **out, struct err *err)
{
	struct socket *s;
	mode_t mask;
	int rc;

	if (strlen(path) >= sizeof(s->path))
		return err_set(err, ERR_ARG, "command_socket '%s': path too long", path);
	rc = remove_stale(path, err);
	if (rc < 0)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(err, ERR_NOMEM, "command_socket: no memory");
	strcpy(s->path, path);
	s->server = server;
	s->pipe.data = s;
	uv_pipe_init(&server->loop, &s->pipe, 0);
	mask = umask(0117);
	rc = uv_pipe_bind(&s->pipe, path);
	umask(mask);
	if (rc == 0)
		rc = uv_listen((uv_stream_t *)&s->pipe, 64, connected);
	if (rc < 0) {
		err_set(err, ERR_SYSTEM, "command_socket '%s': %s", path, uv_strerror(rc));
		socket_close(s);
		return ERR_SYSTEM;
	}
	*out = s;
	return 0;
}

static void listener_closed(uv_handle_t *handle)
{
	struct socket *s = handle->data;

	s->closed = true;
	socket_release(s);
}

void socket_close(struct socket *s)
{
	if (!s)
		return;
	s->closing = true;
	unlink(s->path);
	for (struct client *c = s->first; c; c = c->next)
		client_close(c);
	uv_close((uv_handle_t *)&s->pipe, listener_closed);
}
