/* SPDX-License-Identifier: Apache-2.0 */
/*
 * downlink - "sardane downlink": put a payload into the queue of a device.
 */
#include "base/base64.h"
#include "base/hex.h"
#include "cli/option.h"
#include "core/buf.h"
#include "core/err.h"
#include "json/fields.h"
#include "json/writer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_PATH "/run/sardane/applicationd.sock"
#define PAYLOAD_MAX 242
#define ANSWER_MAX  1024
#define TIMEOUT_S   10

enum { OPT_SOCKET = 1, OPT_DEV_EUI, OPT_PORT, OPT_DATA, OPT_HEX, OPT_CONFIRMED, OPT_ID };

const char downlink_help[] =
	"usage: sardane downlink --dev-eui HEX --port N --data BASE64|--hex HEX [OPTIONS]\n\n"
	"Puts a payload into the queue of a device at the application server of this machine,\n"
	"and prints the id under which its events (txack, ack) will speak of it. Exit 1 when\n"
	"the server refuses it.\n\n"
	"  --dev-eui HEX      the device, 16 digits\n"
	"  --port N           FPort, 1 to 223\n"
	"  --data BASE64      the payload\n"
	"  --hex HEX          the payload, in hexadecimal\n"
	"  --confirmed        ask the device for an acknowledgement\n"
	"  --id TEXT          name it so; the same again with the same payload is taken once\n"
	"  --socket PATH      the server's command socket (default " SOCKET_PATH ")\n"
	"  --help             this text\n";

static const struct option table[] = {
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "dev-eui", required_argument, NULL, OPT_DEV_EUI },
	{ "port", required_argument, NULL, OPT_PORT },
	{ "data", required_argument, NULL, OPT_DATA },
	{ "hex", required_argument, NULL, OPT_HEX },
	{ "confirmed", no_argument, NULL, OPT_CONFIRMED },
	{ "id", required_argument, NULL, OPT_ID },
	{ 0 },
};

struct request {
	const char *socket, *dev_eui, *data, *hex, *id;
	unsigned port;
	bool confirmed;
};

static struct span text_span(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;

	switch (c) {
	case OPT_SOCKET: r->socket = optarg; return 0;
	case OPT_DEV_EUI: r->dev_eui = optarg; return 0;
	case OPT_DATA: r->data = optarg; return 0;
	case OPT_HEX: r->hex = optarg; return 0;
	case OPT_ID: r->id = optarg; return 0;
	case OPT_CONFIRMED: r->confirmed = true; return 0;
	case OPT_PORT: return option_number(self, "--port", optarg, 1, 223, &r->port);
	}
	return 2;
}

static int read_options(const struct command *self, int argc, char **argv, struct request *r)
{
	if (option_all(self, argc, argv, table, read_option, r) != 0)
		return 2;
	if (argc != optind)
		return command_fail(self, "'%s': unexpected; see --help", argv[optind]);
	if (!r->dev_eui || !r->port || !r->data == !r->hex)
		return command_fail(self,
			"--dev-eui, --port, and one of --data and --hex: needed; see --help");
	return 0;
}

/* The line the server reads: application/command.h. */
static int write_line(const struct command *self, const struct request *r, struct buf *out)
{
	struct writer w = writer_into(out);
	uint8_t payload[PAYLOAD_MAX];
	uint8_t eui[8];
	size_t n = 0;
	int rc = r->data ? base64_read(text_span(r->data), payload, sizeof(payload), &n)
			 : hex_read(text_span(r->hex), payload, sizeof(payload), &n);

	if (rc == ERR_SPACE)
		return command_fail(self, "payload: more than %d octets", PAYLOAD_MAX);
	if (rc < 0)
		return command_fail(self, "%s: not %s", r->data ? "--data" : "--hex",
			r->data ? "base64" : "hexadecimal");
	if (hex_read_exact(text_span(r->dev_eui), eui, sizeof(eui)) < 0)
		return command_fail(self, "--dev-eui '%s': need 16 digits", r->dev_eui);
	writer_open(&w, NULL, '{');
	writer_hex(&w, "devEui", (struct span){ eui, sizeof(eui) });
	writer_bool(&w, "confirmed", r->confirmed);
	writer_u64(&w, "fPort", r->port);
	writer_base64(&w, "data", (struct span){ payload, n });
	if (r->id)
		writer_text(&w, "id", r->id);
	writer_close(&w);
	buf_text(out, "\n");
	return writer_ok(&w) && buf_ok(out) ? 0 : command_fail(self, "--id: not UTF-8");
}

static int connect_to(const struct command *self, const char *path, int *out)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return command_fail(self, "socket '%s': path too long", path);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		command_fail(self, "socket '%s': %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return 2;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	*out = fd;
	return 0;
}

/* One line out, one line in. */
static int exchange(const struct command *self, int fd, const struct buf *line, char *answer)
{
	size_t n = 0;
	ssize_t got = send(fd, line->p, line->n, MSG_NOSIGNAL);

	if (got != (ssize_t)line->n)
		return command_fail(self, "socket: %s", strerror(errno));
	while (n < ANSWER_MAX && (n == 0 || answer[n - 1] != '\n')) {
		got = recv(fd, answer + n, ANSWER_MAX - n, 0);
		if (got <= 0)
			return command_fail(self, "socket: %s",
				got < 0 ? strerror(errno) : "closed without an answer");
		n += (size_t)got;
	}
	answer[n] = '\0';
	return 0;
}

static int say(const struct command *self, const char *answer)
{
	struct doc *root = NULL;
	struct err err;
	const char *error, *id;
	int rc = 2;

	if (doc_read(text_span(answer), &root, &err) < 0)
		return command_fail(self, "answer: %s", err.msg);
	error = doc_text(doc_member(root, "error"));
	id = doc_text(doc_member(root, "id"));
	if (error[0]) {
		command_fail(self, "%s", error);
		rc = 1;
	} else if (doc_is_true(doc_member(root, "queued")) && id[0]) {
		puts(id);
		rc = 0;
	} else {
		command_fail(self, "answer: neither queued nor an error");
	}
	doc_free(root);
	return rc;
}

int downlink(const struct command *self, int argc, char **argv)
{
	struct request r = { .socket = SOCKET_PATH };
	char answer[ANSWER_MAX + 1];
	struct buf line = { 0 };
	int fd = -1, rc;

	if (command_helped(self, argc, argv))
		return 0;
	rc = read_options(self, argc, argv, &r);
	if (rc == 0)
		rc = write_line(self, &r, &line);
	if (rc == 0)
		rc = connect_to(self, r.socket, &fd);
	if (rc == 0)
		rc = exchange(self, fd, &line, answer);
	if (fd >= 0)
		close(fd);
	buf_done(&line);
	return rc == 0 ? say(self, answer) : rc;
}
