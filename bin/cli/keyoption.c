/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keyoption.h"

#include "core/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

bool keyoption_take(struct keyoption *k, int c)
{
	switch (c) {
	case KEYOPTION_PASSWORD: k->read.file = optarg; return true;
	case KEYOPTION_NEW_PASSWORD: k->write.file = optarg; return true;
	case KEYOPTION_ENCRYPT: k->encrypt = true; return true;
	}
	return false;
}

/* One line from the terminal, not shown. */
static int read_line(int tty, const char *prompt, char *out, size_t cap)
{
	struct termios shown, hidden;
	ssize_t n;

	if (tcgetattr(tty, &shown) != 0)
		return -1;
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	/* hidden before it asks, else what is typed at once would be shown, or flushed away */
	if (tcsetattr(tty, TCSAFLUSH, &hidden) != 0)
		return -1;
	n = write(tty, prompt, strlen(prompt)) < 0 ? -1 : read(tty, out, cap - 1);
	tcsetattr(tty, TCSAFLUSH, &shown);
	if (n <= 0 || write(tty, "\n", 1) < 0)
		return -1;
	out[n] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	return 0;
}

static int ask(const char *what, bool twice, char *out, size_t cap, struct err *err)
{
	char prompt[400], again[PASSWORD_MAX] = "";
	int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	int rc = 0;

	if (tty < 0)
		return err_set(err, ERR_ARG,
			"%s: needs a password: a password file, SARDANE_PASSWORD_FILE or a terminal",
			what);
	snprintf(prompt, sizeof(prompt), "%s password for %s: ", twice ? "New" : "The", what);
	if (read_line(tty, prompt, out, cap) != 0 ||
		(twice && read_line(tty, "Once more: ", again, sizeof(again)) != 0))
		rc = err_set(err, ERR_SYSTEM, "%s: terminal: %s", what, strerror(errno));
	else if (out[0] == '\0')
		rc = err_set(err, ERR_ARG, "%s: an empty password", what);
	else if (twice && strcmp(out, again) != 0)
		rc = err_set(err, ERR_ARG, "%s: the two passwords differ", what);
	secret_wipe_octets(again, sizeof(again));
	close(tty);
	return rc;
}

const struct password *keyoption_read(struct keyoption *k)
{
	if (!k->read.file)
		k->read.file = getenv("SARDANE_PASSWORD_FILE");
	k->read.ask = ask;
	return &k->read;
}

const struct password *keyoption_write(struct keyoption *k)
{
	k->write.ask = ask;
	return k->encrypt || k->write.file ? &k->write : NULL;
}
